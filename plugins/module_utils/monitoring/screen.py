# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ``monitor`` displays and passes to the next job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..reports.document import Column
from ..reports.screen import (
    MOST_ROWS,
    Line,
    Row,
    Screen,
    Tone,
    counted,
    failure_message,
    failures,
    limited,
    sentence,
    table,
)

_COLUMNS = (
    Column("region", "region"),
    Column("alarm", "alarm"),
    Column("outcome", "outcome"),
)
_RERUN = "The other regions are complete. Rerun to complete the remaining regions."
_UNKNOWN = (
    "Whether the EventBridge rules would change is not known: amazon.aws.cloudwatchevent_rule does not "
    "support check mode."
)


def screen(report: Mapping[str, Any], results: Mapping[str, Any], report_path: str | None) -> Screen:
    """The regions, those that failed first, and what failed.

    ``report`` has the ``regions``, the ``log_group_regions``, which have an alarm, the ``failures`` as texts
    that begin with the region and a comma, and the ``state``. ``results`` has ``check_mode``.
    """
    is_plan, is_present = results["check_mode"], report["state"] == "present"
    problems = [{"message": text} for text in report["failures"]]
    failed = [region for region in report["regions"] if _failed(report, region)]
    good = [region for region in report["regions"] if region not in failed]
    word = "configured" if is_present else "removed"
    head = f"{len(failed)} of {counted(len(report['regions']), 'region')} failed."
    failure = f"{failure_message(head, problems, report_path)}\n{_RERUN}" if problems else ""
    lines = (
        *_headline(report, failed, word, is_plan),
        *table(_COLUMNS, tuple(_rows(report, failed, good, f"would be {word}" if is_plan else word))),
        *(sentence(_UNKNOWN, Tone.WARNING) if is_plan else ()),
        *failures(problems, report_path, failure),
    )
    artifacts = {
        "failed_regions": failed,
        "report_path": None,
        "status": "incomplete" if failed else "planned" if is_plan else word,
    }
    return Screen(lines, limited(artifacts), failure)


def _headline(report: Mapping[str, Any], failed: Sequence[str], word: str, is_plan: bool) -> Iterator[Line]:
    number = len(report["regions"])
    if failed:
        text = f"Monitoring {word} in {number - len(failed)} of {counted(number, 'region')}."
        yield from sentence(text, Tone.BAD)
    elif is_plan:
        text = f"Check mode: monitoring would be {word} in {counted(number, 'region')}."
        yield from sentence(text, Tone.GOOD)
    else:
        yield from sentence(f"Monitoring {word} in {counted(number, 'region')}.", Tone.GOOD)


def _rows(
    report: Mapping[str, Any], failed: Sequence[str], good: Sequence[str], outcome: str
) -> Iterator[Row]:
    yield from (_row(report, region, "failed", Tone.BAD) for region in failed[:MOST_ROWS])
    if len(failed) > MOST_ROWS:
        yield Row({"region": f"{len(failed) - MOST_ROWS} more", "outcome": "failed"}, Tone.BAD)
    if len(report["regions"]) <= MOST_ROWS:
        yield from (_row(report, region, outcome, Tone.PLAIN) for region in good)
    elif good:
        alarms = sum(region in report["log_group_regions"] for region in good)
        cells = {"alarm": str(alarms), "outcome": outcome}
        yield Row({"region": counted(len(good), "region"), **cells})


def _row(report: Mapping[str, Any], region: str, outcome: str, tone: Tone) -> Row:
    alarm = "yes" if region in report["log_group_regions"] else "-"
    return Row({"region": region, "alarm": alarm, "outcome": outcome}, tone)


def _failed(report: Mapping[str, Any], region: str) -> bool:
    return any(text.startswith(f"{region}, ") for text in report["failures"])
