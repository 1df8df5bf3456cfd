# SPDX-License-Identifier: GPL-3.0-or-later
"""When an image was last launched: reported a day late, and to its owner only."""

from __future__ import annotations

from typing import Any

from .conftest import CONSUMER, build, image_id

ONE = {"MinCount": 1, "MaxCount": 1}


def last_launched(client: Any, image: str) -> tuple[str | None, str | None]:
    """The value of DescribeImages and of DescribeImageAttribute."""
    (seen,) = client().describe_images(ImageIds=[image])["Images"]
    answer = client().describe_image_attribute(ImageId=image, Attribute="lastLaunchedTime")
    return seen.get("LastLaunchedTime"), answer.get("LastLaunchedTime", {}).get("Value")


def test_a_launch_is_reported_after_a_day(client: Any, clock: Any) -> None:
    """(botocore shape Image, LastLaunchedTime.)"""
    image = image_id(build())
    first = f"{clock.now():%Y-%m-%dT%H:%M:%S}"
    client().run_instances(ImageId=image, **ONE)
    clock.forward(hours=23, minutes=59)
    assert last_launched(client, image) == (None, None)
    clock.forward(minutes=1)
    seen, attribute = last_launched(client, image)
    assert seen == attribute
    assert str(seen).startswith(first)
    client().run_instances(ImageId=image, **ONE)
    assert last_launched(client, image) == (seen, seen)


def test_only_the_owner_sees_it_and_launches_of_others_count(client: Any, clock: Any) -> None:
    """(EC2 User Guide, Check when an Amazon EC2 AMI was last used.)"""
    image = image_id(build(images={"golden": {"sharing": {"accounts": ["consumer"]}}}))
    client(CONSUMER).run_instances(ImageId=image, **ONE)
    clock.forward(days=1)
    assert last_launched(client, image)[0]
    (seen,) = client(CONSUMER).describe_images(ImageIds=[image])["Images"]
    assert "LastLaunchedTime" not in seen
