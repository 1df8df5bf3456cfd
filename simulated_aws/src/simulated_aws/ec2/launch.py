# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the image of a launch, its block devices, and the result of an accepted launch."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.instances import Instance, StateReason
from moto.ssm.exceptions import ParameterVersionNotFound

from ..exceptions import NotSimulated
from ..ssm import image_validation, shared_parameters
from . import state, volume_grants
from .access import Caller, is_shared_with, may_use_snapshot, visible_image
from .deferred_checks import LAUNCH_CHECKS, LaunchAttempt, first_failure
from .errors import Ec2Error, image_unavailable, missing_parameter
from .instances import start
from .state import Device, Image

_PARAMETER = "resolve:ssm:"


def launchable_image(caller: Caller, image_id: str | None) -> Image:
    """The image of a launch, by ID or `resolve:ssm:` with a parameter's name or ARN.

    It must be visible to the caller and available.
    """
    if not image_id:
        raise missing_parameter("ImageId")
    if image_id.startswith(_PARAMETER):
        image_id = _parameter(caller, image_id.removeprefix(_PARAMETER))
    with state.LOCK:
        _require_permission(caller, image_id)
        image = visible_image(caller, image_id)
        if image.state != "available":
            raise image_unavailable(image.id, image.state)
        return image


def _require_permission(caller: Caller, image_id: str) -> None:
    """Reject an image without launch permission with the code that EC2 has for it, unlike DescribeImages.

    Reported from real launches: Orange-Cyberdefense/GOAD#304, hashicorp/otto#68. An image that does not exist
    is InvalidAMIID.NotFound (EC2 API Reference, Error codes).
    """
    image = state.region(caller.region).images.get(image_id)
    if image is not None and not is_shared_with(image, caller.account_id):
        raise Ec2Error("AuthFailure", f"Not authorized for images: [{image_id}]")


def device_mappings(
    caller: Caller, image: Image, requested: list[dict[str, Any]] | None
) -> list[dict[str, Any]]:
    """The block devices of a new instance: the image's, with the changes and additions of the request.

    A launch of a shared image needs no permission for its snapshots (EC2 User Guide, Share an AMI with
    specific accounts); only size and encryption of such snapshots are used.

    A mapping to an instance store volume (VirtualName) is no volume, and AWS ignores it for the NVMe ones
    (botocore shape BlockDeviceMapping, VirtualName).
    """
    mappings = {
        device.device_name: _mapping(caller, image, device) for device in image.devices if device.volume_size
    }
    for one in requested or []:
        if one.get("VirtualName"):
            mappings.pop(one["DeviceName"], None)
            continue
        _require_fitting(image, one)
        former = mappings.get(one["DeviceName"], {})
        changed = {name: value for name, value in one.get("Ebs", {}).items() if value is not None}
        mappings[one["DeviceName"]] = {**one, "Ebs": {**former.get("Ebs", {}), **changed}}
    for one in mappings.values():
        if one.get("NoDevice") is None and not one["Ebs"].keys() & {"VolumeSize", "SnapshotId"}:
            raise missing_parameter("size or snapshotId")
    return list(mappings.values())


def _require_fitting(image: Image, mapping: dict[str, Any]) -> None:
    """Reject another snapshot on the root device, and a volume that is smaller than its snapshot.

    AWS documents the code (EC2 API Reference, Error codes: InvalidBlockDeviceMapping) but not the messages.
    Both are reported from real launches: "snapshotId cannot be modified on root device" (OpenStack ec2-api
    repeats code and message), and a volume smaller than its snapshot (scylladb/scylladb#6999).
    """
    name, ebs = mapping["DeviceName"], mapping.get("Ebs") or {}
    own = next((device.snapshot_id for device in image.devices if device.device_name == name), None)
    snapshot_id = ebs.get("SnapshotId") or own
    if name == image.root_device_name and snapshot_id != own:
        raise Ec2Error("InvalidBlockDeviceMapping", "snapshotId cannot be modified on root device")
    snapshot = state.region(image.region).snapshots.get(snapshot_id or "")
    size = ebs.get("VolumeSize")
    if snapshot and size and int(size) < snapshot.volume_size:
        message = (
            f"Volume of size {size}GB is smaller than snapshot '{snapshot.id}', "
            f"expect size >= {snapshot.volume_size}GB"
        )
        raise Ec2Error("InvalidBlockDeviceMapping", message)


def require_encrypted_root(caller: Caller, image: Image, requested: list[dict[str, Any]] | None) -> None:
    """Reject a hibernating instance whose root volume would not be encrypted.

    Code and message are reported from a real launch (apache/airflow#35790). EC2 User Guide, Prerequisites for
    EC2 instance hibernation, Root volume encryption: the image's, the request's, or encryption by default.
    """
    mappings = device_mappings(caller, image, requested)
    root = next((one for one in mappings if one["DeviceName"] == image.root_device_name), {})
    if not root.get("Ebs", {}).get("Encrypted") and not state.account_region(*caller).encryption_by_default:
        message = "For hibernation, the root device volume must be encrypted."
        raise Ec2Error("UnsupportedHibernationConfiguration", message)


def require_uefi(image: Image) -> None:
    """Reject a launch with AMD SEV-SNP of an image that does not boot by UEFI.

    EC2 User Guide, AMD SEV-SNP for Amazon EC2 instances, Requirements; code and message are a guess.
    """
    if image.boot_mode not in ("uefi", "uefi-preferred"):
        message = "AMD SEV-SNP requires an AMI with the boot mode uefi or uefi-preferred."
        raise Ec2Error("InvalidParameterCombination", message)


def require_reserved_capacity(
    caller: Caller, image: Image, instance_type: str | None, wanted: dict[str, Any]
) -> None:
    """Reject a launch that only a reservation with other attributes could take.

    EC2 User Guide, Launch instances into an existing Capacity Reservation: type and platform must match. Code
    and message are reported for another type (hashicorp/terraform-provider-aws#32458).
    """
    target = wanted.get("CapacityReservationTarget") or {}
    if target.get("CapacityReservationResourceGroupArn"):
        raise NotSimulated("parameter CapacityReservationResourceGroupArn")
    named = target.get("CapacityReservationId")
    if not named and wanted.get("CapacityReservationPreference") != "capacity-reservations-only":
        return
    reservations = state.account_region(*caller).capacity_reservations.values()
    attributes = (instance_type, image.platform_details)
    if not any(
        named in (None, one.id) and (one.instance_type, one.platform) == attributes for one in reservations
    ):
        raise Ec2Error(
            "ReservationCapacityExceeded",
            "The requested reservation does not have sufficient compatible and available capacity for this "
            "request.",
        )


def _mapping(caller: Caller, image: Image, device: Device) -> dict[str, Any]:
    snapshot = state.region(image.region).snapshots.get(device.snapshot_id or "")
    ebs = {
        "VolumeSize": device.volume_size,
        # moto can't set the IOPS, which io1 and io2 need, for volumes of a new instance.
        "VolumeType": "gp3" if device.iops else device.volume_type,
        "DeleteOnTermination": device.delete_on_termination,
        "Encrypted": device.encrypted,
    }
    if snapshot and may_use_snapshot(snapshot, caller.account_id):
        ebs["SnapshotId"] = snapshot.id
    return {"DeviceName": device.device_name, "Ebs": ebs}


def finish_launch(caller: Caller, image: Image, instance: Instance) -> None:
    """Start the instance, or terminate it if a deferred check fails, as EC2 does if it can't use a key."""
    known = state.region(caller.region).snapshots
    snapshots = tuple(known[one] for one in image.snapshot_ids)
    attempt = LaunchAttempt(*caller, image, snapshots, _volume_keys(instance))
    reason = first_failure(LAUNCH_CHECKS, attempt)
    if reason:
        instance.terminate()
        instance._reason = "Server.InternalError"
        instance.state_reason = StateReason(reason.message, reason.code)
    else:
        start(instance)
        partition = instance.ec2_backend.partition
        volume_grants.create(caller.account_id, partition, instance.id, _volume_keys(instance))


def _volume_keys(instance: Instance) -> dict[str, str]:
    attached = (block.volume_id for _, block in instance.get_block_device_mapping)
    volumes = (instance.ec2_backend.volumes[volume_id] for volume_id in attached)
    return {volume.id: volume.kms_key_id for volume in volumes if volume.kms_key_id}


def _parameter(caller: Caller, name: str) -> str:
    image_validation.settle(caller)
    try:
        if shared_parameters.owner_of(name):
            parameter = shared_parameters.readable(caller, name)
        else:
            parameter = image_validation.backend(caller).get_parameter(name)
    except ParameterVersionNotFound:
        parameter = None
    if parameter is None:
        raise Ec2Error("InvalidParameterValue", f"The parameter {name} could not be resolved")
    return str(parameter.value)
