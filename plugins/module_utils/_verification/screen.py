# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text that the role ``verify`` displays, and the artifacts for the next job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._listing import count
from .._reports.document import Column
from .._reports.screen import (
    MOST_ROWS,
    OUTPUT,
    Line,
    Row,
    Screen,
    Tone,
    format_changes,
    format_failure_message,
    format_failures,
    format_report_path,
    format_table,
    limit_artifacts,
    wrap_text,
)
from . import key_use
from .report import explain_level, format_level, list_problems

_COLUMNS = (
    Column("region", "region"),
    Column("account", "account"),
    Column("image", "image"),
    Column("level", "level"),
    Column("findings", "findings"),
)


def screen(report: Mapping[str, Any], context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Return the screen: the accounts below the level with their problems, and the number of the others.

    ``report`` is the report of ``ami_verify``. ``context`` has ``check_mode``, the ``changes`` that the
    module returned, the ``host_count`` of the play, and for its last host the ``host_reports`` of all hosts
    that have one: it alone passes the result to the next job, because one host's would replace another's.
    """
    rows = report["results"]
    # In check mode, planned copies cannot be verified. The access to images that exist may be planned, too,
    # so their problems are warnings.
    planned = context["check_mode"] and any(row["image_id"] is None for row in rows)
    below = [row for row in rows if key_use.is_failed(row) and not (planned and row["image_id"] is None)]
    doubtful = [row for row in rows if row["uncertain"]]
    missing = [] if planned else list_problems(report["level"], rows, report["failures"])
    rows_of_problems = [problem.to_dict() for problem in missing]
    failed = report["status"] not in ("verified", "uncertain") and not planned
    rest = report_path or OUTPUT
    failure = (
        format_failure_message(_describe_shortfall(report, below), rows_of_problems, rest) if failed else ""
    )
    tone = Tone.WARNING if planned else Tone.BAD
    lines = (
        *_headline(report, below, planned),
        *format_table(_COLUMNS, _rows(below, tone, doubtful)),
        *_count_more([*below, *doubtful], tone if below else Tone.WARNING),
        *format_failures(rows_of_problems, rest, failure),
        *format_failures(key_use.list_doubts(doubtful), rest, tone=Tone.WARNING),
        *format_changes(context.get("changes"), report_path),
        *format_report_path(report_path),
    )
    host_count = context.get("host_count", 1)
    reports = context.get("host_reports") or ([report] if host_count == 1 else [])
    artifacts = _artifacts(reports, report_path, host_count) if reports else {}
    if len(reports) > 1:
        artifacts["text"] = screen(
            _merge_reports(reports, artifacts), {"check_mode": context["check_mode"]}, None
        ).text
    return Screen(lines, limit_artifacts(artifacts), failure)


def _headline(report: Mapping[str, Any], below: Sequence[Any], planned: bool) -> Iterator[Line]:
    rows = report["results"]
    if planned:
        places = _name_regions(rows)
        text = f"Check mode: {_count_accounts(rows)} would be verified in {places}, once the images exist."
        yield from wrap_text(text, Tone.PLAIN if below else Tone.GOOD)
        if below:
            existing = [row for row in rows if row["image_id"] is not None]
            yield from wrap_text(
                f"Images that exist: {_count_shortfall(report, below, existing)}", Tone.WARNING
            )
    elif report["status"] == "verified":
        yield from wrap_text(_describe_verified(rows), Tone.GOOD)
        yield from _explain_level(report)
    elif report["status"] == "uncertain":
        yield from wrap_text(
            f"Verified {key_use.format_counts(rows)}: {_describe_places(rows)}.", Tone.WARNING
        )
        yield from _explain_level(report)
    else:
        yield from wrap_text(_describe_shortfall(report, below), Tone.BAD)


def _explain_level(report: Mapping[str, Any]) -> Iterator[Line]:
    for text in (explain_level(report["level"]), *key_use.describe_key_use(report["results"])):
        yield from wrap_text(text)


def _describe_places(rows: Sequence[Any]) -> str:
    return f"{_count_accounts(rows)} in {_name_regions(rows)}"


def _count_accounts(rows: Sequence[Any]) -> str:
    return count(len({row["account_id"] for row in rows}), "account")


def _name_regions(rows: Sequence[Any]) -> str:
    """Return the name of a single region, or the number of regions."""
    regions = {row["region"] for row in rows}
    return str(rows[0]["region"]) if len(regions) == 1 else count(len(regions), "region")


def _describe_verified(rows: Sequence[Any]) -> str:
    """Return the sentence that all accounts have reached the level, with the ID of a single image."""
    if len({(row["region"], row["image_id"]) for row in rows}) == 1:
        place = f"{rows[0]['image_id']} in {_name_regions(rows)}"
        return f"Verified {place}: {len(rows)} of {_count_accounts(rows)}."
    return f"Verified: {_describe_places(rows)}."


def _describe_shortfall(report: Mapping[str, Any], below: Sequence[Any]) -> str:
    rows = report["results"]
    if not rows:
        return "Nothing was verified."
    if not below:
        return f"All {len(rows)} are {report['level']}, but the verification is incomplete."
    uncertain = sum(row["uncertain"] for row in rows)
    uncertain_text = f" {uncertain} {'is' if uncertain == 1 else 'are'} uncertain." if uncertain else ""
    return _count_shortfall(report, below, rows) + uncertain_text


def _count_shortfall(report: Mapping[str, Any], below: Sequence[Any], rows: Sequence[Any]) -> str:
    word = "is" if len(below) == 1 else "are"
    return f"{len(below)} of {count(len(rows), 'verification')} {word} not {report['level']}."


def _rows(below: Sequence[Any], tone: Tone, doubtful: Sequence[Any]) -> list[Row]:
    """Return the rows of accounts below the level, then of uncertain ones, as many as a table has."""
    rows = [*(_row(row, tone) for row in below), *(_row(row, Tone.WARNING) for row in doubtful)]
    return rows[:MOST_ROWS]


def _row(row: Mapping[str, Any], tone: Tone) -> Row:
    cells = {
        "region": row["region"],
        "account": row["account_id"],
        "image": row["image_id"] or "-",
        "level": format_level(row),
        "findings": ", ".join(dict.fromkeys(finding["code"] for finding in row["findings"])) or "-",
    }
    return Row(cells, tone)


def _count_more(below: Sequence[Any], tone: Tone) -> Iterator[Line]:
    if len(below) > MOST_ROWS:
        yield from wrap_text(f"and {len(below) - MOST_ROWS} more", tone)


def _artifacts(
    reports: Sequence[Mapping[str, Any]], report_path: str | None, host_count: int
) -> dict[str, Any]:
    failed = {region for report in reports for region in report["failed_regions"]}
    uncertain = {region for report in reports for region in report["uncertain_regions"]}
    statuses = {report["status"] for report in reports}
    if len(reports) < host_count:
        # A host has failed before its verification: whether its account can launch any image is unknown.
        failed |= {row["region"] for report in reports for row in report["results"]}
        statuses.add("failed")
    return {
        "failed_regions": sorted(failed),
        # An account may launch its own copy: a region has one image only if all accounts launch it.
        "images": {
            region: images.pop()
            for region, images in _images_by_region(reports).items()
            if len(images) == 1 and region not in failed | uncertain
        },
        "level": reports[0]["level"],
        "report_path": report_path,
        "status": _status(statuses),
        "uncertain_regions": sorted(uncertain - failed),
    }


def _merge_reports(reports: Sequence[Mapping[str, Any]], artifacts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report of all hosts, as far as the screen shows it."""
    return {
        "failures": [failure for report in reports for failure in report["failures"]],
        "level": artifacts["level"],
        "results": [row for report in reports for row in report["results"]],
        "status": artifacts["status"],
        **{name: artifacts[name] for name in ("failed_regions", "uncertain_regions")},
    }


def _status(statuses: set[str]) -> str:
    """Return the status of all hosts."""
    if statuses == {"uncertain", "verified"}:
        return "uncertain"
    return statuses.pop() if len(statuses) == 1 else "incomplete"


def _images_by_region(reports: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    images: dict[str, set[str]] = {}
    for row in (row for report in reports for row in report["results"]):
        if row["image_id"]:
            images.setdefault(row["region"], set()).add(row["image_id"])
    return images
