# SPDX-License-Identifier: GPL-3.0-or-later

"""The states of all targets: a best-effort region may fail or be late, any other one stops the run."""

from __future__ import annotations

from threading import Event

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.read_targets import read_targets
from ansible_collections.golden.images.plugins.module_utils._failures import Failure, ValidationError
from ansible_collections.golden.images.plugins.module_utils._fanout import DidNotAnswer
from ansible_collections.golden.images.plugins.module_utils._model import Target

from tests.unit.examples import target_in

EU, NORTH, US = (target_in(region) for region in ("eu-west-1", "eu-north-1", "us-east-1"))


def failure_of(exception: Exception, target: Target) -> Failure:
    return Failure.at(target, "DescribeImages", "unread", f"{type(exception).__name__}.", "Rerun.")


def read(failing: set[Target], best_effort: set[Target]) -> tuple[dict[Target, str], dict[Target, Failure]]:
    def read_one(target: Target) -> str:
        if target in failing:
            raise LookupError
        return f"state of {target.region}"

    regions = {target.region for target in best_effort}
    return read_targets([EU, NORTH, US], read_one, failure_of, best_effort_regions=regions, grace_period=10.0)


def test_every_target_has_its_state() -> None:
    states = {target: f"state of {target.region}" for target in (EU, NORTH, US)}
    assert read(set(), {US}) == (states, {})


def test_a_best_effort_region_that_cannot_be_read_is_left_out() -> None:
    states, failures = read({US}, {NORTH, US})
    assert states.keys() == {EU, NORTH}
    assert failures == {US: failure_of(LookupError(), US)}


def test_all_other_regions_that_cannot_be_read_are_refused_at_once() -> None:
    with pytest.raises(ValidationError) as refused:
        read({EU, NORTH, US}, {US})
    assert [*refused.value.failures] == [failure_of(LookupError(), target) for target in (EU, NORTH)]


def test_a_best_effort_region_has_the_grace_period_after_the_others() -> None:
    never = Event()

    def read_one(target: Target) -> str:
        if target == US:
            never.wait()
        return "state"

    try:
        states, failures = read_targets(
            [EU, US], read_one, failure_of, best_effort_regions={US.region}, grace_period=0.1
        )
    finally:
        never.set()
    assert states == {EU: "state"}
    assert failures == {US: failure_of(DidNotAnswer(), US)}
