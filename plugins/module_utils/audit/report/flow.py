# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``audit_report``: files say who can use an account's images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...reports.flow import ReportState, report_flow
from ...reports.plan import ReportPlan
from ...runner import Outcome
from ..structure import check_audit
from .changes import changes
from .content import audit
from .document import document
from .options import AuditReportOptions

_IN_ALL_FORMS = report_flow(
    AuditReportOptions,
    lambda options: audit(options.audit_result),
    document,
    changes,
    lambda options: check_audit("audit_result", options.audit_result, complete=False),
)


def result(
    options: AuditReportOptions, state: ReportState, plan: ReportPlan, outcome: Outcome
) -> dict[str, Any]:
    """Return the keys that are specific to this module, without its options.

    Ansible parses, marks and copies each text of a result several times, which takes minutes for ten thousand
    images. So the result has no images: the files and the audit's result have them. ``invocation`` is empty,
    because Ansible would add the options, and with them the audit's result.
    """
    found = _IN_ALL_FORMS.result(options, state, plan, outcome)
    report = {name: value for name, value in found["report"].items() if name != "images"}
    return {**found, "invocation": {}, "report": report}


FLOW = replace(_IN_ALL_FORMS, result=result)
