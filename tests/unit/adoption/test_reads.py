# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read in an account, and that what could not be read is never missing from the result."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._adoption.state import Look
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Target
from botocore.exceptions import ClientError

from tests.unit.adoption.account import instance, metadata, read
from tests.unit.adoption.examples import (
    CONSUMER,
    EU,
    NEW,
    NEW_US,
    OLD,
    OTHER_CONSUMER,
    US,
)
from tests.unit.cleanup.aws_answers import Answers
from tests.unit.restore.examples import record

COPY = ImageRef(EU, "ami-000000c1")


def look(answers: Answers, **given: Any) -> Look:
    """What is read in one region."""
    found = read(answers, **given)[Target(CONSUMER, EU)]
    assert isinstance(found, Look)
    return found


def called(answers: Answers) -> list[str]:
    """The methods that were called."""
    return [name for name, _request in answers.calls]


def test_instances_are_grouped_by_image_without_a_call_for_each() -> None:
    answers = Answers(
        describe_instance_image_metadata=metadata(
            instance(OLD.image_id, 2), instance(OLD.image_id, 1), instance(NEW.image_id, 3)
        )
    )
    old, new = look(answers, owner_tags=("Owner", "Team")).uses
    assert (old.release and old.release.ref, old.use.number) == (OLD, 2)
    assert old.use.names == ("i-00000001", "i-00000002")
    assert old.use.oldest == datetime(2026, 11, 1, tzinfo=UTC)
    assert old.use.owners == ("Owner=payments",)
    assert new.release is not None
    assert new.release.ref == NEW
    assert called(answers) == ["describe_instance_image_metadata"]
    (filters,) = answers.calls[0][1]["Filters"]
    assert filters["Name"] == "instance-state-name"
    assert "stopped" in filters["Values"]
    assert "terminated" not in filters["Values"]


def test_the_account_s_own_images_are_read_until_their_origin_is_known() -> None:
    first = {"ImageId": COPY.image_id, "OwnerId": CONSUMER, "State": "available"}
    made_from = {"SourceInstanceId": "i-1", "SourceImageId": NEW_US.image_id, "SourceImageRegion": US}
    answers = Answers(
        describe_instance_image_metadata=metadata(instance(COPY.image_id, OwnerId=CONSUMER)),
        describe_images={"Images": [{**first, **made_from}]},
    )
    (found,) = look(answers).uses
    assert (found.standing, found.release and found.release.ref) == ("release", NEW)
    assert called(answers) == ["describe_instance_image_metadata", "describe_images"]
    assert answers.calls[1][1]["Filters"] == [{"Name": "image-id", "Values": [COPY.image_id]}]


def test_an_image_that_is_gone_is_asked_for_once() -> None:
    answers = Answers(
        describe_instance_image_metadata=metadata(instance(COPY.image_id, OwnerId=CONSUMER)),
        describe_images={"Images": []},
    )
    (found,) = look(answers).uses
    assert found.standing == "unknown_origin"
    assert called(answers).count("describe_images") == 1


@pytest.mark.parametrize(
    ("recorded", "standing"),
    [
        pytest.param({}, "unknown_origin", id="nothing, as of an old copy and of RegisterImage"),
        pytest.param({"SourceInstanceId": "i-1"}, "unknown_origin", id="only the instance"),
        pytest.param(
            {"OwnerId": "137112412989", "ImageOwnerAlias": "amazon"}, "other", id="an image of Amazon"
        ),
        pytest.param({"OwnerId": "099720109477", "IsPublic": True}, "other", id="a public image"),
        pytest.param({"OwnerId": OTHER_CONSUMER}, "unknown_origin", id="an image that somebody shares"),
    ],
)
def test_an_image_of_the_account_without_a_recorded_source(recorded: dict[str, Any], standing: str) -> None:
    image = {"ImageId": COPY.image_id, "OwnerId": CONSUMER, "State": "available", **recorded}
    answers = Answers(
        describe_instance_image_metadata=metadata(
            instance(COPY.image_id, **{"OwnerId": CONSUMER, **recorded})
        ),
        describe_images={"Images": [image]},
    )
    assert [one.standing for one in look(answers).uses] == [standing]
    assert called(answers).count("describe_images") == (image["OwnerId"] == CONSUMER)


@pytest.mark.parametrize(
    ("owner", "standing"),
    [
        ({"OwnerId": OTHER_CONSUMER}, "unknown_origin"),
        ({"OwnerId": OTHER_CONSUMER, "Public": True}, "unknown_origin"),
        ({"OwnerId": "099720109477"}, "unknown_origin"),
        ({"OwnerId": "099720109477", "Public": True}, "other"),
        ({"OwnerId": "137112412989", "ImageOwnerAlias": "amazon"}, "other"),
    ],
)
def test_a_copy_of_an_image_that_another_account_shares(owner: dict[str, Any], standing: str) -> None:
    shared = ImageRef(EU, "ami-000000c2")
    copy = {"ImageId": COPY.image_id, "OwnerId": CONSUMER, "State": "available"}
    source = {"SourceImageId": shared.image_id, "SourceImageRegion": EU}
    answers = Answers(
        describe_instance_image_metadata=metadata(instance(COPY.image_id, OwnerId=CONSUMER)),
        describe_images=[
            {"Images": [{**copy, **source}]},
            {"Images": [{"ImageId": shared.image_id, "State": "available", **owner}]},
        ],
    )
    given = {"account_ids": (CONSUMER, OTHER_CONSUMER), "consumer_role_name": "reader"}
    assert [one.standing for one in look(answers, **given).uses] == [standing]


def test_origins_that_cannot_be_read_are_a_failure_of_the_region() -> None:
    answers = Answers(
        describe_instance_image_metadata=metadata(instance(COPY.image_id, OwnerId=CONSUMER)),
        describe_images="UnauthorizedOperation",
    )
    found = look(answers)
    assert [one.standing for one in found.uses] == ["unknown_origin"]
    assert [(one.action, one.region) for one in found.failures] == [("DescribeImages", EU)]


def test_a_region_that_cannot_be_read_does_not_stop_the_others() -> None:
    answers = Answers(
        describe_instance_image_metadata=["UnauthorizedOperation", metadata(instance(NEW_US.image_id))]
    )
    found = read(answers, EU, US)
    unread, there = found[Target(CONSUMER, EU)], found[Target(CONSUMER, US)]
    assert isinstance(unread, Failure)
    assert unread.error_code == "UnauthorizedOperation"
    assert isinstance(there, Look)
    assert len(there.uses) == 1


def test_a_role_that_cannot_be_assumed_stops_the_account() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "AssumeRole")
    answers = Answers(describe_instance_image_metadata=denied)
    found = read(answers, EU, US)
    assert all(isinstance(one, Failure) and one.action == "AssumeRole" for one in found.values())
    assert set(found) == {Target(CONSUMER, EU), Target(CONSUMER, US)}
    assert len(answers.calls) == 1


@pytest.mark.parametrize("lacking", ["InstanceId", "ImageMetadata"])
def test_an_answer_that_lacks_a_member_is_a_failed_read(lacking: str) -> None:
    item = instance(OLD.image_id)
    del item[lacking]
    found = read(Answers(describe_instance_image_metadata=metadata(item)))[Target(CONSUMER, EU)]
    assert isinstance(found, Failure)
    assert found.error_code == "incomplete_response"


def test_what_the_next_launch_takes() -> None:
    version = {
        "LaunchTemplateId": "lt-00000001",
        "LaunchTemplateName": "web",
        "VersionNumber": 3,
        "LaunchTemplateData": {"ImageId": OLD.image_id},
    }
    resolving = {
        **version,
        "LaunchTemplateId": "lt-00000002",
        "LaunchTemplateData": {"ImageId": "resolve:ssm:/golden/web"},
    }
    answers = Answers(
        describe_instance_image_metadata=metadata(),
        describe_launch_template_versions={"LaunchTemplateVersions": [version, resolving]},
        describe_parameters={"Parameters": [{"Name": "/golden/web"}]},
        get_parameters={"Parameters": [{"Name": "/golden/web", "Value": NEW.image_id, "Version": 1}]},
        describe_images={"Images": []},
    )
    found = look(answers, depth="launches")
    assert found.failures == ()
    assert [(one.use.kind, one.use.image.ref, one.use.names) for one in found.uses] == [
        ("launch_template", OLD, ("web (lt-00000001) version 3",)),
        ("launch_template", NEW, ("web (lt-00000002) version 3",)),
        ("parameter", NEW, ("/golden/web",)),
    ]
    assert all(one.standing == "release" for one in found.uses)
    assert "describe_instances" not in called(answers)


def test_an_old_version_of_a_parameter_is_used_only_by_what_launches_from_it() -> None:
    """Every version that this collection publishes has a label."""

    def version(name: str, selector: str) -> dict[str, Any]:
        data = {"ImageId": f"resolve:ssm:{selector}"}
        return {"LaunchTemplateId": name, "VersionNumber": 1, "LaunchTemplateData": data}

    image = {"Name": "/golden/web", "DataType": "aws:ec2:image"}
    history = [
        {**image, "Value": OLD.image_id, "Version": 1, "Labels": ["v1"]},
        {**image, "Value": NEW.image_id, "Version": 2, "Labels": ["v2"]},
    ]
    answers = Answers(
        describe_instance_image_metadata=metadata(),
        describe_launch_template_versions={
            "LaunchTemplateVersions": [version("lt-1", "/golden/web:v1"), version("lt-2", "/golden/web")]
        },
        describe_parameters={"Parameters": [image]},
        get_parameters={"Parameters": [history[1]]},
        get_parameter={"Parameter": {**history[0], "Selector": ":v1"}},
        get_parameter_history={"Parameters": history},
        describe_images={"Images": []},
    )
    found = look(answers, depth="launches")
    assert found.failures == ()
    assert [(one.use.kind, one.use.image.ref, one.use.names) for one in found.uses] == [
        ("launch_template", OLD, ("lt-1 version 1",)),
        ("launch_template", NEW, ("lt-2 version 1",)),
        ("parameter", NEW, ("/golden/web",)),
    ]


def test_a_launcher_that_cannot_be_read_is_a_failure_of_the_region() -> None:
    answers = Answers(
        describe_instance_image_metadata=metadata(instance(NEW.image_id)),
        describe_launch_template_versions="UnauthorizedOperation",
    )
    found = look(answers, depth="launches")
    assert [one.use.kind for one in found.uses] == ["instance"]
    assert [one.action for one in found.failures] == ["DescribeLaunchTemplateVersions"]


def test_a_launcher_of_an_image_of_somebody_else_is_another_use() -> None:
    version = {
        "LaunchTemplateId": "lt-00000001",
        "VersionNumber": 1,
        "LaunchTemplateData": {"ImageId": "ami-0000aaaa"},
    }
    public = {"ImageId": "ami-0000aaaa", "OwnerId": "099720109477", "State": "available", "Public": True}
    answers = Answers(
        describe_instance_image_metadata=metadata(),
        describe_launch_template_versions={"LaunchTemplateVersions": [version]},
        describe_images={"Images": [public]},
    )
    assert [one.standing for one in look(answers, depth="launches").uses] == ["other"]


def test_a_tombstone_of_the_cleanup_is_no_launch() -> None:
    """It names a retired image, and stays below any path."""
    values = {
        "/golden/web": NEW.image_id,
        "/retired/eu-west-1/ami-1": json.dumps(record(image_id=OLD.image_id)),
    }
    answers = Answers(
        describe_instance_image_metadata=metadata(),
        describe_parameters={"Parameters": [{"Name": name} for name in values]},
        get_parameters={
            "Parameters": [{"Name": name, "Value": value, "Version": 1} for name, value in values.items()]
        },
        describe_images={"Images": []},
    )
    found = look(answers, depth="launches")
    assert [(one.use.kind, one.use.image.ref, one.use.names) for one in found.uses] == [
        ("parameter", NEW, ("/golden/web",))
    ]
