# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text that the role ``distribute`` displays of several sources, and the artifacts for the next job."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._listing import count
from .._reports.document import Column
from .._reports.screen import (
    MOST_ROWS,
    Line,
    Row,
    Screen,
    Tone,
    format_omitted,
    format_report_path,
    format_table,
    limit_artifacts,
    wrap_text,
)
from .report import FAILED, PARTIAL

_COLUMNS = (
    Column("source", "source"),
    Column("image", "image"),
    Column("regions", "regions"),
    Column("status", "status"),
)
Reports = Mapping[str, Mapping[str, Any]]


def build_sources_screen(
    sources: Reports, failed: Mapping[str, Iterable[str]], check_mode: bool, report_path: str | None
) -> Screen:
    """Return the screen of several sources, those with a problem first, without regions and failures.

    ``sources`` are the reports of ``distribution_report`` by the name of the source; the report of one that
    was refused before the first change is empty. ``failed`` has the incomplete regions by source.
    """
    done = {name for name, report in sources.items() if _is_done(report, check_mode)}
    rows = sorted(sources.items(), key=lambda item: item[0] in done)
    artifacts = limit_artifacts(_artifacts(sources, done, failed, report_path, check_mode))
    lines = (
        *_headline(sources, done, check_mode),
        *format_table(_COLUMNS, tuple(_row(name, report, name in done) for name, report in rows[:MOST_ROWS])),
        *format_report_path(report_path),
        *format_omitted(artifacts),
    )
    return Screen(lines, artifacts)


def _is_done(report: Mapping[str, Any], check_mode: bool) -> bool:
    """Whether the source is distributed; in check mode, whether it would be without a failure."""
    return not report.get("failures", [None]) if check_mode else report.get("status") == "distributed"


def _headline(sources: Reports, done: set[str], check_mode: bool) -> Iterator[Line]:
    verb = "Check mode: would distribute" if check_mode else "Distributed"
    text = f"{verb} {len(done)} of {count(len(sources), 'image')}."
    yield from wrap_text(text, Tone.GOOD if len(done) == len(sources) else Tone.BAD)


def _row(name: str, report: Mapping[str, Any], is_done: bool) -> Row:
    regions = report.get("regions", ())
    shared = sum(bool(region["shared"]) for region in regions)
    cells = {
        "source": name,
        "image": report.get("source_image_id") or "-",
        "regions": f"{shared}/{len(regions)}",
        "status": report.get("status", "refused"),
    }
    return Row(cells, Tone.PLAIN if is_done else Tone.BAD)


def collect_images(report: Mapping[str, Any]) -> dict[str, str]:
    """Return the ID of the shared image by region."""
    return {region["region"]: region["image_id"] for region in report.get("regions", ()) if region["shared"]}


def _artifacts(
    sources: Reports,
    done: set[str],
    failed: Mapping[str, Iterable[str]],
    report_path: str | None,
    check_mode: bool,
) -> dict[str, Any]:
    """Return the artifacts for the next job; ``images`` is empty, because it is of one image."""
    copies = [
        {"source": name, **{key: copy[key] for key in ("account_id", "image_id", "region")}}
        for name, report in sources.items()
        for copy in report.get("consumer_images", ())
    ]
    return {
        "copies": json.dumps(copies),
        "failed_regions": sorted({region for regions in failed.values() for region in regions}),
        "failed_sources": sorted(sources.keys() - done),
        "images": {},
        "images_by_source": {name: collect_images(report) for name, report in sources.items()},
        "report_path": report_path,
        "source_image_id": None,
        "source_region": None,
        "status": _status(sources, done, check_mode),
    }


def _status(sources: Reports, done: set[str], check_mode: bool) -> str:
    if len(done) == len(sources):
        return "planned" if check_mode else "distributed"
    has_begun = done or any(report.get("status", FAILED) != FAILED for report in sources.values())
    return PARTIAL if has_begun else FAILED
