# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a distribution: which image each region has and who may use it, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import steps

# How a region came by its image or how far it was differs from run to run although the distribution is the
# same: such facts are no part of the report.
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


def distribution(
    copied: Mapping[str, Any],
    opened: Mapping[str, Any],
    shared: Mapping[str, Any],
    into_accounts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The report, from what ``ami_copy_regions``, ``ami_kms_grant`` and ``ami_share`` returned.

    What did not run is empty. ``into_accounts`` is what ``ami_copy_regions`` returned of copies that the
    consumers own; the report has ``copies`` if that did run.

    ``status`` is ``distributed`` if every region has its image and is shared, ``failed`` if none is,
    ``incomplete`` otherwise.
    """
    shares = {share["region"]: share for share in shared.get("results", ())}
    regions = [_region(copy, shares.get(copy["region"])) for copy in copied.get("results", ())]
    own_copies = into_accounts or {}
    failures = steps.failures((copied, opened, shared, own_copies))
    ready = [region for region in regions if region["shared"]]
    if regions and not failures and len(ready) == len(regions):
        status = "distributed"
    else:
        status = "incomplete" if ready else "failed"
    copies = [{fact: copy.get(fact) for fact in _COPY_FACTS} for copy in own_copies.get("results", ())]
    return {
        **({"copies": copies} if copies else {}),
        "failures": failures,
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
