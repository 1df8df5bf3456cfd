# SPDX-License-Identifier: GPL-3.0-or-later

"""Which groups are refreshed, which are refused, and how AWS is asked for it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Target
from ansible_collections.golden.images.plugins.module_utils._refresh.plan import RefreshPlan, plan, plan_group
from ansible_collections.golden.images.plugins.module_utils._refresh.state import (
    Group,
    InstanceRefresh,
    RefreshState,
)
from ansible_collections.golden.images.plugins.module_utils._runner import diff_by_change
from ansible_collections.golden.images.plugins.module_utils._tags import RECALLED_TAG

from tests.unit.examples import CONSUMER, OWNER
from tests.unit.refresh.examples import (
    BAD,
    GOOD,
    HERE,
    PARAMETER,
    REGION,
    TEMPLATE,
    fixed,
    group,
    image,
    instance,
    options,
    planned,
    version,
)

NEW, OLD = instance("new", GOOD, 7), instance("old")
DESIRED = {"LaunchTemplate": {"LaunchTemplateId": TEMPLATE, "Version": "7"}}
BY_PARAMETER = {"launched": version(7, PARAMETER, GOOD), "default": version(7, PARAMETER, GOOD)}


def plan_of(*groups: Group, **changes: Any) -> RefreshPlan:
    """The plan of groups in one account and region."""
    names = tuple(dict.fromkeys(one.name for one in groups)) or ("web",)
    wanted = options(**{"auto_scaling_groups": names, **changes})
    found = {HERE: {one.name: one for one in groups}}
    return plan(wanted, RefreshState(OWNER, "aws", found, {HERE: image()}))


@pytest.mark.parametrize("number", ["$Default", "$Latest", "7"])
def test_a_group_that_launches_the_image_is_refreshed_as_it_is(number: str) -> None:
    """A desired configuration would give it a fixed version, and AWS cannot roll back to what it follows."""
    found = planned(group(version=number))
    assert found.start is not None
    assert found.start.parameters == {
        "AutoScalingGroupName": "web",
        "Preferences": {
            "ScaleInProtectedInstances": "Ignore",
            "SkipMatching": True,
            "StandbyInstances": "Ignore",
        },
    }
    assert (found.replaced, found.rolls_back, found.version) == ((OLD,), False, number)


def test_a_fixed_version_is_changed_to_the_default_one_and_can_be_rolled_back() -> None:
    found = planned(fixed())
    assert found.start is not None
    assert found.start.parameters["DesiredConfiguration"] == DESIRED
    assert found.start.parameters["Preferences"]["AutoRollback"] is True
    assert (found.replaced, found.rolls_back, found.version) == ((OLD,), True, "7")
    assert planned(fixed(), auto_rollback=False).rolls_back is False


@pytest.mark.parametrize("rolls_back", [True, False])
def test_a_refresh_in_progress_is_rolled_back_as_it_was_started(rolls_back: bool) -> None:
    active = InstanceRefresh("r-1", "InProgress", rolls_back=rolls_back)
    assert planned(group(active=active)).rolls_back is rolls_back


def test_a_fixed_version_with_the_image_stays_although_the_default_one_is_newer() -> None:
    found = planned(group(version="6", launched=version(6), default=version(7)))
    assert found.start is not None
    assert "DesiredConfiguration" not in found.start.parameters


def test_a_fixed_version_without_the_image_is_changed_also_without_instances() -> None:
    """The next launch would be of the other image."""
    assert planned(fixed(instances=())).start is not None
    assert planned(fixed(instances=(NEW,))).replaced == ()


def test_all_preferences_are_passed_on() -> None:
    found = planned(
        group(),
        alarms=("errors",),
        bake_time=600,
        instance_warmup=0,
        max_healthy_percentage=110,
        min_healthy_percentage=100,
        scale_in_protected_instances="refresh",
        standby_instances="terminate",
    )
    assert found.start is not None
    assert found.start.parameters["Preferences"] == {
        "AlarmSpecification": {"Alarms": ["errors"]},
        "BakeTime": 600,
        "InstanceWarmup": 0,
        "MaxHealthyPercentage": 110,
        "MinHealthyPercentage": 100,
        "ScaleInProtectedInstances": "Refresh",
        "SkipMatching": True,
        "StandbyInstances": "Terminate",
    }


def test_a_parameter_makes_aws_replace_all_instances() -> None:
    """It refuses to skip any (Auto Scaling User Guide, Use AWS Systems Manager parameters ...)."""
    found = planned(group(**BY_PARAMETER))
    assert found.start is not None
    assert found.start.parameters["Preferences"]["SkipMatching"] is False
    assert found.replaced == (NEW, OLD)
    old = group(**{**BY_PARAMETER, "instances": (OLD,)})
    assert plan_of(old, auto_rollback=False).warnings == ()


@pytest.mark.parametrize(
    "subject",
    [
        group(instances=(NEW,)),
        group(instances=(replace(NEW, version=3),)),
        group(instances=()),
        group(**{**BY_PARAMETER, "instances": (NEW,)}),
        group(instances=(NEW, replace(OLD, state="Terminating:Wait"))),
        group(instances=(NEW, replace(OLD, state="Warmed:Stopped"))),
        group(instances=(NEW, replace(OLD, state="Detached"))),
    ],
)
def test_a_group_whose_instances_run_the_image_is_left(subject: Group) -> None:
    found = planned(subject)
    assert (found.is_work, found.refusal) == (False, None)
    assert plan_of(subject).actions == ()


@pytest.mark.parametrize(
    ("subject", "code", "words"),
    [
        (group(is_being_deleted=True), "group_not_refreshable", "is being deleted"),
        (group(tags=frozenset({"eks:nodegroup-name"})), "group_not_refreshable", "managed by Amazon EKS"),
        (group(tags=frozenset({"elasticbeanstalk:environment-id"})), "group_not_refreshable", "Beanstalk"),
        (group(desired_capacity=1, instances=(OLD,)), "group_would_be_empty", "terminates i-old before"),
        (
            group(desired_capacity=8, instances=(replace(OLD, weight=8), NEW)),
            "group_would_be_empty",
            "i-old",
        ),
        (group(operator="eks.amazonaws.com"), "group_not_refreshable", "managed by eks.amazonaws.com"),
        (
            group(configuration="old", launched=None, default=None),
            "group_not_refreshable",
            "the launch configuration old",
        ),
        (group(has_own_images=True, is_mixed=True), "group_not_refreshable", "overrides"),
        (
            group(suspended=frozenset({"Launch", "AZRebalance"})),
            "group_not_refreshable",
            "processes .*: Launch",
        ),
        *(
            (
                group(suspended=frozenset({process}), is_balanced=True),
                "group_not_refreshable",
                f"a refresh needs: {process}",
            )
            for process in ("AddToLoadBalancer", "HealthCheck", "InstanceRefresh", "Terminate")
        ),
        (group(launched=None), "launch_template_not_found", "version \\$Default"),
        (group(launched=version(7, BAD)), "other_image_launched", f"launches {BAD}"),
        (group(version="$Latest", launched=version(8, BAD)), "other_image_launched", "version \\$Latest"),
        (
            group(launched=version(7, PARAMETER, BAD)),
            "other_image_launched",
            f"{BAD} from the parameter /golden/web",
        ),
        (group(launched=version(7, PARAMETER, "")), "other_image_launched", "no image from the parameter"),
        (fixed(default=version(7, BAD)), "other_image_launched", "version 6"),
        (fixed(default=None), "other_image_launched", "version 6"),
        (fixed(is_mixed=True), "other_image_launched", "mixed instances policy"),
        (fixed(launched=version(6, PARAMETER, BAD)), "other_image_launched", "from a parameter"),
        (fixed(default=version(7, PARAMETER, GOOD)), "other_image_launched", "from a parameter"),
        (
            fixed(default=version(7, UserData="c2VjcmV0", InstanceType="t3.large")),
            "launch_template_versions_differ",
            "InstanceType, UserData",
        ),
        (
            group(instances=(NEW, OLD, instance("fresh", "", 7, state="Pending"))),
            "instances_unreadable",
            "1 instance whose image EC2 does not return: i-fresh",
        ),
        (
            group(**BY_PARAMETER, instances=(NEW, instance("fresh", "", 7))),
            "instances_unreadable",
            "i-fresh",
        ),
        (
            group(instances=(replace(OLD, is_protected=True), replace(OLD, state="Standby"))),
            "instances_protected",
            "1 instance in Standby",
        ),
        (
            group(instances=(replace(OLD, is_protected=True),)),
            "instances_protected",
            "protected from scale in .*: i-old",
        ),
    ],
)
def test_what_is_refused(subject: Group, code: str, words: str) -> None:
    found = plan_of(subject)
    (failure,) = found.refusals
    assert failure.error_code == code
    assert (failure.account_id, failure.region) == (CONSUMER, REGION)
    assert f"Group web in account {CONSUMER}" in failure.message
    assert re.search(words, failure.message), failure.message
    assert "c2VjcmV0" not in failure.text()
    assert found.actions == ()


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ({"Ebs": {"SnapshotId": "snap-1", "VolumeSize": 8}}, {"Ebs": {"VolumeSize": 8}}, True),
        ({"Ebs": {"SnapshotId": "snap-1"}}, None, True),
        ({"Ebs": {"VolumeSize": 9}}, {"Ebs": {"VolumeSize": 8}}, False),
        ({"Ebs": {"SnapshotId": "snap-1"}}, {"Ebs": {"SnapshotId": "snap-2"}}, False),
        ({"NoDevice": ""}, None, False),
    ],
)
@pytest.mark.parametrize("is_of_image", [True, False])
def test_versions_may_differ_in_the_snapshots_of_their_images(
    one: Any, other: Any, is_same: bool, is_of_image: bool
) -> None:
    """ami_publish leaves out the snapshots of the earlier image."""
    old, new = (
        {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", **mapping}]} if mapping is not None else {}
        for mapping in (one, other)
    )
    subject = fixed(launched=version(6, BAD, **old), default=version(7, **new))
    devices = frozenset({"/dev/xvda"} if is_of_image else {"/dev/sdf"})
    found = plan_group(options(), HERE, subject, GOOD, devices)
    assert (found.start is not None) is (is_same and is_of_image)


@pytest.mark.parametrize("kind", ["protected", "standby"])
def test_instances_that_aws_would_wait_for_are_kept_or_replaced(kind: str) -> None:
    special = replace(OLD, is_protected=True) if kind == "protected" else replace(OLD, state="Standby")
    subject = group(instances=(special, instance("other")))
    name = {"protected": "scale_in_protected_instances", "standby": "standby_instances"}[kind]
    kept = planned(subject, **{name: "ignore"})
    assert (kept.kept, kept.replaced) == ((special,), (instance("other"),))
    replaced = planned(subject, **{name: {"protected": "refresh", "standby": "terminate"}[kind]})
    assert (replaced.kept, replaced.replaced) == ((), (special, instance("other")))
    only = planned(group(instances=(NEW, special)), **{name: "ignore"})
    assert (only.is_work, only.kept) == (False, (special,))
    found = plan_of(group(instances=(NEW, special)), **{name: "ignore"})
    assert "keeps 1 instance without the image" in " ".join(found.warnings)
    # One that runs the image is not replaced.
    good = group(instances=(replace(special, image_id=GOOD, version=7), OLD))
    assert planned(good).refusal is None


ACTIVE = InstanceRefresh("r-1", "InProgress")


@pytest.mark.parametrize(
    ("subject", "active", "is_waited_for"),
    [
        (group(), ACTIVE, True),
        (group(), replace(ACTIVE, status="Baking"), True),
        (group(), replace(ACTIVE, status="Pending"), True),
        (group(instances=(NEW,)), ACTIVE, True),
        (group(instances=(replace(OLD, state="Standby"),)), ACTIVE, True),
        (fixed(), replace(ACTIVE, desired=DESIRED), True),
        (group(), replace(ACTIVE, desired=DESIRED), False),
        (fixed(), ACTIVE, False),
        (fixed(), replace(ACTIVE, desired={"LaunchTemplate": {"LaunchTemplateId": TEMPLATE}}), False),
        (group(), replace(ACTIVE, status="RollbackInProgress"), False),
        (group(), replace(ACTIVE, status="Cancelling"), False),
        (group(), replace(ACTIVE, status="SomethingNew"), False),
        (group(), replace(ACTIVE, strategy="ReplaceRootVolume"), False),
    ],
)
def test_a_refresh_in_progress_is_waited_for_if_it_does_the_same(
    subject: Group, active: InstanceRefresh, is_waited_for: bool
) -> None:
    found = planned(replace(subject, active=active))
    assert (found.active == active, found.start) == (is_waited_for, None)
    if not is_waited_for:
        assert found.refusal is not None
        assert found.refusal.error_code == "instance_refresh_in_progress"
        assert "r-1" in found.refusal.message


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        (None, "image_not_found"),
        (image(state="disabled"), "image_not_available"),
        (image(tags={RECALLED_TAG: "2026-12-01T23:40:05Z"}), "image_recalled"),
    ],
)
def test_an_image_that_could_not_or_must_not_be_launched_is_refused(shown: Any, code: str) -> None:
    """AWS terminates instances before it launches others."""
    found = plan(options(), RefreshState(OWNER, "aws", {HERE: {"web": group()}}, {HERE: shown}))
    assert [(one.error_code, one.account_id) for one in found.refusals] == [(code, CONSUMER)]
    done = {HERE: {"web": group(instances=(NEW,))}}
    found = plan(options(), RefreshState(OWNER, "aws", done, {HERE: shown}))
    assert (found.refusals, "The next launches of web are of it" in " ".join(found.warnings)) == ((), True)
    waited = {HERE: {"web": group(active=ACTIVE)}}
    (refusal,) = plan(options(), RefreshState(OWNER, "aws", waited, {HERE: shown})).refusals
    assert (refusal.error_code, "Cancel the refresh now" in refusal.remedy) == (code, True)


def test_all_instances_are_replaced_without_skipping() -> None:
    found = planned(group(), skip_matching=False)
    assert found.start is not None
    assert (found.start.parameters["Preferences"]["SkipMatching"], found.replaced) == (False, (NEW, OLD))


def test_a_name_that_is_found_nowhere_is_refused() -> None:
    found = plan_of(group(), auto_scaling_groups=("web", "wbe"))
    assert [(one.error_code, "wbe" in one.message) for one in found.refusals] == [("group_not_found", True)]


def test_more_groups_than_allowed_are_refused() -> None:
    groups = [group(name=f"web-{number}") for number in range(3)]
    done = group(name="done", instances=(NEW,))
    assert plan_of(*groups, done, max_groups=3).refusals == ()
    (refusal,) = plan_of(*groups, done, max_groups=2).refusals
    assert (refusal.error_code, refusal.action) == ("too_many_groups", "max_groups")
    assert "3 groups would be replaced, more than 2" in refusal.message
    shown = plan_of(*groups, max_groups=2, check_mode=True)
    assert (shown.refusals, [one.error_code for one in shown.failures]) == ((), ["too_many_groups"])
    assert len(shown.actions) == 3
    waited = replace(group(name="other"), active=ACTIVE)
    assert plan_of(group(), waited, max_groups=1).refusals != ()


def test_a_group_that_is_not_named_in_one_account_only_is_no_mistake() -> None:
    there = Target(OWNER, REGION)
    state = RefreshState(OWNER, "aws", {HERE: {"web": group()}, there: {}}, {HERE: image()})
    found = plan(options(account_ids=(CONSUMER, OWNER)), state)
    assert found.refusals == ()
    assert [action.resource for action in found.actions] == ["web"]
    absent = f"Group web does not exist in 1 of 2 accounts and regions, where nothing is replaced: {OWNER}"
    assert absent in found.warnings[0]
    assert plan_of(group(), auto_rollback=False).warnings == ()


def test_the_diff_names_the_group_its_images_and_its_new_version() -> None:
    found = plan_of(fixed(), group(name="api"))
    diff = diff_by_change(found)
    text = " ".join(diff["prepared"].split())
    assert f"~ instances of group api: 1 x {GOOD}, 1 x {BAD} -> 2 x {GOOD}" in text
    assert "~ launch template version of group web: 6 -> 7" in text
    assert diff["state_after"][REGION]["auto_scaling_groups"]["web"] == {
        "images": {GOOD: 2},
        "launch_template_version": "7",
    }
    assert [target.before["auto_scaling_groups"].keys() for target in found.targets] == [{"api", "web"}]


def test_a_warning_says_which_refresh_cannot_be_rolled_back() -> None:
    assert "AWS cannot roll back web" in " ".join(plan_of(group()).warnings)
    assert plan_of(group(), auto_rollback=False).warnings == ()
    assert plan_of(fixed()).warnings == ()


def warnings_of(subject: Group, **changes: Any) -> str:
    """The warnings about a group."""
    return " ".join(plan_of(subject, auto_rollback=False, **changes).warnings)


def test_a_warning_says_which_instances_of_the_image_are_replaced_again() -> None:
    """AWS compares versions and not images."""
    earlier = group(instances=(instance("good", GOOD, 6), OLD))
    assert "AWS also replaces 1 instance of group web with the image, because they are not" in warnings_of(
        earlier
    )
    assert "because skip_matching is false" in warnings_of(group(), skip_matching=False)
    assert "because the group launches from a parameter" in warnings_of(group(**BY_PARAMETER))
    assert warnings_of(group()) == ""


def test_a_warning_says_what_is_not_looked_at() -> None:
    done = group(instances=(NEW,), has_warm_pool=True)
    assert "The warm pool of group web was not looked at" in warnings_of(done)
    assert warnings_of(group(has_warm_pool=True)) == ""
    left = group(instances=(NEW, replace(OLD, state="Terminating:Retained")))
    assert "1 instance of group web without the image may run until" in warnings_of(left)
    assert warnings_of(group(instances=(NEW, replace(OLD, state="Terminating")))) == ""
    of_ecs = frozenset({"AmazonECSManaged"})
    assert "if managed instance draining is on" in warnings_of(group(tags=of_ecs))
    assert warnings_of(group(tags=of_ecs, instances=(NEW,))) == ""


@pytest.mark.parametrize(
    ("changes", "chosen"),
    [
        ({}, {"min_healthy_percentage": 100, "max_healthy_percentage": 110}),
        ({}, {"min_healthy_percentage": 90}),
        ({"min_healthy": 100, "max_healthy": 110}, {}),
        ({"max_healthy": 200}, {"min_healthy_percentage": 100}),
        ({"desired_capacity": 0, "instances": (OLD,)}, {}),
        ({"instances": (NEW, replace(OLD, state="Standby"))}, {"standby_instances": "terminate"}),
    ],
)
def test_a_group_of_one_instance_is_refreshed_if_that_is_accepted_or_launches_first(
    changes: dict[str, Any], chosen: dict[str, Any]
) -> None:
    lonely = group(**{"desired_capacity": 1, "instances": (OLD,), **changes})
    assert planned(lonely, **chosen).start is not None


@pytest.mark.parametrize(
    ("changes", "chosen"),
    [
        ({}, {"min_healthy_percentage": 100}),
        ({"max_healthy": 200}, {}),
        ({"min_healthy": 90, "max_healthy": 100}, {}),
        ({"min_healthy": 100, "max_healthy": 100}, {"min_healthy_percentage": 100}),
    ],
)
def test_a_policy_that_may_terminate_first_is_no_consent(
    changes: dict[str, Any], chosen: dict[str, Any]
) -> None:
    lonely = group(**{"desired_capacity": 1, "instances": (OLD,), **changes})
    found = planned(lonely, **chosen)
    assert (found.start, found.refusal and found.refusal.error_code) == (None, "group_would_be_empty")


def test_a_process_for_load_balancers_is_not_missed_without_one() -> None:
    assert planned(group(suspended=frozenset({"AddToLoadBalancer"}))).start is not None
