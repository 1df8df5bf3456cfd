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

from ..aws import errors, image_use
from ..aws.audit import interleaved
from ..aws.clients import Clients
from ..failures import Refused
from ..fanout import each
from ..planners.cleanup_facts import CloserLook, Evidence, ImageRef, SnapshotLook, SnapshotRef
from ..planners.cleanup_verdicts import CleanupSeen, CleanupWanted
from .cleanup_consumers import look_into_accounts

Item = TypeVar("Item", bound=Hashable)
Found = TypeVar("Found")


class _Batch(NamedTuple):
    """Images of one region that one call is about."""

    region: str
    image_ids: tuple[str, ...]

    @property
    def refs(self) -> tuple[ImageRef, ...]:
        return tuple(ImageRef(self.region, image_id) for image_id in self.image_ids)


def with_looks(
    clients: Clients, wanted: CleanupWanted, seen: CleanupSeen, refs: Iterable[ImageRef]
) -> CleanupSeen:
    """What was seen, with a closer look at these images; what cannot be read counts as their use."""
    by_region = _by_region(refs)
    in_turns = interleaved(by_region.values())
    batches = _batches(by_region)

    def references(batch: _Batch) -> dict[str, tuple[Evidence, ...]]:
        ec2 = clients.paced_for("DescribeImageReferences").ec2(batch.region)
        return image_use.references(ec2, batch.image_ids)

    def sharing(ref: ImageRef) -> CloserLook:
        ec2 = clients.paced_for("DescribeImageAttribute").ec2(ref.region)
        return CloserLook(sharing=image_use.launch_permissions(ec2, seen.images[ref]))

    _open(clients, ("DescribeImageReferences", "DescribeImageAttribute"), by_region)
    named, problems = _each(batches, references, seen, "DescribeImageReferences")
    found, unshared = _each(in_turns, sharing, seen, "DescribeImageAttribute")
    looks = {**found, **{ref: CloserLook(unread=(problem,)) for ref, problem in unshared.items()}}
    for batch, evidence in named.items():
        for ref in batch.refs:
            looks[ref] = replace(looks[ref], references=evidence[ref.image_id])
    looks = _with_unread(looks, problems)
    if wanted.include_shared:
        looks = _with_reports(clients, seen, looks)
    if wanted.consumer_role is not None:
        looks = look_into_accounts(clients, wanted.consumer_role, seen, looks)
    return replace(seen, looks={**seen.looks, **looks})


def with_snapshot_looks(clients: Clients, seen: CleanupSeen, refs: Iterable[SnapshotRef]) -> CleanupSeen:
    """What was seen, with who may use these snapshots."""
    by_region = _by_region(refs)
    _open(clients, ("DescribeSnapshotAttribute",), by_region)

    def look(ref: SnapshotRef) -> SnapshotLook:
        ec2 = clients.paced_for("DescribeSnapshotAttribute").ec2(ref.region)
        return image_use.snapshot_look(ec2, ref.snapshot_id)

    in_turns = interleaved(by_region.values())
    found, problems = _each(in_turns, look, seen, "DescribeSnapshotAttribute")
    unread = {ref: SnapshotLook(unread=problem.detail) for ref, problem in problems.items()}
    return replace(seen, snapshot_looks={**seen.snapshot_looks, **found, **unread})


def _with_reports(
    clients: Clients, seen: CleanupSeen, looks: Mapping[ImageRef, CloserLook]
) -> dict[ImageRef, CloserLook]:
    """The looks, with the newest usage reports of images that are shared."""
    batches = _batches(_by_region(ref for ref, look in looks.items() if look.sharing))
    found, problems = _each(
        batches,
        lambda batch: image_use.usage_reports(clients.ec2(batch.region), batch.image_ids),
        seen,
        "DescribeImageUsageReports",
    )
    reported = dict(looks)
    for batch, reports in found.items():
        for ref in batch.refs:
            reported[ref] = replace(looks[ref], report=reports.get(ref.image_id))
    return _with_unread(reported, problems)


def _with_unread(
    looks: Mapping[ImageRef, CloserLook], problems: Mapping[_Batch, Evidence]
) -> dict[ImageRef, CloserLook]:
    of_images = {ref: problem for batch, problem in problems.items() for ref in batch.refs}
    return {
        ref: replace(look, unread=(*look.unread, of_images[ref])) if ref in of_images else look
        for ref, look in looks.items()
    }


def _each(
    items: Iterable[Item], work: Callable[[Item], Found], seen: CleanupSeen, action: str
) -> tuple[dict[Item, Found], dict[Item, Evidence]]:
    """What was found, and what AWS did not let be read; any other failure ends the reading."""
    found, failed = each(items, work)
    mistakes = [one for one in failed.values() if not isinstance(one, errors.AWS_ERRORS)]
    if mistakes:
        raise Refused(errors.failure(one, seen.target(""), action) for one in mistakes)
    return found, {item: image_use.unread(exception, action) for item, exception in failed.items()}


def _open(clients: Clients, operations: Iterable[str], regions: Iterable[str]) -> None:
    for operation in operations:
        clients.paced_for(operation).open("ec2", regions)


Ref = TypeVar("Ref", ImageRef, SnapshotRef)


def _by_region(refs: Iterable[Ref]) -> dict[str, list[Ref]]:
    by_region: dict[str, list[Ref]] = {}
    for ref in dict.fromkeys(refs):
        by_region.setdefault(ref.region, []).append(ref)
    return by_region


def _batches(by_region: Mapping[str, list[ImageRef]]) -> list[_Batch]:
    size = image_use.REFERENCE_BATCH
    return interleaved(
        [
            _Batch(region, tuple(ref.image_id for ref in refs[start : start + size]))
            for start in range(0, len(refs), size)
        ]
        for region, refs in by_region.items()
    )
