# SPDX-License-Identifier: GPL-3.0-or-later
"""RunInstances: subnet, security groups and Availability Zone, also in accounts without a default VPC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simulated_aws.fixtures.document import FixtureError

from .conftest import OWNER, build, error_code, image_id

ONE = {"MinCount": 1, "MaxCount": 1}
HOME = "us-east-1"


def network(*zones: str, default_vpc: bool = False) -> dict[str, Any]:
    """The owner's VPCs in one Region, as a part of a fixture."""
    part = {"accounts": ["owner"], "regions": [HOME], "default_vpc": default_vpc, "zones": list(zones)}
    return {"networks": [part]}


def subnets(ec2: Any) -> dict[str, str]:
    """Availability Zone to subnet, of those outside the default VPC."""
    found = ec2.describe_subnets()["Subnets"]
    return {one["AvailabilityZone"]: one["SubnetId"] for one in found if not one["DefaultForAz"]}


def launch_in(subnet_id: str, *group_ids: str) -> dict[str, Any]:
    return {"SubnetId": subnet_id, **({"SecurityGroupIds": list(group_ids)} if group_ids else {})}


@pytest.mark.parametrize("has_backend", [False, True])
@pytest.mark.parametrize("dry_run", [False, True])
def test_without_a_default_vpc_a_launch_needs_a_subnet(
    client: Callable[..., Any], dry_run: bool, has_backend: bool
) -> None:
    """(EC2 API Reference, Error codes: VPCIdNotSpecified; aws/karpenter-provider-aws#7834.)"""
    image = image_id(build(**network("a")))
    ec2 = client()
    if has_backend:
        assert ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"] == []
    assert error_code(ec2.run_instances, ImageId=image, DryRun=dry_run, **ONE) == "VPCIdNotSpecified"
    (subnet_id,) = subnets(ec2).values()
    call = {"ImageId": image, **launch_in(subnet_id), **ONE}
    assert error_code(ec2.run_instances, **call, DryRun=True) == "DryRunOperation"
    (instance,) = ec2.run_instances(**call)["Instances"]
    assert instance["SubnetId"] == subnet_id
    # In other Regions there is the default VPC.
    assert error_code(client(region="us-west-2").run_instances, ImageId="ami-1", **ONE) != "VPCIdNotSpecified"


def test_an_account_can_have_no_vpc_and_make_the_default_one_again(client: Callable[..., Any]) -> None:
    image = image_id(build(**network()))
    ec2 = client()
    assert ec2.describe_vpcs()["Vpcs"] == []
    assert ec2.describe_subnets()["Subnets"] == []
    ec2.create_default_vpc()
    assert error_code(ec2.run_instances, ImageId=image, DryRun=True, **ONE) == "DryRunOperation"


def test_a_default_vpc_can_be_deleted(client: Callable[..., Any]) -> None:
    """(EC2 API Reference, Error codes: MissingInput, of a default VPC without subnets.)"""
    image = image_id(build())
    ec2 = client()
    (vpc,) = ec2.describe_vpcs()["Vpcs"]
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    assert error_code(ec2.run_instances, ImageId=image, DryRun=True, **ONE) == "MissingInput"
    ec2.delete_vpc(VpcId=vpc["VpcId"])
    assert error_code(ec2.run_instances, ImageId=image, DryRun=True, **ONE) == "VPCIdNotSpecified"


def test_a_fixture_adds_subnets_beside_the_default_vpc(client: Callable[..., Any]) -> None:
    build(**network("b", "c", default_vpc=True))
    ec2 = client()
    assert set(subnets(ec2)) == {"us-east-1b", "us-east-1c"}
    assert sorted(vpc["IsDefault"] for vpc in ec2.describe_vpcs()["Vpcs"]) == [False, True]


def test_a_fixture_cannot_change_vpcs_that_exist(client: Callable[..., Any]) -> None:
    build()
    client().describe_vpcs()
    with pytest.raises(FixtureError, match="account owner has VPCs in us-east-1 already"):
        build(**network("a"))


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_zone_may_not_offer_an_instance_type(client: Callable[..., Any], dry_run: bool) -> None:
    """(EC2 API Reference, Error codes: Unsupported.)"""
    image = image_id(build(**network("e", "f")))
    ec2 = client()
    found = subnets(ec2)
    call = {"ImageId": image, "InstanceType": "t3.nano", "DryRun": dry_run, **ONE}
    assert error_code(ec2.run_instances, **call, **launch_in(found["us-east-1e"])) == "Unsupported"
    code = error_code(ec2.run_instances, **{**call, "DryRun": True}, **launch_in(found["us-east-1f"]))
    assert code == "DryRunOperation"


@pytest.mark.parametrize("dry_run", [False, True])
def test_groups_belong_to_the_vpc_of_the_subnet(client: Callable[..., Any], dry_run: bool) -> None:
    """(The code and the message are reported from real launches: ansible/ansible-modules-core#347.)"""
    image = image_id(build(**network("a", default_vpc=True)))
    ec2 = client()
    (subnet_id,) = subnets(ec2).values()
    (default,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    groups = {one["VpcId"]: one["GroupId"] for one in ec2.describe_security_groups()["SecurityGroups"]}
    other = groups.pop(default["VpcId"])
    (own,) = groups.values()
    call = {"ImageId": image, "DryRun": dry_run, **ONE}
    assert error_code(ec2.run_instances, **call, **launch_in(subnet_id, other)) == "InvalidParameter"
    unknown = launch_in(subnet_id, "sg-00000000")
    assert error_code(ec2.run_instances, **call, **unknown) == "InvalidGroup.NotFound"
    code = error_code(ec2.run_instances, **{**call, "DryRun": True}, **launch_in(subnet_id, own))
    assert code == "DryRunOperation"


def test_subnets_are_listed_in_pages(client: Callable[..., Any]) -> None:
    """(botocore shape DescribeSubnetsRequest, MaxResults.)"""
    build(**network(*"abcdfa"))
    ec2 = client()
    pages = list(ec2.get_paginator("describe_subnets").paginate(PaginationConfig={"PageSize": 5}))
    assert [len(page["Subnets"]) for page in pages] == [5, 1]
    found = [one["SubnetId"] for page in pages for one in page["Subnets"]]
    assert sorted(found) == sorted(one["SubnetId"] for one in ec2.describe_subnets()["Subnets"])
    both = {"SubnetIds": found[:1], "MaxResults": 5}
    assert error_code(ec2.describe_subnets, **both) == "InvalidParameterCombination"
    assert {one["OwnerId"] for one in ec2.describe_subnets()["Subnets"]} == {OWNER}
