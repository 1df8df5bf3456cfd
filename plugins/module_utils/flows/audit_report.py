# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``audit_report``: files say who can use an account's images."""

from __future__ import annotations

from ..reports.audit import audit
from ..reports.audit_changes import changes
from ..reports.audit_document import document
from .report import report_flow

FLOW = report_flow(lambda params: audit(params["audited"]), document, changes)
