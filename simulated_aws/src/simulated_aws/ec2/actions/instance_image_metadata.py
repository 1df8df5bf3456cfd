# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeInstanceImageMetadata: the image of each instance, whatever has become of the image since.

It has no parameter IncludeManagedResources, and whether it lists the instances that AWS services manage and
hide is not documented: here it does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from moto.ec2.models import ec2_backends

from .. import allowed_images, state
from ..access import Caller
from ..errors import Ec2Error
from ..filters import Values, compile_filters
from ..managed_resources import is_shown
from ..pagination import page
from ..serialization import timestamp
from ..state import Image
from ..tags import tag_set
from .describe_images import boolean, watermark_view
from .registry import action


@dataclass(frozen=True)
class Row:
    """An instance of moto, with its image, which is None if nothing is known of it."""

    serial: int
    instance: Any
    image: Image | None
    is_deregistered: bool
    account_id: str

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the instance."""
        return {tag["key"]: tag["value"] for tag in self.instance.get_tags()}


@action("DescribeInstanceImageMetadata")
def describe_instance_image_metadata(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the caller's instances with their images."""
    fits = compile_filters(params.get("Filters", []), FILTERS, lambda row: row.tags)
    rows, next_token = page(
        (row for row in _rows(caller, params.get("InstanceIds", [])) if fits(row)), params, "InstanceIds"
    )
    return {"NextToken": next_token, "InstanceImageMetadata": [_view(row) for row in rows]}


def _rows(caller: Caller, instance_ids: list[str]) -> Iterator[Row]:
    region = state.region(caller.region)
    known = [
        one
        for one in ec2_backends[caller.account_id][caller.region].all_instances()
        if is_shown(one, include_managed=False)
    ]
    for instance_id in instance_ids:
        if not any(one.id == instance_id for one in known):
            message = f"The instance ID '{instance_id}' does not exist"
            raise Ec2Error("InvalidInstanceID.NotFound", message)
    for serial, one in enumerate(known, start=1):
        if instance_ids and one.id not in instance_ids:
            continue
        image, gone = region.images.get(one.image_id), region.deregistered.get(one.image_id)
        yield Row(
            serial, one, gone.image if image is None and gone else image, image is None, caller.account_id
        )


def _view(row: Row) -> dict[str, Any]:
    """An instance and its image (botocore shape InstanceImageMetadata)."""
    instance = row.instance
    return {
        "InstanceId": instance.id,
        "InstanceType": instance.instance_type,
        "LaunchTime": instance.launch_time.replace(tzinfo=UTC),
        "AvailabilityZone": instance.placement.zone,
        "State": {"Code": instance.state_code, "Name": instance.state},
        "OwnerId": row.account_id,
        "Tags": tag_set(row.tags) or None,
        "ImageMetadata": _image_view(row),
        "Operator": getattr(instance, "operator", {"Managed": False}),
    }


def _image_view(row: Row) -> dict[str, Any]:
    image = row.image
    if image is None:
        return {"ImageId": row.instance.image_id}
    shown: dict[str, Any] = {
        "ImageId": image.id,
        "Name": image.name,
        "OwnerId": image.owner_id,
        "State": "deregistered" if row.is_deregistered else image.current_state(state.now()),
        "CreationDate": timestamp(image.creation_date),
        "ImageAllowed": allowed_images.shown(image, row.account_id),
        "IsPublic": image.public,
    }
    if image.deprecation_time:
        shown["DeprecationTime"] = timestamp(image.deprecation_time)
    if image.watermarks:
        shown["ImageWatermarks"] = [watermark_view(one) for one in image.watermarks]
    return shown


def _owner(row: Row) -> Iterable[str]:
    return () if row.image is None else (row.image.owner_id,)


def _allowed(row: Row) -> Iterable[str]:
    value = None if row.image is None else allowed_images.shown(row.image, row.account_id)
    return () if value is None else (boolean(value),)


# botocore shape DescribeInstanceImageMetadataRequest, Filters, without owner-alias and zone-id, which nothing
# here has.
FILTERS: dict[str, Values[Row]] = {
    "availability-zone": lambda row: (row.instance.placement.zone,),
    "image-allowed": _allowed,
    "instance-id": lambda row: (row.instance.id,),
    "instance-state-name": lambda row: (row.instance.state,),
    "instance-type": lambda row: (row.instance.instance_type,),
    "launch-time": lambda row: (timestamp(row.instance.launch_time.replace(tzinfo=UTC)),),
    "owner-id": _owner,
}
