# SPDX-License-Identifier: GPL-3.0-or-later

"""Replaces what differs by chance between two runs of the same commit: IDs, times, paths, ports."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

Resource = Mapping[str, Any]

_KEY_ARN = r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/(?:mrk-)?[0-9a-f-]{32,36}"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_UNIT = r"\bou-[0-9a-z]{4}-[0-9a-z]{8}\b"
# Of EC2 and CloudFormation: a prefix, and 8 or 17 hexadecimal digits.
_EC2_ID = r"\b[a-z]{1,9}-(?:[0-9a-f]{17}|[0-9a-f]{8})\b"
_ID = re.compile(f"{_KEY_ARN}|{_UUID}|{_UNIT}|{_EC2_ID}")
_SOURCE_ID = re.compile(_EC2_ID)
_PREFIXED = f"{_EC2_ID}|{_UNIT}"
# A snapshot's name has that of its image in it.
_NAME = re.compile(r"<[^<>]*(?:<[^<>]*>)?>")
_NAMES = re.compile(rf"{_NAME.pattern}(?:, {_NAME.pattern})+")
_CLOCK = r"[0-2][0-9]:?[0-5][0-9](?::?[0-5][0-9](?:\.[0-9]+)?)?(?: ?(?:Z|UTC)|[+-]00:?00)?"
_BY_CHANCE = (
    (re.compile(r"\bo-[0-9a-z]{10}\b"), "o-*"),
    (re.compile(r"\br-[0-9a-z]{4}\b"), "r-*"),
    # Of users and roles; access keys are those of the fixture.
    (re.compile(r"\b(AIDA|AROA)[A-Z0-9]{17}\b"), r"\1*"),
    # Of the Recycle Bin's rules.
    (re.compile(r"(?<=/rules/)[0-9A-Za-z]{11}\b"), "*"),
    (re.compile(r"\b(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{11}\b"), "HEX11"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "HEX64"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "HEX32"),
    (re.compile(rf"\b20[0-9]{{2}}-?[01][0-9]-?[0-3][0-9](?:[T ]{_CLOCK})?(?![0-9])"), "TIME"),
    # Unix time, of these years, in seconds or milliseconds.
    (re.compile(r"\b1[789][0-9]{8}(?:[0-9]{3}|\.[0-9]+)?\b"), "TIME"),
    (re.compile(r"\b127\.0\.0\.1:[0-9]+"), "127.0.0.1:PORT"),
)


class Names:
    """Names for the IDs of resources: what an ID stands for, with the order of creation among equals."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._used: Counter[str] = Counter()

    def learn(self, world: Iterable[Resource], description: Mapping[str, Any]) -> None:
        """Learn the resources of the simulated AWS at a moment, and the units of its organization."""
        listed = list(world)
        for one in listed:
            if one["kind"].startswith("image"):
                # A copy's name can hold the ID of its source.
                label = self._add(one["name"], f"ami {_where(one)} {_SOURCE_ID.sub('*', one['image_name'])}")
                for device, snapshot_id in one["snapshots"].items():
                    self._add(snapshot_id, f"snap {device} of {label}")
        for one in listed:
            if one["kind"].startswith("snapshot"):
                self._add(one["name"], f"snap {_where(one)}")
            elif one["kind"] == "key":
                label = self._add(one["name"], f"key {_where(one)}")
                self._names.setdefault(one["name"].rpartition("/")[2], f"<id of {label}>")
            elif one["kind"] in ("instance", "usage report"):
                self._add(one["name"], f"{one['kind']} {_where(one)}")
        for path, unit in (description.get("organization") or {}).get("units", {}).items():
            self._names.setdefault(unit["id"], f"<ou {path}>")

    def _add(self, resource_id: str, label: str) -> str:
        if resource_id not in self._names:
            self._used[label] += 1
            number = self._used[label]
            self._names[resource_id] = f"<{label}>" if number == 1 else f"<{label} #{number}>"
        return self._names[resource_id]

    def of(self, resource_id: str) -> str:
        """The name of an ID; of one that was never seen in the world, its prefix."""
        known = self._names.get(resource_id)
        if known is not None:
            return known
        return f"{resource_id.partition('-')[0]}-*" if re.fullmatch(_PREFIXED, resource_id) else "ID"


def normalised(value: Any, names: Names, places: Mapping[str, str]) -> Any:
    """A JSON value without what differs by chance; ``places`` are words for paths and URLs.

    The keys of mappings are in alphabetical order. So are lists of resources, which often have that of IDs.
    """
    if isinstance(value, str):
        return _text(value, names, places)
    if isinstance(value, Mapping):
        changed = {_text(str(key), names, places): one for key, one in value.items()}
        return {key: normalised(changed[key], names, places) for key in sorted(changed)}
    if isinstance(value, (list, tuple)):
        found = [normalised(one, names, places) for one in value]
        return sorted(found) if all(isinstance(one, str) and _NAME.fullmatch(one) for one in found) else found
    if isinstance(value, (int, float)) and _text(repr(value), names, {}) == "TIME":
        return "TIME"
    return value


def _text(text: str, names: Names, places: Mapping[str, str]) -> str:
    for place, word in places.items():
        text = re.sub(place, word, text)
    text = _ID.sub(lambda found: names.of(found[0]), text)
    text = _NAMES.sub(lambda found: ", ".join(sorted(_NAME.findall(found[0]))), text)
    for pattern, word in _BY_CHANCE:
        text = pattern.sub(word, text)
    return text


def _where(one: Resource) -> str:
    return f"{one['account_id']}/{one['region']}"
