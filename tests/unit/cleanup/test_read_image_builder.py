# SPDX-License-Identifier: GPL-3.0-or-later

"""How Image Builder's lifecycle policies and builds are read."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup import read_image_builder as builder
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import (
    ImageBuild,
    ImageBuilder,
    LifecyclePolicy,
    Recipe,
    unreadable,
)
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.model import ImageRef

from tests.unit.cleanup.examples import REGION, region_state, seen
from tests.unit.examples import CONSUMER, OWNER
from tests.unit.wire import Wire, answering

PLACE = f"arn:aws:imagebuilder:eu-west-1:{OWNER}"
ENABLED = {
    "filters": [
        {"name": "status", "values": ["ENABLED"]},
        {"name": "resourceType", "values": ["AMI_IMAGE"]},
    ],
    "maxResults": 100,
}
SEEN = seen(region_state())


def rule(**included: bool) -> dict[str, Any]:
    action = {"type": "DELETE", **({"includeResources": included} if included else {})}
    return {"action": action, "filter": {"type": "COUNT", "value": 3}}


def script(wire: Wire, **policies: dict[str, Any]) -> None:
    """The policies by name."""
    arns = {name: f"{PLACE}:lifecycle-policy/{name}" for name in policies}
    found = {"lifecyclePolicySummaryList": [{"arn": arn} for arn in arns.values()]}
    wire.expect("list_lifecycle_policies", ENABLED, found)
    for name, arn in arns.items():
        answer = {"lifecyclePolicy": policies[name]}
        wire.expect("get_lifecycle_policy", {"lifecyclePolicyArn": arn}, answer)


RECIPES = {"recipes": [{"name": "web", "semanticVersion": "1.x.x"}]}
POLICY = {"policyDetails": [rule(), rule(amis=True)], "resourceSelection": RECIPES}
AMIS = [
    {"region": "eu-west-1", "image": "ami-1", "accountId": OWNER},
    {"region": "us-east-1", "image": "ami-2"},
    {"region": "eu-west-1", "image": "ami-3", "accountId": CONSUMER},
    {"region": "eu-west-1"},
]
BUILD = {"name": "web", "version": "1.0.0/1", "tags": {"team": "a"}, "outputResources": {"amis": AMIS}}
READ = ImageBuild(
    "web", "1.0.0/1", {"team": "a"}, (ImageRef("eu-west-1", "ami-1"), ImageRef("us-east-1", "ami-2"))
)


def test_policies_that_are_not_for_amis_do_not_count() -> None:
    """botocore shape LifecyclePolicyDetailAction, includeResources."""
    wire = Wire("imagebuilder")
    by_tag = {"policyDetails": [rule(amis=True)], "resourceSelection": {"tagMap": {"team": "a"}}}
    script(wire, own={"policyDetails": [rule(), rule(amis=False)]}, recipe=POLICY, tag=by_tag)
    with wire.spoken():
        assert builder.lifecycle_policies(wire.client) == (
            LifecyclePolicy((Recipe("web", "1.x.x"),)),
            LifecyclePolicy(tags={"team": "a"}),
        )


def test_a_policy_that_was_deleted_since_it_was_listed_does_not_count() -> None:
    """botocore shape ResourceNotFoundException."""
    wire = Wire("imagebuilder")
    arns = [f"{PLACE}:lifecycle-policy/{name}" for name in ("gone", "recipe")]
    found = {"lifecyclePolicySummaryList": [{"arn": arn} for arn in arns]}
    wire.expect("list_lifecycle_policies", ENABLED, found)
    wire.refuse("get_lifecycle_policy", {"lifecyclePolicyArn": arns[0]}, "ResourceNotFoundException")
    wire.expect("get_lifecycle_policy", {"lifecyclePolicyArn": arns[1]}, {"lifecyclePolicy": POLICY})
    with wire.spoken():
        policies = builder.lifecycle_policies(wire.client)
    assert policies == (LifecyclePolicy((Recipe("web", "1.x.x"),)),)


def test_builds_have_the_amis_of_the_account_in_all_regions() -> None:
    wire = Wire("imagebuilder")
    wire.expect(
        "list_image_build_versions", {"maxResults": 100}, {"imageSummaryList": [BUILD], "nextToken": "2"}
    )
    wire.expect(
        "list_image_build_versions", {"maxResults": 100, "nextToken": "2"}, {"imageSummaryList": [{}]}
    )
    with wire.spoken():
        assert builder.image_builds(wire.client, OWNER) == (READ, ImageBuild("", ""))


def test_without_policies_no_build_is_read() -> None:
    wire = Wire("imagebuilder")
    script(wire)
    with wire.spoken():
        assert builder.read_image_builder(wire.client, OWNER) == ImageBuilder()


def test_policies_and_builds_are_read_together() -> None:
    wire = Wire("imagebuilder")
    script(wire, recipe=POLICY)
    wire.expect("list_image_build_versions", {"maxResults": 100}, {"imageSummaryList": [BUILD]})
    with wire.spoken():
        found = builder.read_image_builder(wire.client, OWNER)
    assert found == ImageBuilder((LifecyclePolicy((Recipe("web", "1.x.x"),)),), (READ,))


@pytest.mark.parametrize("refused", ["list_lifecycle_policies", "list_image_build_versions"])
def test_what_is_denied_is_unread(refused: str) -> None:
    wire = Wire("imagebuilder")
    if refused == "list_lifecycle_policies":
        wire.refuse(refused, ENABLED, "AccessDeniedException", "No.")
    else:
        script(wire, recipe=POLICY)
        wire.refuse(refused, {"maxResults": 100}, "AccessDeniedException", "No.")
    with wire.spoken():
        found = builder.read_image_builder(wire.client, OWNER)
    action = "".join(part.capitalize() for part in refused.split("_"))
    assert found == ImageBuilder(unread=unreadable(action, "AccessDeniedException: No."))


class Clients:
    """The client of Image Builder in one region."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.opened: list[str] = []

    def open(self, service: str, regions: Any) -> None:
        assert service == "imagebuilder"
        self.opened += regions

    def client(self, _service: str, region: str) -> Any:
        assert region in self.opened
        return self.wire.client


def test_each_region_is_read() -> None:
    wire = Wire("imagebuilder")
    script(wire)
    clients: Any = Clients(wire)
    with wire.spoken():
        assert builder.read_image_builders(clients, SEEN, [REGION]) == {REGION: ImageBuilder()}


def test_a_bug_ends_the_reading() -> None:
    clients: Any = Clients(Wire("imagebuilder"))
    with patch.object(builder, "read_image_builder", side_effect=KeyError("x")), pytest.raises(Refused):
        builder.read_image_builders(clients, SEEN, [REGION])


@pytest.mark.parametrize(
    "answers",
    [
        {"list_lifecycle_policies": {"lifecyclePolicySummaryList": [{}]}},
        {
            "list_lifecycle_policies": {"lifecyclePolicySummaryList": [{"arn": PLACE}]},
            "get_lifecycle_policy": {},
        },
        {
            "list_lifecycle_policies": {"lifecyclePolicySummaryList": [{"arn": PLACE}]},
            "get_lifecycle_policy": {"lifecyclePolicy": POLICY},
            "list_image_build_versions": {
                "imageSummaryList": [{"outputResources": {"amis": [{"image": "ami-1"}]}}]
            },
        },
    ],
)
def test_an_incomplete_response_is_unread(answers: dict[str, Any]) -> None:
    found = builder.read_image_builder(answering("imagebuilder", **answers), OWNER)
    assert found.unread is not None
    assert found.unread.detail.startswith("incomplete_response: AWS's response to ")
