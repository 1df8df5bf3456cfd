# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find who could not launch any more if images are blocked, by what ``ami_adoption`` has read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._adoption.state import ANCESTRY, INSTANCE, LAUNCHES
from .._causes import MOST_NAMED
from .._failures import Failure, invalid_option
from .._listing import count, join_texts
from .._model import PUBLIC, ImageRef, Sharing
from .._option import Kind, Refuse
from .._option_groups import CONSUMERS
from .._step_results import ResultReader
from .._structure import BOOLEAN, NUMBER, TEXT, Null

ALL = "all"
"""The value of ``accept_breaking`` that confirms everything, and the only one that confirms the public."""
# Consumers that a message names, and uses of one of them.
_NAMED, _NAMED_USES = 5, 3
_NOTHING_BLOCKED = "No image is blocked."
_NOT_ASKED = (
    "block_consumer_copies (recall_block_consumer_copies of the role) disables those that AWS records as "
    "made from it."
)
_NOT_RECORDED = (
    "AWS does not record that they were made from one of your images of the release, but from another image, "
    "or only a tag or a watermark says so."
)
_CONFIRM = f"confirm them with accept_breaking (recall_accept_breaking of the role), or all with [{ALL}]."

_ADOPTION = {
    "account_id": TEXT,
    "accounts": [{"account_id": TEXT, "unread_regions": [TEXT]}],
    "denied": [{"image_id": TEXT}],
    "depth": TEXT,
    "regions": [TEXT],
    "releases": [{"images": [{"image_id": TEXT, "region": TEXT}]}],
    "uses": [
        {
            "account_id": TEXT,
            "denied_by": [TEXT],
            "image_id": TEXT,
            "kind": TEXT,
            "names": [TEXT],
            "number": NUMBER,
            "origin": Null({"evidence": TEXT, "image_id": TEXT, "region": TEXT}),
            "region": TEXT,
        }
    ],
}
_WITHDRAWAL = {
    "images": [{"changed": BOOLEAN, "image_id": TEXT, "region": TEXT}],
    "results": [{"changed": BOOLEAN}],
}
_NULLS = ("account_id", "action", "error_code", "region", "remedy", "source")
# A task that was refused has read nothing, and returns nothing else.
_REFUSED = {"failures": [{"message": TEXT, **dict.fromkeys(_NULLS, Null(TEXT))}]}


@dataclass(frozen=True)
class Use:
    """What uses an image in an account; ``derived_from`` are the denied images that it comes from.

    ``origin`` is what an image that the account owns was copied or made from, as AWS has recorded it.
    """

    account_id: str
    ref: ImageRef
    kind: str
    names: tuple[str, ...]
    number: int
    derived_from: tuple[str, ...] = ()
    origin: ImageRef | None = None

    @property
    def launches(self) -> bool:
        """Whether it launches the image again, unlike an instance, which runs on."""
        return self.kind != INSTANCE


@dataclass(frozen=True)
class Adoption:
    """What a result of ``ami_adoption`` shows: the uses, and the regions that were wholly read by account.

    ``unread`` are the other ones of its regions, by account.

    ``owner_id`` owns the images that it is about, of which ``own`` are of families. ``denied`` are the images
    whose uses it has whatever their family is. ``failures`` are why nothing was read.
    """

    owner_id: str
    denied: frozenset[str] = frozenset()
    own: frozenset[ImageRef] = frozenset()
    regions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unread: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    uses: tuple[Use, ...] = ()
    failures: tuple[Failure, ...] = ()

    @classmethod
    def from_dict(cls, result: Mapping[str, Any]) -> Adoption:
        """Return what the result of a task that has run shows."""
        regions = frozenset(result["regions"])
        return cls(
            result["account_id"],
            frozenset(item["image_id"] for item in result["denied"]),
            frozenset(
                ImageRef(item["region"], item["image_id"])
                for release in result["releases"]
                for item in release["images"]
            ),
            {item["account_id"]: regions - {*item["unread_regions"]} for item in result["accounts"]},
            {item["account_id"]: tuple(item["unread_regions"]) for item in result["accounts"]},
            tuple(
                Use(
                    item["account_id"],
                    ImageRef(item["region"], item["image_id"]),
                    item["kind"],
                    tuple(item["names"]),
                    int(item["number"]),
                    tuple(item["denied_by"]),
                    _read_origin(item["origin"]),
                )
                for item in result["uses"]
            ),
        )


def _read_origin(given: Mapping[str, str] | None) -> ImageRef | None:
    """Return where an account's own image comes from, None if AWS has not recorded each step of that.

    Whoever owns an image can change its tags. A fix has the watermark of the release that it was built from.
    """
    if given is None or given["evidence"] != ANCESTRY:
        return None
    return ImageRef(given["region"], given["image_id"])


def _read_adoption(given: Mapping[str, Any] | None, refuse: Refuse) -> Adoption | None:
    """Return what a registered result shows; None for one of a task that has not run."""

    def refuse_report(problem: str, remedy: str, place: str = "", /) -> None:
        # A report that is returned replaces the keys of the result.
        is_report = given is not None and given.get("report")
        refuse(problem, "Set return_report: false of ami_adoption." if is_report else remedy, place)

    if given and given.get("failures") and "accounts" not in given:
        return _NOT_READ.read_one(given, refuse)
    adoption = _READ.read_one(given, refuse_report)
    if given and adoption and given["depth"] != LAUNCHES:
        refuse(
            f"its depth is {given['depth']}, which does not show what launches an image next.",
            f"Set depth: {LAUNCHES} of ami_adoption.",
        )
    return adoption


def _read_accepted(given: Iterable[Any] | None, refuse: Refuse) -> tuple[str, ...]:
    texts = [str(text).strip() for text in given or ()]

    def refuse_with_all(problem: str, remedy: str, place: str = "", /) -> None:
        refuse(problem, f"{remedy} [{ALL}] confirms everything.", place)

    named = CONSUMERS.value([text for text in texts if text != ALL], refuse_with_all)
    return (*([ALL] if ALL in texts else []), *named)


@dataclass(frozen=True)
class Withdrawal:
    """What an earlier task changes, or would in check mode: whether it moves pointers, and what it tags.

    One that was refused has found no images.
    """

    moves: bool = False
    tagged: frozenset[ImageRef] = frozenset()
    has_images: bool = True

    @classmethod
    def from_dict(cls, result: Mapping[str, Any]) -> Withdrawal:
        """Return what the task of a registered result changes."""
        images = result["images"]
        tagged = (ImageRef(item["region"], item["image_id"]) for item in images if item["changed"])
        return cls(any(item["changed"] for item in result["results"]), frozenset(tagged), bool(images))


def _read_withdrawal(given: Mapping[str, Any] | None, refuse: Refuse) -> Withdrawal | None:
    is_refused = given and given.get("failures") and "images" not in given
    return (_NOT_WITHDRAWN if is_refused else _WITHDRAWN).read_one(given, refuse)


_READ = ResultReader(_ADOPTION, "ami_adoption", Adoption.from_dict)
_NOT_READ = ResultReader(
    _REFUSED,
    "ami_adoption",
    lambda result: Adoption("", failures=tuple(map(Failure.from_result, result["failures"]))),
)
_WITHDRAWN = ResultReader(_WITHDRAWAL, "ami_recall", Withdrawal.from_dict)
_NOT_WITHDRAWN = ResultReader(_REFUSED, "ami_recall", lambda _result: Withdrawal(has_images=False))
ADOPTION_RESULT: Kind[Adoption | None] = Kind({"type": "dict"}, _read_adoption)
ACCEPTED: Kind[tuple[str, ...]] = Kind(CONSUMERS.spec, _read_accepted)
WITHDRAWAL_RESULT: Kind[Withdrawal | None] = Kind({"type": "dict"}, _read_withdrawal)


@dataclass(frozen=True)
class Breaking:
    """A consumer that could not launch images any more: an account, an organization or unit, or ``all``.

    ``uses`` are what launches them next. In ``unread`` regions, it can launch one and was not looked at.
    """

    consumer: str
    uses: tuple[Use, ...] = ()
    unread: tuple[str, ...] = ()
    confirmed: bool = False

    @property
    def regions(self) -> tuple[str, ...]:
        """Return the regions in which something launches an image next."""
        return tuple(sorted({use.ref.region for use in self.uses}))

    def describe_uses(self) -> str:
        """Return the consumer with what breaks there, for a message."""
        return f"{self.consumer} ({describe_uses(_group_uses(self.uses))} in {name_regions(self.regions)})"

    def describe_unread(self) -> str:
        """Return the consumer with where it was not looked at, for a message."""
        name = "all AWS accounts (public)" if self.consumer == PUBLIC else self.consumer
        return f"{name} ({name_regions(self.unread)})"

    def to_dict(self) -> dict[str, Any]:
        """Return it as the module returns it: uses without regions, as most are the same in many of them."""
        return {
            "confirmed": self.confirmed,
            "consumer": self.consumer,
            "regions": list(self.regions),
            "regions_not_looked_at": list(self.unread),
            "uses": _group_uses(self.uses),
        }


def name_regions(regions: Sequence[str]) -> str:
    """Return the region, or the number of several: ``20 regions``."""
    return regions[0] if len(regions) == 1 else count(len(regions), "region")


def _group_uses(uses: Iterable[Use]) -> list[dict[str, Any]]:
    """Return uses by kind, with the first names and the number of all."""
    groups: dict[str, list[Use]] = defaultdict(list)
    for use in uses:
        groups[use.kind].append(use)
    return [
        {
            "kind": kind,
            "names": [*dict.fromkeys(name for use in of_kind for name in use.names)][:MOST_NAMED],
            "number": sum(use.number for use in of_kind),
        }
        for kind, of_kind in groups.items()
    ]


def describe_uses(groups: Iterable[Mapping[str, Any]]) -> str:
    """Return the uses in a result: ``launch template web, 2 auto scaling groups (a, b)``."""
    texts = []
    for group in groups:
        kind, names = group["kind"].replace("_", " "), group["names"]
        some = f"{'such as ' if len(names) > _NAMED_USES else ''}{', '.join(names[:_NAMED_USES])}"
        texts.append(f"{kind} {some}" if group["number"] == 1 else f"{count(group['number'], kind)} ({some})")
    return ", ".join(texts)


def find_breaking(
    owner_id: str,
    losing: Mapping[ImageRef, Sharing],
    adoption: Adoption | None,
    accepted: Collection[str],
    copies: Collection[ImageRef] = (),
) -> tuple[Breaking, ...]:
    """Return who could not launch images any more, the worst first.

    ``losing`` is who loses each image. They are of the account ``owner_id``, except for ``copies``. An
    account breaks if something launches one of these images next there, or if it loses one and not all was
    read there. Nothing shows which accounts an organization has: it always breaks.
    """
    known = adoption or Adoption(owner_id)
    uses: dict[str, list[Use]] = defaultdict(list)
    for use in known.uses:
        is_own = use.account_id == owner_id and use.ref not in copies
        if use.launches and _may_lose(losing.get(use.ref, Sharing()), use.account_id, is_own):
            uses[use.account_id].append(use)
    regions: dict[str, set[str]] = defaultdict(set)
    for ref, sharing in losing.items():
        for consumer in (*sharing.names, *([PUBLIC] if sharing.public else [])):
            regions[consumer].add(ref.region)
    breaking = (
        Breaking(
            consumer,
            tuple(uses.get(consumer, ())),
            tuple(sorted(regions.get(consumer, set()) - known.regions.get(consumer, frozenset()))),
            ALL in accepted or consumer in accepted,
        )
        for consumer in {**uses, **regions}
    )
    return tuple(sorted((item for item in breaking if item.uses or item.unread), key=_urgency))


def _may_lose(losing: Sharing, account_id: str, is_own: bool) -> bool:
    """Whether an account may be among those that lose an image. If it owns it, it needs no permission."""
    is_named = account_id in losing.account_ids
    return is_named or (not is_own and bool(losing.org_arns or losing.org_unit_arns or losing.public))


def _urgency(item: Breaking) -> tuple[int, bool, str]:
    # An ID of an account is shown before the ARN of an organization.
    return -sum(use.number for use in item.uses), not item.consumer.isdecimal(), item.consumer


def refuse_adoption(adoption: Adoption | None, account_id: str) -> Iterator[Failure]:
    """Yield a failure if the adoption of another account's images was read than ``account_id``'s."""
    if adoption is not None and adoption.owner_id != account_id:
        yield invalid_option(
            "adoption_result",
            f"adoption_result: it is about images of account {adoption.owner_id}, and the release is of "
            f"{account_id}.",
            "Run ami_adoption with the credentials that the recall has.",
        )


def refuse_breaking(breaking: Iterable[Breaking], is_early: bool) -> Iterator[Failure]:
    """Yield why images are not blocked: consumers that would break, and are not confirmed.

    ``is_early`` is whether pointers would be moved before, which still launch the release: then only what
    was not looked at counts.
    """
    unconfirmed = [item for item in breaking if not item.confirmed]
    using = [item for item in unconfirmed if item.uses]
    unknown = [item for item in unconfirmed if item.unread]
    if using and not is_early:
        names = join_texts([item.describe_uses() for item in using], _NAMED)
        yield Failure(
            f"{count(len(using), 'account')} would launch the images next, and could not any more: "
            f"{names}. {_NOTHING_BLOCKED}",
            f"Change what launches it there, and rerun; or {_CONFIRM}",
            "launches_would_break",
            "accept_breaking",
        )
    if unknown:
        names = join_texts([item.describe_unread() for item in unknown], _NAMED)
        # Which accounts an organization has is not known, wherever the recall looks.
        has_account = any(item.consumer.isdecimal() for item in unknown)
        look = (
            "Look into all regions of these accounts (recall_account_ids of the role, adoption_result of "
            "ami_recall), and rerun; or "
        )
        yield Failure(
            f"{count(len(unknown), 'consumer')} can launch the release, and what they launch was not looked "
            f"at: {names}. {_NOTHING_BLOCKED}",
            f"{look}{_CONFIRM}" if has_account else f"{_CONFIRM[:1].upper()}{_CONFIRM[1:]}",
            "consumers_not_looked_at",
            "accept_breaking",
        )


def warn_of_uses(breaking: Iterable[Breaking]) -> Iterator[str]:
    """Yield a warning in check mode about what will be looked at again after the pointers have moved."""
    using = [item for item in breaking if item.uses and not item.confirmed]
    if using:
        names = join_texts([item.describe_uses() for item in using], _NAMED)
        yield (
            f"{count(len(using), 'account')} would launch the images next: {names}. Check mode has read "
            "that before anything is moved. A real run reads it after that, and blocks nothing if something "
            "is left there, unless accept_breaking (recall_accept_breaking of the role) has the account."
        )


def warn_of_others(breaking: Iterable[Breaking], accepted: Iterable[str]) -> Iterator[str]:
    """Yield a warning about consumers that are confirmed and do not break: one may be misspelled."""
    others = [name for name in accepted if name not in {ALL, *(item.consumer for item in breaking)}]
    if others:
        yield (
            f"accept_breaking (recall_accept_breaking of the role) has {join_texts(others, _NAMED)}, which "
            "would not break: is that misspelled?"
        )


def find_copies(adoption: Adoption | None, release: Collection[ImageRef]) -> dict[ImageRef, str]:
    """Return the images that accounts use, own, and have copied or made from the release, with the account.

    ``release`` are the owner's images of it. A copy of a fix that the owner has built from the release is
    none.
    """
    return {
        use.ref: use.account_id
        for use in (adoption.uses if adoption else ())
        if use.origin in release and use.ref not in release
    }


def warn_of_copies(
    adoption: Adoption | None, own: Collection[ImageRef], blocks_copies: bool
) -> Iterator[str]:
    """Yield a warning about images of the accounts themselves that come from the release, which stay.

    ``own`` are the images of the release, and the others that need no warning. Another image of their owner,
    such as a fix that was built from an instance of the release, is none of the account's.
    """
    if adoption is None:
        return
    copies: dict[str, dict[str, None]] = defaultdict(dict)
    for use in adoption.uses:
        is_own = use.ref in own or use.ref in adoption.own or use.account_id == adoption.owner_id
        if use.derived_from and not is_own:
            copies[use.account_id][str(use.ref)] = None
    if copies:
        names = [f"{', '.join(images)} in account {account_id}" for account_id, images in copies.items()]
        yield (
            f"{count(len(copies), 'account')} use images of their own that come from the release, which are "
            f"not blocked: {join_texts(names, _NAMED)}. {_NOT_RECORDED if blocks_copies else _NOT_ASKED}"
        )


def warn_of_unread_accounts(adoption: Adoption | None, account_ids: Iterable[str]) -> Iterator[str]:
    """Yield a warning about accounts that were not wholly read: copies that were not found stay."""
    known = adoption or Adoption("")
    regions = {account_id: known.unread.get(account_id, ("all regions",)) for account_id in account_ids}
    unread = [f"{account_id} ({name_regions(names)})" for account_id, names in regions.items() if names]
    if unread:
        yield (
            f"{count(len(unread), 'account')} could not be wholly read, and copies of the release there that "
            f"were not found are not blocked: {join_texts(unread, _NAMED)}. Give their roles what the "
            "failures of ami_adoption say, and rerun."
        )
