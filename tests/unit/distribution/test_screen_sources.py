# SPDX-License-Identifier: GPL-3.0-or-later

"""What is displayed of several sources, and passed on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._distribution.screen import screen
from ansible_collections.golden.images.plugins.module_utils._distribution.screen_sources import (
    Reports,
    build_sources_screen,
    collect_images,
)

from tests.unit.distribution.examples import EU, US, copied, reported, shared, verification
from tests.unit.examples import CONSUMER, OWNER

RUN = {"check_mode": False}
WEB, DB, COPY = "ami-00000000000000001", "ami-00000000000000002", "ami-00000000000000003"


def report(image_id: str, shared: tuple[str, ...], failures: tuple[str, ...] = ()) -> dict[str, Any]:
    """A report of two regions, shared in some of them."""
    return {
        "source_image_id": image_id,
        "source_region": "us-east-1",
        "status": "distributed" if len(shared) == 2 else "partial",
        "failures": [{"region": region} for region in failures],
        "regions": [
            {"region": region, "image_id": image_id, "shared": region in shared}
            for region in ("eu-west-1", "us-east-1")
        ],
    }


URL = "https://console.example/b?prefix=web/"
GOOD = report(WEB, ("eu-west-1", "us-east-1"))
BAD = report(DB, ("us-east-1",), ("eu-west-1",))


def of_sources(**reports: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What ``distribution_report`` returned of each source; nothing of one that was refused before."""
    made = {"report_failures": [], "report_s3_uri": None, "report_url": None}
    return {"sources": {name: {**made, "report": one} if one else {} for name, one in reports.items()}}


def test_what_failed_is_first() -> None:
    found = screen(of_sources(web=GOOD, db=BAD, new={}), RUN, "/reports")
    assert found.text.splitlines() == [
        "Distributed 1 of 3 images.",
        "source  image                  regions  status",
        f"db      {DB}  1/2      partial",
        "new     -                      0/0      refused",
        f"web     {WEB}  2/2      distributed",
        "Report: /reports",
    ]


def test_a_region_that_could_not_be_read_has_failed() -> None:
    unread = {**GOOD, "status": "partial", "failures": [{"region": "us-west-2"}, {"region": None}]}
    assert screen(of_sources(web=unread), RUN, None).artifacts["failed_regions"] == ["us-west-2"]


def test_the_next_job_gets_images_by_source() -> None:
    owned = {"account_id": "012345678901", "image_id": COPY, "region": "eu-west-1", "state": "available"}
    web = {**GOOD, "consumer_images": [owned]}
    found = screen(of_sources(web=web, db=BAD), RUN, None).artifacts
    assert json.loads(found["copies"]) == [
        {"source": "web", "account_id": "012345678901", "image_id": COPY, "region": "eu-west-1"}
    ]
    assert {key: value for key, value in found.items() if key != "copies"} == {
        "failed_regions": ["eu-west-1"],
        "failed_sources": ["db"],
        "images": {},
        "images_by_source": {
            "web": {"eu-west-1": WEB, "us-east-1": WEB},
            "db": {"us-east-1": DB},
        },
        "report_path": None,
        "report_s3_uri": None,
        "report_url": None,
        "source_image_id": None,
        "source_region": None,
        "status": "partial",
    }


@pytest.mark.parametrize(
    ("sources", "status"),
    [
        pytest.param({"web": GOOD}, "distributed", id="all"),
        pytest.param({"web": GOOD, "db": {}}, "partial", id="one of two"),
        pytest.param({"db": BAD}, "partial", id="one, in some regions"),
        pytest.param({"db": {**BAD, "status": "failed"}, "new": {}}, "failed", id="none"),
    ],
)
def test_the_status_of_all_sources(sources: Reports, status: str) -> None:
    assert build_sources_screen(sources, {}, False, None).artifacts["status"] == status


@pytest.mark.parametrize("reached", [True, False], ids=["unpublished", "unverified and unpublished"])
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_source_alone_and_one_of_several_have_the_same_failed_regions(
    reached: bool, check_mode: bool
) -> None:
    row = {
        "account_id": CONSUMER,
        "region": EU,
        "image_id": WEB,
        "level": "visible" if reached else None,
        "reached": reached,
        "findings": [],
    }
    publication = {"account_id": OWNER, "region": US, "parameter": "/golden/web", "label": "v1"}
    one = reported(
        copied(EU, US),
        {},
        shared(EU, US),
        verify_result=verification(row),
        publish_result={"results": [publication]},
    )
    run = {"check_mode": check_mode}
    alone = screen(one, {**run, "copy_result": {}, "parameter": "/golden/web"}, None).artifacts
    parameters = {"web": "/golden/web", "db": None}
    other = screen(of_sources(web=one, db={}), {**run, "parameters": parameters}, None).artifacts
    assert alone["failed_regions"] == other["failed_regions"] == ([] if check_mode else [EU])


def test_a_plan_is_no_distribution() -> None:
    planned = {**GOOD, "status": "failed"}
    found = screen(of_sources(web=planned, db=planned), {"check_mode": True}, None)
    assert found.lines[0].text == "Check mode: would distribute 2 of 2 images."
    assert found.artifacts["status"] == "planned"
    assert screen(of_sources(new={}), {"check_mode": True}, None).artifacts["failed_sources"] == ["new"]


def test_images_of_a_report() -> None:
    assert collect_images(BAD) == {"us-east-1": DB}
    assert collect_images({}) == {}


def test_the_folder_of_the_uploads_is_displayed_and_passed_on() -> None:
    given = of_sources(web=GOOD, db=BAD, new={})
    given["sources"]["db"] |= {"report_failures": [{"message": "No."}], "report_s3_uri": "s3://reports/db/"}
    assert screen(given, RUN, "/reports").artifacts["report_url"] is None
    given["sources"]["web"] |= {"report_s3_uri": "s3://reports/web/", "report_url": URL}
    found = screen(given, RUN, "/reports")
    assert found.text.splitlines()[-3:] == [
        "Report: /reports",
        "Uploaded: s3://reports/",
        "Console: https://console.example/b",
    ]
    assert found.artifacts["report_s3_uri"] == "s3://reports/"


def test_what_is_too_large_to_be_passed_on_is_said() -> None:
    large = {f"{'long-name' * 6}-{number}": GOOD for number in range(900)}
    found = build_sources_screen(large, {}, False, None)
    assert found.text.endswith("Too large to pass to the next job: images_by_source.")
