# SPDX-License-Identifier: GPL-3.0-or-later
"""Image usage reports: how other accounts use the caller's image (EC2 User Guide, View your AMI usage)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from moto.ec2.models import ec2_backends

from ...settings import SETTINGS
from .. import state
from ..access import Caller, own_image
from ..errors import Ec2Error, invalid_value
from ..filters import Values, compile_filters
from ..ids import ACCOUNT_ID
from ..image_references import (
    CONTAINER_RECIPE,
    IMAGE_RECIPE,
    INSTANCE,
    INSTANCE_STATES,
    TEMPLATE,
    Reference,
    of_instances,
    of_recipes,
    of_templates,
)
from ..pagination import page
from ..serialization import timestamp
from ..state import UsageReport
from ..tags import read_specifications, tag_set
from .image_references import require_depth
from .registry import action

MOST_ACCOUNTS = 200
"""Maximum per request (EC2 API Reference, CreateImageUsageReport)."""
DEFAULT_DEPTH = "20"
KEPT = timedelta(days=30)
# By the guide, newer uses might be missing; here they always are. "A few days" are three days here.
# For recipes the guide names no delay.
MISSED = {
    INSTANCE: timedelta(hours=24),
    TEMPLATE: timedelta(days=3),
    IMAGE_RECIPE: timedelta(),
    CONTAINER_RECIPE: timedelta(),
}


@action("CreateImageUsageReport")
def create_image_usage_report(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Start a report on an image of the caller; the same client token returns the same report."""
    region = state.account_region(*caller)
    token = params.get("ClientToken", "")
    if token in region.usage_report_tokens:
        return {"ReportId": region.usage_report_tokens[token]}
    image = own_image(caller, params["ImageId"])
    accounts = tuple(params.get("AccountIds", []))
    if len(accounts) > MOST_ACCOUNTS or not all(ACCOUNT_ID.fullmatch(one) for one in accounts):
        raise invalid_value("accountId", ", ".join(accounts[:3]), f"Up to {MOST_ACCOUNTS} account ids.")
    depths = _depths(params["ResourceTypes"])
    now = state.now()
    report = UsageReport(
        id=state.new_id("amiur"),
        image_id=image.id,
        created=now,
        available_from=now + timedelta(seconds=SETTINGS.usage_report_seconds),
        resource_types=tuple(params["ResourceTypes"]),
        account_ids=accounts,
        tags=read_specifications(params, "image-usage-report")["image-usage-report"],
        uses=dict(_uses(caller, image.id, accounts, depths, now)),
        fails=SETTINGS.usage_reports_fail,
    )
    region.usage_reports[report.id] = report
    if token:
        region.usage_report_tokens[token] = report.id
    return {"ReportId": report.id}


@action("DeleteImageUsageReport")
def delete_image_usage_report(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Delete a report of the caller."""
    if state.account_region(*caller).usage_reports.pop(params["ReportId"], None) is None:
        raise _not_found(params["ReportId"])
    return {"Return": True}


@action("DescribeImageUsageReports")
def describe_image_usage_reports(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the caller's reports that are not older than 30 days."""
    now = state.now()
    filters: dict[str, Values[UsageReport]] = {
        "creation-time": lambda report: (timestamp(report.created),),
        "state": lambda report: (_state(report, now),),
    }
    fits = compile_filters(params.get("Filters", []), filters, lambda report: report.tags)
    chosen = (report for report in _chosen(caller, params, now) if fits(report))
    reports, next_token = page(chosen, params, "ReportIds")
    return {"NextToken": next_token, "ImageUsageReports": [_view(report, now) for report in reports]}


@dataclass(frozen=True)
class Row:
    """An entry of a report: the uses of one account and resource type."""

    serial: int
    report: UsageReport
    account_id: str
    resource_type: str


@action("DescribeImageUsageReportEntries")
def describe_image_usage_report_entries(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the entries of finished reports; accounts without uses have none."""
    now = state.now()
    filters: dict[str, Values[Row]] = {
        "account-id": lambda row: (row.account_id,),
        "creation-time": lambda row: (timestamp(row.report.created),),
        "resource-type": lambda row: (row.resource_type,),
    }
    fits = compile_filters(params.get("Filters", []), filters, lambda _: {})
    numbers = count(1)
    found = (
        Row(next(numbers), report, *key)
        for report in _chosen(caller, params, now)
        if _state(report, now) == "available"
        for key in sorted(report.uses)
    )
    rows, next_token = page((row for row in found if fits(row)), params, "ReportIds")
    return {"NextToken": next_token, "ImageUsageReportEntries": [_entry(row) for row in rows]}


def _depths(resource_types: list[dict[str, Any]]) -> dict[str, int]:
    """Resource type of the request to the number of launch template versions."""
    depths = {}
    for one in resource_types:
        resource_type, options = one.get("ResourceType", ""), one.get("ResourceTypeOptions", [])
        if resource_type not in SETTINGS.usage_report_resource_types:
            raise invalid_value("resourceType", resource_type)
        values: list[str] = [DEFAULT_DEPTH]
        if options:
            if resource_type != TEMPLATE or [item.get("OptionName") for item in options] != ["version-depth"]:
                message = f"These options are not valid for the resource type {resource_type}"
                raise Ec2Error("InvalidParameterCombination", message)
            values = options[0].get("OptionValues", [])
        require_depth(values)
        depths[resource_type] = int(values[0])
    return depths


def _uses(
    caller: Caller, image_id: str, accounts: tuple[str, ...], depths: dict[str, int], now: datetime
) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for account_id in {*ec2_backends, *state.accounts_in(caller.region)}:
        if account_id == caller.account_id:
            continue
        if accounts and account_id not in accounts:
            continue
        for reference in _references(Caller(account_id, caller.region), depths):
            if reference.image_id == image_id and reference.since + MISSED[reference.resource_type] <= now:
                found[account_id, reference.resource_type] += 1
    return found


def _references(other: Caller, depths: dict[str, int]) -> Iterator[Reference]:
    has_ec2 = other.account_id in ec2_backends and other.region in ec2_backends[other.account_id].keys()  # noqa: SIM118
    if has_ec2 and INSTANCE in depths:
        yield from of_instances(other, INSTANCE_STATES)
    if has_ec2 and TEMPLATE in depths:
        yield from of_templates(other, depths[TEMPLATE])
    for recipes in (IMAGE_RECIPE, CONTAINER_RECIPE):
        if recipes in depths:
            yield from of_recipes(other, recipes)


def _chosen(caller: Caller, params: dict[str, Any], now: datetime) -> Iterator[UsageReport]:
    reports = state.account_region(*caller).usage_reports
    ids, image_ids = params.get("ReportIds", []), params.get("ImageIds", [])
    for report_id in ids:
        if report_id not in reports:
            raise _not_found(report_id)
    for report in reports.values():
        wanted = (not ids or report.id in ids) and (not image_ids or report.image_id in image_ids)
        if wanted and now < report.created + KEPT:
            yield report


def _state(report: UsageReport, now: datetime) -> str:
    if now < report.available_from:
        return "pending"
    return "error" if report.fails else "available"


def _view(report: UsageReport, now: datetime) -> dict[str, Any]:
    return {
        "ImageId": report.image_id,
        "ReportId": report.id,
        "ResourceTypes": list(report.resource_types),
        "AccountIds": list(report.account_ids),
        "State": _state(report, now),
        # AWS documents no values.
        "StateReason": "internal-error" if _state(report, now) == "error" else None,
        "CreationTime": report.created,
        "ExpirationTime": report.created + KEPT,
        "Tags": tag_set(report.tags) or None,
    }


def _entry(row: Row) -> dict[str, Any]:
    return {
        "ResourceType": row.resource_type,
        "ReportId": row.report.id,
        "UsageCount": row.report.uses[row.account_id, row.resource_type],
        "AccountId": row.account_id,
        "ImageId": row.report.image_id,
        "ReportCreationTime": row.report.created,
    }


def _not_found(report_id: str) -> Ec2Error:
    """The code is a guess."""
    return Ec2Error("InvalidImageUsageReportId.NotFound", f"The report '{report_id}' does not exist")
