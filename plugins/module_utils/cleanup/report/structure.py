# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The structure of the result of ``ami_cleanup``, which its report is made from."""

from __future__ import annotations

from typing import Any

from ...failures import Failure
from ...structure import NUMBER, OUTCOME, TEXT, Absent, Null, check_result
from .outcome import DECISIONS, STAGES

_SNAPSHOT = {
    "keep_reason": Null(TEXT),
    "retention_days": Null(NUMBER),
    "size_gib": NUMBER,
    "snapshot_id": TEXT,
}
_IMAGE = {
    "creation_date": Null(TEXT),
    "decision": frozenset(DECISIONS),
    "evidence": [{"detail": TEXT, "kind": TEXT, "subject": TEXT}],
    "family": TEXT,
    "image_id": TEXT,
    "later_stages": [{"due": TEXT, "stage": frozenset(STAGES)}],
    "name": Null(TEXT),
    "next_stage": Null(frozenset(STAGES)),
    "next_stage_at": Null(TEXT),
    "reasons": [TEXT],
    "recoverable_until": Null(TEXT),
    "region": TEXT,
    "size_gib": NUMBER,
    "snapshots": [_SNAPSHOT],
}
_FAILURE = {"action": Null(TEXT), "error_code": Null(TEXT), "message": Null(TEXT), "region": Null(TEXT)}
_CLEANED: dict[str, Any] = {
    **OUTCOME,
    "actions": Absent(Null([{"action": TEXT, "region": Null(TEXT), "resource": Null(TEXT)}])),
    "failures": Absent(Null([{**_FAILURE, "account_id": Absent(Null(TEXT)), "remedy": Absent(Null(TEXT))}])),
    "regions": Absent([TEXT]),
    "results": Absent([_IMAGE]),
    "warnings": Absent(Null([TEXT])),
}


def check_cleanup(option: str, value: Any) -> tuple[Failure, ...]:
    """A failure if the value of an option is not a cleanup's result, complete or not."""
    return check_result(option, value, _CLEANED, "ami_cleanup")
