# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pictures of a cleanup report: cost by family and stage, what happens when, drift between regions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._listing import count
from ..._reports.document import Bars, Cell, Grid, Mark
from ..._reports.drift import Version, compare_versions
from ..._reports.naming import parse_family, parse_version
from ..._reports.values import render_date
from ..decisions import KEEP, WAIT
from ..stages import DEPRECATE, DEREGISTER, DISABLE
from .outcome import DONE, STAGES
from .prices import read_report_prices
from .wording import PAST, UPPER_BOUND

_MONTH = len("2026-11")
_MARKS = {
    DEREGISTER: Mark.FOREIGN,
    DISABLE: Mark.BROKEN,
    DEPRECATE: Mark.SLIGHT,
    WAIT: Mark.PARTIAL,
    KEEP: Mark.FULL,
}
_MEANINGS = {
    DEREGISTER: "deregistered now",
    DISABLE: "disabled now",
    DEPRECATE: "deprecated now",
    WAIT: "waiting for its next stage",
    KEEP: "kept",
}
_MOST_COLUMNS = 9


def draw_pictures(content: Mapping[str, Any]) -> Iterator[Grid | Bars]:
    """Yield the pictures that have something to show."""
    images: Sequence[Mapping[str, Any]] = content["images"]
    for picture in (_draw_timeline(images), _draw_costs(content, images), _draw_drift(images)):
        if picture is not None:
            yield picture


def _draw_timeline(images: Iterable[Mapping[str, Any]]) -> Grid | None:
    """Return the images of each stage by date, in this run first."""
    now = "this run"
    events: dict[tuple[str, str], Counter[str]] = {}
    for image in images:
        for event in _list_events(image, now):
            events.setdefault(event, Counter())[image["family"]] += 1
    dates = sorted({date for _stage, date in events} - {now})
    if not dates:
        return None
    if len(dates) > _MOST_COLUMNS:
        events, dates = _group_by_month(events, now)
    columns = (*([now] if any(date == now for _stage, date in events) else ()), *dates)
    stages = [stage for stage in reversed(STAGES) if any(stage == planned for planned, _date in events)]
    return Grid(
        title="What happens when",
        columns=columns,
        rows=tuple(
            (stage, tuple(_render_event(stage, events.get((stage, date))) for date in columns))
            for stage in stages
        ),
        legend={_MARKS[stage]: f"Images that are {PAST[stage]}." for stage in stages},
        note="If nothing changes until then: images that are used again are kept.",
    )


def _list_events(image: Mapping[str, Any], now: str) -> Iterator[tuple[str, str]]:
    """Yield the stages of an image with their dates; ``now`` is that of this run."""
    if image["decision"] in STAGES:
        yield image["decision"], now
    if image["next_stage"]:
        yield image["next_stage"], render_date(image["next_stage_at"])
    for later in image["later_stages"]:
        yield later["stage"], render_date(later["due"])


def _group_by_month(
    events: Mapping[tuple[str, str], Counter[str]], now: str
) -> tuple[dict[tuple[str, str], Counter[str]], list[str]]:
    """Return the events by month, the latest together in the last column."""
    months = sorted({date[:_MONTH] for _stage, date in events if date != now})
    columns = months if len(months) < _MOST_COLUMNS else months[: _MOST_COLUMNS - 2]
    later = [] if columns == months else [f"from {months[len(columns)]}"]

    def find_column(date: str) -> str:
        if date == now:
            return now
        return date[:_MONTH] if date[:_MONTH] in columns else later[0]

    merged: dict[tuple[str, str], Counter[str]] = {}
    for (stage, date), families in events.items():
        merged.setdefault((stage, find_column(date)), Counter()).update(families)
    return merged, [*columns, *later]


def _render_event(stage: str, families: Counter[str] | None) -> Cell | None:
    if families is None:
        return None
    names = ", ".join(f"{number} {family}" for family, number in families.most_common())
    return Cell(count(families.total(), "image"), _MARKS[stage], f"{names}.")


def _draw_costs(content: Mapping[str, Any], images: Iterable[Mapping[str, Any]]) -> Bars | None:
    """Return the monthly cost of each family by decision, or its size if there are no prices."""
    currency, prices = content["currency"], read_report_prices(content)
    parts_by_family: dict[str, dict[Mark, float]] = {}
    for image in images:
        # What is deregistered costs nothing any more, but the picture shows what it did.
        parts, mark = (
            parts_by_family.setdefault(image["family"] or "no family", {}),
            _MARKS[image["decision"]],
        )
        amount = prices.cost(image["region"], image["size_gib"]) if currency else image["size_gib"]
        parts[mark] = parts.get(mark, 0) + float(amount or 0)
    rows = sorted(parts_by_family.items(), key=lambda row: (-sum(row[1].values()), row[0]))
    if not any(any(parts.values()) for _family, parts in rows):
        return None
    used = {mark for _family, parts in rows for mark, amount in parts.items() if amount}
    return Bars(
        title="Cost of each family by stage" if currency else "Size of each family by stage",
        rows=tuple((family, dict(parts)) for family, parts in rows),
        legend={
            mark: _MEANINGS[decision].capitalize() + "." for decision, mark in _MARKS.items() if mark in used
        },
        unit=f"{currency} a month" if currency else "GiB",
        decimals=2 if currency else 0,
        note=UPPER_BOUND,
    )


def _draw_drift(images: Iterable[Mapping[str, Any]]) -> Grid | None:
    """Return the versions by region, from the names of the images that stay."""
    return compare_versions(
        Version(parse_family(name), image["region"], parse_version(name), str(image["creation_date"] or ""))
        for image in images
        if not (image["decision"] == DEREGISTER and image["outcome"] == DONE)
        for name in [str(image["name"] or "")]
    )
