# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read next: nothing twice, nothing that no decision depends on, and in the end nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.next_reads import (
    NextReads,
    find_next_reads,
)
from ansible_collections.golden.images.plugins.module_utils._cleanup.plan import plan
from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import Clocks
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import (
    CleanupState,
    Evidence,
    ImageBuilder,
    ImageUsage,
    KeyUsage,
    LateUses,
    OwnSnapshot,
    SnapshotUsage,
)
from ansible_collections.golden.images.plugins.module_utils._keys.needed import ConsumerResources
from ansible_collections.golden.images.plugins.module_utils._model import (
    Grant,
    ImageRef,
    KeyRef,
    Sharing,
    SnapshotRef,
)

from tests.unit.cleanup.examples import (
    FAMILY,
    NOW,
    REGION,
    USED,
    ago,
    calls,
    own,
    region_state,
    seen,
    shared,
    wanted,
)
from tests.unit.examples import CONSUMER, OWNER

NEWEST = own("ami-new", 1)
OLD, OLDER = own("ami-1", 50), own("ami-2", 60)
REF, SNAPSHOT = ImageRef(REGION, "ami-1"), SnapshotRef(REGION, "snap-ami-1")
KEY = KeyRef(REGION, f"arn:aws:kms:{REGION}:{OWNER}:key/golden")
FORMER = "ami-0123456789abcdef0"
BY_CONSUMER = Sharing(account_ids=frozenset({CONSUMER}))
ORPHAN = {"snap-9": OwnSnapshot("snap-9", f"Created by CreateImage(i-1) for {FORMER}")}


def bulk(**changes: Any) -> CleanupState:
    """What the bulk reads show: an old image and the latest, under one key."""
    state = region_state(OLD, NEWEST)
    under = {one: replace(found, kms_key_id=KEY.key_arn) for one, found in state.snapshots.items()}
    states = {REGION: replace(state, **{"snapshots": under, **changes})}
    return CleanupState(OWNER, NOW, states, late_uses={REGION: LateUses()})


@pytest.mark.parametrize(
    ("clocks", "late"),
    [
        (Clocks(deregister=0), (REGION,)),
        (Clocks(disable=0), (REGION,)),
        (Clocks(deprecate=0), ()),
        (Clocks(disable=9), ()),
    ],
)
def test_late_uses_are_read_where_an_image_is_to_be_disabled_or_deregistered(
    clocks: Clocks, late: tuple[str, ...]
) -> None:
    saw = replace(seen(region_state(OLD, NEWEST), region_state(NEWEST)), late_uses={})
    assert find_next_reads(wanted(clocks=clocks), saw) == NextReads(late=late)


def test_images_are_read_with_their_snapshots_then_keys_and_then_nothing() -> None:
    asks = replace(wanted(), revoke_grants=True)
    saw = bulk()
    assert find_next_reads(asks, saw) == NextReads(images={REF: (SNAPSHOT,)})
    saw = replace(saw, usage={REF: ImageUsage()}, snapshot_usage={SNAPSHOT: SnapshotUsage()})
    assert find_next_reads(asks, saw) == NextReads(keys={KEY: (NEWEST,)})
    assert not find_next_reads(wanted(), saw)
    assert not find_next_reads(asks, replace(saw, key_usage={KEY: KeyUsage()}))
    root = Grant(
        "g-1", f"arn:aws:iam::{CONSUMER}:root", frozenset({"Decrypt"}), "golden-images:1", created=ago(days=1)
    )
    saw = replace(saw, key_usage={KEY: KeyUsage((root,), {"ami-new": Sharing()})})
    assert find_next_reads(asks, saw) == NextReads(resources={KEY: frozenset({CONSUMER})})
    assert not find_next_reads(asks, replace(saw, consumer_resources={KEY: ConsumerResources()}))
    # An image that stays and is shared with the account keeps the grant: no volume matters.
    assert not find_next_reads(
        asks, replace(saw, key_usage={KEY: KeyUsage((root,), {"ami-new": BY_CONSUMER})})
    )


def test_image_builder_is_read_before_all_else_where_it_built_images() -> None:
    arn = f"arn:aws:imagebuilder:us-east-1:{OWNER}:image/web/1.0.0/1"
    built = replace(OLD, image=replace(OLD.image, tags={**FAMILY, "Ec2ImageBuilderArn": arn}))
    saw = bulk(images=(built, NEWEST))
    images = NextReads(images={REF: (SNAPSHOT,)})
    assert (
        find_next_reads(wanted(), saw)
        == find_next_reads(wanted(), saw, [])
        == NextReads(builders=("us-east-1",))
    )
    assert find_next_reads(wanted(), replace(saw, image_builder={"us-east-1": ImageBuilder()})) == images
    assert find_next_reads(wanted(include_image_builder=True), saw) == images


def test_snapshots_that_were_not_read_with_their_image_are_read_next() -> None:
    saw = replace(bulk(), usage={REF: ImageUsage()})
    assert find_next_reads(wanted(), saw) == NextReads(snapshots=(SNAPSHOT,))


@pytest.mark.parametrize(
    ("usage", "include_shared"),
    [(ImageUsage(references=(USED,)), False), (shared(CONSUMER), False), (shared(CONSUMER), True)],
)
def test_nothing_more_is_read_for_an_image_that_is_used(usage: ImageUsage, include_shared: bool) -> None:
    asks = replace(wanted(include_shared=include_shared), revoke_grants=True)
    assert not find_next_reads(asks, replace(bulk(), usage={REF: usage}))


@pytest.mark.parametrize(
    ("usage", "include_shared", "kept"),
    [
        (ImageUsage(), False, False),
        (ImageUsage(references=(USED,)), True, True),
        (ImageUsage(unread=(Evidence.unreadable("DescribeImageAttribute", "denied"),)), True, True),
        (shared(CONSUMER), False, True),
        (shared(OWNER), False, False),
    ],
)
def test_of_an_image_that_its_usage_keeps_no_snapshots_are_read(
    usage: ImageUsage, include_shared: bool, kept: bool
) -> None:
    found = find_next_reads(wanted(include_shared=include_shared), replace(bulk(), usage={REF: usage}))
    assert found == NextReads(snapshots=() if kept else (SNAPSHOT,))


@pytest.mark.parametrize(
    ("clocks", "read"),
    [
        (Clocks(deprecate=0), ()),
        (Clocks(deregister=9), ()),
        (Clocks(disable=0), (SNAPSHOT,)),
        (Clocks(deregister=0), (SNAPSHOT,)),
    ],
)
def test_snapshots_are_read_only_of_images_to_disable_or_deregister(clocks: Clocks, read: Any) -> None:
    assert find_next_reads(wanted(clocks=clocks), bulk()).images == {REF: read}


@pytest.mark.parametrize(
    ("state", "role", "read"),
    [
        ("disabled", "golden", (SNAPSHOT,)),
        ("disabled", None, ()),
        ("available", "golden", ()),
    ],
)
def test_the_snapshots_of_a_disabled_image_show_the_accounts_to_read_before_it_is_due(
    state: str, role: str | None, read: Any
) -> None:
    images = (replace(OLD, image=replace(OLD.image, state=state)), NEWEST)
    asks = wanted(include_shared=True, consumer_role_name=role, clocks=Clocks(deregister=9))
    assert find_next_reads(asks, bulk(images=images)).images == {REF: read}


def test_an_image_that_a_bulk_read_keeps_is_read_only_if_that_is_asked_for() -> None:
    used = bulk(uses={"ami-1": (USED,)})
    assert not find_next_reads(wanted(), used)
    assert find_next_reads(wanted(), used, [REF]) == NextReads(images={REF: ()})
    assert not find_next_reads(wanted(), bulk(), [])


def test_the_images_under_a_key_that_stay_do_not_include_those_that_go() -> None:
    asks = replace(wanted(), revoke_grants=True)
    state = region_state(OLD, OLDER, NEWEST)
    under = {one: replace(found, kms_key_id=KEY.key_arn) for one, found in state.snapshots.items()}
    saw = seen(replace(state, snapshots=under), usage={ImageRef(REGION, "ami-2"): shared(CONSUMER)})
    assert find_next_reads(asks, saw).keys == {KEY: (OLDER, NEWEST)}


def test_an_image_whose_tombstone_is_too_long_stays_under_its_key() -> None:
    tags = {**FAMILY, **{f"key{number}": "x" * 200 for number in range(40)}}
    large = replace(OLD, image=replace(OLD.image, tags=tags))
    state = region_state(large, OLDER, NEWEST)
    under = {one: replace(found, kms_key_id=KEY.key_arn) for one, found in state.snapshots.items()}
    asks = replace(wanted(), revoke_grants=True, tombstone_ssm_path="/golden")
    assert find_next_reads(asks, seen(replace(state, snapshots=under))).keys == {KEY: (large, NEWEST)}


@pytest.mark.parametrize(
    ("usage", "include_shared", "goes"),
    [
        (None, False, False),
        (SnapshotUsage(unread="denied"), False, False),
        (SnapshotUsage(BY_CONSUMER), False, False),
        (SnapshotUsage(), False, True),
        (None, True, False),
        (SnapshotUsage(BY_CONSUMER), True, False),
        (SnapshotUsage(), True, True),
    ],
)
def test_orphans_that_others_may_use_are_read_and_stay(
    usage: SnapshotUsage | None, include_shared: bool, goes: bool
) -> None:
    ref = SnapshotRef(REGION, "snap-9")
    saw = replace(seen(region_state(NEWEST, snapshots=ORPHAN)), snapshot_usage={})
    asks = wanted(orphan_snapshots=True, include_shared=include_shared)
    assert find_next_reads(asks, saw).snapshots == (ref,)
    saw = replace(saw, snapshot_usage={ref: usage} if usage else {})
    assert calls(plan(asks, saw).actions) == [("DeleteSnapshot", "snap-9")] * goes


@pytest.mark.parametrize(("include_shared", "read"), [(False, True), (True, False)])
def test_what_a_marked_snapshot_is_shared_with_is_read_only_if_it_matters(
    include_shared: bool, read: bool
) -> None:
    marked = {"snap-8": OwnSnapshot("snap-8", tags={"golden.images:cleanup-image-ids": "ami-gone"})}
    saw = replace(seen(region_state(NEWEST, snapshots=marked)), snapshot_usage={})
    asks = wanted(include_shared=include_shared)
    assert find_next_reads(asks, saw).snapshots == (SnapshotRef(REGION, "snap-8"),) * read


def test_only_the_snapshots_of_images_that_something_is_taken_from_are_read() -> None:
    used = region_state(OLD, OLDER, NEWEST, uses={"ami-2": (USED,)})
    saw = replace(seen(used), snapshot_usage={})
    assert find_next_reads(wanted(), saw).snapshots == (SnapshotRef(REGION, "snap-ami-1"),)
    assert not find_next_reads(wanted(clocks=Clocks(deprecate=0)), saw)
