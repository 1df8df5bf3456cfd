# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter Store as the botocore model and the Systems Manager User Guide describe it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

OWNER, CONSUMER = "111111111111", "012345678901"
NAME = "/golden/web"
IMAGE = {"Name": NAME, "Type": "String", "DataType": "aws:ec2:image"}
FOREVER = 10_000

FIXTURE: dict[str, Any] = {
    "accounts": {"owner": OWNER, "consumer": CONSUMER},
    "images": {
        name: {
            "account": "owner",
            "region": "us-east-1",
            "devices": [{"device_name": "/dev/xvda", "size": 8}],
        }
        for name in ("first", "second")
    },
}


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedAws]:
    with SimulatedAws.start() as started:
        yield started


class Store:
    """The owner's parameters in one Region, and the IDs of its images."""

    def __init__(self, aws: SimulatedAws) -> None:
        aws.reset()
        aws.set_throttling(False)  # more than three PutParameter a second
        self.aws = aws
        self.images = {name: image["image_id"] for name, image in aws.load_fixture(FIXTURE)["images"].items()}
        self.ssm = aws.client("ssm", "owner", "us-east-1")

    def put(self, image: str = "first", **changes: Any) -> Any:
        """Put an image's ID over whatever is there."""
        value = self.images.get(image, image)
        return self.ssm.put_parameter(**{**IMAGE, "Value": value, "Overwrite": True, **changes})

    def value(self, name: str = NAME) -> str:
        """The value, or the code of the refusal."""
        return outcome(self.ssm.get_parameter, lambda answer: answer["Parameter"]["Value"], Name=name)


@pytest.fixture
def store(server: SimulatedAws) -> Store:
    return Store(server)


def outcome(call: Any, of: Callable[[Any], Any] = lambda _: "ok", **params: Any) -> Any:
    try:
        return of(call(**params))
    except ClientError as refused:
        return refused.response["Error"]["Code"]


# botocore shape PutParameterRequest, DataType: "PutParameter call returns before the validation is complete".
def test_a_value_is_there_only_once_it_is_validated(store: Store) -> None:
    store.aws.update_settings(parameter_validation_seconds=FOREVER)
    assert store.put()["Version"] == 1
    assert store.value() == "ParameterNotFound"
    store.aws.update_settings(parameter_validation_seconds=0)
    assert store.value() == store.images["first"]

    store.aws.update_settings(parameter_validation_seconds=FOREVER)
    assert store.put("second")["Version"] == 2
    assert store.value() == store.images["first"]
    assert len(store.ssm.get_parameter_history(Name=NAME)["Parameters"]) == 1
    store.aws.update_settings(parameter_validation_seconds=0)
    assert store.value() == store.images["second"]


@pytest.mark.parametrize("code", ["TooManyUpdates", "ValidationException"])
def test_meanwhile_no_other_value_is_taken(store: Store, code: str) -> None:
    store.aws.update_settings(parameter_validation_seconds=FOREVER, parameter_rewrite_error_code=code)
    store.put()
    assert outcome(store.put, image="second") == code
    store.aws.update_settings(parameter_validation_seconds=0)
    assert outcome(store.put, image="second") == "ok"


# The same shape: "If you submit an invalid AMI value, the PutParameter operation will return success".
def test_a_value_that_fails_the_validation_never_appears(store: Store) -> None:
    assert store.put("ami-00000000000000000")["Version"] == 1
    assert store.value() == "ParameterNotFound"
    store.put()
    store.aws.client("ec2", "owner", "us-east-1").disable_image(ImageId=store.images["second"])
    assert store.put("second")["Version"] == 2
    assert store.value() == store.images["first"]
    consumer = store.aws.client("ssm", "consumer", "us-east-1")
    consumer.put_parameter(**IMAGE, Value=store.images["first"])
    assert outcome(consumer.get_parameter, Name=NAME) == "ParameterNotFound"


REFUSED = [
    # botocore operation PutParameter, Errors; shape PutParameterRequest.
    ({"Overwrite": False}, "ParameterAlreadyExists"),
    ({"Tags": [{"Key": "a", "Value": "b"}]}, "ValidationException"),
    ({"Type": "StringList", "DataType": "text"}, "HierarchyTypeMismatchException"),
    # hashicorp/terraform-provider-aws#35959.
    ({"DataType": "text"}, "ValidationException"),
    ({"DataType": "aws:ec2:picture"}, "ValidationException"),
    ({"Name": "golden/web"}, "ValidationException"),
    ({"Name": "/golden web"}, "ValidationException"),
    ({"Name": "/awsome"}, "ValidationException"),
    ({"Name": "/a" * 16}, "HierarchyLevelLimitExceededException"),
    ({"Name": "/new", "Type": "StringList"}, "ValidationException"),
]


@pytest.mark.parametrize(("changes", "code"), REFUSED, ids=str)
def test_what_cannot_be_put(store: Store, changes: dict[str, Any], code: str) -> None:
    store.put()
    assert outcome(store.put, **changes) == code
    assert len(store.ssm.get_parameter_history(Name=NAME)["Parameters"]) == 1


def test_a_new_parameter_needs_a_type(store: Store) -> None:
    assert outcome(store.ssm.put_parameter, Name="/new", Value="x") == "ValidationException"


# botocore shape PutParameterRequest, Tier.
def test_tiers(store: Store) -> None:
    assert store.put()["Tier"] == "Standard"
    assert store.put(Tier="Intelligent-Tiering")["Tier"] == "Standard"
    assert store.put(Tier="Advanced")["Tier"] == "Advanced"
    assert outcome(store.put, Tier="Standard") == "ValidationException"
    history = store.ssm.get_parameter_history(Name=NAME)["Parameters"]
    assert [version["Tier"] for version in history] == ["Standard", "Standard", "Advanced"]
    long = {"Name": "/long", "Type": "String", "Value": "x" * 4097}
    assert outcome(store.ssm.put_parameter, **long) == "ValidationException"
    assert store.ssm.put_parameter(**long, Tier="Intelligent-Tiering")["Tier"] == "Advanced"
    longer = {**long, "Value": "x" * 8193, "Overwrite": True, "Tier": "Advanced"}
    assert outcome(store.ssm.put_parameter, **longer) == "ValidationException"


# botocore operation LabelParameterVersion.
def test_labels_name_one_version_and_move(store: Store) -> None:
    for image in ("first", "second"):
        store.put(image)
    label = store.ssm.label_parameter_version
    answer = label(Name=NAME, ParameterVersion=1, Labels=["good", "aws-x", "Ssm", "1st", "no/slash"])
    assert sorted(answer["InvalidLabels"]) == ["1st", "Ssm", "aws-x", "no/slash"]
    assert store.value(f"{NAME}:good") == store.images["first"]
    assert store.value(f"{NAME}:1") == store.images["first"]
    assert label(Name=NAME, Labels=["good"])["ParameterVersion"] == 2
    assert store.value(f"{NAME}:good") == store.images["second"]
    assert store.value(f"{NAME}:bad") == "ParameterVersionNotFound"
    assert store.value(f"{NAME}:7") == "ParameterVersionNotFound"
    ten = [f"label-{number}" for number in range(10)]
    assert outcome(label, Name=NAME, ParameterVersion=2, Labels=ten) == "ParameterVersionLabelLimitExceeded"
    assert outcome(label, Name=NAME, ParameterVersion=1, Labels=ten) == "ok"
    assert outcome(label, Name=NAME, ParameterVersion=7, Labels=["a"]) == "ParameterVersionNotFound"
    assert outcome(label, Name="/other", Labels=["a"]) == "ParameterNotFound"
    removed = store.ssm.unlabel_parameter_version(Name=NAME, ParameterVersion=2, Labels=["good", "x"])
    assert (removed["RemovedLabels"], removed["InvalidLabels"]) == (["good"], ["x"])


# botocore shape ParameterMaxVersionLimitExceeded; operation GetParameterHistory, MaxResults.
def test_a_labeled_oldest_version_stands_in_the_way_of_the_hundred_and_first(store: Store) -> None:
    for _ in range(100):
        store.put()
    store.ssm.label_parameter_version(Name=NAME, ParameterVersion=1, Labels=["first"])
    assert outcome(store.put) == "ParameterMaxVersionLimitExceeded"
    store.ssm.unlabel_parameter_version(Name=NAME, ParameterVersion=1, Labels=["first"])
    assert store.put()["Version"] == 101
    pages = list(store.ssm.get_paginator("get_parameter_history").paginate(Name=NAME))
    assert [len(page["Parameters"]) for page in pages] == [50, 50]
    assert pages[0]["Parameters"][0]["Version"] == 2


# botocore shape PutParameterRequest, Tags.
def test_a_new_parameter_has_its_tags_once_it_is_validated(store: Store) -> None:
    tags = [{"Key": "team", "Value": "web"}]
    store.aws.update_settings(parameter_validation_seconds=FOREVER)
    store.put(Overwrite=False, Tags=tags)
    store.aws.update_settings(parameter_validation_seconds=0)
    assert store.value() == store.images["first"]
    named = {"ResourceType": "Parameter", "ResourceId": NAME}
    assert store.ssm.list_tags_for_resource(**named)["TagList"] == tags


# botocore operation AddTagsToResource.
def test_tags_are_added(store: Store) -> None:
    tag = {"ResourceType": "Parameter", "ResourceId": NAME}
    entry = [{"Key": "team", "Value": "web"}]
    assert outcome(store.ssm.add_tags_to_resource, **tag, Tags=entry) == "InvalidResourceId"
    store.put()
    store.ssm.add_tags_to_resource(**tag, Tags=entry)
    assert store.ssm.list_tags_for_resource(**tag)["TagList"] == entry
    reserved = [{"Key": "aws:x", "Value": ""}]
    assert outcome(store.ssm.add_tags_to_resource, **tag, Tags=reserved) == "ValidationException"
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert outcome(store.ssm.add_tags_to_resource, **tag, Tags=many) == "TooManyTagsError"


# EC2 User Guide, "Use a Systems Manager parameter instead of an AMI ID".
@pytest.mark.parametrize("by_arn", [False, True])
@pytest.mark.parametrize(("reference", "image"), [("", "second"), (":1", "first"), (":good", "first")])
def test_an_instance_is_launched_from_what_a_parameter_names(
    store: Store, by_arn: bool, reference: str, image: str
) -> None:
    """By ARN or by name (botocore shape RequestLaunchTemplateData, ImageId)."""
    store.put("first")
    store.ssm.label_parameter_version(Name=NAME, Labels=["good"])
    store.put("second")
    ec2 = store.aws.client("ec2", "owner", "us-east-1")
    named = store.ssm.get_parameter(Name=NAME)["Parameter"]["ARN"] if by_arn else NAME
    launch = {"ImageId": f"resolve:ssm:{named}{reference}", "MinCount": 1, "MaxCount": 1}
    assert ec2.run_instances(**launch)["Instances"][0]["ImageId"] == store.images[image]
    for missing in (f"{NAME}:9", f"{NAME}:bad", "/none"):
        refused = outcome(ec2.run_instances, **{**launch, "ImageId": f"resolve:ssm:{missing}"})
        assert refused == "InvalidParameterValue"


UPDATES = {
    "label_parameter_version": {"Name": NAME, "ParameterVersion": 1, "Labels": ["golden"]},
    "unlabel_parameter_version": {"Name": NAME, "ParameterVersion": 1, "Labels": ["golden"]},
    "add_tags_to_resource": {
        "ResourceType": "Parameter",
        "ResourceId": NAME,
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "remove_tags_from_resource": {"ResourceType": "Parameter", "ResourceId": NAME, "TagKeys": ["a"]},
    "put_parameter": {**IMAGE, "Value": "ami-00000000000000000", "Overwrite": True},
}


@pytest.mark.parametrize("method", UPDATES)
def test_an_update_may_come_too_soon_after_another(store: Store, method: str) -> None:
    """(botocore shape TooManyUpdates, an error of each of these operations.)"""
    store.put()
    store.aws.update_settings(parameter_update_seconds=FOREVER)
    assert outcome(getattr(store.ssm, method), **UPDATES[method]) == "TooManyUpdates"
    store.aws.update_settings(parameter_update_seconds=0)
    assert outcome(getattr(store.ssm, method), **UPDATES[method]) == "ok"


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("list_tags_for_resource", {}),
        ("add_tags_to_resource", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("remove_tags_from_resource", {"TagKeys": ["a"]}),
    ],
)
def test_tags_of_a_parameter_that_does_not_exist(store: Store, method: str, params: dict[str, Any]) -> None:
    """(getmoto/moto#4360, recorded on AWS.)"""
    call = getattr(store.ssm, method)
    assert outcome(call, ResourceType="Parameter", ResourceId="/none", **params) == "InvalidResourceId"
