# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page's drawings show, as values that draw.py turns into pictures; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .distribution import ENCRYPTED, FIRST, REPEAT
from .results import Part, Results, Sample, Series

Value = Callable[[Sample], float]
VALUES: Mapping[str, Value] = {
    "wall time (s)": lambda one: one.seconds,
    "CPU (s)": lambda one: one.cpu_seconds,
    "memory of all processes (MB)": lambda one: one.pss_megabytes,
    "API calls": lambda one: one.call_count,
}
TIME = "wall time (s)"


@dataclass(frozen=True)
class Panel:
    """Bars of one value by label, or lines of points (x, median, least, most) by label."""

    title: str
    bars: Mapping[str, float] | None = None
    lines: Mapping[str, tuple[tuple[float, float, float, float], ...]] | None = None


@dataclass(frozen=True)
class Drawing:
    """A picture of some panels side by side; ``text`` says in words what it shows."""

    name: str
    text: str
    panels: tuple[Panel, ...]
    axis: str = ""


def drawings(results: Results) -> Iterator[Drawing]:
    """All drawings that the results are enough for, without times that other programs disturbed."""
    yield from _compared(results)
    for name, (axis, text) in _GROWTH.items():
        if name in results:
            yield Drawing(name, " ".join(text.split()), tuple(_lines(results[name])), axis)
    for name, part in results.items():
        if part.profiles:
            yield Drawing(name, "Share of the time by what runs.", tuple(_profiles(part)))


def _compared(results: Results) -> Iterator[Drawing]:
    part = results.get("distribute")
    if part is None:
        return
    for run in (FIRST, REPEAT):
        case = f"{ENCRYPTED.name}: {run}"
        name = f"distribute-{run.replace(' ', '-')}"
        yield Drawing(name, f"{part.title}, {run}: medians.", tuple(_bars(part, case)))


def _bars(part: Part, case: str) -> Iterator[Panel]:
    chosen = [one for one in part.series if one.case == case]
    for title, value in _shown(part).items():
        yield Panel(title, bars={one.contender: one.spread(value).median for one in chosen})


def _lines(part: Part) -> Iterator[Panel]:
    for title, value in _shown(part).items():
        lines: dict[str, list[tuple[float, float, float, float]]] = {}
        for one in part.series:
            lines.setdefault(_label(one), []).append((one.size or 0, *one.spread(value)))
        yield Panel(title, lines={label: tuple(sorted(points)) for label, points in lines.items()})


def _label(one: Series) -> str:
    """The line that a point belongs to: a distribution has one for each of its runs."""
    return next((run for run in (FIRST, REPEAT) if one.case.endswith(f": {run}")), "all")


def _profiles(part: Part) -> Iterator[Panel]:
    for title, shares in part.profiles.items():
        yield Panel(f"{title} (%)", bars={what: round(100 * share, 1) for what, share in shares.items()})


def _shown(part: Part) -> Mapping[str, Value]:
    """The values that may be published: no times of a machine that did other work."""
    return {title: value for title, value in VALUES.items() if part.is_quiet or title != TIME}


_GROWTH: Mapping[str, tuple[str, str]] = {
    "growth-accounts": (
        "accounts",
        """
        Distribution to 8 regions, encrypted. The first run takes as long as the copies until the grants
        take longer: KMS admits 50 CreateGrant a second in a region, so that the line bends at about 1,050
        accounts, where (accounts − 50) / 50 s pass the 20 s of a copy. A snapshot takes one request for each
        500 accounts.
        """,
    ),
    "growth-regions": (
        "regions",
        """
        Distribution to 50 accounts, encrypted. Regions work at the same time, so that the time does not grow
        with them until one processor is busy: each region adds its own clients and answers.
        """,
    ),
    "growth-images": (
        "images in 20 regions",
        """
        Audit with snapshots, keys and page. Up to 2,000 images, 100 in each region, the full token buckets of
        DescribeImageAttribute and DescribeSnapshotAttribute admit all calls at once. Beyond, each image waits
        for a token, of which a region gets 20 a second: 120 s for 50,000 images. Where the processor needs
        longer, as on this machine with 6 ms for each image, the line stays straight.
        """,
    ),
    "growth-diagnosis": (
        "accounts × regions",
        """
        Diagnosis of an encrypted image. Each account in each region takes the same calls: the line is
        straight once all threads are busy.
        """,
    ),
    "growth-verification": (
        "accounts × regions",
        """
        Verification that AWS would accept a launch: the calls of a diagnosis, and the report of the playbook.
        """,
    ),
}
