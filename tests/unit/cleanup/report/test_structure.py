# SPDX-License-Identifier: GPL-3.0-or-later

"""What is accepted as the result of a cleanup."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.report.structure import check_cleanup

from tests.unit.cleanup.report.examples import BLOCKED, GOES, KEPT, OFF, OVER_THE_LIMIT, RUNS, WAITS, cleaned

CLEANED = cleaned(GOES, OFF, WAITS, BLOCKED, KEPT, RUNS, warnings=["Slow."])


@pytest.mark.parametrize("result", [{}, CLEANED, OVER_THE_LIMIT, {"failed": True, "msg": "No."}])
def test_a_result_of_the_module_is_accepted(result: dict[str, Any]) -> None:
    assert check_cleanup("cleanup_result", result) == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"actions": [{}]}, "actions[0].action is missing"),
        ({"failures": [{"action": 1}]}, "failures[0].action must be text"),
        ({"regions": "eu-west-1"}, "regions must be a list"),
        ({"results": [{**GOES, "decision": "sell"}]}, "results[0].decision must be one of"),
        ({"results": [GOES, {**OFF, "size_gib": "8"}]}, "results[1].size_gib must be a number"),
        ({"warnings": [None]}, "warnings[0] must be text"),
    ],
)
def test_another_result_is_refused(changes: dict[str, Any], expected: str) -> None:
    (failure,) = check_cleanup("cleanup_result", {**CLEANED, **changes})
    assert expected in failure.message
