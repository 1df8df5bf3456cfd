# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances of launch probes: finding them, and waiting until one runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..aws.errors import ClientError, WaiterError
from ..model import Instance
from .state import PROBE_TAG

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef

NOT_FOUND = "InvalidInstanceID.NotFound"
# EC2 User Guide, "Instance lifecycle": the states in which an instance costs money, or may do so again.
_LIVING = ["pending", "running", "stopping", "stopped"]
# Seconds between looks. The least that is billed is a minute: looking more often would save nothing.
_LOOK_EVERY = 2


def of_probes(ec2: EC2Client) -> tuple[Instance, ...]:
    """Every instance that a launch probe has started in the account and that has not ended."""
    return _instances(ec2, [{"Name": "tag-key", "Values": [PROBE_TAG]}])


def of_request(ec2: EC2Client, client_token: str) -> tuple[Instance, ...]:
    """What a launch has started, by its client token; more than nothing even if its answer was lost."""
    return _instances(ec2, [{"Name": "client-token", "Values": [client_token]}])


def awaited(ec2: EC2Client, instance_id: str, timeout: float) -> Instance:
    """The instance once it is ``running``, has ended by itself, or is still ``pending`` after ``timeout`` s.

    Errors are botocore's.
    """
    looks = max(0, int(timeout // _LOOK_EVERY)) + 1
    try:
        ec2.get_waiter("instance_running").wait(
            InstanceIds=[instance_id], WaiterConfig={"Delay": _LOOK_EVERY, "MaxAttempts": looks}
        )
    except WaiterError as exception:
        answer: Mapping[str, Any] = exception.last_response
        found = _found(answer)
        if found:
            return found[0]
        # Right after RunInstances AWS may not know the instance yet (EC2 Developer Guide, "Eventual
        # consistency in the Amazon EC2 API").
        if answer.get("Error", {}).get("Code", NOT_FOUND) == NOT_FOUND:
            return Instance(instance_id, "pending")
        raise ClientError(answer, "DescribeInstances") from exception  # type: ignore[arg-type]
    return Instance(instance_id, "running")


def _instances(ec2: EC2Client, filters: list[FilterTypeDef]) -> tuple[Instance, ...]:
    living: FilterTypeDef = {"Name": "instance-state-name", "Values": _LIVING}
    # EC2 API Reference, DescribeInstances, MaxResults: 5 to 1000.
    pages = ec2.get_paginator("describe_instances").paginate(
        Filters=[*filters, living], PaginationConfig={"PageSize": 1000}
    )
    return tuple(instance for page in pages for instance in _found(page))


def _found(answer: Mapping[str, Any]) -> tuple[Instance, ...]:
    return tuple(
        Instance(
            instance_id=item["InstanceId"],
            state=item["State"]["Name"],
            image_id=item.get("ImageId", ""),
            tags={tag["Key"]: tag["Value"] for tag in item.get("Tags", [])},
            reason_code=item.get("StateReason", {}).get("Code"),
            reason=item.get("StateReason", {}).get("Message"),
        )
        for reservation in answer.get("Reservations", [])
        for item in reservation["Instances"]
    )
