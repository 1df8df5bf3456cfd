# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of earlier steps, as later ones take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.unit.examples import OWNER, SOURCE_ID


def copy_result(
    images: Mapping[str, str | None],
    keys: Mapping[str, str | None] | None = None,
    state: str | None = "available",
    **changes: Any,
) -> dict[str, Any]:
    """The result of ``ami_copy_regions`` with these copies, and the key of each region."""
    arns = {**dict.fromkeys(images), **(keys or {})}
    return {
        "images": dict(images),
        "kms_key_arns": arns,
        "results": [
            {
                "account_id": OWNER,
                "region": region,
                "snapshot_kms_key_arns": [arns[region]] if arns[region] else [],
                "state": state,
            }
            for region in images
        ],
        "source_image_id": SOURCE_ID,
        "source_region": "us-west-2",
        **changes,
    }


def consumer_copy_result(
    states: Mapping[str, str | None],
    regions: Iterable[str] = ("eu-west-1",),
    failed: Iterable[tuple[str | None, str | None]] = (),
) -> dict[str, Any]:
    """The result of ``ami_copy_regions`` with a copy of each account in this state, in each region."""
    return {
        "failures": [{"account_id": account_id, "region": region} for account_id, region in failed],
        "images": [],
        "results": [
            {"account_id": account_id, "region": region, "state": state}
            for account_id, state in states.items()
            for region in regions
        ],
    }


def grant_result(**changes: Any) -> dict[str, Any]:
    """The result of ``ami_kms_grant`` that has found nothing, unless changed."""
    empty: dict[str, Any] = {
        "changed": False,
        "consumers": [],
        "consumers_without_access": [],
        "failed_regions": [],
        "kms_key_arns": {},
        "rejected_account_ids": [],
        "results": [],
    }
    return {**empty, **changes}


def share_result(**changes: Any) -> dict[str, Any]:
    """The result of ``ami_share`` in which nothing failed, unless changed."""
    return {"changed": False, "failed_regions": [], "rejected_account_ids": [], "results": [], **changes}
