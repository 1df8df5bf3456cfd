# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports on the results of audits, and the changes between two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._audit.report.changes import changes
from ansible_collections.golden.images.plugins.module_utils._audit.report.content import audit
from ansible_collections.golden.images.plugins.module_utils._audit.state import RegionState
from ansible_collections.golden.images.plugins.module_utils._reports.document import Changes

from tests.unit.audit.examples import audit_of

EARLIER = "2026-11-23T12:00:00+00:00"


def report(*seen: RegionState, **options: Any) -> dict[str, Any]:
    """The report on an audit of these regions with these options (see ``audit_of``)."""
    return audit(audit_of(*seen, **options), policy(**options))


def policy(**options: Any) -> dict[str, Any]:
    """Who is allowed by these options of the audit, as a report describes it."""
    names = ("allowed_account_ids", "allowed_org_arns", "allowed_org_unit_arns", "rules")
    return {name: options.get(name, []) for name in names}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """The changes from a report, as its file holds it, to another one."""
    return changes({"written_at": EARLIER, "kind": "audit", "changes": None, **before}, after)
