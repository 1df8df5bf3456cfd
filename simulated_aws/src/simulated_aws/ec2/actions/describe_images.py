# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeImages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from moto.ec2.models import ec2_backends

from ...settings import SETTINGS
from .. import allowed_images, state
from ..access import Caller, grantees, organization_grantees, visible_tags
from ..errors import Ec2Error, image_not_found
from ..filters import Values, compile_filters
from ..ids import ACCOUNT_ID, require_image_id
from ..pagination import page
from ..permissions import effective_permissions
from ..serialization import timestamp
from ..state import PUBLIC, Device, Grantee, Image, ScanResults, Watermark
from ..tags import tag_set
from .registry import action

Test = Callable[[Image], bool]

ALIASES = frozenset({"amazon", "aws-backup-vault", "aws-marketplace"})


@action("DescribeImages")
def describe_images(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the images that the caller can see and that match the request."""
    now = state.now()
    candidates = _visible(caller, params, now)

    def tags(image: Image) -> dict[str, str]:
        return visible_tags(image, caller.account_id)

    def allowed(image: Image) -> Iterable[str]:
        value = allowed_images.shown(image, caller.account_id)
        return () if value is None else (boolean(value),)

    tests = [
        *_owner_tests(caller, params),
        *_executable_tests(caller, params),
        compile_filters(params.get("Filters", []), {**FILTERS, "image-allowed": allowed}, tags),
    ]
    fitting = (image for image in candidates if all(test(image) for test in tests))
    images, next_token = page(fitting, params, "ImageIds")
    views = [view(image, caller.account_id) for image in images]
    for image in images:
        _begin_to_settle(image, now)
    return {"NextToken": next_token, "Images": views}


def _begin_to_settle(image: Image, now: datetime) -> None:
    seconds = SETTINGS.image_settles_after_seconds
    if seconds and image.settled_from is None and image.state == "available" and image.source_image_id:
        image.settled_from = now + timedelta(seconds=seconds)


def view(image: Image, account_id: str) -> dict[str, Any]:
    """An image as this account sees it (botocore shape Image)."""
    shown: dict[str, Any] = {
        "ImageId": image.id,
        "ImageLocation": f"{image.owner_id}/{image.name}",
        "State": image.current_state(state.now()),
        "OwnerId": image.owner_id,
        "CreationDate": timestamp(image.creation_date),
        "Public": image.public,
        "Architecture": image.architecture,
        "ImageType": "machine",
        "KernelId": image.kernel_id,
        "RamdiskId": image.ramdisk_id,
        "Platform": image.platform,
        "PlatformDetails": image.platform_details,
        "UsageOperation": "RunInstances:0002" if image.platform else "RunInstances",
        "BlockDeviceMappings": [_device_view(image, device) for device in image.devices],
        "Description": image.description or None,
        "EnaSupport": image.ena_support,
        "Hypervisor": "xen",
        "Name": image.name,
        "RootDeviceName": image.root_device_name,
        "RootDeviceType": image.root_device_type,
        "SriovNetSupport": image.sriov_net_support,
        "VirtualizationType": image.virtualization_type,
        "BootMode": image.boot_mode,
        "TpmSupport": image.tpm_support,
        "ImdsSupport": image.imds_support,
        "SourceInstanceId": image.source_instance_id,
        "SourceImageId": image.source_image_id,
        "SourceImageRegion": image.source_image_region,
        "ImageAllowed": allowed_images.shown(image, account_id),
    }
    if image.state_reason:
        shown["StateReason"] = {"Code": image.state_reason.code, "Message": image.state_reason.message}
    if image.product_codes:
        shown["ProductCodes"] = [product_code(code) for code in image.product_codes]
    if image.supported_types or image.unsupported_types:
        shown["InstanceTypeSpecification"] = {
            "SupportedInstanceTypes": [{"InstanceType": one} for one in image.supported_types],
            "UnsupportedInstanceTypes": [{"InstanceType": one} for one in image.unsupported_types],
        }
    if image.watermarks:
        shown["ImageWatermarks"] = [watermark_view(one) for one in image.watermarks]
    if image.scan:
        shown["ScanResults"] = _scan_results(image.scan)
    if image.deprecation_time:
        shown["DeprecationTime"] = timestamp(image.deprecation_time)
    tags = visible_tags(image, account_id)
    if tags:
        shown["Tags"] = tag_set(tags)
    if image.owner_id == account_id:
        shown["DeregistrationProtection"] = image.deregistration_protection
        launched = image.last_launched(state.now())
        if launched:
            shown["LastLaunchedTime"] = timestamp(launched)
    return shown


def watermark_view(watermark: Watermark) -> dict[str, Any]:
    """A watermark of an image (botocore shape ImageWatermark)."""
    return {
        "WatermarkKey": watermark.key,
        "SourceImageRegion": watermark.source_region,
        "SourceImageId": watermark.source_image_id,
        "SourceImageCreationTime": watermark.source_created,
        "WatermarkCreationTime": watermark.created,
    }


def _scan_results(scan: ScanResults) -> dict[str, Any]:
    """Amazon Inspector's results, which every account that can use the image sees (shape ScanResults)."""
    return {
        "HighestFindingSeverityLabel": scan.highest_severity,
        "FindingScanDate": scan.scanned,
        **{f"{severity.title()}FixAvailableSince": since for severity, since in scan.fixes_since.items()},
    }


def product_code(code: str) -> dict[str, str]:
    """A product code; all are from AWS Marketplace."""
    return {"ProductCodeId": code, "ProductCodeType": "marketplace"}


def shown_snapshot(image: Image, device: Device) -> str | None:
    """The ID of a device's snapshot; None for a pending copy, unless a setting includes it."""
    if image.state == "pending" and not SETTINGS.pending_image_lists_snapshots:
        return None
    return device.snapshot_id


def _device_view(image: Image, device: Device) -> dict[str, Any]:
    if device.virtual_name:
        return {"DeviceName": device.device_name, "VirtualName": device.virtual_name}
    return {
        "DeviceName": device.device_name,
        "Ebs": {
            "DeleteOnTermination": device.delete_on_termination,
            "Iops": device.iops,
            "SnapshotId": shown_snapshot(image, device),
            "VolumeSize": device.volume_size,
            "VolumeType": device.volume_type,
            "Throughput": device.throughput,
            "Encrypted": device.encrypted,
        },
    }


def _visible(caller: Caller, params: dict[str, Any], now: datetime) -> Iterator[Image]:
    mine = grantees(caller.account_id)
    ids = params.get("ImageIds", [])
    for image_id in ids:
        require_image_id(image_id)
    known = state.region(caller.region).images
    chosen = [known[one] for one in dict.fromkeys(ids) if one in known] if ids else known.values()
    shown = [image for image in chosen if _shown(image, caller, params, mine, now)]
    if ids:
        missing = set(ids).difference(image.id for image in shown)
        missing = {one for one in missing if not _is_remembered(caller, one, now)}
        if missing:
            raise image_not_found(*(one for one in ids if one in missing))
    return iter(shown)


def _is_remembered(caller: Caller, image_id: str, now: datetime) -> bool:
    """Whether DescribeImages omits the ID of a deregistered image, instead of an error.

    So it is for its former owner for a while, and for an account until its instances of the image are
    terminated (botocore operation DescribeImages).
    """
    deregistered = state.region(caller.region).deregistered.get(image_id)
    if deregistered is None:
        return False
    until = deregistered.moment + timedelta(seconds=SETTINGS.deregistered_image_known_seconds)
    if deregistered.owner_id == caller.account_id and now < until:
        return True
    instances = ec2_backends[caller.account_id][caller.region].all_instances()
    return any(one.image_id == image_id and one.state != "terminated" for one in instances)


def _shown(
    image: Image, caller: Caller, params: dict[str, Any], mine: frozenset[Grantee], now: datetime
) -> bool:
    own = image.owner_id == caller.account_id
    if not own and mine.isdisjoint(effective_permissions(image)):
        return False
    if allowed_images.is_hidden(image, caller.account_id):
        return False
    if image.work:
        image.settle(now)
    if image.visible_from and now < image.visible_from:
        return False
    if image.state == "disabled" and not params.get("IncludeDisabled"):
        return False
    deprecated = image.deprecation_time is not None and image.deprecation_time <= now
    return own or not deprecated or bool(params.get("IncludeDeprecated") or params.get("ImageIds"))


def _owner_tests(caller: Caller, params: dict[str, Any]) -> Iterator[Test]:
    owners = params.get("Owners")
    if owners:
        ids = set(_account_ids(caller, owners, ALIASES))
        yield lambda image: image.owner_id in ids


def _executable_tests(caller: Caller, params: dict[str, Any]) -> Iterator[Test]:
    users = params.get("ExecutableUsers")
    if not users:
        return
    entries: set[Grantee] = {PUBLIC} if "all" in users else set()
    for account_id in _account_ids(caller, users, frozenset({"all"})):
        entries.add(Grantee("UserId", account_id))
        if account_id == caller.account_id:
            entries |= organization_grantees(account_id)
    yield lambda image: not entries.isdisjoint(image.permissions)


def _account_ids(caller: Caller, names: Iterable[str], others: frozenset[str]) -> Iterator[str]:
    for name in names:
        if name == "self":
            yield caller.account_id
        elif ACCOUNT_ID.fullmatch(name):
            yield name
        elif name not in others:
            raise Ec2Error("InvalidUserID.Malformed", f'Invalid user id: "{name}"')


def _one(look: Callable[[Image], str | None]) -> Values[Image]:
    def values(image: Image) -> Iterable[str]:
        value = look(image)
        return () if value is None else (value,)

    return values


def _of_devices(look: Callable[[Image, Device], object]) -> Values[Image]:
    def values(image: Image) -> Iterable[str]:
        found = (look(image, device) for device in image.devices if not device.virtual_name)
        return [boolean(one) if isinstance(one, bool) else str(one) for one in found if one is not None]

    return values


def _of_watermarks(look: Callable[[Watermark], str]) -> Values[Image]:
    return lambda image: [look(one) for one in image.watermarks]


def boolean(value: object) -> str:
    """A boolean in the format of filters."""
    return "true" if value else "false"


# botocore shape DescribeImagesRequest, Filters, without those for features that are not simulated.
FILTERS: dict[str, Values[Image]] = {
    "architecture": _one(lambda image: image.architecture),
    "block-device-mapping.delete-on-termination": _of_devices(lambda _, device: device.delete_on_termination),
    "block-device-mapping.device-name": lambda image: [device.device_name for device in image.devices],
    "block-device-mapping.encrypted": _of_devices(lambda _, device: device.encrypted),
    "block-device-mapping.snapshot-id": _of_devices(shown_snapshot),
    "block-device-mapping.volume-size": _of_devices(lambda _, device: device.volume_size),
    "block-device-mapping.volume-type": _of_devices(lambda _, device: device.volume_type),
    "boot-mode": _one(lambda image: image.boot_mode),
    "creation-date": _one(lambda image: timestamp(image.creation_date)),
    "description": _one(lambda image: image.description),
    "ena-support": _one(lambda image: boolean(image.ena_support)),
    "free-tier-eligible": lambda _: (),
    "hypervisor": lambda _: ("xen",),
    "image-id": _one(lambda image: image.id),
    "image-type": lambda _: ("machine",),
    "image-watermark.source-image-creation-time": _of_watermarks(lambda one: timestamp(one.source_created)),
    "image-watermark.source-image-id": _of_watermarks(lambda one: one.source_image_id),
    "image-watermark.source-image-region": _of_watermarks(lambda one: one.source_region),
    "image-watermark.watermark-creation-time": _of_watermarks(lambda one: timestamp(one.created)),
    "image-watermark.watermark-key": _of_watermarks(lambda one: one.key),
    "is-public": _one(lambda image: boolean(image.public)),
    "kernel-id": _one(lambda image: image.kernel_id),
    "manifest-location": _one(lambda image: f"{image.owner_id}/{image.name}"),
    "name": _one(lambda image: image.name),
    "owner-alias": lambda _: (),
    "owner-id": _one(lambda image: image.owner_id),
    "platform": _one(lambda image: image.platform),
    "product-code": lambda image: image.product_codes,
    "product-code.type": lambda image: ("marketplace",) if image.product_codes else (),
    "ramdisk-id": _one(lambda image: image.ramdisk_id),
    "root-device-name": _one(lambda image: image.root_device_name),
    "root-device-type": lambda image: (image.root_device_type,),
    "source-image-id": _one(lambda image: image.source_image_id),
    "source-image-region": _one(lambda image: image.source_image_region),
    "source-instance-id": _one(lambda image: image.source_instance_id),
    "sriov-net-support": _one(lambda image: image.sriov_net_support),
    "state": _one(lambda image: image.state),
    "state-reason-code": _one(lambda image: image.state_reason.code if image.state_reason else None),
    "state-reason-message": _one(lambda image: image.state_reason.message if image.state_reason else None),
    "virtualization-type": _one(lambda image: image.virtualization_type),
}
