# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeInstanceTypes, and ReplaceImageInstanceTypeSpecification."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS, INSTANCE_TYPES

from ..access import Caller, own_image
from ..errors import Ec2Error, invalid_value
from ..filters import Values, compile_filters
from ..pagination import page
from .registry import action

MOST_TYPES = 100
"""Maximum of entries in each list (botocore shape InstanceTypeSpecificationRequest)."""
MOST_DESCRIBED = 100
"""Maximum of a page and of the named types (botocore shapes DITMaxResults, RequestInstanceTypeList)."""
_PATTERN = re.compile(r"[A-Za-z0-9_.*-]{1,24}")


class _Listed(NamedTuple):
    """A type with its position."""

    serial: int
    info: dict[str, Any]


@action("DescribeInstanceTypes")
def describe_instance_types(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the types that the Region offers: all, those named, or those that match the filters."""
    offered = _offered(caller.region)
    names = params.get("InstanceTypes", [])
    size = params.setdefault("MaxResults", MOST_DESCRIBED) if not names else params.get("MaxResults")
    if len(names) > MOST_DESCRIBED or (size or 0) > MOST_DESCRIBED:
        raise invalid_value("maxResults", size, f"At most {MOST_DESCRIBED}.")
    if unknown := [name for name in names if name not in INSTANCE_TYPES]:
        message = f"The following supplied instance types do not exist: [{', '.join(unknown)}]"
        raise Ec2Error("InvalidInstanceType", message)
    fits = compile_filters(params.get("Filters", []), FILTERS, lambda _: {})
    found = [
        _Listed(serial, info)
        for serial, info in enumerate(map(_info, offered), start=1)
        if (not names or info["InstanceType"] in names) and fits(info)
    ]
    shown, token = page(found, params, "InstanceTypes")
    return {"InstanceTypes": [one.info for one in shown], "NextToken": token}


def _info(name: str) -> dict[str, Any]:
    """What launches, and choices of types, depend on (botocore shape InstanceTypeInfo)."""
    known = INSTANCE_TYPES[name]
    members = (
        "InstanceType",
        "BareMetal",
        "BurstablePerformanceSupported",
        "CurrentGeneration",
        "Hypervisor",
    )
    return {
        **{member: known.get(member) for member in members},
        "MemoryInfo": {"SizeInMiB": known["MemoryInfo"]["SizeInMiB"]},
        "NetworkInfo": {"EnaSupport": known["NetworkInfo"]["EnaSupport"]},
        "NitroTpmSupport": known["NitroTpmSupport"],
        "ProcessorInfo": {"SupportedArchitectures": known["ProcessorInfo"]["SupportedArchitectures"]},
        "SupportedBootModes": known["SupportedBootModes"],
        "SupportedRootDeviceTypes": known["SupportedRootDeviceTypes"],
        "SupportedVirtualizationTypes": known["SupportedVirtualizationTypes"],
        "VCpuInfo": {"DefaultVCpus": known["VCpuInfo"]["DefaultVCpus"]},
    }


@lru_cache
def _offered(region: str) -> tuple[str, ...]:
    """The types that a Region offers; moto knows no offerings of some Regions."""
    listed = INSTANCE_TYPE_OFFERINGS["region"].get(region, ())
    names = {one["InstanceType"] for one in listed} & INSTANCE_TYPES.keys()
    return tuple(sorted(names or INSTANCE_TYPES))


# botocore shape DescribeInstanceTypesRequest, Filters.
FILTERS: dict[str, Values[dict[str, Any]]] = {
    "instance-type": lambda info: (info["InstanceType"],),
    "processor-info.supported-architecture": lambda info: info["ProcessorInfo"]["SupportedArchitectures"],
    "supported-boot-mode": lambda info: info["SupportedBootModes"],
}


@action("ReplaceImageInstanceTypeSpecification")
def replace_image_instance_type_specification(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Set the instance types that an image of the caller supports; without a specification, remove it."""
    image = own_image(caller, params["ImageId"])
    if image.product_codes:
        raise Ec2Error("UnsupportedOperation", f"The AMI '{image.id}' is listed in AWS Marketplace.")
    wanted = params.get("InstanceTypeSpecification") or {}
    lists = [tuple(wanted.get(key, [])) for key in ("SupportedInstanceTypes", "UnsupportedInstanceTypes")]
    _require_valid(lists)
    image.supported_types, image.unsupported_types = lists
    return {"ReturnValue": True}


def _require_valid(lists: list[tuple[str, ...]]) -> None:
    """The constraints of botocore shape InstanceTypeSpecificationRequest; the error codes are a guess."""
    named = [one for types in lists for one in types]
    for one in named:
        if not _PATTERN.fullmatch(one) or "**" in one or named.count(one) > 1:
            raise invalid_value("InstanceType", one)
    if any(len(types) > MOST_TYPES for types in lists):
        raise invalid_value("InstanceType", f"{len(named)} entries", f"At most {MOST_TYPES} in each list.")
