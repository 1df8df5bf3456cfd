# SPDX-License-Identifier: GPL-3.0-or-later
"""Image Builder's lifecycle policies and builds (botocore shapes LifecyclePolicy and ImageSummary)."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import CONSUMER, OWNER, build, error_code

PLACE = f"arn:aws:imagebuilder:us-east-1:{OWNER}"
DELETE = {
    "action": {"type": "DELETE", "includeResources": {"amis": True, "snapshots": True}},
    "filter": {"type": "COUNT", "value": 3},
}
POLICY: dict[str, Any] = {
    "name": "Web_Server old",
    "executionRole": "lifecycle",
    "resourceType": "AMI_IMAGE",
    "policyDetails": [DELETE],
    "resourceSelection": {"recipes": [{"name": "web", "semanticVersion": "1.x.x"}]},
}


@pytest.fixture
def builder(client: Any) -> Any:
    return client(service="imagebuilder")


def outputs(**accounts: str) -> dict[str, Any]:
    """A document with an image for each account, all outputs of one build of the owner."""
    built = {"name": "Web server", "version": "1.2.0/3", "account": "owner", "region": "us-east-1"}
    return {
        label: {"account": account, "built_by": {**built, "tags": {"team": "web"}}}
        for label, account in accounts.items()
    }


def test_a_policy_is_enabled_by_default_and_its_arn_has_a_normalized_name(builder: Any) -> None:
    arn = builder.create_lifecycle_policy(**POLICY)["lifecyclePolicyArn"]
    assert arn == f"{PLACE}:lifecycle-policy/web-server-old"
    found = builder.get_lifecycle_policy(lifecyclePolicyArn=arn)["lifecyclePolicy"]
    assert {key: found[key] for key in POLICY} == POLICY
    assert (found["status"], found["arn"]) == ("ENABLED", arn)
    assert error_code(builder.create_lifecycle_policy, **POLICY) == "ResourceAlreadyExistsException"
    other = f"{PLACE}:lifecycle-policy/other"
    assert error_code(builder.get_lifecycle_policy, lifecyclePolicyArn=other) == "ResourceNotFoundException"


def test_a_list_has_no_rules_and_can_be_filtered_and_paged(client: Any, builder: Any) -> None:
    for number in range(27):
        status = "DISABLED" if number else "ENABLED"
        builder.create_lifecycle_policy(**{**POLICY, "name": f"web-{number}", "status": status})
    enabled = [{"name": "status", "values": ["ENABLED"]}]
    (one,) = builder.list_lifecycle_policies(filters=enabled)["lifecyclePolicySummaryList"]
    assert (one["name"], one["resourceType"]) == ("web-0", "AMI_IMAGE")
    assert "policyDetails" not in one
    first = builder.list_lifecycle_policies()
    second = builder.list_lifecycle_policies(nextToken=first["nextToken"])
    assert [len(page["lifecyclePolicySummaryList"]) for page in (first, second)] == [25, 2]
    assert "nextToken" not in second
    elsewhere = client(region="us-west-2", service="imagebuilder")
    assert elsewhere.list_lifecycle_policies()["lifecyclePolicySummaryList"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "-"},
        {"resourceSelection": {}},
        {"resourceSelection": {**POLICY["resourceSelection"], "tagMap": {"team": "web"}}},
        {"policyDetails": [DELETE, DELETE]},
        {"policyDetails": [{**DELETE, "action": {"type": "DISABLE"}}]},
        {"policyDetails": [{**DELETE, "filter": {"type": "AGE", "value": 3}}]},
        {
            "policyDetails": [
                {**DELETE, "action": {"type": "DELETE", "includeResources": {"snapshots": True}}}
            ]
        },
    ],
)
def test_invalid_policies(builder: Any, changes: dict[str, Any]) -> None:
    assert (
        error_code(builder.create_lifecycle_policy, **{**POLICY, **changes})
        == "InvalidParameterValueException"
    )


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"filters": [{"name": "arn", "values": ["x"]}]}, "InvalidParameterValueException"),
        ({"nextToken": "x"}, "InvalidPaginationTokenException"),
    ],
)
def test_invalid_lists(builder: Any, request_: dict[str, Any], code: str) -> None:
    assert error_code(builder.list_lifecycle_policies, **request_) == code


def test_a_build_lists_its_amis_of_all_accounts_which_have_its_arn_as_a_tag(
    client: Any, builder: Any
) -> None:
    """botocore shape OutputResources; tags: AWS's policy EC2ImageBuilderLifecycleExecutionPolicy."""
    made = build(images=outputs(golden="owner", copied="consumer"))["images"]
    (found,) = builder.list_image_build_versions()["imageSummaryList"]
    arn = f"{PLACE}:image/web-server/1.2.0/3"
    assert (found["arn"], found["name"], found["version"]) == (arn, "Web server", "1.2.0/3")
    assert found["tags"] == {"team": "web"}
    assert {(one["accountId"], one["region"], one["image"]) for one in found["outputResources"]["amis"]} == {
        (account, "us-east-1", made[label]["image_id"])
        for account, label in ((OWNER, "golden"), (CONSUMER, "copied"))
    }
    (image,) = client(CONSUMER).describe_images(Owners=["self"])["Images"]
    assert {tag["Key"]: tag["Value"] for tag in image["Tags"]} == {
        "CreatedBy": "EC2 Image Builder",
        "Ec2ImageBuilderArn": arn,
    }
    of_version = builder.list_image_build_versions(imageVersionArn=f"{PLACE}:image/web-server/1.2.0")
    assert of_version["imageSummaryList"] == [found]
    of_other = builder.list_image_build_versions(imageVersionArn=f"{PLACE}:image/web-server/1.2.1")
    assert of_other["imageSummaryList"] == []
