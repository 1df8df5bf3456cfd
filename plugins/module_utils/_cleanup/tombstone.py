# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tombstones: the record of an image from before it is disabled or deregistered, enough to restore it.

A tombstone is one JSON object:

- ``region``, ``account_id``, ``image_id``, ``name``: the image.
- ``stage``: what happened next, ``disable`` or ``deregister``. An image that goes through both stages has two
  tombstones. Only the first has its launch permissions: disabling removes them.
- ``written_at``: when, as ``2026-11-24T12:00:00Z``. ``recoverable_until``: until when the Recycle Bin retains
  the image with all its snapshots, in the same format, or null.
- ``family``: the image's family.
- ``launch_permissions``: the sharing of the image, as ``account_ids``, ``org_arns``, ``org_unit_arns``
  (lists of strings) and ``public`` (a boolean).
- ``tags``: its tags, as an object.
- ``snapshots``: a list with an object for each EBS volume, in the order of the devices: ``device_name``,
  ``snapshot_id`` (null for an empty volume), ``encrypted``, ``description``, ``tags``, ``deleted`` (whether
  the snapshot would be deleted with the image) and ``volume_permissions``, the accounts that could create
  volumes from it, as ``account_ids`` (a list of strings) and ``public`` (a boolean).
- ``image``: the image as DescribeImages returned it (botocore shape ``Image``).

``render_tombstone`` writes all of it. ``read_tombstone`` reads what restoring an image needs.

In Parameter Store, the tombstone of an image is the parameter ``PATH/REGION/IMAGE_ID`` of the home region. In
S3, each tombstone is an object, ``PREFIX/REGION/IMAGE_ID/WRITTEN_AT.json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from .._failures import Failure
from .._model import Device, ImageRef, Sharing, SnapshotRef
from .decisions import Decision
from .stages import DEREGISTER, DISABLE, has_lost_permissions, parse_time, render_time
from .state import CleanupState, ImageUsage, SnapshotUsage

# Systems Manager User Guide, "Managing parameter tiers": the value of an advanced parameter, in bytes. The
# text of a tombstone is ASCII.
LONGEST_PARAMETER = 8192

# From the time of a tombstone, the start of its run, to the deregistration. A run of 10,000 images inspects
# them twice (20 per second), waits for reports, and deregisters five per second: less than three hours.
_DEREGISTERED_WITHIN = timedelta(hours=6)
# AWS refuses signed requests of a machine whose clock differs by more.
_CLOCK_SKEW = timedelta(minutes=15)


@dataclass(frozen=True)
class Tombstone:
    """The part of a tombstone that a restore needs.

    ``state`` is the image's when the tombstone was written. ``volume_permissions`` maps its snapshots to the
    accounts that could create volumes from them; ``deleted`` are the snapshots that would be deleted with it.
    ``platform`` is its PlatformDetails, such as ``Linux/UNIX``, empty if AWS omitted them.
    """

    ref: ImageRef
    account_id: str
    written_at: str
    stage: str
    state: str = "available"
    name: str = ""
    launch: Sharing = field(default_factory=Sharing)
    volume_permissions: Mapping[str, Sharing] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()
    devices: tuple[Device, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    deprecation_time: str | None = None
    product_codes: tuple[str, ...] = ()
    platform: str = ""


class ObjectFolder(NamedTuple):
    """The place of an image's tombstones in S3: the keys of the objects start with ``prefix``."""

    bucket: str
    prefix: str

    def key(self, written_at: datetime) -> str:
        """Return the key of the tombstone of that time; an image can have one of each stage."""
        return f"{self.prefix}{render_time(written_at)}.json"


@dataclass(frozen=True)
class TombstoneHistory:
    """The tombstones of one image, the oldest first."""

    tombstones: tuple[Tombstone, ...] = ()

    @property
    def last(self) -> Tombstone | None:
        """Return the newest tombstone."""
        return self.tombstones[-1] if self.tombstones else None

    @property
    def shared(self) -> Tombstone | None:
        """Return the newest tombstone with all of the image's launch permissions.

        A tombstone of a disabled image has none (EC2 API Reference, DisableImage). A tombstone from before
        they were all restored has the permissions that were added since the tombstone before it.
        """
        complete = None
        for tombstone in self.tombstones:
            if not has_lost_permissions(tombstone.state, tombstone.tags):
                complete = tombstone
            elif complete is not None and tombstone.state != "disabled":
                complete = _add_permissions(complete, tombstone)
        return complete

    def is_of_deregistration(self, binned_at: datetime | None) -> bool:
        """Whether the last tombstone is of the deregistration that moved the image to the Recycle Bin.

        Otherwise the image was deregistered by other means, and may have been changed since the tombstone.
        """
        written = parse_time(self.last.written_at) if self.last and self.last.stage == DEREGISTER else None
        if written is None or binned_at is None:
            return False
        return -_CLOCK_SKEW <= binned_at - written <= _DEREGISTERED_WITHIN

    @property
    def state(self) -> str:
        """Return the state in which the last stage left the image, or moved it to the Recycle Bin."""
        if self.last is None:
            return "available"
        return "disabled" if self.last.stage == DISABLE else self.last.state


def render_tombstone(state: CleanupState, decision: Decision) -> str:
    """Return the tombstone of an image to retire as one line of JSON, in the format above."""
    own, region = state.images[decision.ref], decision.ref.region
    usage = state.usage.get(decision.ref, ImageUsage())
    deleted = {snapshot.snapshot_id for snapshot in decision.snapshots if not snapshot.keep_reason}
    record = {
        "account_id": state.account_id,
        "family": decision.family,
        "image": dict(own.described),
        "image_id": decision.ref.image_id,
        "launch_permissions": usage.sharing.to_dict(),
        "name": own.image.name,
        "recoverable_until": render_time(decision.recoverable_until) if decision.recoverable_until else None,
        "region": region,
        "snapshots": [_record_snapshot(state, region, device, deleted) for device in own.image.devices],
        "stage": decision.kind,
        "tags": dict(own.image.tags),
        "written_at": render_time(state.now),
    }
    return json.dumps(record, sort_keys=True, default=str)


def name_parameter(path: str, ref: ImageRef) -> str:
    """Return the name of the parameter that holds an image's tombstone."""
    return f"{path.rstrip('/')}/{ref.region}/{ref.image_id}"


def find_object_folder(uri: str, ref: ImageRef) -> ObjectFolder:
    """Return the folder of an image's tombstones below ``s3://bucket/prefix``."""
    bucket, _slash, prefix = uri.removeprefix("s3://").partition("/")
    above = f"{prefix.rstrip('/')}/" if prefix else ""
    return ObjectFolder(bucket, f"{above}{ref.region}/{ref.image_id}/")


def add_bucket_owner_hint(failed: Failure) -> Failure:
    """Return the failure of a call of S3, with the bucket's owner as a further possible cause.

    S3 User Guide, "Verifying bucket ownership with bucket owner condition": so it answers for a bucket of
    another account than the expected one.
    """
    if failed.error_code != "AccessDenied":
        return failed
    hint = (
        "The bucket must belong to the account of the credentials, or to the account that "
        "tombstone_s3_bucket_owner names."
    )
    return replace(failed, remedy=f"{failed.remedy} {hint}")


def is_tombstone_parameter(path: str | None, name: str) -> bool:
    """Whether a parameter holds a tombstone below the path: it names an image, but is no use of it.

    ``name`` is the name or the ARN of a parameter in the home region. The ARN of ``/a/b`` ends with
    ``:parameter/a/b`` (Systems Manager User Guide, "Restricting access to Parameter Store parameters using
    IAM policies").
    """
    if path is None:
        return False
    _arn, is_arn, path_below = name.partition(":parameter/")
    below = rf"{re.escape(path.rstrip('/'))}/[a-z0-9-]+/ami-[0-9a-f]+"
    return re.fullmatch(below, f"/{path_below}" if is_arn else name) is not None


def read_tombstone(text: str) -> Tombstone | None:
    """Parse a tombstone; None if the text is none, such as an incomplete line of a killed run."""
    try:
        return _parse_record(json.loads(text))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def group_by_image(tombstones: Iterable[Tombstone]) -> dict[ImageRef, TombstoneHistory]:
    """Return the tombstones by image, without duplicates from several places."""
    by_time: dict[ImageRef, dict[tuple[str, str], Tombstone]] = {}
    for tombstone in tombstones:
        by_time.setdefault(tombstone.ref, {})[tombstone.written_at, tombstone.stage] = tombstone
    return {
        ref: TombstoneHistory(tuple(sorted(tombstones_of_image.values(), key=_sort_key)))
        for ref, tombstones_of_image in by_time.items()
    }


def _sort_key(tombstone: Tombstone) -> tuple[str, bool]:
    """Return the key that sorts tombstones by time; two runs can write both stages within a second."""
    return tombstone.written_at, tombstone.stage == DEREGISTER


def _add_permissions(tombstone: Tombstone, later: Tombstone) -> Tombstone:
    """Return a tombstone with the permissions of a later one added."""
    volume_permissions = {
        snapshot_id: tombstone.volume_permissions.get(snapshot_id, Sharing())
        | later.volume_permissions.get(snapshot_id, Sharing())
        for snapshot_id in {**tombstone.volume_permissions, **later.volume_permissions}
    }
    return replace(tombstone, launch=tombstone.launch | later.launch, volume_permissions=volume_permissions)


def _record_snapshot(state: CleanupState, region: str, device: Device, deleted: set[str]) -> dict[str, Any]:
    snapshot_id = device.snapshot_id or ""
    snapshot = state.regions[region].snapshots.get(snapshot_id)
    sharing = state.snapshot_usage.get(SnapshotRef(region, snapshot_id), SnapshotUsage()).sharing
    return {
        "deleted": snapshot_id in deleted,
        "description": snapshot.description if snapshot else "",
        "device_name": device.name,
        "encrypted": device.encrypted,
        "snapshot_id": device.snapshot_id,
        "tags": dict(snapshot.tags) if snapshot else {},
        "volume_permissions": {"account_ids": sorted(sharing.account_ids), "public": sharing.public},
    }


def _parse_record(record: Mapping[str, Any]) -> Tombstone:
    image, snapshots = record["image"], record["snapshots"]
    return Tombstone(
        ref=ImageRef(record["region"], record["image_id"]),
        account_id=record["account_id"],
        written_at=record["written_at"],
        stage=record["stage"],
        state=image["State"],
        name=record["name"],
        launch=Sharing.read(record["launch_permissions"]),
        volume_permissions={
            snapshot["snapshot_id"]: Sharing.read(snapshot["volume_permissions"])
            for snapshot in snapshots
            if snapshot["snapshot_id"]
        },
        deleted=frozenset(snapshot["snapshot_id"] for snapshot in snapshots if snapshot["deleted"]),
        devices=tuple(
            Device(snapshot["device_name"], snapshot["snapshot_id"], snapshot["encrypted"])
            for snapshot in snapshots
        ),
        tags=dict(record["tags"]),
        deprecation_time=image.get("DeprecationTime"),
        product_codes=tuple(product_code["ProductCodeId"] for product_code in image.get("ProductCodes", ())),
        platform=image.get("PlatformDetails", ""),
    )
