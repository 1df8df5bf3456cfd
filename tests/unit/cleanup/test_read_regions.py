# SPDX-License-Identifier: GPL-3.0-or-later

"""How a region's images, snapshots and what names them are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.errors import IncompleteAnswer
from ansible_collections.golden.images.plugins.module_utils.cleanup import read_regions as own_images
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import (
    OwnSnapshot,
    RegionState,
    RetentionRule,
)
from ansible_collections.golden.images.plugins.module_utils.cleanup.usage import (
    Instance,
    LaunchConfiguration,
    Launcher,
    Parameter,
    Pin,
    TemplateVersion,
)
from ansible_collections.golden.images.plugins.module_utils.model import ImageRef
from botocore.exceptions import ClientError

from tests.unit.cleanup.examples import GROUP, NOW
from tests.unit.examples import OWNER
from tests.unit.wire import Wire, answering

EVERY_IMAGE = {"Owners": ["self"], "IncludeDeprecated": True, "IncludeDisabled": True, "MaxResults": 1000}
LIVING = ["pending", "running", "shutting-down", "stopping", "stopped"]
INSTANCES = {"Filters": [{"Name": "instance-state-name", "Values": LIVING}], "MaxResults": 1000}
VERSIONS = {"Versions": ["$Latest", "$Default"], "MaxResults": 200}
PARAMETERS = {"ParameterFilters": [{"Key": "Type", "Values": ["String", "StringList"]}], "MaxResults": 50}
ARCHIVING = {
    "Filters": [{"Name": "last-tiering-operation", "Values": ["archival-in-progress"]}],
    "MaxResults": 1000,
}
RESTORED = "permanent-restore-completed"
UNSETTLED = {
    "Filters": [
        {
            "Name": "last-tiering-operation",
            "Values": [
                "archival-in-progress",
                "permanent-restore-in-progress",
                "permanent-restore-completed",
            ],
        }
    ],
    "MaxResults": 1000,
}
IMAGE = {
    "ImageId": "ami-1",
    "Name": "web",
    "OwnerId": OWNER,
    "State": "available",
    "CreationDate": "2026-01-02T03:04:05.000Z",
}


def test_the_services_whose_clients_are_made_before_the_reads() -> None:
    assert set(own_images.services()) == {"autoscaling", "ec2", "rbin", "ssm"}


def test_an_image_with_what_decides_about_it() -> None:
    wire = Wire("ec2")
    made = {
        **IMAGE,
        "DeregistrationProtection": "enabled-with-cooldown",
        "ImageOwnerAlias": "aws-backup-vault",
        "LastLaunchedTime": "2026-02-03T04:05:06.000Z",
        "SourceImageId": "ami-0",
        "SourceImageRegion": "us-east-1",
    }
    wire.expect("describe_images", EVERY_IMAGE, {"Images": [made], "NextToken": "more"})
    wire.expect("describe_images", {**EVERY_IMAGE, "NextToken": "more"}, {"Images": [IMAGE]})
    with wire.spoken():
        first, second = own_images.own_images(wire.client, "eu-west-1")
    assert first.created == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert first.last_launched == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert (first.protection, first.alias) == ("enabled-with-cooldown", "aws-backup-vault")
    assert (first.source, first.base) == (ImageRef("us-east-1", "ami-0"), None)
    assert first.described == made
    assert (second.last_launched, second.protection, second.source) == (None, "disabled", None)


@pytest.mark.parametrize("item", [{"CreationDate": "soon"}, {}])
def test_an_image_without_a_valid_creation_date_is_read(item: dict[str, str]) -> None:
    """botocore shape Image: the date is optional."""
    wire = Wire("ec2")
    undated = {key: value for key, value in IMAGE.items() if key != "CreationDate"}
    wire.expect("describe_images", EVERY_IMAGE, {"Images": [{**undated, **item}, IMAGE]})
    with wire.spoken():
        first, second = own_images.own_images(wire.client, "eu-west-1")
    assert first.created is None
    assert second.created is not None


def test_what_an_instance_was_started_from_is_no_source_of_a_copy() -> None:
    wire = Wire("ec2")
    made = {**IMAGE, "SourceInstanceId": "i-1", "SourceImageId": "ami-0", "SourceImageRegion": "eu-west-1"}
    wire.expect("describe_images", EVERY_IMAGE, {"Images": [made]})
    with wire.spoken():
        (image,) = own_images.own_images(wire.client, "eu-west-1")
    assert (image.source, image.base) == (None, ImageRef("eu-west-1", "ami-0"))


def test_snapshots_with_their_locks_but_not_with_those_that_expired() -> None:
    wire = Wire("ec2")
    until = datetime(2027, 1, 2, tzinfo=UTC)
    locks = [
        {"SnapshotId": "snap-1", "LockState": "governance", "LockExpiresOn": until},
        {"SnapshotId": "snap-2", "LockState": "expired", "LockExpiresOn": until},
    ]
    wire.expect("describe_locked_snapshots", {"MaxResults": 1000}, {"Snapshots": locks[:1], "NextToken": "t"})
    wire.expect("describe_locked_snapshots", {"MaxResults": 1000, "NextToken": "t"}, {"Snapshots": locks[1:]})
    found = [
        {"SnapshotId": "snap-1", "Description": "web", "AssociatedKmsKeys": [{"KmsKeyId": "arn:other"}]},
        {"SnapshotId": "snap-2", "StorageTier": "archive", "Tags": [{"Key": "a", "Value": "b"}]},
        {"SnapshotId": "snap-3", "StorageTier": "standard", "RestoreExpiryTime": until},
        {"SnapshotId": "snap-4", "StorageTier": "standard"},
        {"SnapshotId": "snap-5", "StorageTier": "standard"},
    ]
    wire.expect(
        "describe_snapshot_tier_status", ARCHIVING, {"SnapshotTierStatuses": [{"SnapshotId": "snap-5"}]}
    )
    wire.expect("describe_snapshots", {"OwnerIds": ["self"], "MaxResults": 1000}, {"Snapshots": found})
    with wire.spoken():
        locked = dict(own_images.snapshot_locks(wire.client))
        archiving = own_images.archiving_snapshots(wire.client)
        assert own_images.own_snapshots(wire.client, locked, archiving) == (
            OwnSnapshot(
                "snap-1", "web", {}, locked="governance until 2027-01-02", associated_key_arns=("arn:other",)
            ),
            OwnSnapshot("snap-2", "", {"a": "b"}, archived=True),
            OwnSnapshot("snap-3", archived=True, restored_until=until),
            OwnSnapshot("snap-4"),
            OwnSnapshot("snap-5", archived=True),
        )


@pytest.mark.parametrize(
    ("shown", "counts"),
    [
        pytest.param({}, True, id="of unknown status"),
        pytest.param({"LastTieringOperationStatus": "archival-in-progress"}, True, id="is being archived"),
        pytest.param(
            {
                "LastTieringOperationStatus": "permanent-restore-in-progress",
                "LastTieringStartTime": NOW - timedelta(days=14),
            },
            True,
            id="is being restored",
        ),
        pytest.param({"LastTieringOperationStatus": RESTORED}, True, id="of unknown time"),
        pytest.param(
            {
                "LastTieringOperationStatus": RESTORED,
                "LastTieringStartTime": NOW - timedelta(days=14) + timedelta(seconds=1),
            },
            True,
            id="restored lately",
        ),
        pytest.param(
            {"LastTieringOperationStatus": RESTORED, "LastTieringStartTime": NOW - timedelta(days=14)},
            False,
            id="restored earlier",
        ),
    ],
)
def test_a_snapshot_that_was_restored_lately_counts_as_archived(shown: dict[str, Any], counts: bool) -> None:
    """Somebody may be about to enable its image (botocore shape SnapshotTierStatus)."""
    wire = Wire("ec2")
    found = [{"SnapshotId": "snap-1", **shown}]
    wire.expect("describe_snapshot_tier_status", UNSETTLED, {"SnapshotTierStatuses": found})
    with wire.spoken():
        assert own_images.unsettled_snapshots(wire.client, NOW) == ("snap-1",) * counts


@pytest.mark.parametrize(
    ("shown", "copied"),
    [
        ({"VolumeId": "vol-0123456789abcdef0"}, False),
        ({}, False),
        ({"VolumeId": "vol-0123456789abcdef0", "TransferType": "standard"}, True),
        ({"VolumeId": "vol-ffffffff"}, True),
    ],
)
def test_a_copied_snapshot_is_known_by_its_transfer_type_or_volume(
    shown: dict[str, Any], copied: bool
) -> None:
    wire = Wire("ec2")
    answer = {"Snapshots": [{"SnapshotId": "snap-1", **shown}]}
    wire.expect("describe_snapshots", {"OwnerIds": ["self"], "MaxResults": 1000}, answer)
    with wire.spoken():
        assert own_images.own_snapshots(wire.client, {}, ()) == (OwnSnapshot("snap-1", copied=copied),)


def test_a_temporarily_restored_snapshot_is_archived() -> None:
    """EBS User Guide, "View archived snapshots": its storage tier is standard."""
    until = datetime(2027, 1, 2, tzinfo=UTC)
    assert own_images.archive_of({"StorageTier": "standard", "RestoreExpiryTime": until}) == {
        "archived": True,
        "restored_until": until,
    }
    for tier, archived in (("archive", True), ("standard", False), (None, False)):
        item = {"StorageTier": tier} if tier else {}
        assert own_images.archive_of(item) == {"archived": archived, "restored_until": None}


def test_an_older_botocore_cannot_read_what_aws_services_hide() -> None:
    """Without the parameter the reads are made, for what they show, and what they may hide counts as use."""
    wire = Wire("ec2")
    model = wire.client.meta.service_model
    for operation in ("DescribeInstances", "DescribeLaunchTemplateVersions"):
        del model.operation_model(operation).input_shape.members["IncludeManagedResources"]
    wire.expect("describe_instances", INSTANCES, {"Reservations": []})
    with wire.spoken():
        assert own_images.instances(wire.client) == ()
    first, second = own_images.hidden(wire.client)
    assert (first.subject, second.subject) == ("DescribeInstances", "DescribeLaunchTemplateVersions")
    assert (first.kind, first.firm) == ("unreadable", False)
    assert "botocore 1.42.94 or newer" in first.detail
    assert own_images.hidden(Wire("ec2").client) == ()


def test_instances_and_templates() -> None:
    wire = Wire("ec2")
    instance = {"InstanceId": "i-1", "ImageId": "ami-1", "State": {"Name": "stopped"}}
    wire.expect("describe_instances", INSTANCES, {"Reservations": [{"Instances": [instance]}]})
    data = {"ImageId": "ami-1", "BlockDeviceMappings": [{"Ebs": {"SnapshotId": "snap-1"}}, {"NoDevice": ""}]}
    versions = [
        {"LaunchTemplateId": "lt-1", "VersionNumber": 2, "LaunchTemplateData": data},
        {"LaunchTemplateId": "lt-2", "VersionNumber": 1, "LaunchTemplateData": {}},
    ]
    wire.expect("describe_launch_template_versions", VERSIONS, {"LaunchTemplateVersions": versions})
    with wire.spoken():
        assert own_images.instances(wire.client) == (Instance("i-1", "ami-1", "stopped"),)
        assert own_images.template_versions(wire.client) == (
            TemplateVersion("lt-1", 2, "ami-1", ("snap-1",)),
            TemplateVersion("lt-2", 1, ""),
        )


def test_pinned_versions_by_id_and_by_name_as_far_as_they_exist() -> None:
    """EC2 API Reference, DescribeLaunchTemplateVersions: a missing version fails the whole request."""
    wire = Wire("ec2")
    by_id = {"LaunchTemplateId": "lt-1", "Versions": ["3"]}
    version = {
        "LaunchTemplateId": "lt-1",
        "LaunchTemplateName": "web",
        "VersionNumber": 3,
        "LaunchTemplateData": {"ImageId": "resolve:ssm:/web:1"},
    }
    wire.expect("describe_launch_template_versions", by_id, {"LaunchTemplateVersions": [version]})
    by_name = {"LaunchTemplateName": "other", "Versions": ["1"]}
    wire.refuse("describe_launch_template_versions", by_name, "InvalidLaunchTemplateId.VersionNotFound")
    wire.refuse("describe_launch_template_versions", by_id, "UnauthorizedOperation")
    pins = (Pin("lt-1", 3), Pin("other", 1, by_id=False))
    with wire.spoken():
        found = own_images.pinned_versions(wire.client, pins)
        assert found == (TemplateVersion("lt-1", 3, "resolve:ssm:/web:1", (), "web"),)
        with pytest.raises(ClientError):
            own_images.pinned_versions(wire.client, pins[:1])


def test_launch_configurations_with_their_groups() -> None:
    wire = Wire("autoscaling")
    groups = (Launcher("auto_scaling_group", "blue", configuration="lc"),)
    found = [
        {
            "LaunchConfigurationName": name,
            "ImageId": "ami-1",
            "InstanceType": "t3.micro",
            "CreatedTime": datetime(2026, 1, 1, tzinfo=UTC),
            "BlockDeviceMappings": [
                {"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": f"snap-{name}"}},
                {"DeviceName": "/dev/sdc", "Ebs": {"VolumeSize": 8}},
                {"DeviceName": "/dev/sdd", "NoDevice": True},
            ],
        }
        for name in ("lc", "unused")
    ]
    wire.expect("describe_launch_configurations", {}, {"LaunchConfigurations": found})
    with wire.spoken():
        assert own_images.launch_configurations(wire.client, groups) == (
            LaunchConfiguration("lc", "ami-1", ("blue",), ("snap-lc",)),
            LaunchConfiguration("unused", "ami-1", (), ("snap-unused",)),
        )


def test_parameters_are_read_ten_at_a_time() -> None:
    wire = Wire("ssm")
    names = [f"/{number}" for number in range(11)]
    wire.expect("describe_parameters", PARAMETERS, {"Parameters": [{"Name": one} for one in names]})
    for batch in (names[:10], names[10:]):
        values = [{"Name": one, "Value": f"ami{one}", "Version": 1} for one in batch]
        wire.expect("get_parameters", {"Names": batch}, {"Parameters": values})
    with wire.spoken():
        assert own_images.parameters(wire.client) == tuple(Parameter(one, f"ami{one}", 1) for one in names)


def test_a_tombstone_names_its_image_and_does_not_use_it() -> None:
    """By their names, beside which others may have their place."""
    wire = Wire("ssm")
    names = ["/golden", "/golden/eu-west-1", "/golden/eu-west-1/ami-0a", "/golden/eu-west-1/ami-0a/b"]
    names += ["/x/golden/eu-west-1/ami-0a", "/golden/web/latest"]
    read = [one for one in names if one != "/golden/eu-west-1/ami-0a"]
    wire.expect("describe_parameters", PARAMETERS, {"Parameters": [{"Name": one} for one in names]})
    values = [{"Name": one, "Value": "ami-0a", "Version": 1} for one in read]
    wire.expect("get_parameters", {"Names": read}, {"Parameters": values})
    with wire.spoken():
        found = own_images.parameters(wire.client, tombstone_path="/golden/")
    assert [one.name for one in found] == read


# Botocore shapes Parameter (Version, DataType) and ParameterHistory (Labels).
def test_earlier_versions_with_a_label_are_found_by_their_labels() -> None:
    wire = Wire("ssm")
    image, older = "ami-0123456789abcdef0", "ami-0123456789abcdef1"
    typed = {"DataType": "aws:ec2:image"}
    values = [
        {"Name": "/web", "Value": image, "Version": 4, **typed},
        {"Name": "/first", "Value": image, "Version": 1, **typed},
        {"Name": "/plain", "Value": image, "Version": 2},
        {"Name": "/text", "Value": f"is {image}", "Version": 2},
        {"Name": "/gone", "Value": image, "Version": 2, **typed},
    ]
    names = [{"Name": one["Name"]} for one in values]
    wire.expect("describe_parameters", PARAMETERS, {"Parameters": names})
    wire.expect("get_parameters", {"Names": [one["Name"] for one in values]}, {"Parameters": values})
    first = [
        {"Version": 1, "Value": older, "Labels": ["prod", "source-ami-0"]},
        {"Version": 2, "Value": older},
    ]
    # It was published again after its latest value was read.
    rest = [
        {"Version": 4, "Value": image, "Labels": ["new"]},
        {"Version": 5, "Value": older, "Labels": ["newer"]},
    ]
    asked = {"Name": "/web", "MaxResults": 50}
    wire.expect("get_parameter_history", asked, {"Parameters": first, "NextToken": "more"})
    wire.expect("get_parameter_history", {**asked, "NextToken": "more"}, {"Parameters": rest})
    plain = [{"Version": 1, "Value": older, "Labels": ["old"]}]
    wire.expect("get_parameter_history", {**asked, "Name": "/plain"}, {"Parameters": plain})
    wire.refuse("get_parameter_history", {**asked, "Name": "/gone"}, "ParameterNotFound")
    with wire.spoken():
        found = own_images.labeled_versions(wire.client, own_images.parameters(wire.client))
    assert [(one.name, one.value, one.version) for one in found] == [
        ("/web:prod", older, 1),
        ("/web:source-ami-0", older, 1),
        ("/web:newer", older, 5),
        ("/plain:old", older, 1),
    ]
    wire.refuse("get_parameter_history", asked, "AccessDeniedException")
    with wire.spoken(), pytest.raises(ClientError):
        own_images.labeled_versions(wire.client, [Parameter("/web", image, 4)])


def test_parameters_are_found_by_version_label_and_arn() -> None:
    wire = Wire("ssm")
    arn = "arn:aws:ssm:eu-west-1:999988887777:parameter/shared"
    names = ["/web:3", "/web:prod", arn, "/gone", "/web:99", f"{arn}/other"]
    for name, image in (("/web:3", "ami-3"), ("/web:prod", "ami-p"), (arn, "ami-s")):
        wire.expect("get_parameter", {"Name": name}, {"Parameter": {"Name": "x", "Value": image}})
    wire.refuse("get_parameter", {"Name": "/gone"}, "ParameterNotFound")
    wire.refuse("get_parameter", {"Name": "/web:99"}, "ParameterVersionNotFound")
    wire.refuse("get_parameter", {"Name": f"{arn}/other"}, "ParameterNotFound")
    with wire.spoken():
        assert own_images.selected_parameters(wire.client, names) == (
            Parameter("/web:3", "ami-3"),
            Parameter("/web:prod", "ami-p"),
            Parameter(arn, "ami-s"),
            Parameter("/gone", ""),
            Parameter("/web:99", ""),
        )
    wire = Wire("ssm")
    wire.refuse("get_parameter", {"Name": "/web:3"}, "AccessDeniedException")
    with wire.spoken(), pytest.raises(ClientError):
        own_images.selected_parameters(wire.client, ["/web:3"])


def test_recycle_bin_rules_with_their_tags_if_they_retain_already() -> None:
    wire = Wire("rbin")
    period = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
    for resource_type, ids in (("EC2_IMAGE", ("one", "two")), ("EBS_SNAPSHOT", ("three",))):
        rules = [{"Identifier": one, "RetentionPeriod": period} for one in ids]
        wire.expect("list_rules", {"ResourceType": resource_type}, {"Rules": rules})
        for one in ids:
            answer: dict[str, Any] = {
                "ResourceType": resource_type,
                "RetentionPeriod": period,
                "Status": "available",
            }
            if one == "one":
                answer["ResourceTags"] = [{"ResourceTagKey": "a", "ResourceTagValue": "b"}]
            if one == "two":
                answer["Status"] = "pending"
            if one == "three":
                answer["ExcludeResourceTags"] = [{"ResourceTagKey": "c"}]
            wire.expect("get_rule", {"Identifier": one}, answer)
    with wire.spoken():
        assert own_images.retention_rules(wire.client) == (
            RetentionRule("EC2_IMAGE", 7, (("a", "b"),)),
            RetentionRule("EBS_SNAPSHOT", 7, excluded=(("c", ""),)),
        )


def test_a_rule_that_was_deleted_since_it_was_listed_is_no_rule() -> None:
    """(botocore operation GetRule, errors.)"""
    for code, is_gone in (("ResourceNotFoundException", True), ("AccessDeniedException", False)):
        wire = Wire("rbin")
        listed = {"Rules": [{"Identifier": "gone"}, {"Identifier": "kept"}]}
        wire.expect("list_rules", {"ResourceType": "EC2_IMAGE"}, listed)
        wire.refuse("get_rule", {"Identifier": "gone"}, code)
        if is_gone:
            period = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
            answer = {"ResourceType": "EC2_IMAGE", "Status": "available", "RetentionPeriod": period}
            wire.expect("get_rule", {"Identifier": "kept"}, answer)
            wire.expect("list_rules", {"ResourceType": "EBS_SNAPSHOT"}, {"Rules": []})
        with wire.spoken():
            if is_gone:
                assert own_images.retention_rules(wire.client) == (RetentionRule("EC2_IMAGE", 7),)
            else:
                with pytest.raises(ClientError, match=code):
                    own_images.retention_rules(wire.client)


STORED = {"AmiId": "ami-0123456789abcdef9", "Bucket": "b", "S3objectKey": "k", "StoreTaskState": "InProgress"}


def task_request(state: str, size: int) -> dict[str, Any]:
    return {"Filters": [{"Name": "task-state", "Values": [state]}], "MaxResults": size}


class Wires:
    """The clients of one region, each answering from a script."""

    def __init__(self, default_region: str, **wires: Wire) -> None:
        self.default_region = default_region
        self._wires = wires

    def ec2(self, _region: str) -> Any:
        return self._wires["ec2"].client

    def ssm(self, _region: str) -> Any:
        return self._wires["ssm"].client

    def client(self, service: str, _region: str) -> Any:
        return self._wires[service].client


def region_where(
    refused: str, named: Sequence[str] = (), read: Sequence[str] = (), default_region: str = "eu-west-1"
) -> RegionState:
    """A region with one image, where one call is refused, and of the parameters named there some are read."""
    values = [{"Name": one, "Value": "ami-0123456789abcdef0", "Version": 2} for one in read]
    history = [{"Version": 1, "Value": "ami-0123456789abcdef1", "Labels": ["old"]}]
    ec2, ssm, autoscaling, rbin = (Wire(one) for one in ("ec2", "ssm", "autoscaling", "rbin"))
    script: list[tuple[Wire, str, dict[str, Any], dict[str, Any]]] = [
        (ec2, "describe_images", EVERY_IMAGE, {"Images": [IMAGE]}),
        (autoscaling, "describe_auto_scaling_groups", {}, {"AutoScalingGroups": [GROUP]}),
        (
            autoscaling,
            "describe_instance_refreshes",
            {"AutoScalingGroupName": "web"},
            {"InstanceRefreshes": []},
        ),
        (ec2, "describe_fleets", {"MaxResults": 1000}, {"Fleets": []}),
        (ec2, "describe_spot_fleet_requests", {"MaxResults": 1000}, {"SpotFleetRequestConfigs": []}),
        (ec2, "describe_spot_instance_requests", {"MaxResults": 1000}, {"SpotInstanceRequests": []}),
        (ec2, "describe_launch_template_versions", VERSIONS, {"LaunchTemplateVersions": []}),
        (ec2, "describe_instances", INSTANCES, {"Reservations": []}),
        (autoscaling, "describe_launch_configurations", {}, {"LaunchConfigurations": []}),
        (
            ec2,
            "describe_store_image_tasks",
            task_request("InProgress", 200),
            {"StoreImageTaskResults": [STORED]},
        ),
        (ec2, "describe_export_image_tasks", task_request("active", 500), {"ExportImageTasks": []}),
        (ssm, "describe_parameters", PARAMETERS, {"Parameters": [{"Name": one} for one in named]}),
        *([(ssm, "get_parameters", {"Names": list(read)}, {"Parameters": values})] if read else []),
        *(
            (ssm, "get_parameter_history", {"Name": one, "MaxResults": 50}, {"Parameters": history})
            for one in read
        ),
        (ec2, "describe_locked_snapshots", {"MaxResults": 1000}, {"Snapshots": []}),
        (ec2, "describe_snapshot_tier_status", UNSETTLED, {"SnapshotTierStatuses": []}),
        (
            ec2,
            "describe_snapshots",
            {"OwnerIds": ["self"], "MaxResults": 1000},
            {"Snapshots": [{"SnapshotId": "snap-1"}]},
        ),
        (ec2, "list_images_in_recycle_bin", {"MaxResults": 1000}, {"Images": []}),
        (rbin, "list_rules", {"ResourceType": "EC2_IMAGE"}, {"Rules": []}),
        (rbin, "list_rules", {"ResourceType": "EBS_SNAPSHOT"}, {"Rules": []}),
    ]
    skipped = {
        "describe_auto_scaling_groups": "describe_instance_refreshes",
    }
    for wire, method, request, answer in script:
        if method == refused:
            wire.refuse(method, request, "UnauthorizedOperation", "No.")
            if method == "list_rules":
                break
        elif method != skipped.get(refused):
            wire.expect(method, request, answer)
    clients: Any = Wires(default_region, ec2=ec2, ssm=ssm, autoscaling=autoscaling, rbin=rbin)
    with ec2.spoken(), ssm.spoken(), autoscaling.spoken(), rbin.spoken():
        return own_images.region(clients, "eu-west-1", tombstone_path="/golden")


def test_only_in_the_region_of_the_tombstones_parameters_can_be_such() -> None:
    for default_region, read in (("eu-west-1", []), ("us-east-1", ["/golden/eu-west-1/ami-0a"])):
        facts = region_where("nothing", ["/golden/eu-west-1/ami-0a"], read, default_region)
        named = ["ami-0123456789abcdef0", "ami-0123456789abcdef1"][: 2 * len(read)]
        assert sorted(facts.uses) == [*named, STORED["AmiId"]]


def test_what_cannot_be_read_speaks_for_every_image_and_frees_no_snapshot() -> None:
    for method in (
        "describe_instances",
        "describe_launch_template_versions",
        "describe_auto_scaling_groups",
        "describe_instance_refreshes",
        "describe_fleets",
        "describe_spot_fleet_requests",
        "describe_spot_instance_requests",
        "describe_store_image_tasks",
        "describe_export_image_tasks",
        "describe_launch_configurations",
        "describe_parameters",
        "get_parameter_history",
    ):
        names = ["/web"] if method == "get_parameter_history" else []
        facts = region_where(method, names, names)
        (evidence,) = facts.unread
        assert evidence.kind == "unreadable", method
        assert "UnauthorizedOperation: No." in evidence.detail
        assert evidence.remedy.startswith("Allow ")
        # All else is kept.
        assert (len(facts.images), set(facts.snapshots), facts.deletions_unread) == (1, {"snap-1"}, ())


@pytest.mark.parametrize(
    ("method", "snapshots"),
    [
        ("describe_locked_snapshots", {"snap-1"}),
        ("describe_snapshot_tier_status", {"snap-1"}),
        ("describe_snapshots", set()),
        ("list_images_in_recycle_bin", {"snap-1"}),
    ],
)
def test_what_only_deletions_need_is_no_use(method: str, snapshots: set[str]) -> None:
    facts = region_where(method)
    (evidence,) = facts.deletions_unread
    assert (evidence.kind, facts.unread) == ("unreadable", ())
    assert set(facts.snapshots) == snapshots


@pytest.mark.parametrize(("method", "unread"), [("list_rules", ["ListRules"]), ("nothing", [])])
def test_without_retention_rules_nothing_else_is_different(method: str, unread: list[str]) -> None:
    facts = region_where(method)
    assert [one.subject for one in facts.rules_unread] == unread
    assert (facts.rules, facts.unread, set(facts.snapshots)) == ((), (), {"snap-1"})


def versions(**members: Any) -> dict[str, Any]:
    whole = {"LaunchTemplateId": "lt-1", "VersionNumber": 1, "LaunchTemplateData": {}, **members}
    version = {name: value for name, value in whole.items() if value is not None}
    return {"describe_launch_template_versions": {"LaunchTemplateVersions": [version]}}


def instances_with(**members: Any) -> dict[str, Any]:
    whole = {"InstanceId": "i-1", "ImageId": "ami-1", "State": {"Name": "running"}, **members}
    instance = {name: value for name, value in whole.items() if value is not None}
    return {"describe_instances": {"Reservations": [{"Instances": [instance]}]}}


def latest(**members: Any) -> dict[str, Any]:
    whole = {"Name": "/web", "Value": "ami-1", "Version": 2, **members}
    parameter = {name: value for name, value in whole.items() if value is not None}
    listed = {"describe_parameters": {"Parameters": [{"Name": "/web"}]}}
    return {**listed, "get_parameters": {"Parameters": [parameter]}}


IMAGE_PARAMETER = (Parameter("/web", "ami-0123456789abcdef0", 2),)
INCOMPLETE: list[tuple[str, Any, dict[str, Any], str]] = [
    ("ec2", lambda ec2: own_images.own_images(ec2, "eu-west-1"), {"describe_images": {}}, "Images"),
    ("ec2", own_images.snapshot_locks, {"describe_locked_snapshots": {}}, "Snapshots"),
    (
        "ec2",
        own_images.snapshot_locks,
        {"describe_locked_snapshots": {"Snapshots": [{"LockState": "compliance"}]}},
        "SnapshotId",
    ),
    (
        "ec2",
        own_images.archiving_snapshots,
        {"describe_snapshot_tier_status": {"SnapshotTierStatuses": [{}]}},
        "SnapshotId",
    ),
    (
        "ec2",
        lambda ec2: own_images.unsettled_snapshots(ec2, NOW),
        {"describe_snapshot_tier_status": {}},
        "SnapshotTierStatuses",
    ),
    ("ec2", lambda ec2: own_images.own_snapshots(ec2, {}, ()), {"describe_snapshots": {}}, "Snapshots"),
    ("ec2", own_images.instances, {"describe_instances": {}}, "Reservations"),
    ("ec2", own_images.instances, {"describe_instances": {"Reservations": [{}]}}, "Instances"),
    ("ec2", own_images.instances, instances_with(ImageId=None), "ImageId"),
    ("ec2", own_images.instances, instances_with(InstanceId=None), "InstanceId"),
    ("ec2", own_images.instances, instances_with(State=None), "State"),
    (
        "ec2",
        own_images.template_versions,
        {"describe_launch_template_versions": {}},
        "LaunchTemplateVersions",
    ),
    ("ec2", own_images.template_versions, versions(LaunchTemplateData=None), "LaunchTemplateData"),
    ("ec2", own_images.template_versions, versions(LaunchTemplateId=None), "LaunchTemplateId"),
    ("ec2", own_images.template_versions, versions(VersionNumber=None), "VersionNumber"),
    (
        "ec2",
        lambda ec2: own_images.pinned_versions(ec2, [Pin("lt-1", 1)]),
        {"describe_launch_template_versions": {}},
        "LaunchTemplateVersions",
    ),
    ("ec2", own_images.binned_images, {"list_images_in_recycle_bin": {}}, "Images"),
    ("ec2", own_images.binned_images, {"list_images_in_recycle_bin": {"Images": [{}]}}, "ImageId"),
    ("ssm", own_images.parameters, {"describe_parameters": {}}, "Parameters"),
    ("ssm", own_images.parameters, {"describe_parameters": {"Parameters": [{}]}}, "Name"),
    ("ssm", own_images.parameters, {**latest(), "get_parameters": {}}, "Parameters"),
    ("ssm", own_images.parameters, latest(Value=None), "Value"),
    # Earlier versions with labels are read only if there are several.
    ("ssm", own_images.parameters, latest(Version=None), "Version"),
    (
        "ssm",
        lambda ssm: own_images.labeled_versions(ssm, IMAGE_PARAMETER),
        {"get_parameter_history": {}},
        "Parameters",
    ),
    (
        "ssm",
        lambda ssm: own_images.labeled_versions(ssm, IMAGE_PARAMETER),
        {"get_parameter_history": {"Parameters": [{"Value": "ami-1", "Labels": ["old"]}]}},
        "Version",
    ),
    (
        "ssm",
        lambda ssm: own_images.labeled_versions(ssm, IMAGE_PARAMETER),
        {"get_parameter_history": {"Parameters": [{"Version": 1, "Labels": ["old"]}]}},
        "Value",
    ),
    ("ssm", lambda ssm: own_images.selected_parameters(ssm, ["/web:1"]), {"get_parameter": {}}, "Parameter"),
    (
        "ssm",
        lambda ssm: own_images.selected_parameters(ssm, ["/web:1"]),
        {"get_parameter": {"Parameter": {"Name": "/web"}}},
        "Value",
    ),
]


@pytest.mark.parametrize(("service", "reader", "answers", "member"), INCOMPLETE)
def test_an_incomplete_response_hides_no_use(
    service: str, reader: Any, answers: dict[str, Any], member: str
) -> None:
    """A failed read counts as use of all images of the region (``Attempts``)."""
    client = answering(service, **answers)
    with pytest.raises(IncompleteAnswer, match=f"lacks {member}"):
        reader(client)
    attempt = own_images.Attempts()
    assert attempt("Read", lambda: reader(client)) == ()
    (problem,) = attempt.problems
    assert (problem.kind, problem.firm) == ("unreadable", False)
    assert problem.detail.startswith("incomplete_response: AWS's response to ")


def test_images_in_the_recycle_bin_have_the_time_when_they_were_moved_there() -> None:
    images = [{"ImageId": "ami-1", "RecycleBinEnterTime": NOW}, {"ImageId": "ami-2"}]
    ec2 = answering("ec2", list_images_in_recycle_bin={"Images": images})
    assert own_images.binned_images(ec2) == (("ami-1", NOW), ("ami-2", None))


@pytest.mark.parametrize(("exits", "stays"), [(NOW, False), (NOW + timedelta(seconds=1), True), (None, True)])
def test_an_image_whose_retention_has_expired_is_left_out_if_asked_for(
    exits: datetime | None, stays: bool
) -> None:
    """The cleanup does not ask: the snapshots of what AWS lists are kept."""
    image = {"ImageId": "ami-1", **({"RecycleBinExitTime": exits} if exits else {})}
    ec2 = answering("ec2", list_images_in_recycle_bin={"Images": [image]})
    assert own_images.stays_in_bin(image, NOW) is stays
    assert own_images.binned_images(ec2, NOW) == (("ami-1", None),) * stays
    ec2 = answering("ec2", list_images_in_recycle_bin={"Images": [image]})
    assert own_images.binned_images(ec2) == (("ami-1", None),)


def test_a_lock_without_a_state_is_one() -> None:
    locks = {"Snapshots": [{"SnapshotId": "snap-1"}]}
    snapshots = {"Snapshots": [{"SnapshotId": "snap-1"}, {"SnapshotId": "snap-2"}]}
    ec2 = answering("ec2", describe_locked_snapshots=locks, describe_snapshots=snapshots)
    locked = dict(own_images.snapshot_locks(ec2))
    assert [one.locked for one in own_images.own_snapshots(ec2, locked, ())] == ["locked", ""]


def test_a_rule_without_a_status_is_not_in_effect() -> None:
    rule = {"ResourceType": "EC2_IMAGE", "RetentionPeriod": {"RetentionPeriodValue": 7}}
    listed = {"Rules": [{"Identifier": "r-1"}]}
    assert own_images.retention_rules(answering("rbin", list_rules=listed, get_rule=rule)) == ()
    with pytest.raises(IncompleteAnswer, match="GetRule lacks RetentionPeriod"):
        own_images.retention_rules(
            answering(
                "rbin", list_rules=listed, get_rule={"Status": "available", "ResourceType": "EC2_IMAGE"}
            )
        )
