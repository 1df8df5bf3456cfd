# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The returned keys of ``ami_adoption``: releases, accounts, uses, findings, and what was not looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from .._cleanup.sharing import FINAL_REPORT_AGE
from .._listing import count, join_texts
from .config import list_unrecorded
from .options import AdoptionOptions
from .plan import AccountAdoption, AdoptionPlan, JudgedUse, find_fault, sum_up
from .state import CONFIG, INSTANCES, LAUNCHES, USAGE_REPORTS, AdoptionState, Origin, Recorded, Release

# What a depth never shows, as phrases; the screen leaves out what is in brackets.
_MANAGED = (
    "instances that AWS services manage and hide, such as those of EKS Auto Mode (AWS does not document "
    "whether they are listed)"
)
_LAUNCHES = (
    "what the next launch takes, such as launch templates (and Auto Scaling groups, fleets, Spot requests "
    "and parameters: the depth launches reads them)"
)
_LATE = (
    "recipes of EC2 Image Builder, launches of AWS Batch, Amazon EMR, SageMaker HyperPod, AWS PCS, CodeBuild "
    "and RDS Custom"
)
_COPIES = (
    "the accounts' own copies of the images, and images made from their instances (the depths instances and "
    "launches read them)"
)
_GROUPS = "Auto Scaling groups, fleets and parameters (the depth launches reads them)"
_DEREGISTERED = (
    "images that the owner has deregistered (the depths instances and launches find their instances)"
)
_CONFIG = "what AWS Config recorded"
_LIMITS = {
    USAGE_REPORTS: (_COPIES, _GROUPS, _DEREGISTERED, _CONFIG),
    CONFIG: (_LAUNCHES, _COPIES, _DEREGISTERED, _MANAGED),
    INSTANCES: (_LAUNCHES, _MANAGED, _CONFIG),
    LAUNCHES: (_LATE, _MANAGED, _CONFIG),
}
# EC2 User Guide, "View your AMI usage".
_VERSIONS = (
    "A usage report counts a launch template if any of its versions names the image, and each version of a "
    "recipe: whether launches take that version is unknown. The depth launches tells it of templates."
)
_LATE_COUNTS = (
    "Instances that were launched in the 24 hours before, and launch templates of the last few days before, "
    "may not be in them, and what changed since is not."
)
# AWS Config Developer Guide, "Recording frequency", and "Stopping AWS Config from recording".
_AS_RECORDED = (
    "A change is missing until it is recorded and aggregated: for minutes, or a day where AWS Config records "
    "daily. An account that has stopped recording shows what was recorded before."
)
_ELSEWHERE = (
    "regions that the owner has not enabled (an account that has enabled one can have copied an image there)"
)
# Releases that a sentence names.
_NAMED = 3


def build_result(options: AdoptionOptions, current: AdoptionState, plan: AdoptionPlan) -> dict[str, Any]:
    """Return the keys; uses of images of no family are only counted."""
    accounts = sum_up(current, plan.judged, options.depth)
    regions = {target.region for target in (*current.looks, *current.unread)}
    if options.depth == USAGE_REPORTS:
        # Reports without an account, or that could not be read, are looked at, too.
        regions.update(current.catalog.regions)
    return {
        "account_id": current.catalog.account_id,
        "accounts": [_account_to_dict(current, account) for account in accounts],
        "denied": [_denied_to_dict(image_id, plan.judged) for image_id in _list_deniable(options, current)],
        "depth": options.depth,
        "findings": [finding.to_dict() for finding in plan.findings],
        "limits": list(list_limits(options, current)),
        "not_looked_at": list(list_left_out(options, current)),
        "regions": sorted(regions),
        "releases": [_release_to_dict(options, current, release) for release in current.catalog.releases],
        "uses": [use_to_dict(current, judged) for judged in plan.judged if judged.is_counted],
    }


def list_limits(options: AdoptionOptions, current: AdoptionState) -> Iterator[str]:
    """Yield what a report of this depth never shows, in phrases."""
    owner = current.catalog.account_id
    yield from _LIMITS[options.depth]
    if options.depth == USAGE_REPORTS:
        yield f"account {owner}, which owns the images (usage reports leave it out)"
    elif options.depth == CONFIG and not options.account_ids:
        if owner not in {target.account_id for target in current.looks}:
            yield f"account {owner}, which owns the images (the aggregator does not have it)"
    elif owner not in options.account_ids:
        yield f"account {owner}, which owns the images (it is not in account_ids)"
    if options.depth != USAGE_REPORTS and not options.regions:
        yield _ELSEWHERE


def list_left_out(options: AdoptionOptions, current: AdoptionState) -> Iterator[str]:
    """Yield what this report does not cover beyond the limits of its depth, in sentences."""
    if options.regions:
        verb = "was" if len(options.regions) == 1 else "were"
        names = join_texts(sorted(options.regions))
        yield f"Only {names} {verb} looked at: what the accounts use elsewhere is not known."
        if current.catalog.unread:
            unread = join_texts(current.catalog.unread)
            yield f"The owner's images in {unread} could not be read: newer releases there are not known."
    if options.depth == USAGE_REPORTS:
        made = [
            report.created
            for report in current.reports.values()
            if report.created >= current.now - FINAL_REPORT_AGE
        ]
        oldest = f", the oldest of these as of {min(made):%Y-%m-%d %H:%M} UTC" if made else ""
        yield f"Usage reports only count{oldest}. {_LATE_COUNTS}"
        yield _VERSIONS
        yield from _list_denied_elsewhere(options, current)
    if current.recorded is not None:
        yield from _describe_recorded(current, current.recorded)
    if undated := [release.label for release in current.catalog.releases if release.created is None]:
        names = join_texts(undated, _NAMED)
        yield f"Releases without a creation date count as the oldest of their family: {names}."
        if options.max_age_days is not None:
            yield f"max_age_days does not judge releases without a date: {names}."


def _describe_recorded(current: AdoptionState, recorded: Recorded) -> Iterator[str]:
    """Yield how old what AWS Config shows can be, and where it has no instance at all."""
    captured = max((item.captured for item in recorded.instances if item.captured), default=None)
    newest = f" The newest of these instances was recorded {captured:%Y-%m-%d %H:%M} UTC." if captured else ""
    yield f"Instances are as AWS Config has recorded them last.{newest} {_AS_RECORDED}"
    targets = list_unrecorded(recorded, current.looks)
    with_some = {target.account_id for target in recorded.numbers}
    accounts = sorted({target.account_id for target in targets} - with_some)
    elsewhere = sum(target.account_id in with_some for target in targets)
    places = [
        f"{count(len(accounts), 'account')} ({join_texts(accounts, _NAMED)})" if accounts else "",
        f"{count(elsewhere, 'region')} of accounts that have some elsewhere" if elsewhere else "",
    ]
    if where := " and ".join(filter(None, places)):
        yield (
            f"AWS Config has no instance of any image in {where}: whether it records instances there is not "
            "known."
        )


def _list_deniable(options: AdoptionOptions, current: AdoptionState) -> list[str]:
    """Return the images in ``deny_images`` whose use was looked at."""
    own = {ref.image_id for ref in current.catalog.own}
    is_reported = options.depth == USAGE_REPORTS
    return [image_id for image_id in options.deny_images if image_id in own or not is_reported]


def _denied_to_dict(image_id: str, judged: Iterable[JudgedUse]) -> dict[str, Any]:
    uses = [use for use in judged if image_id in use.denied_by]
    return {
        "accounts": len({use.target.account_id for use in uses}),
        "image_id": image_id,
        "uses": sum(use.number for use in uses),
    }


def _list_denied_elsewhere(options: AdoptionOptions, current: AdoptionState) -> Iterator[str]:
    """Yield which images in ``deny_images`` have no usage report, because the owner does not have them."""
    deniable = _list_deniable(options, current)
    if denied := [image_id for image_id in options.deny_images if image_id not in deniable]:
        owner, names = current.catalog.account_id, join_texts(denied, _NAMED)
        yield f"deny_images: the use of {names} was not looked at: the account {owner} has no such image."


def _release_to_dict(options: AdoptionOptions, current: AdoptionState, release: Release) -> dict[str, Any]:
    return {
        "created": _render(release.created),
        "fault": find_fault(options, current, release) or None,
        "family": release.family,
        "image_id": release.ref.image_id,
        "images": [{"image_id": ref.image_id, "region": ref.region} for ref in release.images],
        "name": release.name,
        "region": release.ref.region,
        "releases_behind": len(current.catalog.newer(release)),
        "severity": release.severity,
        "withdrawn": release.withdrawn or None,
    }


def _account_to_dict(current: AdoptionState, account: AccountAdoption) -> dict[str, Any]:
    worst = account.worst
    return {
        "account_id": account.account_id,
        "behind": account.behind,
        "behind_regions": list(account.regions),
        "current": account.current,
        "denied": account.denied,
        "other": account.other,
        "owners": list(account.owners),
        "status": account.status,
        "unknown": account.unknown,
        "unread_regions": list(account.unread),
        "worst": None if worst is None else use_to_dict(current, worst),
    }


def use_to_dict(current: AdoptionState, judged: JudgedUse) -> dict[str, Any]:
    """Return the uses of one kind of an image in an account and a region."""
    use, image, release = judged.image_use, judged.image_use.image, judged.release
    since = judged.behind_since
    return {
        "account_id": judged.target.account_id,
        "behind_since": _render(since),
        "days_behind": None if since is None else max(0, (current.now - since).days),
        "denied_by": list(judged.denied_by),
        "family": release.family if release else None,
        "image_id": image.ref.image_id,
        "image_name": image.name or (release.name if release else "") or None,
        "kind": use.kind,
        "names": list(use.names),
        "number": use.number,
        "oldest_launch": _render(use.oldest),
        "origin": _origin_to_dict(judged.use.origin),
        "owners": list(use.owners),
        "region": judged.target.region,
        "release": release.name if release else None,
        "release_image_id": release.ref.image_id if release else None,
        "releases_behind": judged.behind,
        "status": "current" if judged.is_current else "behind" if judged.is_behind else "unknown",
        "withdrawn": judged.withdrawn or None,
    }


def _origin_to_dict(origin: Origin | None) -> dict[str, Any] | None:
    return None if origin is None else {**origin.ref._asdict(), "evidence": origin.evidence}


def _render(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
