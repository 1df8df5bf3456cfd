# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan combines the plans of its targets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import invalid_option
from ansible_collections.golden.images.plugins.module_utils._model import Target
from ansible_collections.golden.images.plugins.module_utils._plan import Action, Plan, TargetPlan, batches

from tests.unit.examples import OWNER, STRANGER, target_in

HERE, THERE = target_in("eu-west-1"), target_in("us-east-1")


def test_an_empty_plan() -> None:
    plan = Plan()
    assert (plan.actions, plan.refusals, plan.tolerated, plan.warnings) == ((), (), (), ())
    assert plan.before == plan.after == {}


def test_actions_keep_the_order_of_each_target() -> None:
    first = Action(HERE, "CopyImage", {})
    second = Action(HERE, "DeregisterImage", {}, "ami-1")
    third = Action(THERE, "CopyImage", {})
    plan = Plan((TargetPlan(HERE, (first, second)), TargetPlan(THERE, (third,))))
    assert plan.actions == (first, second, third)


def test_items_are_split_into_batches() -> None:
    assert list(batches([1, 2, 3, 4, 5], 2)) == [[1, 2], [3, 4], [5]]
    assert list(batches((), 2)) == []


def test_the_result_of_an_action() -> None:
    assert Action(HERE, "DeregisterImage", {"ImageId": "ami-1"}, "ami-1").to_dict() == {
        "account_id": OWNER,
        "action": "DeregisterImage",
        "region": "eu-west-1",
        "resource": "ami-1",
    }


def test_refusals_and_tolerated_failures() -> None:
    bad, tolerable = invalid_option("name", "bad", "fix"), invalid_option("name", "odd", "fix")
    plan = Plan((TargetPlan(HERE, refusals=(bad,)), TargetPlan(THERE, tolerated=(tolerable,))))
    assert plan.refusals == (bad,)
    assert plan.tolerated == (tolerable,)


@pytest.mark.parametrize("regions", [(), ("us-east-1",), ("us-east-1", "eu-west-1")])
def test_a_refused_target_in_a_best_effort_region_does_nothing(regions: tuple[str, ...]) -> None:
    bad = invalid_option("name", "bad", "fix")
    good = TargetPlan(
        HERE, (Action(HERE, "CopyImage", {}),), before={"a": 1}, after={"a": 2}, warnings=("w",)
    )
    refused = replace(good, refusals=(bad,))
    assert good.tolerate(regions) == good
    tolerated = replace(good, actions=(), after={"a": 1}, tolerated=(bad,))
    assert refused.tolerate(regions) == (tolerated if "eu-west-1" in regions else refused)


def test_before_and_after_are_by_region() -> None:
    plan = Plan((TargetPlan(HERE, before={"a": 1}, after={"a": 2}), TargetPlan(THERE)))
    assert plan.before == {"eu-west-1": {"a": 1}, "us-east-1": {}}
    assert plan.after == {"eu-west-1": {"a": 2}, "us-east-1": {}}


def test_targets_of_several_accounts_are_named_with_their_account() -> None:
    other = Target(STRANGER, HERE.region)
    plan = Plan((TargetPlan(HERE, before={"a": 1}, warnings=("w",)), TargetPlan(other, before={"a": 2})))
    assert plan.before == {f"{OWNER} eu-west-1": {"a": 1}, f"{STRANGER} eu-west-1": {"a": 2}}
    assert list(plan.after) == list(plan.before)
    assert plan.warnings == (f"{OWNER} eu-west-1: w",)


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        pytest.param(("w",), ("w",), ("w",), id="all targets"),
        pytest.param(("w",), (), ("eu-west-1: w",), id="one target"),
        pytest.param(("w", "x"), ("w",), ("w", "eu-west-1: x"), id="both"),
    ],
)
def test_warnings(here: tuple[str, ...], there: tuple[str, ...], expected: tuple[str, ...]) -> None:
    plan = Plan((TargetPlan(HERE, warnings=here), TargetPlan(THERE, warnings=there)))
    assert plan.warnings == expected
