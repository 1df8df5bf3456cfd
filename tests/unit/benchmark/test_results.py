# SPDX-License-Identifier: GPL-3.0-or-later

"""What was measured, as values and as JSON."""

from __future__ import annotations

import json

import pytest

from tests.benchmark.results import Spread, from_json, to_json

from .examples import part, series

RESULTS = {"start": part(series("one", 1, 3, 2, refused=0), busy=0.3, profiles={"start": {"YAML": 1.0}})}


def test_json_keeps_everything() -> None:
    assert from_json(json.loads(json.dumps(to_json(RESULTS)))) == RESULTS


def test_a_spread_is_the_median_with_the_least_and_the_most() -> None:
    assert series("one", 1, 10, 2).spread(lambda one: one.seconds) == Spread(2, 1, 10)


def test_calls_of_all_actions_count() -> None:
    assert series("one", 1).samples[0].call_count == 2


@pytest.mark.parametrize(("busy", "quiet"), [(0.02, True), (0.1, True), (0.5, False)])
def test_a_busy_machine_is_not_quiet(busy: float, quiet: bool) -> None:
    assert part(busy=busy).is_quiet is quiet


def test_a_series_is_found_by_its_case_and_contender() -> None:
    listed = part(series("one", 1), series("one", 2, contender="other"))
    assert listed.find("one", "other") == listed.series[1]
    assert listed.find("two", "other") is None
