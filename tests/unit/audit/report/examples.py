# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of ``ami_share_audit`` for regions, and the reports on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.audit import flow
from ansible_collections.golden.images.plugins.module_utils.audit import plan as planner
from ansible_collections.golden.images.plugins.module_utils.audit.report.changes import changes
from ansible_collections.golden.images.plugins.module_utils.audit.report.content import audit
from ansible_collections.golden.images.plugins.module_utils.audit.state import (
    AuditSeen,
    AuditWanted,
    Problem,
    RegionSeen,
)
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.reports.document import Changes
from ansible_collections.golden.images.plugins.module_utils.runner import Outcome

from tests.unit.audit.examples import NOW
from tests.unit.examples import OWNER, SOURCE_ID, target_in

EU, US = "eu-west-1", "us-east-1"
EARLIER = "2026-11-23T12:00:00+00:00"


def refused(region: str | None = EU, action: str = "DescribeImages", **changes: Any) -> Failure:
    """AWS's refusal of a call."""
    values = {
        "message": "You are not authorized.",
        "remedy": f"Allow {action}.",
        "error_code": "UnauthorizedOperation",
        "action": action,
        "region": region,
        "account_id": OWNER,
        "request_id": "r-1",
        "source": "aws",
        **changes,
    }
    return Failure(**values)


def unread(code: str, resource: str, **changes: Any) -> Problem:
    """An image, snapshot or key that could not be read."""
    return Problem(code, resource, refused(action="DescribeImageAttribute", **changes), SOURCE_ID)


def audited(
    *seen: RegionSeen,
    wanted: AuditWanted | None = None,
    unread: Mapping[str, Failure] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """What the module returned of these regions, ``EU`` first, and of those that could not be read."""
    want = wanted or AuditWanted()
    regions = {target_in(name): region for name, region in zip((EU, US), seen, strict=False)}
    failed = {target_in(name): failure for name, failure in (unread or {}).items()}
    saw = AuditSeen(OWNER, NOW, regions, failed)
    plan = planner.plan(want, saw)
    failures = [failure.as_result() for failure in plan.failures]
    return {
        **flow.result(want, saw, plan, Outcome()),
        "actions": [],
        "changed": False,
        "failed": bool(failures),
        "failures": failures,
        **changes,
    }


def report(*seen: RegionSeen, **changes: Any) -> dict[str, Any]:
    """The report of that."""
    return audit(audited(*seen, **changes))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """The changes from a report, as its file holds it, to another one."""
    return changes({"written_at": EARLIER, "kind": "audit", "changes": None, **before}, after)
