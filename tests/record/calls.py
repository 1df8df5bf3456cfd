# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls of a run by resource: only within one of them does their order say something."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

Call: TypeAlias = Mapping[str, Any]
"""``action``, ``parameters``, ``error`` where AWS refused."""
UNORDERED = "any resource"
"""The place of calls that name no resource, whose order is not recorded."""

# The parameters that name a call's resource, those that are tried first at the beginning.
_RESOURCES = tuple(
    re.compile(name)
    for name in (
        r"(?:ImageId|SnapshotId|ResourceId|InstanceId|KeyId|LaunchTemplateId|SourceImageId)s?",
        r"\w*(?:Arn|Id|Name|Rule|Url)s?",
    )
)
# An item of a list, as EC2 takes them.
_ITEM = re.compile(r"(.+)\.\d+")


def by_resource(calls: Iterable[Any]) -> dict[str, list[Call]]:
    """The calls (``RecordedCall``, normalised) of each account, region, service and resource.

    A read that repeats the one before it on the same resource is left out: how often a waiter asks depends on
    time. So is a call that repeats a refused one: how often a throttled call is tried, too. So is a call
    without an answer, which is made again: which one of several a lost connection strikes is chance.
    """
    grouped: dict[str, list[Call]] = {}
    for call in calls:
        if call.status is None:
            continue
        parameters = with_lists(call.parameters)
        resource = resource_of(parameters) or UNORDERED
        place = f"{call.account_id} {call.region} {call.service} {resource}"
        one: Call = {"action": call.action, "parameters": parameters}
        if call.error_code:
            one = {**one, "error": call.error_code}
        placed = grouped.setdefault(place, [])
        repeats = bool(placed) and placed[-1] == one
        if not repeats or (call.changes and not call.error_code):
            placed.append(one)
    return {place: _in_order(place, found) for place, found in sorted(grouped.items())}


def with_lists(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with sorted lists for ``ImageId.1``, ``ImageId.2``, …: often in the order of IDs."""
    found: dict[str, Any] = {}
    for name, value in parameters.items():
        item = _ITEM.fullmatch(name)
        if item is None:
            found[name] = value
        else:
            found[item[1]] = sorted([*found.get(item[1], ()), value])
    return dict(sorted(found.items()))


def resource_of(parameters: Mapping[str, Any]) -> str:
    """The values of the parameters that name the resource, in alphabetical order; empty if none does."""
    for pattern in _RESOURCES:
        found = [value for name, value in parameters.items() if pattern.fullmatch(name)]
        if found:
            flat = (one for value in found for one in (value if isinstance(value, list) else [value]))
            return ", ".join(sorted(map(str, flat)))
    return ""


def _in_order(place: str, calls: list[Call]) -> list[Call]:
    if not place.endswith(UNORDERED):
        return calls
    distinct = {json.dumps(call, sort_keys=True): call for call in calls}
    return [distinct[text] for text in sorted(distinct)]
