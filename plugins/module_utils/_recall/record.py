# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tombstone of a recall: what named the release before, and what names it since.

It is one JSON object with the ``format`` ``recall``:

- ``account_id``, ``source_image_id``, ``source_region``: the release, and the account of its images.
- ``recalled_at``: when, as ``2026-12-01T23:40:05Z``, which is also the value of the tag of its images.
  ``taken_back_at``: when the recall was taken back as a whole, in the same format, or null.
- ``images``: the images of the release in that account, each with ``region`` and ``image_id``.
- ``pointers``: each parameter and launch template that the recall moves: ``account_id``, ``region``,
  ``parameter`` (the parameter itself, or the one that its template was published with), ``kind``,
  ``resource`` (a name, or the ID of a template), ``name``, ``label`` (of the parameter's version with the
  image before), and ``before`` and ``after``, each with the ``image_id`` and the number of the ``version``.
  For a template that is its default version; ``latest_version`` is its latest one before. The number after
  is null until the recall knows it.
- ``blocked``: each image that the recall blocks: ``account_id``, which can be that of a consumer,
  ``region``, ``image_id``, ``launch_permissions`` and, by snapshot, ``volume_permissions`` that the recall
  removes, and whether the recall disables it (``disabled``).
- ``blocking_since``: when a run has begun to remove that, null once it has ended. A run that takes the recall
  back meanwhile cannot complete the record, because it is not the one that it has read.

A file has a line for each state of the record, of which the last one counts. In S3, it is the object
``PREFIX/recall/ACCOUNT/REGION/IMAGE_ID.json``: several accounts can have copies of the same source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from .._model import ImageRef, Sharing, Target

PARAMETER, LAUNCH_TEMPLATE = "parameter", "launch_template"
LONGEST_NAME = "recall/123456789012/ap-southeast-99/ami-0123456789abcdef0.json"
_FORMAT = "recall"


class Position(NamedTuple):
    """What a pointer names: an image, and the number of the version; None if it is not known yet."""

    image_id: str
    version: int | None


class PointerKey(NamedTuple):
    """What identifies a pointer: a parameter by its name, a launch template by its ID."""

    target: Target
    kind: str
    resource: str


@dataclass(frozen=True)
class Pointer:
    """A parameter or a launch template that moves; ``label`` and ``latest_version`` are from before that."""

    key: PointerKey
    parameter: str
    name: str
    before: Position
    after: Position
    label: str = ""
    latest_version: int | None = None


@dataclass(frozen=True)
class Access:
    """What a recall takes from an image of an account and its snapshots, to give it back.

    ``volume_permissions`` are by snapshot. ``disabled`` is whether the recall disables the image.
    """

    ref: ImageRef
    account_id: str
    launch: Sharing = field(default_factory=Sharing)
    volume_permissions: Mapping[str, Sharing] = field(default_factory=dict)
    disabled: bool = False

    def __or__(self, other: Access) -> Access:
        """Return what two runs take together: what the second one removes was added since the first."""
        snapshots = sorted({*self.volume_permissions, *other.volume_permissions})
        return Access(
            self.ref,
            self.account_id,
            self.launch | other.launch,
            {
                name: self.volume_permissions.get(name, Sharing())
                | other.volume_permissions.get(name, Sharing())
                for name in snapshots
            },
            self.disabled or other.disabled,
        )


@dataclass(frozen=True)
class Record:
    """The tombstone of a recall."""

    account_id: str
    source: ImageRef
    recalled_at: str
    images: tuple[ImageRef, ...] = ()
    pointers: tuple[Pointer, ...] = ()
    blocked: tuple[Access, ...] = ()
    blocking_since: str | None = None
    taken_back_at: str | None = None

    @property
    def by_key(self) -> dict[PointerKey, Pointer]:
        """Return the pointers by what identifies them."""
        return {pointer.key: pointer for pointer in self.pointers}

    def add(self, images: Iterable[ImageRef], pointers: Iterable[Pointer]) -> Record:
        """Return the record with more images and pointers. One that it has keeps what it named at first."""
        known = self.by_key
        for pointer in pointers:
            first = known.get(pointer.key, pointer)
            known[pointer.key] = replace(first, after=pointer.after)
        return replace(
            self,
            images=tuple(sorted({*self.images, *images})),
            pointers=tuple(known[key] for key in sorted(known)),
        )

    def add_blocked(self, taken: Iterable[Access]) -> Record:
        """Return the record with what a run takes from images, besides what earlier runs took from them."""
        known = {access.ref: access for access in self.blocked}
        for access in taken:
            known[access.ref] = known[access.ref] | access if access.ref in known else access
        return replace(self, blocked=tuple(known[ref] for ref in sorted(known)))

    def begin_block(self, taken: Iterable[Access], now: str) -> Record:
        """Return the record as it is written right before images are blocked; it is never the one before."""
        return replace(self.add_blocked(taken), blocking_since=now)

    def end_block(self, not_disabled: Collection[ImageRef]) -> Record:
        """Return the record after that; ``not_disabled`` are images that the recall has not disabled."""
        blocked = tuple(
            replace(item, disabled=item.disabled and item.ref not in not_disabled) for item in self.blocked
        )
        return replace(self, blocked=blocked, blocking_since=None)

    def take_back(self, now: str) -> Record:
        """Return the record after the recall was taken back as a whole."""
        return replace(self, blocking_since=None, taken_back_at=now)

    def reopen(self, taken: Iterable[Access]) -> Record:
        """Return the record of a recall that was taken back while a run took this: it can be again."""
        return replace(self.add_blocked(taken), taken_back_at=None)


class Stored(NamedTuple):
    """The record that is stored, None if there is none; ``etag`` is that of its object in S3."""

    record: Record | None = None
    etag: str | None = None


def render_record(record: Record) -> str:
    """Return the record as one line of JSON, in the format above."""
    return json.dumps(
        {
            "account_id": record.account_id,
            "blocked": [_access_to_dict(access) for access in record.blocked],
            "blocking_since": record.blocking_since,
            "format": _FORMAT,
            "images": [ref._asdict() for ref in record.images],
            "pointers": [_pointer_to_dict(pointer) for pointer in record.pointers],
            "recalled_at": record.recalled_at,
            "source_image_id": record.source.image_id,
            "source_region": record.source.region,
            "taken_back_at": record.taken_back_at,
        },
        sort_keys=True,
    )


def find_record(texts: Iterable[str], account_id: str, source: ImageRef) -> Record | None:
    """Return the last record of the account's release among texts; all others are skipped."""
    of_release = [
        record
        for record in map(_read_record, texts)
        if record and (record.account_id, record.source) == (account_id, source)
    ]
    return of_release[-1] if of_release else None


def find_damaged(lines: Sequence[str], account_id: str, source: ImageRef) -> int | None:
    """Return the index of a line after the last record that may be a damaged one of the release, or None."""
    found = None
    for index, line in enumerate(lines):
        if find_record([line], account_id, source):
            found = None
        elif source.image_id in line and _may_be_of(line, account_id, source):
            found = index
    return found


def name_object(prefix: str, account_id: str, source: ImageRef) -> str:
    """Return the key of the object of a record below the prefix of a bucket."""
    above = f"{prefix.rstrip('/')}/" if prefix else ""
    return f"{above}recall/{account_id}/{source.region}/{source.image_id}.json"


def _may_be_of(text: str, account_id: str, source: ImageRef) -> bool:
    """Whether a text with the ID of the source, which is no record of the release, may be a damaged one."""
    try:
        given = json.loads(text)
    except ValueError:
        return True
    if not isinstance(given, dict) or given.get("format") != _FORMAT:
        return False
    names = {"account_id": account_id, "source_image_id": source.image_id, "source_region": source.region}
    return all(given.get(name) in (None, value) for name, value in names.items())


def _pointer_to_dict(pointer: Pointer) -> dict[str, Any]:
    target, kind, resource = pointer.key
    return {
        "account_id": target.account_id,
        "after": pointer.after._asdict(),
        "before": pointer.before._asdict(),
        "kind": kind,
        "label": pointer.label,
        "latest_version": pointer.latest_version,
        "name": pointer.name,
        "parameter": pointer.parameter,
        "region": target.region,
        "resource": resource,
    }


def _access_to_dict(access: Access) -> dict[str, Any]:
    return {
        **access.ref._asdict(),
        "account_id": access.account_id,
        "disabled": access.disabled,
        "launch_permissions": access.launch.to_dict(),
        "volume_permissions": {name: item.to_dict() for name, item in access.volume_permissions.items()},
    }


def _read_record(text: str) -> Record | None:
    """Parse a record; None if the text is none, such as an incomplete line of a killed run."""
    try:
        given = json.loads(text)
        if given["format"] != _FORMAT:
            return None
        return Record(
            account_id=given["account_id"],
            source=ImageRef(given["source_region"], given["source_image_id"]),
            recalled_at=given["recalled_at"],
            images=tuple(ImageRef(item["region"], item["image_id"]) for item in given["images"]),
            pointers=tuple(_read_pointer(item) for item in given["pointers"]),
            blocked=tuple(_read_access(item) for item in given["blocked"]),
            blocking_since=given["blocking_since"],
            taken_back_at=given["taken_back_at"],
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _read_pointer(given: Mapping[str, Any]) -> Pointer:
    target = Target(given["account_id"], given["region"])
    return Pointer(
        key=PointerKey(target, given["kind"], given["resource"]),
        parameter=given["parameter"],
        name=given["name"],
        before=Position(given["before"]["image_id"], given["before"]["version"]),
        after=Position(given["after"]["image_id"], given["after"]["version"]),
        label=given["label"],
        latest_version=given["latest_version"],
    )


def _read_access(given: Mapping[str, Any]) -> Access:
    """Parse what was taken from an image: without its account, it would count as one that is gone."""
    account_id, disabled = given["account_id"], given["disabled"]
    if not (re.fullmatch("[0-9]{12}", account_id) and isinstance(disabled, bool)):
        raise ValueError(account_id)
    return Access(
        ImageRef(given["region"], given["image_id"]),
        account_id,
        Sharing.read(given["launch_permissions"]),
        {name: Sharing.read(item) for name, item in given["volume_permissions"].items()},
        disabled,
    )
