# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``audit_report``: files say who can use an account's images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...reports.flow import report_flow
from ...reports.plan import ReportPlan, ReportSeen, ReportWanted
from ...runner import Outcome
from ..structure import check_audit
from .changes import changes
from .content import audit
from .document import document

_IN_ALL_FORMS = report_flow(
    lambda params, _check_mode: audit(params["audit_result"]),
    document,
    changes,
    lambda params: check_audit("audit_result", params["audit_result"], complete=False),
)


def result(wanted: ReportWanted, seen: ReportSeen, plan: ReportPlan, outcome: Outcome) -> dict[str, Any]:
    """The returned keys that are specific to this module, without its options.

    Ansible parses, marks and copies each text of a result several times, which takes minutes for ten thousand
    images. So the result has no images: the files and the audit's result have them. ``invocation`` is empty,
    because Ansible would add the options, and with them the audit's result.
    """
    found = _IN_ALL_FORMS.result(wanted, seen, plan, outcome)
    report = {name: value for name, value in found["report"].items() if name != "images"}
    return {**found, "invocation": {}, "report": report}


FLOW = replace(_IN_ALL_FORMS, result=result)
