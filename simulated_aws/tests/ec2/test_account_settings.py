# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of an account in a Region, and its Regions."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_aws.settings import SETTINGS

from .conftest import CONSUMER, KEYS, build, error_code


def test_block_public_access_for_images(client: Any) -> None:
    """On by default (EC2 User Guide, Understand block public access for AMIs)."""
    ec2 = client()
    read = ec2.get_image_block_public_access_state
    assert read()["ImageBlockPublicAccessState"] == "block-new-sharing"
    ec2.disable_image_block_public_access()
    assert (read()["ImageBlockPublicAccessState"], read()["ManagedBy"]) == ("unblocked", "account")
    others = client(CONSUMER).get_image_block_public_access_state()
    assert others["ImageBlockPublicAccessState"] == "block-new-sharing"
    ec2.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
    assert read()["ImageBlockPublicAccessState"] == "block-new-sharing"


def test_block_public_access_for_snapshots(client: Any) -> None:
    ec2 = client()
    assert ec2.get_snapshot_block_public_access_state()["State"] == "unblocked"
    ec2.enable_snapshot_block_public_access(State="block-new-sharing")
    assert ec2.get_snapshot_block_public_access_state()["State"] == "block-new-sharing"
    west = client(region="us-west-2")
    assert west.get_snapshot_block_public_access_state()["State"] == "unblocked"


def test_an_account_cannot_change_what_a_declarative_policy_sets(client: Any) -> None:
    """(botocore shape GetImageBlockPublicAccessStateResult, ManagedBy; the code is a guess.)"""
    block = {"accounts": ["owner"], "regions": ["us-east-1"], "snapshots": "block-all-sharing"}
    build(public_access=[{**block, "by_policy": True}])
    ec2 = client()
    images, volumes = ec2.get_image_block_public_access_state(), ec2.get_snapshot_block_public_access_state()
    assert (images["ImageBlockPublicAccessState"], volumes["State"]) == (
        "block-new-sharing",
        "block-all-sharing",
    )
    assert images["ManagedBy"] == volumes["ManagedBy"] == "declarative-policy"
    assert error_code(ec2.disable_image_block_public_access) == "OperationNotPermitted"
    refused = error_code(ec2.enable_snapshot_block_public_access, State="block-new-sharing")
    assert refused == "OperationNotPermitted"
    client(region="us-west-2").disable_image_block_public_access()


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("enable_image_block_public_access", {"ImageBlockPublicAccessState": "block-all"}),
        ("enable_snapshot_block_public_access", {"State": "unblocked"}),
    ],
)
def test_unknown_blocks(client: Any, method: str, params: dict[str, str]) -> None:
    assert error_code(getattr(client(), method), **params) == "InvalidParameterValue"


def test_encryption_by_default(client: Any) -> None:
    ec2 = client()
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    ec2.enable_ebs_encryption_by_default()
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is True
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)
    assert volume["KmsKeyId"] == ec2.get_ebs_default_kms_key_id()["KmsKeyId"]
    ec2.disable_ebs_encryption_by_default()
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False


def test_the_default_key(client: Any) -> None:
    """The AWS managed key until another is chosen (botocore operation GetEbsDefaultKmsKeyId)."""
    built = build(kms_keys=KEYS)
    ec2 = client()
    managed = ec2.get_ebs_default_kms_key_id()["KmsKeyId"]
    key = client(service="kms").describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]
    assert (key["Arn"], key["KeyManager"]) == (managed, "AWS")
    ec2.modify_ebs_default_kms_key_id(KmsKeyId="alias/golden")
    chosen = ec2.get_ebs_default_kms_key_id()["KmsKeyId"]
    assert chosen == built["kms_keys"]["golden"]["us-east-1"]
    assert error_code(ec2.modify_ebs_default_kms_key_id, KmsKeyId="alias/none") == "InvalidParameterValue"
    assert ec2.reset_ebs_default_kms_key_id()["KmsKeyId"] == managed


def test_regions_and_their_opt_in_status(client: Any) -> None:
    """(botocore operation DescribeRegions.)"""
    SETTINGS.update({"not_opted_in_regions": ["ap-east-1"]})
    ec2 = client()
    enabled = {region["RegionName"] for region in ec2.describe_regions()["Regions"]}
    every = {
        region["RegionName"]: region["OptInStatus"]
        for region in ec2.describe_regions(AllRegions=True)["Regions"]
    }
    assert set(every) - enabled == {"ap-east-1"}
    assert every["ap-east-1"] == "not-opted-in"
    assert every["us-east-1"] == "opt-in-not-required"
    assert every["af-south-1"] == "opted-in"
    assert not any(name.startswith("cn-") for name in every)
    (named,) = ec2.describe_regions(RegionNames=["ap-east-1"])["Regions"]
    assert named["Endpoint"] == "ec2.ap-east-1.amazonaws.com"
    wanted = [{"Name": "opt-in-status", "Values": ["not-opted-in"]}]
    (found,) = ec2.describe_regions(AllRegions=True, Filters=wanted)["Regions"]
    assert found["RegionName"] == "ap-east-1"
    assert error_code(ec2.describe_regions, RegionNames=["us-middle-1"]) == "InvalidParameterValue"


def test_a_region_that_one_account_has_not_opted_in_to(client: Any) -> None:
    """(botocore shape Region, OptInStatus: of the account.)"""
    SETTINGS.update({"not_opted_in_regions_by_account": {CONSUMER: ["ap-east-1"]}})
    named = [{"Name": "opt-in-status", "Values": ["not-opted-in"]}]
    assert client().describe_regions(AllRegions=True, Filters=named)["Regions"] == []
    (found,) = client(CONSUMER).describe_regions(AllRegions=True, Filters=named)["Regions"]
    assert (found["RegionName"], found["OptInStatus"]) == ("ap-east-1", "not-opted-in")
