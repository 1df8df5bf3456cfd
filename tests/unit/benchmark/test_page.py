# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages say what was measured, and nothing that other programs disturbed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.benchmark import goals, text
from tests.benchmark.cleanup import ONE_DISK, TWO_DISKS
from tests.benchmark.drawings import drawings
from tests.benchmark.page import details, page
from tests.benchmark.results import Results, from_json, to_json

from .examples import part, series


def written(results: Results) -> str:
    """The details of these results."""
    return details(
        results, goals.outcomes(results), list(drawings(results)), trips=7, slowness=goals.slowness(results)
    )


def for_users(results: Results) -> str:
    """The page for users of these results."""
    return page(results, drawings(results))


QUIET = {"audit": part(series("ten images", 24, 23, 25, refused=3))}
BUSY = {"audit": part(series("ten images", 24, refused=3), busy=0.5)}


def test_a_row_has_medians_their_spread_and_the_number_of_runs() -> None:
    assert "| ten images | golden.images | 24 s (23–25) | 12 s (11.5–12.5) |" in written(QUIET)
    assert "| 24 MB (23–25) | 24 MB (23–25) | 2 | 3 |" in written(QUIET)


def test_times_of_a_busy_machine_are_left_out() -> None:
    assert "| Case | Tool | CPU | memory | largest process | API calls | Runs |" in written(BUSY)
    assert "Other programs used 50% of the machine meanwhile: **times are left out**" in written(BUSY)
    assert "24 s" not in written(BUSY)


def test_other_numbers_have_names() -> None:
    assert "| Case | Tool | refused as too many |" in written(QUIET)
    assert "| ten images | golden.images | 3 |" in written(QUIET)


def test_calls_are_listed_by_action() -> None:
    assert "| ten images | golden.images | ec2:DescribeImages 2 |" in written(QUIET)


def test_each_part_has_its_date_and_machine() -> None:
    assert "Measured on 2026-11-26. Each call takes 40 ms." in written(QUIET)
    assert "| A part | 2026-11-26 | 2 cores | Python 3.11 |" in written(QUIET)


def test_a_part_has_how_fast_the_machine_was_before_and_after() -> None:
    measured = replace(part(series("ten images", 24)), work=(1.0, 1.5))
    stored = from_json(
        json.loads(json.dumps(to_json({"audit": measured, "start": part(series("a module", 1))})))
    )
    assert stored["audit"] == measured
    assert "| A part | 2026-11-26 | 2 cores | 1 s, 1.5 s | Python 3.11 |" in written(stored)
    assert "| A part | 2026-11-26 | 2 cores |  | Python 3.11 |" in written(stored)
    assert "1 s, 1.5 s of CPU before and after" in text.of(measured)


def test_goals_without_a_measurement_are_counted_as_such() -> None:
    count = len(goals.GOALS)
    assert f"0 of 0 measured goals are met; {count} have no usable measurement." in written({})


def test_a_part_shows_its_picture() -> None:
    results = {"growth-regions": part(series("8 × 50: repeat", 3, size=8))}
    assert "](pictures/benchmark-growth-regions.svg)" in written(results)
    assert "Regions work at the same time" in written(results)


def test_a_profile_is_a_table_of_shares() -> None:
    results = {"profile": part(profiles={"start of a module": {"templates": 0.25}})}
    assert "| start of a module | templates | 25% |" in written(results)


@pytest.mark.parametrize(("calls", "shown"), [(5, True), (3, False)])
def test_what_stands_in_the_way_of_a_goal_is_said_once_if_it_is_not_met(calls: float, shown: bool) -> None:
    both = [series(case, 1, calls_an_image=calls) for case in (ONE_DISK, TWO_DISKS)]
    listed = written({"cleanup": part(*both)}).partition("What stands in the way:")[2]
    assert listed.count("- Cleanup: an image takes") == int(shown)


def test_the_page_for_users_has_medians_and_errors() -> None:
    found = {
        "audit-kinds": part(series("ten images", 24, 23, 25, missed=3, exposures=8)),
        "cleanup-in-use": part(series("old images", 10, deleted_in_use=0, in_use=4)),
        "recall": part(series("a release", 8, wrong_parameters=1, parameters=20)),
    }
    assert "| Audit: ten images | golden.images | 24 s | 12 s | 24 MB | 2 | missed 3 of 8 exposures |" in (
        for_users(found)
    )
    assert "| Cleanup: old images | golden.images | 10 s | 5 s | 10 MB | 2 |  |" in for_users(found)
    assert "| Recall: a release | golden.images | 8 s | 4 s | 8 MB | 2 | 1 of 20 parameters wrong |" in (
        for_users(found)
    )


def test_the_page_for_users_has_no_times_of_a_busy_machine() -> None:
    assert "| Audit: ten images | golden.images |  | 12 s | 24 MB | 2 |  |" in for_users(BUSY)


def test_the_page_for_users_shows_one_picture() -> None:
    results = {
        "distribute": part(series("8 × 50, encrypted: first run", 25)),
        "growth-regions": part(series("8 × 50: repeat", 3, size=8)),
    }
    assert for_users(results).count("![") == 1
    assert "](images/benchmark-distribute-first-run.svg)" in for_users(results)
