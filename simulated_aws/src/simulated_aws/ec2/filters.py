# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of Describe actions (EC2 User Guide, Find your Amazon EC2 resources: Filter resources)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from .errors import Ec2Error, invalid_value

Resource = TypeVar("Resource")
Values = Callable[[Resource], Iterable[str]]

MOST_FILTERS = 50
MOST_VALUES = 200


def compile_filters(
    filters: list[dict[str, Any]],
    known: Mapping[str, Values[Resource]],
    tags: Callable[[Resource], Mapping[str, str]],
) -> Callable[[Resource], bool]:
    """Compile filters to one function: all filters must match, each by any of its values.

    `known` maps filter names to functions that return a resource's values; `tag:KEY` and `tag-key` use
    `tags`. Other names are InvalidParameterValue. `*` and `?` are wildcards, and a backslash escapes them.
    """
    if len(filters) > MOST_FILTERS:
        raise Ec2Error("FilterLimitExceeded", f"The maximum number of filters is {MOST_FILTERS}")
    tests = [_compile(one, known, tags) for one in filters]
    return lambda resource: all(test(resource) for test in tests)


def _compile(
    one: dict[str, Any],
    known: Mapping[str, Values[Resource]],
    tags: Callable[[Resource], Mapping[str, str]],
) -> Callable[[Resource], bool]:
    name = one.get("Name")
    values = one.get("Values", [])
    if not name:
        raise Ec2Error("InvalidParameterValue", "The filter 'null' is invalid")
    if not values:
        raise invalid_value(f"filter {name}", "", "A filter has at least one value.")
    if len(values) > MOST_VALUES:
        message = f"The maximum number of filter values specified on a single call is {MOST_VALUES}"
        raise Ec2Error("FilterLimitExceeded", message)
    look = _look(name, known, tags)
    exact = frozenset(value for value in values if not re.search(r"[*?\\]", value))
    patterns = [_regex(value) for value in values if value not in exact]

    def test(resource: Resource) -> bool:
        return any(
            text in exact or any(pattern.fullmatch(text) for pattern in patterns) for text in look(resource)
        )

    return test


def _look(
    name: str, known: Mapping[str, Values[Resource]], tags: Callable[[Resource], Mapping[str, str]]
) -> Values[Resource]:
    if name == "tag-key":
        return lambda resource: tags(resource).keys()
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")

        def tag_value(resource: Resource) -> Iterable[str]:
            value = tags(resource).get(key)
            return () if value is None else (value,)

        return tag_value
    if name not in known:
        raise Ec2Error("InvalidParameterValue", f"The filter '{name}' is invalid")
    return known[name]


@lru_cache(maxsize=1024)
def _regex(pattern: str) -> re.Pattern[str]:
    parts = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            parts.append(re.escape(next(characters, "\\")))
        else:
            parts.append({"*": ".*", "?": "."}.get(character) or re.escape(character))
    return re.compile("".join(parts), re.DOTALL)
