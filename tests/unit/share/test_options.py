# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_share``, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError

from tests.unit.examples import CONSUMER, ORG, SOURCE_ID
from tests.unit.share.examples import Run, aws_with, shared, with_accounts
from tests.unit.step_results import consumer_copy_result, copy_result, grant_result

IMAGES = {"eu-west-1": SOURCE_ID}
AWS = aws_with(shared(image_id=SOURCE_ID, volumes_of={"snap-1": with_accounts(CONSUMER)}))


def refused(check_mode: bool = False, **changes: Any) -> list[str]:
    """The options of a minimal task that are refused with these changes."""
    options = {"images": IMAGES, "account_ids": [CONSUMER], **changes}
    with pytest.raises(ValidationError) as caught:
        assert Run(options, AWS, check_mode).wanted
    assert all(failure.remedy for failure in caught.value.failures)
    return [failure.action for failure in caught.value.failures]


@pytest.mark.parametrize(
    "result",
    [{"a": 1}, grant_result(results=7), grant_result(results=[{"kms_keys": [{"a": 1}]}])],
)
def test_other_results_are_refused(result: dict[str, Any]) -> None:
    assert refused(grant_results=[{}, result]) == ["grant_results"]


def test_a_planned_copy_cannot_be_shared() -> None:
    assert refused(images=None, copy_result=copy_result({"eu-west-1": None})) == ["copy_result"]


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "present"},
        {"share_snapshots": False},
        {"snapshot_ids": ["snap-1"]},
        {"snapshots": {"eu-west-1": ["snap-1"]}},
    ],
)
def test_snapshots_without_an_image_that_are_refused(changes: dict[str, Any]) -> None:
    given = {"images": None, "snapshots": {"eu-west-1": ["snap-01234567"]}, "state": "absent", **changes}
    assert refused(**given) == ["snapshots"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"account_ids": []}, id="no consumer"),
        pytest.param({"state": "absent"}, id="unshare from an account"),
        pytest.param(
            {"state": "absent", "account_ids": [], "org_arns": [ORG]}, id="unshare from an organization"
        ),
        pytest.param({"state": "absent", "account_ids": [], "group": "all"}, id="make private"),
        pytest.param({"state": "absent", "snapshot_ids": ["snap-1"]}, id="unshare a snapshot"),
        pytest.param({"purge_launch_permissions": True}, id="purge"),
        pytest.param(
            {"purge_launch_permissions": True, "account_ids": [], "allow_empty_purge": True},
            id="purge without consumers",
        ),
        pytest.param({"group": "all", "allow_public": True}, id="public"),
        pytest.param({"allow_public": True}, id="allow_public without group"),
        pytest.param({"best_effort_regions": ["sa-east-1"]}, id="a best-effort region without an image"),
        pytest.param({"shared_tags": {"k" * 114: "v"}}, id="with its prefix the longest key AWS takes"),
    ],
)
def test_valid_options(changes: dict[str, Any]) -> None:
    plan = Run({"images": IMAGES, "account_ids": [CONSUMER], **changes}, AWS).plan
    assert plan.refusals == ()


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        pytest.param({"group": "all"}, ["group"], id="public, not allowed"),
        pytest.param(
            {"state": "absent", "purge_launch_permissions": True},
            ["purge_launch_permissions"],
            id="purge and absent",
        ),
        pytest.param({"state": "absent", "account_ids": []}, ["account_ids"], id="absent without consumers"),
        pytest.param(
            {
                "images": None,
                "copy_result": copy_result(IMAGES),
                "consumer_copy_result": consumer_copy_result({CONSUMER: "pending"}),
                "state": "absent",
            },
            ["consumer_copy_result"],
            id="absent, but not for all",
        ),
        pytest.param({"state": "absent", "account_ids": [""]}, ["account_ids"], id="absent with a blank"),
        pytest.param(
            {"purge_launch_permissions": True, "account_ids": []},
            ["purge_launch_permissions"],
            id="purge without consumers",
        ),
        pytest.param(
            {"purge_launch_permissions": True, "account_ids": ["", " "]},
            ["account_ids", "account_ids"],
            id="purge with blanks",
        ),
        pytest.param({"snapshot_ids": ["snap-1"]}, ["snapshot_ids"], id="share single snapshots"),
        pytest.param(
            {"state": "absent", "snapshot_ids": ["snap-1"], "share_snapshots": False},
            ["snapshot_ids"],
            id="snapshots, and none",
        ),
        pytest.param({"images": {"eu-west-1": None}}, ["images"], id="no image yet"),
        pytest.param({"best_effort_regions": ["Europe"]}, ["best_effort_regions"], id="not a region"),
        pytest.param({"account_ids": [12345678901]}, ["account_ids"], id="a number"),
        pytest.param({"shared_tags": {"aws:x": "1"}}, ["shared_tags"], id="AWS's tag"),
        pytest.param({"shared_tags": {"k" * 115: "v"}}, ["shared_tags"], id="a key too long with its prefix"),
        pytest.param(
            {"images": {}, "group": "all", "org_arns": ["o-1"]},
            ["org_arns", "images", "group"],
            id="all at once",
        ),
    ],
)
def test_invalid_options(changes: dict[str, Any], options: list[str]) -> None:
    assert refused(**changes) == options
