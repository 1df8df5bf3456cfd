# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties of every plan for sharing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.model import Sharing
from ansible_collections.golden.images.plugins.module_utils.plan import Action, Plan
from ansible_collections.golden.images.plugins.module_utils.share import plan as share
from ansible_collections.golden.images.plugins.module_utils.share.public import opens
from ansible_collections.golden.images.plugins.module_utils.share.state import ShareSeen, ShareWanted
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.examples import ORG, OWNER, UNIT, target_in
from tests.unit.share.examples import accounts, changes_of, shared, wanted

REGIONS = ("ap-south-1", "eu-west-1", "us-east-1")
# Some sets are larger than a batch: snapshots take 500 changes a call.
ACCOUNTS = st.frozensets(st.sampled_from([OWNER, *accounts(4)])) | st.sampled_from(
    [frozenset(accounts(499)), frozenset(accounts(1_001))]
)
OTHERS = st.frozensets(st.sampled_from(accounts(4))) | st.sampled_from(
    # With 499 others, the second set exceeds the quota of an image.
    [frozenset(accounts(777)), frozenset(accounts(1_500)[600:])]
)
SHARINGS = st.builds(
    Sharing,
    account_ids=ACCOUNTS,
    org_arns=st.frozensets(st.sampled_from([ORG, ORG + "x"])),
    org_unit_arns=st.frozensets(st.sampled_from([UNIT, UNIT + "x"])),
    public=st.booleans(),
)
HELD = st.builds(
    Sharing,
    account_ids=OTHERS,
    org_arns=st.frozensets(st.sampled_from([ORG, ORG + "x"])),
    org_unit_arns=st.frozensets(st.sampled_from([UNIT, UNIT + "x"])),
    public=st.booleans(),
)
TAGS = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["1", "2"]))


@st.composite
def regions_held(draw: st.DrawFn) -> ShareSeen:
    """Images of some regions with their permissions."""
    images = {}
    for region in draw(st.lists(st.sampled_from(REGIONS), min_size=1, unique=True)):
        volumes = {
            f"snap-{region}-{number}": draw(HELD).accounts_only() for number in range(draw(st.integers(0, 2)))
        }
        tags = {f"ec2:SharedTag/{key}": value for key, value in draw(TAGS).items()}
        images[target_in(region)] = shared(draw(HELD), volumes, image_id=f"ami-{region}", tags=tags)
    return ShareSeen(OWNER, images)


WANTED = st.one_of(
    st.builds(wanted, SHARINGS, present=st.just(False), shared_tags=TAGS),
    st.builds(wanted, SHARINGS, purge=st.booleans(), shared_tags=TAGS),
    st.builds(wanted, SHARINGS, purge=st.just(True), share_snapshots=st.just(False), shared_tags=TAGS),
)


def performed(saw: ShareSeen, plan: Plan) -> ShareSeen:
    """The images after the plan was applied."""
    images = dict(saw.images)
    for action in plan.actions:
        found = images[action.target]
        parameters = action.parameters
        if action.operation == "ModifyImageAttribute":
            assert parameters["ImageId"] == found.image.image_id
            found = replace(found, launch=_changed(found.launch, parameters["LaunchPermission"]))
        elif action.operation == "ModifySnapshotAttribute":
            snapshot_id = parameters["SnapshotId"]
            current = _changed(found.volume_permissions[snapshot_id], parameters["CreateVolumePermission"])
            found = replace(found, volume_permissions={**found.volume_permissions, snapshot_id: current})
        else:
            tags = {tag["Key"]: tag["Value"] for tag in parameters["Tags"]}
            found = replace(found, image=replace(found.image, tags={**found.image.tags, **tags}))
        images[action.target] = found
    return replace(saw, images=images)


def _changed(current: Sharing, modification: Mapping[str, list[dict[str, str]]]) -> Sharing:
    ((change, entries),) = modification.items()
    delta = Sharing(
        frozenset(entry["UserId"] for entry in entries if "UserId" in entry),
        frozenset(entry["OrganizationArn"] for entry in entries if "OrganizationArn" in entry),
        frozenset(entry["OrganizationalUnitArn"] for entry in entries if "OrganizationalUnitArn" in entry),
        any(entry.get("Group") == "all" for entry in entries),
    )
    return current | delta if change == "Add" else current - delta


def _named(want: ShareWanted) -> Sharing:
    return want.sharing - Sharing(frozenset({OWNER}))


def _modified(action: Action) -> tuple[str, list[Any]]:
    return changes_of([action])[0][1:]


@given(WANTED, regions_held())
def test_performed_plan_leaves_nothing_to_plan(want: ShareWanted, saw: ShareSeen) -> None:
    again = share.plan(want, performed(saw, share.plan(want, saw)))
    assert again.actions == ()
    assert again.before == again.after


@given(WANTED, regions_held())
def test_after_is_the_state_that_the_actions_produce(want: ShareWanted, saw: ShareSeen) -> None:
    plan = share.plan(want, saw)
    assert plan.after == share.plan(want, performed(saw, plan)).before


@given(WANTED, regions_held())
def test_view_of_all_performed_actions_is_after(want: ShareWanted, saw: ShareSeen) -> None:
    for target in share.plan(want, saw).targets:
        view = share.partial_view(want, target, saw.images[target.target], target.actions)
        # None is for targets in which no named consumer has what is wanted.
        assert view in (target.after, None)
        if _named(want):
            assert view == target.after


@given(WANTED, regions_held())
def test_view_without_performed_actions_is_before(want: ShareWanted, saw: ShareSeen) -> None:
    want = replace(want, shared_tags={})
    for target in share.plan(want, saw).targets:
        assert share.partial_view(want, target, saw.images[target.target], ()) in (target.before, None)


@given(WANTED, regions_held())
def test_additions_remove_nothing(want: ShareWanted, saw: ShareSeen) -> None:
    assume(want.present)
    after = performed(saw, share.plan(replace(want, purge=False), saw))
    for target, found in saw.images.items():
        assert not found.launch - after.images[target].launch
        assert after.images[target].launch == found.launch | _named(want)


@given(WANTED, regions_held())
def test_purge_leaves_exactly_the_named_consumers(want: ShareWanted, saw: ShareSeen) -> None:
    assume(want.present)
    after = performed(saw, share.plan(replace(want, purge=True), saw))
    for target, found in after.images.items():
        assert found.launch == _named(want)
        for snapshot_id, current in found.volume_permissions.items():
            named = _named(want).accounts_only()
            held = saw.images[target].volume_permissions[snapshot_id]
            assert current == (named if want.share_snapshots else named & held)


@given(WANTED, regions_held())
def test_absent_removes_only_the_named_consumers(want: ShareWanted, saw: ShareSeen) -> None:
    after = performed(saw, share.plan(replace(want, present=False, purge=False), saw))
    for target, found in saw.images.items():
        assert after.images[target].launch == found.launch - _named(want)


@given(WANTED, regions_held())
def test_no_request_is_empty_or_exceeds_its_limit(want: ShareWanted, saw: ShareSeen) -> None:
    limits = {"ModifyImageAttribute": 10_000, "ModifySnapshotAttribute": 500, "CreateTags": 50}
    for action in share.plan(want, saw).actions:
        _change, who = _modified(action)
        assert 1 <= len(who) <= limits[action.operation]
        assert len(set(who)) == len(who)


@given(WANTED, regions_held())
def test_snapshots_are_shared_before_the_image(want: ShareWanted, saw: ShareSeen) -> None:
    for target in share.plan(want, saw).targets:
        private = [action for action in target.actions if not opens(action)]
        steps = [(action.operation, _modified(action)[0]) for action in private]
        order = [
            ("ModifySnapshotAttribute", "Add"),
            ("CreateTags", "CreateTags"),
            ("ModifyImageAttribute", "Add"),
            ("ModifySnapshotAttribute", "Remove"),
        ]
        image = ("ModifyImageAttribute", "Add")
        ranks = [order.index(image if step[0] == image[0] else step) for step in steps]
        assert ranks == sorted(ranks)


@given(SHARINGS, st.booleans(), regions_held())
def test_an_image_becomes_public_before_its_snapshots(
    sharing: Sharing,
    purge: bool,
    saw: ShareSeen,
) -> None:
    want = wanted(replace(sharing, public=True), purge=purge)
    for target in share.plan(want, saw).targets:
        opening = [action for action in target.actions if opens(action)]
        assert all(_modified(action) == ("Add", ["all"]) for action in opening)
        of_image = [action.operation == "ModifyImageAttribute" for action in opening]
        assert of_image == sorted(of_image, reverse=True)
        later = target.actions[target.actions.index(opening[0]) :] if opening else ()
        assert all(opens(one) or "Remove" in str(one.parameters) or _is_of_image(one) for one in later)


def _is_of_image(action: Action) -> bool:
    return action.operation == "ModifyImageAttribute"


@given(WANTED, regions_held())
def test_permissions_that_stay_are_not_lost_and_the_quota_is_kept_if_possible(
    want: ShareWanted, saw: ShareSeen
) -> None:
    for target in share.plan(want, saw).targets:
        before = saw.images[target.target].launch
        after = Sharing.read(target.after["launch_permissions"])
        quota = max(share.DEFAULT_QUOTA, before.entities)
        covering = replace(after, account_ids=frozenset()) - before
        for action in target.actions:
            if action.operation == "ModifyImageAttribute":
                held = saw.images[target.target].launch & after
                changed = _changed(before, action.parameters["LaunchPermission"])
                assert not held - changed
                if after.entities <= quota:
                    assert changed.entities <= quota + covering.entities
                if "Remove" in action.parameters["LaunchPermission"]:
                    assert not replace(after, account_ids=frozenset()) - before
                before = changed
        assert before == after


@given(WANTED, regions_held())
def test_actions_stay_in_their_region(want: ShareWanted, saw: ShareSeen) -> None:
    for target in share.plan(want, saw).targets:
        found = saw.images[target.target]
        assert all(action.target == target.target for action in target.actions)
        assert {action.resource for action in target.actions} <= {
            found.image.image_id,
            *found.volume_permissions,
        }


@given(WANTED, regions_held())
def test_plan_does_not_depend_on_the_order_of_regions(want: ShareWanted, saw: ShareSeen) -> None:
    reordered = replace(saw, images=dict(reversed(saw.images.items())))
    assert share.plan(want, saw) == share.plan(want, reordered)
