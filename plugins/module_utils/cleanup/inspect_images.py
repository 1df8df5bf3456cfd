# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Closer looks at images and snapshots that nothing keeps so far, in all regions at once.

They take a call or two each: the clients of each kind of call pace themselves, and the regions take turns.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeVar

from ..aws import errors
from ..aws.clients import Clients
from ..failures import Refused
from ..fanout import each, round_robin
from ..model import ImageRef, SnapshotRef
from . import read_usage as image_use
from .decisions import CleanupSeen, CleanupWanted, chosen
from .inspect_consumers import look_into_accounts
from .state import CloserLook, SnapshotLook

Item = TypeVar("Item", bound=Hashable)
Found = TypeVar("Found")
Ref = TypeVar("Ref", ImageRef, SnapshotRef)


class _Batch(NamedTuple):
    """Images of one region that one call is about."""

    region: str
    image_ids: tuple[str, ...]

    @property
    def refs(self) -> tuple[ImageRef, ...]:
        return tuple(ImageRef(self.region, image_id) for image_id in self.image_ids)


class _Look(NamedTuple):
    """An image, and its snapshots if nothing was found that keeps it."""

    image: CloserLook
    snapshots: Mapping[SnapshotRef, SnapshotLook]


def with_looks(
    clients: Clients, wanted: CleanupWanted, seen: CleanupSeen, refs: Iterable[ImageRef]
) -> CleanupSeen:
    """What was seen, with closer looks at these images, and at the snapshots of those that may go.

    What cannot be read counts as use.
    """
    by_region = _by_region(refs)
    for operation in ("DescribeImageReferences", "DescribeImageAttribute", "DescribeSnapshotAttribute"):
        clients.paced_for(operation).open("ec2", by_region)
    named = _references(clients, seen, by_region)
    may_go = frozenset(chosen(wanted, seen, CloserLook()))

    def look(ref: ImageRef) -> _Look:
        of_image = _with_sharing(clients, seen, ref, named[ref])
        kept = of_image.references or of_image.unread or (of_image.sharing and not wanted.include_shared)
        if kept or ref not in may_go:
            return _Look(of_image, {})
        # Beside those of other images, so that neither kind of call waits for the other.
        snapshots = (SnapshotRef(ref.region, one) for one in seen.images[ref].image.snapshot_ids)
        return _Look(of_image, {one: _snapshot_look(clients, one) for one in snapshots})

    found = _each(round_robin(by_region.values()), look, seen, "DescribeImageAttribute")
    looks = {ref: one.image for ref, one in found.items()}
    if wanted.include_shared:
        looks = _with_reports(clients, seen, looks)
    if wanted.consumer_role is not None:
        looks = look_into_accounts(clients, wanted.consumer_role, seen, looks)
    snapshot_looks = {ref: look for one in found.values() for ref, look in one.snapshots.items()}
    return replace(
        seen, looks={**seen.looks, **looks}, snapshot_looks={**seen.snapshot_looks, **snapshot_looks}
    )


def with_snapshot_looks(clients: Clients, seen: CleanupSeen, refs: Iterable[SnapshotRef]) -> CleanupSeen:
    """What was seen, with who may use these snapshots."""
    by_region = _by_region(refs)
    clients.paced_for("DescribeSnapshotAttribute").open("ec2", by_region)
    found = _each(
        round_robin(by_region.values()),
        lambda ref: _snapshot_look(clients, ref),
        seen,
        "DescribeSnapshotAttribute",
    )
    return replace(seen, snapshot_looks={**seen.snapshot_looks, **found})


def _references(
    clients: Clients, seen: CleanupSeen, by_region: Mapping[str, list[ImageRef]]
) -> dict[ImageRef, CloserLook]:
    """What refers to the images."""
    action = "DescribeImageReferences"

    def work(batch: _Batch) -> dict[ImageRef, CloserLook]:
        try:
            found = image_use.references(clients.paced_for(action).ec2(batch.region), batch.image_ids)
        except errors.AWS_ERRORS as exception:
            return dict.fromkeys(batch.refs, CloserLook(unread=(image_use.unread(exception, action),)))
        return {ref: CloserLook(found[ref.image_id]) for ref in batch.refs}

    found = _each(_batches(by_region), work, seen, action)
    return {ref: look for looks in found.values() for ref, look in looks.items()}


def _with_sharing(clients: Clients, seen: CleanupSeen, ref: ImageRef, look: CloserLook) -> CloserLook:
    action = "DescribeImageAttribute"
    try:
        sharing = image_use.launch_permissions(clients.paced_for(action).ec2(ref.region), seen.images[ref])
    except errors.AWS_ERRORS as exception:
        return replace(look, unread=(*look.unread, image_use.unread(exception, action)))
    return replace(look, sharing=sharing)


def _snapshot_look(clients: Clients, ref: SnapshotRef) -> SnapshotLook:
    action = "DescribeSnapshotAttribute"
    try:
        return image_use.snapshot_look(clients.paced_for(action).ec2(ref.region), ref.snapshot_id)
    except errors.AWS_ERRORS as exception:
        return SnapshotLook(unread=image_use.unread(exception, action).detail)


def _with_reports(
    clients: Clients, seen: CleanupSeen, looks: Mapping[ImageRef, CloserLook]
) -> dict[ImageRef, CloserLook]:
    """The looks, with the newest usage reports of images that are shared."""
    action = "DescribeImageUsageReports"

    def work(batch: _Batch) -> dict[ImageRef, CloserLook]:
        try:
            found = image_use.usage_reports(clients.ec2(batch.region), batch.image_ids)
        except errors.AWS_ERRORS as exception:
            problem = image_use.unread(exception, action)
            return {ref: replace(looks[ref], unread=(*looks[ref].unread, problem)) for ref in batch.refs}
        return {ref: replace(looks[ref], report=found.get(ref.image_id)) for ref in batch.refs}

    shared = _by_region(ref for ref, look in looks.items() if look.sharing)
    found = _each(_batches(shared), work, seen, action)
    return {**looks, **{ref: look for one in found.values() for ref, look in one.items()}}


def _each(
    items: Iterable[Item], work: Callable[[Item], Found], seen: CleanupSeen, action: str
) -> dict[Item, Found]:
    """What was found for each item; whatever else than AWS's refusals has failed ends the reading."""
    found, failed = each(items, work)
    if failed:
        raise Refused(errors.failure(one, seen.target(""), action) for one in failed.values())
    return found


def _by_region(refs: Iterable[Ref]) -> dict[str, list[Ref]]:
    by_region: dict[str, list[Ref]] = {}
    for ref in dict.fromkeys(refs):
        by_region.setdefault(ref.region, []).append(ref)
    return by_region


def _batches(by_region: Mapping[str, list[ImageRef]]) -> list[_Batch]:
    size = image_use.REFERENCE_BATCH
    return round_robin(
        [
            _Batch(region, tuple(ref.image_id for ref in refs[start : start + size]))
            for start in range(0, len(refs), size)
        ]
        for region, refs in by_region.items()
    )
