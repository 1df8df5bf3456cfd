# SPDX-License-Identifier: GPL-3.0-or-later

"""How launch templates are asked for, and what of them is found."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.errors import IncompleteAnswer
from ansible_collections.golden.images.plugins.module_utils.publish.read_launch_templates import (
    launch_templates,
)
from botocore.exceptions import ClientError

from tests.unit.examples import OWNER, STRANGER, target_in
from tests.unit.wire import Wire

TARGET = target_in("eu-west-1")
IDS = {"web": "lt-0123456789abcdef0", "data": "lt-01234567", "other": "lt-89abcdef"}
REQUEST = {"Versions": ["$Default", "$Latest"], "MaxResults": 200}


def version(name: str, number: int, default: bool) -> dict[str, Any]:
    """A version as AWS lists it."""
    return {
        "LaunchTemplateId": IDS[name],
        "LaunchTemplateName": name,
        "VersionNumber": number,
        "DefaultVersion": default,
        "LaunchTemplateData": {"ImageId": f"ami-{name}-{number}", "UserData": "secret"},
    }


@pytest.mark.parametrize(
    ("name", "asked"),
    [("web", {"LaunchTemplateName": "web"}), (IDS["web"], {"LaunchTemplateId": IDS["web"]})],
)
def test_one_is_asked_for_by_itself(ec2: Wire, name: str, asked: dict[str, str]) -> None:
    answer = {"LaunchTemplateVersions": [version("web", 2, True), version("web", 10, False)]}
    ec2.expect("describe_launch_template_versions", {**asked, **REQUEST}, answer)
    found = launch_templates(ec2.client, [name], TARGET)[name]
    assert (found.template_id, found.default.number, found.latest.number) == (IDS["web"], 2, 10)
    assert found.default.image_id == "ami-web-2"
    assert found.latest.data == {**found.default.data, "ImageId": "ami-web-10"}


def test_several_are_found_among_all(ec2: Wire) -> None:
    more = {"LaunchTemplateVersions": [version("web", 1, True)], "NextToken": "more"}
    ec2.expect("describe_launch_template_versions", REQUEST, more)
    rest = [version("data", 3, True), version("other", 1, True)]
    ec2.expect(
        "describe_launch_template_versions",
        {**REQUEST, "NextToken": "more"},
        {"LaunchTemplateVersions": rest},
    )
    found = launch_templates(ec2.client, ["web", IDS["data"], "lt-none"], TARGET)
    assert {name: one.default.number for name, one in found.items()} == {"web": 1, IDS["data"]: 3}
    assert found["web"].latest == found["web"].default


@pytest.mark.parametrize(
    ("account_id", "region", "name"),
    [(OWNER, "eu-west-1", "golden/web"), (STRANGER, "eu-west-1", ""), (OWNER, "eu-west-2", "")],
)
def test_the_parameter_of_the_account_that_an_arn_names(
    ec2: Wire, account_id: str, region: str, name: str
) -> None:
    """(botocore shape RequestLaunchTemplateData, ImageId: resolve:ssm:parameter-ARN.)"""
    arn = f"arn:aws:ssm:{region}:{account_id}:parameter/golden/web"
    item = {**version("web", 1, True), "LaunchTemplateData": {"ImageId": f"resolve:ssm:{arn}"}}
    answer = {"LaunchTemplateVersions": [item]}
    ec2.expect("describe_launch_template_versions", {"LaunchTemplateName": "web", **REQUEST}, answer)
    assert launch_templates(ec2.client, ["web"], TARGET)["web"].default.arn_name == name


@pytest.mark.parametrize(
    "code", ["InvalidLaunchTemplateName.NotFoundException", "InvalidLaunchTemplateId.NotFound"]
)
def test_none_of_that_name(ec2: Wire, code: str) -> None:
    ec2.refuse("describe_launch_template_versions", {"LaunchTemplateName": "web", **REQUEST}, code)
    assert launch_templates(ec2.client, ["web"], TARGET) == {}


def test_without_names_nothing_is_asked(ec2: Wire) -> None:
    assert launch_templates(ec2.client, [], TARGET) == {}


def test_other_refusals_are_no_absence(ec2: Wire) -> None:
    request = {"LaunchTemplateName": "web", **REQUEST}
    ec2.refuse("describe_launch_template_versions", request, "UnauthorizedOperation")
    with pytest.raises(ClientError):
        launch_templates(ec2.client, ["web"], TARGET)


@pytest.mark.parametrize(
    "member", ["LaunchTemplateId", "LaunchTemplateName", "VersionNumber", "LaunchTemplateData"]
)
def test_a_version_that_is_not_complete_is_a_failed_read(ec2: Wire, member: str) -> None:
    """botocore shape LaunchTemplateVersion requires no member."""
    listed = {name: value for name, value in version("web", 1, True).items() if name != member}
    request = {"LaunchTemplateName": "web", **REQUEST}
    ec2.expect("describe_launch_template_versions", request, {"LaunchTemplateVersions": [listed]})
    with pytest.raises(IncompleteAnswer, match=f"DescribeLaunchTemplateVersions lacks {member}"):
        launch_templates(ec2.client, ["web"], TARGET)


def test_a_template_without_a_default_version_is_a_failed_read(ec2: Wire) -> None:
    listed = [version("web", 1, False), version("web", 2, False)]
    del listed[0]["DefaultVersion"]
    request = {"LaunchTemplateName": "web", **REQUEST}
    ec2.expect("describe_launch_template_versions", request, {"LaunchTemplateVersions": listed})
    with pytest.raises(IncompleteAnswer, match="DescribeLaunchTemplateVersions lacks DefaultVersion"):
        launch_templates(ec2.client, ["web"], TARGET)


def test_an_answer_without_versions_is_a_failed_read(ec2: Wire) -> None:
    ec2.expect("describe_launch_template_versions", {"LaunchTemplateName": "web", **REQUEST}, {})
    with pytest.raises(IncompleteAnswer, match="lacks LaunchTemplateVersions"):
        launch_templates(ec2.client, ["web"], TARGET)
