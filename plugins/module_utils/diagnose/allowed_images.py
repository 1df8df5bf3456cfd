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

from ..model import Image, time_of

Truth: TypeAlias = "bool | None"
"""None: unknown."""

# Only AWS can resolve these to images.
_ALIASES = frozenset({"amazon", "aws-backup-vault", "aws-marketplace"})


def matches_any(criteria: Iterable[Mapping[str, Any]], image: Image, now: datetime) -> Truth:
    """Whether any of the criteria matches the image in all of its parts.

    None without criteria: AWS does not document what it allows then.
    """
    found = [_matches(criterion, image, now) for criterion in criteria]
    if True in found:
        return True
    return None if None in found or not found else False


def _matches(criterion: Mapping[str, Any], image: Image, now: datetime) -> Truth:
    found = {
        _PARTS[name](value, image, now) if name in _PARTS else None
        for name, value in criterion.items()
        if value
    }
    return False if False in found else None if None in found else True


def _is_by(providers: list[str], image: Image, _now: datetime) -> Truth:
    if image.owner_id in providers:
        return True
    return None if _ALIASES & set(providers) else False


def _is_named(names: list[str], image: Image, _now: datetime) -> Truth:
    patterns = (re.escape(name).replace(r"\*", ".*").replace(r"\?", ".") for name in names)
    return any(re.fullmatch(pattern, image.name) for pattern in patterns)


def _has_product(codes: list[str], image: Image, _now: datetime) -> Truth:
    return not set(codes).isdisjoint(image.product_codes)


def _is_recent(condition: Mapping[str, int], image: Image, now: datetime) -> Truth:
    made = time_of(image.creation_date)
    days = condition.get("MaximumDaysSinceCreated")
    return None if made is None or days is None else now - made <= timedelta(days=days)


def _is_not_long_deprecated(condition: Mapping[str, int], image: Image, now: datetime) -> Truth:
    since = time_of(image.deprecation_time)
    if since is None or since > now:
        return True
    days = condition.get("MaximumDaysSinceDeprecated")
    if days is None:
        return None
    return days > 0 and now - since <= timedelta(days=days)


_PARTS: dict[str, Callable[[Any, Image, datetime], Truth]] = {
    "CreationDateCondition": _is_recent,
    "DeprecationTimeCondition": _is_not_long_deprecated,
    "ImageNames": _is_named,
    "ImageProviders": _is_by,
    "MarketplaceProductCodes": _has_product,
}
