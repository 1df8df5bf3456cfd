# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the structure of values from outside: a module's registered result, a part of it, lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ._failures import Failure, invalid_option


@dataclass(frozen=True)
class Null:
    """A value that can be null."""

    structure: Any


@dataclass(frozen=True)
class Absent:
    """A value whose key can be missing."""

    structure: Any


@dataclass(frozen=True)
class Values:
    """A mapping with any keys. The structure is that of its values."""

    structure: Any


TEXT, NUMBER, BOOLEAN = str, (int, float), bool
_NAMES: dict[Any, str] = {TEXT: "text", NUMBER: "a number", BOOLEAN: "true or false"}

FAILURES = Absent(
    Null(
        [
            {
                "account_id": Absent(Null(TEXT)),
                "action": Absent(Null(TEXT)),
                "error_code": Absent(Null(TEXT)),
                "message": Absent(Null(TEXT)),
                "region": Absent(Null(TEXT)),
                "remedy": Absent(Null(TEXT)),
            }
        ]
    )
)
"""Failures of every module."""
OUTCOME: dict[str, Any] = {"failed": Absent(BOOLEAN), "failures": FAILURES, "msg": Absent(Null(TEXT))}
"""Returned keys of every module that say whether it failed."""


def as_list(value: Any) -> list[Any]:
    """Return the list in an option or a policy. Its only item may stand there without a list."""
    return value if isinstance(value, list) else [value]


def check_result(option: str, value: Any, structure: Any, module: str) -> tuple[Failure, ...]:
    """Return a failure if the value of an option is not a result of the module.

    It names the first place that differs. A structure is a mapping of keys to structures, a list with the
    structure of its items, a set of the possible texts, ``TEXT``, ``NUMBER``, ``BOOLEAN``, or one of the
    classes of this file. Other keys are ignored.
    """
    return tuple(
        invalid_option(option, f"{option}: {problem}", remedy)
        for problem, remedy in result_problems(value, structure, module)
    )


def result_problems(value: Any, structure: Any, module: str) -> Iterator[tuple[str, str]]:
    """Yield the problem and the remedy if a value is not a result of the module (see ``check_result``)."""
    problem = next(_problems(value, structure, ""), None)
    if problem is not None:
        yield (
            f"it is not a result of {module}: {problem}.",
            f"Register the result of {module}, and pass all of it.",
        )


def _problems(value: Any, structure: Any, place: str) -> Iterator[str]:
    if isinstance(structure, (Absent, Null)):
        if value is not None or isinstance(structure, Absent):
            yield from _problems(value, structure.structure, place)
    elif isinstance(structure, Values):
        yield from _mapping(value, dict.fromkeys(value, structure.structure) if _maps(value) else {}, place)
    elif isinstance(structure, dict):
        yield from _mapping(value, structure, place)
    elif isinstance(structure, list):
        yield from _list(value, structure[0], place)
    elif isinstance(structure, frozenset):
        if not isinstance(value, str) or value not in structure:
            yield f"{_named(place)} must be one of {', '.join(sorted(structure))}"
    elif not isinstance(value, structure) or (isinstance(value, bool) and structure is not BOOLEAN):
        yield f"{_named(place)} must be {_NAMES[structure]}"


def _list(value: Any, structure: Any, place: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{_named(place)} must be a list"
        return
    # A large result has lists of hundreds of thousands of IDs. A place is only needed for a problem.
    if structure is TEXT and all(isinstance(item, str) for item in value):
        return
    for number, item in enumerate(value):
        yield from _problems(item, structure, f"{place}[{number}]")


def _mapping(value: Any, structure: Mapping[str, Any], place: str) -> Iterator[str]:
    if not _maps(value):
        yield f"{_named(place)} must be a mapping"
        return
    for key, inner in structure.items():
        here = f"{place}.{key}" if place else key
        if key in value:
            yield from _problems(value[key], inner, here)
        elif not isinstance(inner, Absent):
            yield f"{here} is missing"


def _maps(value: Any) -> bool:
    return isinstance(value, Mapping)


def _named(place: str) -> str:
    return place or "it"
