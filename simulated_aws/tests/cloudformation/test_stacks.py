# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks and StackSets (CloudFormation API Reference; botocore shapes of the answers)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

NAMED_IAM = ["CAPABILITY_NAMED_IAM"]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${Trusted}:root"}},
            "Action": "sts:AssumeRole",
        }
    ],
}
ROLE = {
    "Parameters": {
        "Trusted": {"Type": "String", "AllowedPattern": r"\d{12}"},
        "Reads": {"Type": "String", "AllowedValues": ["true", "false"], "Default": "false"},
    },
    "Conditions": {"Reads": {"Fn::Equals": [{"Ref": "Reads"}, "true"]}},
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": "reader", "AssumeRolePolicyDocument": TRUST},
        },
        "Read": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Condition": "Reads",
            "Properties": {
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeRegions", "Resource": "*"}],
                },
                "Roles": [{"Ref": "Role"}],
            },
        },
    },
}
KEY = {
    "Resources": {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": True}},
        "Alias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "alias/golden", "TargetKeyId": {"Ref": "Key"}},
        },
    }
}


def create(aws: SimulatedAws, template: Mapping[str, Any], account: str = "owner", **parameters: str) -> str:
    """Create a stack; return its status."""
    cloudformation = aws.client("cloudformation", account)
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    cloudformation.create_stack(
        StackName="one", TemplateBody=json.dumps(template), Parameters=given, Capabilities=NAMED_IAM
    )
    (stack,) = cloudformation.describe_stacks(StackName="one")["Stacks"]
    return str(stack["StackStatus"])


def attached(aws: SimulatedAws, account: str = "owner") -> list[str]:
    policies = aws.client("iam", account).list_attached_role_policies(RoleName="reader")["AttachedPolicies"]
    return [one["PolicyName"] for one in policies]


def test_a_role_is_created_with_the_policies_whose_conditions_are_true(aws: SimulatedAws) -> None:
    assert create(aws, ROLE, Trusted="222222222222") == "CREATE_COMPLETE"
    role = aws.client("iam", "owner").get_role(RoleName="reader")["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::222222222222:root"}
    assert attached(aws) == []
    assert create(aws, ROLE, "consumer", Trusted="012345678901", Reads="true") == "CREATE_COMPLETE"
    assert attached(aws, "consumer") == ["one-Read"]


def test_a_change_set_creates_nothing_until_it_is_executed(aws: SimulatedAws) -> None:
    cloudformation, kms = aws.client("cloudformation", "owner"), aws.client("kms", "owner")
    made = cloudformation.create_change_set(
        StackName="key", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=json.dumps(KEY)
    )
    cloudformation.get_waiter("change_set_create_complete").wait(ChangeSetName=made["Id"])
    assert "alias/golden" not in [one["AliasName"] for one in kms.list_aliases()["Aliases"]]
    cloudformation.execute_change_set(ChangeSetName=made["Id"])
    cloudformation.get_waiter("stack_create_complete").wait(StackName="key")
    key = kms.describe_key(KeyId="alias/golden")["KeyMetadata"]
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is True


def test_a_role_that_exists_already_rolls_the_stack_back(aws: SimulatedAws) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    aws.client("iam", "owner").create_role(RoleName="reader", AssumeRolePolicyDocument=policy)
    assert create(aws, ROLE, Trusted="222222222222", Reads="true") == "ROLLBACK_COMPLETE"
    assert attached(aws) == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "must have values"),
        ({"Trusted": "1"}, "failed to satisfy constraint"),
        ({"Trusted": "222222222222", "Reads": "yes"}, "must be one of AllowedValues"),
        ({"Trusted": "222222222222", "Other": "1"}, "do not exist in the template"),
    ],
)
def test_wrong_parameters_are_rejected(aws: SimulatedAws, parameters: dict[str, str], message: str) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        create(aws, ROLE, **parameters)
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_a_role_with_a_name_needs_a_capability(aws: SimulatedAws) -> None:
    cloudformation = aws.client("cloudformation", "owner")
    with pytest.raises(ClientError, match="CAPABILITY_NAMED_IAM") as refused:
        cloudformation.create_stack(
            StackName="one",
            TemplateBody=json.dumps(ROLE),
            Parameters=[{"ParameterKey": "Trusted", "ParameterValue": "222222222222"}],
        )
    assert refused.value.response["Error"]["Code"] == "InsufficientCapabilitiesException"


@pytest.mark.parametrize(
    "resource",
    [
        {"Type": "AWS::S3::Bucket"},
        {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {}}},
        {"Type": "AWS::KMS::Key", "Properties": {"Description": {"Fn::Join": ["", []]}}},
    ],
)
def test_what_is_not_simulated_is_refused(aws: SimulatedAws, resource: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="does not have all of the operation"):
        create(aws, {"Resources": {"One": resource}})


def change(aws: SimulatedAws, template: Mapping[str, Any], account: str, **parameters: str) -> str:
    """Make a change set of a stack that exists; return its ARN. The other parameters keep their values."""
    cloudformation = aws.client("cloudformation", account)
    known = cloudformation.get_template_summary(StackName="one")["Parameters"]
    given: list[Any] = [
        {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True}
        for one in known
        if one["ParameterKey"] not in parameters
    ]
    given += [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    made = cloudformation.create_change_set(
        StackName="one",
        ChangeSetName="next",
        ChangeSetType="UPDATE",
        TemplateBody=json.dumps(template),
        Parameters=given,
        Capabilities=NAMED_IAM,
    )
    return made["Id"]


def update(aws: SimulatedAws, template: Mapping[str, Any], account: str = "owner", **parameters: str) -> None:
    """Update a stack, as ``aws cloudformation deploy`` does."""
    cloudformation = aws.client("cloudformation", account)
    change_set = change(aws, template, account, **parameters)
    cloudformation.get_waiter("change_set_create_complete").wait(ChangeSetName=change_set)
    cloudformation.execute_change_set(ChangeSetName=change_set)
    cloudformation.get_waiter("stack_update_complete").wait(StackName="one")


def trusted(aws: SimulatedAws, account: str = "owner") -> str:
    role = aws.client("iam", account).get_role(RoleName="reader")["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    return str(statement["Principal"]["AWS"])


def test_an_update_adds_and_removes_policies_and_changes_the_trust(aws: SimulatedAws) -> None:
    create(aws, ROLE, Trusted="222222222222")
    update(aws, ROLE, Reads="true")
    assert attached(aws) == ["one-Read"]
    update(aws, ROLE, Trusted="333333333333")
    assert (attached(aws), trusted(aws)) == (["one-Read"], "arn:aws:iam::333333333333:root")
    update(aws, ROLE, Reads="false")
    assert attached(aws) == []
    names = [one["PolicyName"] for one in aws.client("iam", "owner").list_policies(Scope="Local")["Policies"]]
    assert names == []


def test_a_change_set_without_changes_fails(aws: SimulatedAws) -> None:
    create(aws, ROLE, Trusted="222222222222")
    change_set = change(aws, ROLE, "owner")
    found = aws.client("cloudformation", "owner").describe_change_set(ChangeSetName=change_set)
    assert found["Status"] == "FAILED"
    assert "didn't contain changes" in found["StatusReason"]


def test_a_stack_whose_creation_failed_cannot_be_updated(aws: SimulatedAws) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    aws.client("iam", "owner").create_role(RoleName="reader", AssumeRolePolicyDocument=policy)
    create(aws, ROLE, Trusted="222222222222")
    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE state and can not be updated"):
        change(aws, ROLE, "owner")
    cloudformation = aws.client("cloudformation", "owner")
    (event,) = cloudformation.describe_stack_events(StackName="one")["StackEvents"]
    assert event["ResourceStatusReason"] == "Role with name reader already exists."
    cloudformation.delete_stack(StackName="one")
    assert cloudformation.describe_stacks()["Stacks"] == []
    aws.client("iam", "owner").delete_role(RoleName="reader")
    assert create(aws, ROLE, Trusted="222222222222") == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="does not have all of the operation DeleteStack"):
        cloudformation.delete_stack(StackName="one")


def test_an_update_that_is_not_simulated_is_refused(aws: SimulatedAws) -> None:
    create(aws, KEY)
    changed = {"Resources": {"Key": KEY["Resources"]["Key"]}}
    change_set = change(aws, changed, "owner")
    with pytest.raises(ClientError, match="does not have all of the operation"):
        aws.client("cloudformation", "owner").execute_change_set(ChangeSetName=change_set)


def test_an_operation_that_is_not_simulated_is_refused(aws: SimulatedAws) -> None:
    with pytest.raises(ClientError, match="does not have the operation ListExports"):
        aws.client("cloudformation", "owner").list_exports()


def test_a_stack_set_updates_the_stacks_and_shows_where_one_failed(aws: SimulatedAws) -> None:
    accounts = {"management": "100000000001", "web": "333333333333", "data": "444444444444"}
    organization = {"management_account": "management", "units": {"all": {"accounts": ["web", "data"]}}}
    described = aws.load_fixture({"accounts": accounts, "organization": organization})
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    aws.client("iam", "data").create_role(RoleName="reader", AssumeRolePolicyDocument=policy)
    unit = described["organization"]["units"]["all"]["id"]
    assert create(aws, stack_set(unit), "management") == "CREATE_COMPLETE"
    cloudformation = aws.client("cloudformation", "management")
    summaries = cloudformation.list_stack_instances(StackSetName="one-Roles")["Summaries"]
    assert {one["Account"]: one["StackInstanceStatus"]["DetailedStatus"] for one in summaries} == {
        accounts["web"]: "SUCCEEDED",
        accounts["data"]: "FAILED",
    }
    aws.client("iam", "data").delete_role(RoleName="reader")
    update(aws, stack_set(unit, Reads="true"), "management")
    assert [attached(aws, name) for name in ("web", "data")] == [["one-Roles-Read"], ["one-Roles-Read"]]
    filters: Any = [{"Name": "DETAILED_STATUS", "Values": "FAILED"}]
    found = cloudformation.list_stack_instances(StackSetName="one-Roles", Filters=filters)
    assert found["Summaries"] == []


def test_a_stack_set_for_a_unit_that_does_not_exist_rolls_the_stack_back(aws: SimulatedAws) -> None:
    organization = {"management_account": "management"}
    aws.load_fixture({"accounts": {"management": "100000000001"}, "organization": organization})
    assert create(aws, stack_set("ou-ab12-11111111"), "management") == "ROLLBACK_COMPLETE"


def stack_set(unit: str, **parameters: str) -> dict[str, Any]:
    """A template with a StackSet of the role in a unit."""
    given = {"Trusted": "100000000001", **parameters}
    properties = {
        "PermissionModel": "SERVICE_MANAGED",
        "OperationPreferences": {"FailureTolerancePercentage": 100},
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        "StackInstancesGroup": [
            {
                "DeploymentTargets": {"OrganizationalUnitIds": [unit]},
                "Regions": [{"Ref": "AWS::Region"}],
            }
        ],
        "TemplateBody": json.dumps(ROLE),
    }
    return {"Resources": {"Roles": {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}}}


def test_a_stack_set_creates_stacks_in_the_accounts_of_units_and_of_those_below(
    aws: SimulatedAws,
) -> None:
    accounts = {"management": "100000000001", "web": "333333333333", "data": "444444444444"}
    units = {"workloads": {"accounts": ["web"], "units": {"dev": {"accounts": ["data"]}}}}
    organization = {"management_account": "management", "units": units}
    described = aws.load_fixture({"accounts": accounts, "organization": organization})
    template = stack_set(described["organization"]["units"]["workloads"]["id"])
    assert create(aws, template, "web") == "ROLLBACK_COMPLETE"
    assert create(aws, template, "management") == "CREATE_COMPLETE"
    having = [
        account
        for account in accounts
        if "reader" in [one["RoleName"] for one in aws.client("iam", account).list_roles()["Roles"]]
    ]
    assert having == ["web", "data"]
