# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_share_audit``: who can use the account's images, compared with who may. Changes nothing in AWS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .._aws import errors
from .._aws.caller import identify_with_regions
from .._aws.clients import Clients
from .._model import Target
from .._reports.flow_result import Reporting
from .._runner import Flow, Outcome, change_nothing
from . import plan as audit
from . import read as reads
from .options import AuditOptions
from .plan import AuditPlan
from .report.changes import changes
from .report.content import audit as content
from .report.document import document
from .state import AuditState


def read_state(clients: Clients, options: AuditOptions) -> AuditState:
    """Read all regions in parallel. What cannot be read is a finding; everything else is still read."""
    caller, names = identify_with_regions(clients, options.regions)
    current, failed = reads.regions(clients, [Target(caller.account_id, name) for name in names], options)
    return AuditState(
        account_id=caller.account_id,
        now=datetime.now(UTC),
        regions=current,
        unread={
            target: errors.failure(exception, target, "DescribeImages")
            for target, exception in failed.items()
        },
    )


def result(options: AuditOptions, current: AuditState, plan: AuditPlan, outcome: Outcome) -> dict[str, Any]:
    """Return the returned keys that are specific to this module."""
    return {
        "account_id": current.account_id,
        "check_keys": options.check_keys,
        "check_snapshots": options.check_snapshots,
        "findings": [finding.to_dict() for finding in plan.findings],
        "kms_keys": audit.keys(options, current),
        "regions": audit.regions(current),
        "results": audit.results(current, plan),
        "unused_snapshots": audit.unused_snapshots(current),
    }


FLOW: Flow[AuditOptions, AuditState] = Flow(
    AuditOptions,
    read_state,
    audit.plan,
    change_nothing,
    result,
    only_reads=True,
    attaches="_page",
    report=Reporting(
        lambda options, result: content(result, options.policy()),
        document,
        changes,
        replaces=frozenset({"findings", "kms_keys", "results", "unused_snapshots"}),
        only_in_files=frozenset({"images"}),
    ),
    policy="auditing",
)
