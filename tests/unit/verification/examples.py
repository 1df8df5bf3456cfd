# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of a diagnosis or a launch probe, and the report on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._verification.report import (
    build_report,
    list_problems,
)

EU, US = "eu-west-1", "us-east-1"
WEB, BATCH = "111111111111", "222222222222"
LEVELS = ("visible", "authorized", "launched")
NO_KEY = {
    "code": "missing_key_access",
    "error_code": None,
    "message": "There is no grant.",
    "remedy": "Grant it.",
    "blocks_launch": "blocking",
    "severity": "medium",
}


def seen(
    account_id: str, region: str, level: str | None, *findings: Mapping[str, Any], **changes: Any
) -> dict[str, Any]:
    """One result of a diagnosis or a probe."""
    return {
        "account_id": account_id,
        "findings": [*findings],
        "image_id": f"ami-{region}",
        "level": level,
        "region": region,
        **changes,
    }


def verified(
    level: str,
    diagnosis: Mapping[str, Any] | Iterable[Mapping[str, Any]] = (),
    probe: Mapping[str, Any] | None = None,
    *,
    regions: Iterable[str] = (EU, US),
    accounts: Iterable[str] = (WEB, BATCH),
    publish_uncertain: bool | Sequence[str] | None = None,
) -> dict[str, Any]:
    """The report on a diagnosis, or on its rows alone, and on a probe."""
    diagnosed = diagnosis if isinstance(diagnosis, Mapping) else {"failures": [], "results": [*diagnosis]}
    return build_report(level, [*regions], [*accounts], (diagnosed, probe or {}), publish_uncertain)


def module_result(
    report: Mapping[str, Any], *report_failures: Mapping[str, Any], **changes: Any
) -> dict[str, Any]:
    """What ``ami_verify`` returns with this report, as far as it is divided among hosts."""
    problems = [
        problem.to_dict() for problem in list_problems(report["level"], report["results"], report["failures"])
    ]
    return {
        "failures": [*problems, *report_failures],
        "report": {**report},
        "report_dir": "verification",
        "report_failures": [*report_failures],
        "report_path": None,
        "report_s3_uri": None,
        "report_url": None,
        **changes,
    }
