# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`verification_report`: what accounts can do with an image, as files."""

from __future__ import annotations

from ..reports.flow import report_flow
from . import document
from .report import verification

FLOW = report_flow(
    lambda params: verification(
        params["level"],
        params["regions"],
        params["account_ids"],
        (params["diagnosis_result"], params["probe_result"]),
    ),
    document=document.document,
    changes=document.differences,
)
