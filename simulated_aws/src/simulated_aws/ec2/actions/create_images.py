# SPDX-License-Identifier: GPL-3.0-or-later
"""RegisterImage and CreateImage."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from .. import state
from ..access import Caller, own_snapshot
from ..errors import Ec2Error
from ..image_names import require_description, require_name, require_unused_name
from ..state import Device, Image, Snapshot
from ..tags import read_specifications
from .copy_image import visible_from
from .registry import action
from .snapshot_lifecycle import snapshot_volume


@action("RegisterImage")
def register_image(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Create an image from snapshots, or from a manifest in S3, which has an instance store root.

    Defaults are AWS's (botocore shape RegisterImageRequest). The manifest is not read.
    """
    _require_name_and_description(caller, params)
    tags = read_specifications(params, "image")
    root = params.get("RootDeviceName", "/dev/sda1")
    devices = tuple(_registered_device(caller, mapping) for mapping in params.get("BlockDeviceMappings", []))
    in_s3 = "ImageLocation" in params
    if not in_s3 and not any(device.device_name == root and device.snapshot_id for device in devices):
        message = f"The root device {root} must be mapped to a snapshot"
        raise Ec2Error("InvalidBlockDeviceMapping", message)
    image = _new_image(caller, params, devices, tags["image"])
    image.architecture = params.get("Architecture", "i386")
    image.root_device_name = root
    image.root_device_type = "instance-store" if in_s3 else "ebs"
    image.virtualization_type = params.get("VirtualizationType", "paravirtual")
    image.ena_support = params.get("EnaSupport", False)
    image.sriov_net_support = params.get("SriovNetSupport")
    image.boot_mode = params.get("BootMode")
    image.tpm_support = params.get("TpmSupport")
    image.imds_support = params.get("ImdsSupport")
    image.kernel_id = params.get("KernelId")
    image.ramdisk_id = params.get("RamdiskId")
    state.region(caller.region).images[image.id] = image
    return {"ImageId": image.id}


@action("CreateImage")
def create_image(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Create an image from an instance, and snapshots of its volumes. It is available at once."""
    _require_name_and_description(caller, params)
    tags = read_specifications(params, "image", "snapshot")
    instance = ec2_backends[caller.account_id][caller.region].get_instance(params["InstanceId"])
    given = {mapping["DeviceName"]: mapping for mapping in params.get("BlockDeviceMappings", [])}
    image = _new_image(caller, params, (), tags["image"])
    devices = []
    for name, attached in instance.get_block_device_mapping:
        mapping = given.pop(name, {})
        if "NoDevice" in mapping:
            continue
        description = f"Created by CreateImage({instance.id}) for {image.id}"
        snapshot = snapshot_volume(caller, attached.volume_id, description, tags["snapshot"])
        devices.append(_device(name, mapping.get("Ebs", {}), snapshot))
    added = (mapping for mapping in given.values() if "NoDevice" not in mapping)
    devices += [_registered_device(caller, mapping) for mapping in added]
    image.devices = tuple(devices)
    image.architecture = instance.architecture
    image.root_device_name = instance.root_device_name
    image.platform = instance.platform
    image.source_instance_id = instance.id
    source = state.region(caller.region).images.get(instance.image_id)
    if source:
        image.source_image_id, image.source_image_region = source.id, source.region
        image.product_codes = source.product_codes
        # botocore operation AttachImageWatermark.
        image.watermarks = source.watermarks
    state.region(caller.region).images[image.id] = image
    return {"ImageId": image.id}


def _require_name_and_description(caller: Caller, params: dict[str, Any]) -> None:
    require_name(params["Name"])
    require_description(params.get("Description"))
    require_unused_name(caller, params["Name"])


def _new_image(
    caller: Caller, params: dict[str, Any], devices: tuple[Device, ...], tags: dict[str, str]
) -> Image:
    now = state.now()
    return Image(
        id=state.new_id("ami"),
        owner_id=caller.account_id,
        region=caller.region,
        name=params["Name"],
        description=params.get("Description"),
        creation_date=now,
        devices=devices,
        tags=tags,
        visible_from=visible_from(now),
    )


def _registered_device(caller: Caller, mapping: dict[str, Any]) -> Device:
    name = mapping.get("DeviceName")
    if not name:
        raise Ec2Error("MissingParameter", "The request must contain the parameter DeviceName")
    if "VirtualName" in mapping:
        return Device(name, virtual_name=mapping["VirtualName"])
    ebs = mapping.get("Ebs", {})
    if "SnapshotId" not in ebs:
        return _device(name, ebs, None)
    if "Encrypted" in ebs:
        # botocore shape RegisterImageRequest, BlockDeviceMappings.
        message = "The encryption state of a volume created from a snapshot can't be specified"
        raise Ec2Error("InvalidBlockDeviceMapping", message)
    return _device(name, ebs, own_snapshot(caller, ebs["SnapshotId"]))


def _device(name: str, ebs: dict[str, Any], snapshot: Snapshot | None) -> Device:
    least = snapshot.volume_size if snapshot else 0
    size = ebs.get("VolumeSize", least)
    if not size or size < least:
        message = f"Volume of {size} GiB for {name} is too small, expect >= {max(least, 1)} GiB"
        raise Ec2Error("InvalidBlockDeviceMapping", message)
    return Device(
        device_name=name,
        snapshot_id=snapshot.id if snapshot else None,
        volume_size=size,
        volume_type=ebs.get("VolumeType", "gp2"),
        delete_on_termination=ebs.get("DeleteOnTermination", True),
        iops=ebs.get("Iops"),
        throughput=ebs.get("Throughput"),
        encrypted=snapshot.encrypted if snapshot else ebs.get("Encrypted", False),
    )
