# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeImageReferences (EC2 User Guide, Identify your resources referencing specified AMIs)."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_aws.settings import SETTINGS

from .conftest import CONSUMER, OWNER, build, error_code, image_id

ONE = {"MinCount": 1, "MaxCount": 1}
EVERYTHING = {"IncludeAllResourceTypes": True}
OTHER = "ami-0123456789abcdef0"


@pytest.fixture
def image() -> str:
    return image_id(build(images={"golden": {"sharing": {"accounts": ["consumer"]}}}))


def arns(client: Any, image: str, **params: Any) -> list[str]:
    found = client().describe_image_references(ImageIds=[image], **(params or EVERYTHING))["ImageReferences"]
    assert all(one["ImageId"] == image for one in found)
    return [one["Arn"] for one in found]


def template(**options: Any) -> dict[str, Any]:
    return {"ResourceTypes": [{"ResourceType": "ec2:LaunchTemplate", **options}]}


def depth(*values: str) -> list[dict[str, Any]]:
    return [{"OptionName": "version-depth", "OptionValues": list(values)}]


def test_own_instances_templates_and_parameters_are_found(client: Any, image: str) -> None:
    ec2 = client()
    assert arns(client, image) == []
    (instance,) = ec2.run_instances(ImageId=image, **ONE)["Instances"]
    made = ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": image})
    client(service="ssm").put_parameter(Name="/web", Value=image, Type="String", DataType="aws:ec2:image")
    client(service="ssm").put_parameter(Name="/text", Value=image, Type="String")
    template_id = made["LaunchTemplate"]["LaunchTemplateId"]
    assert arns(client, image) == [
        f"arn:aws:ec2:us-east-1:{OWNER}:instance/{instance['InstanceId']}",
        f"arn:aws:ec2:us-east-1:{OWNER}:launch-template/{template_id}",
        f"arn:aws:ssm:us-east-1:{OWNER}:parameter/web",
    ]


def test_by_a_setting_every_parameter_that_names_the_image_is_found(client: Any, image: str) -> None:
    """AWS documents neither (EC2 User Guide, Identify your resources referencing specified AMIs)."""
    ssm = client(service="ssm")
    ssm.put_parameter(Name="/web", Value=image, Type="String", DataType="aws:ec2:image")
    ssm.put_parameter(Name="/text", Value=f'{{"a": "{image}", "b": "{image}"}}', Type="String")
    assert arns(client, image) == [f"arn:aws:ssm:us-east-1:{OWNER}:parameter/web"]
    SETTINGS.references_in_text_parameters = True
    assert arns(client, image) == [
        f"arn:aws:ssm:us-east-1:{OWNER}:parameter/{name}" for name in ("web", "text")
    ]


def test_what_other_accounts_have_is_not_found(client: Any, image: str) -> None:
    client(CONSUMER).run_instances(ImageId=image, **ONE)
    assert arns(client, image) == []


def test_instances_count_in_the_states_asked_for(client: Any, image: str) -> None:
    """(botocore shape ResourceTypeOption.)"""
    (instance,) = client().run_instances(ImageId=image, **ONE)["Instances"]
    client().terminate_instances(InstanceIds=[instance["InstanceId"]])
    assert len(arns(client, image)) == 1
    living = [{"OptionName": "state-name", "OptionValues": ["running", "stopped"]}]
    scope = [{"ResourceType": "ec2:Instance", "ResourceTypeOptions": living}]
    assert arns(client, image, ResourceTypes=scope) == []


def test_templates_are_searched_as_deep_as_asked_for_and_ten_versions_otherwise(
    client: Any, image: str
) -> None:
    """(botocore shape ResourceTypeOption: the default is 10.)"""
    ec2 = client()
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": image})
    for _version in range(9):
        ec2.create_launch_template_version(LaunchTemplateName="web", LaunchTemplateData={"ImageId": OTHER})
    assert len(arns(client, image)) == 1
    ec2.create_launch_template_version(LaunchTemplateName="web", LaunchTemplateData={"ImageId": OTHER})
    assert arns(client, image) == arns(client, image, **template()) == []
    assert len(arns(client, image, **template(ResourceTypeOptions=depth("10000")))) == 1
    deeper = {**EVERYTHING, **template(ResourceTypeOptions=depth("11"))}
    assert len(arns(client, image, **deeper)) == 1


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"ImageIds": [OTHER]}, "MissingParameter"),
        ({"ImageIds": [OTHER] * 11, **EVERYTHING}, "InvalidParameterValue"),
        ({"ImageIds": ["web"], **EVERYTHING}, "InvalidAMIID.Malformed"),
        ({"ImageIds": [OTHER], **template(ResourceTypeOptions=depth("0"))}, "InvalidParameterValue"),
        ({"ImageIds": [OTHER], **template(ResourceTypeOptions=depth("10001"))}, "InvalidParameterValue"),
        ({"ImageIds": [OTHER], **template(ResourceTypeOptions=depth("1", "2"))}, "InvalidParameterValue"),
        ({"ImageIds": [OTHER], "ResourceTypes": [{"ResourceType": "ec2:Volume"}]}, "InvalidParameterValue"),
        (
            {
                "ImageIds": [OTHER],
                "ResourceTypes": [{"ResourceType": "ssm:Parameter", "ResourceTypeOptions": depth("1")}],
            },
            "InvalidParameterCombination",
        ),
    ],
)
def test_invalid_requests(client: Any, params: dict[str, Any], code: str) -> None:
    """(EC2 API Reference, DescribeImageReferences; botocore shape ResourceTypeOption.)"""
    assert error_code(client().describe_image_references, **params) == code


def test_references_are_paginated(client: Any, image: str) -> None:
    client().run_instances(ImageId=image, MinCount=7, MaxCount=7)
    pages = client().get_paginator("describe_image_references")
    found = pages.paginate(ImageIds=[image], **EVERYTHING, PaginationConfig={"PageSize": 5})
    assert [len(one["ImageReferences"]) for one in found] == [5, 2]
