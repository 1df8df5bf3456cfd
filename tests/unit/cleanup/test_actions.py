# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls of one region: their order, their batches, and which of them are destructive."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.actions import (
    TAG_BATCH,
    disabled_by,
    is_destructive,
    region_actions,
)
from ansible_collections.golden.images.plugins.module_utils.cleanup.decisions import Decision
from ansible_collections.golden.images.plugins.module_utils.cleanup.snapshots import SnapshotDecision
from ansible_collections.golden.images.plugins.module_utils.cleanup.stages import Step
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import OwnSnapshot
from ansible_collections.golden.images.plugins.module_utils.model import Grant, ImageRef
from ansible_collections.golden.images.plugins.module_utils.plan import Action

from tests.unit.cleanup.examples import REGION, calls, own, region_state, seen
from tests.unit.examples import OWNER, target_in

KEY = f"arn:aws:kms:{REGION}:{OWNER}:key/golden"
IMAGES = tuple(own(f"ami-{number}") for number in range(3))
SEEN = seen(region_state(*IMAGES))
OF, DISABLED = "golden.images:cleanup-image-ids", "golden.images:cleanup-disabled"


def decision(number: int, kind: str, **changes: Any) -> Decision:
    snapshots = (SnapshotDecision(f"snap-ami-{number}"),) if kind == "deregister" else ()
    return Decision(ImageRef(REGION, f"ami-{number}"), "web", kind, snapshots=snapshots, **changes)


def test_the_calls_are_in_an_order_in_which_a_run_can_end_anywhere() -> None:
    decided = (
        decision(0, "deregister"),
        decision(1, "disable", step=Step("disable", marks={DISABLED: "now"})),
        decision(2, "deprecate", step=Step("deprecate", marks={"stage": "now"})),
    )
    grants = {KEY: (Grant("g-1", OWNER, frozenset({"Decrypt"})),)}
    left = (OwnSnapshot("snap-9"),)
    found = tuple(region_actions(SEEN, target_in(), decided, left, {"ami-copy": {"family": "web"}}, grants))
    assert calls(found) == [
        ("CreateTags", "ami-2"),
        ("EnableImageDeprecation", "ami-2"),
        ("CreateTags", "ami-2"),
        ("CreateTags", "ami-copy"),
        ("DisableImage", "ami-1"),
        ("CreateTags", "ami-1"),
        ("CreateTags", "snap-ami-0"),
        ("DeregisterImage", "ami-0"),
        ("RevokeGrant", "g-1"),
        ("DeleteSnapshot", "snap-9"),
    ]
    disabling = disabled_by(found)
    assert [is_destructive(one, disabling) for one in found] == [False] * 4 + [True] * 6


def test_the_date_that_a_deprecation_replaces_is_written_before() -> None:
    later = own("ami-2", deprecation_time="2027-06-01T00:00:00.000Z")
    decided = (decision(1, "deprecate"), decision(2, "deprecate"))
    found = tuple(region_actions(seen(region_state(IMAGES[1], later)), target_in(), decided, (), {}, {}))
    assert [one.operation for one in found] == ["CreateTags"] * 2 + ["EnableImageDeprecation"] * 2
    values = {one.resource: one.parameters["Tags"][0]["Value"] for one in found[:2]}
    assert values == {
        "ami-1": "2026-11-24T13:01:00Z",
        "ami-2": "2026-11-24T13:01:00Z 2027-06-01T00:00:00.000Z",
    }


def test_resources_with_the_same_tags_share_calls_of_at_most_a_batch() -> None:
    tags = {f"ami-{number}": {"family": "web"} for number in range(TAG_BATCH + 1)}
    first, second = region_actions(SEEN, target_in(), (), (), tags, {})
    assert [len(one.parameters["Resources"]) for one in (first, second)] == [TAG_BATCH, 1]


@pytest.mark.parametrize(
    ("operation", "key", "destructive"),
    [
        ("CreateTags", OF, True),
        ("CreateTags", DISABLED, True),
        ("CreateTags", "golden.images:origin-tag:family", False),
        ("DeleteTags", OF, False),
        ("CreateImageUsageReport", "", False),
        ("DeleteSnapshot", "", True),
    ],
)
def test_what_prepares_a_removal_is_destructive(operation: str, key: str, destructive: bool) -> None:
    parameters = {"Resources": ["ami-1"], "Tags": [{"Key": key, "Value": "x"}]}
    action = Action(target_in(), operation, parameters, "ami-1")
    assert is_destructive(action, {(target_in(), "ami-1")}) is destructive


def test_the_missing_mark_of_an_image_that_is_disabled_already_is_written_at_once() -> None:
    parameters = {"Resources": ["ami-1"], "Tags": [{"Key": DISABLED, "Value": "x"}]}
    assert not is_destructive(Action(target_in(), "CreateTags", parameters, "ami-1"), set())
