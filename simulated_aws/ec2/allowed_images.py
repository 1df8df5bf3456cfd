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
from .state import Image

Criterion = dict[str, Any]
"""Members are named as in boto3; an image must match all that are present."""

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


_CONDITIONS: dict[str, Callable[[Image, Any, datetime], bool]] = {
    # Images of Amazon, the Marketplace and AWS Backup are not simulated.
    "ImageProviders": lambda image, wanted, _: image.owner_id in wanted,
    "MarketplaceProductCodes": lambda image, wanted, _: bool(set(image.product_codes) & set(wanted)),
    "ImageNames": lambda image, wanted, _: any(like(one, image.name) for one in wanted),
    "DeprecationTimeCondition": _deprecation_fits,
    "CreationDateCondition": lambda image, condition, now: _is_recent(
        image.creation_date, condition["MaximumDaysSinceCreated"], now
    ),
}
