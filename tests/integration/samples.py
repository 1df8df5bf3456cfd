# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the samples in a module's documentation are values that runs have returned.

A sample can leave out elements of a list and, for example, regions of a mapping. IDs, accounts, regions and
numbers differ from run to run. All else is the same: keys, states, codes, names, the format of times, and the
words of messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_VARYING = (
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<UUID>"),
    (re.compile(r"\b(ami|i|snap|subnet)-[0-9a-f]{17}\b"), r"<ID of \1>"),
    (re.compile(r"\b\d{12}\b"), "<account>"),
    (re.compile(r"\b[a-z]{2}-[a-z]+-\d\b"), "<region>"),
    (re.compile(r"\d+"), "<number>"),
)


def differing(
    documented: Mapping[str, Any], returned: Sequence[Mapping[str, Any]], place: str = ""
) -> Iterator[str]:
    """The keys, at any depth, whose sample is like no value in these results."""
    for key, entry in documented.items():
        values = [result[key] for result in returned if key in result]
        if "sample" in entry and not any(is_like(entry["sample"], value) for value in values):
            yield f"{place}{key}"
        if "contains" in entry:
            yield from differing(entry["contains"], [*_mappings(values)], f"{place}{key}.")


def _mappings(values: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    for value in values:
        elements = value if isinstance(value, list) else [value]
        yield from (element for element in elements if isinstance(element, Mapping))


def is_like(sample: Any, value: Any) -> bool:
    """Whether a run could return a sample that has returned this value."""
    if isinstance(sample, Mapping) and isinstance(value, Mapping):
        return {*map(_kind, sample)} == {*map(_kind, value)} and all(
            any(is_like(part, other) for name, other in value.items() if _kind(name) == _kind(key))
            for key, part in sample.items()
        )
    if isinstance(sample, list) and isinstance(value, list):
        return bool(sample) == bool(value) and all(
            any(is_like(element, other) for other in value) for element in sample
        )
    return bool(_kind(sample) == _kind(value))


def _kind(value: Any) -> Any:
    """A scalar without what differs from run to run, together with its type."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value.__class__
    if isinstance(value, str):
        for pattern, written in _VARYING:
            value = pattern.sub(written, value)
    return value.__class__, value
