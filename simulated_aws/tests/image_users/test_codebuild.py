# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets of CodeBuild show the images that they launch (botocore operations of codebuild)."""

from __future__ import annotations

from simulated_aws.client import SimulatedAws

FLEET = {"baseCapacity": 1, "environmentType": "LINUX_EC2", "computeType": "BUILD_GENERAL1_SMALL"}


def test_a_fleet_shows_its_image_only_when_it_is_described(aws: SimulatedAws, image_id: str) -> None:
    codebuild = aws.client("codebuild", "owner")
    arn = codebuild.create_fleet(name="builders", imageId=image_id, **FLEET)["fleet"]["arn"]
    assert codebuild.list_fleets()["fleets"] == [arn]
    for name in ("builders", arn):
        found = codebuild.batch_get_fleets(names=[name, "other"])
        assert ([one["imageId"] for one in found["fleets"]], found["fleetsNotFound"]) == (
            [image_id],
            ["other"],
        )
    assert [call.changes for call in aws.calls(service="codebuild")] == [True, False, False, False]


def test_fleets_are_listed_page_by_page(aws: SimulatedAws) -> None:
    codebuild = aws.client("codebuild", "owner")
    arns = [codebuild.create_fleet(name=f"fleet-{number}", **FLEET)["fleet"]["arn"] for number in range(3)]
    first = codebuild.list_fleets(maxResults=2)
    second = codebuild.list_fleets(maxResults=2, nextToken=first["nextToken"])
    assert (first["fleets"], second["fleets"], "nextToken" in second) == (arns[:2], arns[2:], False)
