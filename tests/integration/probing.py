# SPDX-License-Identifier: GPL-3.0-or-later

"""Subnets of the simulated accounts, and what is running in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from simulated_aws.client import SimulatedAws

LIVING = ("pending", "running", "stopping", "stopped")


def subnet(aws: SimulatedAws, account: str, region: str) -> str:
    """A subnet of an account."""
    found: str = aws.client("ec2", account, region).describe_subnets()["Subnets"][0]["SubnetId"]
    return found


def subnet_ids(aws: SimulatedAws, accounts: Iterable[str], *regions: str) -> dict[str, dict[str, str]]:
    """Subnets of accounts as the option of that name takes them."""
    named = list(accounts)
    return {
        region: {aws.account_id(account): subnet(aws, account, region) for account in named}
        for region in regions
    }


def instances(aws: SimulatedAws, account: str, region: str, *states: str) -> list[dict[str, Any]]:
    """An account's instances in some states, by default in any, oldest first."""
    filters = [{"Name": "instance-state-name", "Values": list(states)}] if states else []
    reservations = aws.client("ec2", account, region).describe_instances(Filters=filters)["Reservations"]
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def left(aws: SimulatedAws, account: str, region: str) -> list[str]:
    """The IDs of instances, volumes and network interfaces that cost money or would be in the way."""
    ec2 = aws.client("ec2", account, region)
    return [
        *(instance["InstanceId"] for instance in instances(aws, account, region, *LIVING)),
        *(volume["VolumeId"] for volume in ec2.describe_volumes()["Volumes"]),
        *(one["NetworkInterfaceId"] for one in ec2.describe_network_interfaces()["NetworkInterfaces"]),
    ]
