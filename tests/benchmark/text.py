# SPDX-License-Identifier: GPL-3.0-or-later
"""Results as lines for a terminal; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from .results import Part, Results, Sample, Series, Spread

Columns = Sequence[tuple[str, Callable[[Sample], float], str]]

VALUES: Columns = (
    ("wall", lambda one: one.seconds, "s"),
    ("CPU", lambda one: one.cpu_seconds, "s"),
    ("memory", lambda one: one.pss_megabytes, "MB"),
    ("largest process", lambda one: one.largest_megabytes, "MB"),
    ("API calls", lambda one: one.call_count, ""),
)
"""What each run has: its name, its value and its unit."""


def of(part: Part) -> str:
    """A table of the part's series, and their other numbers below it."""
    rows = [
        ["", "", *(name for name, _value, _unit in VALUES), "runs"],
        *([one.case, one.contender, *_cells(one), str(len(one.samples))] for one in part.series),
    ]
    busy = (
        "" if part.is_quiet else f"\nOther programs used {part.busy:.0%} of the machine: times mean nothing."
    )
    profiles = [f"{command}: {_shares(shares)}" for command, shares in part.profiles.items()]
    work = [f"The same piece of work: {work_seconds(part)} of CPU before and after."] if part.work else []
    return "\n".join([table(rows), *filter(None, map(_facts, part.series)), *profiles, *work]) + busy


def work_seconds(part: Part) -> str:
    """The seconds of CPU of the same piece of work before the part and after it; empty if not measured."""
    return ", ".join(f"{number(one)} s" for one in part.work)


def comparison(old: Results, new: Results) -> str:
    """The change of each series that both have, in percent of the old median."""
    rows = [["", "", "", *(name for name, _value, _unit in VALUES)]]
    for name, part in new.items():
        for one in part.series:
            before = old[name].find(one.case, one.contender) if name in old else None
            if before is not None:
                rows.append([name, one.case, one.contender, *_changes(before, one)])
    return table(rows)


def number(value: float) -> str:
    """A number with the digits that mean something."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) < 1:
        return f"{value:.3g}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}".rstrip("0").rstrip(".")


def spread(value: Spread, unit: str) -> str:
    """The median, and the least and the most if they differ; empty for what was not measured."""
    if not value.most:
        return ""
    median, least, most = map(number, value)
    between = "" if least == most else f" ({least}–{most})"
    return f"{median}{f' {unit}' if unit else ''}{between}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as lines, in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _cells(one: Series) -> Iterable[str]:
    return (spread(one.spread(value), unit) for _name, value, unit in VALUES)


def _changes(before: Series, after: Series) -> Iterable[str]:
    for _name, value, _unit in VALUES:
        old, new = before.spread(value).median, after.spread(value).median
        yield f"{new / old - 1:+.0%}" if old else ""


def _shares(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{what} {share:.0%}" for what, share in shares.items())


def _facts(one: Series) -> str:
    facts = ", ".join(f"{name} {number(one.fact(name))}" for name in one.samples[0].facts)
    return f"{one.case}, {one.contender}: {facts}" if facts else ""
