# SPDX-License-Identifier: GPL-3.0-or-later

"""Subnets of the simulated accounts, and what is running in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from simulated_aws.client import SimulatedAws

from . import observed

_TAG_KEY = re.compile(r"TagSpecification\.(\d+)\.Tag\.(\d+)\.Key")
LIVING = ("pending", "running", "stopping", "stopped")


class Launch(NamedTuple):
    """Where a call of RunInstances launches, and what."""

    region: str
    instance_type: str
    subnet_id: str
    security_group_id: str


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


def replace_default_vpc(aws: SimulatedAws, account: str, region: str) -> None:
    """Delete the default VPC of an account, and create another one with a subnet."""
    ec2 = aws.client("ec2", account, region)
    for one in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=one["SubnetId"])
    (default,) = ec2.describe_vpcs()["Vpcs"]
    ec2.delete_vpc(VpcId=default["VpcId"])
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.1.0/24", AvailabilityZone=f"{region}a")


def security_group(aws: SimulatedAws, account: str, region: str) -> str:
    """A security group of an account."""
    found: str = aws.client("ec2", account, region).describe_security_groups()["SecurityGroups"][0]["GroupId"]
    return found


def security_group_ids(
    aws: SimulatedAws, accounts: Iterable[str], *regions: str
) -> dict[str, dict[str, list[str]]]:
    """Security groups of accounts as the option of that name takes them."""
    named = list(accounts)
    return {
        region: {aws.account_id(account): [security_group(aws, account, region)] for account in named}
        for region in regions
    }


def launches(aws: SimulatedAws, account: str, *, dry: bool = False) -> set[Launch]:
    """The recorded launches of an account, or its dry runs, that name all of this."""
    interface = "" if dry else "NetworkInterface.1."
    return {
        Launch(
            call.region,
            call.parameters["InstanceType"],
            call.parameters[f"{interface}SubnetId"],
            call.parameters[f"{interface}SecurityGroupId.1"],
        )
        for call in aws.calls(action="RunInstances", account_id=aws.account_id(account))
        if (call.parameters.get("DryRun") == "true") is dry
    }


def tags_of_launches(aws: SimulatedAws, account: str, *, dry: bool = False) -> set[tuple[str, str, str]]:
    """The tags in the recorded launches of an account, or in its dry runs: resource type, key and value."""
    found = set()
    for call in aws.calls(action="RunInstances", account_id=aws.account_id(account)):
        if (call.parameters.get("DryRun") == "true") is dry:
            given = call.parameters
            for name, key in given.items():
                part = _TAG_KEY.fullmatch(name)
                if part:
                    value = given.get(f"TagSpecification.{part[1]}.Tag.{part[2]}.Value", "")
                    found.add((given[f"TagSpecification.{part[1]}.ResourceType"], key, value))
    return found


def expected_launches(aws: SimulatedAws, account: str, instance_type: str, *regions: str) -> set[Launch]:
    """The launches of these options in these regions."""
    return {
        Launch(region, instance_type, subnet(aws, account, region), security_group(aws, account, region))
        for region in regions
    }


def instances(aws: SimulatedAws, account: str, region: str, *states: str) -> list[dict[str, Any]]:
    """An account's instances in some states, by default in any, oldest first."""
    filters = [{"Name": "instance-state-name", "Values": list(states)}] if states else []
    reservations = aws.client("ec2", account, region).describe_instances(Filters=filters)["Reservations"]
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def pass_deadlines(aws: SimulatedAws, account: str, region: str) -> None:
    """Let the runs be over that have launched an account's instances: their tags name an earlier time."""
    past = {"Key": "golden.images:probe", "Value": "2020-01-01T00:00:00Z"}
    for instance in instances(aws, account, region, *LIVING):
        if past["Key"] in observed.tags(instance):
            aws.client("ec2", account, region).create_tags(Resources=[instance["InstanceId"]], Tags=[past])


def left(aws: SimulatedAws, account: str, region: str) -> list[str]:
    """The IDs of instances, volumes and network interfaces that cost money or would be in the way."""
    ec2 = aws.client("ec2", account, region)
    return [
        *(instance["InstanceId"] for instance in instances(aws, account, region, *LIVING)),
        *(volume["VolumeId"] for volume in ec2.describe_volumes()["Volumes"]),
        *(one["NetworkInterfaceId"] for one in ec2.describe_network_interfaces()["NetworkInterfaces"]),
    ]
