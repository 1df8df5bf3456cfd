# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties of every plan of copies, for any options and any images in the regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._copy import plan as copy
from ansible_collections.golden.images.plugins.module_utils._copy.options import CopyOptions
from ansible_collections.golden.images.plugins.module_utils._copy.state import CopyState
from ansible_collections.golden.images.plugins.module_utils._model import Image, Snapshot, Target
from ansible_collections.golden.images.plugins.module_utils._plan import Plan
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.copy.examples import seen_in, wanted
from tests.unit.examples import MARK, SOURCE_ID, SOURCE_REGION, STRANGER, source_image, volumes

REGIONS = ("ap-south-1", "eu-west-1", SOURCE_REGION)
STATES = ["available", "pending", "transient", "failed", "error", "invalid", "deregistered", "disabled"]
TAGS = st.dictionaries(st.sampled_from(["a", "b", "ec2:SharedTag/v"]), st.sampled_from(["1", "2"]))
USER_TAGS = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["1", "2"]))
# With these, an image has as many tags as AWS allows, this collection's included.
MANY_TAGS = {f"t{number}": "" for number in range(49)}
DEFAULT_KEY = "arn:aws:kms:eu-west-1:111122223333:key/aws-ebs"


@st.composite
def held(draw: st.DrawFn, region: str) -> tuple[tuple[Image, ...], tuple[Snapshot, ...]]:
    """The images of one region, some made by this collection, and their snapshots."""
    images, snapshots = [], []
    for number in range(draw(st.integers(0, 3))):
        snapshot_id = f"snap-{region}-{number}"
        tags = {
            **draw(TAGS),
            **(MARK if draw(st.booleans()) else {}),
            **draw(st.sampled_from([{}, MANY_TAGS])),
        }
        images.append(
            source_image(
                image_id=f"ami-{region}-{number}",
                state=draw(st.sampled_from(STATES)),
                tags=tags,
                creation_date=draw(st.sampled_from(["2026-01-01", "2026-02-01"])),
                devices=volumes(snapshot_id),
                source_image_id=SOURCE_ID,
                source_region=SOURCE_REGION,
            )
        )
        snapshots.append(Snapshot(snapshot_id, "completed", 100, tags=draw(TAGS)))
    return tuple(images), tuple(snapshots)


@st.composite
def situations(draw: st.DrawFn) -> tuple[CopyOptions, CopyState]:
    """Any options and any images."""
    regions = draw(st.lists(st.sampled_from(REGIONS), min_size=1, unique=True))
    found = {region: draw(held(region)) for region in regions}
    want = wanted(
        regions=tuple(regions),
        best_effort_regions=tuple(draw(st.sets(st.sampled_from(regions)))),
        tags=draw(st.none() | USER_TAGS),
        copy_tags=draw(st.booleans()),
        snapshot_tags=draw(st.none() | USER_TAGS),
        purge_tags=draw(st.booleans()),
        require_shareable=draw(st.booleans()),
    )
    saw = seen_in(
        {region: images for region, (images, _snapshots) in found.items()},
        source=source_image(
            tags=draw(TAGS), owner_id=draw(st.sampled_from([source_image().owner_id, STRANGER]))
        ),
        snapshots={region: snapshots for region, (_images, snapshots) in found.items()},
    )
    with_default_key = draw(st.sets(st.sampled_from(sorted(saw.copies))))
    return want, replace(saw, aws_managed_keys=dict.fromkeys(with_default_key, (DEFAULT_KEY,)))


def performed(saw: CopyState, plan: Plan) -> CopyState:
    """The images in the regions after the plan has been performed."""
    copies = {target: {image.image_id: image for image in images} for target, images in saw.copies.items()}
    snapshots = {
        target: {item.snapshot_id: item for item in items} for target, items in saw.snapshots.items()
    }
    for action in plan.actions:
        images, volume_snapshots = copies[action.target], snapshots.setdefault(action.target, {})
        parameters = action.parameters
        if action.operation == "CopyImage":
            tags = {item["ResourceType"]: _as_dict(item["Tags"]) for item in parameters["TagSpecifications"]}
            new = source_image(
                image_id="ami-new", name=parameters["Name"], tags=tags["image"], devices=volumes("snap-new")
            )
            images["ami-new"] = new
            volume_snapshots["snap-new"] = Snapshot("snap-new", "completed", 100, tags=tags["snapshot"])
        elif action.operation == "DeregisterImage":
            del images[parameters["ImageId"]]
        else:
            held_here: dict[str, Any] = images if action.resource in images else volume_snapshots
            (resource,) = parameters["Resources"]
            held_here[resource] = replace(
                held_here[resource], tags=_retagged(held_here[resource].tags, action.operation, parameters)
            )
    return replace(
        saw,
        copies={target: tuple(images.values()) for target, images in copies.items()},
        snapshots={target: tuple(items.values()) for target, items in snapshots.items()},
    )


def _as_dict(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _retagged(current: Mapping[str, str], operation: str, parameters: Mapping[str, Any]) -> Mapping[str, str]:
    if operation == "CreateTags":
        return {**current, **_as_dict(parameters["Tags"])}
    gone = {tag["Key"] for tag in parameters["Tags"]}
    return {key: value for key, value in current.items() if key not in gone}


def _own_ids(saw: CopyState, target: Target) -> set[str]:
    own = [image for image in saw.copies[target] if image.tags.get("golden.images:source")]
    return {image.image_id for image in own} | {item for image in own for item in image.snapshot_ids}


def _without_disabled(saw: CopyState) -> CopyState:
    return replace(
        saw,
        copies={
            target: tuple(image for image in images if image.state != "disabled")
            for target, images in saw.copies.items()
        },
    )


@given(situations())
def test_after_a_plan_is_performed_the_next_plan_is_empty(
    situation: tuple[CopyOptions, CopyState],
) -> None:
    want, saw = situation[0], _without_disabled(situation[1])
    again = copy.plan(want, performed(saw, copy.plan(want, saw)))
    assert again.actions == ()
    assert again.before == again.after


@given(situations())
def test_after_shows_the_state_once_the_plan_is_performed(
    situation: tuple[CopyOptions, CopyState],
) -> None:
    want, saw = situation[0], _without_disabled(situation[1])
    plan = copy.plan(want, saw)
    again = copy.plan(want, performed(saw, plan))
    for promised, kept in zip(plan.targets, again.targets, strict=True):
        assert promised.after["tags"] == kept.before["tags"]
        assert promised.after["name"] == kept.before["name"]


@given(situations())
def test_at_most_one_copy_a_region_and_none_where_one_is_usable(
    situation: tuple[CopyOptions, CopyState],
) -> None:
    want, saw = situation
    for target in copy.plan(want, saw).targets:
        copying = [action for action in target.actions if action.operation == "CopyImage"]
        usable = [
            image
            for image in saw.copies[target.target]
            if image.state in ("available", "pending", "transient")
        ]
        is_source = saw.is_source(target.target, SOURCE_REGION)
        left_out = bool(target.tolerated)
        assert len(copying) == (0 if usable or is_source or left_out else 1)


@given(situations())
def test_only_own_images_are_removed_or_tagged(
    situation: tuple[CopyOptions, CopyState],
) -> None:
    want, saw = situation
    for action in copy.plan(want, saw).actions:
        if action.operation != "CopyImage":
            assert action.resource in _own_ids(saw, action.target)
            assert not saw.is_source(action.target, SOURCE_REGION)


@given(situations())
def test_only_failed_images_are_removed(situation: tuple[CopyOptions, CopyState]) -> None:
    want, saw = situation
    states = {image.image_id: image.state for images in saw.copies.values() for image in images}
    removed = [action for action in copy.plan(want, saw).actions if action.operation == "DeregisterImage"]
    assert {states[str(action.resource)] for action in removed} <= {"failed", "error", "invalid"}


@given(situations())
def test_own_and_shared_tags_are_never_removed(
    situation: tuple[CopyOptions, CopyState],
) -> None:
    want, saw = situation
    for action in copy.plan(want, saw).actions:
        if action.operation == "DeleteTags":
            assert want.purge_tags
            assert all(":" not in tag["Key"] for tag in action.parameters["Tags"])


@given(situations())
def test_a_plan_does_not_depend_on_the_order(
    situation: tuple[CopyOptions, CopyState],
) -> None:
    want, saw = situation
    reordered = replace(
        saw,
        copies={target: images[::-1] for target, images in reversed(saw.copies.items())},
    )
    assert copy.plan(want, saw).actions == copy.plan(want, reordered).actions


@given(situations())
def test_every_action_is_in_its_targets_region(situation: tuple[CopyOptions, CopyState]) -> None:
    want, saw = situation
    plan = copy.plan(want, saw)
    assert {target.target for target in plan.targets} == set(saw.copies)
    assert all(action.target == target.target for target in plan.targets for action in target.actions)


@given(situations())
def test_what_is_refused_stops_the_run_or_leaves_its_region_out(
    situation: tuple[CopyOptions, CopyState],
) -> None:
    want, saw = situation
    for target in copy.plan(want, saw).targets:
        assert not (target.refusals and target.tolerated)
        if target.refusals:
            assert target.target.region not in want.best_effort_regions
        if target.tolerated:
            assert target.target.region in want.best_effort_regions
            assert target.actions == ()
            assert {(one.account_id, one.region) for one in target.tolerated} == {
                (target.target.account_id, target.target.region)
            }
