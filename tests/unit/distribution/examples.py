# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of distribution/ share: the results of its steps."""

from __future__ import annotations

from typing import Any

from ansible_collections.golden.images.plugins.modules import distribution_report

from tests.unit.examples import OWNER, SOURCE_ID, SOURCE_REGION
from tests.unit.in_process import returned

EU, US = "eu-west-1", "us-east-1"


def copied(*regions: str, **changes: Any) -> dict[str, Any]:
    """What ``ami_copy_regions`` returned."""
    return {
        "changed": True,
        "failures": [],
        "source_image_id": SOURCE_ID,
        "source_region": SOURCE_REGION,
        "results": [copy(region) for region in regions],
        **changes,
    }


def copy(region: str, **changes: Any) -> dict[str, Any]:
    return {
        "account_id": OWNER,
        "best_effort": False,
        "image_id": f"ami-{region}",
        "kms_key_arn": f"key-{region}",
        "name": "golden",
        "origin": "copied",
        "progress": 100,
        "region": region,
        "snapshot_ids": [f"snap-{region}"],
        "state": "available",
        **changes,
    }


def shared(*regions: str, **changes: Any) -> dict[str, Any]:
    """What ``ami_share`` returned."""
    return {
        "failures": [],
        "launch_permissions": [{"account_ids": ["222222222222"], "regions": list(regions)}],
        "results": [share(region) for region in regions],
        "volume_permissions": [],
        **changes,
    }


def share(region: str) -> dict[str, Any]:
    return {
        "account_id": OWNER,
        "changed": True,
        "image_id": f"ami-{region}",
        "region": region,
        "shared_tags": {"version": "1"},
        "snapshot_ids": [f"snap-{region}"],
    }


def verification(
    *rows: dict[str, Any],
    level: str | None = None,
    error: str = "",
    kept_back: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What ``ami_verify`` returned with ``return_report``; ``error`` is the summary of what is not proven."""
    report = {"kept_back": kept_back, "level": level, "results": [*rows], "summary": error}
    return {"report": report, "verified_regions": [], **({"msg": error} if error else {})}


def reported(
    copy_result: dict[str, Any],
    grant_result: dict[str, Any],
    share_result: dict[str, Any],
    check_mode: bool = False,
    **options: Any,
) -> dict[str, Any]:
    """The report of ``distribution_report`` on the results of these steps, and on what other options have."""
    steps = {"copy_results": [copy_result], "grant_results": [grant_result], "share_result": share_result}
    result = returned(distribution_report, {**steps, **options}, check_mode=check_mode)
    assert not result.get("failed"), result["msg"]
    report: dict[str, Any] = result["report"]
    return report


def failure(region: str, **changes: Any) -> dict[str, Any]:
    return {
        "account_id": OWNER,
        "action": "CopyImage",
        "error_code": "Refused",
        "message": "No.",
        "region": region,
        "remedy": "Ask.",
        "request_id": "req-1",
        "source": "aws",
        **changes,
    }
