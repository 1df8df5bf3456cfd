# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text that the role ``adoption`` displays, and the artifacts for the next job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._listing import count
from .._reports.document import SEVERITIES, Column
from .._reports.screen import (
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
from .causes import UNREADABLE
from .content import count_behind, count_others, describe_denied, describe_uses, list_current

_MOST = 8
_COLUMNS = (
    Column("account_id", "account"),
    Column("behind", "behind", numeric=True),
    Column("denied", "denied", numeric=True),
    Column("current", "current", numeric=True),
    Column("release", "worst release"),
    Column("releases_behind", "newer", numeric=True),
    Column("since", "since or why"),
    Column("owners", "owner"),
)
_HEADS = {
    "incomplete": ("Incomplete", Tone.BAD),
    "behind": ("Behind", Tone.WARNING),
    "unknown": ("Not known", Tone.WARNING),
    "current": ("Up to date", Tone.GOOD),
    "unused": ("Not used", Tone.WARNING),
    "unreported": ("Not reported", Tone.WARNING),
}


def screen(report: Mapping[str, Any], context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Return the counts, the accounts furthest behind, what could not be read, and the changes.

    ``report`` and the ``changes`` in ``context`` are those of ``ami_adoption``. Its ``failures`` are those of
    the module, including findings that fail the role.
    """
    rest = report_path or "the fact adoption_report"
    failed = [
        _omit_place(failure) if failure["action"] == "fail_on" else failure
        for failure in context.get("failures") or ()
    ]
    head, tone = _HEADS[report["status"]]
    text = f"{head}: {_counts(report)}"
    failure = format_failure_message(text, failed, rest) if failed else ""
    behind = [account for account in report["accounts"] if account["worst"] is not None]
    lines = (
        *_format_denied(report),
        *wrap_text(text, tone),
        *_format_current(report),
        *format_table(_COLUMNS, [_row(account) for account in behind[:_MOST]]),
        *_count_rest(len(behind) - _MOST),
        *format_failures(report["failures"], rest, failure),
        *format_failures(_findings(report), rest, failure, Tone.PLAIN),
        *format_changes(context.get("changes"), report_path),
        *(line for sentence in report["not_looked_at"] for line in wrap_text(sentence)),
        *_format_limits(report["limits"]),
        *format_report_path(report_path),
    )
    return Screen(lines, limit_artifacts(_artifacts(report, report_path)), failure)


def _counts(report: Mapping[str, Any]) -> str:
    totals, accounts = report["totals"], report["accounts"]
    unread = sum(bool(account["unread_regions"]) for account in accounts)
    texts = [
        describe_uses(report),
        count_behind(report),
        f"{totals['unknown']:,} unknown" if totals["unknown"] else "",
        f"{unread:,} of {count(len(accounts), 'account')} not read, or only in part" if unread else "",
        count_others(report),
    ]
    return f"{', '.join(text for text in texts if text)}."


def _format_denied(report: Mapping[str, Any]) -> Iterator[Line]:
    for text, is_used in describe_denied(report):
        yield from wrap_text(text, Tone.BAD if is_used else Tone.PLAIN)


def _format_current(report: Mapping[str, Any]) -> Iterator[Line]:
    for family, text in list_current(report):
        yield from wrap_text(f"Current release of {family}: {text}.")


def _findings(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the findings about uses, the worst first."""
    return [
        _omit_place(finding)
        for finding in sorted(report["findings"], key=lambda finding: SEVERITIES.index(finding["severity"]))
        if finding["code"] != UNREADABLE.code
    ]


def _omit_place(finding: Mapping[str, Any]) -> dict[str, Any]:
    """Return a finding, or the failure for one, without its place, which its message names."""
    return {"message": finding["message"], "remedy": finding["remedy"]}


def _format_limits(limits: Sequence[str]) -> Iterator[Line]:
    """Yield what the depth never shows, without the explanations in brackets."""
    if limits:
        yield from wrap_text(f"Not looked at: {'; '.join(limit.partition(' (')[0] for limit in limits)}.")


def _row(account: Mapping[str, Any]) -> Row:
    worst = account["worst"]
    since = worst["withdrawn"] or (worst["behind_since"] or "")[:10]
    cells = {
        "account_id": account["account_id"],
        "behind": account["behind"],
        "denied": account["denied"] or "",
        "current": account["current"],
        "release": worst["release"] or worst["image_name"] or worst["image_id"],
        "releases_behind": worst["releases_behind"],
        "since": since,
        "owners": ", ".join(account["owners"][:1]),
    }
    return Row(cells, Tone.BAD if account["denied"] or worst["withdrawn"] else Tone.WARNING)


def _count_rest(number: int) -> Iterator[Line]:
    if number > 0:
        yield from wrap_text(f"and {count(number, 'more account')} behind")


def _artifacts(report: Mapping[str, Any], report_path: str | None) -> dict[str, Any]:
    accounts = report["accounts"]
    return {
        # AWX would write account IDs in a list so that Ansible reads them as numbers.
        "behind_accounts": json.dumps([each["account_id"] for each in accounts if each["behind"]]),
        "counts": dict(report["counts"]),
        "report_path": report_path,
        "status": report["status"],
        "totals": dict(report["totals"]),
        "unread_accounts": json.dumps([each["account_id"] for each in accounts if each["unread_regions"]]),
    }
