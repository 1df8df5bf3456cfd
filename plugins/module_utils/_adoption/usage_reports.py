# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS's usage reports of the owner's images say, and which reports have to be requested for that."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from .._cleanup.sharing import (
    ALL_VERSIONS,
    FINAL_REPORT_AGE,
    INSTANCES,
    RECIPES,
    REPORTED_TYPES,
    TEMPLATES,
)
from .._cleanup.state import UsageReport
from .._failures import Failure
from .._listing import count, join_texts
from .._model import ImageRef, Target
from .._plan import Action
from .state import (
    OF_RELEASE,
    OTHER,
    REPORTED,
    REPORTED_INSTANCE,
    REPORTED_RECIPE,
    REPORTED_TEMPLATE,
    Catalog,
    ImageUse,
    Look,
    Use,
    UsedImage,
)

REQUEST = "CreateImageUsageReport"
# Without one of these, a report misses most use; regions without Image Builder's types refuse these.
_REQUIRED_TYPES = (INSTANCES, TEMPLATES)
_KINDS = {
    INSTANCES: REPORTED_INSTANCE,
    TEMPLATES: REPORTED_TEMPLATE,
    **dict.fromkeys(RECIPES, REPORTED_RECIPE),
}
_REMEDIES = {
    "pending": "AWS is still making it, which takes minutes. Rerun then; check mode does not wait.",
    "error": "AWS could not make it. Rerun, not in check mode: it requests another one.",
}
_REQUEST_IT = "Rerun, not in check mode: it requests a report, which takes AWS minutes."
# Images that a failure names.
_NAMED = 3

Reports = Mapping[ImageRef, UsageReport]


def list_requests(catalog: Catalog, reports: Reports, now: datetime) -> tuple[Action, ...]:
    """Return the requests of reports for all images whose report does not count, unless one is pending.

    The same token returns the same report: one a day, and another in place of each report that does not
    count (botocore shape CreateImageUsageReportRequest, ClientToken).
    """
    depth = [{"OptionName": "version-depth", "OptionValues": [str(ALL_VERSIONS)]}]
    types: list[Any] = [
        {"ResourceType": name, **({"ResourceTypeOptions": depth} if name == TEMPLATES else {})}
        for name in REPORTED_TYPES
    ]
    actions = []
    for ref in catalog.reported:
        report = reports.get(ref)
        if not _find_problem(report, now) or _is_pending(report):
            continue
        rejected = f"/{report.report_id}" if report is not None else ""
        token = f"{catalog.account_id}/{ref}/{now:%Y-%m-%d}/adoption{rejected}"
        parameters = {
            "ClientToken": hashlib.sha256(token.encode()).hexdigest(),
            "ImageId": ref.image_id,
            "ResourceTypes": types,
        }
        actions.append(Action(Target(catalog.account_id, ref.region), REQUEST, parameters, ref.image_id))
    return tuple(actions)


def list_pending(catalog: Catalog, reports: Reports) -> tuple[ImageRef, ...]:
    """Return the images whose report AWS is making, which an earlier run or somebody else has requested."""
    return tuple(ref for ref in catalog.reported if _is_pending(reports.get(ref)))


def _is_pending(report: UsageReport | None) -> bool:
    """Whether AWS is making a report that will count."""
    return report is not None and report.state == "pending" and not _find_gap(report)


def without_recipes(action: Action) -> Action:
    """Return the request for a region that refuses the types of Image Builder; it needs another token."""
    types = [each for each in action.parameters["ResourceTypes"] if each["ResourceType"] in _REQUIRED_TYPES]
    token = hashlib.sha256(f"{action.parameters['ClientToken']}/2".encode()).hexdigest()
    return replace(action, parameters={**action.parameters, "ClientToken": token, "ResourceTypes": types})


def list_failures(
    catalog: Catalog,
    reports: Reports,
    refused: Mapping[str, Failure],
    now: datetime,
    not_requested: Iterable[Failure] = (),
) -> tuple[Failure, ...]:
    """Return why the reports do not show all use, one for each region.

    ``refused`` are failed reads by region, ``not_requested`` is why AWS refused requests of reports.
    """
    refusals: dict[str | None, Failure] = {}
    for failure in not_requested:
        refusals.setdefault(failure.region, failure)
    failures = [*refused.values()]
    for region in catalog.regions:
        if region in refused:
            continue
        problems: dict[tuple[str, str], list[str]] = {}
        for ref in catalog.reported:
            if ref.region == region and (problem := _find_problem(reports.get(ref), now)):
                state = reports[ref].state if ref in reports else ""
                remedy = _REMEDIES.get(state, _REQUEST_IT)
                problems.setdefault((problem, remedy), []).append(ref.image_id)
        if problems and region in refusals:
            failures.append(refusals[region])
            continue
        for (problem, remedy), image_ids in problems.items():
            failures.append(
                Failure(
                    f"{count(len(image_ids), 'image')} ({join_texts(image_ids, _NAMED)}): {problem}",
                    remedy,
                    "usage_report_missing",
                    REQUEST,
                    region,
                    catalog.account_id,
                )
            )
    return tuple(failures)


def look_at_reports(
    catalog: Catalog,
    reports: Reports,
    failures: Iterable[Failure],
    account_ids: Collection[str],
    now: datetime,
) -> dict[Target, Look]:
    """Return what the reports say of each account and region, of all accounts in them if none is named.

    They leave out the owner of the images (EC2 User Guide, "View your AMI usage").
    """
    used: dict[Target, list[Use]] = {}
    found: dict[str, None] = dict.fromkeys(one for one in account_ids if one != catalog.account_id)
    for ref in catalog.reported:
        report = reports.get(ref)
        if report is None or _find_problem(report, now):
            continue
        for (account_id, resource_type), number in sorted(report.used_by_type.items()):
            if number == 0 or (account_ids and account_id not in found):
                continue
            found[account_id] = None
            image = UsedImage(ref, owner_id=catalog.account_id)
            release = catalog.release_of.get(ref)
            counted = ImageUse(_KINDS.get(resource_type, REPORTED), image, number)
            use = Use(counted, OF_RELEASE if release else OTHER, release)
            used.setdefault(Target(account_id, ref.region), []).append(use)
    by_region = {failure.region or "": failure for failure in failures}
    return {
        target: Look(tuple(used.get(target, ())), tuple(_failures_in(by_region, target.region)))
        for target in (Target(account_id, region) for account_id in found for region in catalog.regions)
    }


def _failures_in(by_region: Mapping[str, Failure], region: str) -> Iterator[Failure]:
    if region in by_region:
        yield by_region[region]


def _find_problem(report: UsageReport | None, now: datetime) -> str:
    """Return why a report does not count; empty if it does."""
    if report is None:
        return "There is no usage report."
    if report.state != "available":
        return f"The usage report is {report.state}."
    if report.created < now - FINAL_REPORT_AGE:
        return f"The usage report is older than {FINAL_REPORT_AGE.days} day."
    return _find_gap(report)


def _find_gap(report: UsageReport) -> str:
    """Return what a report was requested without; empty if it covers all."""
    missing = [name for name in _REQUIRED_TYPES if name not in report.resource_types]
    if missing:
        return f"The usage report does not cover {', '.join(missing)}."
    if report.template_versions < ALL_VERSIONS:
        return f"The usage report covers only the latest {report.template_versions} versions of templates."
    return "The usage report covers only some accounts." if report.account_ids else ""
