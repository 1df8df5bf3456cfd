# SPDX-License-Identifier: GPL-3.0-or-later

"""Where ministack differs from AWS, so that the modules cannot be judged by it.

A test that fails says that ministack has what it lacked: then ``test_ministack.py`` can use it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import CONSUMER, HOME, Ministack

GIVEN: dict[str, dict[str, Any]] = {
    "copy_image": {"Name": "copy", "SourceImageId": "ami-0123456789abcdef0", "SourceRegion": HOME},
    "describe_image_references": {
        "ImageIds": ["ami-0123456789abcdef0"],
        "IncludeAllResourceTypes": True,
    },
    "disable_image": {"ImageId": "ami-0123456789abcdef0"},
}
# Operations of EC2 that the modules call.
MISSING = (
    "copy_image",
    "describe_image_references",
    "describe_image_usage_reports",
    "describe_locked_snapshots",
    "describe_spot_fleet_requests",
    "disable_image",
    "get_allowed_images_settings",
    "get_ebs_default_kms_key_id",
    "get_ebs_encryption_by_default",
    "get_image_block_public_access_state",
    "get_snapshot_block_public_access_state",
    "list_images_in_recycle_bin",
    "list_snapshots_in_recycle_bin",
)


@pytest.mark.parametrize("operation", MISSING)
def test_an_operation_is_missing(ministack: Ministack, operation: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(ministack.client("ec2"), operation)(**GIVEN.get(operation, {}))
    assert caught.value.response["Error"]["Code"] == "InvalidAction"


def test_a_trail_loses_its_log_group(ministack: Ministack) -> None:
    """(botocore shape CreateTrailRequest, CloudWatchLogsLogGroupArn.)"""
    ministack.start_trail("trail")
    (trail,) = ministack.client("cloudtrail").describe_trails()["trailList"]
    assert "CloudWatchLogsLogGroupArn" not in trail


def test_volume_permissions_are_ignored_in_one_of_two_forms(ministack: Ministack) -> None:
    """(botocore shape ModifySnapshotAttributeRequest, CreateVolumePermission.)"""
    ec2 = ministack.client("ec2")
    ministack.image()
    snapshot = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"][0]["SnapshotId"]

    def share(**form: Any) -> list[dict[str, str]]:
        ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", **form)
        answer = ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
        return list(answer["CreateVolumePermissions"])

    assert share(CreateVolumePermission={"Add": [{"UserId": CONSUMER}]}) == []
    assert share(OperationType="add", UserIds=[CONSUMER]) == [{"UserId": CONSUMER}]


def test_organizations_in_launch_permissions_are_ignored(ministack: Ministack) -> None:
    """(botocore shape LaunchPermission, OrganizationArn.)"""
    image_id = ministack.image()
    arn = "arn:aws:organizations::111111111111:organization/o-123ab4cdef"
    ministack.client("ec2").modify_image_attribute(
        ImageId=image_id, LaunchPermission={"Add": [{"UserId": CONSUMER}, {"OrganizationArn": arn}]}
    )
    assert ministack.launch_permissions(image_id) == [{"UserId": CONSUMER}]


def test_a_key_of_another_account_is_not_found(ministack: Ministack) -> None:
    """(botocore operation DescribeKey: cross-account use by key ARN; on AWS a grant allows it.)"""
    kms = ministack.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_grant(
        KeyId=key, GranteePrincipal=f"arn:aws:iam::{CONSUMER}:root", Operations=["DescribeKey", "Decrypt"]
    )
    with pytest.raises(ClientError) as caught:
        ministack.client("kms", CONSUMER).describe_key(KeyId=key)
    assert caught.value.response["Error"]["Code"] == "NotFoundException"


def test_images_of_a_policy_have_no_arn(ministack: Ministack) -> None:
    """(Service Authorization Reference, Amazon EC2: CreateTags, resource type image.)"""
    iam = ministack.client("iam")
    iam.create_user(UserName="user")
    statement = {"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "arn:aws:ec2:*::image/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="user", PolicyName="tag", PolicyDocument=document)
    key = iam.create_access_key(UserName="user")["AccessKey"]
    ec2 = ministack.client("ec2", key["AccessKeyId"], key["SecretAccessKey"])
    with pytest.raises(ClientError) as caught:
        ec2.create_tags(Resources=[ministack.image()], Tags=[{"Key": "role", "Value": "web"}])
    assert caught.value.response["Error"]["Code"] == "UnauthorizedOperation"
