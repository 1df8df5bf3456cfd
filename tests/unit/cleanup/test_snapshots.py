# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens to snapshots, and what blocks a deregistration."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.options import Limit
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import (
    Evidence,
    ImageUsage,
    OwnImage,
    OwnSnapshot,
    RegionState,
    RetentionRule,
    SnapshotUsage,
)
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Sharing, SnapshotRef

from tests.unit.cleanup.examples import (
    NOW,
    REGION,
    USED,
    calls,
    own,
    planned,
    region_state,
    report,
    seen,
    shared,
)
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
BIN = Evidence.unreadable("ListImagesInRecycleBin", "denied")
NEWEST = own("ami-new", 1)


def decided(state: RegionState, usage: Any = None, of_snapshot: Any = None, **wants: Any) -> Any:
    """The decision on ami-1."""
    saw = seen(
        state,
        usage={ImageRef(REGION, "ami-1"): usage} if usage else None,
        snapshot_usage={SnapshotRef(REGION, "snap-ami-1"): of_snapshot} if of_snapshot else None,
    )
    (found,) = (one for one in planned(saw, **wants).decisions if one.ref.image_id == "ami-1")
    return found


def deleted(state: RegionState, **wants: Any) -> list[str | None]:
    """The snapshots that are deleted alone."""
    made = planned(seen(replace(state, images=(*state.images, NEWEST))), orphan_snapshots=True, **wants)
    return [one.resource for one in made.actions if one.operation == "DeleteSnapshot"]


@pytest.mark.parametrize(
    ("image", "usage", "reason"),
    [
        pytest.param(ImageUsage(), SnapshotUsage(), None, id="private"),
        pytest.param(ImageUsage(), SnapshotUsage(WITH_CONSUMER), CONSUMER, id="shared alone"),
        pytest.param(
            shared(CONSUMER, report=report()), SnapshotUsage(WITH_CONSUMER), None, id="shared with the image"
        ),
        pytest.param(ImageUsage(), SnapshotUsage(Sharing(public=True)), "the public", id="public"),
        pytest.param(ImageUsage(), DENIED, "denied", id="not read"),
    ],
)
def test_with_whom_a_snapshot_is_shared_is_a_reason_to_wait(
    image: ImageUsage, usage: SnapshotUsage, reason: str | None
) -> None:
    found = decided(region_state(own("ami-1"), NEWEST), image, usage, include_shared=True)
    assert (found.kind, len(found.reasons)) == (("wait", 1) if reason else ("deregister", 0))
    assert all(reason in one for one in found.reasons if reason)


@pytest.mark.parametrize(
    ("others", "changes", "kept"),
    [
        ([], {}, ""),
        ([own("ami-2", 5, tags={}, devices=volumes("snap-ami-1"))], {}, "image ami-2 uses it"),
        ([own("ami-2", devices=volumes("snap-ami-1"))], {}, ""),
        ([], {"snapshot_uses": {"snap-ami-1": ("launch template lt-1 version 1",)}}, "launch template"),
    ],
)
def test_a_snapshot_goes_only_if_nothing_else_uses_it(
    others: list[OwnImage], changes: dict[str, Any], kept: str
) -> None:
    found = decided(region_state(own("ami-1"), *others, NEWEST, **changes))
    assert found.kind == "deregister"
    (snapshot,) = found.snapshots
    assert snapshot.snapshot_id == "snap-ami-1"
    assert bool(snapshot.keep_reason) == bool(kept)
    assert kept in snapshot.keep_reason


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
    region = region_state(image, NEWEST, snapshots={"snap-ami-1": OwnSnapshot("snap-ami-1", **snapshot)})
    found = decided(region, protect_tags=HOLD)
    assert (found.kind, len(found.reasons)) == (("wait", 1) if reason else ("deregister", 0))
    assert all(str(reason) in one for one in found.reasons)


def test_what_blocks_an_image_with_a_product_code() -> None:
    """AWS Marketplace Seller Guide, "AMI-based products": product codes automatically propagate."""
    (reason,) = decided(region_state(own(product_codes=("p-1", "p-2")), NEWEST)).reasons
    assert "product code (p-1, p-2), so it is deprecated at most" in reason


def test_an_image_whose_snapshot_is_not_known_is_not_deregistered() -> None:
    found = decided(region_state(own(), NEWEST, snapshots={}))
    assert (found.kind, found.reasons) == ("wait", ("Its snapshot snap-ami-1 was not found.",))
    unlisted = decided(region_state(own(), NEWEST, snapshots={}, deletions_unread=(BIN,)))
    assert (unlisted.kind, len(unlisted.reasons)) == ("wait", 1)
    assert "ListImagesInRecycleBin could not be read" in unlisted.reasons[0]


def a_region(*snapshots: OwnSnapshot, **changes: Any) -> RegionState:
    return RegionState(**{"snapshots": {one.snapshot_id: one for one in snapshots}, **changes})


IN_USE = {"images": (own("ami-2", devices=volumes("snap-1")),)}


def test_snapshots_of_a_deregistered_image_that_is_named_are_kept() -> None:
    """EC2 User Guide, "Replace a root volume": to the launch state, from the snapshot of the launch."""
    named = {"uses": {FORMER: (USED,)}}
    assert deleted(a_region(OwnSnapshot("snap-1", MADE), **named)) == []
    marked = OwnSnapshot("snap-1", tags={"golden.images:cleanup-image-ids": f"ami-9 {FORMER}"})
    assert deleted(a_region(marked, **named)) == []
    assert deleted(a_region(marked, uses={"ami-8": (USED,)})) == ["snap-1"]
    snapshots = {"snap-ami-1": OwnSnapshot("snap-ami-1", MADE)}
    registered_again = region_state(own("ami-1"), NEWEST, snapshots=snapshots, **named)
    (snapshot,) = decided(registered_again).snapshots
    assert snapshot.keep_reason == f"instance i-1 uses its image {FORMER}"


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
    assert deleted(a_region(marked, **changes)) == ["snap-1"] * found
    orphan = OwnSnapshot("snap-1", MADE, **snapshot)
    assert deleted(a_region(orphan, **changes)) == ["snap-1"] * found


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"golden.images:cleanup-image-ids": FORMER},
        {"golden.images:cleanup-image-ids": f"ami-gone {FORMER}"},
    ],
)
def test_a_snapshot_that_names_an_image_of_another_region_is_a_copy_of_its_snapshot(
    tags: dict[str, str],
) -> None:
    """A script can give the copy the description and the tags of the snapshot that it copies."""
    here = a_region(OwnSnapshot("snap-1", MADE, tags), images=(NEWEST,))
    for elsewhere, found in ((FORMER, []), ("ami-other", [("DeleteSnapshot", "snap-1")])):
        saw = seen(here, region_state(own(elsewhere, tags={})))
        assert calls(planned(saw, orphan_snapshots=True).actions) == found


@pytest.mark.parametrize(
    ("description", "copied", "found"),
    [(MADE, False, True), (MADE, True, False), (COPIED, True, True), (COPIED, False, True)],
)
def test_a_copy_is_no_orphan_of_an_image_that_was_created_from_an_instance(
    description: str, copied: bool, found: bool
) -> None:
    """Somebody copied the snapshot with its description, for example to keep it."""
    snapshot = OwnSnapshot("snap-1", description, copied=copied)
    assert deleted(a_region(snapshot)) == ["snap-1"] * found


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
    assert deleted(region) == ["snap-9"] * found


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
    made = planned(
        seen(a_region(OwnSnapshot("snap-1", description), images=(NEWEST,))), orphan_snapshots=True
    )
    assert calls(made.actions) == [("DeleteSnapshot", "snap-1")] * bool(image_id)
    refusal = planned(
        seen(a_region(OwnSnapshot("snap-1", description), images=(NEWEST,))),
        orphan_snapshots=True,
        max_deletions=Limit(count=0),
    ).refusals
    assert [f"{REGION}/{image_id}" in one.message for one in refusal] == [True] * bool(image_id)


@pytest.mark.parametrize(
    "tags",
    [
        {"aws:backup:source-resource": "x"},
        {"aws:dlm:lifecycle-policy-id": "policy-1"},
        {"keep": "anything"},
        {"legal": "hold"},
    ],
)
def test_backups_and_protected_snapshots_are_not_orphans(tags: dict[str, str]) -> None:
    protect = (("keep", None), ("legal", "hold"))
    assert deleted(a_region(OwnSnapshot("snap-1", MADE, tags)), protect_tags=protect) == []
    unprotected = OwnSnapshot("snap-1", MADE, {"legal": "none"})
    assert deleted(a_region(unprotected), protect_tags=protect) == ["snap-1"]


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
    (snapshot,) = decided(region_state(own("ami-1"), NEWEST, snapshots={"snap-ami-1": managed})).snapshots
    assert snapshot.keep_reason == f"{service} manages it"
    marked = replace(managed, tags={**managed.tags, "golden.images:cleanup-image-ids": FORMER})
    assert deleted(a_region(marked)) == []


def test_a_tag_that_protects_keeps_a_leftover_too() -> None:
    """A snapshot that is restored from the Recycle Bin without its image has its mark again."""
    protect = (("keep", None), ("legal", "hold"))
    for tags, stays in (({"keep": ""}, True), ({"legal": "hold"}, True), ({"legal": "none"}, False)):
        marked = OwnSnapshot("snap-1", tags={"golden.images:cleanup-image-ids": FORMER, **tags})
        for one in (marked, replace(marked, description=MADE)):
            assert deleted(a_region(one), protect_tags=protect) == ["snap-1"] * (not stays)


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
    until = decided(region_state(own(), NEWEST, rules=rules)).recoverable_until
    assert until == (None if days is None else NOW + timedelta(days=days))


def test_an_image_whose_snapshots_stay_for_it_needs_no_rule_for_them() -> None:
    other = own("ami-2", 5, tags={}, devices=volumes("snap-ami-1"))
    for mark, until in (("ami-1", NOW + timedelta(days=5)), ("ami-9", None)):
        snapshot = OwnSnapshot("snap-ami-1", tags={"golden.images:cleanup-image-ids": mark})
        state = region_state(
            own(), other, NEWEST, rules=(rule(IMAGES, 5),), snapshots={snapshot.snapshot_id: snapshot}
        )
        found = decided(state)
        assert (found.snapshots[0].keep_reason, found.recoverable_until) == ("image ami-2 uses it", until)


def test_the_recycle_bin_retains_only_images_with_an_ebs_root() -> None:
    """EBS User Guide, "Considerations for Recycle Bin"; botocore operation DeregisterImage."""
    rules = (rule(IMAGES, 5), rule(SNAPSHOTS, 5))
    instance_store = replace(own(devices=()), described={"RootDeviceType": "instance-store"})
    assert decided(region_state(instance_store, NEWEST, rules=rules)).recoverable_until is None
    until = decided(region_state(own(devices=()), NEWEST, rules=rules)).recoverable_until
    assert until == NOW + timedelta(days=5)


@pytest.mark.parametrize("tags", [{}, {"golden.images:cleanup-image-ids": "ami-2"}])
def test_a_snapshot_that_an_image_in_the_recycle_bin_needs_is_kept(tags: dict[str, str]) -> None:
    """ami-1 was registered from a snapshot of an image that an earlier run deregistered."""
    binned = "ami-2" if tags else FORMER
    snapshot = OwnSnapshot("snap-ami-1", "" if tags else MADE, tags)
    state = region_state(own(), NEWEST, snapshots={"snap-ami-1": snapshot}, binned=frozenset({binned}))
    (found,) = decided(state).snapshots
    assert found.keep_reason == f"image {binned} in the Recycle Bin needs it"
