# SPDX-License-Identifier: GPL-3.0-or-later
"""CreateSnapshot, CopySnapshot and DeleteSnapshot; AssociateKmsKeyId and DisassociateKmsKeyId."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from .. import recycle_bin, state
from ..access import Caller, own_snapshot, require_unused, visible_snapshot
from ..aws_backup import require_not_managed_by_backup
from ..encryption_keys import default_key, resolve
from ..errors import Ec2Error
from ..key_permissions import copy_failure
from ..state import Snapshot, Work
from ..tags import read_specifications, tag_set
from .copy_image import copy_duration
from .describe_snapshots import view
from .registry import action
from .snapshot_locks import require_unlocked


@action("CreateSnapshot")
def create_snapshot(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Create a snapshot of a volume in moto; it is completed at once.

    Unlike DescribeSnapshots, the response lists no tags as an empty list (EC2 Developer Guide, Use
    CreateSnapshot with a CLI: output of the first example).
    """
    tags = read_specifications(params, "snapshot")["snapshot"]
    snapshot = snapshot_volume(caller, params["VolumeId"], params.get("Description", ""), tags)
    return {**view(snapshot, caller.account_id), "Tags": tag_set(tags)}


@action("CopySnapshot")
def copy_snapshot(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Copy a snapshot into the Region of the request; it takes as long as a CopyImage.

    A key that can't be used makes the accepted copy fail (EBS User Guide, Copy an Amazon EBS snapshot).
    """
    tags = read_specifications(params, "snapshot")["snapshot"]
    source = visible_snapshot(Caller(caller.account_id, params["SourceRegion"]), params["SourceSnapshotId"])
    if source.state != "completed":
        raise Ec2Error("IncorrectState", f"Snapshot is in invalid state - {source.state}")
    wanted = params.get("Encrypted")
    if params.get("KmsKeyId") and not wanted:
        message = "The parameter KmsKeyId requires the parameter Encrypted to be set."
        raise Ec2Error("InvalidParameterDependency", message)
    key = None
    if wanted or source.encrypted or state.account_region(*caller).encryption_by_default:
        name = params.get("KmsKeyId")
        key = (resolve(caller, name) or name) if name else default_key(caller)
    now = state.now()
    failure = copy_failure(caller.account_id, (source,), key)
    snapshot = Snapshot(
        id=state.new_id("snap"),
        owner_id=caller.account_id,
        region=caller.region,
        volume_size=source.volume_size,
        volume_id=state.VOLUME_OF_COPIES,
        description=params.get("Description", ""),
        start_time=now,
        kms_key_id=key,
        tags=tags,
        state="pending",
        work=Work(now, copy_duration(caller.region), failure),
    )
    snapshot.settle(now)
    state.region(caller.region).snapshots[snapshot.id] = snapshot
    return {"SnapshotId": snapshot.id, "Tags": tag_set(tags) or None}


@action("DeleteSnapshot")
def delete_snapshot(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Delete a snapshot of the caller that is not locked and that no registered image uses."""
    snapshot = own_snapshot(caller, params["SnapshotId"])
    require_not_managed_by_backup(snapshot)
    require_unused(snapshot)
    require_unlocked(snapshot)
    recycle_bin.remove_snapshot(snapshot)
    return {}


@action("AssociateKmsKeyId")
def associate_kms_key_id(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Associate a key with an encrypted snapshot of the caller; AWS documents no codes of its errors."""
    snapshot = own_snapshot(caller, params["SnapshotId"])
    key = resolve(caller, params["KmsKeyId"])
    if not snapshot.encrypted or key is None or key in (snapshot.kms_key_id, *snapshot.associated_keys):
        raise Ec2Error("InvalidParameterValue", f"Key {params['KmsKeyId']} can't be associated")
    snapshot.associated_keys.append(key)
    return {"Return": True}


@action("DisassociateKmsKeyId")
def disassociate_kms_key_id(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Remove an associated key of a snapshot of the caller."""
    snapshot = own_snapshot(caller, params["SnapshotId"])
    key = resolve(caller, params["KmsKeyId"])
    if key is None or key not in snapshot.associated_keys:
        raise Ec2Error("InvalidParameterValue", f"Key {params['KmsKeyId']} is not associated")
    snapshot.associated_keys.remove(key)
    return {"Return": True}


def snapshot_volume(caller: Caller, volume_id: str, description: str, tags: dict[str, str]) -> Snapshot:
    """Create a snapshot of a volume in moto, with the same encryption."""
    volume = ec2_backends[caller.account_id][caller.region].get_volume(volume_id)
    key = volume.kms_key_id or (default_key(caller) if volume.encrypted else None)
    snapshot = Snapshot(
        id=state.new_id("snap"),
        owner_id=caller.account_id,
        region=caller.region,
        volume_size=volume.size,
        volume_id=volume.id,
        description=description,
        start_time=state.now(),
        kms_key_id=key,
        tags=dict(tags),
    )
    state.region(caller.region).snapshots[snapshot.id] = snapshot
    return snapshot
