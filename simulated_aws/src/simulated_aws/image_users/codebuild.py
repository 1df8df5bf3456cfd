# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets of CodeBuild, which moto lacks (botocore shape Fleet)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from ..ec2.access import Caller
from ..ec2.regions import partition_of
from .operations import Operation, page, resources


def create_fleet(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Create a fleet, which is active at once."""
    partition, name, identifier = partition_of(caller.region) or "aws", params["name"], str(uuid.uuid4())
    arn = f"arn:{partition}:codebuild:{caller.region}:{caller.account_id}:fleet/{name}:{identifier}"
    members = ("baseCapacity", "environmentType", "computeType", "imageId")
    fleet = {
        "arn": arn,
        "name": name,
        "id": identifier,
        "status": {"statusCode": "ACTIVE"},
        **{member: params[member] for member in members if member in params},
    }
    resources(caller, "codebuild_fleet")[arn] = fleet
    return {"fleet": fleet}


def list_fleets(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """List the ARNs of the fleets."""
    arns = list(resources(caller, "codebuild_fleet"))
    shown, following = page(arns, params, params.get("maxResults", 100), "nextToken")
    return {"fleets": shown, **following}


def batch_get_fleets(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Describe fleets, by name or ARN."""
    fleets = resources(caller, "codebuild_fleet").values()
    by_name = {name: one for one in fleets for name in (one["name"], one["arn"])}
    return {
        "fleets": [by_name[name] for name in params["names"] if name in by_name],
        "fleetsNotFound": [name for name in params["names"] if name not in by_name],
    }


OPERATIONS: dict[str, Operation] = {
    "BatchGetFleets": batch_get_fleets,
    "CreateFleet": create_fleet,
    "ListFleets": list_fleets,
}
