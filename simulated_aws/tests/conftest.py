# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated AWS for all tests, reset for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

FIXTURE = {
    "accounts": {"owner": "012345678901", "consumer": "222222222222"},
    "images": {
        "golden": {
            "account": "owner",
            "region": "us-east-1",
            "devices": [{"device_name": "/dev/xvda", "size": 8}],
        }
    },
}


@pytest.fixture(scope="session")
def server() -> Iterator[SimulatedAws]:
    with SimulatedAws.start() as started:
        yield started


@pytest.fixture
def aws(server: SimulatedAws) -> SimulatedAws:
    server.reset()
    server.load_fixture(FIXTURE)
    return server


@pytest.fixture
def image_id(aws: SimulatedAws) -> str:
    found: str = aws.description()["images"]["golden"]["image_id"]
    return found


def sharing(aws: SimulatedAws, image_id: str) -> list[dict[str, Any]]:
    """The launch permissions the owner sees."""
    ec2 = aws.client("ec2", "owner")
    answer = ec2.describe_image_attribute(ImageId=image_id, Attribute="launchPermission")
    permissions: list[dict[str, Any]] = answer["LaunchPermissions"]
    return permissions
