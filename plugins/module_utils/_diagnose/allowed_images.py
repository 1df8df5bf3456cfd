# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the criteria of Allowed AMIs let an account see and use another account's image.

EC2 User Guide, "Control the discovery and use of AMIs in Amazon EC2 with Allowed AMIs"; botocore shape
``ImageCriterion``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from .._model import Image, ScanResults, Watermark, time_of

Truth: TypeAlias = "bool | None"
"""True, False, or None if it is unknown."""

# Only AWS can resolve these to images.
_ALIASES = frozenset({"amazon", "aws-backup-vault", "aws-marketplace"})
# The lowest first (botocore enum SeverityLabel).
_SEVERITIES = ("informational", "low", "medium", "high", "critical")
_FIX_LIMIT = re.compile(r"MaxDaysSince(Informational|Low|Medium|High|Critical)FixAvailable")
# Parts of criteria and members of images that older botocores leave out.
NEWER_PARTS = frozenset({"ImageWatermarks", "ScanResultCondition"})
NEWER_MEMBERS = frozenset({"ImageWatermarks", "ScanResults"})


def matches_any(
    criteria: Iterable[Mapping[str, Any]], image: Image, now: datetime, all_read: bool = True
) -> Truth:
    """Whether any of the criteria matches the image in all of its parts.

    It is None without criteria, for which AWS documents no meaning. ``all_read`` is whether botocore returns
    every part of criteria; a part that it leaves out can only exclude the image.
    """
    answers = [_matches(criterion, image, now) for criterion in criteria]
    matches = _any(answers) if answers else None
    return None if matches and not all_read else matches


def _matches(criterion: Mapping[str, Any], image: Image, now: datetime) -> Truth:
    return _all(
        _PARTS[name](value, image, now) if name in _PARTS else None
        for name, value in criterion.items()
        if value
    )


def _all(parts: Iterable[Truth]) -> Truth:
    """Return False if any part is False, else None if any is None, else True."""
    truths = set(parts)
    return False if False in truths else None if None in truths else True


def _any(parts: Iterable[Truth]) -> Truth:
    """Return True if any part is True, else None if any is None, else False."""
    truths = set(parts)
    return True if True in truths else None if None in truths else False


def _has_provider(providers: list[str], image: Image, _now: datetime) -> Truth:
    if image.owner_id in providers:
        return True
    return None if _ALIASES & set(providers) else False


def _has_name(names: list[str], image: Image, _now: datetime) -> Truth:
    return any(_is_like(name, image.name) for name in names)


def _is_like(pattern: str, text: str) -> bool:
    """Whether the text matches a pattern with the wildcards ``*`` and ``?``."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None


def _has_product(codes: list[str], image: Image, _now: datetime) -> Truth:
    return not set(codes).isdisjoint(image.product_codes)


def _is_created_recently(condition: Mapping[str, int], image: Image, now: datetime) -> Truth:
    days = condition.get("MaximumDaysSinceCreated")
    return None if days is None else _is_within(time_of(image.creation_date), days, now)


def _is_within(moment: datetime | None, days: int, now: datetime) -> Truth:
    """Whether at most ``days`` days have passed since the moment; None if the moment is not known."""
    return None if moment is None else now - moment <= timedelta(days=days)


def _is_not_long_deprecated(condition: Mapping[str, int], image: Image, now: datetime) -> Truth:
    since = time_of(image.deprecation_time)
    if since is None or since > now:
        return True
    days = condition.get("MaximumDaysSinceDeprecated")
    if days is None:
        return None
    return days > 0 and now - since <= timedelta(days=days)


def _has_watermark(filters: list[Mapping[str, Any]], image: Image, now: datetime) -> Truth:
    """Whether one watermark fits all fields of a filter (shape ``ImageWatermarkFilterResponse``)."""
    return _any(
        _all(_fits_field(field, value, watermark, now) for field, value in criterion.items())
        for criterion in filters
        for watermark in image.watermarks
    )


def _fits_field(field: str, value: Any, watermark: Watermark, now: datetime) -> Truth:
    match field:
        case "WatermarkKey":
            return _is_like(value, watermark.key) if watermark.key else None
        case "SourceImageRegion":
            return _is_like(value, watermark.source_region) if watermark.source_region else None
        case "MaximumDaysSinceSourceImageCreated":
            return _is_within(watermark.source_created, value, now)
        case "MaximumDaysSinceWatermarkCreated":
            return _is_within(watermark.created, value, now)
    return None


def _meets_scan_condition(condition: Mapping[str, Any], image: Image, now: datetime) -> Truth:
    """Whether the results of the last scan meet the condition; False without a scan."""
    scan = image.scan
    if scan is None:
        return False
    return _all(_meets_limit(limit, value, scan, now) for limit, value in condition.items())


def _meets_limit(limit: str, value: Any, scan: ScanResults, now: datetime) -> Truth:
    """Whether the results meet one limit (shape ``ScanResultCondition``)."""
    if limit == "MaximumSeverityLabel":
        return _is_at_most(scan.highest_severity, value)
    if limit == "MaxDaysSinceLastFindingScan":
        return _is_within(scan.scanned, value, now)
    severity = _FIX_LIMIT.fullmatch(limit)
    if severity is None:
        return None
    since = scan.fixes_since.get(severity[1])
    return since is None or _is_within(since, value, now)


def _is_at_most(severity: str | None, most: str) -> Truth:
    """Whether a severity is not above ``most``; True for None, a scan without findings."""
    if severity is None:
        return True
    if not {severity, most} <= set(_SEVERITIES):
        return None
    return _SEVERITIES.index(severity) <= _SEVERITIES.index(most)


_PARTS: dict[str, Callable[[Any, Image, datetime], Truth]] = {
    "CreationDateCondition": _is_created_recently,
    "DeprecationTimeCondition": _is_not_long_deprecated,
    "ImageNames": _has_name,
    "ImageProviders": _has_provider,
    "ImageWatermarks": _has_watermark,
    "MarketplaceProductCodes": _has_product,
    "ScanResultCondition": _meets_scan_condition,
}
