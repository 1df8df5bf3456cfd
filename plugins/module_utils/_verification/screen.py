# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ``verify`` displays and passes to the next job."""

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
from .report import level_sentence, level_text, problems

_COLUMNS = (
    Column("region", "region"),
    Column("account", "account"),
    Column("image", "image"),
    Column("level", "level"),
    Column("findings", "findings"),
)


def screen(report: Mapping[str, Any], context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Show the accounts that have not reached the level, and what is missing; count those that have.

    ``report`` is that of ``ami_verify``. ``context`` has ``check_mode`` and the
    ``changes`` that it returned, and the ``host_reports``, which are those of all hosts of the play: each of
    them passes the result of all to the next job, because the last one counts.
    """
    rows = report["results"]
    # In check mode, copies are planned that cannot be verified. An earlier task may have planned to share the
    # images that exist, so what these lack is shown, and fails nothing.
    planned = context["check_mode"] and any(row["image_id"] is None for row in rows)
    short = [row for row in rows if key_use.is_failed(row) and not (planned and row["image_id"] is None)]
    doubtful = [row for row in rows if row["uncertain"]]
    missing = [] if planned else problems(report["level"], rows, report["failures"])
    rows_of_problems = [problem.to_dict() for problem in missing]
    failed = report["status"] not in ("verified", "uncertain") and not planned
    rest = report_path or OUTPUT
    failure = format_failure_message(_count(report, short), rows_of_problems, rest) if failed else ""
    tone = Tone.WARNING if planned else Tone.BAD
    lines = (
        *_headline(report, short, planned),
        *format_table(_COLUMNS, _rows(short, tone, doubtful)),
        *_further([*short, *doubtful], tone if short else Tone.WARNING),
        *format_failures(rows_of_problems, rest, failure),
        *format_failures(key_use.doubts(doubtful), rest, tone=Tone.WARNING),
        *format_changes(context.get("changes"), report_path),
        *format_report_path(report_path),
    )
    artifacts = _artifacts(context.get("host_reports") or [report], report_path)
    return Screen(lines, limit_artifacts(artifacts), failure)


def _headline(report: Mapping[str, Any], short: Sequence[Any], planned: bool) -> Iterator[Line]:
    rows = report["results"]
    if planned:
        text = f"Check mode: {_accounts(rows)} would be verified in {_regions(rows)}, once the images exist."
        yield from wrap_text(text, Tone.PLAIN if short else Tone.GOOD)
        if short:
            existing = [row for row in rows if row["image_id"] is not None]
            yield from wrap_text(f"Images that exist: {_shortfall(report, short, existing)}", Tone.WARNING)
    elif report["status"] == "verified":
        yield from wrap_text(_verified(rows), Tone.GOOD)
        yield from _meaning(report)
    elif report["status"] == "uncertain":
        yield from wrap_text(f"Verified {key_use.counts(rows)}: {_where(rows)}.", Tone.WARNING)
        yield from _meaning(report)
    else:
        yield from wrap_text(_count(report, short), Tone.BAD)


def _meaning(report: Mapping[str, Any]) -> Iterator[Line]:
    for text in (level_sentence(report["level"]), *key_use.sentences(report["results"])):
        yield from wrap_text(text)


def _where(rows: Sequence[Any]) -> str:
    return f"{_accounts(rows)} in {_regions(rows)}"


def _accounts(rows: Sequence[Any]) -> str:
    return count(len({row["account_id"] for row in rows}), "account")


def _regions(rows: Sequence[Any]) -> str:
    """Return the region by name if it is one, or the number."""
    regions = {row["region"] for row in rows}
    return str(rows[0]["region"]) if len(regions) == 1 else count(len(regions), "region")


def _verified(rows: Sequence[Any]) -> str:
    """Say that all have reached the level, and with which image if it is one."""
    if len({(row["region"], row["image_id"]) for row in rows}) == 1:
        return f"Verified {rows[0]['image_id']} in {_regions(rows)}: {len(rows)} of {_accounts(rows)}."
    return f"Verified: {_where(rows)}."


def _count(report: Mapping[str, Any], short: Sequence[Any]) -> str:
    rows = report["results"]
    if not rows:
        return "Nothing was verified."
    if not short:
        return f"All {len(rows)} are {report['level']}, but the verification is incomplete."
    uncertain = sum(row["uncertain"] for row in rows)
    too = f" {uncertain} {'is' if uncertain == 1 else 'are'} uncertain." if uncertain else ""
    return _shortfall(report, short, rows) + too


def _shortfall(report: Mapping[str, Any], short: Sequence[Any], rows: Sequence[Any]) -> str:
    word = "is" if len(short) == 1 else "are"
    return f"{len(short)} of {count(len(rows), 'verification')} {word} not {report['level']}."


def _rows(short: Sequence[Any], tone: Tone, doubtful: Sequence[Any]) -> list[Row]:
    """Return the rows of accounts below the level, then of those that may be: as many as the screen has."""
    rows = [*(_row(row, tone) for row in short), *(_row(row, Tone.WARNING) for row in doubtful)]
    return rows[:MOST_ROWS]


def _row(row: Mapping[str, Any], tone: Tone) -> Row:
    cells = {
        "region": row["region"],
        "account": row["account_id"],
        "image": row["image_id"] or "-",
        "level": level_text(row),
        "findings": ", ".join(dict.fromkeys(finding["code"] for finding in row["findings"])) or "-",
    }
    return Row(cells, tone)


def _further(short: Sequence[Any], tone: Tone) -> Iterator[Line]:
    if len(short) > MOST_ROWS:
        yield from wrap_text(f"and {len(short) - MOST_ROWS} more", tone)


def _artifacts(reports: Sequence[Mapping[str, Any]], report_path: str | None) -> dict[str, Any]:
    failed = {region for report in reports for region in report["failed_regions"]}
    uncertain = {region for report in reports for region in report["uncertain_regions"]}
    statuses = {report["status"] for report in reports}
    return {
        "failed_regions": sorted(failed),
        # An account may have its own copy: only where all accounts launch the same image is it one image.
        "images": {
            region: images.pop()
            for region, images in _images(reports).items()
            if len(images) == 1 and region not in failed | uncertain
        },
        "level": reports[0]["level"],
        "report_path": report_path,
        "status": _status(statuses),
        "uncertain_regions": sorted(uncertain - failed),
    }


def _status(statuses: set[str]) -> str:
    """Return the status of all hosts."""
    if statuses == {"uncertain", "verified"}:
        return "uncertain"
    return statuses.pop() if len(statuses) == 1 else "incomplete"


def _images(reports: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in (row for report in reports for row in report["results"]):
        if row["image_id"]:
            found.setdefault(row["region"], set()).add(row["image_id"])
    return found
