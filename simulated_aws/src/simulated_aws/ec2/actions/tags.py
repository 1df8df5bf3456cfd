# SPDX-License-Identifier: GPL-3.0-or-later
"""CreateTags, DeleteTags and DescribeTags; moto stores tags of other resources than images and snapshots.

Those of images and snapshots in the Recycle Bin can be changed (EBS User Guide, Considerations for Recycle
Bin: general considerations). That DescribeTags lists them is a conclusion from the page Recover deleted AMIs
from the Recycle Bin: the console of the bin needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.ec2.models import ec2_backends, validate_resource_ids

from .. import recycle_bin, state
from ..access import Caller, own_image, own_snapshot
from ..errors import Ec2Error
from ..filters import Values, compile_filters
from ..ids import require_resource_id
from ..pagination import page
from ..state import Image, Snapshot
from ..tags import read_tags, require_room
from .registry import action

MOST_RESOURCES = 1000
"""Maximum per request (botocore shape CreateTagsRequest, Resources)."""


@action("CreateTags")
def create_tags(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Add tags to resources of the caller: to all of them, or to none if one is rejected."""
    wanted = read_tags(params["Tags"])
    ours, others = _resources(caller, params["Resources"])
    for resource in ours:
        require_room(resource.tags, wanted)
    if others:
        ec2_backends[caller.account_id][caller.region].create_tags(others, wanted)
    for resource in ours:
        resource.tags.update(wanted)
    return {}


@action("DeleteTags")
def delete_tags(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Remove tags from resources of the caller, by key and optionally value; all tags if none are given.

    (botocore shape DeleteTagsRequest, Tags: not those of AWS.)
    """
    ours, others = _resources(caller, params["Resources"])
    unwanted = {tag.get("Key", ""): tag.get("Value") for tag in params.get("Tags", [])}
    if any(key.lower().startswith("aws:") for key in unwanted):
        raise Ec2Error("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
    for resource in ours:
        resource.tags = {
            key: value
            for key, value in resource.tags.items()
            if key.startswith("aws:")
            or ("Tags" in params and (key not in unwanted or unwanted[key] not in (None, value)))
        }
    if others:
        ec2_backends[caller.account_id][caller.region].delete_tags(others, unwanted)
    return {}


@dataclass(frozen=True)
class TagRow:
    """A tag of a resource, as DescribeTags lists it."""

    serial: int
    resource_id: str
    resource_type: str
    key: str
    value: str


@action("DescribeTags")
def describe_tags(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the tags of the caller's resources that match the filters."""
    fits = compile_filters(params.get("Filters", []), FILTERS, lambda row: {row.key: row.value})
    rows, next_token = page((row for row in _rows(caller) if fits(row)), params, "Resources")
    tags = [
        {"ResourceId": row.resource_id, "ResourceType": row.resource_type, "Key": row.key, "Value": row.value}
        for row in rows
    ]
    return {"NextToken": next_token, "Tags": tags}


# botocore shape DescribeTagsRequest, Filters.
FILTERS: dict[str, Values[TagRow]] = {
    "key": lambda row: (row.key,),
    "resource-id": lambda row: (row.resource_id,),
    "resource-type": lambda row: (row.resource_type,),
    "value": lambda row: (row.value,),
}


def _resources(caller: Caller, ids: list[str]) -> tuple[list[Image | Snapshot], list[str]]:
    """The images and snapshots among the IDs, and the IDs of other resources; all must exist."""
    if len(ids) > MOST_RESOURCES:
        raise Ec2Error("InvalidParameterValue", f"At most {MOST_RESOURCES} resources per request")
    validate_resource_ids(ids)
    for one in ids:
        require_resource_id(one)
    ours: list[Image | Snapshot] = []
    others = []
    images, snapshots = recycle_bin.images(*caller), recycle_bin.snapshots(*caller)
    for one in ids:
        if one.startswith("ami-"):
            ours.append(images[one].resource if one in images else own_image(caller, one))
        elif one.startswith("snap-"):
            ours.append(snapshots[one].resource if one in snapshots else own_snapshot(caller, one))
        else:
            others.append(one)
    if others:
        ec2_backends[caller.account_id][caller.region].do_resources_exist(others)
    return ours, others


def _rows(caller: Caller) -> Iterator[TagRow]:
    region = state.region(caller.region)
    images = [*region.images.values(), *(one.resource for one in recycle_bin.images(*caller).values())]
    snapshots = [
        *region.snapshots.values(),
        *(one.resource for one in recycle_bin.snapshots(*caller).values()),
    ]
    of_kind: dict[str, list[Image] | list[Snapshot]] = {"image": images, "snapshot": snapshots}
    found = [
        (one.id, kind, key, value)
        for kind, resources in of_kind.items()
        for one in resources
        if one.owner_id == caller.account_id
        for key, value in one.tags.items()
    ]
    others = ec2_backends[caller.account_id][caller.region].describe_tags()
    found += [(tag["resource_id"], tag["resource_type"], tag["key"], tag["value"]) for tag in others]
    return (TagRow(serial, *row) for serial, row in enumerate(found, start=1))
