# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a distribution: which image each region has and who may use it, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..reports import steps

# How a region came by its image or how far it was differs from run to run although the distribution is the
# same: such facts are no part of the report.
_COPY_FACTS = (
    "account_id",
    "best_effort",
    "image_id",
    "kms_key_arn",
    "name",
    "region",
    "snapshot_ids",
    "state",
)
_PUBLISH_FACTS = ("account_id", "image_id", "label", "launch_templates", "parameter", "region")
_SHARE_FACTS = ("launch_permissions", "shared_tags", "volume_permissions")


def distribution(
    copied: Mapping[str, Any],
    opened: Mapping[str, Any],
    shared: Mapping[str, Any],
    consumer_copy_result: Mapping[str, Any] | None = None,
    verified: Iterable[Mapping[str, Any]] = (),
    published: Mapping[str, Any] | None = None,
    verification_error: str = "",
) -> dict[str, Any]:
    """The report, from what ``ami_copy_regions``, ``ami_kms_grant`` and ``ami_share`` returned.

    The result of a step that did not run is empty. ``consumer_copy_result`` is the result of
    ``ami_copy_regions`` for copies that consumers own, ``verified`` are the results of a verification, and
    ``published`` is the result of ``ami_publish``; the report includes each of these only if the step ran.
    ``verification_error`` is the message that the verification failed with, possibly without results.

    ``status`` is ``distributed`` if every region has its image, is shared, and is verified and published as
    far as that did run; ``failed`` if no region is shared, ``incomplete`` otherwise.
    """
    shares = {share["region"]: share for share in shared.get("results", ())}
    regions = [_region(copy, shares.get(copy["region"])) for copy in copied.get("results", ())]
    own_copies = consumer_copy_result or {}
    publication = published or {}
    verifications = [dict(item) for item in verified]
    verification = (
        {"failures": [{"action": "verify", "message": verification_error}]} if verification_error else {}
    )
    failures = steps.failures((copied, opened, shared, own_copies, verification, publication))
    ready = [region for region in regions if region["shared"]]
    proved = all(item["reached"] for item in verifications)
    if regions and not failures and proved and len(ready) == len(regions):
        status = "distributed"
    else:
        status = "incomplete" if ready else "failed"
    copies = [{fact: copy.get(fact) for fact in _COPY_FACTS} for copy in own_copies.get("results", ())]
    publications = [
        {fact: item.get(fact) for fact in _PUBLISH_FACTS} for item in publication.get("results", ())
    ]
    further = {"consumer_images": copies, "published": publications, "verified": verifications}
    return {
        **{name: rows for name, rows in further.items() if rows},
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
