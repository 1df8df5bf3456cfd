# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of distribution/ share: the results of its steps."""

from __future__ import annotations

from typing import Any

from ansible_collections.golden.images.plugins.module_utils.distribution.report import distribution

from tests.unit.examples import OWNER, SOURCE_ID, SOURCE_REGION

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
    return {"failures": [], "results": [share(region) for region in regions], **changes}


def share(region: str) -> dict[str, Any]:
    return {
        "account_id": OWNER,
        "changed": True,
        "image_id": f"ami-{region}",
        "launch_permissions": {"account_ids": ["222222222222"]},
        "region": region,
        "shared_tags": {"version": "1"},
        "volume_permissions": {f"snap-{region}": {}},
    }


def reported(
    copy_result: dict[str, Any], grant_result: dict[str, Any], share_result: dict[str, Any], **steps: Any
) -> dict[str, Any]:
    """The report of a distribution without the optional steps that are not given."""
    absent: dict[str, Any] = {
        "consumer_copy_result": {},
        "start_result": {},
        "verification_results": [],
        "publish_result": {},
        "verification_error": "",
        "verification_level": None,
        "wanted": {},
    }
    return distribution(copy_result, grant_result, share_result, **{**absent, **steps})


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
