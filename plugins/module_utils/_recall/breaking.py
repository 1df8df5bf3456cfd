# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find who could not launch any more if images are blocked, by what ``ami_adoption`` has read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._failures import Failure
from .._listing import count, join_texts
from .._model import PUBLIC, ImageRef, Sharing
from .._option import Kind, Refuse
from .._option_groups import CONSUMERS
from .._structure import NUMBER, TEXT, result_problems

ALL = "all"
"""The value of ``accept_breaking`` that confirms everything, and the only one that confirms the public."""
# The depth of ami_adoption that shows what launches an image next, and what it calls instances, which run on.
_DEPTH, _INSTANCE = "launches", "instance"
# Consumers that a message names, and uses of one of them.
_NAMED, _NAMED_USES = 5, 3
_NOTHING_BLOCKED = "No image is blocked. What the recall has moved stays moved."

_STRUCTURE = {
    "accounts": [{"account_id": TEXT, "unread_regions": [TEXT]}],
    "depth": TEXT,
    "regions": [TEXT],
    "uses": [
        {
            "account_id": TEXT,
            "denied_by": [TEXT],
            "image_id": TEXT,
            "kind": TEXT,
            "names": [TEXT],
            "number": NUMBER,
            "region": TEXT,
        }
    ],
}


@dataclass(frozen=True)
class Use:
    """What uses an image in an account; ``derived_from`` are the denied images that it comes from."""

    account_id: str
    ref: ImageRef
    kind: str
    names: tuple[str, ...]
    number: int
    derived_from: tuple[str, ...] = ()

    @property
    def launches(self) -> bool:
        """Whether it launches the image again, unlike an instance, which runs on."""
        return self.kind != _INSTANCE


@dataclass(frozen=True)
class Adoption:
    """What a result of ``ami_adoption`` shows: the uses, and the regions that were wholly read by account."""

    regions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    uses: tuple[Use, ...] = ()

    @classmethod
    def from_dict(cls, result: Mapping[str, Any]) -> Adoption:
        """Return what the result of a task that has run shows."""
        regions = frozenset(result["regions"])
        return cls(
            {item["account_id"]: regions - {*item["unread_regions"]} for item in result["accounts"]},
            tuple(
                Use(
                    item["account_id"],
                    ImageRef(item["region"], item["image_id"]),
                    item["kind"],
                    tuple(item["names"]),
                    int(item["number"]),
                    tuple(item["denied_by"]),
                )
                for item in result["uses"]
            ),
        )


def _read_adoption(given: Mapping[str, Any] | None, refuse: Refuse) -> Adoption | None:
    """Return what a registered result shows; None for one of a task that has not run."""
    if not given or given.get("skipped"):
        return None
    problems = list(result_problems(given, _STRUCTURE, "ami_adoption"))
    for problem, remedy in problems:
        refuse(problem, remedy)
    if problems:
        return None
    if given["depth"] != _DEPTH:
        refuse(
            f"its depth is {given['depth']}, which does not show what launches an image next.",
            f"Set depth: {_DEPTH} of ami_adoption.",
        )
    return Adoption.from_dict(given)


def _read_accepted(given: Iterable[Any] | None, refuse: Refuse) -> tuple[str, ...]:
    texts = [*(given or ())]
    named = CONSUMERS.value([text for text in texts if text != ALL], refuse)
    return (*([ALL] if ALL in texts else []), *named)


ADOPTION_RESULT: Kind[Adoption | None] = Kind({"type": "dict"}, _read_adoption)
ACCEPTED: Kind[tuple[str, ...]] = Kind(CONSUMERS.spec, _read_accepted)


@dataclass(frozen=True)
class Breaking:
    """A consumer that could not launch images any more: an account, an organization or unit, or ``all``.

    ``uses`` are what launches them next. Without uses, nothing was looked at in ``regions``.
    """

    consumer: str
    regions: tuple[str, ...]
    uses: tuple[Use, ...] = ()
    confirmed: bool = False

    def describe(self) -> str:
        """Return the consumer with what breaks there, for a message."""
        name = "all AWS accounts (public)" if self.consumer == PUBLIC else self.consumer
        where = self.regions[0] if len(self.regions) == 1 else count(len(self.regions), "region")
        return f"{name} ({f'{describe_uses(self.uses)} in ' if self.uses else ''}{where})"

    def to_dict(self) -> dict[str, Any]:
        """Return it as the module returns it."""
        return {
            "confirmed": self.confirmed,
            "consumer": self.consumer,
            "looked_at": bool(self.uses),
            "regions": list(self.regions),
            "uses": [
                {
                    "image_id": use.ref.image_id,
                    "kind": use.kind,
                    "names": list(use.names),
                    "number": use.number,
                    "region": use.ref.region,
                }
                for use in self.uses
            ],
        }


def describe_uses(uses: Iterable[Use]) -> str:
    """Return uses by kind: ``launch template web, 2 auto scaling groups (a, b)``."""
    names: dict[str, dict[str, None]] = defaultdict(dict)
    for use in uses:
        names[use.kind].update(dict.fromkeys(use.names))
    return ", ".join(
        f"{kind.replace('_', ' ')} {next(iter(of_kind))}"
        if len(of_kind) == 1
        else f"{count(len(of_kind), kind.replace('_', ' '))} ({join_texts([*of_kind], _NAMED_USES)})"
        for kind, of_kind in names.items()
    )


def find_breaking(
    owner_id: str,
    losing: Mapping[ImageRef, Sharing],
    adoption: Adoption | None,
    accepted: Collection[str],
) -> tuple[Breaking, ...]:
    """Return who could not launch images any more, the worst first.

    ``losing`` is who loses each image of the account ``owner_id``. An account breaks if something launches
    one of these images next there, or if it loses one and not all was read there. Nothing shows which
    accounts an organization has: it always breaks.
    """
    known = adoption or Adoption()
    uses: dict[str, list[Use]] = defaultdict(list)
    for use in known.uses:
        # Any account may be one of an organization that loses the image. The owner needs no permission.
        is_losing = use.ref in losing and (
            use.account_id != owner_id or owner_id in losing[use.ref].account_ids
        )
        if use.launches and is_losing:
            uses[use.account_id].append(use)
    regions: dict[str, set[str]] = defaultdict(set)
    for ref, sharing in losing.items():
        for consumer in (*sharing.names, *([PUBLIC] if sharing.public else [])):
            regions[consumer].add(ref.region)
    unread = {
        consumer: sorted(lost - known.regions.get(consumer, frozenset()))
        for consumer, lost in regions.items()
        if consumer not in uses
    }
    breaking = [
        Breaking(account_id, tuple(sorted({use.ref.region for use in of_account})), tuple(of_account))
        for account_id, of_account in uses.items()
    ]
    breaking += [Breaking(consumer, tuple(missing)) for consumer, missing in unread.items() if missing]
    return tuple(
        Breaking(item.consumer, item.regions, item.uses, ALL in accepted or item.consumer in accepted)
        for item in sorted(breaking, key=_urgency)
    )


def _urgency(item: Breaking) -> tuple[int, bool, str]:
    # An ID of an account is shown before the ARN of an organization.
    return -sum(use.number for use in item.uses), not item.consumer.isdecimal(), item.consumer


def refuse_breaking(breaking: Iterable[Breaking], check_mode: bool) -> Iterator[Failure]:
    """Yield why images are not blocked: consumers that would break, and are not confirmed.

    In check mode, what a recall moves still launches the release: then only what was not looked at counts.
    """
    unconfirmed = [item for item in breaking if not item.confirmed]
    using = [item for item in unconfirmed if item.uses]
    unknown = [item for item in unconfirmed if not item.uses]
    confirm = f"confirm them with accept_breaking, or all with accept_breaking: [{ALL}]."
    if using and not check_mode:
        names = join_texts([item.describe() for item in using], _NAMED)
        yield Failure(
            f"{count(len(using), 'account')} would launch the release next, and could not any more: "
            f"{names}. {_NOTHING_BLOCKED}",
            f"Change what launches it there, and rerun; or {confirm}",
            "launches_would_break",
            "accept_breaking",
        )
    if unknown:
        names = join_texts([item.describe() for item in unknown], _NAMED)
        yield Failure(
            f"{count(len(unknown), 'consumer')} can launch the release, and what they launch was not looked "
            f"at: {names}. {_NOTHING_BLOCKED}",
            f"Pass an adoption_result of these accounts and regions, or {confirm}",
            "consumers_not_looked_at",
            "accept_breaking",
        )


def warn_of_uses(breaking: Iterable[Breaking], check_mode: bool) -> Iterator[str]:
    """Yield a warning in check mode about what would be looked at again after the pointers have moved."""
    using = [item for item in breaking if item.uses and not item.confirmed]
    if using and check_mode:
        names = join_texts([item.describe() for item in using], _NAMED)
        yield (
            f"{count(len(using), 'account')} would launch the release next: {names}. In check mode, nothing "
            "is moved before that is read: without it, what is left then stops the block unless "
            "accept_breaking has the account."
        )


def warn_of_copies(adoption: Adoption | None, own: Collection[ImageRef]) -> Iterator[str]:
    """Yield a warning about images of the accounts themselves that come from the release, which stay."""
    copies: dict[str, dict[str, None]] = defaultdict(dict)
    for use in adoption.uses if adoption else ():
        if use.derived_from and use.ref not in own:
            copies[use.account_id][str(use.ref)] = None
    if copies:
        names = [f"{', '.join(images)} in account {account_id}" for account_id, images in copies.items()]
        yield (
            f"{count(len(copies), 'account')} use images of their own that come from the release, which are "
            f"not blocked: {join_texts(names, _NAMED)}."
        )
