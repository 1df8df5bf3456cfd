# SPDX-License-Identifier: GPL-3.0-or-later

"""The returned keys of the module, and the check of the key of each finished copy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.copy import plan as planner
from ansible_collections.golden.images.plugins.module_utils.copy.result import returned, wrong_keys
from ansible_collections.golden.images.plugins.module_utils.copy.run import CopyRun, initial_runs
from ansible_collections.golden.images.plugins.module_utils.copy.state import CopySeen, CopyWanted
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.model import Image, Snapshot

from tests.unit.copy.examples import seen_in, wanted
from tests.unit.examples import (
    OWNER,
    SOURCE_ID,
    SOURCE_REGION,
    adopted_image,
    copied_image,
    source_image,
    target_in,
    volumes,
)
from tests.unit.keys.examples import OTHER, UNDER_KEY, WANTED, saw

EU, US = "eu-west-1", "us-west-2"
READY = copied_image("ami-eu", devices=volumes("snap-1"))
SNAPSHOTS = (Snapshot("snap-1", "completed", 100, WANTED.arn),)
FAILURE = Failure("m", "r", "c", "a", US, OWNER)


def result(
    want: CopyWanted, found: CopySeen, runs: dict[str, CopyRun] | None = None, *tolerated: Failure
) -> dict[str, Any]:
    """The result of these runs, or in check mode if there are none."""
    plan = planner.plan(want, found)
    if runs is None:
        return returned(want, found, plan, initial_runs(want, found), tolerated, only_planned=True)
    by_target = {target_in(region): run for region, run in runs.items()}
    return returned(want, found, plan, by_target, tolerated, only_planned=False)


def test_one_target() -> None:
    found = seen_in({EU: (READY,)})
    assert result(wanted(), found, {EU: CopyRun(READY, SNAPSHOTS, 99)}) == {
        "images": {EU: "ami-eu"},
        "kms_key_arns": {EU: WANTED.arn},
        "results": [
            {
                "account_id": OWNER,
                "best_effort": False,
                "copy_seconds": None,
                "image_id": "ami-eu",
                "kms_key_arn": WANTED.arn,
                "name": f"golden-web-{SOURCE_ID}",
                "origin": "found",
                "progress": 99,
                "region": EU,
                "snapshot_ids": ["snap-1"],
                "snapshot_kms_key_arns": [WANTED.arn],
                "state": "available",
                "tags": dict(READY.tags),
            }
        ],
        "source_image_id": SOURCE_ID,
        "source_region": SOURCE_REGION,
    }


@pytest.mark.parametrize(
    ("state", "created", "completed", "seconds"),
    [
        ("available", "2026-11-24T12:00:00.000Z", [90, 421], 421),
        ("available", "2026-11-24T12:00:00.000Z", [90, None], None),
        ("available", "2026-11-24T12:00:00.000Z", [90], None),
        ("available", "", [90, 421], None),
        ("pending", "2026-11-24T12:00:00.000Z", [90, 421], None),
        # AWS rounds its times.
        ("available", "2026-11-24T12:00:01.000Z", [0, 0], 0),
    ],
)
def test_how_long_a_copy_took(
    state: str, created: str, completed: list[int | None], seconds: int | None
) -> None:
    start = datetime(2026, 11, 24, 12, tzinfo=UTC)
    times = [None if one is None else start + timedelta(seconds=one) for one in completed]
    image = replace(READY, state=state, creation_date=created, devices=volumes("snap-1", "snap-2"))
    snapshots = tuple(
        Snapshot(f"snap-{number}", "completed", 100, completed=time) for number, time in enumerate(times, 1)
    )
    (found,) = result(wanted(), seen_in({EU: (image,)}), {EU: CopyRun(image, snapshots)})["results"]
    assert found["copy_seconds"] == seconds


@pytest.mark.parametrize(
    ("region", "images", "origin"),
    [
        pytest.param(SOURCE_REGION, (), "source", id="the source"),
        pytest.param(EU, (), "copied", id="a new copy"),
        pytest.param(EU, (READY,), "found", id="an earlier copy"),
        pytest.param(EU, (adopted_image(),), "adopted", id="another copy"),
    ],
)
def test_origins(region: str, images: tuple[Image, ...], origin: str) -> None:
    found = result(wanted(regions=(region,)), seen_in({region: images}), {region: CopyRun(READY)})
    assert [item["origin"] for item in found["results"]] == [origin]


@pytest.mark.parametrize(
    ("images", "origin"),
    [
        pytest.param((), "copied", id="a new copy"),
        pytest.param((replace(READY, devices=volumes("snap-1", encrypted=True)),), "found", id="a rerun"),
    ],
)
def test_a_copy_in_the_region_of_the_source_is_not_the_source(images: tuple[Image, ...], origin: str) -> None:
    encryption = replace(UNDER_KEY, reencrypt_source=True)
    here = target_in(SOURCE_REGION)
    found = replace(seen_in({SOURCE_REGION: images}), keys={here: WANTED}, snapshots={here: SNAPSHOTS})
    want = wanted(regions=(SOURCE_REGION,), encryption=encryption)
    for runs in (None, {SOURCE_REGION: CopyRun(READY, SNAPSHOTS)}):
        assert [item["origin"] for item in result(want, found, runs)["results"]] == [origin]


def test_a_planned_copy_is_null_in_check_mode_and_missing_after_a_run() -> None:
    found = seen_in({EU: ()})
    planned = result(wanted(name="n-{region}"), found)
    assert planned["images"] == {EU: None}
    assert [(item["name"], item["state"]) for item in planned["results"]] == [("n-eu-west-1", None)]
    assert result(wanted(), found, {EU: CopyRun(failure=FAILURE)})["images"] == {}


def test_failed_images_and_best_effort_failures_are_left_out_of_images() -> None:
    want = wanted(regions=(EU, US), best_effort_regions=frozenset({US}))
    pending = CopyRun(copied_image("ami-us", "pending"), failure=FAILURE)
    found = result(want, seen_in({EU: (), US: ()}), {EU: CopyRun(READY), US: pending}, FAILURE)
    assert found["images"] == {EU: "ami-eu"}
    assert found["kms_key_arns"] == {EU: None}
    assert [(item["image_id"], item["best_effort"]) for item in found["results"]] == [
        ("ami-eu", False),
        ("ami-us", True),
    ]
    failed = {EU: CopyRun(copied_image("ami-f", "failed"))}
    assert result(wanted(), seen_in({EU: ()}), failed)["images"] == {}


def test_with_accounts_the_values_are_lists() -> None:
    found = result(wanted(account_ids=(OWNER,)), seen_in({EU: (READY,)}), {EU: CopyRun(READY, SNAPSHOTS)})
    assert found["images"] == [{"account_id": OWNER, "region": EU, "image_id": "ami-eu"}]
    assert found["kms_key_arns"] == [{"account_id": OWNER, "region": EU, "kms_key_arn": WANTED.arn}]


def test_with_source_images_no_single_source_is_returned() -> None:
    want = wanted(source_images={EU: SOURCE_ID}, source_image_id=None, source_region=EU)
    found = result(want, replace(seen_in({EU: ()}), sources={EU: source_image()}), {EU: CopyRun(READY)})
    assert (found["source_image_id"], found["source_region"]) == (None, None)


ENCRYPTED = copied_image("ami-new", devices=volumes("snap-new", encrypted=True))


def under(arn: str | None) -> tuple[Snapshot, ...]:
    return (Snapshot("snap-new", "completed", 100, arn),)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        pytest.param(CopyRun(ENCRYPTED, under(WANTED.arn)), None, id="requested key"),
        pytest.param(
            CopyRun(ENCRYPTED, under(OTHER.arn)),
            f"ami-new is encrypted under {OTHER.arn}, which was not requested.",
            id="another key",
        ),
        pytest.param(
            CopyRun(copied_image("ami-new", devices=volumes("snap-new")), under(None)),
            "ami-new is not encrypted, which was not requested.",
            id="no key",
        ),
        pytest.param(CopyRun(ENCRYPTED, under(OTHER.arn), failure=FAILURE), None, id="failed already"),
        pytest.param(CopyRun(), None, id="no image"),
    ],
)
def test_the_key_of_a_finished_copy(run: CopyRun, message: str | None) -> None:
    found = wrong_keys(wanted(encryption=UNDER_KEY), saw(key=WANTED), {target_in(EU): run})
    assert {target: event.failure.message for target, event in found.items()} == (
        {target_in(EU): message} if message else {}
    )
    assert all(event.failure.error_code == "wrong_key" for event in found.values())


def test_the_tags_are_those_after_the_planned_changes() -> None:
    tagged = replace(READY, tags={**READY.tags, "aws:x": "1", "old": "1", "role": "db"})
    found = seen_in({EU: (tagged,), US: ()})
    want = wanted(regions=(EU, US), tags={"role": "web"}, purge_tags=True)
    of_eu, of_us = result(want, found)["results"]
    assert of_eu["tags"] == {**READY.tags, "role": "web"}
    assert of_us["tags"]["role"] == "web"
    assert of_us["tags"].keys() == of_eu["tags"].keys()
