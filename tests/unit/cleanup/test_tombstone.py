# SPDX-License-Identifier: GPL-3.0-or-later

"""Tombstones: what a cleanup writes is what restoring reads, and which of several tombstones counts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.decisions import Decision
from ansible_collections.golden.images.plugins.module_utils._cleanup.plan import plan
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import (
    ImageUsage,
    OwnSnapshot,
    RetentionRule,
    SnapshotUsage,
)
from ansible_collections.golden.images.plugins.module_utils._cleanup.tombstone import (
    Tombstone,
    TombstoneHistory,
    add_bucket_owner_hint,
    find_object_folder,
    group_by_image,
    is_tombstone_parameter,
    name_parameter,
    read_tombstone,
    render_tombstone,
)
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Sharing, SnapshotRef

from tests.unit.examples import CONSUMER, ORG, OWNER, STRANGER, UNIT, volumes

from ..restore.examples import LAST, REF, last_tombstone, tombstone
from . import examples as retiring

LAUNCH = Sharing(frozenset({CONSUMER, STRANGER}), frozenset({ORG}), frozenset({UNIT}), public=True)
VOLUME = Sharing(account_ids=frozenset({CONSUMER}), public=True)
DESCRIBED = {
    "RootDeviceType": "ebs",
    "State": "available",
    "DeprecationTime": "2026-11-01T12:01:00.000Z",
    "PlatformDetails": "Windows",
    "ProductCodes": [{"ProductCodeId": "p-1", "ProductCodeType": "marketplace"}],
}


def record() -> dict[str, Any]:
    """What a cleanup writes of an image that it deregisters."""
    old = retiring.own("ami-1", devices=volumes("snap-ami-1", None))
    saw = retiring.seen(
        retiring.region_state(replace(old, described=DESCRIBED), retiring.own("ami-new", 1)),
        usage={REF: ImageUsage(sharing=LAUNCH)},
        snapshot_usage={SnapshotRef(REF.region, "snap-ami-1"): SnapshotUsage(VOLUME)},
    )
    decisions: tuple[Decision, ...] = plan(retiring.wanted(include_shared=True), saw).decisions
    (decision,) = (one for one in decisions if one.ref == REF)
    return dict(json.loads(render_tombstone(saw, replace(decision, kind="deregister"))))


@pytest.mark.parametrize(
    ("path", "name", "is_one"),
    [
        ("/golden/", "/golden/eu-west-1/ami-1", True),
        ("/golden", "arn:aws:ssm:us-east-1:012345678901:parameter/golden/eu-west-1/ami-1", True),
        ("/golden", "arn:aws:ssm:us-east-1:012345678901:parameter/golden/web", False),
        ("/golden", "arn:aws:ssm:us-east-1:012345678901:parameter/web/golden/eu-west-1/ami-1", False),
        ("/golden", "/golden/eu-west-1/ami-1/x", False),
        ("/gold.n", "/golden/eu-west-1/ami-1", False),
        (None, "/golden/eu-west-1/ami-1", False),
    ],
)
def test_a_parameter_with_a_tombstone_is_known_by_its_name(path: str | None, name: str, is_one: bool) -> None:
    assert is_tombstone_parameter(path, name) is is_one


def test_the_name_of_a_tombstones_parameter() -> None:
    name = name_parameter("/golden/", REF)
    assert name == f"/golden/{REF.region}/{REF.image_id}"
    assert is_tombstone_parameter("/golden", name)


@pytest.mark.parametrize(
    ("uri", "above"),
    [("s3://bucket", ""), ("s3://bucket/", ""), ("s3://bucket/a/b", "a/b/"), ("s3://bucket/a/", "a/")],
)
def test_in_s3_the_tombstones_of_an_image_are_objects_of_one_folder(uri: str, above: str) -> None:
    folder = find_object_folder(uri, REF)
    assert folder == ("bucket", f"{above}{REF.region}/{REF.image_id}/")
    assert folder.key(retiring.NOW) == f"{folder.prefix}2026-11-24T12:00:30Z.json"


def test_a_tombstone_holds_what_is_lost() -> None:
    image = retiring.own("ami-1", tags={"family": "web", "team": "a"}, last_launched=retiring.ago(days=9))
    image = replace(image, described={"Architecture": "arm64", "RootDeviceType": "ebs"})
    snapshots = {"snap-ami-1": OwnSnapshot("snap-ami-1", "of web", {"a": "b"})}
    rules = (RetentionRule("EC2_IMAGE", 7), RetentionRule("EBS_SNAPSHOT", 7))
    saw = retiring.seen(
        retiring.region_state(image, retiring.own("ami-new", 1), snapshots=snapshots, rules=rules),
        usage={REF: retiring.shared(CONSUMER, consumers={CONSUMER: ()})},
        snapshot_usage={SnapshotRef(REF.region, "snap-ami-1"): SnapshotUsage(Sharing(frozenset({CONSUMER})))},
    )
    made = plan(retiring.wanted(include_shared=True), saw)
    (decision,) = (one for one in made.decisions if one.kind == "deregister")
    assert json.loads(render_tombstone(saw, decision)) == {
        "account_id": OWNER,
        "family": "web",
        "image": {"Architecture": "arm64", "RootDeviceType": "ebs"},
        "image_id": "ami-1",
        "launch_permissions": {
            "account_ids": [CONSUMER],
            "org_arns": [],
            "org_unit_arns": [],
            "public": False,
        },
        "name": "web ami-1",
        "recoverable_until": "2026-12-01T12:00:30Z",
        "region": REF.region,
        "snapshots": [
            {
                "deleted": True,
                "description": "of web",
                "device_name": "/dev/sda",
                "encrypted": False,
                "snapshot_id": "snap-ami-1",
                "tags": {"a": "b"},
                "volume_permissions": {"account_ids": [CONSUMER], "public": False},
            }
        ],
        "stage": "deregister",
        "tags": {"family": "web", "team": "a"},
        "written_at": "2026-11-24T12:00:30Z",
    }


def test_what_a_cleanup_writes_down_is_read() -> None:
    assert read_tombstone(json.dumps(record())) == Tombstone(
        ref=REF,
        account_id=OWNER,
        written_at="2026-11-24T12:00:30Z",
        stage="deregister",
        state="available",
        name="web ami-1",
        launch=LAUNCH,
        volume_permissions={"snap-ami-1": VOLUME},
        deleted=frozenset(),
        devices=volumes("snap-ami-1", None),
        tags=retiring.FAMILY,
        deprecation_time="2026-11-01T12:01:00.000Z",
        product_codes=("p-1",),
        platform="Windows",
    )


def test_a_tombstone_without_platform_details_has_no_platform() -> None:
    made = record()
    del made["image"]["PlatformDetails"]
    read = read_tombstone(json.dumps(made))
    assert read is not None
    assert read.platform == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{half",
        "[]",
        "null",
        "7",
        *(
            json.dumps({key: value for key, value in record().items() if key != missing})
            for missing in ("image", "image_id", "launch_permissions", "snapshots", "written_at")
        ),
        json.dumps({**record(), "snapshots": [{"snapshot_id": "snap-1"}]}),
        json.dumps({**record(), "launch_permissions": []}),
    ],
)
def test_an_invalid_tombstone_is_none(text: str) -> None:
    assert read_tombstone(text) is None


def test_the_permissions_are_those_of_the_last_tombstone_that_was_written_before_the_image_was_disabled() -> (
    None
):
    first, last = tombstone(), last_tombstone()
    again = tombstone(written_at="2026-11-10T00:00:00Z", launch=Sharing())
    assert (TombstoneHistory().last, TombstoneHistory().shared, TombstoneHistory().state) == (
        None,
        None,
        "available",
    )
    assert (
        TombstoneHistory((last,)).last,
        TombstoneHistory((last,)).shared,
        TombstoneHistory((last,)).state,
    ) == (last, None, "disabled")
    assert TombstoneHistory((first, last)).shared == first
    assert TombstoneHistory((first, again, last)).shared == again
    assert TombstoneHistory((first,)).state == "disabled"
    assert TombstoneHistory((tombstone(stage="deregister"),)).state == "available"


@pytest.mark.parametrize("tag", ["golden.images:cleanup-disabled", "golden.images:restoring"])
def test_a_tombstone_from_before_all_permissions_were_put_back_only_adds_to_the_one_before(tag: str) -> None:
    complete = tombstone()
    added = Sharing(account_ids=frozenset({"222233334444"}))
    incomplete = tombstone(
        written_at="2026-11-10T00:00:00Z",
        launch=added,
        volume_permissions={"snap-2": added},
        tags={"family": "web", tag: complete.written_at},
    )
    shared = TombstoneHistory((complete, incomplete, last_tombstone())).shared
    assert shared == replace(
        complete,
        launch=complete.launch | added,
        volume_permissions={**complete.volume_permissions, "snap-2": added},
    )
    assert TombstoneHistory((incomplete,)).shared is None
    later = tombstone(written_at="2026-11-15T00:00:00Z", launch=Sharing())
    assert TombstoneHistory((complete, incomplete, later)).shared == later


@pytest.mark.parametrize(
    ("stage", "written_at", "hours", "is_of_it"),
    [
        ("deregister", LAST, 0, True),
        # The clock of the machine was ahead.
        ("deregister", LAST, -0.2, True),
        ("deregister", LAST, 5.9, True),
        ("deregister", LAST, -1, False),
        ("deregister", LAST, 7, False),
        ("deregister", "soon", 0, False),
        ("disable", LAST, 0, False),
    ],
)
def test_a_tombstone_is_of_the_deregistration_that_its_run_can_have_made(
    stage: str, written_at: str, hours: float, is_of_it: bool
) -> None:
    history = TombstoneHistory((tombstone(), tombstone(stage=stage, written_at=written_at)))
    binned_at = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(hours=hours)
    assert history.is_of_deregistration(binned_at) is is_of_it
    assert not history.is_of_deregistration(None)
    assert not TombstoneHistory().is_of_deregistration(binned_at)


def test_an_images_tombstones_are_in_the_order_of_their_writing_each_once() -> None:
    other = tombstone(ref=ImageRef("us-east-1", REF.image_id))
    first, last = tombstone(), last_tombstone()
    found = group_by_image([last, first, last, other])
    assert found == {REF: TombstoneHistory((first, last)), other.ref: TombstoneHistory((other,))}


def test_of_two_tombstones_of_the_same_second_the_one_of_the_deregistration_is_the_last() -> None:
    first, last = tombstone(written_at=LAST), last_tombstone()
    assert group_by_image([last, first]) == {REF: TombstoneHistory((first, last))}


@pytest.mark.parametrize(("code", "is_denied"), [("AccessDenied", True), ("NoSuchBucket", False)])
def test_what_s3_denies_may_be_a_bucket_of_another_account(code: str, is_denied: bool) -> None:
    failed = Failure("No.", "Allow it.", code, "PutObject")
    remedy = add_bucket_owner_hint(failed).remedy
    assert ("tombstone_s3_bucket_owner" in remedy, remedy.startswith("Allow it.")) == (is_denied, True)
