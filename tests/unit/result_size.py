# SPDX-License-Identifier: GPL-3.0-or-later

"""How large the result of a run is, as Ansible passes it on."""

from __future__ import annotations

import json

from ansible_collections.golden.images.plugins.module_utils import _runner

from tests.unit.flow_run import FlowRun

REGIONS = [f"eu-west-{number}" for number in range(1, 21)]
ACCOUNTS = [f"2{number:011d}" for number in range(1000)]
LARGEST = 300_000
"""Characters of a result: less than half of what AWX still stores."""


def size_of(run: FlowRun) -> int:
    """The characters of the whole result in diff mode, as JSON."""
    plan, outcome = run.plan, run.outcome
    failures = (*plan.failures, *outcome.failures, *plan.tolerated, *outcome.tolerated)
    result = {
        **run.result,
        "actions": _runner._list_once(plan.actions if run.check_mode else outcome.performed),
        "diff": run.flow.diff(run.wanted, run.seen, plan),
        "failures": [failure.to_dict() for failure in failures],
        "warnings": [*plan.warnings, *outcome.warnings],
    }
    return len(json.dumps(result))
