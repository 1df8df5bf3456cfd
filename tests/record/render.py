# SPDX-License-Identifier: GPL-3.0-or-later

"""Differences as a person wants to read them: by kind, each once, with how often and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from .compare import Difference, Kind

_EXAMPLES = 3
_PLACES = 3


def rendered(differences: Iterable[Difference]) -> str:
    """The text; empty if there are none. What is found in most runs is the first of its kind."""
    grouped: dict[tuple[Kind, str], list[Difference]] = {}
    for one in differences:
        grouped.setdefault((one.kind, one.what), []).append(one)
    lines: list[str] = []
    for kind in Kind:
        found = [group for (of_kind, _), group in grouped.items() if of_kind is kind]
        if found:
            lines += ["", kind.value, "=" * len(kind.value)]
            for group in sorted(found, key=lambda group: (-len(_places(group)), group[0].what)):
                lines += _of_group(group)
    return "\n".join(lines[1:])


def _of_group(group: list[Difference]) -> list[str]:
    places = _places(group)
    lines = ["", f"{group[0].what}   ({_counted(len(places))})"]
    examples = Counter((one.old, one.new) for one in group if one.old or one.new)
    for (old, new), times in examples.most_common(_EXAMPLES):
        often = f"   ({times} times)" if times > 1 and len(examples) > 1 else ""
        lines += [f"    - {line}" for line in old.splitlines()]
        lines += [f"    + {line}" for line in new.splitlines()]
        lines[-1] += often
    if len(examples) > _EXAMPLES:
        lines.append(f"    and {len(examples) - _EXAMPLES} other values")
    lines += [f"  in {place}" for place in places[:_PLACES]]
    if len(places) > _PLACES:
        lines.append(f"  and in {len(places) - _PLACES} more")
    return lines


def _places(group: Iterable[Difference]) -> list[str]:
    return sorted({one.place for one in group})


def _counted(number: int) -> str:
    return "1 place" if number == 1 else f"{number} places"
