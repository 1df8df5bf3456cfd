# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_share_audit``: who can use the account's images, compared with who may. Read-only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..aws import errors
from ..aws.caller import identify_with_regions
from ..aws.clients import Clients
from ..failures import Refused
from ..model import Target
from ..regions import select_regions
from ..runner import Flow, Outcome, change_nothing
from . import plan as audit
from . import read as reads
from .options import AuditOptions
from .plan import AuditPlan
from .state import AuditSeen


def read_state(clients: Clients, options: AuditOptions) -> AuditSeen:
    """Read all regions in parallel. What cannot be read is a finding; everything else is still read."""
    caller, known = identify_with_regions(clients, options.regions)
    names, failures = select_regions(options.regions, known)
    if failures:
        raise Refused(failures)
    seen, failed = reads.regions(clients, [Target(caller.account_id, name) for name in names], options)
    return AuditSeen(
        account_id=caller.account_id,
        now=datetime.now(UTC),
        regions=seen,
        unread={
            target: errors.failure(exception, target, "DescribeImages")
            for target, exception in failed.items()
        },
    )


def result(options: AuditOptions, seen: AuditSeen, plan: AuditPlan, outcome: Outcome) -> dict[str, Any]:
    """Return the returned keys that are specific to this module."""
    return {
        "account_id": seen.account_id,
        "check_keys": options.check_keys,
        "check_snapshots": options.check_snapshots,
        "findings": [finding.as_result() for finding in plan.findings],
        "kms_keys": audit.keys(options, seen),
        "regions": audit.regions(seen),
        "results": audit.results(seen, plan),
        "unused_snapshots": audit.unused_snapshots(seen),
    }


FLOW: Flow[AuditOptions, AuditSeen] = Flow(
    AuditOptions, read_state, audit.plan, change_nothing, result, only_reads=True
)
