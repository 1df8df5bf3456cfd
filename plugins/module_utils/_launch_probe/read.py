# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the instances of launch probes, and wait until one is running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._aws.answers import require_member
from .._aws.errors import WaiterError, error_of_waiter
from .._model import Instance
from .._tags import PROBE_TAG, tag_map

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef

NOT_FOUND = "InvalidInstanceID.NotFound"
# EC2 User Guide, "Instance lifecycle": the states in which an instance is billed, or can be billed again.
_NOT_TERMINATED = ["pending", "running", "stopping", "stopped"]
# Seconds between requests. EC2 bills at least one minute: a shorter delay would not save costs.
_DELAY = 2


def read_probes(ec2: EC2Client) -> tuple[Instance, ...]:
    """Return the instances of launch probes in the account and region that are not terminated."""
    return _read_instances(ec2, [{"Name": "tag-key", "Values": [PROBE_TAG]}])


def read_request(ec2: EC2Client, client_token: str) -> tuple[Instance, ...]:
    """Return the instances of a RunInstances request by its client token, without its answer."""
    return _read_instances(ec2, [{"Name": "client-token", "Values": [client_token]}])


def wait_until_running(ec2: EC2Client, instance_id: str, timeout: float) -> Instance:
    """Wait until the instance is ``running`` or terminated, or ``timeout`` seconds have passed.

    The instance is returned in its state at that time, ``pending`` after the timeout. Errors are botocore's.
    """
    attempts = max(0, int(timeout // _DELAY)) + 1
    try:
        ec2.get_waiter("instance_running").wait(
            InstanceIds=[instance_id], WaiterConfig={"Delay": _DELAY, "MaxAttempts": attempts}
        )
    except WaiterError as exception:
        if error := error_of_waiter(exception):
            raise error from exception
        instances = _parse_instances(exception.last_response)
        # Right after RunInstances, EC2 may not find the instance yet (EC2 Developer Guide, "Eventual
        # consistency in the Amazon EC2 API").
        return instances[0] if instances else Instance(instance_id, "pending")
    return Instance(instance_id, "running")


def _read_instances(ec2: EC2Client, filters: list[FilterTypeDef]) -> tuple[Instance, ...]:
    state: FilterTypeDef = {"Name": "instance-state-name", "Values": _NOT_TERMINATED}
    # EC2 API Reference, DescribeInstances, MaxResults: 5 to 1000.
    pages = ec2.get_paginator("describe_instances").paginate(
        Filters=[*filters, state], PaginationConfig={"PageSize": 1000}
    )
    return tuple(
        _parse_instance(item)
        for page in pages
        for reservation in require_member(page, "Reservations", "DescribeInstances")
        for item in _list_instances(reservation)
    )


def _parse_instances(answer: Mapping[str, Any]) -> tuple[Instance, ...]:
    """Return the instances in an answer; none if it is an error."""
    return tuple(
        _parse_instance(item)
        for reservation in answer.get("Reservations", [])
        for item in _list_instances(reservation)
    )


def _list_instances(reservation: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    instances: Sequence[Mapping[str, Any]] = require_member(reservation, "Instances", "DescribeInstances")
    return instances


def _parse_instance(item: Mapping[str, Any]) -> Instance:
    state = require_member(item, "State", "DescribeInstances")
    return Instance(
        instance_id=require_member(item, "InstanceId", "DescribeInstances"),
        state=require_member(state, "Name", "DescribeInstances"),
        launched_at=require_member(item, "LaunchTime", "DescribeInstances"),
        tags=tag_map(item.get("Tags", [])),
        reason_code=item.get("StateReason", {}).get("Code"),
        reason=item.get("StateReason", {}).get("Message"),
    )
