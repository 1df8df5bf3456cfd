# SPDX-License-Identifier: GPL-3.0-or-later
"""The global condition keys that policies can use, and their values for a request."""

from __future__ import annotations

from collections.abc import Callable

from .. import organizations
from .principals import Principal

Value = str | tuple[str, ...] | None
"""A value, the values of a multivalued key, or None for a key that is not in the request context."""

RequestContext = dict[str, Callable[[], Value]]
"""Condition key in lower case to a function that returns its value when a condition needs it."""


def of_principal(principal: Principal) -> RequestContext:
    """The properties of the principal (IAM User Guide, AWS global condition context keys)."""
    return {
        "aws:principalaccount": lambda: principal.account_id,
        "aws:principalarn": lambda: principal.arn,
        "aws:principalorgid": lambda: organizations.organization_id(principal.account_id),
        "aws:principalorgpaths": lambda: organizations.organization_paths(principal.account_id),
    }
