# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``verification_report``: what accounts can do with an image, as files."""

from __future__ import annotations

from typing import Any

from ..failures import Failure
from ..finding import BlocksLaunch
from ..reports.document import SEVERITIES
from ..reports.flow import report_flow
from ..structure import OUTCOME, TEXT, Absent, Null, check_result
from . import document
from .options import VerificationReportOptions
from .report import verification

_FINDING = {
    "blocks_launch": frozenset(effect.value for effect in BlocksLaunch),
    "code": TEXT,
    "error_code": Null(TEXT),
    "message": TEXT,
    "remedy": TEXT,
    "severity": frozenset(SEVERITIES),
}
# The two modules have these keys in common.
_VERIFIED = {
    **OUTCOME,
    "results": Absent(
        [
            {
                "account_id": TEXT,
                "findings": [_FINDING],
                "image_id": Null(TEXT),
                "key_use": Absent(Null(TEXT)),
                "level": Absent(Null(TEXT)),
                "principal": Absent(Null(TEXT)),
                "region": TEXT,
            }
        ]
    ),
}


def content(options: VerificationReportOptions) -> dict[str, Any]:
    """Return the content of the report."""
    return verification(
        options.level,
        options.regions,
        options.account_ids,
        (options.diagnosis_result, options.probe_result),
        options.publish_uncertain,
    )


def check(options: VerificationReportOptions) -> tuple[Failure, ...]:
    """Return failures for results that no module returned."""
    return (
        *check_result("diagnosis_result", options.diagnosis_result, _VERIFIED, "ami_share_diagnose"),
        *check_result("probe_result", options.probe_result, _VERIFIED, "ami_launch_probe"),
    )


FLOW = report_flow(
    VerificationReportOptions,
    content,
    document=document.document,
    changes=document.changes,
    check=check,
)
