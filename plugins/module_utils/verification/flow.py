# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``verification_report``: what accounts can do with an image, as files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..failures import Failure
from ..finding import BlocksLaunch
from ..reports.document import SEVERITIES
from ..reports.flow import report_flow
from ..structure import OUTCOME, TEXT, Absent, Null, check_result
from . import document
from .report import verification

_FINDING = {
    "blocks_launch": frozenset(one.value for one in BlocksLaunch),
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

_SETTING = "publish_uncertain"


def content(params: Mapping[str, Any]) -> dict[str, Any]:
    """The report, from the module's options."""
    return verification(
        params["level"],
        params["regions"],
        params["account_ids"],
        (params["diagnosis_result"], params["probe_result"]),
        params["publish_uncertain"],
        (params.get("variable_names") or {}).get(_SETTING, _SETTING),
    )


def check(params: Mapping[str, Any]) -> tuple[Failure, ...]:
    """Failures for results that no module returned."""
    return (
        *check_result("diagnosis_result", params["diagnosis_result"], _VERIFIED, "ami_share_diagnose"),
        *check_result("probe_result", params["probe_result"], _VERIFIED, "ami_launch_probe"),
    )


FLOW = report_flow(
    lambda params, _check_mode: content(params),
    document=document.document,
    changes=document.changes,
    check=check,
)
