# SPDX-License-Identifier: GPL-3.0-or-later
"""What conditions of policies may ask about a request: the condition keys and their values."""

from __future__ import annotations

from collections.abc import Callable

from .. import organizations
from .principals import Principal

Value = str | tuple[str, ...] | None
"""One value, the values of a multivalued key, or None for a key that the request doesn't have."""

RequestContext = dict[str, Callable[[], Value]]
"""Condition key in lower case to its value, which is looked up only when a condition asks."""


def of_principal(principal: Principal) -> RequestContext:
    """IAM User Guide, AWS global condition context keys: properties of the principal."""
    return {
        "aws:principalaccount": lambda: principal.account_id,
        "aws:principalarn": lambda: principal.arn,
        "aws:principalorgid": lambda: organizations.organization_id(principal.account_id),
        "aws:principalorgpaths": lambda: organizations.organization_paths(principal.account_id),
    }
