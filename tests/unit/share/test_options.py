# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_share``, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.model import Grant, Sharing
from ansible_collections.golden.images.plugins.module_utils.share.options import wanted_from
from ansible_collections.golden.images.plugins.module_utils.share.state import PlannedKey
from ansible_collections.golden.images.plugins.modules.ami_share import ARGUMENT_SPEC

from tests.unit.examples import CONSUMER, ORG, SOURCE_ID, SOURCE_REGION, UNIT, as_read

IMAGES = {"eu-west-1": SOURCE_ID}


def params(**changes: Any) -> dict[str, Any]:
    """The parameters of a minimal task."""
    given = {"images": IMAGES, "account_ids": [CONSUMER], "region": None, **changes}
    return as_read(ARGUMENT_SPEC, given)


def refused(check_mode: bool = False, **changes: Any) -> list[str]:
    """The options that are refused."""
    with pytest.raises(Refused) as caught:
        wanted_from(params(**changes), check_mode)
    assert all(failure.remedy for failure in caught.value.failures)
    return [failure.action for failure in caught.value.failures]


def test_defaults() -> None:
    wanted = wanted_from(params(), False)
    assert wanted.images == IMAGES
    assert wanted.sharing == Sharing(frozenset({CONSUMER}))
    assert (wanted.present, wanted.purge, wanted.share_snapshots) == (True, False, True)
    assert wanted.allow_empty_purge is False
    assert wanted.shared_tags == {}


PLANNED_KEY = {
    "kms_key_arn": "arn:key",
    "grants": [{"grantee": "arn:a", "operations": ["Decrypt"]}],
    "policy_statements": [{"Sid": "one"}],
}


@pytest.mark.parametrize("check_mode", [False, True])
def test_planned_key_access_counts_in_check_mode(check_mode: bool) -> None:
    results = [{"kms_keys": [PLANNED_KEY]}, {"kms_keys": []}]
    planned = PlannedKey((Grant("", "arn:a", frozenset({"Decrypt"})),), ({"Sid": "one"},))
    wanted = wanted_from(params(planned_key_access=results), check_mode)
    assert wanted.planned_keys == ({"arn:key": planned} if check_mode else {})


def test_usable_keys() -> None:
    assert wanted_from(params(usable_key_arns=["arn:key"]), False).usable_keys == {"arn:key"}
    assert refused(usable_key_arns=[""]) == ["usable_key_arns"]


@pytest.mark.parametrize(
    "result", [{}, {"kms_keys": 7}, {"kms_keys": ["a"]}, {"kms_keys": [{"grants": [1]}]}]
)
def test_other_results_are_refused(result: dict[str, Any]) -> None:
    assert refused(check_mode=True, planned_key_access=[result]) == ["planned_key_access"]


def test_snapshots_without_an_image() -> None:
    snapshot = "snap-0123456789abcdef0"
    given = params(images=None, snapshots={"eu-west-1": [snapshot], "us-west-2": snapshot}, state="absent")
    wanted = wanted_from(given, False)
    assert (wanted.images, wanted.snapshots) == ({}, {"eu-west-1": (snapshot,), "us-west-2": (snapshot,)})


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


def test_all_options() -> None:
    wanted = wanted_from(
        params(
            images={"eu-west-1": None},
            org_arns=[ORG],
            org_unit_arns=[UNIT],
            group="all",
            allow_public=True,
            purge_launch_permissions=True,
            allow_empty_purge=True,
            share_snapshots=False,
            shared_tags={"version": 1},
            source_image_id=SOURCE_ID,
            source_region=SOURCE_REGION,
        ),
        True,
    )
    assert wanted.images == {"eu-west-1": None}
    assert wanted.sharing == Sharing(frozenset({CONSUMER}), frozenset({ORG}), frozenset({UNIT}), public=True)
    assert (wanted.present, wanted.purge, wanted.share_snapshots) == (True, True, False)
    assert wanted.allow_empty_purge is True
    assert wanted.shared_tags == {"version": "1"}
    assert (wanted.source_image_id, wanted.source_region) == (SOURCE_ID, SOURCE_REGION)


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
        pytest.param({"shared_tags": {"k" * 114: "v"}}, id="with its prefix the longest key AWS takes"),
    ],
)
def test_valid_options(changes: dict[str, Any]) -> None:
    assert wanted_from(params(**changes), False).images == IMAGES


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


def test_snapshot_ids() -> None:
    wanted = wanted_from(params(state="absent", snapshot_ids=["snap-1"]), False)
    assert wanted.snapshot_ids == {"snap-1"}


def test_best_effort_regions_may_have_no_image() -> None:
    wanted = wanted_from(params(best_effort_regions=["eu-west-1", " sa-east-1 "]), False)
    assert wanted.best_effort_regions == {"eu-west-1", "sa-east-1"}
    with pytest.raises(Refused, match="'Europe' is not a region"):
        wanted_from(params(best_effort_regions=["Europe"]), False)
