# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom engine versions show the images that they launch (botocore operations of rds)."""

from __future__ import annotations

from simulated_aws.client import SimulatedAws

ENGINE = "custom-sqlserver-ee"


def test_a_custom_engine_version_shows_its_image(aws: SimulatedAws, image_id: str) -> None:
    rds = aws.client("rds", "owner")
    rds.create_custom_db_engine_version(Engine=ENGINE, EngineVersion="15.00.4249.2.web", ImageId=image_id)
    rds.create_custom_db_engine_version(Engine="custom-oracle-ee", EngineVersion="19.web")
    named = [{"Name": "engine", "Values": [ENGINE]}]
    (version,) = rds.describe_db_engine_versions(Filters=named, IncludeAll=True)["DBEngineVersions"]
    assert (version["EngineVersion"], version["Image"]["ImageId"]) == ("15.00.4249.2.web", image_id)
    assert [call.changes for call in aws.calls(service="rds")] == [True, True, False]


def test_engine_versions_are_listed_page_by_page_with_those_of_aws(aws: SimulatedAws) -> None:
    rds = aws.client("rds", "owner")
    for number in range(20):
        rds.create_custom_db_engine_version(Engine=ENGINE, EngineVersion=f"15.00.4249.2.{number}")
    pages = rds.get_paginator("describe_db_engine_versions").paginate(PaginationConfig={"PageSize": 20})
    found = [[one["Engine"] for one in page["DBEngineVersions"]] for page in pages]
    assert found == [["mysql", *[ENGINE] * 19], [ENGINE]]
