# SPDX-License-Identifier: GPL-3.0-or-later

"""Pictures of the whole simulated AWS that do not depend on IDs and times, and what differs between two."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Resource = Mapping[str, Any]
Picture = dict[str, dict[str, Any]]
"""Resources by label. A label names what an ID stands for: two copies of one image have two labels."""

_ID = re.compile(
    r"arn:aws:kms:[a-z0-9-]+:\d{12}:key/[0-9a-f-]{36}|\b(?:ami|amiur|snap|i|vol|lt|eni)-[0-9a-f]{8,17}\b"
)
# In answers of AWS, in the text of a report, and in the name of its file.
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00| UTC)?)?|\b\d{8}T\d{6}Z")
_IMAGE_TYPE = "aws:ec2:image"
_IDENTITY = ("kind", "account_id", "region", "name")


def labels(*worlds: Iterable[Resource], keys: Mapping[str, str]) -> dict[str, str]:
    """Labels of all IDs of these worlds, the earliest first; ``keys`` are labels of KMS keys by ARN."""
    found, used = dict(keys), Counter(keys.values())

    def add(name: str, label: str) -> None:
        if name not in found:
            used[label] += 1
            found[name] = label if used[label] == 1 else f"{label} #{used[label]}"

    for world in (list(one) for one in worlds):
        for one in world:
            if one["kind"].startswith("image"):
                # A copy's name can hold the ID of its source.
                add(one["name"], f"ami {_where(one)} {_ID.sub('*', one['image_name'])}")
                for device, snapshot_id in one["snapshots"].items():
                    add(snapshot_id, f"snap of {found[one['name']]} {device}")
        for one in world:
            if one["kind"].startswith("snapshot"):
                add(one["name"], f"snap {_where(one)} without image")
            elif one["kind"] in ("instance", "usage report"):
                add(one["name"], f"{one['kind']} {_where(one)}")
    return found


def picture(world: Iterable[Resource], names: Mapping[str, str]) -> Picture:
    """The world with labels for IDs. Terminated instances are left out.

    An image parameter's outdated versions without labels are shown as their number, with the newest one.
    A tombstone may have a version for each attempt.
    """
    shown: Picture = {}
    for one in world:
        if _is_history(one):
            continue
        content = {name: value for name, value in one.items() if name not in _IDENTITY}
        if one["kind"] == "parameter" and one["newest"] and _IMAGE_TYPE in one["type"]:
            content["versions"] = one["name"].rpartition(":")[2]
        label = f"{one['kind']} {_where(one)} {_title(one)}"
        found = json.loads(_replaced(json.dumps(content, sort_keys=True), names))
        if one["kind"] == "object":
            found["body"] = _parse_body(found["body"])
        shown[_replaced(label, names)] = found
    return shown


def differences(expected: Picture, found: Picture) -> list[str]:
    """What differs, a line each."""
    return [*_differences(expected, found)]


def _differences(expected: Picture, found: Picture) -> Iterator[str]:
    for label in sorted(expected.keys() | found.keys()):
        if label not in found:
            yield f"missing: {label}"
        elif label not in expected:
            yield f"too much: {label}"
        else:
            for name in sorted(expected[label].keys() | found[label].keys()):
                wanted, has = expected[label].get(name), found[label].get(name)
                if wanted != has:
                    yield f"{label}: {name} is {json.dumps(has)}, not {json.dumps(wanted)}"


def _is_history(one: Resource) -> bool:
    if one["kind"] == "instance":
        return bool(one["state"] == "terminated")
    return bool(one["kind"] == "parameter" and not one["newest"] and not one["labels"])


def _title(one: Resource) -> str:
    # Two runs at the same time can both add a version with the same value.
    if one["kind"] == "parameter":
        return f"{one['name'].rpartition(':')[0]} {'newest' if one['newest'] else ','.join(one['labels'])}"
    return str(one["name"])


def _where(one: Resource) -> str:
    return f"{one['account_id']}/{one['region']}"


def _parse_body(text: str) -> Any:
    """The JSON value of an object, without the order of lists, which can be that of IDs; else its text."""
    try:
        return _sort_lists(json.loads(text))
    except ValueError:
        return text


def _sort_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sort_lists(one) for name, one in value.items()}
    if isinstance(value, list):
        return sorted(map(_sort_lists, value), key=lambda one: json.dumps(one, sort_keys=True))
    return value


def _replaced(text: str, names: Mapping[str, str]) -> str:
    return _TIME.sub("TIME", _ID.sub(lambda found: names.get(found[0], "an id"), text))
