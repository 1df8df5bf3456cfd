# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts without a default VPC, as landing zones create them: what a dry run of a launch needs there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import probing, publishing
from .fixture import HOME, OWNER, Fixture
from .playbook import MODULES, Ansible

DISTRIBUTE, DIAGNOSE = "golden.images.distribute_ami", MODULES + "ami_share_diagnose"
AWAY = "eu-west-1"
ROLE, EXTERNAL_ID = "golden-consumer", "golden-images"
AS_CONSUMER = {"consumer_role_name": ROLE, "external_id": EXTERNAL_ID}
# The zone e of us-east-1 does not offer t3.nano.
TWO, SECOND, ONLY, NONE, DENIED = "web-prod", "web-staging", "data-prod", "data-dev", "sandbox"
ZONES = {TWO: ["b", "a"], SECOND: ["e", "f"], ONLY: ["e"], NONE: [], DENIED: ["a"]}
WITHOUT_SUBNETS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["ec2:DescribeImages", "ec2:RunInstances"], "Resource": "*"}],
}


@pytest.fixture
def fixture(aws: SimulatedAws) -> Fixture:
    """Accounts without a default VPC in one region, each with subnets in some Availability Zones."""
    try:
        found = _with_networks(aws)
    except ValueError:
        # A request of a client that the test before has killed reached the empty AWS: an account has a VPC.
        time.sleep(1)
        aws.reset()
        found = _with_networks(aws)
    role = {"trusts": [OWNER], "external_id": EXTERNAL_ID}
    found.add(roles={ROLE: {**role, "accounts": [one for one in ZONES if one != DENIED]}})
    found.add(roles={ROLE: {**role, "accounts": [DENIED], "policy": WITHOUT_SUBNETS}})
    return found


def _with_networks(aws: SimulatedAws) -> Fixture:
    found = Fixture(aws)
    found.add(
        networks=[
            {"accounts": [account], "regions": [HOME], "zones": zones} for account, zones in ZONES.items()
        ]
    )
    return found


@pytest.fixture
def ansible(fixture: Fixture, tmp_path: Path) -> Ansible:
    return Ansible(fixture.environment(OWNER), tmp_path)


def _zones_tried(aws: SimulatedAws, account: str) -> list[str]:
    """The Availability Zones of the subnets in which an account's dry runs were, in their order."""
    ec2 = aws.client("ec2", account, HOME)
    zones = {one["SubnetId"]: one["AvailabilityZone"] for one in ec2.describe_subnets()["Subnets"]}
    calls = aws.calls(action="RunInstances", account_id=aws.account_id(account), region=HOME)
    assert {call.parameters["DryRun"] for call in calls} == {"true"}
    # The first one has no subnet.
    first, *rest = calls
    assert first.error_code == "VPCIdNotSpecified"
    return [zones[call.parameters["SubnetId"]] for call in rest]


@pytest.mark.quick
def test_images_are_verified_and_published_as_the_readme_says(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    accounts = fixture.account_ids(TWO, SECOND)
    variables = {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": [HOME, AWAY],
        "distribute_account_ids": accounts,
        "distribute_consumer_role_name": ROLE,
        "distribute_external_id": EXTERNAL_ID,
        "distribute_verify_level": "authorized",
        "distribute_publish_parameter": publishing.PARAMETER,
    }
    run = ansible.run(DISTRIBUTE, variables)
    assert run.code == 0, run.text
    assert _zones_tried(aws, TWO) == ["us-east-1a"]
    assert _zones_tried(aws, SECOND) == ["us-east-1e", "us-east-1f"]
    for region in (HOME, AWAY):
        assert publishing.value(aws, OWNER, region) == run.facts["distribute_images"][region]
    # In the other region there is a default VPC, and nobody reads subnets.
    assert {call.region for call in aws.calls(action="DescribeSubnets")} == {HOME}


@pytest.mark.nightly
def test_what_keeps_a_dry_run_from_a_subnet_is_found(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    accounts = fixture.account_ids(*ZONES)
    sharing = {"Add": [{"UserId": account} for account in accounts]}
    aws.client("ec2", OWNER, HOME).modify_image_attribute(ImageId=fixture.image_id, LaunchPermission=sharing)
    diagnose = {"images": {HOME: fixture.image_id}, "account_ids": accounts, **AS_CONSUMER}
    run = ansible.tasks([{DIAGNOSE: diagnose}])
    assert run.code == 0, run.text
    found = {one["account_id"]: one for one in run.tasks[-1].result["results"]}
    two, second, only, none, denied = (found[account] for account in accounts)
    for one in (two, second):
        assert (one["can_launch"], one["level"]) == ("yes", "authorized")

    def finding(one: dict[str, Any], code: str) -> dict[str, Any]:
        (named,) = [item for item in one["findings"] if item["code"] == code]
        assert one["level"] == "visible"
        return dict(named)

    unsupported = finding(only, "dry_run_inconclusive")
    assert (only["can_launch"], unsupported["error_code"]) == ("unknown", "Unsupported")
    assert f"{HOME} ({probing.subnet(aws, ONLY, HOME)}) is unknown" in unsupported["message"]
    nowhere = finding(none, "missing_subnet")
    assert (none["can_launch"], nowhere["error_code"]) == ("no", "VPCIdNotSpecified")
    unread = finding(denied, "dry_run_inconclusive")
    assert (denied["can_launch"], unread["error_code"]) == ("unknown", "UnauthorizedOperation")
    assert unread["remedy"].startswith(f"Allow ec2:DescribeSubnets in the IAM policy of role {ROLE}")

    # Each remedy helps.
    aws.client("ec2", NONE, HOME).create_default_vpc()
    subnets = {aws.account_id(DENIED): probing.subnet(aws, DENIED, HOME)}
    more = {"instance_type": "t2.nano", "subnet_ids": {HOME: subnets}}
    again = ansible.tasks([{DIAGNOSE: {**diagnose, **more}}])
    levels = {one["account_id"]: one["level"] for one in again.tasks[-1].result["results"]}
    assert levels == dict.fromkeys(accounts, "authorized"), again.text


@pytest.mark.nightly
def test_the_vpc_of_the_security_groups_is_found(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    ec2 = aws.client("ec2", TWO, HOME)
    vpc_id = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.9.1.0/24", AvailabilityZone="us-east-1c")
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["SecurityGroups"]
    (account_id,) = fixture.account_ids(TWO)
    aws.client("ec2", OWNER, HOME).modify_image_attribute(
        ImageId=fixture.image_id, LaunchPermission={"Add": [{"UserId": account_id}]}
    )
    run, task = ansible.module(
        "ami_share_diagnose",
        images={HOME: fixture.image_id},
        account_ids=[account_id],
        security_group_ids={HOME: [groups[0]["GroupId"]]},
        **AS_CONSUMER,
    )
    assert run.code == 0, run.text
    assert [one["level"] for one in task.result["results"]] == ["authorized"]
    assert _zones_tried(aws, TWO) == ["us-east-1a", "us-east-1b", "us-east-1c"]
