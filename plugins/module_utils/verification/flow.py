# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``verification_report``: what accounts can do with an image, as files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..reports.flow import report_flow
from . import document
from .report import verification


def content(params: Mapping[str, Any]) -> dict[str, Any]:
    """The report, from the module's options."""
    return verification(
        params["level"],
        params["regions"],
        params["account_ids"],
        (params["diagnosis_result"], params["probe_result"]),
    )


FLOW = report_flow(content, document=document.document, changes=document.differences)
