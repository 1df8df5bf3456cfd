# SPDX-License-Identifier: GPL-3.0-or-later
"""Allowed AMIs: which images of other accounts can be seen and used in an account and Region.

(EC2 User Guide, ControlApi the discovery and use of AMIs in Amazon EC2 with Allowed AMIs; botocore shape
ImageCriterion.)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ..exceptions import NotSimulated
from ..iam.conditions import like
from . import state
from .state import Image, Watermark

Criterion = dict[str, Any]
"""Members are named as in boto3; an image must match all that are present."""

SEVERITIES = ("informational", "low", "medium", "high", "critical")
"""From the lowest one (botocore enum SeverityLabel)."""
LONGEST = 10_000
"""More days than anything in the simulated AWS is old."""

DISABLED, AUDIT_MODE, ENABLED = "disabled", "audit-mode", "enabled"


def is_hidden(image: Image, account_id: str) -> bool:
    """Whether the account's settings hide an image that is shared with it."""
    return state.account_region(account_id, image.region).allowed_images_state == ENABLED and not is_allowed(
        image, account_id
    )


def shown(image: Image, account_id: str) -> bool | None:
    """ImageAllowed of DescribeImages (botocore shape Image); None if Allowed AMIs is disabled."""
    if state.account_region(account_id, image.region).allowed_images_state == DISABLED:
        return None
    return is_allowed(image, account_id)


def is_allowed(image: Image, account_id: str) -> bool:
    """Whether the account owns the image, or any criterion matches it."""
    if image.owner_id == account_id:
        return True
    criteria = state.account_region(account_id, image.region).image_criteria
    now = state.now()
    return any(_fits(image, criterion, now) for criterion in criteria)


def _fits(image: Image, criterion: Criterion, now: datetime) -> bool:
    unknown = sorted(set(criterion) - set(_CONDITIONS))
    if unknown:
        raise NotSimulated(f"image criterion {unknown[0]}")
    return all(_CONDITIONS[name](image, value, now) for name, value in criterion.items())


def _is_recent(moment: datetime, days: int, now: datetime) -> bool:
    return now - moment <= timedelta(days=days)


def _deprecation_fits(image: Image, condition: dict[str, int], now: datetime) -> bool:
    moment, days = image.deprecation_time, condition["MaximumDaysSinceDeprecated"]
    if moment is None or moment > now:
        return True
    # "When set to 0, no deprecated images are allowed."
    return days > 0 and _is_recent(moment, days, now)


def _has_watermark(image: Image, filters: list[dict[str, Any]], now: datetime) -> bool:
    """One watermark must fit all fields of a filter (botocore shape ImageWatermarkFilterResponse)."""
    return any(_watermark_fits(mark, one, now) for one in filters for mark in image.watermarks)


def _watermark_fits(mark: Watermark, wanted: dict[str, Any], now: datetime) -> bool:
    fits: dict[str, Callable[[Any], bool]] = {
        "WatermarkKey": lambda value: like(value, mark.key),
        "SourceImageRegion": lambda value: like(value, mark.source_region),
        "MaximumDaysSinceSourceImageCreated": lambda days: _is_recent(mark.source_created, days, now),
        "MaximumDaysSinceWatermarkCreated": lambda days: _is_recent(mark.created, days, now),
    }
    return all(fits[name](value) for name, value in wanted.items())


def _scan_fits(image: Image, condition: dict[str, Any], now: datetime) -> bool:
    """An image that was not scanned is not allowed (botocore shape ScanResultCondition)."""
    scan = image.scan
    if scan is None:
        return False
    last, most = condition.get("MaxDaysSinceLastFindingScan"), condition.get("MaximumSeverityLabel")
    if last is not None and not _is_recent(scan.scanned, last, now):
        return False
    found = scan.highest_severity
    if most and found and SEVERITIES.index(found) > SEVERITIES.index(most):
        return False
    return all(
        _is_recent(since, condition.get(f"MaxDaysSince{severity.title()}FixAvailable", LONGEST), now)
        for severity, since in scan.fixes_since.items()
    )


_CONDITIONS: dict[str, Callable[[Image, Any, datetime], bool]] = {
    # Images of Amazon, the Marketplace and AWS Backup are not simulated.
    "ImageProviders": lambda image, wanted, _: image.owner_id in wanted,
    "MarketplaceProductCodes": lambda image, wanted, _: bool(set(image.product_codes) & set(wanted)),
    "ImageNames": lambda image, wanted, _: any(like(one, image.name) for one in wanted),
    "DeprecationTimeCondition": _deprecation_fits,
    "CreationDateCondition": lambda image, condition, now: _is_recent(
        image.creation_date, condition["MaximumDaysSinceCreated"], now
    ),
    "ImageWatermarks": _has_watermark,
    "ScanResultCondition": _scan_fits,
}
