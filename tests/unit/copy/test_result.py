# SPDX-License-Identifier: GPL-3.0-or-later

"""The returned keys of the module."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Key, Snapshot

from tests.unit.copy.account import OTHER_REGION, Run, World, aws_with, copied_to
from tests.unit.copy.examples import REGION
from tests.unit.examples import (
    MARK,
    OWNER,
    SOURCE_ID,
    SOURCE_REGION,
    adopted_image,
    copied_image,
    source_image,
    volumes,
)
from tests.unit.keys.examples import ENCRYPTED, KEY_TAG, PLAIN, WANTED, found, key_arn

EU, US = REGION, OTHER_REGION
UNDER_KEY = {"kms_key_id": "alias/golden"}
NAME = f"golden-web-{SOURCE_ID}"


def test_one_target() -> None:
    done = Run(copied_to(**UNDER_KEY), aws_with(PLAIN, found("ami-eu", WANTED)))
    assert done.result == {
        "all_available": True,
        "images": {EU: "ami-eu"},
        "kms_key_arns": {EU: WANTED.arn},
        "results": [
            {
                "account_id": OWNER,
                "best_effort": False,
                "copy_seconds": None,
                "image_id": "ami-eu",
                "kms_key_arn": WANTED.arn,
                "name": NAME,
                "origin": "found",
                "progress": None,
                "region": EU,
                "snapshot_ids": ["ami-eu-0"],
                "snapshot_kms_key_arns": [WANTED.arn],
                "state": "available",
                "tags": MARK,
            }
        ],
        "source_image_id": SOURCE_ID,
        "source_region": SOURCE_REGION,
    }


def test_a_new_copy() -> None:
    (image,) = Run(copied_to(**UNDER_KEY), aws_with()).results
    assert image == {
        "account_id": OWNER,
        "best_effort": False,
        "copy_seconds": None,
        "image_id": "ami-new-0",
        "kms_key_arn": WANTED.arn,
        "name": NAME,
        "origin": "copied",
        "progress": None,
        "region": EU,
        "snapshot_ids": ["snap-of-ami-new-0"],
        "snapshot_kms_key_arns": [WANTED.arn],
        "state": "available",
        "tags": {**MARK, KEY_TAG: WANTED.arn},
    }


def test_the_progress_of_a_copy_that_is_still_pending() -> None:
    world = aws_with(steps=["pending"], percents=[40, 61])
    done = Run(copied_to(wait_timeout=60), world)
    assert [one.error_code for one in done.outcome.failures] == ["copy_pending"]
    (image,) = done.results
    assert (image["state"], image["progress"], image["copy_seconds"]) == ("pending", 50, None)
    assert done.result["images"] == {EU: "ami-new-0"}


START = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "created", "completed", "seconds"),
    [
        ("available", "2026-11-24T12:00:00.000Z", [90, 421], 421),
        ("available", "2026-11-24T12:00:00.000Z", [421, 90], 421),
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
    snapshots = [
        Snapshot(
            f"snap-{number}",
            "completed",
            100,
            completed=None if one is None else START + timedelta(seconds=one),
        )
        for number, one in enumerate(completed, 1)
    ]
    image = copied_image("ami-eu", state, creation_date=created, devices=volumes("snap-1", "snap-2"))
    (copy,) = Run(copied_to(snapshot_tags={}, wait=False), aws_with(PLAIN, (image, snapshots))).results
    assert copy["copy_seconds"] == seconds


def test_the_source_itself_was_not_copied() -> None:
    source = source_image(creation_date="2026-11-24T12:00:00.000Z", devices=volumes("snap-1"))
    snapshot = Snapshot("snap-1", "completed", 100, completed=START + timedelta(seconds=90))
    world = aws_with(source, (source, [snapshot]), region=SOURCE_REGION)
    (image,) = Run(copied_to(SOURCE_REGION, snapshot_tags={}), world).results
    assert (image["copy_seconds"], image["origin"]) == (None, "source")


@pytest.mark.parametrize(
    ("images", "origin"),
    [
        pytest.param([], "copied", id="a new copy"),
        pytest.param([copied_image("ami-failed", "failed")], "copied", id="instead of a failed one"),
        pytest.param([copied_image()], "found", id="an earlier copy"),
        pytest.param([adopted_image()], "adopted", id="another copy"),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_origins(check_mode: bool, images: list[Any], origin: str) -> None:
    world = aws_with(PLAIN, *((image, ()) for image in images))
    done = Run(copied_to(), world, check_mode)
    assert [item["origin"] for item in done.results] == [origin]


@pytest.mark.parametrize("exists", [False, True], ids=["a new copy", "a rerun"])
@pytest.mark.parametrize("check_mode", [False, True])
def test_a_copy_in_the_region_of_the_source_is_not_the_source(check_mode: bool, exists: bool) -> None:
    key = Key(key_arn("wanted", SOURCE_REGION))
    world = aws_with(ENCRYPTED, *([found("ami-1", key)] if exists else []), region=SOURCE_REGION)
    done = Run(copied_to(SOURCE_REGION, reencrypt_source=True, **UNDER_KEY), world, check_mode)
    assert [item["origin"] for item in done.results] == ["found" if exists else "copied"]


def test_a_planned_copy_is_null_in_check_mode_and_missing_after_a_refusal() -> None:
    planned = Run(copied_to(name="n-{region}"), aws_with(), check_mode=True)
    assert planned.result["images"] == {EU: None}
    assert [(item["name"], item["state"]) for item in planned.results] == [("n-eu-west-1", None)]
    refused = Run(copied_to(), aws_with(refuse={"CopyImage": "ResourceLimitExceeded"}))
    assert [one.error_code for one in refused.outcome.failures] == ["ResourceLimitExceeded"]
    assert refused.result["images"] == {}


def test_failed_images_and_best_effort_failures_are_left_out_of_images() -> None:
    world = aws_with(region=US, steps=["pending"])
    done = Run(copied_to(EU, US, best_effort_regions=[US]), world)
    assert [(one.error_code, one.region) for one in done.outcome.tolerated] == [("copy_pending", US)]
    assert done.outcome.failures == ()
    assert done.result["images"] == {EU: "ami-new-0"}
    assert done.result["kms_key_arns"] == {EU: None}
    assert [(item["image_id"], item["best_effort"]) for item in done.results] == [
        ("ami-new-0", False),
        ("ami-new-0", True),
    ]
    failed = Run(copied_to(), aws_with(steps=["failed"], next_steps=["failed"]))
    assert [one.error_code for one in failed.outcome.failures] == ["copy_failed"]
    assert failed.result["images"] == {}


def test_a_best_effort_region_that_was_not_read_is_left_out_too() -> None:
    world = aws_with(region=US, refuse={"DescribeImages": "UnauthorizedOperation"})
    done = Run(copied_to(EU, US, best_effort_regions=[US]), world, check_mode=True)
    assert done.result["images"] == {EU: None}


def test_with_accounts_the_values_are_lists() -> None:
    done = Run(copied_to(account_ids=[OWNER], **UNDER_KEY), aws_with(PLAIN, found("ami-eu", WANTED)))
    assert done.result["images"] == [{"account_id": OWNER, "region": EU, "image_id": "ami-eu"}]
    assert done.result["kms_key_arns"] == [{"account_id": OWNER, "region": EU, "kms_key_arn": WANTED.arn}]


def test_whether_all_images_are_available() -> None:
    world = aws_with(PLAIN, found("ami-eu", WANTED))
    assert not Run(copied_to(EU, US, **UNDER_KEY), world, check_mode=True).result["all_available"]
    assert not Run(copied_to(EU, US, wait=False, **UNDER_KEY), world).result["all_available"]
    world = aws_with(PLAIN, found("ami-eu", WANTED))
    world.ec2_of(OWNER, US).refuse["DescribeImages"] = "UnauthorizedOperation"
    done = Run(copied_to(EU, US, best_effort_regions=[US], **UNDER_KEY), world)
    assert [item["state"] for item in done.results] == ["available"]
    assert not done.result["all_available"]


def test_with_source_images_no_single_source_is_returned() -> None:
    world = World()
    world.ec2_of().add((source_image(), ()))
    done = Run(copied_to(source_images={EU: SOURCE_ID}), world)
    assert (done.result["source_image_id"], done.result["source_region"]) == (None, None)
    assert [item["origin"] for item in done.results] == ["source"]


def test_the_tags_are_those_after_the_planned_changes() -> None:
    tagged = copied_image("ami-eu", tags={"aws:x": "1", "old": "1", "role": "db"})
    world = aws_with(PLAIN, (replace(tagged, devices=volumes("snap-1")), ()))
    options = copied_to(EU, US, tags={"role": "web"}, purge_tags=True)
    of_eu, of_us = Run(options, world, check_mode=True).results
    assert of_eu["tags"] == {**MARK, "role": "web"}
    assert of_us["tags"] == of_eu["tags"]
