# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls of one region: their order, their batches, and which of them are destructive."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import Clocks, render_time
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import KeyUsage, OwnSnapshot
from ansible_collections.golden.images.plugins.module_utils._keys.needed import ConsumerResources
from ansible_collections.golden.images.plugins.module_utils._model import Grant, KeyRef, Sharing

from tests.unit.cleanup.examples import FAMILY, REGION, USED, ago, calls, own, planned, region_state, seen
from tests.unit.examples import CONSUMER, OWNER

KEY = f"arn:aws:kms:{REGION}:{OWNER}:key/golden"
OF, DISABLED = "golden.images:cleanup-image-ids", "golden.images:cleanup-disabled"
DEPRECATED = "golden.images:cleanup-deprecated"
CLOCKS = Clocks(deprecate=0, disable=10, deregister=10)
NEWEST = own("ami-new", 0)


def since(days: int, *marks: str) -> dict[str, Any]:
    """The tags of an image whose stages are so many days old."""
    return {**FAMILY, **{mark: render_time(ago(days=days)) for mark in marks}}


def test_the_calls_are_in_an_order_in_which_a_run_can_end_anywhere() -> None:
    past = render_time(ago(days=20))
    images = (
        own("ami-0", tags=since(20, DEPRECATED, DISABLED), deprecation_time=past, state="disabled"),
        own("ami-1", tags=since(20, DEPRECATED), deprecation_time=past),
        own("ami-2"),
        own("ami-copy", 5, tags={}, source_image_id="ami-0", source_region=REGION),
        NEWEST,
    )
    state = region_state(*images, uses={"ami-copy": (USED,)})
    under = {one: replace(found, kms_key_id=KEY) for one, found in state.snapshots.items() if "ami-0" in one}
    left = {"snap-9": OwnSnapshot("snap-9", tags={OF: "ami-gone"})}
    state = replace(state, snapshots={**state.snapshots, **under, **left})
    root = f"arn:aws:iam::{CONSUMER}:root"
    grant = Grant("g-1", root, frozenset({"Decrypt"}), "golden-images:1", created=ago(days=9))
    key = KeyRef(REGION, KEY)
    saw = replace(
        seen(state),
        key_usage={key: KeyUsage((grant,), {one.image.image_id: Sharing() for one in images[1:]})},
        consumer_resources={key: ConsumerResources({CONSUMER: ()})},
    )
    made = planned(saw, clocks=CLOCKS, revoke_grants=True)
    assert calls(made.non_destructive) == [
        ("CreateTags", "ami-2"),
        ("EnableImageDeprecation", "ami-2"),
        ("CreateTags", "ami-2"),
        ("CreateTags", "ami-copy"),
    ]
    assert calls(made.destructive) == [
        ("DisableImage", "ami-1"),
        ("CreateTags", "ami-1"),
        ("CreateTags", "snap-ami-0"),
        ("DeregisterImage", "ami-0"),
        ("RevokeGrant", "g-1"),
        ("DeleteSnapshot", "snap-ami-0"),
        ("DeleteSnapshot", "snap-9"),
    ]


def test_the_date_that_a_deprecation_replaces_is_written_before() -> None:
    later = own("ami-2", deprecation_time="2027-06-01T00:00:00.000Z")
    made = planned(seen(region_state(own("ami-1"), later, NEWEST)), clocks=Clocks(deprecate=0))
    found = made.actions
    assert [one.operation for one in found[:4]] == ["CreateTags"] * 2 + ["EnableImageDeprecation"] * 2
    values = {one.resource: one.parameters["Tags"][0]["Value"] for one in found[:2]}
    assert values == {
        "ami-1": "2026-11-24T13:01:00Z",
        "ami-2": "2026-11-24T13:01:00Z 2027-06-01T00:00:00.000Z",
    }


def test_resources_with_the_same_tags_share_calls_of_at_most_a_thousand() -> None:
    """(botocore operation CreateTags: up to 1000 resources.)"""
    images = [own(f"ami-{number}", devices=()) for number in range(1001)]
    made = planned(seen(region_state(*images, NEWEST)), clocks=Clocks(deregister=9))
    assert [len(one.parameters["Resources"]) for one in made.actions] == [1000, 1]


def test_the_missing_mark_of_an_image_that_is_disabled_already_is_written_at_once() -> None:
    made = planned(seen(region_state(own("ami-1", state="disabled"), NEWEST)), clocks=CLOCKS)
    assert calls(made.non_destructive) == [("CreateTags", "ami-1")]
    assert made.destructive == ()
