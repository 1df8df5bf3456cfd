# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that ``remediation_plan`` refuses."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.state import RegionState
from ansible_collections.golden.images.plugins.module_utils._remediation import flow as remediation_plan

from tests.unit.audit.examples import US, accounts, audit_of, region
from tests.unit.examples import CONSUMER, SOURCE_ID, STRANGER
from tests.unit.in_process import returned
from tests.unit.remediation.examples import HERE

SNAPSHOT = "snap-0123456789abcdef0"
AUDITED = audit_of(region(accounts(STRANGER), accounts(STRANGER)))
ALL = {"finding_codes": ["public"]}


def refused(**options: Any) -> list[dict[str, Any]]:
    """The failures of a task that is refused."""
    result = returned(remediation_plan, {"audit_result": AUDITED, **options})
    assert result["failed"]
    failures: list[dict[str, Any]] = result["failures"]
    assert all(one["remedy"] for one in failures)
    return failures


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        pytest.param({}, ["finding_codes"], id="neither codes nor images"),
        pytest.param({"images": ""}, ["finding_codes"], id="a blank"),
        pytest.param({"finding_codes": [""], "images": []}, ["finding_codes"], id="blanks"),
        pytest.param({"images": ["web-1"]}, ["images"], id="a name"),
        pytest.param({"images": 5}, ["images"], id="a number"),
        pytest.param({"images": {HERE: None}}, ["images"], id="no image yet"),
        pytest.param({**ALL, "images": {HERE: []}}, ["images"], id="a region without IDs"),
        pytest.param(
            {**ALL, "images": {HERE: SOURCE_ID, "us-west-2": []}},
            ["images"],
            id="one of two regions without IDs",
        ),
        pytest.param({**ALL, "images": ["", " "]}, ["images"], id="blanks as images"),
        pytest.param({"images": [{"image_id": SOURCE_ID}]}, ["images", "finding_codes"], id="no region"),
        pytest.param(
            {"images": [{"region": HERE, "image_id": SOURCE_ID, "snapshot_id": SNAPSHOT}]},
            ["images", "finding_codes"],
            id="an image and a snapshot",
        ),
        pytest.param({**ALL, "max_removals": -1}, ["max_removals"], id="below zero"),
        pytest.param(
            {**ALL, "revoke_results": [{"results": [{}]}]}, ["revoke_results"], id="results of another module"
        ),
        pytest.param({"expected_removals": [{"region": HERE}]}, ["expected_removals"], id="half a removal"),
        pytest.param({**ALL, "audit_result": {}}, ["audit_result"], id="nothing was audited"),
        pytest.param({**ALL, "audit_result": {"findings": []}}, ["audit_result"], id="half a result"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], options: list[str]) -> None:
    assert [failure["action"] for failure in refused(**changes)] == options


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"images": ["web-1"]}, "'web-1' is not a valid AMI ID or snapshot ID."),
        ({**ALL, "max_removals": -1}, "must be 0 or greater (got -1)."),
    ],
)
def test_an_invalid_value_is_refused_for_its_form(changes: dict[str, Any], said: str) -> None:
    (failure,) = refused(**changes)
    assert said in failure["message"]


def test_the_refusal_says_why_the_audit_failed() -> None:
    (failure,) = refused(**ALL, audit_result={"failed": True, "msg": "No credentials."})
    assert "The audit failed: No credentials." in failure["message"]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(region(accounts(STRANGER), volume_permissions={}), id="an image"),
        pytest.param(RegionState(), id="no image, but maybe snapshots of former ones"),
    ],
)
def test_an_audit_without_snapshots_is_refused(seen: RegionState) -> None:
    (failure,) = refused(**ALL, audit_result=audit_of(seen, check_snapshots=False))
    assert "check_snapshots: true" in failure["remedy"]


@pytest.mark.parametrize(
    ("options", "action"),
    [
        (
            {"account_ids": [CONSUMER], "all_images": True, "images": {"eu-west-1": "ami-12345678"}},
            "all_images",
        ),
        ({"account_ids": [CONSUMER]}, "images"),
        ({"finding_codes": ["unknown_acount"]}, "finding_codes"),
        ({"images": ["golden"]}, "images"),
        ({"finding_codes": ["public"], "max_removals": -1}, "max_removals"),
    ],
)
def test_what_no_audit_makes_valid_is_refused_without_one(options: dict[str, Any], action: str) -> None:
    result = returned(remediation_plan, {"only_check": True, **options})
    assert [failure["action"] for failure in result["failures"]] == [action]


HOME = {"region": HERE, "image_id": SOURCE_ID}
AWAY = {"region": US, "snapshot_id": SNAPSHOT}


@pytest.mark.parametrize(
    ("options", "regions"),
    [
        pytest.param({**ALL}, [], id="all images in all regions"),
        pytest.param({**ALL, "regions": [US, HERE]}, [US, HERE], id="all images"),
        pytest.param({"images": [AWAY, HOME, AWAY]}, [US, HERE], id="the regions of images"),
        pytest.param({"images": {US: SOURCE_ID, HERE: [SNAPSHOT]}}, [US, HERE], id="by region"),
        pytest.param({"images": [AWAY, SOURCE_ID]}, [], id="an image without a region"),
        pytest.param({"images": [AWAY, HOME], "regions": [HERE, "eu-west-1"]}, [HERE], id="in both"),
        # The plan refuses the image, which is in none of the regions that may be read.
        pytest.param({"images": [AWAY], "regions": [HERE]}, [HERE], id="in another region"),
        pytest.param(
            {"account_ids": [CONSUMER], "images": [AWAY], "name_patterns": ["web-*"]}, [], id="also by name"
        ),
        pytest.param({"account_ids": [CONSUMER], "images": [AWAY]}, [US], id="of consumers that leave"),
    ],
)
def test_regions_to_audit(options: dict[str, Any], regions: list[str]) -> None:
    assert returned(remediation_plan, {"only_check": True, **options})["regions"] == regions


def test_a_check_plans_nothing() -> None:
    result = returned(remediation_plan, {"only_check": True, **ALL})
    assert not result.get("failed"), result
    assert (result["removals"], result["unshare_tasks"], result["revoke_tasks"]) == ([], [], [])
    without = returned(remediation_plan, ALL)
    assert [failure["action"] for failure in without["failures"]] == ["audit_result"]
