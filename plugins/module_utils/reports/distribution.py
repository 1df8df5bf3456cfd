# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a distribution: which image each region has and who may use it, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# How a region came by its image, how far it was, or which request failed differs from run to run although
# the distribution is the same: such facts are no part of the report.
_COPY_FACTS = (
    "account_id",
    "best_effort",
    "image_id",
    "kms_key_id",
    "name",
    "region",
    "snapshot_ids",
    "state",
)
_SHARE_FACTS = ("launch_permissions", "shared_tags", "volume_permissions")
_FAILURE_FACTS = ("account_id", "action", "error_code", "message", "region", "remedy")


def distribution(
    copied: Mapping[str, Any], opened: Mapping[str, Any], shared: Mapping[str, Any]
) -> dict[str, Any]:
    """The report, from what ``ami_copy_regions``, ``ami_kms_grant`` and ``ami_share`` returned.

    What did not run is empty.

    ``status`` is ``distributed`` if every region has its image and is shared, ``failed`` if none is,
    ``incomplete`` otherwise.
    """
    shares = {share["region"]: share for share in shared.get("results", ())}
    regions = [_region(copy, shares.get(copy["region"])) for copy in copied.get("results", ())]
    steps = (copied, opened, shared)
    failures = [failure for step in steps for failure in step.get("failures", ())]
    # A task that ended without a list of failures, in a syntax error say, still failed.
    unexplained = [
        {"action": None, "message": step.get("msg", "")}
        for step in steps
        if step.get("failed") and not step.get("failures")
    ]
    ready = [region for region in regions if region["shared"]]
    if regions and not failures and not unexplained and len(ready) == len(regions):
        status = "distributed"
    else:
        status = "incomplete" if ready else "failed"
    return {
        "failures": [
            {fact: failure.get(fact) for fact in _FAILURE_FACTS} for failure in (*failures, *unexplained)
        ],
        "regions": regions,
        "source_image_id": copied.get("source_image_id"),
        "source_region": copied.get("source_region"),
        "status": status,
    }


def _region(copy: Mapping[str, Any], share: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        **{fact: copy.get(fact) for fact in _COPY_FACTS},
        **{fact: (share or {}).get(fact) for fact in _SHARE_FACTS},
        "shared": share is not None,
    }
