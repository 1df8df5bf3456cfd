# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text that the role ``monitor`` displays, and the artifacts for the next job."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from .._listing import count, join_texts
from .._reports.document import Column
from .._reports.screen import (
    MOST_ROWS,
    Line,
    Row,
    Screen,
    Tone,
    format_failure_message,
    format_failures,
    format_table,
    limit_artifacts,
    list_failed_regions,
    wrap_text,
)
from .causes import explain

_COLUMNS = (
    Column("region", "region"),
    Column("alarm", "alarm"),
    Column("outcome", "outcome"),
)
_OTHERS = "The other regions are complete. Rerun to complete the remaining regions."
# The place of the failures that are not shown: the role has no report and sets no fact.
_REST = "the messages of the failed tasks"
_RERUN = "Rerun to complete the failed regions: completed work is kept."
_UNCONFIRMED = (
    "Not confirmed, and without messages until the recipients follow the link that SNS has sent: {}. SNS "
    "deletes these subscriptions after two days."
)
_UNREAD = (
    "Not known whether all events come: only the account of a trail can read which events it logs, and here "
    "that depends on {}. Ask its owner whether it logs the write management events of EC2 and KMS."
)
_FILTERS_LEFT = (
    "Metric filters were looked for only in the log group that monitor_log_group_name names. If an earlier "
    "run had another one, run again with its name."
)
_UNCHANGED = "Monitoring was not {word}: a step before the first change failed."
_UNKNOWN = (
    "Whether the EventBridge rules would change is not known: amazon.aws.cloudwatchevent_rule does not "
    "support check mode."
)


def screen(result: Mapping[str, Any], context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Return the screen: the regions, those that failed first, and the failures.

    ``result`` has the ``regions``, the ``log_group_regions``, which have an alarm, the ``failures`` with
    ``region``, ``task`` and ``message``, the ``pending_subscriptions`` and the ``unread_trails`` by region,
    and the ``state``. A failure without a region is one before the first change. ``context`` has
    ``check_mode``.
    """
    is_plan, is_present = context["check_mode"], result["state"] == "present"
    problems = [_to_problem(failure) for failure in result["failures"]]
    regions_of_failures = list_failed_regions(problems)
    failed = [region for region in result["regions"] if region in regions_of_failures]
    good = [region for region in result["regions"] if region not in failed]
    rest = report_path or _REST
    word = "configured" if is_present else "removed"
    is_unchanged = bool(problems) and not failed
    may_leave_filters = not (is_present or result["log_group_regions"])
    lines = (
        *_headline(result, failed, word, is_plan, is_unchanged),
        *(() if is_unchanged else format_table(_COLUMNS, tuple(_rows(result, failed, good, is_plan, word)))),
        *(wrap_text(_UNKNOWN, Tone.WARNING) if is_plan and not is_unchanged else ()),
        *(wrap_text(_FILTERS_LEFT, Tone.WARNING) if may_leave_filters and not is_unchanged else ()),
        *_warn_of_pending(result["pending_subscriptions"]),
        *_warn_of_unread(result["unread_trails"]),
    )
    failure = ""
    if is_unchanged:
        failure = format_failure_message(_UNCHANGED.format(word=word), problems, rest)
    elif problems:
        head = f"{len(failed)} of {count(len(result['regions']), 'region')} failed."
        failure = f"{format_failure_message(head, problems, rest)}\n{_OTHERS if good else _RERUN}"
    artifacts = {
        "failed_regions": failed,
        "report_path": None,
        "status": "incomplete" if problems else "planned" if is_plan else word,
    }
    return Screen((*lines, *format_failures(problems, rest, failure)), limit_artifacts(artifacts), failure)


def _to_problem(failure: Mapping[str, Any]) -> dict[str, Any]:
    text, region = str(failure["message"]), failure["region"] or None
    # A module of this collection names the region in each line.
    message, remedy = explain(_remove_place(text, region) if region else text)
    return {
        "region": region,
        "message": f"{failure['task']} failed. {message}",
        "remedy": remedy,
    }


def _remove_place(text: str, region: str) -> str:
    return re.sub(rf"{re.escape(region)}(?: in account [0-9]{{12}})?: ", "", text)


def _headline(
    result: Mapping[str, Any], failed: Sequence[str], word: str, is_plan: bool, is_unchanged: bool
) -> Iterator[Line]:
    number = len(result["regions"])
    if is_unchanged:
        yield from wrap_text(_UNCHANGED.format(word=word), Tone.BAD)
    elif failed:
        text = f"Monitoring {word} in {number - len(failed)} of {count(number, 'region')}."
        yield from wrap_text(text, Tone.BAD)
    elif is_plan:
        text = f"Check mode: monitoring would be {word} in {count(number, 'region')}."
        yield from wrap_text(text, Tone.GOOD)
    else:
        yield from wrap_text(f"Monitoring {word} in {count(number, 'region')}.", Tone.GOOD)


def _rows(
    result: Mapping[str, Any], failed: Sequence[str], good: Sequence[str], is_plan: bool, word: str
) -> Iterator[Row]:
    outcome = f"would be {word}" if is_plan else word
    yield from (_row(result, region, "failed", Tone.BAD) for region in failed[:MOST_ROWS])
    if len(failed) > MOST_ROWS:
        yield Row({"region": f"{len(failed) - MOST_ROWS} more", "outcome": "failed"}, Tone.BAD)
    if len(result["regions"]) <= MOST_ROWS:
        yield from (_row(result, region, outcome, Tone.PLAIN) for region in good)
    elif good:
        alarms = sum(region in result["log_group_regions"] for region in good)
        cells = {"alarm": str(alarms), "outcome": outcome}
        yield Row({"region": count(len(good), "region"), **cells})


def _warn_of_pending(by_region: Mapping[str, Sequence[Mapping[str, str]]]) -> Iterator[Line]:
    """Yield a warning about subscriptions that are not confirmed, each with its regions."""
    regions_by_subject: dict[str, list[str]] = {}
    for region, subscriptions in by_region.items():
        for subscription in subscriptions:
            regions_by_subject.setdefault(_recipient(subscription), []).append(region)
    if regions_by_subject:
        places = [
            f"{recipient} in {join_texts(regions)}" for recipient, regions in regions_by_subject.items()
        ]
        yield from wrap_text(_UNCONFIRMED.format("; ".join(places)), Tone.WARNING)


def _warn_of_unread(by_region: Mapping[str, Sequence[str]]) -> Iterator[Line]:
    """Yield a warning about trails whose event selectors cannot be read, each with its regions."""
    regions_by_subject: dict[str, list[str]] = {}
    for region, trails in by_region.items():
        for arn in trails:
            regions_by_subject.setdefault(arn, []).append(region)
    if regions_by_subject:
        places = [f"{arn} in {join_texts(regions)}" for arn, regions in regions_by_subject.items()]
        yield from wrap_text(_UNREAD.format("; ".join(places)), Tone.WARNING)


def _recipient(subscription: Mapping[str, str]) -> str:
    """Return protocol and endpoint; of a URL only the host, because the rest can have credentials."""
    endpoint = subscription["endpoint"]
    host = urlsplit(endpoint).hostname if "://" in endpoint else None
    return f"{subscription['protocol']} {host or endpoint}"


def _row(result: Mapping[str, Any], region: str, outcome: str, tone: Tone) -> Row:
    alarm = "yes" if region in result["log_group_regions"] else "-"
    return Row({"region": region, "alarm": alarm, "outcome": outcome}, tone)
