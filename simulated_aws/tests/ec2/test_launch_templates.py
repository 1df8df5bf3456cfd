# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of launch templates (botocore operations of the same names)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import build, error_code, image_id

NAME = "web"
Client = Callable[..., Any]


@pytest.fixture
def ec2(client: Client) -> Any:
    made = client()
    built = build()
    mapping = {"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": "snap-00000000", "VolumeSize": 9}}
    data = {"ImageId": image_id(built), "InstanceType": "t3.micro", "BlockDeviceMappings": [mapping]}
    made.create_launch_template(LaunchTemplateName=NAME, LaunchTemplateData=data)
    return made


def versions(ec2: Any, *names: str, **params: Any) -> list[tuple[str, int, bool, str]]:
    answer = ec2.describe_launch_template_versions(Versions=list(names), **params)
    return [
        (
            one["LaunchTemplateName"],
            one["VersionNumber"],
            one["DefaultVersion"],
            one["LaunchTemplateData"]["ImageId"],
        )
        for one in answer["LaunchTemplateVersions"]
    ]


# Shape CreateLaunchTemplateVersionRequest, ClientToken.
def test_a_client_token_makes_one_version(ec2: Any) -> None:
    request = {
        "LaunchTemplateName": NAME,
        "ClientToken": "t",
        "LaunchTemplateData": {"ImageId": "ami-00000000"},
    }
    made = [ec2.create_launch_template_version(**request)["LaunchTemplateVersion"] for _time in range(2)]
    assert [one["VersionNumber"] for one in made] == [2, 2]
    changed = {**request, "VersionDescription": "another"}
    code = error_code(ec2.create_launch_template_version, **changed)
    assert code == "IdempotentParameterMismatch"
    again = ec2.create_launch_template_version(**{**request, "ClientToken": "u"})
    assert again["LaunchTemplateVersion"]["VersionNumber"] == 3


# Shape CreateLaunchTemplateVersionRequest, SourceVersion.
def test_a_version_inherits_from_its_source_all_but_snapshots(ec2: Any) -> None:
    made = ec2.create_launch_template_version(
        LaunchTemplateName=NAME, SourceVersion="1", LaunchTemplateData={"ImageId": "ami-00000000"}
    )["LaunchTemplateVersion"]
    assert (made["VersionNumber"], made["DefaultVersion"]) == (2, False)
    data = made["LaunchTemplateData"]
    assert (data["ImageId"], data["InstanceType"]) == ("ami-00000000", "t3.micro")
    assert data["BlockDeviceMappings"] == [{"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 9}}]
    (first,) = ec2.describe_launch_template_versions(LaunchTemplateName=NAME, Versions=["1"])[
        "LaunchTemplateVersions"
    ]
    mappings = first["LaunchTemplateData"]["BlockDeviceMappings"]
    assert mappings[0]["Ebs"]["SnapshotId"] == "snap-00000000"
    kept = ec2.create_launch_template_version(
        LaunchTemplateName=NAME, SourceVersion="1", LaunchTemplateData={"BlockDeviceMappings": mappings}
    )["LaunchTemplateVersion"]
    assert kept["LaunchTemplateData"]["BlockDeviceMappings"] == mappings
    bare = ec2.create_launch_template_version(
        LaunchTemplateName=NAME, LaunchTemplateData={"ImageId": "ami-00000000"}
    )["LaunchTemplateVersion"]
    assert bare["LaunchTemplateData"] == {"ImageId": "ami-00000000"}


def test_the_default_version_is_the_one_that_was_set(ec2: Any) -> None:
    for image in ("ami-00000001", "ami-00000002"):
        ec2.create_launch_template_version(LaunchTemplateName=NAME, LaunchTemplateData={"ImageId": image})
    ec2.modify_launch_template(LaunchTemplateName=NAME, DefaultVersion="2")
    assert versions(ec2, "$Default", LaunchTemplateName=NAME) == [(NAME, 2, True, "ami-00000001")]
    both = versions(ec2, "$Default", "$Latest", LaunchTemplateName=NAME)
    assert [number for _, number, _, _ in both] == [2, 3]
    assert error_code(ec2.modify_launch_template, LaunchTemplateName=NAME, DefaultVersion="4") == (
        "InvalidLaunchTemplateId.VersionNotFound"
    )


# Shape DescribeLaunchTemplateVersionsRequest.
def test_all_templates_in_pages(ec2: Any) -> None:
    for name in ("db", "app"):
        ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"ImageId": "ami-00000000"})
    pages = ec2.get_paginator("describe_launch_template_versions").paginate(
        Versions=["$Default", "$Latest"], PaginationConfig={"PageSize": 2}
    )
    found = [[one["LaunchTemplateName"] for one in page["LaunchTemplateVersions"]] for page in pages]
    assert found == [["web", "db"], ["app"]]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        (
            {"LaunchTemplateName": "none", "Versions": ["$Default"]},
            "InvalidLaunchTemplateName.NotFoundException",
        ),
        ({"LaunchTemplateId": "lt-0", "Versions": ["$Default"]}, "InvalidLaunchTemplateId.NotFound"),
        ({"LaunchTemplateName": NAME, "Versions": ["7"]}, "InvalidLaunchTemplateId.VersionNotFound"),
        ({"LaunchTemplateName": NAME, "LaunchTemplateId": "lt-0"}, "InvalidParameterCombination"),
        ({"Versions": ["1"]}, "InvalidParameterValue"),
        ({"Versions": ["$Latest", "1"]}, "InvalidParameterValue"),
        ({}, "MissingParameter"),
        ({"Versions": ["$Default"], "MaxResults": 201}, "InvalidParameterValue"),
    ],
    ids=str,
)
def test_what_cannot_be_described(ec2: Any, params: dict[str, Any], code: str) -> None:
    assert error_code(ec2.describe_launch_template_versions, **params) == code


def test_tags_of_the_template_are_not_tags_of_instances(ec2: Any) -> None:
    """(botocore shape CreateLaunchTemplateRequest, TagSpecifications.)"""

    def tagged(kind: str, value: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": [{"Key": "of", "Value": value}]}]

    ec2.create_launch_template(
        LaunchTemplateName="tagged",
        LaunchTemplateData={"TagSpecifications": tagged("instance", "instances")},
        TagSpecifications=tagged("launch-template", "template"),
    )
    (template,) = ec2.describe_launch_templates(LaunchTemplateNames=["tagged"])["LaunchTemplates"]
    assert template["Tags"] == [{"Key": "of", "Value": "template"}]
    ec2.create_tags(Resources=[template["LaunchTemplateId"]], Tags=[{"Key": "of", "Value": "later"}])
    (later,) = ec2.describe_launch_templates(LaunchTemplateNames=["tagged"])["LaunchTemplates"]
    assert later["Tags"] == [{"Key": "of", "Value": "later"}]
    versions = ec2.describe_launch_template_versions(LaunchTemplateName="tagged")["LaunchTemplateVersions"]
    assert versions[0]["LaunchTemplateData"]["TagSpecifications"] == tagged("instance", "instances")
    code = error_code(
        ec2.create_launch_template,
        LaunchTemplateName="other",
        LaunchTemplateData={"InstanceType": "t3.micro"},
        TagSpecifications=tagged("instance", "instances"),
    )
    assert code == "InvalidParameterValue"
