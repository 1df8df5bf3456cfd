# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of renames: what has another name in the newer record and is no difference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml


class Renames(NamedTuple):
    """Old names with new ones: ``words`` everywhere, also in names of tests; ``keys`` of results only."""

    words: Mapping[str, str]
    keys: Mapping[str, str]


NONE = Renames({}, {})


def read(path: Path) -> Renames:
    """The table in a YAML file with the sections ``words`` and ``keys``.

    Raises:
        ValueError: it has another section, or a section is no mapping of texts.
    """
    sections = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    for section, names in sections.items():
        if section not in Renames._fields:
            raise ValueError(f"{path}: {section} is neither words nor keys")
        if not isinstance(names, dict) or not all(isinstance(one, str) for one in (*names, *names.values())):
            raise ValueError(f"{path}: {section} must be a mapping of old names to new ones")
    return Renames(sections.get("words", {}), sections.get("keys", {}))


def renamed(record: Mapping[str, Any], renames: Renames) -> dict[str, Any]:
    """A record with the new names. A word is replaced where no letter, digit or underscore is beside it."""
    if not renames.words and not renames.keys:
        return dict(record)
    changed = _with_words(record, renames.words) if renames.words else record
    return {test: _with_keys(content, renames.keys) for test, content in changed.items()}


def _with_words(value: Any, words: Mapping[str, str]) -> Any:
    # The longest first: one of them can be the beginning of another.
    names = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    pattern = re.compile(rf"(?<!\w)(?:{names})(?!\w)")

    def replaced(one: Any) -> Any:
        if isinstance(one, str):
            return pattern.sub(lambda found: words[found[0]], one)
        if isinstance(one, Mapping):
            return {replaced(key): replaced(inner) for key, inner in one.items()}
        return [replaced(inner) for inner in one] if isinstance(one, list) else one

    return replaced(value)


def _with_keys(test: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    def replaced(one: Any) -> Any:
        if isinstance(one, Mapping):
            return {keys.get(key, key): replaced(inner) for key, inner in one.items()}
        return [replaced(inner) for inner in one] if isinstance(one, list) else one

    steps = [
        {
            **step,
            "playbooks": [
                {
                    **playbook,
                    "tasks": [{**task, "result": replaced(task["result"])} for task in playbook["tasks"]],
                }
                for playbook in step["playbooks"]
            ],
        }
        for step in test["steps"]
    ]
    return {**test, "steps": steps}
