# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of a cleanup report: the decision on each image with reasons, evidence, and freed storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._reports import steps
from ..._reports.values import render_date
from ..stages import DEREGISTER
from .outcome import DECISIONS, DONE, PLANNED, Outcomes
from .prices import Prices
from .totals import calculate_totals
from .wording import render_headline

_COPIED_KEYS = ("creation_date", "decision", "family", "image_id", "name", "next_stage", "region")

Snapshot = tuple[str, str]
"""A region and a snapshot in it."""


def build_content(result: Mapping[str, Any], prices: Prices, is_plan: bool) -> dict[str, Any]:
    """Return the report on the result of ``ami_cleanup``, which may have failed.

    ``status`` is ``done``, or ``planned`` in check mode (``is_plan``); ``incomplete`` if a step failed, or if
    only a failed read keeps something; ``refused`` if nothing was done, for example because of too many
    deletions; or ``failed`` if there is no result. The last two have no images. A decision counts as done
    only if its call was made.
    """
    status = _find_status(result, is_plan)
    unreadable = steps.collect_failures([{"failures": result.get("unreadable") or ()}])
    outcomes = Outcomes(result, is_plan)
    freed: set[Snapshot] = set()
    images = [_report_image(image, outcomes, prices, is_plan, freed) for image in result.get("results", ())]
    _add_ranks(images)
    images.sort(key=_sort_key)
    regions = {
        region: calculate_totals([image for image in images if image["region"] == region], prices)
        for region in result.get("regions", ())
    }
    content = {
        "check_mode": is_plan,
        "currency": prices.currency if prices.table else None,
        "failures": [failure for failure in _list_failures(result, status) if failure not in unreadable],
        "grants": outcomes.grants(),
        "images": images,
        "kms_keys": [_report_key(key) for key in result.get("kms_keys", ())],
        "prices": {region: float(price) for region, price in prices.table.items()},
        "regions": regions,
        "orphan_snapshots": outcomes.orphan_snapshots(images),
        "status": status,
        "tags": outcomes.tags(),
        "totals": calculate_totals(images, prices),
        "unreadable": unreadable,
        "usage_reports": outcomes.usage_reports(),
        "warnings": [steps.strip_request(str(text)) for text in result.get("warnings") or ()],
    }
    return {**content, "summary": render_headline(content)}


def _find_status(result: Mapping[str, Any], is_plan: bool) -> str:
    if "results" not in result:
        # A module that refuses returns failures; one that crashes, or does not run, returns none.
        return "refused" if result.get("failures") else "failed"
    if result.get("failed") or result.get("failures") or result.get("unreadable"):
        return "incomplete"
    return "planned" if is_plan else "done"


def _list_failures(result: Mapping[str, Any], status: str) -> list[dict[str, Any]]:
    """Return the failures, at least one with the status ``failed``."""
    failures = steps.collect_failures([result])
    if status == "failed" and not any(failure["message"] for failure in failures):
        message = result.get("msg") or "The cleanup did not run, or returned no result."
        failures = steps.collect_failures([{"failed": True, "msg": message}])
    return failures


def _report_image(
    image: Mapping[str, Any], outcomes: Outcomes, prices: Prices, is_plan: bool, freed: set[Snapshot]
) -> dict[str, Any]:
    """Return an image of the report.

    A snapshot of several images is freed by the first one: ``freed`` holds it.
    """
    outcome = outcomes.outcome(image)
    snapshots = [
        {**snapshot, "outcome": outcomes.snapshot_outcome(image, snapshot)} for snapshot in image["snapshots"]
    ]
    deleted = [
        snapshot
        for snapshot in snapshots
        if {outcome, snapshot["outcome"]} <= {PLANNED, DONE}
        and image["decision"] == DEREGISTER
        and (image["region"], snapshot["snapshot_id"]) not in freed
    ]
    freed.update((image["region"], snapshot["snapshot_id"]) for snapshot in deleted)
    freed_gib = sum(snapshot["size_gib"] for snapshot in deleted)
    region, size = image["region"], image["size_gib"]
    return {
        **{key: image[key] for key in _COPIED_KEYS},
        "evidence": [{**item, "detail": steps.strip_request(item["detail"])} for item in image["evidence"]],
        "freed_gib": freed_gib,
        "freed_later_gib": sum(snapshot["size_gib"] for snapshot in deleted if snapshot["retention_days"]),
        "freed_monthly_cost": prices.total([(region, freed_gib)]),
        "later_stages": [
            {"due": _render_time(later["due"], is_plan), "stage": later["stage"]}
            for later in image["later_stages"]
        ],
        "monthly_cost": prices.total([(region, size)]),
        "next_stage_at": _render_time(image["next_stage_at"], is_plan),
        "outcome": outcome,
        "reasons": [steps.strip_request(reason) for reason in image["reasons"]],
        "recoverable_until": _render_time(image["recoverable_until"], is_plan),
        "size_gib": size,
        "snapshots": snapshots,
    }


def _add_ranks(images: Sequence[dict[str, Any]]) -> None:
    """Add to each image its place in its family and region, the newest first; None without a family."""
    members: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for image in images:
        image["rank"] = None
        if image["family"]:
            members.setdefault((image["region"], image["family"]), []).append(image)
    for family in members.values():
        newest = sorted(family, key=lambda image: str(image["creation_date"] or ""), reverse=True)
        for rank, image in enumerate(newest, 1):
            image["rank"] = rank


def _report_key(key: Mapping[str, Any]) -> dict[str, Any]:
    """Return a key whose grants were inspected, without what differs in each run."""
    return {
        **key,
        "kept_access": [
            {**grantee, "reason": steps.strip_request(grantee["reason"])} for grantee in key["kept_access"]
        ],
        "unseen_accounts": [
            {**account, "reason": steps.strip_request(account["reason"])}
            for account in key["unseen_accounts"]
        ],
    }


def _render_time(text: str | None, is_plan: bool) -> str | None:
    """Return a time, or its date in a plan, where times differ in each run."""
    return render_date(text) if text and is_plan else text


def _sort_key(image: Mapping[str, Any]) -> tuple[Any, ...]:
    decision = DECISIONS.index(image["decision"])
    return image["region"], decision, image["family"], image["creation_date"] or "", image["image_id"]
