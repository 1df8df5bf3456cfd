# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a distribution: each region's image and its consumers, and the failures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._reports import steps
from .._reports.document import WRITTEN_AT
from .._verification import key_use

PARTIAL, FAILED = "partial", "failed"

# Left out are facts that differ between runs of the same distribution: whether a run made or found an image,
# and its progress.
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
_SECONDS = "copy_seconds"
# The keys of the report that list copies.
_COPIES = ("regions", "consumer_images")
_PUBLISH_FACTS = ("account_id", "image_id", "label", "launch_templates", "parameter", "region")
_PERMISSIONS = ("launch_permissions", "volume_permissions")


def build_report(
    copy_result: Mapping[str, Any],
    grant_results: Iterable[Mapping[str, Any]],
    share_result: Mapping[str, Any],
    *,
    consumer_copy_result: Mapping[str, Any],
    verification_results: Iterable[Mapping[str, Any]],
    publish_result: Mapping[str, Any],
    verification_error: str,
    verification_level: str | None,
    start_result: Mapping[str, Any],
    desired: Mapping[str, Sequence[str]],
    source: Mapping[str, Any],
    is_plan: bool = False,
    kept_back: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the report on the results of ``ami_copy_regions``, ``ami_kms_grant`` and ``ami_share``.

    The result of a step that did not run is empty. ``start_result`` is the result of the earlier step that
    started the copies: it counts if the step of ``copy_result`` was refused. ``consumer_copy_result`` is
    the result of ``ami_copy_regions`` for copies that consumers own, ``verification_results`` are the results
    of a verification, and ``publish_result`` is the result of ``ami_publish``; the report includes each of
    these only if the step ran. ``verification_error`` is the message that the verification failed with,
    possibly without results. ``verification_level`` is the level that the accounts had to reach.
    ``source`` are the options that select the source image, for a report on steps that did not read it.

    ``status`` is ``distributed`` if every region has its image and the image is shared, and verified and
    published if these steps ran, or ``planned`` if check mode would do that; ``failed`` if no region is
    shared, ``partial`` otherwise. A partial report lists all requested regions.
    """
    copy_result = _choose_copy_result(copy_result, start_result)
    shares = {share["region"]: share for share in share_result.get("results", ())}
    regions = [_region(copy, shares.get(copy["region"])) for copy in copy_result.get("results", ())]
    verifications = [dict(item) for item in verification_results]
    verification = (
        {"failures": [{"action": "verify", "message": verification_error}]} if verification_error else {}
    )
    held_back = {"failures": [{**kept_back, "action": "publish"}]} if kept_back else {}
    failures = steps.collect_failures(
        (
            copy_result,
            *grant_results,
            share_result,
            consumer_copy_result,
            verification,
            held_back,
            publish_result,
        )
    )
    shared_regions = {region["region"] for region in regions if region["shared"]}
    # In check mode, an account cannot yet launch what would be shared with it.
    verified = is_plan or not any(map(key_use.is_failed, verifications))
    missing = [region for region in desired.get("regions", ()) if region not in shared_regions]
    if shared_regions and not failures and verified and not missing and len(shared_regions) == len(regions):
        status = "planned" if is_plan else "distributed"
    else:
        status = PARTIAL if shared_regions else FAILED
    if status == PARTIAL:
        listed_regions = {region["region"] for region in regions}
        regions += [_region({"region": region}, None) for region in missing if region not in listed_regions]
    copies = [_copy(copy) for copy in consumer_copy_result.get("results", ())]
    publications = [
        {fact: item.get(fact) for fact in _PUBLISH_FACTS} for item in publish_result.get("results", ())
    ]
    optional = {"consumer_images": copies, "published": publications, "verified": verifications}
    expected: dict[str, Any] = {name: list(principals) for name, principals in desired.items() if principals}
    source_image_id = copy_result.get("source_image_id") or source["source_image_id"]
    if not source_image_id and (selection := _describe_selection(source)):
        expected["source"] = selection
    return {
        **{name: rows for name, rows in optional.items() if rows},
        **({"verification_level": verification_level} if verification_level and verifications else {}),
        **({"wanted": expected} if expected else {}),
        **{name: list(share_result.get(name, ())) for name in _PERMISSIONS},
        "failures": failures,
        "regions": regions,
        "source_image_id": source_image_id,
        "source_region": copy_result.get("source_region") or source["source_region"],
        "status": status,
    }


def _describe_selection(source: Mapping[str, Any]) -> str:
    """Return what selects a source image without its ID; empty if nothing does."""
    if source["source_parameter"]:
        return f"the image that the parameter {source['source_parameter']} names"
    conditions = [
        f"{name} = {', '.join(map(str, values)) if isinstance(values, list) else values}"
        for name, values in source["source_filters"].items()
    ]
    return f"the newest image with {' and '.join(conditions)}" if conditions else ""


def _choose_copy_result(copy_result: Mapping[str, Any], start_result: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the result of the copies, or if that step was refused, of the step that started them."""
    if "results" in copy_result or not start_result.get("results"):
        return copy_result
    failures = steps.collect_failures((start_result, copy_result))
    return {**start_result, "failed": False, "failures": failures}


def has_failed(content: Mapping[str, Any]) -> bool:
    """Whether no region was completed, so that the report must not replace an earlier one."""
    return bool(content["status"] == FAILED)


def _region(copy: Mapping[str, Any], share: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        **_copy(copy),
        "shared": share is not None,
        "shared_tags": (share or {}).get("shared_tags"),
    }


def _copy(copy: Mapping[str, Any]) -> dict[str, Any]:
    return {**{fact: copy.get(fact) for fact in _COPY_FACTS}, _SECONDS: _seconds(copy)}


def _seconds(copy: Mapping[str, Any]) -> int | None:
    seconds = copy.get(_SECONDS)
    return seconds if isinstance(seconds, int) and not isinstance(seconds, bool) else None


def complete_report(previous: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content, completed by facts of the previous report that this run did not read.

    The facts are the durations of copies, which are in snapshots that a run rarely reads again, and the
    earlier image of each region that a partial run has not completed.
    """
    known = {
        (copy["region"], copy["image_id"]): _seconds(copy)
        for name in _COPIES
        for copy in previous.get(name, ())
    }

    def add_seconds(copy: Mapping[str, Any]) -> dict[str, Any]:
        if copy[_SECONDS] is not None:
            return dict(copy)
        return {**copy, _SECONDS: known.get((copy["region"], copy["image_id"]))}

    copies = {name: [add_seconds(copy) for copy in content[name]] for name in _COPIES if name in content}
    if content["status"] == PARTIAL:
        copies["regions"] = [_add_earlier(region, previous) for region in copies["regions"]]
    return {**content, **copies}


def _add_earlier(region: dict[str, Any], previous: Mapping[str, Any]) -> dict[str, Any]:
    """Return the region; if it is not completed, with the ``earlier`` image of a previous report."""
    if region["shared"] or "earlier" in region:
        return region
    rows = [row for row in previous["regions"] if row["region"] == region["region"]]
    for row in rows:
        if row["shared"]:
            facts = {"image_id": row["image_id"], "source_image_id": previous["source_image_id"]}
            return {**region, "earlier": {**facts, WRITTEN_AT: previous.get(WRITTEN_AT)}}
        if row.get("earlier"):
            return {**region, "earlier": row["earlier"]}
    return region
