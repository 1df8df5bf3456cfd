# SPDX-License-Identifier: GPL-3.0-or-later
"""ListImagesInRecycleBin, RestoreImageFromRecycleBin, the same for snapshots, and ListVolumesInRecycleBin.

AWS documents no error codes for these: the codes for missing ids and for a restore that is too early are
guesses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import recycle_bin, state
from ..access import Caller
from ..errors import Ec2Error, image_not_found, invalid_value, snapshot_not_found
from ..ids import require_image_id, require_snapshot_id
from ..pagination import FEWEST, page
from ..state import Binned, Image, Snapshot
from .describe_snapshots import progress
from .registry import action

MOST_IMAGE_IDS = 20
"""Maximum per request (botocore shape ListImagesInRecycleBinRequest, ImageIds)."""
MOST_VOLUMES = 500
"""Maximum of a page (botocore shape ListVolumesInRecycleBinRequest, MaxResults: 5 - 500)."""


@action("ListImagesInRecycleBin")
def list_images_in_recycle_bin(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the caller's images in the Recycle Bin, all or those named."""
    binned = recycle_bin.images(*caller)
    ids = params.get("ImageIds", [])
    if len(ids) > MOST_IMAGE_IDS:
        raise invalid_value("imageIds", f"{len(ids)} ids", f"At most {MOST_IMAGE_IDS} per request.")
    for image_id in ids:
        _binned_image(binned, image_id)
    chosen = (one for key, one in binned.items() if not ids or key in ids)
    images, next_token = page(chosen, params, "ImageIds")
    return {
        "NextToken": next_token,
        "Images": [
            {
                "ImageId": one.resource.id,
                "Name": one.resource.name,
                "Description": one.resource.description or None,
                "RecycleBinEnterTime": one.entered,
                "RecycleBinExitTime": one.exits,
            }
            for one in images
        ],
    }


@action("ListSnapshotsInRecycleBin")
def list_snapshots_in_recycle_bin(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the caller's snapshots in the Recycle Bin, all or those named."""
    binned = recycle_bin.snapshots(*caller)
    ids = params.get("SnapshotIds", [])
    for snapshot_id in ids:
        _binned_snapshot(binned, snapshot_id)
    chosen = (one for key, one in binned.items() if not ids or key in ids)
    snapshots, next_token = page(chosen, params, "SnapshotIds")
    return {
        "NextToken": next_token,
        "Snapshots": [
            {
                "SnapshotId": one.resource.id,
                "RecycleBinEnterTime": one.entered,
                "RecycleBinExitTime": one.exits,
                "Description": one.resource.description,
                "VolumeId": one.resource.volume_id,
            }
            for one in snapshots
        ],
    }


@action("ListVolumesInRecycleBin")
def list_volumes_in_recycle_bin(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the caller's volumes in the Recycle Bin, all or those named.

    The answer has no key, as with snapshots (botocore shape VolumeRecycleBinInfo).
    """
    binned = recycle_bin.volumes(caller)
    ids = params.get("VolumeIds", [])
    missing = set(ids) - binned.keys()
    if missing:
        raise Ec2Error("InvalidVolume.NotFound", f"The volume '{min(missing)}' does not exist.")
    size = params.get("MaxResults")
    if size is not None and not FEWEST <= size <= MOST_VOLUMES:
        raise invalid_value("maxResults", size, f"Expecting a value from {FEWEST} to {MOST_VOLUMES}.")
    chosen = (one for key, one in binned.items() if not ids or key in ids)
    volumes, next_token = page(chosen, params, "VolumeIds")
    return {
        "NextToken": next_token,
        "Volumes": [
            {
                "VolumeId": one.volume.id,
                "VolumeType": one.volume.volume_type,
                "Size": one.volume.size,
                "AvailabilityZone": one.volume.zone.name,
                "SnapshotId": one.volume.snapshot_id,
                "RecycleBinEnterTime": one.entered,
                "RecycleBinExitTime": one.exits,
            }
            for one in volumes
        ],
    }


@action("RestoreImageFromRecycleBin")
def restore_image_from_recycle_bin(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Restore an image of the caller; its snapshots must be restored first.

    (EBS User Guide, Considerations for Recycle Bin: considerations for AMIs.)
    """
    image = _binned_image(recycle_bin.images(*caller), params["ImageId"])
    existing = state.region(caller.region).snapshots
    for snapshot_id in image.snapshot_ids:
        if snapshot_id not in existing or existing[snapshot_id].state != "completed":
            message = f"The snapshot {snapshot_id} of {image.id} must be restored and completed first"
            raise Ec2Error("IncorrectState", message)
    recycle_bin.restore_image(image)
    return {"Return": True}


@action("RestoreSnapshotFromRecycleBin")
def restore_snapshot_from_recycle_bin(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Restore a snapshot of the caller."""
    snapshot = _binned_snapshot(recycle_bin.snapshots(*caller), params["SnapshotId"])
    recycle_bin.restore_snapshot(snapshot)
    return {
        "SnapshotId": snapshot.id,
        "Description": snapshot.description,
        "Encrypted": snapshot.encrypted,
        "OwnerId": snapshot.owner_id,
        "Progress": progress(snapshot),
        "StartTime": snapshot.start_time,
        "State": snapshot.state,
        "VolumeId": snapshot.volume_id,
        "VolumeSize": snapshot.volume_size,
    }


def _binned_image(binned: Mapping[str, Binned[Image]], image_id: str) -> Image:
    require_image_id(image_id)
    if image_id not in binned:
        raise image_not_found(image_id)
    return binned[image_id].resource


def _binned_snapshot(binned: Mapping[str, Binned[Snapshot]], snapshot_id: str) -> Snapshot:
    require_snapshot_id(snapshot_id)
    if snapshot_id not in binned:
        raise snapshot_not_found(snapshot_id)
    return binned[snapshot_id].resource
