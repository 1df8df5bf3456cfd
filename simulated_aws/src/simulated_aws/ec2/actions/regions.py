# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeRegions."""

from __future__ import annotations

from typing import Any

from ..access import Caller
from ..errors import Ec2Error
from ..filters import Values, compile_filters
from ..regions import opt_in_status, partition_of, regions_of
from .registry import action


@action("DescribeRegions")
def describe_regions(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the Regions of the caller's partition: enabled ones, all, or those named."""
    known = regions_of(partition_of(caller.region) or "aws")
    names = params.get("RegionNames", [])
    for name in names:
        if name not in known:
            raise Ec2Error("InvalidParameterValue", f"Invalid region '{name}' provided.")
    statuses = {name: opt_in_status(name, caller.account_id) for name in known}
    filters = {**FILTERS, "opt-in-status": lambda name: (statuses[name],)}
    fits = compile_filters(params.get("Filters", []), filters, lambda _: {})
    every = params.get("AllRegions") or names
    regions = [
        {"RegionName": name, "Endpoint": _endpoint(name), "OptInStatus": statuses[name]}
        for name in names or known
        if (every or statuses[name] != "not-opted-in") and fits(name)
    ]
    return {"Regions": regions}


def _endpoint(region: str) -> str:
    suffix = ".cn" if region.startswith("cn-") else ""
    return f"ec2.{region}.amazonaws.com{suffix}"


# botocore shape DescribeRegionsRequest, Filters.
FILTERS: dict[str, Values[str]] = {
    "endpoint": lambda name: (_endpoint(name),),
    "opt-in-status": lambda name: (opt_in_status(name, ""),),
    "region-name": lambda name: (name,),
}
