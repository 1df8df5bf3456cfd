# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every plan, whatever the policy and whatever there is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from random import Random

from ansible_collections.golden.images.plugins.module_utils._cleanup.confirmation import confirm
from ansible_collections.golden.images.plugins.module_utils._cleanup.decisions import list_candidates
from ansible_collections.golden.images.plugins.module_utils._cleanup.families import find_families
from ansible_collections.golden.images.plugins.module_utils._cleanup.options import CleanupOptions, Limit
from ansible_collections.golden.images.plugins.module_utils._cleanup.plan import plan
from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import MARKS, render_time
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import (
    CleanupState,
    Evidence,
    ImageUsage,
    LateUses,
    OwnImage,
    OwnSnapshot,
    RegionState,
    SnapshotUsage,
)
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Sharing, SnapshotRef
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.cleanup.aws_in_memory import performed
from tests.unit.cleanup.examples import NOW, USED, own, report
from tests.unit.examples import CONSUMER, OWNER, volumes

REGIONS = ("ap-south-1", "eu-west-1")
CHANGING = ("EnableImageDeprecation", "DisableImage", "DeregisterImage")
DAYS = st.sampled_from([0, 1, 5, 30])
UNREAD = Evidence.unreadable("DescribeImageReferences", "denied")


MARKED: list[dict[str, str]] = [
    {mark: render_time(NOW - timedelta(days=days)) for mark in marks}
    for days in (1, 5, 30)
    for marks in ((), MARKS[:1], MARKS[:2], MARKS, MARKS[2:])
]
TAGS = st.sampled_from(
    [
        {**family, **marks, **kept}
        for family in ({"family": "web"}, {"family": "web"}, {"family": "db"}, {})
        for marks in MARKED
        for kept in ({}, {}, {}, {"keep": ""})
    ]
)
STATES = st.sampled_from(["available", "available", "available", "disabled", "failed", "pending"])
BEYOND = st.sampled_from(
    [
        {},
        {},
        {"protection": "enabled-with-cooldown"},
        {"last_launched": NOW - timedelta(days=3)},
        {"deprecation_time": render_time(NOW - timedelta(days=2))},
    ]
)
FIRST = "the first image of its region"
SNAPSHOTS = st.sampled_from(
    [
        {},
        {},
        {},
        {"description": "Created by CreateImage(i-1) for ami-0123456789abcdef0"},
        {"tags": {"golden.images:cleanup-image-ids": FIRST}},
        {"tags": {"golden.images:cleanup-image-ids": "ami-gone"}},
        {"archived": True},
        {"locked": "governance"},
    ]
)
SOURCES = st.sampled_from([None, None, *((region, number) for region in REGIONS for number in range(4))])
PARTS = st.sampled_from([(), (0,), (1,), (2,), (0, 1), (1, 2)])


@st.composite
def images(draw: st.DrawFn, region: str, number: int) -> OwnImage:
    """An image of one of two families, or of none but that of a source."""
    source = draw(SOURCES)
    return own(
        f"ami-{region}-{number}",
        days=draw(DAYS),
        tags=draw(TAGS),
        state=draw(STATES),
        devices=volumes(*(f"snap-{region}-{one}" for one in draw(PARTS))),
        source_image_id=f"ami-{source[0]}-{source[1]}" if source else None,
        source_region=source[0] if source else None,
        **draw(BEYOND),
    )


@st.composite
def regions(draw: st.DrawFn, region: str) -> RegionState:
    """A region's images, snapshots, and what uses both."""
    found = tuple(draw(images(region, number)) for number in range(draw(st.integers(0, 4))))
    snapshots = {
        name: OwnSnapshot(name, **draw(SNAPSHOTS)) for name in (f"snap-{region}-{one}" for one in range(4))
    }
    for name, snapshot in snapshots.items():
        if FIRST in snapshot.tags.values():
            # An image that is there has the snapshots that are marked as its own.
            its = bool(found) and name in found[0].image.snapshot_ids
            tags = {"golden.images:cleanup-image-ids": found[0].image.image_id} if its else {}
            snapshots[name] = replace(snapshot, tags=tags)
    return RegionState(
        found,
        uses=draw(st.sampled_from([{}, {f"ami-{region}-1": (USED,)}])),
        unread=draw(st.sampled_from([(), (), (), (), (UNREAD,)])),
        snapshots=snapshots,
        snapshot_uses=draw(st.sampled_from([{}, {f"snap-{region}-0": ("launch template lt-1 version 1",)}])),
    )


USAGE = st.sampled_from(
    [
        None,
        ImageUsage(),
        ImageUsage(),
        ImageUsage(),
        ImageUsage(references=(Evidence("ssm:Parameter", "arn:x"),)),
        ImageUsage(unread=(UNREAD,)),
        ImageUsage(sharing=Sharing(account_ids=frozenset({CONSUMER}))),
        ImageUsage(sharing=Sharing(public=True), report=report()),
    ]
)


SNAPSHOT_USAGE = st.sampled_from(
    [
        *[SnapshotUsage()] * 6,
        None,
        SnapshotUsage(unread="denied"),
        SnapshotUsage(Sharing(account_ids=frozenset({CONSUMER}))),
        SnapshotUsage(Sharing(public=True)),
    ]
)


LATE_USES = st.sampled_from(
    [*[LateUses()] * 6, None, LateUses(unread=(Evidence.unreadable("Late", "denied"),))]
)


@st.composite
def account_states(draw: st.DrawFn) -> CleanupState:
    """Two regions, with the usage of most images."""
    states = {region: draw(regions(region)) for region in REGIONS}
    refs = [ImageRef(region, one.image.image_id) for region in REGIONS for one in states[region].images]
    images = {ref: found for ref in refs if (found := draw(USAGE))}
    snapshots = {
        SnapshotRef(region, one): found
        for region in REGIONS
        for one in states[region].snapshots
        if (found := draw(SNAPSHOT_USAGE))
    }
    late = {region: found for region in REGIONS if (found := draw(LATE_USES))}
    return CleanupState(OWNER, NOW, states, images, snapshot_usage=snapshots, late_uses=late)


POLICIES = st.builds(
    CleanupOptions,
    family_tag=st.sampled_from(["family", None]),
    family_by_source=st.booleans(),
    keep_latest=st.integers(0, 2),
    allow_empty_family=st.booleans(),
    max_age_days=st.none() | DAYS,
    unused_for_days=st.none() | DAYS,
    states=st.lists(st.sampled_from(["available", "disabled", "failed"]), min_size=1).map(tuple),
    protect_tags=st.sampled_from([(), (("keep", None),)]),
    deprecate_after_days=st.none() | DAYS,
    disable_after_days=st.none() | DAYS,
    deregister_after_days=st.none() | DAYS,
    max_deletions=st.builds(
        Limit, count=st.none() | st.integers(0, 3), percent=st.sampled_from([10, 50, 100])
    ),
    include_shared=st.booleans(),
    orphan_snapshots=st.booleans(),
)


def changed_images(made: object) -> list[tuple[str, ImageRef]]:
    """The stages that a plan takes images to."""
    return [
        (action.operation, ImageRef(action.target.region, str(action.resource)))
        for action in made.actions  # type: ignore[attr-defined]
        if action.operation in CHANGING
    ]


@given(POLICIES, account_states())
def test_nothing_is_done_to_an_image_with_evidence_of_use(wanted: CleanupOptions, saw: CleanupState) -> None:
    for _operation, ref in changed_images(plan(wanted, saw)):
        state, usage = saw.regions[ref.region], saw.usage[ref]
        assert not state.uses.get(ref.image_id)
        assert not state.unread
        assert not usage.references
        assert not usage.unread
        assert not usage.sharing or (wanted.include_shared and usage.report is not None)
        assert not any(
            one.source == ref and one.image.state == "pending"
            for region in saw.regions.values()
            for one in region.images
        )
        assert not (wanted.protect_tags and "keep" in saw.images[ref].image.tags)


@given(POLICIES, account_states())
def test_no_more_are_deregistered_than_the_limit_allows(wanted: CleanupOptions, saw: CleanupState) -> None:
    made = plan(wanted, saw)
    gone = sum(operation == "DeregisterImage" for operation, _ref in changed_images(made))
    considered = len(made.decisions)
    limit = wanted.max_deletions
    most = limit.count if limit.count is not None else limit.percent * considered / 100
    assert made.refusals or gone <= most


@given(POLICIES, account_states())
def test_no_family_loses_its_last_image_in_a_region(wanted: CleanupOptions, saw: CleanupState) -> None:
    family_of = find_families(saw.images, wanted.by, ())
    taken = {ref for operation, ref in changed_images(plan(wanted, saw)) if operation != CHANGING[0]}
    usable = {ref for ref in family_of if saw.images[ref].image.state == "available"}
    all_images = Counter((ref.region, family) for ref, family in family_of.items())
    left = Counter((ref.region, family) for ref, family in family_of.items() if ref not in taken)
    could = Counter((ref.region, family_of[ref]) for ref in usable)
    can = Counter((ref.region, family_of[ref]) for ref in usable - taken)
    if not wanted.allow_empty_family:
        assert set(left) == set(all_images)
        assert set(can) == set(could)
        assert all(can[family] >= min(could[family], wanted.keep_latest) for family in could)


@given(POLICIES, account_states())
def test_a_plan_that_was_performed_leaves_nothing_to_plan(wanted: CleanupOptions, saw: CleanupState) -> None:
    wanted = replace(wanted, max_deletions=Limit(count=99))
    made = plan(wanted, saw)
    after = performed(saw, (*made.non_destructive, *made.destructive))
    again = plan(wanted, after)
    assert again.actions == ()
    for region in REGIONS:
        assert again.before[region]["images"] == made.after[region]["images"]


@given(POLICIES, account_states(), st.randoms(use_true_random=False), st.integers(0, 30))
def test_a_run_that_ends_anywhere_is_finished_by_the_next(
    wanted: CleanupOptions, saw: CleanupState, random: Random, done: int
) -> None:
    wanted = replace(wanted, max_deletions=Limit(count=99))
    whole = plan(wanted, saw)
    # Calls of the same kind are made side by side: any of them may have been done.
    in_order = []
    for _operation, alike in groupby((*whole.non_destructive, *whole.destructive), lambda one: one.operation):
        phase = list(alike)
        random.shuffle(phase)
        in_order += phase
    broken = performed(saw, in_order[:done])
    finished = performed(broken, plan(wanted, broken).actions)
    undisturbed = performed(saw, in_order)
    for region in REGIONS:
        assert finished.regions[region].images == undisturbed.regions[region].images
        assert finished.regions[region].snapshots == undisturbed.regions[region].snapshots


@given(POLICIES, account_states())
def test_what_was_read_twice_alike_changes_nothing(wanted: CleanupOptions, saw: CleanupState) -> None:
    made = plan(wanted, saw)
    assert confirm(made, made) == (made, ())


@given(POLICIES, account_states(), st.data())
def test_an_image_with_late_evidence_is_skipped(
    wanted: CleanupOptions, saw: CleanupState, data: st.DataObject
) -> None:
    made = plan(wanted, saw)
    refs = sorted(ref for _operation, ref in changed_images(made))
    late = data.draw(st.sets(st.sampled_from(refs))) if refs else set()
    usage = {
        ref: ImageUsage(references=(USED,)) if ref in late else found for ref, found in saw.usage.items()
    }
    final, changed = confirm(made, plan(wanted, replace(saw, usage=usage)))
    assert {ref for _operation, ref in changed_images(final)} == set(refs) - late
    taken = {ref for operation, ref in changed_images(made) if operation != "EnableImageDeprecation"}
    assert {decision.ref for decision in changed} == late & taken
    performed(saw, final.actions)


@given(POLICIES, account_states())
def test_whatever_is_changed_was_a_candidate(wanted: CleanupOptions, saw: CleanupState) -> None:
    candidate_images = set(list_candidates(wanted, replace(saw, usage={})))
    assert {ref for _operation, ref in changed_images(plan(wanted, saw))} <= candidate_images
