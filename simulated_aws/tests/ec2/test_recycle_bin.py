# SPDX-License-Identifier: GPL-3.0-or-later
"""The Recycle Bin: which resources rules retain, how they are restored, and when they are deleted.

(EBS User Guide, Recover deleted Amazon EBS snapshots and EBS-backed AMIs with Recycle Bin, and its page
Considerations for Recycle Bin.)
"""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import CONSUMER, OWNER, build, error_code, image_id, names

SHARED = {"sharing": {"accounts": ["consumer"], "snapshot_accounts": ["consumer"]}}
TAGGED = {"tags": {"keep": "yes"}, "snapshot_tags": {"keep": "yes"}}
KEEP = [{"ResourceTagKey": "keep", "ResourceTagValue": "yes"}]


def rule(client: Any, resource_type: str, days: int = 7, **params: Any) -> dict[str, Any]:
    period = {"RetentionPeriodValue": days, "RetentionPeriodUnit": "DAYS"}
    made: dict[str, Any] = client(service="rbin").create_rule(
        ResourceType=resource_type, RetentionPeriod=period, **params
    )
    return made


def retain_all(client: Any) -> None:
    for resource_type in ("EC2_IMAGE", "EBS_SNAPSHOT"):
        rule(client, resource_type)


def binned(client: Any) -> tuple[list[str], list[str]]:
    """The IDs of the images and the snapshots in the owner's bin."""
    ec2 = client()
    images = [one["ImageId"] for one in ec2.list_images_in_recycle_bin()["Images"]]
    return images, [one["SnapshotId"] for one in ec2.list_snapshots_in_recycle_bin()["Snapshots"]]


def test_without_a_rule_a_deregistered_image_is_not_kept(client: Any) -> None:
    """(botocore operation DeregisterImage.)"""
    client().deregister_image(ImageId=image_id(build()), DeleteAssociatedSnapshots=True)
    assert binned(client) == ([], [])


def test_a_rule_has_its_tags_which_a_list_leaves_out(client: Any) -> None:
    """(botocore shapes GetRuleResponse and RuleSummary.)"""
    made = rule(client, "EC2_IMAGE", ResourceTags=KEEP, Description="golden")
    rbin = client(service="rbin")
    (listed,) = rbin.list_rules(ResourceType="EC2_IMAGE")["Rules"]
    shown = rbin.get_rule(Identifier=made["Identifier"])
    assert "ResourceTags" not in listed
    assert (shown["ResourceTags"], shown["Status"], shown["Description"]) == (KEEP, "available", "golden")
    assert shown["RetentionPeriod"] == {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
    assert shown["RuleArn"] == f"arn:aws:rbin:us-east-1:{OWNER}:rule/{made['Identifier']}"
    assert rbin.list_rules(ResourceType="EBS_SNAPSHOT")["Rules"] == []
    assert client(region="eu-west-1", service="rbin").list_rules(ResourceType="EC2_IMAGE")["Rules"] == []
    rbin.delete_rule(Identifier=made["Identifier"])
    assert error_code(rbin.get_rule, Identifier=made["Identifier"]) == "ResourceNotFoundException"


def test_rules_are_paginated(client: Any) -> None:
    """(botocore shape ListRulesRequest, MaxResults.)"""
    made = [rule(client, "EC2_IMAGE")["Identifier"] for _ in range(3)]
    pages = (
        client(service="rbin")
        .get_paginator("list_rules")
        .paginate(ResourceType="EC2_IMAGE", PaginationConfig={"PageSize": 2})
    )
    assert [[one["Identifier"] for one in page["Rules"]] for page in pages] == [made[:2], made[2:]]


def test_unsupported_rule_features_are_reported(client: Any) -> None:
    made = rule(client, "EC2_IMAGE")
    with pytest.raises(NotImplementedError, match="PATCH"):
        client(service="rbin").update_rule(Identifier=made["Identifier"], Description="other")
    refused = client(service="rbin").list_rules
    assert error_code(refused, ResourceType="EC2_IMAGE", NextToken="none") == "ValidationException"


@pytest.mark.parametrize(
    "params",
    [
        {"days": 366},
        {"resource_type": "EC2_INSTANCE"},
        {"ResourceTags": KEEP, "ExcludeResourceTags": KEEP},
        {"ExcludeResourceTags": [{"ResourceTagKey": str(number)} for number in range(6)]},
    ],
)
def test_rules_that_cannot_be(client: Any, params: dict[str, Any]) -> None:
    """(botocore shapes RetentionPeriod, ResourceType, CreateRuleRequest, ExcludeResourceTags.)"""
    given = {"resource_type": "EC2_IMAGE", **params}
    assert error_code(lambda: rule(client, **given)) == "ValidationException"


@pytest.mark.parametrize(
    ("params", "tags", "kept"),
    [
        ({}, {}, True),
        ({"ResourceTags": KEEP}, {}, False),
        ({"ResourceTags": KEEP}, TAGGED, True),
        ({"ExcludeResourceTags": KEEP}, TAGGED, False),
        ({"ExcludeResourceTags": KEEP}, {}, True),
    ],
)
def test_which_resources_a_rule_retains(
    client: Any, params: dict[str, Any], tags: dict[str, Any], kept: bool
) -> None:
    """(botocore operation CreateRule.)"""
    for resource_type in ("EC2_IMAGE", "EBS_SNAPSHOT"):
        rule(client, resource_type, **params)
    built = build(images={"golden": tags})
    client().deregister_image(ImageId=image_id(built), DeleteAssociatedSnapshots=True)
    everything = ([image_id(built)], built["images"]["golden"]["snapshot_ids"])
    assert binned(client) == (everything if kept else ([], []))


def test_the_longest_of_several_rules_applies_and_then_the_image_is_deleted(client: Any, clock: Any) -> None:
    """(EBS User Guide, Considerations for Recycle Bin: general considerations.)"""
    rule(client, "EC2_IMAGE", 2)
    rule(client, "EC2_IMAGE", 9)
    image, ec2 = image_id(build()), client()
    ec2.deregister_image(ImageId=image)
    (listed,) = ec2.list_images_in_recycle_bin(ImageIds=[image])["Images"]
    assert (listed["RecycleBinExitTime"] - listed["RecycleBinEnterTime"]).days == 9
    clock.forward(days=8)
    assert binned(client)[0] == [image]
    clock.forward(days=1)
    assert binned(client)[0] == []
    assert error_code(ec2.restore_image_from_recycle_bin, ImageId=image) == "InvalidAMIID.NotFound"


def test_an_image_is_restored_unchanged_after_its_snapshots(client: Any) -> None:
    """(EBS User Guide, Considerations for Recycle Bin: considerations for snapshots and for AMIs.)"""
    retain_all(client)
    built = build(images={"golden": {**SHARED, **TAGGED}})
    image, snapshots, ec2 = image_id(built), built["images"]["golden"]["snapshot_ids"], client()
    ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)
    assert error_code(ec2.describe_images, ImageIds=[image]) == "InvalidAMIID.NotFound"
    assert names(client(CONSUMER).describe_images()) == []
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
    # Other accounts see nothing that is in the Recycle Bin.
    others = client(CONSUMER).restore_snapshot_from_recycle_bin
    assert error_code(others, SnapshotId=snapshots[0]) == "InvalidSnapshot.NotFound"

    ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshots[0])
    assert error_code(ec2.restore_image_from_recycle_bin, ImageId=image) == "IncorrectState"
    assert ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshots[1])["State"] == "completed"
    assert ec2.restore_image_from_recycle_bin(ImageId=image)["Return"] is True

    assert binned(client) == ([], [])
    (seen,) = client(CONSUMER).describe_images(ImageIds=[image])["Images"]
    assert seen["State"] == "available"
    (own,) = ec2.describe_images(ImageIds=[image])["Images"]
    assert own["Tags"] == [{"Key": "keep", "Value": "yes"}]
    for snapshot in snapshots:
        answer = ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
        assert answer["CreateVolumePermissions"] == [{"UserId": CONSUMER}]


def test_tags_can_be_changed_in_the_recycle_bin(client: Any) -> None:
    """(EBS User Guide, Considerations for Recycle Bin: general considerations.)

    The number of tags is limited as ever, and that of AWS does not count (EC2 User Guide, Tag restrictions).
    """
    retain_all(client)
    built = build(images={"golden": {"tags": {f"k{number}": "1" for number in range(50)}}})
    image, (snapshot, other), ec2 = image_id(built), built["images"]["golden"]["snapshot_ids"], client()
    ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)
    more = {"Resources": [image, snapshot], "Tags": [{"Key": "more", "Value": "1"}]}
    assert error_code(ec2.create_tags, **more) == "TagLimitExceeded"
    assert error_code(client(CONSUMER).create_tags, **more) == "InvalidAMIID.NotFound"
    ec2.delete_tags(Resources=[image], Tags=[{"Key": "k0"}])
    ec2.create_tags(**more)
    found: dict[str, set[str]] = {}
    for tag in ec2.describe_tags()["Tags"]:
        found.setdefault(tag["ResourceId"], set()).add(tag["Key"])
    in_bin = "aws:recycle-bin:resource-in-bin"
    assert found == {
        image: {in_bin, "more", *(f"k{number}" for number in range(1, 50))},
        snapshot: {in_bin, "more"},
        other: {in_bin},
    }
    assert client(CONSUMER).describe_tags()["Tags"] == []
    # Without tags, all are deleted, but not those of AWS.
    ec2.delete_tags(Resources=[image])
    assert [tag["Key"] for tag in ec2.describe_tags()["Tags"] if tag["ResourceId"] == image] == [in_bin]
    for one in (snapshot, other):
        ec2.restore_snapshot_from_recycle_bin(SnapshotId=one)
    ec2.restore_image_from_recycle_bin(ImageId=image)
    (seen,) = ec2.describe_images(ImageIds=[image])["Images"]
    assert seen.get("Tags", []) == []


def test_a_disabled_image_is_retained_and_restored_disabled(client: Any) -> None:
    """(EBS User Guide, Recover deleted Amazon EBS snapshots and EBS-backed AMIs: supported resources.)

    That it is still disabled then is a guess.
    """
    retain_all(client)
    image, ec2 = image_id(build(images={"golden": SHARED})), client()
    ec2.disable_image(ImageId=image)
    ec2.deregister_image(ImageId=image)
    ec2.restore_image_from_recycle_bin(ImageId=image)
    (seen,) = ec2.describe_images(ImageIds=[image], IncludeDisabled=True)["Images"]
    assert seen["State"] == "disabled"


def test_deleted_snapshots_are_retained_too(client: Any) -> None:
    """(EBS User Guide, Considerations for Recycle Bin: general considerations.)"""
    rule(client, "EBS_SNAPSHOT")
    built = build()
    first, second = built["images"]["golden"]["snapshot_ids"]
    ec2 = client()
    ec2.deregister_image(ImageId=image_id(built))
    for snapshot in (first, second):
        ec2.delete_snapshot(SnapshotId=snapshot)
    (listed,) = ec2.list_snapshots_in_recycle_bin(SnapshotIds=[first])["Snapshots"]
    assert listed["SnapshotId"] == first
    assert binned(client) == ([], [first, second])


def test_an_image_with_an_instance_store_root_is_not_retained(client: Any) -> None:
    """(botocore operation DeregisterImage: an EBS-backed AMI moves to the Recycle Bin.)"""
    retain_all(client)
    ec2 = client()
    image = ec2.register_image(Name="in S3", ImageLocation="bucket/image.manifest.xml")["ImageId"]
    (shown,) = ec2.describe_images(ImageIds=[image])["Images"]
    assert shown["RootDeviceType"] == "instance-store"
    ec2.deregister_image(ImageId=image)
    assert binned(client) == ([], [])


def test_an_image_in_the_bin_does_not_keep_its_snapshots_and_is_lost_without(client: Any) -> None:
    """(EBS User Guide, Considerations for Recycle Bin: considerations for AMIs.)"""
    rule(client, "EC2_IMAGE")
    built = build()
    first, second = built["images"]["golden"]["snapshot_ids"]
    ec2 = client()
    mapping = [{"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": first}}]
    registered = ec2.register_image(Name="derived", BlockDeviceMappings=mapping)["ImageId"]
    kept = ec2.deregister_image(ImageId=image_id(built), DeleteAssociatedSnapshots=True)
    codes = {one["SnapshotId"]: one["ReturnCode"] for one in kept["DeleteSnapshotResults"]}
    assert codes == {first: "skipped", second: "success"}
    gone = ec2.deregister_image(ImageId=registered, DeleteAssociatedSnapshots=True)
    assert gone["DeleteSnapshotResults"] == [{"SnapshotId": first, "ReturnCode": "success"}]
    assert binned(client)[0] == [image_id(built), registered]
    for image in (image_id(built), registered):
        assert error_code(ec2.restore_image_from_recycle_bin, ImageId=image) == "IncorrectState"


def test_a_cancelled_copy_is_not_retained(client: Any) -> None:
    """A copy that is not finished has nothing to be recovered; AWS does not say so of the bin."""
    retain_all(client)
    built = build(settings={"copy_seconds": 3600})
    there = client(region="us-west-2")
    for resource_type in ("EC2_IMAGE", "EBS_SNAPSHOT"):
        period = {"RetentionPeriodValue": 1, "RetentionPeriodUnit": "DAYS"}
        client(region="us-west-2", service="rbin").create_rule(
            ResourceType=resource_type, RetentionPeriod=period
        )
    copy = there.copy_image(Name="copy", SourceImageId=image_id(built), SourceRegion="us-east-1")["ImageId"]
    there.deregister_image(ImageId=copy)
    assert there.list_images_in_recycle_bin()["Images"] == []


def test_at_most_twenty_images_are_named(client: Any) -> None:
    """(botocore shape ListImagesInRecycleBinRequest, ImageIds.)"""
    ids = [f"ami-{number:017x}" for number in range(21)]
    assert error_code(client().list_images_in_recycle_bin, ImageIds=ids) == "InvalidParameterValue"


def test_a_deleted_volume_is_retained_by_a_rule_and_shows_no_key(client: Any) -> None:
    """(Recycle Bin API Reference, ResourceType; botocore shape VolumeRecycleBinInfo.)"""
    ec2 = client()
    zone = {"AvailabilityZone": f"{ec2.meta.region_name}a", "Size": 1}
    lost, kept, other = (ec2.create_volume(**zone)["VolumeId"] for _ in range(3))
    ec2.delete_volume(VolumeId=lost)
    rule(client, "EBS_VOLUME")
    for one in (kept, other):
        ec2.delete_volume(VolumeId=one)
    found = ec2.list_volumes_in_recycle_bin()["Volumes"]
    assert [one["VolumeId"] for one in found] == [kept, other]
    assert {"KmsKeyId", "Encrypted"}.isdisjoint(found[0])
    (named,) = ec2.list_volumes_in_recycle_bin(VolumeIds=[other])["Volumes"]
    assert named["VolumeId"] == other
    assert ec2.describe_volumes()["Volumes"] == []
    assert client(CONSUMER).list_volumes_in_recycle_bin()["Volumes"] == []
    assert error_code(ec2.list_volumes_in_recycle_bin, VolumeIds=[lost]) == "InvalidVolume.NotFound"
    assert error_code(ec2.list_volumes_in_recycle_bin, MaxResults=501) == "InvalidParameterValue"
