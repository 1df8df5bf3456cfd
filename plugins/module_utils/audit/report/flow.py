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
from .changes import changes
from .content import audit
from .document import document

_IN_ALL_FORMS = report_flow(lambda params: audit(params["audit_result"]), document, changes)


def result(wanted: ReportWanted, seen: ReportSeen, plan: ReportPlan, outcome: Outcome) -> dict[str, Any]:
    """What the module returns of its own, which is not what it was given.

    Ansible takes apart, marks and copies each text of a result several times: ten thousand images take
    minutes. So the images are left to the files and to what was audited, and so are the options, to which
    Ansible would add that once more.
    """
    found = _IN_ALL_FORMS.result(wanted, seen, plan, outcome)
    report = {name: value for name, value in found["report"].items() if name != "images"}
    return {**found, "invocation": {}, "report": report}


FLOW = replace(_IN_ALL_FORMS, result=result)
