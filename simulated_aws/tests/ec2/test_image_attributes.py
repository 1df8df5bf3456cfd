# SPDX-License-Identifier: GPL-3.0-or-later
"""Launch permissions and the other attributes of images."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.ec2 import permissions
from simulated_aws.settings import SETTINGS

from .conftest import CONSUMER, ENCRYPTED_DISKS, KEYS, STRANGER, TWO_DISKS, Clock, build, error_code, image_id

ORGANIZATION_ARN = "arn:aws:organizations::100000000001:organization/o-abcdefghij"
UNIT_ARN = "arn:aws:organizations::100000000001:ou/o-abcdefghij/ou-abcd-01234567"


def permissions_of(ec2: Any, image: str) -> list[dict[str, str]]:
    answer = ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")
    return list(answer["LaunchPermissions"])


@pytest.mark.parametrize(
    ("added", "entries"),
    [
        ({"LaunchPermission": {"Add": [{"UserId": CONSUMER}]}}, [{"UserId": CONSUMER}]),
        (
            {"OperationType": "add", "UserIds": [CONSUMER, STRANGER]},
            [{"UserId": CONSUMER}, {"UserId": STRANGER}],
        ),
        (
            {"Attribute": "launchPermission", "OperationType": "add", "UserIds": [CONSUMER]},
            [{"UserId": CONSUMER}],
        ),
        (
            {"LaunchPermission": {"Add": [{"OrganizationArn": ORGANIZATION_ARN}]}},
            [{"OrganizationArn": ORGANIZATION_ARN}],
        ),
        (
            {
                "OperationType": "add",
                "OrganizationArns": [ORGANIZATION_ARN],
                "OrganizationalUnitArns": [UNIT_ARN],
            },
            [{"OrganizationArn": ORGANIZATION_ARN}, {"OrganizationalUnitArn": UNIT_ARN}],
        ),
    ],
)
def test_sharing_in_both_forms(client: Any, added: dict[str, Any], entries: list[dict[str, str]]) -> None:
    """(botocore shape ModifyImageAttributeRequest.)"""
    image = image_id(build())
    ec2 = client()
    ec2.modify_image_attribute(ImageId=image, **added)
    ec2.modify_image_attribute(ImageId=image, **added)
    assert permissions_of(ec2, image) == entries
    removed = (
        {**added, "OperationType": "remove"}
        if "OperationType" in added
        else {"LaunchPermission": {"Remove": added["LaunchPermission"]["Add"]}}
    )
    ec2.modify_image_attribute(ImageId=image, **removed)
    assert permissions_of(ec2, image) == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"UserIds": [CONSUMER, "12345678901"]}, "InvalidAMIAttributeItemValue"),
        ({"UserIds": [CONSUMER, "1234567890ab"]}, "InvalidAMIAttributeItemValue"),
        ({"UserGroups": ["everyone"]}, "InvalidAMIAttributeItemValue"),
        ({"OrganizationArns": ["o-abcdefghij"]}, "InvalidAMIAttributeItemValue"),
        ({"OrganizationArns": [UNIT_ARN]}, "InvalidAMIAttributeItemValue"),
        ({"OrganizationalUnitArns": [ORGANIZATION_ARN]}, "InvalidAMIAttributeItemValue"),
        ({"UserIds": [f"{one:012}" for one in range(10_001)]}, "InvalidParameterValue"),
        ({}, "MissingParameter"),
    ],
)
def test_a_batch_is_rejected_as_a_whole(client: Any, params: dict[str, Any], code: str) -> None:
    """(EC2 API Reference, Error codes; EC2 User Guide, Share an AMI with specific accounts: 10,000 IDs.)"""
    image = image_id(build())
    ec2 = client()
    call = {"ImageId": image, "Attribute": "launchPermission", "OperationType": "add", **params}
    assert error_code(ec2.modify_image_attribute, **call) == code
    assert permissions_of(ec2, image) == []


def test_adding_and_removing_at_once_is_rejected(client: Any) -> None:
    """AWS doesn't say that it may be done."""
    image = image_id(build())
    change = {"Add": [{"UserId": CONSUMER}], "Remove": [{"UserId": STRANGER}]}
    code = error_code(client().modify_image_attribute, ImageId=image, LaunchPermission=change)
    assert code == "InvalidParameterCombination"


@pytest.mark.parametrize(
    ("sharing", "code"), [({}, "InvalidAMIID.NotFound"), ({"accounts": ["consumer"]}, "AuthFailure")]
)
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("describe_image_attribute", {"Attribute": "launchPermission"}),
        ("modify_image_attribute", {"Description": {"Value": "mine"}}),
        ("reset_image_attribute", {"Attribute": "launchPermission"}),
        ("deregister_image", {}),
        ("disable_image", {}),
    ],
)
def test_only_the_owner(
    client: Any, method: str, params: dict[str, Any], sharing: dict[str, Any], code: str
) -> None:
    image = image_id(build(images={"golden": {"sharing": sharing}}))
    assert error_code(getattr(client(CONSUMER), method), ImageId=image, **params) == code


@pytest.mark.parametrize("state", ["pending", "failed", "disabled"])
def test_an_image_that_is_not_available_is_not_shared(client: Any, state: str) -> None:
    """(EC2 API Reference, Error codes: InvalidAMIID.Unavailable; botocore operation DisableImage.)"""
    image = image_id(build(images={"golden": {"state": state}}))
    call = client().modify_image_attribute
    code = error_code(call, ImageId=image, OperationType="add", UserIds=[CONSUMER])
    assert code == "InvalidAMIID.Unavailable"


def test_the_quota_counts_entities(client: Any) -> None:
    """(EC2 User Guide, Quotas for AMIs: 1,000 organizations, OUs and accounts.)"""
    image = image_id(build())
    ec2 = client()
    accounts = [f"{one:012}" for one in range(999)]
    ec2.modify_image_attribute(ImageId=image, OperationType="add", UserIds=accounts)
    ec2.modify_image_attribute(ImageId=image, OperationType="add", OrganizationArns=[ORGANIZATION_ARN])
    call = {"ImageId": image, "OperationType": "add", "UserIds": [CONSUMER]}
    assert error_code(ec2.modify_image_attribute, **call) == "ResourceLimitExceeded"
    SETTINGS.update({"image_sharing_quota": 1001})
    ec2.modify_image_attribute(**call)
    assert len(permissions_of(ec2, image)) == 1001


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({}, None),
        ({"devices": ENCRYPTED_DISKS}, "InvalidParameter"),
        ({"devices": [{**TWO_DISKS[0], "encrypted": True}]}, "InvalidParameter"),
        ({"product_codes": ["abc"]}, "InvalidParameter"),
    ],
)
def test_what_can_be_public(client: Any, content: dict[str, Any], code: str | None) -> None:
    """(EC2 User Guide, Make your AMI publicly available for use in Amazon EC2: considerations.)"""
    image = image_id(build(images={"golden": content}, kms_keys=KEYS))
    ec2 = client()
    call = {"ImageId": image, "LaunchPermission": {"Add": [{"Group": "all"}]}}
    if code is None:
        # Block public access is on by default (EC2 User Guide, Understand block public access for AMIs).
        assert error_code(ec2.modify_image_attribute, **call) == "OperationNotPermitted"
    ec2.disable_image_block_public_access()
    if code:
        assert error_code(ec2.modify_image_attribute, **call) == code
    else:
        ec2.modify_image_attribute(**call)
        assert ec2.describe_images(ImageIds=[image])["Images"][0]["Public"] is True


def test_an_image_with_an_empty_encrypted_volume_cannot_be_public(client: Any) -> None:
    """(EC2 User Guide, Make your AMI publicly available: encrypted volumes, and snapshots of them.)"""
    ec2 = client()
    (snapshot, _) = build()["images"]["golden"]["snapshot_ids"]
    mappings = [
        {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot}},
        {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 5, "Encrypted": True}},
    ]
    image = ec2.register_image(Name="with a blank disk", BlockDeviceMappings=mappings)["ImageId"]
    ec2.disable_image_block_public_access()
    public = {"ImageId": image, "LaunchPermission": {"Add": [{"Group": "all"}]}}
    assert error_code(ec2.modify_image_attribute, **public) == "InvalidParameter"
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": CONSUMER}]})


def test_public_images_have_a_quota(client: Any) -> None:
    """(EC2 User Guide, Quotas for AMIs: 5 per Region.)"""
    public = {"sharing": {"public": True}}
    built = build(images={**{f"public-{one}": public for one in range(5)}, "golden": {}})
    ec2 = client()
    ec2.disable_image_block_public_access()
    call = {"LaunchPermission": {"Add": [{"Group": "all"}]}}
    with pytest.raises(ClientError) as refused:
        ec2.modify_image_attribute(ImageId=image_id(built), **call)
    error = refused.value.response["Error"]
    assert error["Code"] == "ResourceLimitExceeded"
    # iterative/studio-selfhosted#90.
    assert error["Message"].startswith("You have reached your quota of 5 for the number of public images")
    ec2.modify_image_attribute(ImageId=image_id(built, "public-0"), **call)


@pytest.mark.parametrize("entry", [{"UserIds": [CONSUMER]}, {"OrganizationArns": [ORGANIZATION_ARN]}])
def test_the_aws_managed_key_forbids_sharing(client: Any, entry: dict[str, Any]) -> None:
    image = image_id(build(images={"golden": {"devices": [{**TWO_DISKS[0], "encrypted": True}]}}))
    ec2 = client()
    assert (
        error_code(ec2.modify_image_attribute, ImageId=image, OperationType="add", **entry)
        == "InvalidParameter"
    )


def test_a_customer_managed_key_allows_it(client: Any) -> None:
    image = image_id(build(images={"golden": {"devices": ENCRYPTED_DISKS}}, kms_keys=KEYS))
    ec2 = client()
    ec2.modify_image_attribute(ImageId=image, OperationType="add", UserIds=[CONSUMER])
    assert permissions_of(ec2, image) == [{"UserId": CONSUMER}]


def test_reset_takes_all_permissions(client: Any) -> None:
    image = image_id(build(images={"golden": {"sharing": {"accounts": ["consumer"], "public": True}}}))
    ec2 = client()
    ec2.reset_image_attribute(ImageId=image, Attribute="launchPermission")
    assert permissions_of(ec2, image) == []
    assert (
        error_code(ec2.reset_image_attribute, ImageId=image, Attribute="description")
        == "InvalidParameterValue"
    )


@pytest.mark.parametrize(
    "params",
    [
        {"Description": {"Value": "new"}},
        {"Attribute": "description", "Value": "new"},
        # As amazon.aws.ec2_ami sends it.
        {"Attribute": "Description", "Description": {"Value": "new"}},
    ],
)
def test_the_description(client: Any, params: dict[str, Any]) -> None:
    image = image_id(build())
    ec2 = client()
    ec2.modify_image_attribute(ImageId=image, **params)
    answer = ec2.describe_image_attribute(ImageId=image, Attribute="description")
    assert answer["Description"] == {"Value": "new"}
    assert ec2.describe_images(ImageIds=[image])["Images"][0]["Description"] == "new"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Description": {"Value": "x" * 256}}, "InvalidParameterValue"),
        ({"Description": {"Value": "x"}, "ImdsSupport": {"Value": "v2.0"}}, "InvalidParameterCombination"),
        ({"ImdsSupport": {"Value": "v1.0"}}, "InvalidParameterValue"),
        ({"Attribute": "color", "Value": "red"}, "InvalidParameterValue"),
        ({}, "MissingParameter"),
    ],
)
def test_rejected_changes(client: Any, params: dict[str, Any], code: str) -> None:
    """(botocore operation ModifyImageAttribute: one attribute at a time.)"""
    assert error_code(client().modify_image_attribute, ImageId=image_id(build()), **params) == code


@pytest.mark.parametrize(
    ("attribute", "member", "value"),
    [
        ("kernel", "KernelId", {}),
        ("sriovNetSupport", "SriovNetSupport", {"Value": "simple"}),
        ("imdsSupport", "ImdsSupport", {}),
        ("deregistrationProtection", "DeregistrationProtection", {"Value": "disabled"}),
        ("productCodes", "ProductCodes", [{"ProductCodeId": "abc", "ProductCodeType": "marketplace"}]),
    ],
)
def test_other_attributes(client: Any, attribute: str, member: str, value: Any) -> None:
    image = image_id(build(images={"golden": {"product_codes": ["abc"]}}))
    answer = client().describe_image_attribute(ImageId=image, Attribute=attribute)
    assert answer[member] == value


def test_block_device_mappings_are_not_a_readable_attribute(client: Any) -> None:
    """(botocore shape DescribeImageAttributeRequest, Attribute.)"""
    image = image_id(build())
    code = error_code(client().describe_image_attribute, ImageId=image, Attribute="blockDeviceMapping")
    assert code == "AuthFailure"


def test_an_account_may_leave(client: Any) -> None:
    """(EC2 User Guide, Cancel having an AMI shared with your account.)"""
    image = image_id(build(images={"golden": {"sharing": {"accounts": ["consumer", "stranger"]}}}))
    client(CONSUMER).cancel_image_launch_permission(ImageId=image)
    assert permissions_of(client(), image) == [{"UserId": STRANGER}]
    code = error_code(client(CONSUMER).cancel_image_launch_permission, ImageId=image)
    assert code == "InvalidAMIID.NotFound"


def test_an_account_may_not_leave_what_everyone_has(client: Any) -> None:
    """(cloud-custodian/cloud-custodian#8728.)"""
    image = image_id(build(images={"golden": {"sharing": {"public": True}}}))
    code = error_code(client(CONSUMER).cancel_image_launch_permission, ImageId=image)
    assert code == "InvalidAMIID.NotFound"


def test_kinds_of_entries_are_those_of_botocore() -> None:
    assert set(permissions.IMAGE_LISTS.values()) == {
        "UserId",
        "Group",
        "OrganizationArn",
        "OrganizationalUnitArn",
    }


def test_changed_launch_permissions_may_be_read_only_after_a_while(client: Any, clock: Clock) -> None:
    """(EC2 Developer Guide, Eventual consistency in the Amazon EC2 API.)"""
    image = image_id(build(images={"golden": {"sharing": {"accounts": ["consumer"]}}}))
    ec2 = client()
    SETTINGS.launch_permissions_visible_after_seconds = 20
    call = {"ImageId": image, "Attribute": "launchPermission"}
    before = ec2.describe_image_attribute(**call)["LaunchPermissions"]
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Remove": before})
    assert ec2.describe_image_attribute(**call)["LaunchPermissions"] == before
    clock.forward(seconds=20)
    assert ec2.describe_image_attribute(**call)["LaunchPermissions"] == []
