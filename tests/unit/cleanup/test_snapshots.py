# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens to snapshots, and what blocks a deregistration."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.rules import Tags
from ansible_collections.golden.images.plugins.module_utils.cleanup.snapshots import (
    Named,
    SnapshotDecision,
    decide_snapshots,
    deregistration_blockers,
    described_image,
    images_named_by,
    leftovers,
    marketplace_blockers,
    orphans,
    recoverable_until,
    sharing_blockers,
    unread_blockers,
)
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import (
    Evidence,
    ImageUsage,
    OwnImage,
    OwnSnapshot,
    RegionState,
    RetentionRule,
    SnapshotUsage,
    unreadable,
)
from ansible_collections.golden.images.plugins.module_utils.model import Sharing

from tests.unit.cleanup.examples import NOW, USED, own, region_state, shared
from tests.unit.examples import CONSUMER, volumes

MADE = "Created by CreateImage(i-0123456789abcdef0) for ami-0123456789abcdef0"
COPIED = (
    "Copied for DestinationAmi ami-0123456789abcdef0 from SourceAmi ami-0fedcba9876543210 for "
    "SourceSnapshot snap-0123456789abcdef0. Task created on 1,731,000,000,000."
)
FORMER = "ami-0123456789abcdef0"
HOLD = (("hold", "yes"),)


WITH_CONSUMER = Sharing(account_ids=frozenset({CONSUMER}))
DENIED = SnapshotUsage(unread="denied")
BIN = unreadable("ListImagesInRecycleBin", "denied")
ATTRIBUTE = unreadable("DescribeSnapshotAttribute", "snap-ami-1: denied")


@pytest.mark.parametrize(
    ("image", "usage", "reason"),
    [
        pytest.param(ImageUsage(), SnapshotUsage(), None, id="private"),
        pytest.param(ImageUsage(), SnapshotUsage(WITH_CONSUMER), CONSUMER, id="shared alone"),
        pytest.param(shared(CONSUMER), SnapshotUsage(WITH_CONSUMER), None, id="shared with the image"),
        pytest.param(ImageUsage(), SnapshotUsage(Sharing(public=True)), "the public", id="public"),
        pytest.param(ImageUsage(), DENIED, None, id="not read"),
    ],
)
def test_sharing_blockers(image: ImageUsage, usage: SnapshotUsage, reason: str | None) -> None:
    reasons = list(sharing_blockers(own("ami-1"), image, {"snap-ami-1": usage}, False))
    assert len(reasons) == (reason is not None)
    assert all(reason in one for one in reasons if reason)


@pytest.mark.parametrize(
    ("unread", "usage", "deregisters", "expected"),
    [
        pytest.param((), SnapshotUsage(), True, [], id="all read"),
        pytest.param((BIN,), SnapshotUsage(), True, [BIN], id="only deletions need the Recycle Bin"),
        pytest.param((BIN,), SnapshotUsage(), False, [], id="disabling does not"),
        pytest.param((), DENIED, True, [ATTRIBUTE], id="the tombstone needs permissions"),
        pytest.param((), DENIED, False, [ATTRIBUTE], id="also that of a disabled image"),
    ],
)
def test_what_is_not_read_blocks_what_needs_it(
    unread: tuple[Evidence, ...], usage: SnapshotUsage, deregisters: bool, expected: list[Evidence]
) -> None:
    state = region_state(own("ami-1"), deletions_unread=unread)
    found = unread_blockers(own("ami-1"), state, {"snap-ami-1": usage}, deregisters)
    assert list(found) == expected


@pytest.mark.parametrize(
    ("others", "changes", "leaving", "kept"),
    [
        ([], {}, {"ami-1"}, ""),
        ([own("ami-2", devices=volumes("snap-ami-1"))], {}, {"ami-1"}, "image ami-2 uses it"),
        ([own("ami-2", devices=volumes("snap-ami-1"))], {}, {"ami-1", "ami-2"}, ""),
        (
            [],
            {"snapshot_uses": {"snap-ami-1": ("launch template lt-1 version 1",)}},
            {"ami-1"},
            "launch template",
        ),
    ],
)
def test_a_snapshot_goes_only_if_nothing_else_uses_it(
    others: list[OwnImage], changes: dict[str, Any], leaving: set[str], kept: str
) -> None:
    image = own("ami-1")
    (decided,) = decide_snapshots(image, region_state(image, *others, **changes), leaving, {})
    assert decided.snapshot_id == "snap-ami-1"
    assert bool(decided.keep_reason) == bool(kept)
    assert kept in decided.keep_reason


@pytest.mark.parametrize(
    ("image", "snapshot", "reason"),
    [
        (own(), {}, None),
        (own(protection="enabled-with-cooldown"), {}, "enabled-with-cooldown"),
        (own(protection="enabled-without-cooldown"), {}, "enabled-without-cooldown"),
        (own(), {"locked": "governance until 2027-01-01"}, "is locked (governance until 2027-01-01)"),
        (own(), {"archived": True}, "snap-ami-1 is archived, is being archived, or was restored"),
        (own(), {"archived": True, "restored_until": NOW}, "temporarily restored until 2026-11-24"),
        (own(), {"tags": {"hold": "yes"}}, "The tag hold protects its snapshot snap-ami-1."),
        (own(), {"tags": {"hold": "no"}}, None),
    ],
)
def test_what_blocks_a_deregistration(image: OwnImage, snapshot: dict[str, Any], reason: str | None) -> None:
    region = region_state(image, snapshots={"snap-ami-1": OwnSnapshot("snap-ami-1", **snapshot)})
    found = list(deregistration_blockers(image, region, HOLD))
    assert len(found) == (reason is not None)
    assert all(str(reason) in one for one in found)


def test_what_blocks_an_image_with_a_product_code() -> None:
    """AWS Marketplace Seller Guide, "AMI-based products": product codes automatically propagate."""
    assert list(marketplace_blockers(own())) == []
    (reason,) = marketplace_blockers(own(product_codes=("p-1", "p-2")))
    assert "product code (p-1, p-2), so it is deprecated at most" in reason


def test_an_image_whose_snapshot_is_not_known_is_not_deregistered() -> None:
    assert list(deregistration_blockers(own(), region_state(own(), snapshots={}), HOLD)) == [
        "Its snapshot snap-ami-1 was not found."
    ]
    unlisted = region_state(own(), snapshots={}, deletions_unread=(BIN,))
    assert list(deregistration_blockers(own(), unlisted, HOLD)) == []


def a_region(*snapshots: OwnSnapshot, **changes: Any) -> RegionState:
    return RegionState(**{"snapshots": {one.snapshot_id: one for one in snapshots}, **changes})


def leftovers_of(state: RegionState, protect_tags: Tags, named: Named) -> tuple[OwnSnapshot, ...]:
    return leftovers(state, frozenset(one.image.image_id for one in state.images), protect_tags, named)


def orphans_of(state: RegionState, protect_tags: Tags, named: Named) -> dict[str, tuple[OwnSnapshot, ...]]:
    return orphans(state, frozenset(one.image.image_id for one in state.images), protect_tags, named)


IN_USE = {"images": (own("ami-2", devices=volumes("snap-1")),)}


def test_snapshots_of_a_deregistered_image_that_is_named_are_kept() -> None:
    """EC2 User Guide, "Replace a root volume": to the launch state, from the snapshot of the launch."""
    named = {FORMER: (USED,)}
    assert orphans_of(a_region(OwnSnapshot("snap-1", MADE)), (), named) == {}
    marked = OwnSnapshot("snap-1", tags={"golden.images:cleanup-image-ids": f"ami-9 {FORMER}"})
    assert leftovers_of(a_region(marked), (), named) == ()
    assert leftovers_of(a_region(marked), (), {"ami-8": (USED,)}) == (marked,)
    image = own("ami-1")
    registered_again = region_state(image, snapshots={"snap-ami-1": OwnSnapshot("snap-ami-1", MADE)})
    (decided,) = decide_snapshots(image, registered_again, {"ami-1"}, named)
    assert decided.keep_reason == f"instance i-1 uses its image {FORMER}"


def test_images_that_a_snapshot_names() -> None:
    marked = OwnSnapshot("snap-1", MADE, {"golden.images:cleanup-image-ids": f"ami-9 {FORMER}"})
    assert images_named_by(marked) == (FORMER, "ami-9")
    assert images_named_by(OwnSnapshot("snap-1", "my own")) == ()


BINNED = {"binned": frozenset({FORMER})}
BY_TEMPLATE = {"snapshot_uses": {"snap-1": ("launch template lt-1 version 1",)}}


@pytest.mark.parametrize(
    ("snapshot", "changes", "found"),
    [
        ({}, {}, True),
        ({"locked": "governance"}, {}, False),
        ({"archived": True}, {}, False),
        ({}, IN_USE, False),
        ({}, BY_TEMPLATE, False),
        ({}, BINNED, False),
        ({}, {"images": (own(FORMER),)}, False),
    ],
)
def test_leftovers_and_orphans_are_taken_when_nothing_needs_them(
    snapshot: dict[str, Any], changes: dict[str, Any], found: bool
) -> None:
    marked = OwnSnapshot("snap-1", tags={"golden.images:cleanup-image-ids": FORMER}, **snapshot)
    assert leftovers_of(a_region(marked, **changes), (), {}) == ((marked,) if found else ())
    orphan = OwnSnapshot("snap-1", MADE, **snapshot)
    assert orphans_of(a_region(orphan, **changes), (), {}) == ({FORMER: (orphan,)} if found else {})


def test_a_snapshot_that_names_an_image_of_another_region_is_a_copy_of_its_snapshot() -> None:
    """A script can give the copy the description and the tags of the snapshot that it copies."""
    copied = OwnSnapshot("snap-1", MADE, {"golden.images:cleanup-image-ids": FORMER})
    assert leftovers(a_region(copied), {FORMER}, (), {}) == ()
    assert leftovers(a_region(copied), {"ami-other"}, (), {}) == (copied,)
    marked_with_others = replace(copied, tags={"golden.images:cleanup-image-ids": f"ami-gone {FORMER}"})
    assert leftovers(a_region(marked_with_others), {FORMER}, (), {}) == ()
    assert leftovers(a_region(marked_with_others), {"ami-other"}, (), {}) == (marked_with_others,)
    untagged = replace(copied, tags={})
    assert orphans(a_region(untagged), {FORMER}, (), {}) == {}
    assert orphans(a_region(untagged), {"ami-other"}, (), {}) == {FORMER: (untagged,)}


@pytest.mark.parametrize(
    ("description", "copied", "found"),
    [(MADE, False, True), (MADE, True, False), (COPIED, True, True), (COPIED, False, True)],
)
def test_a_copy_is_no_orphan_of_an_image_that_was_created_from_an_instance(
    description: str, copied: bool, found: bool
) -> None:
    """Somebody copied the snapshot with its description, for example to keep it."""
    snapshot = OwnSnapshot("snap-1", description, copied=copied)
    assert orphans_of(a_region(snapshot), (), {}) == ({FORMER: (snapshot,)} if found else {})


@pytest.mark.parametrize(
    ("others", "binned", "found"),
    [((), (), True), (("ami-2",), (), True), (("ami-1", "ami-2"), (), False), ((), ("ami-2",), False)],
)
def test_of_several_images_that_a_mark_names_one_that_is_gone_may_have_left_the_snapshot(
    others: tuple[str, ...], binned: tuple[str, ...], found: bool
) -> None:
    marked = OwnSnapshot("snap-9", tags={"golden.images:cleanup-image-ids": "ami-1 ami-2"})
    region = region_state(*(own(one) for one in others), binned=frozenset(binned))
    region = replace(region, snapshots={**region.snapshots, "snap-9": marked})
    assert leftovers_of(region, (), {}) == ((marked,) if found else ())


@pytest.mark.parametrize(
    ("description", "image_id"),
    [
        (MADE, FORMER),
        (COPIED, FORMER),
        ("Created by CreateImage(i-0123456789abcdef0) for ami-0123456789abcdef0 from vol-1", FORMER),
        ("", None),
        ("my backup of ami-0123456789abcdef0", None),
        (f"before the upgrade: {MADE}", None),
        ("This snapshot is created by the AWS Backup service.", None),
        ("Created for policy: policy-0123456789abcdef0 schedule: daily", None),
    ],
)
def test_the_description_shows_the_image_of_a_snapshot(description: str, image_id: str | None) -> None:
    assert described_image(OwnSnapshot("snap-1", description)) == image_id


@pytest.mark.parametrize(
    "tags",
    [
        {"aws:backup:source-resource": "x"},
        {"aws:dlm:lifecycle-policy-id": "policy-1"},
        {"keep": "anything"},
        {"legal": "hold"},
        {"golden.images:cleanup-image-ids": FORMER},
    ],
)
def test_backups_and_protected_snapshots_are_not_orphans(tags: dict[str, str]) -> None:
    protect = (("keep", None), ("legal", "hold"))
    assert orphans_of(a_region(OwnSnapshot("snap-1", MADE, tags)), protect, {}) == {}
    assert orphans_of(a_region(OwnSnapshot("snap-1", MADE, {"legal": "none"})), protect, {})


@pytest.mark.parametrize(
    ("tag", "service"),
    [
        ("aws:backup:source-resource", "AWS Backup"),
        ("aws:dlm:lifecycle-policy-id", "Amazon Data Lifecycle Manager"),
    ],
)
def test_a_snapshot_that_another_service_manages_is_kept_whatever_it_was_part_of(
    tag: str, service: str
) -> None:
    """RegisterImage makes an image of any snapshot of the account (EC2 API Reference, RegisterImage)."""
    managed = OwnSnapshot("snap-ami-1", MADE, {tag: "x"})
    image = own("ami-1")
    (decided,) = decide_snapshots(
        image, region_state(image, snapshots={"snap-ami-1": managed}), {"ami-1"}, {}
    )
    assert decided.keep_reason == f"{service} manages it"
    marked = replace(managed, tags={**managed.tags, "golden.images:cleanup-image-ids": FORMER})
    assert leftovers_of(a_region(marked), (), {}) == ()


def test_a_tag_that_protects_keeps_a_leftover_too() -> None:
    """A snapshot that is restored from the Recycle Bin without its image has its mark again."""
    protect = (("keep", None), ("legal", "hold"))
    for tags, stays in (({"keep": ""}, True), ({"legal": "hold"}, True), ({"legal": "none"}, False)):
        marked = OwnSnapshot("snap-1", tags={"golden.images:cleanup-image-ids": FORMER, **tags})
        assert leftovers_of(a_region(marked), protect, {}) == (() if stays else (marked,))
        assert orphans_of(a_region(replace(marked, description=MADE)), protect, {}) == {}


def test_orphans_are_listed_by_their_image() -> None:
    first, second = OwnSnapshot("snap-1", MADE), OwnSnapshot("snap-2", COPIED)
    assert orphans_of(a_region(first, second), (), {}) == {FORMER: (first, second)}


def rule(resource_type: str, days: int, **changes: Any) -> RetentionRule:
    return RetentionRule(resource_type, days, **changes)


IMAGES, SNAPSHOTS = "EC2_IMAGE", "EBS_SNAPSHOT"
WEB = (("family", "web"),)


@pytest.mark.parametrize(
    ("rules", "days"),
    [
        ((), None),
        ((rule(IMAGES, 5),), None),
        ((rule(SNAPSHOTS, 5),), None),
        ((rule(IMAGES, 5), rule(SNAPSHOTS, 9)), 5),
        ((rule(IMAGES, 9), rule(SNAPSHOTS, 5)), 5),
        # The longest rule counts.
        ((rule(IMAGES, 5), rule(IMAGES, 7, tags=WEB), rule(SNAPSHOTS, 9)), 7),
        ((rule(IMAGES, 5, tags=(("family", "db"),)), rule(SNAPSHOTS, 9)), None),
        ((rule(IMAGES, 5, tags=(("other", ""), *WEB)), rule(SNAPSHOTS, 9)), 5),
        ((rule(IMAGES, 5, excluded=WEB), rule(SNAPSHOTS, 9)), None),
        ((rule(IMAGES, 5, excluded=(("family", "db"),)), rule(SNAPSHOTS, 9)), 5),
        # The snapshot has no tags.
        ((rule(IMAGES, 5), rule(SNAPSHOTS, 9, tags=WEB)), None),
    ],
)
def test_until_when_the_recycle_bin_can_give_an_image_back(
    rules: tuple[RetentionRule, ...], days: int | None
) -> None:
    image = own()
    state = region_state(image, rules=rules)
    until = recoverable_until(image, state, decide_snapshots(image, state, {"ami-1"}, {}), NOW)
    assert until == (None if days is None else NOW + timedelta(days=days))


def test_an_image_whose_snapshots_stay_for_it_needs_no_rule_for_them() -> None:
    image, kept = own(FORMER), SnapshotDecision(f"snap-{FORMER}", "image ami-2 uses it")
    for description, until in ((MADE, NOW + timedelta(days=5)), ("of another image", None)):
        snapshot = OwnSnapshot(kept.snapshot_id, description)
        state = region_state(image, rules=(rule(IMAGES, 5),), snapshots={kept.snapshot_id: snapshot})
        assert recoverable_until(image, state, (kept,), NOW) == until
    assert (
        recoverable_until(image, region_state(image, rules=(rule(IMAGES, 5),), snapshots={}), (kept,), NOW)
        is None
    )


def test_the_recycle_bin_retains_only_images_with_an_ebs_root() -> None:
    """EBS User Guide, "Considerations for Recycle Bin"; botocore operation DeregisterImage."""
    image = replace(own(devices=()), described={"RootDeviceType": "instance-store"})
    state = region_state(image, rules=(rule(IMAGES, 5), rule(SNAPSHOTS, 5)))
    assert recoverable_until(image, state, (), NOW) is None
    assert recoverable_until(own(devices=()), state, (), NOW) == NOW + timedelta(days=5)


@pytest.mark.parametrize("tags", [{}, {"golden.images:cleanup-image-ids": "ami-2"}])
def test_a_snapshot_that_an_image_in_the_recycle_bin_needs_is_kept(tags: dict[str, str]) -> None:
    """ami-1 was registered from a snapshot of an image that an earlier run deregistered."""
    image, binned = own(), "ami-2" if tags else FORMER
    snapshot = OwnSnapshot("snap-ami-1", "" if tags else MADE, tags)
    state = region_state(image, snapshots={"snap-ami-1": snapshot}, binned=frozenset({binned}))
    (decided,) = decide_snapshots(image, state, {"ami-1"}, {})
    assert decided.keep_reason == f"image {binned} in the Recycle Bin needs it"
