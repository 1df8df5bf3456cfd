# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeImageAttribute, ModifyImageAttribute, ResetImageAttribute, CancelImageLaunchPermission."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...settings import SETTINGS
from .. import state
from ..access import Caller, own_available_image, own_image, visible_image
from ..encryption_keys import is_aws_managed
from ..errors import Ec2Error, image_not_found, invalid_value, missing_parameter
from ..image_names import require_description
from ..permissions import (
    IMAGE_LISTS,
    Change,
    permissions_to_read,
    read_change,
    replace_permissions,
    require_valid,
)
from ..serialization import timestamp
from ..state import PUBLIC, Grantee, Image
from .describe_images import product_code
from .registry import action

MOST_USER_IDS = 10_000
"""Maximum of account IDs per request (EC2 User Guide, Share an AMI with specific accounts)."""


def _last_launched(image: Image) -> str | None:
    launched = image.last_launched(state.now())
    return timestamp(launched) if launched else None


# For attributes with one value: attribute of the request to (member of the response, value).
_VALUES: dict[str, tuple[str, Callable[[Image], str | None]]] = {
    "bootMode": ("BootMode", lambda image: image.boot_mode),
    "deregistrationProtection": ("DeregistrationProtection", lambda image: image.deregistration_protection),
    "description": ("Description", lambda image: image.description),
    "imdsSupport": ("ImdsSupport", lambda image: image.imds_support),
    "kernel": ("KernelId", lambda image: image.kernel_id),
    "lastLaunchedTime": ("LastLaunchedTime", _last_launched),
    "ramdisk": ("RamdiskId", lambda image: image.ramdisk_id),
    "sriovNetSupport": ("SriovNetSupport", lambda image: image.sriov_net_support),
    "tpmSupport": ("TpmSupport", lambda image: image.tpm_support),
    "uefiData": ("UefiData", lambda _: None),
}


@action("DescribeImageAttribute")
def describe_image_attribute(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Describe an attribute of an image of the caller."""
    attribute = params["Attribute"]
    image = own_image(caller, params["ImageId"])
    if attribute == "launchPermission":
        permissions = [{kind: value} for kind, value in permissions_to_read(image, _delay())]
        return {"ImageId": image.id, "LaunchPermissions": permissions}
    if attribute == "productCodes":
        return {"ImageId": image.id, "ProductCodes": [product_code(code) for code in image.product_codes]}
    if attribute == "blockDeviceMapping":
        # botocore shape DescribeImageAttributeRequest, Attribute.
        raise Ec2Error("AuthFailure", "Unauthorized attempt to access restricted resource", 403)
    if attribute not in _VALUES:
        raise invalid_value("attribute", attribute)
    member, value_of = _VALUES[attribute]
    value = value_of(image)
    return {"ImageId": image.id, member: {} if value is None else {"Value": value}}


@action("ModifyImageAttribute")
def modify_image_attribute(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Change an attribute of an image of the caller; the image must be available."""
    image = own_available_image(caller, params["ImageId"])
    attribute = _attribute(params)
    if attribute == "description":
        description = params.get("Description", {}).get("Value", params.get("Value", ""))
        require_description(description)
        image.description = description
    elif attribute == "imdsSupport":
        value = params.get("ImdsSupport", {}).get("Value", params.get("Value"))
        if value != "v2.0":
            raise invalid_value("imdsSupport", value, "Expected v2.0.")
        image.imds_support = value
    else:
        _share(image, read_change(params, "LaunchPermission", IMAGE_LISTS))
    return {}


@action("ResetImageAttribute")
def reset_image_attribute(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Remove all launch permissions."""
    image = own_available_image(caller, params["ImageId"])
    if params["Attribute"] != "launchPermission":
        raise invalid_value("attribute", params["Attribute"], "Only launchPermission can be reset.")
    replace_permissions(image, {}, _delay())
    return {}


@action("CancelImageLaunchPermission")
def cancel_image_launch_permission(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Remove the caller's account from the launch permissions; organizations, OUs and `all` stay.

    EC2 User Guide, Cancel having an AMI shared with your account; for the error cloud-custodian#8728.
    """
    image = visible_image(caller, params["ImageId"])
    entry = Grantee("UserId", caller.account_id)
    if entry not in image.permissions:
        raise image_not_found(image.id)
    replace_permissions(image, {one: None for one in image.permissions if one != entry}, _delay())
    return {"Return": True}


def _attribute(params: dict[str, Any]) -> str:
    by_parameter = {
        "Description": "description",
        "ImdsSupport": "imdsSupport",
        "LaunchPermission": "launchPermission",
    }
    named = {attribute for parameter, attribute in by_parameter.items() if parameter in params}
    # AWS accepts `Description` and `LaunchPermission` too: amazon.aws.ec2_ami sends them.
    named |= {_first_lower(params["Attribute"])} if "Attribute" in params else set()
    if not named and "OperationType" in params:
        named = {"launchPermission"}
    if not named:
        raise missing_parameter("Attribute")
    if len(named) > 1:
        message = "You can specify only one attribute at a time"
        raise Ec2Error("InvalidParameterCombination", message)
    attribute = named.pop()
    if attribute not in by_parameter.values():
        raise invalid_value("attribute", attribute)
    return attribute


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _share(image: Image, change: Change) -> None:
    accounts = sum(entry.kind == "UserId" for entry in change.entries)
    if accounts > MOST_USER_IDS:
        raise invalid_value("UserId", f"{accounts} ids", f"At most {MOST_USER_IDS} account ids per request.")
    require_valid(change.entries)
    after = change.apply(image.permissions)
    if change.adds:
        _require_shareable(image)
        if PUBLIC in change.entries:
            _require_publishable(image)
        entities = sum(entry != PUBLIC for entry in after)
        if entities > SETTINGS.image_sharing_quota:
            message = (
                f"AMI {image.id} can be shared with at most {SETTINGS.image_sharing_quota} entities, "
                f"and this request would make it {entities}"
            )
            raise Ec2Error("ResourceLimitExceeded", message)
    replace_permissions(image, after, _delay())
    if image.public:
        _deprecate_public(image)


def _deprecate_public(image: Image) -> None:
    """Set the deprecation of a public image, two years after its creation.

    (EC2 User Guide, Deprecate an Amazon EC2 AMI.) That an earlier date stays is a guess.
    """
    last = image.creation_date + state.LONGEST_PUBLIC_DEPRECATION
    image.deprecation_time = min(image.deprecation_time or last, last)


def _require_shareable(image: Image) -> None:
    snapshots = state.region(image.region).snapshots
    keys = {snapshots[one].kms_key_id for one in image.snapshot_ids}
    if any(key and is_aws_managed(key) for key in keys):
        message = "Snapshots encrypted with the AWS Managed CMK can't be shared"
        raise Ec2Error("InvalidParameter", message)


def _require_publishable(image: Image) -> None:
    """EC2 User Guide, Make your AMI publicly available: considerations; the codes are conclusions.

    For watermarks: Use AMI watermarks to track and identify AMIs. The message of the quota is AWS's
    (iterative/studio-selfhosted#90).
    """
    if image.product_codes:
        raise Ec2Error("InvalidParameter", "Images with AWS Marketplace product codes cannot be made public")
    if any(device.encrypted for device in image.devices):
        raise Ec2Error("InvalidParameter", "Images with encrypted snapshots cannot be made public")
    if image.watermarks:
        raise Ec2Error(
            "OperationNotPermitted", f"The AMI {image.id} has a watermark and cannot be made public"
        )
    if image.public:
        return
    if state.account_region(image.owner_id, image.region).image_block_public_access != "unblocked":
        message = (
            "You can't publicly share this image because block public access for AMIs is enabled for this "
            "account. To publicly share the image, you must call the DisableImageBlockPublicAccess API."
        )
        raise Ec2Error("OperationNotPermitted", message)
    images = state.region(image.region).images.values()
    public = sum(one.public for one in images if one.owner_id == image.owner_id)
    if public >= SETTINGS.public_image_quota:
        message = (
            f"You have reached your quota of {SETTINGS.public_image_quota} for the number of public images "
            "allowed in this Region. Deregister unused public images or make them private, or request an "
            "increase in your public AMIs quota."
        )
        raise Ec2Error("ResourceLimitExceeded", message)


def _delay() -> float:
    return SETTINGS.launch_permissions_visible_after_seconds
