# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide the findings about every image of an account, the results, and the failures of the task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .._failures import Failure
from .._finding import Finding
from .._model import ImageRef, Target, time_of
from .._plan import PlanWithoutTargets
from .causes import CAUSES, UNREADABLE
from .causes.unreadable import unread_region
from .options import AuditOptions
from .region import AuditedRegion
from .state import AuditState, Listed, RegionState


@dataclass(frozen=True)
class AuditPlan(PlanWithoutTargets):
    """All findings in a stable order. It has no actions.

    The failures are what could not be read, and the findings that ``fail_on`` selects.
    """

    findings: tuple[Finding, ...]


def plan(options: AuditOptions, current: AuditState) -> AuditPlan:
    """Audit every region that was read."""
    all_findings = [unread_region(target, failure) for target, failure in current.unread.items()]
    for target, state in current.regions.items():
        region = AuditedRegion(options, target, state, current.now)
        all_findings += (finding for cause in CAUSES.values() for finding in cause.findings(region))
    findings = tuple(sorted(all_findings, key=lambda item: item.order))
    return AuditPlan(
        findings,
        failures=(*_list_read_failures(current), *_select_failures(options, findings)),
        warnings=tuple(_warn_of_settings(current)),
    )


def results(current: AuditState, plan: AuditPlan) -> list[dict[str, Any]]:
    """Return every image as the module returns it, by region, then by name, the oldest first."""
    by_image: dict[ImageRef, list[dict[str, str | None]]] = {}
    for item in plan.findings:
        if item.image_id is not None:
            by_image.setdefault(ImageRef(item.region, item.image_id), []).append(item.to_dict())
    copies: dict[ImageRef, list[dict[str, str]]] = {}
    for target, listed in _images(current):
        image = listed.image
        if image.source_image_id and image.source_region:
            copy = {"image_id": image.image_id, "region": target.region}
            copies.setdefault(ImageRef(image.source_region, image.source_image_id), []).append(copy)
    return [
        {
            **_image_to_dict(current, target, listed),
            "copies": copies.get(ImageRef(target.region, listed.image.image_id), []),
            "findings": by_image.get(ImageRef(target.region, listed.image.image_id), []),
        }
        for target, listed in _images(current)
    ]


def keys(options: AuditOptions, current: AuditState) -> list[dict[str, Any]]:
    """Return every key as the module returns it."""
    return [
        key.to_dict()
        for target, region in sorted(current.regions.items(), key=lambda item: item[0])
        for key in sorted(AuditedRegion(options, target, region, current.now).keys, key=lambda key: key.arn)
    ]


def unused_snapshots(current: AuditState) -> list[dict[str, Any]]:
    """Return every snapshot without an image whose permissions were read, as the module returns it.

    Private ones too: they are known, and a snapshot that is not returned may not have been read.
    """
    return [
        {
            "account_id": target.account_id,
            "account_ids": sorted(sharing.account_ids),
            "public": sharing.public,
            "region": target.region,
            "snapshot_id": snapshot_id,
        }
        for target, region in sorted(current.regions.items(), key=lambda item: item[0])
        for snapshot_id, sharing in sorted(region.unused.items())
    ]


def regions(current: AuditState) -> dict[str, dict[str, Any]]:
    """Return every region that was read, as the module returns it."""
    return {
        target.region: {
            "image_block_managed_by": region.image_block and region.image_block.managed_by,
            "image_block_public_access": region.image_block and region.image_block.state,
            "images": len(region.images),
            "snapshot_block_managed_by": region.snapshot_block and region.snapshot_block.managed_by,
            "snapshot_block_public_access": region.snapshot_block and region.snapshot_block.state,
        }
        for target, region in sorted(current.regions.items(), key=lambda item: item[0])
    }


def _images(current: AuditState) -> Iterator[tuple[Target, Listed]]:
    for target in sorted(current.regions):
        images = current.regions[target].images
        for listed in sorted(images, key=lambda item: (item.image.name, item.image.creation_date)):
            yield target, listed


def _image_to_dict(current: AuditState, target: Target, listed: Listed) -> dict[str, Any]:
    image, region = listed.image, current.regions[target]
    creation, deprecation = time_of(image.creation_date), time_of(image.deprecation_time)
    source = {"image_id": image.source_image_id, "region": image.source_region}
    sharing = region.sharing.get(image.image_id)
    return {
        "account_id": target.account_id,
        "age_days": None if creation is None else max(0, (current.now - creation).days),
        "associated_kms_key_arns": region.associated_key_arns(image),
        "creation_date": image.creation_date or None,
        "deprecated": deprecation is not None and deprecation <= current.now,
        "deprecation_time": image.deprecation_time,
        # A volume without a snapshot is created empty, under a key of the launching account.
        "encrypted": any(device.encrypted and device.snapshot_id for device in image.devices),
        "image_id": image.image_id,
        "kms_key_arns": region.key_arns(image),
        "last_launched_time": listed.last_launched,
        "name": image.name,
        "region": target.region,
        "sharing": None if sharing is None else sharing.to_dict(),
        "snapshots": [_snapshot_to_dict(region, snapshot_id) for snapshot_id in image.snapshot_ids],
        "source": source if image.source_image_id else None,
        "state": image.state,
    }


def _snapshot_to_dict(region: RegionState, snapshot_id: str) -> dict[str, Any]:
    sharing = region.volume_permissions.get(snapshot_id)
    return {
        "account_ids": None if sharing is None else sorted(sharing.account_ids),
        "associated_kms_key_arns": sorted(region.associated_keys.get(snapshot_id, ())),
        "kms_key_arn": region.key_of.get(snapshot_id),
        "public": None if sharing is None else sharing.public,
        "snapshot_id": snapshot_id,
    }


def _list_read_failures(current: AuditState) -> Iterator[Failure]:
    """Yield what could not be read; the same error for many resources of a region is listed once."""
    problems = (
        problem.failure for region in current.regions.values() for problem in region.deciding_problems
    )
    listed: dict[tuple[str | None, str, str], Failure] = {}
    for failure in (*current.unread.values(), *problems):
        listed.setdefault((failure.region, failure.action, failure.error_code), failure)
    yield from sorted(listed.values(), key=lambda item: (item.region or "", item.action, item.error_code))


def _warn_of_settings(current: AuditState) -> Iterator[str]:
    """Yield a warning for each setting that could not be read and that no finding depends on."""
    for target, region in current.regions.items():
        deciding = region.deciding_problems
        for problem in region.problems:
            if problem not in deciding:
                yield (
                    f"{target.region}: {problem.resource} could not be read ({problem.failure.error_code}). "
                    "Nothing there is public, so no finding depends on it."
                )


def _select_failures(options: AuditOptions, findings: tuple[Finding, ...]) -> Iterator[Failure]:
    """Yield the findings that ``fail_on`` selects, as failures; what could not be read is one already."""
    if options.fail_on is None:
        return
    for item in findings:
        if item.severity >= options.fail_on and item.code not in UNREADABLE:
            yield item.as_failure("fail_on")
