# SPDX-License-Identifier: GPL-3.0-or-later
"""End to end: the server process, and the fast path and moto's path to the simulated EC2."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulated_aws import client as simulated_aws_client
from simulated_aws.client import SimulatedAws

from .conftest import names

FIXTURE = Path(simulated_aws_client.__file__).parent / "fixtures" / "two_disk_ami.yml"
GOLDEN = "golden-web-2026.11.1"


@pytest.fixture(scope="module")
def aws() -> Iterator[SimulatedAws]:
    with SimulatedAws.start(FIXTURE) as started:
        yield started


def test_a_copy_is_shared_and_launched(aws: SimulatedAws) -> None:
    source: dict[str, Any] = aws.description()["images"][GOLDEN]
    owner = aws.client("ec2", "images", "us-west-2")
    copy = owner.copy_image(Name=GOLDEN, SourceImageId=source["image_id"], SourceRegion="us-east-1")[
        "ImageId"
    ]
    unit = aws.description()["organization"]["units"]["workloads/prod"]["arn"]
    owner.modify_image_attribute(ImageId=copy, OperationType="add", OrganizationalUnitArns=[unit])
    consumer = aws.client("ec2", "web-prod", "us-west-2")
    assert names(consumer.describe_images(ExecutableUsers=["self"])) == [GOLDEN]
    instance = consumer.run_instances(ImageId=copy, MinCount=1, MaxCount=1)["Instances"][0]
    assert instance["ImageId"] == copy
    assert len(consumer.describe_volumes()["Volumes"]) == 2
    made = consumer.create_image(InstanceId=instance["InstanceId"], Name="mine")["ImageId"]
    assert len(consumer.describe_images(ImageIds=[made])["Images"][0]["BlockDeviceMappings"]) == 2
