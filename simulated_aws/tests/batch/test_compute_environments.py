# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute environments of AWS Batch, which moto implements."""

from __future__ import annotations

import json

from simulated_aws.client import SimulatedAws

TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


def test_an_environment_shows_the_images_that_it_launches(aws: SimulatedAws, image_id: str) -> None:
    """(botocore shapes ComputeResource and Ec2Configuration.)"""
    batch, iam, ec2 = (aws.client(service, "owner") for service in ("batch", "iam", "ec2"))
    role = iam.create_role(RoleName="batch", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.create_instance_profile(InstanceProfileName="batch")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="batch", Description="batch", VpcId=vpc)["GroupId"]
    configuration = [{"imageType": "ECS_AL2023", "imageIdOverride": image_id}]
    batch.create_compute_environment(
        computeEnvironmentName="web",
        type="MANAGED",
        state="ENABLED",
        serviceRole=role,
        computeResources={
            "type": "EC2",
            "minvCpus": 0,
            "maxvCpus": 1,
            "instanceTypes": ["c5.large"],
            "instanceRole": "batch",
            "subnets": [subnet],
            "securityGroupIds": [group],
            "ec2Configuration": configuration,
        },
    )
    assert [call.changes for call in aws.calls(service="batch")] == [True]
    aws.clear_calls()
    (environment,) = batch.describe_compute_environments(maxResults=100)["computeEnvironments"]
    assert (environment["computeEnvironmentName"], environment["status"]) == ("web", "VALID")
    assert environment["computeResources"]["ec2Configuration"] == configuration
    assert [call.changes for call in aws.calls(service="batch")] == [False]
    assert ec2.describe_instances()["Reservations"] == []


def test_an_account_without_environments_has_none(aws: SimulatedAws) -> None:
    batch = aws.client("batch", "owner")
    assert batch.describe_compute_environments()["computeEnvironments"] == []
