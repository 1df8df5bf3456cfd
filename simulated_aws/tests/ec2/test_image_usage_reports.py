# SPDX-License-Identifier: GPL-3.0-or-later
"""Usage reports (EC2 User Guide, View your AMI usage)."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_aws.settings import SETTINGS

from .conftest import CONSUMER, STRANGER, build, error_code, image_id

INSTANCES = [{"ResourceType": "ec2:Instance"}]
BOTH = [*INSTANCES, {"ResourceType": "ec2:LaunchTemplate"}]
ONE = {"MinCount": 1, "MaxCount": 1}


@pytest.fixture
def image() -> str:
    return image_id(build(images={"golden": {"sharing": {"accounts": ["consumer", "stranger"]}}}))


def entries(client: Any, image: str) -> list[tuple[str, str, int]]:
    found = client().describe_image_usage_report_entries(ImageIds=[image])["ImageUsageReportEntries"]
    return [(one["AccountId"], one["ResourceType"], one["UsageCount"]) for one in found]


def report(client: Any, image: str, **params: Any) -> str:
    made = client().create_image_usage_report(**{"ImageId": image, "ResourceTypes": BOTH, **params})
    return str(made["ReportId"])


def test_other_accounts_use_is_counted_once_it_is_old_enough(client: Any, clock: Any, image: str) -> None:
    """The guide: the past 24 hours of instances and the past few days of templates might not appear."""
    client(CONSUMER).run_instances(ImageId=image, MinCount=2, MaxCount=2)
    client(STRANGER).create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": image})
    client().run_instances(ImageId=image, **ONE)
    first = report(client, image)
    assert entries(client, image) == []
    clock.forward(hours=25)
    client().delete_image_usage_report(ReportId=first)
    second = report(client, image)
    assert entries(client, image) == [(CONSUMER, "ec2:Instance", 2)]
    clock.forward(days=3)
    client().delete_image_usage_report(ReportId=second)
    report(client, image)
    found = [(CONSUMER, "ec2:Instance", 2), (STRANGER, "ec2:LaunchTemplate", 1)]
    assert sorted(entries(client, image)) == found


def test_a_report_is_of_the_accounts_and_resources_asked_for(client: Any, clock: Any, image: str) -> None:
    """(botocore shape CreateImageUsageReportRequest.)"""
    for account in (CONSUMER, STRANGER):
        client(account).run_instances(ImageId=image, **ONE)
    clock.forward(days=2)
    report_id = report(client, image, AccountIds=[STRANGER], ResourceTypes=INSTANCES)
    assert entries(client, image) == [(STRANGER, "ec2:Instance", 1)]
    (seen,) = client().describe_image_usage_reports(ReportIds=[report_id])["ImageUsageReports"]
    assert (seen["AccountIds"], seen["ResourceTypes"]) == ([STRANGER], INSTANCES)


RECIPES = [{"ResourceType": "imagebuilder:ImageRecipe"}, {"ResourceType": "imagebuilder:ContainerRecipe"}]


def create_recipes(client: Any, account: str, image: str) -> None:
    """An image recipe and a container recipe that name the image."""
    builder = client(account, service="imagebuilder")
    component = [{"componentArn": "arn:aws:imagebuilder:us-east-1:aws:component/update-linux/x.x.x"}]
    version = {"name": "web", "semanticVersion": "1.0.0", "components": component}
    builder.create_image_recipe(**version, parentImage=image)
    builder.create_container_recipe(
        **version,
        containerType="DOCKER",
        parentImage="amazonlinux:latest",
        targetRepository={"service": "ECR", "repositoryName": "web"},
        instanceConfiguration={"image": image},
    )
    again = error_code(builder.create_image_recipe, **version, parentImage=image)
    assert again == "ResourceAlreadyExistsException"


def test_recipes_are_reported_if_they_are_asked_for(client: Any, image: str) -> None:
    """(botocore shape ImageUsageResourceTypeRequest, ResourceType.)"""
    create_recipes(client, CONSUMER, image)
    first = report(client, image)
    assert entries(client, image) == []
    client().delete_image_usage_report(ReportId=first)
    report(client, image, ResourceTypes=[*BOTH, *RECIPES])
    assert entries(client, image) == [
        (CONSUMER, "imagebuilder:ContainerRecipe", 1),
        (CONSUMER, "imagebuilder:ImageRecipe", 1),
    ]
    found = client(CONSUMER).describe_image_references(ImageIds=[image], ResourceTypes=RECIPES)
    assert len(found["ImageReferences"]) == 2


def test_a_region_can_refuse_the_types_of_image_builder(client: Any, image: str) -> None:
    """A guess: the guide, older than the shape, lists instances and launch templates only."""
    SETTINGS.usage_report_resource_types = ["ec2:Instance", "ec2:LaunchTemplate"]
    call = client().create_image_usage_report
    assert error_code(call, ImageId=image, ResourceTypes=RECIPES) == "InvalidParameterValue"
    report(client, image)


def test_a_report_takes_its_time_and_is_kept_for_thirty_days(client: Any, clock: Any, image: str) -> None:
    """(botocore shape ImageUsageReport, State and ExpirationTime.)"""

    def states() -> list[str]:
        return [one["State"] for one in client().describe_image_usage_reports()["ImageUsageReports"]]

    client(CONSUMER).run_instances(ImageId=image, **ONE)
    clock.forward(days=2)
    SETTINGS.usage_report_seconds = 60
    report(client, image)
    assert (states(), entries(client, image)) == (["pending"], [])
    clock.forward(seconds=60)
    assert (states(), len(entries(client, image))) == (["available"], 1)
    clock.forward(days=30)
    assert states() == []


def test_a_report_can_fail_and_its_token_stays_used(client: Any, image: str) -> None:
    """(botocore shapes ImageUsageReport, State, and CreateImageUsageReportRequest, ClientToken.)"""
    SETTINGS.usage_reports_fail = True
    failed = report(client, image, ClientToken="a")
    (seen,) = client().describe_image_usage_reports(ReportIds=[failed])["ImageUsageReports"]
    assert (seen["State"], seen["StateReason"], entries(client, image)) == ("error", "internal-error", [])
    SETTINGS.usage_reports_fail = False
    assert report(client, image, ClientToken="a") == failed
    assert report(client, image, ClientToken="b") != failed


def test_the_same_token_gives_the_same_report(client: Any, image: str) -> None:
    """(botocore shape CreateImageUsageReportRequest, ClientToken.)"""
    assert report(client, image, ClientToken="a") == report(client, image, ClientToken="a")
    assert report(client, image, ClientToken="b") != report(client, image, ClientToken="a")


def test_only_the_owner_can_have_a_report(client: Any, image: str) -> None:
    """(EC2 User Guide, View your AMI usage: your AMIs.)"""
    call = client(CONSUMER).create_image_usage_report
    assert error_code(call, ImageId=image, ResourceTypes=BOTH) == "AuthFailure"


DEPTH = [{"OptionName": "version-depth", "OptionValues": ["5"]}]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"AccountIds": ["12"]}, "InvalidParameterValue"),
        ({"AccountIds": [CONSUMER] * 201}, "InvalidParameterValue"),
        ({"ResourceTypes": [{"ResourceType": "ssm:Parameter"}]}, "InvalidParameterValue"),
        (
            {"ResourceTypes": [{"ResourceType": "ec2:Instance", "ResourceTypeOptions": DEPTH}]},
            "InvalidParameterCombination",
        ),
    ],
)
def test_invalid_requests(client: Any, image: str, params: dict[str, Any], code: str) -> None:
    """(EC2 API Reference, CreateImageUsageReport; botocore shape ImageUsageResourceTypeRequest.)"""
    call = {"ImageId": image, "ResourceTypes": BOTH, **params}
    assert error_code(client().create_image_usage_report, **call) == code
