# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``remediation_plan``: the permissions to remove for an audit's findings. Makes no AWS calls."""

from __future__ import annotations

from typing import Any

from .._audit.structure import check_audit
from .._failures import ValidationError, invalid_option
from .._runner import Flow, Outcome, change_nothing
from . import tasks
from .kept import dependents, kept_access, unseen_accounts
from .options import RemediationOptions
from .plan import RemediationPlan, plan
from .state import AuditedAccount, read


def read_state(clients: None, options: RemediationOptions) -> AuditedAccount:
    """Return the audit's values.

    Raises:
        ValidationError: the option is no result of ``ami_share_audit``, or an incomplete one.
    """
    if options.audit_result is None:
        return AuditedAccount("")
    given = options.audit_result
    if "findings" not in given:
        why = f" The audit failed: {given['msg']}" if given.get("msg") else ""
        problem = f"audit_result: not a result of ami_share_audit.{why}"
        raise ValidationError(
            [
                invalid_option(
                    "audit_result", problem, "Register the result of that module, and pass all of it."
                )
            ]
        )
    if failures := check_audit("audit_result", given):
        raise ValidationError(failures)
    if not given["check_snapshots"]:
        problem = "audit_result: the audit did not read the volume permissions of snapshots."
        raise ValidationError([invalid_option("audit_result", problem, "Audit with check_snapshots: true.")])
    return read(given)


def result(
    options: RemediationOptions, current: AuditedAccount, plan: RemediationPlan, outcome: Outcome
) -> dict[str, Any]:
    """Return the keys that are specific to this module; tasks for a new plan only."""
    new = plan.removals if options.expected_removals is None else ()
    return {
        "kept_access": [access.to_dict() for access in (*plan.kept, *kept_access(options.revoke_results))],
        "dependents": dependents(options.revoke_results),
        "unseen_accounts": unseen_accounts(options.revoke_results),
        "other_access": [access.to_dict() for access in plan.other],
        "parameter_tasks": tasks.parameter_tasks(new, current),
        "revoke_tasks": tasks.revoke_tasks(new, current),
        "unshare_tasks": tasks.unshare_tasks(new, current),
        "regions": [*options.audited_regions],
        "unreadable": [finding.message for finding in plan.unreadable],
        "removals": [item.to_dict() for item in plan.removals],
    }


FLOW: Flow[RemediationOptions, AuditedAccount] = Flow(
    RemediationOptions, read_state, plan, change_nothing, result, needs_aws=False
)
