# SPDX-License-Identifier: GPL-3.0-or-later

"""How large the result of a run is, as Ansible passes it on."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.golden.images.plugins.module_utils import _runner
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import Target

from tests.unit.flow_run import FlowRun

REGIONS = [f"eu-west-{number}" for number in range(1, 21)]
ACCOUNTS = [f"2{number:011d}" for number in range(1000)]
LARGEST = 300_000
"""Characters of a result: less than half of what AWX still stores."""


TARGETS = [Target(account, region) for account in ACCOUNTS for region in REGIONS]
IMAGES = {target: f"ami-{number:017x}" for number, target in enumerate(TARGETS)}


FAILURES = [
    Failure(
        f"AWS rejected {target.account_id}: {'It says why. ' * 20}",
        "Ask for it. " * 20,
        "Denied",
        "Call",
        target.region,
        target.account_id,
        f"request-{number}",
        "aws",
    ).to_dict()
    for number, target in enumerate(TARGETS[: 100 * len(REGIONS)])
]
"""Those of a hundred accounts in each region."""


def result_of(run: FlowRun) -> dict[str, Any]:
    """The whole result in diff mode, as the runner returns it."""
    plan, outcome = run.plan, run.outcome
    failures = (*plan.failures, *outcome.failures, *plan.tolerated, *outcome.tolerated)
    return {
        **run.result,
        "actions": _runner._list_once(plan.actions if run.check_mode else outcome.performed),
        "diff": run.flow.diff(run.wanted, run.seen, plan),
        "failures": [failure.to_dict() for failure in failures],
        "warnings": [*plan.warnings, *outcome.warnings],
    }


def size_of(run: FlowRun) -> int:
    """The characters of the whole result in diff mode, as JSON."""
    return len(json.dumps(result_of(run)))
