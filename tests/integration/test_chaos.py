# SPDX-License-Identifier: GPL-3.0-or-later

"""A sample of ``make chaos``: success means a finished world, and a rerun ends as an undisturbed run."""

from __future__ import annotations

from functools import cache

import pytest

from simulated_aws.client import SimulatedAws

from ..chaos.cases import cases
from ..chaos.run import Undisturbed, check, undisturbed

SAMPLE = ["cleanup/lag/2s", "publish/twice/together"]


@cache
def _undisturbed(aws: SimulatedAws, scenario: str) -> Undisturbed:
    """Once in this process for all cases of the scenario."""
    return undisturbed(aws, scenario)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_rerun_after_an_interruption_ends_as_an_undisturbed_run(
    simulated_aws: SimulatedAws, name: str
) -> None:
    scenario = name.partition("/")[0]
    expected = _undisturbed(simulated_aws, scenario)
    (case,) = (one for one in cases(scenario, expected.calls, beside=expected.beside) if one.id == name)
    wrong = check(simulated_aws, case, expected)
    assert wrong == []
