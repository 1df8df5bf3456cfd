# SPDX-License-Identifier: GPL-3.0-or-later

"""For any retired image: the run after an interrupted one completes it, and one more changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import MARKS
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import OwnSnapshot
from ansible_collections.golden.images.plugins.module_utils._model import PublicAccessBlock, Sharing
from ansible_collections.golden.images.plugins.module_utils._restore.state import ImageState
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.examples import CONSUMER, ORG, STRANGER, UNIT

from .examples import (
    CHOSEN_TAG,
    DISABLED_TAG,
    GOING,
    VOLUMES,
    binned,
    image,
    last_tombstone,
    of_deregistration,
    performed,
    planned,
    planned_again,
    tombstone,
)

ACCOUNTS = st.frozensets(st.sampled_from([CONSUMER, STRANGER, "222233334444"]))
SHARING = st.builds(
    Sharing, ACCOUNTS, st.frozensets(st.just(ORG)), st.frozensets(st.just(UNIT)), st.booleans()
)
OF_SNAPSHOTS = st.fixed_dictionaries({one: st.builds(Sharing, ACCOUNTS) for one in VOLUMES})


@st.composite
def retired(draw: st.DrawFn) -> tuple[ImageState, ImageState, tuple[Any, ...], dict[str, Any]]:
    """A retired image as it is found, as it is registered, its tombstones, and options."""
    launch, kept = draw(SHARING), draw(OF_SNAPSHOTS)
    known = draw(OF_SNAPSHOTS)
    disabled, in_bin = draw(st.booleans()), draw(st.booleans())
    first = tombstone(launch=launch, volume_permissions=known)
    tombstones: tuple[Any, ...] = (first,)
    by_hand = in_bin and disabled and draw(st.booleans())
    if in_bin and not by_hand:
        tombstones = (
            (first, last_tombstone(volume_permissions=kept))
            if disabled
            else (of_deregistration(launch=launch, volume_permissions=kept),)
        )
    tags = {"family": "web", **(draw(st.sampled_from([{}, CHOSEN_TAG, DISABLED_TAG])) if disabled else {})}
    deprecation = draw(st.sampled_from([None, "2026-11-01T00:01:00.000Z", "2020-01-01T00:00:00.000Z"]))
    if draw(st.booleans()):
        former = draw(st.sampled_from(["", " 2027-06-01T00:00:00Z", " 2026-11-20T00:00:00Z"]))
        tags["golden.images:cleanup-deprecation-date"] = f"2026-11-01T00:01:00Z{former}"
    marked = draw(st.booleans())
    registered = ImageState(
        image("disabled" if disabled else "available", tags=tags, deprecation_time=deprecation),
        launch=Sharing() if disabled else launch,
        volume_permissions=kept,
        snapshots={one: OwnSnapshot(one, tags=GOING if marked else {}) for one in VOLUMES},
        image_block=PublicAccessBlock("unblocked"),
        snapshot_block=PublicAccessBlock("unblocked"),
    )
    options = {"allow_public": draw(st.booleans())}
    shown = registered
    if in_bin:
        # As AWS returns them, or only the tombstone has them.
        there = draw(st.sampled_from([None, tags]))
        shown = binned(
            image_block=PublicAccessBlock("unblocked"),
            snapshot_block=PublicAccessBlock("unblocked"),
            binned_tags=there,
        )
    return shown, registered, tombstones, options


def _run(
    shown: ImageState,
    registered: ImageState,
    tombstones: tuple[Any, ...],
    options: dict[str, Any],
    stop: int | None,
) -> ImageState:
    """One run as in the flow, which plans again after the Recycle Bin; it stops after ``stop`` calls."""
    plan = planned(shown, *tombstones, **options)
    out_of_bin = (*plan.restore_snapshots, *plan.restore_image, *plan.mark)
    there = performed(shown, registered, out_of_bin[:stop])
    if stop is not None and stop < len(out_of_bin):
        return there
    again = planned_again(there, *tombstones, **options)
    rest = again.finish if plan.restore_image else plan.finish
    return performed(there, registered, rest[: None if stop is None else stop - len(out_of_bin)])


@given(retired(), st.integers(0, 12))
def test_a_run_completes_an_interrupted_one(
    case: tuple[ImageState, ImageState, tuple[Any, ...], dict[str, Any]], stop: int
) -> None:
    shown, registered, tombstones, options = case
    if planned(shown, *tombstones, **options).refusals:
        return
    whole = _run(shown, registered, tombstones, options, None)
    halfway = _run(shown, registered, tombstones, options, stop)
    assert _run(halfway, registered, tombstones, options, None) == whole
    assert planned(whole, *tombstones, **options).actions == ()


@given(retired(), st.integers(0, 12))
def test_a_cleanup_between_the_runs_takes_no_permission(
    case: tuple[ImageState, ImageState, tuple[Any, ...], dict[str, Any]], stop: int
) -> None:
    """It deletes the tags of a stage that is undone, and of an image that is needed again."""
    shown, registered, tombstones, options = case
    if planned(shown, *tombstones, **options).refusals:
        return
    halfway = _run(shown, registered, tombstones, options, stop)
    if halfway.image is not None and halfway.image.state == "available":
        tags = {key: value for key, value in halfway.image.tags.items() if key not in MARKS}
        halfway = replace(halfway, image=replace(halfway.image, tags=tags))
    whole = _run(shown, registered, tombstones, options, None)
    assert _run(halfway, registered, tombstones, options, None) == whole


@given(retired())
def test_a_restored_image_has_its_permissions_and_loses_none(
    case: tuple[ImageState, ImageState, tuple[Any, ...], dict[str, Any]],
) -> None:
    shown, registered, tombstones, options = case
    if planned(shown, *tombstones, **options).refusals:
        assert not options["allow_public"]
        return
    whole = _run(shown, registered, tombstones, options, None)
    assert whole.image is not None
    assert whole.image.state == "available"
    assert not [key for key in whole.image.tags if key.startswith("golden.images:")]
    assert not any(one.tags for one in whole.snapshots.values())
    first = tombstones[0]
    assert whole.launch == replace(first.launch, public=first.launch.public and options["allow_public"]) or (
        registered.image is not None and registered.image.state == "available"
    )
    assert not registered.launch - whole.launch
    for one, sharing in whole.volume_permissions.items():
        assert not registered.volume_permissions[one] - sharing
        if registered.image is not None and registered.image.state == "disabled":
            assert sharing == registered.volume_permissions[one] | first.volume_permissions[one]


@given(retired())
def test_the_plan_predicts_the_result(
    case: tuple[ImageState, ImageState, tuple[Any, ...], dict[str, Any]],
) -> None:
    shown, registered, tombstones, options = case
    plan = planned(shown, *tombstones, **options)
    # An image that was deregistered by hand may have been changed since its tombstone.
    if plan.refusals or (shown.binned and tombstones[-1].stage != "deregister"):
        return
    whole = _run(shown, registered, tombstones, options, None)
    assert plan.after["launch_permissions"] == whole.launch.to_dict()
    assert plan.after["volume_permissions"] == {
        one: {"account_ids": sorted(sharing.account_ids), "public": sharing.public}
        for one, sharing in whole.volume_permissions.items()
    }
