# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties of every plan for sharing."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._model import Sharing
from ansible_collections.golden.images.plugins.module_utils._plan import Action
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.examples import ORG, OWNER, UNIT
from tests.unit.share.examples import AnImage, Run, accounts, aws_with, changes_of, shared, wanted

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


Images = dict[str, AnImage]


@st.composite
def images_held(draw: st.DrawFn) -> Images:
    """Images of some regions with their permissions."""
    images = {}
    for number, region in enumerate(draw(st.lists(st.sampled_from(REGIONS), min_size=1, unique=True))):
        volumes = {
            f"snap-{number}-{one}": draw(HELD).accounts_only() for one in range(draw(st.integers(0, 2)))
        }
        tags = {f"ec2:SharedTag/{key}": value for key, value in draw(TAGS).items()}
        images[region] = shared(draw(HELD), volumes, image_id=f"ami-0000000{number}", tags=tags)
    return images


ADDING = st.builds(wanted, SHARINGS, shared_tags=TAGS)
PURGING = st.builds(
    wanted,
    SHARINGS,
    purge_launch_permissions=st.just(True),
    allow_empty_purge=st.just(True),
    share_snapshots=st.booleans(),
    shared_tags=TAGS,
)
REMOVING = st.builds(wanted, SHARINGS.filter(bool), state=st.just("absent"), shared_tags=TAGS)
WANTED = st.one_of(ADDING, PURGING, REMOVING)


def run_on(want: dict[str, Any], images: Images) -> Run:
    """A run on a copy of these images."""
    named = {region: image.image_id for region, image in images.items()}
    return Run({**want, "images": named}, aws_with(deepcopy(images)))


def after(done: Run) -> Images:
    """The images after the run, which did not fail."""
    assert done.outcome.failures == ()
    return {region: image for region, ec2 in done.aws.ec2_clients.items() for image in ec2.images.values()}


def _named(want: dict[str, Any]) -> Sharing:
    return Sharing(
        frozenset(want["account_ids"]) - {OWNER},
        frozenset(want["org_arns"]),
        frozenset(want["org_unit_arns"]),
        want.get("group") == "all",
    )


def _modified(action: Action) -> tuple[str, list[Any]]:
    return changes_of([action])[0][1:]


def _opens(action: Action) -> bool:
    """Whether the action makes something public."""
    change, who = _modified(action)
    return change == "Add" and "all" in who


@given(WANTED, images_held())
def test_a_run_leaves_the_planned_state_and_nothing_to_plan(want: dict[str, Any], images: Images) -> None:
    done = run_on(want, images)
    again = run_on(want, after(done)).plan
    assert again.actions == ()
    assert done.plan.after == again.before == again.after


@given(WANTED, images_held(), st.frozensets(st.sampled_from(accounts(4))))
def test_results_are_the_state_that_a_run_leaves_if_aws_rejects_some(
    want: dict[str, Any], images: Images, rejected: frozenset[str]
) -> None:
    done = run_on(want, images)
    for ec2 in done.aws.ec2_clients.values():
        ec2.rejected = rejected
    assert {one.error_code for one in done.outcome.failures} <= {"consumer_rejected"}
    for result in done.results:
        (image,) = done.ec2(result["region"]).images.values()
        launch, volumes = done.permissions[result["region"]]
        assert launch == image.launch.to_dict()
        assert volumes == {
            snapshot_id: {"account_ids": sorted(held.account_ids), "public": held.public}
            for snapshot_id, held in image.volumes.items()
        }


@given(ADDING, images_held())
def test_additions_remove_nothing(want: dict[str, Any], images: Images) -> None:
    for region, image in after(run_on(want, images)).items():
        assert image.launch == images[region].launch | _named(want)


@given(PURGING, images_held())
def test_purge_leaves_exactly_the_named_consumers(want: dict[str, Any], images: Images) -> None:
    for region, image in after(run_on(want, images)).items():
        assert image.launch == _named(want)
        for snapshot_id, current in image.volumes.items():
            named = _named(want).accounts_only()
            held = images[region].volumes[snapshot_id]
            assert current == (named if want["share_snapshots"] else named & held)


@given(REMOVING, images_held())
def test_absent_removes_only_the_named_consumers(want: dict[str, Any], images: Images) -> None:
    for region, image in after(run_on(want, images)).items():
        assert image.launch == images[region].launch - _named(want)


@given(WANTED, images_held())
def test_no_request_is_empty_or_exceeds_its_limit(want: dict[str, Any], images: Images) -> None:
    limits = {"ModifyImageAttribute": 10_000, "ModifySnapshotAttribute": 500, "CreateTags": 50}
    for action in run_on(want, images).plan.actions:
        _change, who = _modified(action)
        assert 1 <= len(who) <= limits[action.operation]
        assert len(set(who)) == len(who)


@given(WANTED, images_held())
def test_snapshots_are_shared_before_the_image(want: dict[str, Any], images: Images) -> None:
    for target in run_on(want, images).plan.targets:
        private = [action for action in target.actions if not _opens(action)]
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


@given(ADDING | PURGING, images_held())
def test_an_image_becomes_public_before_its_snapshots(want: dict[str, Any], images: Images) -> None:
    public = {**want, "group": "all", "allow_public": True}
    for target in run_on(public, images).plan.targets:
        opening = [action for action in target.actions if _opens(action)]
        assert all(_modified(action) == ("Add", ["all"]) for action in opening)
        of_image = [action.operation == "ModifyImageAttribute" for action in opening]
        assert of_image == sorted(of_image, reverse=True)
        later = target.actions[target.actions.index(opening[0]) :] if opening else ()
        assert all(_opens(one) or "Remove" in str(one.parameters) or _is_of_image(one) for one in later)


def _is_of_image(action: Action) -> bool:
    return action.operation == "ModifyImageAttribute"


@given(WANTED, images_held())
def test_permissions_that_stay_are_not_lost_and_the_quota_is_kept_if_possible(
    want: dict[str, Any], images: Images
) -> None:
    for target in run_on(want, images).plan.targets:
        before = images[str(target.target.region)].launch
        wanted_after = Sharing.read(target.after["launch_permissions"])
        stays = before & wanted_after
        # EC2 User Guide, "AMI quotas": an image that is shared with more has a higher quota.
        quota = max(1_000, before.entities)
        covering = replace(wanted_after, account_ids=frozenset()) - before
        for action in target.actions:
            if action.operation == "ModifyImageAttribute":
                ((change, entries),) = action.parameters["LaunchPermission"].items()
                delta = Sharing.of_entries(entries)
                changed = before | delta if change == "Add" else before - delta
                assert not stays - changed
                if wanted_after.entities <= quota:
                    assert changed.entities <= quota + covering.entities
                if change == "Remove":
                    assert not replace(wanted_after, account_ids=frozenset()) - before
                before = changed
        assert before == wanted_after


@given(WANTED, images_held())
def test_the_plan_does_not_depend_on_the_order_of_regions(want: dict[str, Any], images: Images) -> None:
    assert run_on(want, images).plan == run_on(want, dict(reversed(images.items()))).plan
