# SPDX-License-Identifier: GPL-3.0-or-later
"""The global condition keys that policies can use, and their values for a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from .. import organizations
from .principals import Principal

Value = str | tuple[str, ...] | None
"""A value, the values of a multivalued key, or None for a key that is not in the request context."""

RequestContext = dict[str, Callable[[], Value]]
"""Condition key in lower case to a function that returns its value when a condition needs it.

A prefix such as `aws:resourcetag/` stands for all keys with it that are not listed.
"""


def of_principal(principal: Principal) -> RequestContext:
    """The properties of the principal (IAM User Guide, AWS global condition context keys)."""
    return {
        "aws:principalaccount": lambda: principal.account_id,
        "aws:principalarn": lambda: principal.arn,
        "aws:principalorgid": lambda: organizations.organization_id(principal.account_id),
        "aws:principalorgpaths": lambda: organizations.organization_paths(principal.account_id),
    }


def of_tags(requested: Mapping[str, str], resource: Mapping[str, str]) -> RequestContext:
    """The tags in a request, and those of its resource (the same page)."""
    context: RequestContext = {"aws:requesttag/": _absent, "aws:resourcetag/": _absent}
    keys = tuple(requested)
    context["aws:tagkeys"] = lambda: keys or None
    for prefix, tags in (("aws:requesttag/", requested), ("aws:resourcetag/", resource)):
        for key, value in tags.items():
            context[prefix + key.lower()] = partial(str, value)
    return context


def _absent() -> Value:
    return None
