# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a distribution: each region's image and its consumers, and the failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._reports import steps
from .._reports.document import WRITTEN_AT
from .._verification import key_use
from .._verification.outcome import VerificationOutcome
from .options_report import DistributionReportOptions
from .step_results import StepResult, select_copies

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


def build_report(options: DistributionReportOptions) -> dict[str, Any]:
    """Return the report on the results of a distribution's steps; in check mode, they are planned.

    The report has copies that accounts own, publications and verified accounts only if there are any.

    ``status`` is ``distributed`` if every region has its image and the image is shared, and verified and
    published if these steps ran, or ``planned`` if check mode would do that; ``failed`` if no region is
    shared, ``partial`` otherwise. A partial report lists all requested regions.
    """
    copied = select_copies(options.copy_results)
    copy_result: StepResult = copied[0] if copied else {}
    # Who lost access after the sharing is in the later result only.
    share_result = options.unshare_result or options.share_result
    shares = {share["region"]: share for share in share_result.get("results", ())}
    regions = [_region(copy, shares.get(copy["region"])) for copy in copy_result.get("results", ())]
    verifications = [dict(row) for row in options.verify_result.rows]
    failures = steps.collect_failures(
        (
            *copied,
            *options.check_results,
            *options.grant_results,
            options.unshare_result,
            options.share_result,
            options.consumer_copy_result,
            {"failures": [*_list_verification_failures(options.verify_result)]},
            options.publish_result,
        )
    )
    shared_regions = {region["region"] for region in regions if region["shared"]}
    # In check mode, an account cannot yet launch what would be shared with it.
    verified = options.check_mode or not any(map(key_use.is_failed, verifications))
    desired_regions = list(dict.fromkeys(options.regions))
    missing = [region for region in desired_regions if region not in shared_regions]
    if shared_regions and not failures and verified and not missing and len(shared_regions) == len(regions):
        status = "planned" if options.check_mode else "distributed"
    else:
        status = PARTIAL if shared_regions else FAILED
    if status == PARTIAL:
        listed_regions = {region["region"] for region in regions}
        regions += [_region({"region": region}, None) for region in missing if region not in listed_regions]
    copies = [_copy(copy) for copy in options.consumer_copy_result.get("results", ())]
    publications = [
        {fact: item.get(fact) for fact in _PUBLISH_FACTS}
        for item in options.publish_result.get("results", ())
    ]
    optional = {"consumer_images": copies, "published": publications, "verified": verifications}
    source_image_id = copy_result.get("source_image_id") or options.source_image_id
    desired = {
        "shared_with": [*options.account_ids, *options.org_arns, *options.org_unit_arns],
        "published_in": [*options.publish_account_ids],
        "regions": desired_regions,
        "source": "" if source_image_id else _describe_selection(options),
    }
    desired = {name: value for name, value in desired.items() if value}
    level = options.verify_result.level
    return {
        **{name: rows for name, rows in optional.items() if rows},
        **({"verification_level": level} if level and verifications else {}),
        **({"desired": desired} if desired else {}),
        **{name: list(share_result.get(name, ())) for name in _PERMISSIONS},
        "failures": failures,
        "regions": regions,
        "source_image_id": source_image_id,
        "source_region": copy_result.get("source_region") or options.source_region,
        "status": status,
    }


def _list_verification_failures(verification: VerificationOutcome) -> Iterator[dict[str, Any]]:
    """Yield the failures of a verification, whose report has a row for each account instead."""
    if verification.error:
        yield {"action": "verify", "message": verification.error}
    if verification.kept_back:
        facts = ("error_code", "message", "remedy")
        yield {**{fact: verification.kept_back.get(fact) for fact in facts}, "action": "publish"}


def _describe_selection(options: DistributionReportOptions) -> str:
    """Return what selects a source image without its ID; empty if nothing does."""
    if options.source_parameter:
        return f"the image that the parameter {options.source_parameter} names"
    conditions = [
        f"{name} = {', '.join(map(str, values)) if isinstance(values, list) else values}"
        for name, values in options.source_filters.items()
    ]
    return f"the newest image with {' and '.join(conditions)}" if conditions else ""


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
