# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads of single images and snapshots, and what a refused read returns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws import read
from ansible_collections.golden.images.plugins.module_utils.aws.errors import IncompleteAnswer
from ansible_collections.golden.images.plugins.module_utils.cleanup import read_usage as image_use
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import Evidence, SnapshotUsage
from ansible_collections.golden.images.plugins.module_utils.model import ImageRef, Sharing
from botocore.exceptions import ClientError

from tests.unit.cleanup.examples import own
from tests.unit.examples import CONSUMER, OWNER
from tests.unit.wire import Wire, answering

LIVING = ["pending", "running", "shutting-down", "stopping", "stopped"]
NOW = datetime(2026, 11, 24, tzinfo=UTC)
SHARED = {"LaunchPermissions": [{"UserId": CONSUMER}]}


def asked(*image_ids: str) -> dict[str, Any]:
    """The request for what refers to these images: living instances, all versions, everything else."""
    return {
        "ImageIds": list(image_ids),
        "MaxResults": 1000,
        "ResourceTypes": [
            {
                "ResourceType": "ec2:Instance",
                "ResourceTypeOptions": [{"OptionName": "state-name", "OptionValues": LIVING}],
            },
            {
                "ResourceType": "ec2:LaunchTemplate",
                "ResourceTypeOptions": [{"OptionName": "version-depth", "OptionValues": ["10000"]}],
            },
            {"ResourceType": "ssm:Parameter"},
            {"ResourceType": "imagebuilder:ImageRecipe"},
            {"ResourceType": "imagebuilder:ContainerRecipe"},
        ],
    }


def test_references_of_several_images_take_one_call() -> None:
    wire = Wire("ec2")
    found = [{"ImageId": "ami-1", "ResourceType": "ssm:Parameter", "Arn": "arn:x"}]
    wire.expect("describe_image_references", asked("ami-1", "ami-2"), {"ImageReferences": found})
    with wire.spoken():
        assert image_use.references(wire.client, ["ami-1", "ami-2"]) == {
            "ami-1": (Evidence("ssm:Parameter", "arn:x"),),
            "ami-2": (),
        }


def test_a_reference_from_a_tombstone_is_no_use() -> None:
    wire = Wire("ec2")
    arn = f"arn:aws:ssm:eu-west-1:{OWNER}:parameter/golden"
    found = [
        {"ImageId": "ami-1", "ResourceType": "ssm:Parameter", "Arn": f"{arn}/eu-west-1/ami-1"},
        {"ImageId": "ami-1", "ResourceType": "ssm:Parameter", "Arn": f"{arn}/web"},
    ]
    for _read in range(2):
        wire.expect("describe_image_references", asked("ami-1"), {"ImageReferences": found})
    with wire.spoken():
        assert image_use.references(wire.client, ["ami-1"], "/golden") == {
            "ami-1": (Evidence("ssm:Parameter", f"{arn}/web"),)
        }
        assert len(image_use.references(wire.client, ["ami-1"])["ami-1"]) == 2


@pytest.mark.parametrize(("state", "asks"), [("available", True), ("disabled", False), ("failed", False)])
def test_what_cannot_be_shared_is_not_asked_about(state: str, asks: bool) -> None:
    wire = Wire("ec2")
    if asks:
        wire.expect("describe_image_attribute", {"ImageId": "ami-1", "Attribute": "launchPermission"}, SHARED)
    with wire.spoken():
        found = image_use.launch_permissions(wire.client, own(state=state))
    assert found == (Sharing(frozenset({CONSUMER})) if asks else Sharing())


def test_the_permissions_of_a_snapshot_and_none_of_one_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire("ec2")
    monkeypatch.setattr(read, "_PROBABLY_GONE_TIMEOUT", 0.0)
    request = {"SnapshotId": "snap-1", "Attribute": "createVolumePermission"}
    permissions = {"CreateVolumePermissions": [{"UserId": CONSUMER}]}
    wire.expect("describe_snapshot_attribute", request, permissions)
    wire.refuse("describe_snapshot_attribute", request, "InvalidSnapshot.NotFound")
    wire.refuse("describe_snapshot_attribute", request, "UnauthorizedOperation")
    with wire.spoken():
        assert image_use.snapshot_usage(wire.client, "snap-1").sharing.account_ids == {CONSUMER}
        assert image_use.snapshot_usage(wire.client, "snap-1") == SnapshotUsage()
        with pytest.raises(ClientError):
            image_use.snapshot_usage(wire.client, "snap-1")


def test_the_newest_report_counts_with_its_own_entries_only() -> None:
    wire = Wire("ec2")
    old = {
        "ImageId": "ami-1",
        "ReportId": "r-1",
        "State": "available",
        "CreationTime": NOW - timedelta(days=9),
    }
    depth = [{"OptionName": "version-depth", "OptionValues": ["10000"]}]
    types = [
        {"ResourceType": "ec2:Instance"},
        {"ResourceType": "ec2:LaunchTemplate", "ResourceTypeOptions": depth},
    ]
    new = {**old, "ReportId": "r-2", "CreationTime": NOW, "ResourceTypes": types}
    wire.expect(
        "describe_image_usage_reports", {"ImageIds": ["ami-1", "ami-2"]}, {"ImageUsageReports": [new, old]}
    )
    entries = [
        {"ImageId": "ami-1", "ReportId": report, "AccountId": CONSUMER, "UsageCount": count}
        for report, count in (("r-1", 9), ("r-2", 1), ("r-2", 2))
    ]
    wire.expect(
        "describe_image_usage_report_entries", {"ImageIds": ["ami-1"]}, {"ImageUsageReportEntries": entries}
    )
    with wire.spoken():
        found = image_use.usage_reports(wire.client, ["ami-1", "ami-2"])
    assert set(found) == {"ami-1"}
    report = found["ami-1"]
    assert (report.state, report.created, report.used_by) == ("available", NOW, {CONSUMER: 3})
    assert report.report_id == "r-2"
    assert report.resource_types == {"ec2:Instance", "ec2:LaunchTemplate"}
    assert report.template_versions == 10_000


def test_reports_that_are_pending() -> None:
    """(botocore shape DescribeImageUsageReportsRequest, Filters.)"""
    wire = Wire("ec2")
    request = {"ImageIds": ["ami-1", "ami-2"], "Filters": [{"Name": "state", "Values": ["pending"]}]}
    first = {"ImageUsageReports": [{"ImageId": "ami-2", "ReportId": "r-1"}], "NextToken": "n"}
    wire.expect("describe_image_usage_reports", request, first)
    wire.expect("describe_image_usage_reports", {**request, "NextToken": "n"}, {"ImageUsageReports": []})
    with wire.spoken():
        assert image_use.pending_reports(wire.client, ["ami-1", "ami-2"]) == {"ami-2"}


@pytest.mark.parametrize(
    ("types", "versions"),
    [
        ([], 0),
        ([{"ResourceType": "ec2:Instance"}], 0),
        # The default (botocore shape ImageUsageResourceTypeOptionRequest).
        ([{"ResourceType": "ec2:LaunchTemplate"}], 20),
    ],
)
def test_how_many_versions_of_launch_templates_a_report_covers(
    types: list[dict[str, str]], versions: int
) -> None:
    wire = Wire("ec2")
    item = {"ImageId": "ami-1", "ReportId": "r-1", "State": "available", "CreationTime": NOW}
    answer = {"ImageUsageReports": [{**item, "ResourceTypes": types}]}
    wire.expect("describe_image_usage_reports", {"ImageIds": ["ami-1"]}, answer)
    wire.expect(
        "describe_image_usage_report_entries", {"ImageIds": ["ami-1"]}, {"ImageUsageReportEntries": []}
    )
    with wire.spoken():
        assert image_use.usage_reports(wire.client, ["ami-1"])["ami-1"].template_versions == versions


class Wires:
    """The clients of another account, each answering from a script."""

    def __init__(self, **wires: Any) -> None:
        self._wires = wires

    def ec2(self, _region: str) -> Any:
        return self._wires["ec2"].client

    def ssm(self, _region: str) -> Any:
        return self._wires["ssm"].client

    def client(self, service: str, _region: str) -> Any:
        return self._wires[service].client


IMAGE = "ami-0123456789abcdef0"
INSTANCES = {
    "Filters": [{"Name": "instance-state-name", "Values": LIVING}],
    "MaxResults": 1000,
}
PARAMETERS = {
    "ParameterFilters": [{"Key": "Type", "Values": ["String", "StringList"]}],
    "MaxResults": 50,
}
REFERENCE, CONFIGURATION, SELECTED = "ssm:Parameter arn:x", "launch_configuration lc", "parameter /web:3"
TEXTS = ("parameter /text", "parameter /text:old")
VERSIONS = {"Versions": ["$Latest", "$Default"], "MaxResults": 200}


@pytest.mark.parametrize(
    ("refused", "kinds"),
    [
        (None, [REFERENCE, CONFIGURATION, *TEXTS, SELECTED]),
        ("describe_image_references", [CONFIGURATION, *TEXTS, SELECTED, "unreadable"]),
        ("describe_fleets", [REFERENCE, CONFIGURATION, *TEXTS, SELECTED, "unreadable"]),
        ("describe_launch_configurations", [REFERENCE, *TEXTS, SELECTED, "unreadable"]),
        ("describe_parameters", [REFERENCE, CONFIGURATION, SELECTED, "unreadable"]),
        ("get_parameters", [REFERENCE, CONFIGURATION, SELECTED, "unreadable"]),
        ("get_parameter_history", [REFERENCE, CONFIGURATION, TEXTS[0], SELECTED, "unreadable"]),
        # Once for the read that failed, and once for the template that may use any image.
        ("get_parameter", [REFERENCE, CONFIGURATION, *TEXTS, "unreadable", "unreadable"]),
    ],
)
def test_uses_in_another_account_are_read(refused: str | None, kinds: list[str]) -> None:
    ec2, autoscaling, ssm = Wire("ec2"), Wire("autoscaling"), Wire("ssm")
    template = {
        "LaunchTemplateId": "lt-1",
        "VersionNumber": 1,
        "LaunchTemplateData": {"ImageId": "resolve:ssm:/web:3"},
    }
    configuration = {
        "LaunchConfigurationName": "lc",
        "ImageId": IMAGE,
        "InstanceType": "t3.micro",
        "CreatedTime": NOW,
    }
    found = [{"ImageId": IMAGE, "ResourceType": "ssm:Parameter", "Arn": "arn:x"}]
    text = {"Name": "/text", "Value": IMAGE, "Version": 2, "DataType": "text"}
    history = [{"Version": 1, "Value": IMAGE, "Labels": ["old"]}]
    script: list[tuple[Wire, str, dict[str, Any], dict[str, Any]]] = [
        (ec2, "describe_image_references", asked(IMAGE), {"ImageReferences": found}),
        (ec2, "describe_fleets", {"MaxResults": 1000}, {"Fleets": []}),
        (ec2, "describe_spot_fleet_requests", {"MaxResults": 1000}, {"SpotFleetRequestConfigs": []}),
        (ec2, "describe_spot_instance_requests", {"MaxResults": 1000}, {"SpotInstanceRequests": []}),
        (ec2, "describe_launch_template_versions", VERSIONS, {"LaunchTemplateVersions": [template]}),
        (ec2, "describe_instances", INSTANCES, {"Reservations": []}),
        (ssm, "describe_parameters", PARAMETERS, {"Parameters": [{"Name": "/text"}]}),
        (ssm, "get_parameters", {"Names": ["/text"]}, {"Parameters": [text]}),
        (ssm, "get_parameter_history", {"Name": "/text", "MaxResults": 50}, {"Parameters": history}),
        (ssm, "get_parameter", {"Name": "/web:3"}, {"Parameter": {"Value": IMAGE}}),
        (autoscaling, "describe_auto_scaling_groups", {}, {"AutoScalingGroups": []}),
        (autoscaling, "describe_launch_configurations", {}, {"LaunchConfigurations": [configuration]}),
    ]
    skipped = {
        "describe_parameters": ("get_parameters", "get_parameter_history"),
        "get_parameters": ("get_parameter_history",),
    }
    for wire, method, request, answer in script:
        if method == refused:
            wire.refuse(method, request, "AccessDenied")
        elif method not in skipped.get(refused or "", ()):
            wire.expect(method, request, answer)
    clients: Any = Wires(ec2=ec2, autoscaling=autoscaling, ssm=ssm)
    with ec2.spoken(), autoscaling.spoken(), ssm.spoken():
        evidence = image_use.used_in(clients, "eu-west-1", {IMAGE: ()})[IMAGE]
    assert [f"{one.kind} {one.subject}" if one.firm else one.kind for one in evidence] == kinds


def test_an_image_that_another_account_does_not_find_makes_no_other_one_unreadable() -> None:
    ec2, empty = Wire("ec2"), {"LaunchTemplateVersions": [], "Reservations": []}
    ec2.refuse("describe_image_references", asked("ami-1", "ami-2"), "InvalidAMIID.NotFound")
    ec2.refuse("describe_image_references", asked("ami-1"), "InvalidAMIID.NotFound")
    ec2.expect("describe_image_references", asked("ami-2"), {"ImageReferences": []})
    for method, request, member in (
        ("describe_fleets", {"MaxResults": 1000}, "Fleets"),
        ("describe_spot_fleet_requests", {"MaxResults": 1000}, "SpotFleetRequestConfigs"),
        ("describe_spot_instance_requests", {"MaxResults": 1000}, "SpotInstanceRequests"),
        ("describe_launch_template_versions", VERSIONS, "LaunchTemplateVersions"),
        ("describe_instances", INSTANCES, "Reservations"),
    ):
        ec2.expect(method, request, {member: empty.get(member, [])})
    autoscaling = answering(
        "autoscaling",
        describe_auto_scaling_groups={"AutoScalingGroups": []},
        describe_launch_configurations={"LaunchConfigurations": []},
    )
    ssm = answering("ssm", describe_parameters={"Parameters": []})
    clients: Any = Wires(
        ec2=ec2, autoscaling=SimpleNamespace(client=autoscaling), ssm=SimpleNamespace(client=ssm)
    )
    with ec2.spoken():
        found = image_use.used_in(clients, "eu-west-1", {"ami-1": (), "ami-2": ()})
    assert ([one.kind for one in found["ami-1"]], found["ami-2"]) == (["unreadable"], ())


def test_an_account_that_creates_volumes_from_a_snapshot_uses_its_image() -> None:
    """Its launch template and launch configuration name the snapshot, and images that are its own."""
    mapped = {"BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "snap-1"}}]}
    template = {"LaunchTemplateId": "lt-1", "VersionNumber": 2, "LaunchTemplateData": mapped}
    configuration = {"LaunchConfigurationName": "lc", "ImageId": "ami-own", **mapped}
    ec2 = answering(
        "ec2",
        describe_image_references={"ImageReferences": []},
        describe_fleets={"Fleets": []},
        describe_spot_fleet_requests={"SpotFleetRequestConfigs": []},
        describe_spot_instance_requests={"SpotInstanceRequests": []},
        describe_launch_template_versions={"LaunchTemplateVersions": [template]},
        describe_instances={"Reservations": []},
    )
    autoscaling = answering(
        "autoscaling",
        describe_auto_scaling_groups={"AutoScalingGroups": []},
        describe_launch_configurations={"LaunchConfigurations": [configuration]},
    )
    clients: Any = Wires(
        ec2=SimpleNamespace(client=ec2),
        autoscaling=SimpleNamespace(client=autoscaling),
        ssm=SimpleNamespace(client=answering("ssm", describe_parameters={"Parameters": []})),
    )
    found = image_use.used_in(clients, "eu-west-1", {IMAGE: ("snap-1", "snap-2"), "ami-other": ("snap-3",)})
    assert found == {
        IMAGE: (
            Evidence("snapshot", "snap-1 in launch template lt-1 version 2"),
            Evidence("snapshot", "snap-1 in launch configuration lc"),
        ),
        "ami-other": (),
    }


def test_copies_that_another_account_is_making() -> None:
    wire = Wire("ec2")
    request = {"Owners": ["self"], "Filters": [{"Name": "state", "Values": ["pending"]}], "MaxResults": 1000}
    copy = {"ImageId": "ami-9", "SourceImageId": "ami-1", "SourceImageRegion": "us-east-1"}
    wire.expect("describe_images", request, {"Images": [copy], "NextToken": "n"})
    wire.expect("describe_images", {**request, "NextToken": "n"}, {"Images": [{"ImageId": "ami-8"}]})
    with wire.spoken():
        assert image_use.pending_copies(wire.client, "eu-west-1") == {
            ImageRef("us-east-1", "ami-1"): (Evidence("running_copy", "ami-9", "eu-west-1"),)
        }


def report(**members: Any) -> dict[str, Any]:
    """The answers for the reports of ami-1, with one that lacks the members that are None."""
    whole = {"ImageId": "ami-1", "ReportId": "r-1", "State": "available", "CreationTime": NOW, **members}
    found = {name: value for name, value in whole.items() if value is not None}
    return {
        "describe_image_usage_reports": {"ImageUsageReports": [found]},
        "describe_image_usage_report_entries": {"ImageUsageReportEntries": []},
    }


def with_entry(**members: Any) -> dict[str, Any]:
    whole = {"ImageId": "ami-1", "ReportId": "r-1", "AccountId": CONSUMER, "UsageCount": 1, **members}
    found = {name: value for name, value in whole.items() if value is not None}
    return {**report(), "describe_image_usage_report_entries": {"ImageUsageReportEntries": [found]}}


def reference(**members: Any) -> dict[str, Any]:
    whole = {"ImageId": "ami-1", "ResourceType": "ec2:Instance", "Arn": "arn:x", **members}
    found = {name: value for name, value in whole.items() if value is not None}
    return {"describe_image_references": {"ImageReferences": [found]}}


@pytest.mark.parametrize(
    ("reader", "answers", "member"),
    [
        (image_use.references, {"describe_image_references": {}}, "ImageReferences"),
        *(
            (image_use.references, reference(**{name: None}), name)
            for name in ("ImageId", "ResourceType", "Arn")
        ),
        (image_use.pending_reports, {"describe_image_usage_reports": {}}, "ImageUsageReports"),
        (image_use.pending_reports, report(ImageId=None), "ImageId"),
        (image_use.usage_reports, {"describe_image_usage_reports": {}}, "ImageUsageReports"),
        *(
            (image_use.usage_reports, report(**{name: None}), name)
            for name in ("ImageId", "ReportId", "State", "CreationTime")
        ),
        (image_use.usage_reports, report(ResourceTypes=[{}]), "ResourceType"),
        (
            image_use.usage_reports,
            {**report(), "describe_image_usage_report_entries": {}},
            "ImageUsageReportEntries",
        ),
        *(
            (image_use.usage_reports, with_entry(**{name: None}), name)
            for name in ("ImageId", "ReportId", "AccountId", "UsageCount")
        ),
    ],
)
def test_an_incomplete_response_is_no_proof_of_disuse(
    reader: Any, answers: dict[str, Any], member: str
) -> None:
    """botocore's shapes of these answers require no member."""
    with pytest.raises(IncompleteAnswer, match=f"lacks {member}$|lacks {member}[.]") as caught:
        reader(answering("ec2", **answers), ["ami-1"])
    assert image_use.unread(caught.value, "Read").firm is False


@pytest.mark.parametrize("option", [{}, {"OptionValues": []}])
def test_a_report_without_a_number_of_versions_covers_none(option: dict[str, Any]) -> None:
    kinds = [{"ResourceType": "ec2:LaunchTemplate", "ResourceTypeOptions": [option]}]
    found = image_use.usage_reports(answering("ec2", **report(ResourceTypes=kinds)), ["ami-1"])
    assert found["ami-1"].template_versions == 0
