# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``distribution_report``: the result of a distribution, as a file."""

from __future__ import annotations

from typing import Any

from ..failures import Failure
from ..reports.document import SEVERITIES
from ..reports.flow import report_flow
from ..structure import BOOLEAN, OUTCOME, TEXT, Absent, Null, check_result
from . import document
from .options_report import DistributionReportOptions
from .report import distribution, has_failed, remembered

_COPIED = {
    **OUTCOME,
    "results": Absent([{"image_id": Absent(Null(TEXT)), "region": TEXT}]),
    "source_image_id": Absent(Null(TEXT)),
    "source_region": Absent(Null(TEXT)),
}
_PERMISSIONS = {kind: Absent([TEXT]) for kind in ("account_ids", "org_arns", "org_unit_arns")}
_SHARED = {
    **OUTCOME,
    "results": Absent([{"launch_permissions": Absent(Null(_PERMISSIONS)), "region": TEXT}]),
}
_PUBLISHED = {
    **OUTCOME,
    "results": Absent([{"launch_templates": Absent(Null({})), "region": Absent(Null(TEXT))}]),
}
_VERIFIED = {
    "account_id": TEXT,
    "findings": [
        {
            "code": TEXT,
            "message": TEXT,
            "remedy": TEXT,
            "severity": frozenset(SEVERITIES),
        }
    ],
    "image_id": Null(TEXT),
    "key_use": Absent(Null(TEXT)),
    "principal": Absent(Null(TEXT)),
    "reached": BOOLEAN,
    "region": TEXT,
    "uncertain": Absent(BOOLEAN),
}
_ANY = {**OUTCOME, "results": Absent([{}])}
_RESULTS: dict[str, tuple[Any, str]] = {
    "copy_result": (_COPIED, "ami_copy_regions"),
    "start_result": (_COPIED, "ami_copy_regions"),
    "grant_results": ([_ANY], "ami_kms_grant"),
    "share_result": (_SHARED, "ami_share"),
    "consumer_copy_result": (_COPIED, "ami_copy_regions"),
    "verification_results": ([_VERIFIED], "ami_verify"),
    "publish_result": (_PUBLISHED, "ami_publish"),
    "kept_back": ({"message": Absent(TEXT), "remedy": Absent(TEXT)}, "ami_verify"),
}


def content(options: DistributionReportOptions) -> dict[str, Any]:
    """Return the content of the report, which is of a plan in check mode."""
    return distribution(
        options.copy_result,
        options.grant_results,
        options.share_result,
        consumer_copy_result=options.consumer_copy_result,
        verification_results=options.verification_results,
        publish_result=options.publish_result,
        verification_error=options.verification_error,
        verification_level=options.verification_level,
        kept_back=options.kept_back,
        wanted={
            "shared_with": [*options.account_ids, *options.org_arns, *options.org_unit_arns],
            "published_in": [*options.publish_account_ids],
            "regions": list(dict.fromkeys(options.regions)),
        },
        start_result=options.start_result,
        is_plan=options.check_mode,
    )


def check(options: DistributionReportOptions) -> tuple[Failure, ...]:
    """Return failures for results that no module returned."""
    return tuple(
        failure
        for name, (structure, module) in _RESULTS.items()
        for failure in check_result(name, getattr(options, name), structure, module)
    )


FLOW = report_flow(
    DistributionReportOptions,
    content,
    document=document.document,
    changes=document.changes,
    check=check,
    remember=remembered,
    failed=has_failed,
)
