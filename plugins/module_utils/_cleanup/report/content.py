# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of a cleanup report: the decision on each image with reasons, evidence, and freed storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._reports import steps
from ..._reports.values import render_date
from ..stages import DEREGISTER
from .outcome import DECISIONS, DONE, PLANNED, Outcomes
from .prices import Prices
from .totals import totals
from .wording import headline

_COPIED_KEYS = ("creation_date", "decision", "family", "image_id", "name", "next_stage", "region")

Snapshot = tuple[str, str]
"""A region and a snapshot in it."""


def cleanup(cleaned: Mapping[str, Any], prices: Prices, planned: bool) -> dict[str, Any]:
    """The report on what ``ami_cleanup`` returned on success or failure; ``planned`` in check mode.

    ``status`` is ``done``, ``planned``, ``incomplete`` if a step failed or something that could not be read
    keeps what could be retired without it, ``refused`` if nothing was done (for example because of too many
    deletions), or ``failed`` if there is no result. With the last two, there are no images. A decision counts
    as done only if its call is among those that were made.
    """
    status = _status(cleaned, planned)
    unreadable = steps.collect_failures([{"failures": cleaned.get("unreadable") or ()}])
    outcomes = Outcomes(cleaned, planned)
    freed: set[Snapshot] = set()
    images = [_image(one, outcomes, prices, planned, freed) for one in cleaned.get("results", ())]
    images.sort(key=_rank)
    regions = {
        region: totals([one for one in images if one["region"] == region], prices)
        for region in cleaned.get("regions", ())
    }
    content = {
        "check_mode": planned,
        "currency": prices.currency if prices.table else None,
        "failures": [one for one in _failures(cleaned, status) if one not in unreadable],
        "grants": outcomes.grants(),
        "images": images,
        "kms_keys": [_key(one) for one in cleaned.get("kms_keys", ())],
        "prices": {region: float(price) for region, price in prices.table.items()},
        "regions": regions,
        "orphan_snapshots": outcomes.orphan_snapshots(images),
        "status": status,
        "tags": outcomes.tags(),
        "totals": totals(images, prices),
        "unreadable": unreadable,
        "usage_reports": outcomes.usage_reports(),
        "warnings": [steps.strip_request(str(text)) for text in cleaned.get("warnings") or ()],
    }
    return {**content, "summary": headline(content)}


def _status(cleaned: Mapping[str, Any], planned: bool) -> str:
    if "results" not in cleaned:
        # A module that refuses returns failures; one that crashes, or does not run, returns none.
        return "refused" if cleaned.get("failures") else "failed"
    if cleaned.get("failed") or cleaned.get("failures") or cleaned.get("unreadable"):
        return "incomplete"
    return "planned" if planned else "done"


def _failures(cleaned: Mapping[str, Any], status: str) -> list[dict[str, Any]]:
    """What failed. With the status ``failed`` there is always at least one failure."""
    found = steps.collect_failures([cleaned])
    if status == "failed" and not any(failure["message"] for failure in found):
        message = cleaned.get("msg") or "The cleanup did not run, or returned no result."
        found = steps.collect_failures([{"failed": True, "msg": message}])
    return found


def _image(
    one: Mapping[str, Any], outcomes: Outcomes, prices: Prices, planned: bool, freed: set[Snapshot]
) -> dict[str, Any]:
    """An image of the report. A snapshot of several images is freed by the first one: ``freed`` holds it."""
    outcome = outcomes.outcome(one)
    snapshots = [
        {**snapshot, "outcome": outcomes.snapshot_outcome(one, snapshot)} for snapshot in one["snapshots"]
    ]
    deleted = [
        snapshot
        for snapshot in snapshots
        if {outcome, snapshot["outcome"]} <= {PLANNED, DONE}
        and one["decision"] == DEREGISTER
        and (one["region"], snapshot["snapshot_id"]) not in freed
    ]
    freed.update((one["region"], snapshot["snapshot_id"]) for snapshot in deleted)
    freed_gib = sum(snapshot["size_gib"] for snapshot in deleted)
    region, size = one["region"], one["size_gib"]
    return {
        **{key: one[key] for key in _COPIED_KEYS},
        "evidence": [{**found, "detail": steps.strip_request(found["detail"])} for found in one["evidence"]],
        "freed_gib": freed_gib,
        "freed_later_gib": sum(snapshot["size_gib"] for snapshot in deleted if snapshot["retention_days"]),
        "freed_monthly_cost": prices.total([(region, freed_gib)]),
        "later_stages": [
            {"due": _moment(later["due"], planned), "stage": later["stage"]} for later in one["later_stages"]
        ],
        "monthly_cost": prices.total([(region, size)]),
        "next_stage_at": _moment(one["next_stage_at"], planned),
        "outcome": outcome,
        "reasons": [steps.strip_request(reason) for reason in one["reasons"]],
        "recoverable_until": _moment(one["recoverable_until"], planned),
        "size_gib": size,
        "snapshots": snapshots,
    }


def _key(one: Mapping[str, Any]) -> dict[str, Any]:
    """A key whose grants were inspected, without what differs from run to run."""
    return {
        **one,
        "kept_access": [
            {**kept, "reason": steps.strip_request(kept["reason"])} for kept in one["kept_access"]
        ],
        "unseen_accounts": [
            {**unseen, "reason": steps.strip_request(unseen["reason"])} for unseen in one["unseen_accounts"]
        ],
    }


def _moment(text: str | None, planned: bool) -> str | None:
    """A time; of a plan only its date, because times that count from now differ from run to run."""
    return render_date(text) if text and planned else text


def _rank(image: Mapping[str, Any]) -> tuple[Any, ...]:
    decision = DECISIONS.index(image["decision"])
    return image["region"], decision, image["family"], image["creation_date"] or "", image["image_id"]
