# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is shared: a block changes only its release and what was made of that, and can be taken back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._model import (
    Image,
    ImageRef,
    Sharing,
    SnapshotRef,
    Target,
)
from ansible_collections.golden.images.plugins.module_utils._plan import Action
from ansible_collections.golden.images.plugins.module_utils._recall.breaking import (
    Adoption,
    Use,
    find_copies,
)
from ansible_collections.golden.images.plugins.module_utils._recall.options import RecallOptions
from ansible_collections.golden.images.plugins.module_utils._recall.plan import RecallPlan, plan
from ansible_collections.golden.images.plugins.module_utils._recall.record import Record, Stored
from ansible_collections.golden.images.plugins.module_utils._recall.state import RecallState, Release
from ansible_collections.golden.images.plugins.module_utils._share.state import Shared
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.examples import CONSUMER, OWNER, STRANGER, UNIT, volumes
from tests.unit.recall.examples import HOME, NOW
from tests.unit.recall.world import BAD, MADE, SOURCES, Made, find_release_of, made_images

Selected = dict[str, Any]
# After how many changes a run is killed.
STOP = st.integers(0, 40)
SELECTED = st.fixed_dictionaries(
    {"block_method": st.sampled_from(["unshare", "disable"]), "block_consumer_copies": st.booleans()}
)
SHARINGS = st.sampled_from(
    [
        Sharing(),
        Sharing(frozenset({CONSUMER})),
        Sharing(frozenset({CONSUMER, STRANGER}), org_unit_arns=frozenset({UNIT})),
        Sharing(frozenset({STRANGER}), public=True),
    ]
)


@dataclass(frozen=True)
class World:
    """What exists: images as their owners see them, the permissions of images and snapshots, the tombstone.

    ``used`` are the images of the consumer that something there uses.
    """

    images: Mapping[ImageRef, Image]
    launch: Mapping[ImageRef, Sharing]
    volumes: Mapping[SnapshotRef, Sharing]
    used: frozenset[ImageRef]
    record: Record | None = None

    def perform(self, change: Action | Record) -> World:
        """Return the world after a call, or after the tombstone is written."""
        if isinstance(change, Record):
            return replace(self, record=change)
        given, region = change.parameters, change.target.region
        if change.operation == "ModifySnapshotAttribute":
            snapshot = SnapshotRef(region, given["SnapshotId"])
            current = _modify(self.volumes[snapshot], given["CreateVolumePermission"])
            return replace(self, volumes={**self.volumes, snapshot: current})
        image_id = given["Resources"][0] if "Resources" in given else given["ImageId"]
        ref = ImageRef(region, image_id)
        image, launch = self.images[ref], self.launch[ref]
        assert change.target == Target(image.owner_id, region)
        if change.operation == "DisableImage":
            assert image.state == "available"
            image, launch = replace(image, state="disabled"), Sharing()
        elif change.operation == "EnableImage":
            assert image.state == "disabled"
            image = replace(image, state="available")
        elif change.operation == "ModifyImageAttribute":
            assert image.state == "available"
            launch = _modify(launch, given["LaunchPermission"])
        else:
            (tag,) = given["Tags"]
            tags = {key: text for key, text in image.tags.items() if key != tag["Key"]}
            added = {tag["Key"]: tag["Value"]} if change.operation == "CreateTags" else {}
            image = replace(image, tags={**tags, **added})
        return replace(self, images={**self.images, ref: image}, launch={**self.launch, ref: launch})


def _modify(current: Sharing, modification: Mapping[str, list[dict[str, str]]]) -> Sharing:
    ((change, entries),) = modification.items()
    changed = Sharing.of_entries(entries)
    return current | changed if change == "Add" else current - changed


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any world in which images have a snapshot of their own, and some of the owner's one in common."""
    images: dict[ImageRef, Image] = {}
    launch: dict[ImageRef, Sharing] = {}
    shared: dict[SnapshotRef, Sharing] = {}
    used: set[ImageRef] = set()
    for ref, made in draw(made_images()).items():
        image, names = made, [f"snap-{ref.image_id.removeprefix('ami-')}"]
        if image.owner_id == OWNER:
            names += ["snap-common"] if draw(st.booleans()) else []
        elif draw(st.booleans()):
            # AWS has recorded that it was copied from the owner's, which may not exist any more.
            above = Made(MADE[ref].release, Target(OWNER, ref.region)).ref
            image = replace(image, tags={}, source_region=above.region, source_image_id=above.image_id)
        if image.owner_id == CONSUMER and draw(st.booleans()):
            used.add(ref)
        state = draw(st.sampled_from(["available", "available", "available", "disabled"]))
        images[ref] = replace(image, state=state, devices=volumes(*names))
        launch[ref] = draw(SHARINGS) if state == "available" else Sharing()
        for name in names:
            shared.setdefault(SnapshotRef(ref.region, name), draw(SHARINGS).accounts_only())
    return World(images, launch, shared, frozenset(used))


def block(world: World, selected: Selected) -> RecallOptions:
    """The options of a block of the bad release, which may break everybody."""
    uses = tuple(
        Use(CONSUMER, ref, "launch_template", ("web",), 1, origin=_find_origin(world.images[ref]))
        for ref in sorted(world.used)
    )
    source = SOURCES[BAD].ref
    return RecallOptions(
        source_image_id=source.image_id,
        source_region=HOME,
        level="block",
        accept_breaking=("all",),
        adoption_result=Adoption(OWNER, frozenset({source.image_id}), uses=uses),
        consumer_role_name="golden-consumer",
        tombstone_path="/recalls.jsonl",
        **selected,
    )


def _find_origin(image: Image) -> ImageRef | None:
    """What AWS has recorded as the source of an image."""
    return ImageRef(image.source_region or "", image.source_image_id) if image.source_image_id else None


UNDO = RecallOptions(
    state="absent",
    source_image_id=SOURCES[BAD].ref.image_id,
    source_region=HOME,
    consumer_role_name="golden-consumer",
    tombstone_path="/recalls.jsonl",
)


def read(world: World, options: RecallOptions) -> RecallState:
    """Return the state as the module reads it."""
    release = find_release_of(options, world.images, world.record)
    current = RecallState(OWNER, "aws", NOW, release, stored=Stored(world.record))
    own, copies = {*release.images}, dict(current.blocked_copies)
    if not options.is_recall:
        assert world.record is not None
        own &= {taken.ref for taken in world.record.blocked}
    elif options.block_consumer_copies:
        copies |= find_copies(options.adoption_result, release.owned)
    else:
        copies = {}
    return replace(
        current,
        access={ref: _share(world, ref) for ref in (*own, *copies)},
        copies=frozenset(copies),
        others=dict(_list_others(world, release)),
    )


def _share(world: World, ref: ImageRef) -> Shared:
    """An image as it is read; one of a consumer without its snapshots."""
    image = world.images[ref]
    names = image.snapshot_ids if image.owner_id == OWNER else ()
    shared = {name: world.volumes[SnapshotRef(ref.region, name)] for name in names}
    return Shared(image, world.launch[ref], shared)


def _list_others(world: World, release: Release) -> Iterator[tuple[SnapshotRef, str]]:
    for ref, image in world.images.items():
        if image.owner_id == OWNER and ref not in {*release.refs, *release.images}:
            yield from ((SnapshotRef(ref.region, name), ref.image_id) for name in image.snapshot_ids)


def look(world: World, options: RecallOptions) -> RecallPlan:
    """The plan of a run."""
    planned = plan(options, read(world, options))
    assert not planned.refusals
    return planned


def run(world: World, options: RecallOptions, stop: int | None = None) -> World:
    """Return the world after a run in the order of the flow, which is killed after so many changes."""
    planned = look(world, options)
    changes = list_changes(world, planned) if options.is_recall else list_openings(planned)
    for change in [*changes][:stop]:
        world = world.perform(change)
    return world


def list_changes(world: World, planned: RecallPlan) -> Iterator[Action | Record]:
    """Yield the changes of a block: the images of consumers last, between two writes of the tombstone."""
    assert planned.record is not None
    yield planned.record
    yield from planned.tags
    if not (blocks := [item for item in planned.images if item.actions]):
        return
    begun = planned.record.begin_block((item.taken for item in blocks), NOW)
    yield begun
    for is_own in (True, False):
        yield from (
            action for item in blocks if (item.taken.account_id == OWNER) == is_own for action in item.actions
        )
    yield begun.end_block(
        {
            item.ref
            for item in blocks
            if world.images[item.ref].state == "available" and not item.taken.disabled
        }
    )


def list_openings(planned: RecallPlan) -> Iterator[Action | Record]:
    """Yield the changes of a run that takes a block back."""
    assert planned.record is not None
    yield from (action for item in planned.images for action in item.actions)
    yield from planned.tags
    yield planned.record


def check_others(before: World, after: World, selected: Selected) -> None:
    """Check that nothing of another release has changed, and no image that may not come from this one."""
    others: set[SnapshotRef] = set()
    for ref, image in after.images.items():
        is_own = image.owner_id == OWNER
        if (image, after.launch[ref]) != (before.images[ref], before.launch[ref]):
            assert MADE[ref].release == BAD
            # AWS has recorded where the consumer's image comes from, and something uses it.
            assert is_own or selected["block_consumer_copies"]
            assert is_own or (ref in before.used and image.source_image_id)
        if not is_own or MADE[ref].release != BAD:
            others |= {SnapshotRef(ref.region, name) for name in image.snapshot_ids}
    assert {item: after.volumes[item] for item in others} == {item: before.volumes[item] for item in others}


@given(worlds(), SELECTED, STOP)
def test_a_block_changes_only_the_release_and_what_was_made_of_it_even_if_it_is_killed(
    before: World, selected: Selected, stop: int
) -> None:
    check_others(before, run(before, block(before, selected), stop), selected)


@given(worlds(), SELECTED)
def test_after_a_block_nobody_launches_an_image_of_the_release(before: World, selected: Selected) -> None:
    options = block(before, selected)
    after = run(before, options)
    for ref in find_release_of(options, after.images, after.record).images:
        assert not after.launch[ref]
        assert after.images[ref].state == "disabled" or options.block_method == "unshare"
    for ref in after.used if options.block_consumer_copies else ():
        image = before.images[ref]
        if (origin := _find_origin(image)) in before.images and origin and MADE[origin].release == BAD:
            assert after.images[ref].state == "disabled"


@given(worlds(), SELECTED, STOP)
def test_a_rerun_completes_a_killed_block_and_then_has_nothing_to_do(
    before: World, selected: Selected, stop: int
) -> None:
    options = block(before, selected)
    whole, again = run(before, options), run(run(before, options, stop), options)
    assert again == whole
    assert look(whole, options).actions == ()


@given(worlds(), SELECTED, STOP, STOP)
def test_a_block_is_taken_back_even_if_both_were_killed(
    before: World, selected: Selected, stop: int, stop_of_undo: int
) -> None:
    blocked = run(before, block(before, selected), stop)
    if blocked.record is None:
        assert blocked == before
        return
    # What somebody else had disabled before stays, with what it has lost, until it is enabled.
    left = {item.ref for item in look(blocked, UNDO).images if item.failures}
    assert {before.images[ref].state for ref in left} <= {"disabled"}
    after = run(run(blocked, UNDO, stop_of_undo), UNDO)
    check_others(before, after, selected)
    stay = {SnapshotRef(ref.region, name) for ref in left for name in before.images[ref].snapshot_ids}
    for ref in before.images.keys() - left:
        assert after.images[ref] == before.images[ref]
        assert after.launch[ref] in _given_back(before.launch[ref])
    for snapshot in before.volumes.keys() - stay:
        assert after.volumes[snapshot] in _given_back(before.volumes[snapshot])
    assert left or look(after, UNDO).actions == ()


def _given_back(sharing: Sharing) -> tuple[Sharing, Sharing]:
    """What may be there after all was given back: nothing is made public again."""
    return sharing, replace(sharing, public=False)
