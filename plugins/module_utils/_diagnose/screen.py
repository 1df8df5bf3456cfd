# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text that the role ``diagnose`` displays, and the artifacts for the next job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._finding import UNREADABLE
from .._listing import count
from .._reports.command import fits_screen
from .._reports.document import Column
from .._reports.screen import (
    Line,
    Row,
    Screen,
    Tone,
    collapse_rows,
    format_failures,
    format_table,
    limit_artifacts,
    read_module_message,
    wrap_text,
)
from .commands import render_fixes

_COLUMNS = (
    Column("region", "region"),
    Column("account", "account"),
    Column("image", "image"),
    Column("can_launch", "can launch"),
    Column("findings", "findings"),
)
# The place of the problems that are not shown: the role has no report.
_REST = "the facts diagnose_findings and diagnose_failures"

_EFFECTS = ("blocking", "unknown", "harmless")

_BEFORE_COMMANDS = (
    "To see the changes that fix this, with the credentials of the images' account (without --check, they "
    "are made):"
)
_MOST_COMMANDS = 2

Result = Mapping[str, Any]


def screen(result: Mapping[str, Any], context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Return the screen: the accounts that cannot launch an image, and why; many others are one row.

    ``result`` is the result of ``ami_share_diagnose``. ``context`` has, if one was
    diagnosed, the ``parameter``.
    """
    diagnosed = result.get("results") or ()
    status = _name_status(diagnosed)
    bad = [launch for launch in diagnosed if launch["can_launch"] != "yes"]
    good = [launch for launch in diagnosed if launch["can_launch"] == "yes"]
    blocking = [
        finding for launch in bad for finding in launch["findings"] if finding["blocks_launch"] != "harmless"
    ]
    # With fail_on, findings are failures, too.
    messages = {finding["message"] for finding in blocking}
    rest = report_path or _REST
    message = read_module_message(result, rest)
    others = [failure for failure in result.get("failures") or () if failure["message"] not in messages]
    lines = (
        *_headline(diagnosed, bad, status),
        *format_table(_COLUMNS, tuple(collapse_rows(list(map(_row, bad)), list(map(_row, good))))),
        *format_failures([*_add_accounts(blocking), *others], rest, message),
        *_format_commands(bad, context.get("parameter")),
    )
    artifacts = {
        "failed_regions": sorted({launch["region"] for launch in bad}),
        "report_path": report_path,
        "status": status,
    }
    return Screen(lines, limit_artifacts(artifacts), message)


def _name_status(diagnosed: Sequence[Result]) -> str:
    if not diagnosed:
        return "failed"
    findings = [finding for launch in diagnosed for finding in launch["findings"]]
    if any(item["code"] in UNREADABLE and item["blocks_launch"] != "harmless" for item in findings):
        return "incomplete"
    return "clean" if all(launch["can_launch"] == "yes" for launch in diagnosed) else "findings"


def _headline(diagnosed: Sequence[Result], bad: Sequence[Result], status: str) -> Iterator[Line]:
    accounts = count(len({launch["account_id"] for launch in diagnosed}), "account")
    regions = count(len({launch["region"] for launch in diagnosed}), "region")
    if not diagnosed:
        yield from wrap_text("Nothing was diagnosed.", Tone.BAD)
    elif bad:
        launches = count(len(diagnosed), "launch")
        text = f"{len(bad)} of {launches} blocked or not certain: {accounts}, {regions}."
        yield from wrap_text(text, Tone.BAD)
    else:
        tone = Tone.GOOD if status == "clean" else Tone.WARNING
        yield from wrap_text(f"Nothing blocks a launch: {accounts}, {regions}.", tone)


def _format_commands(bad: Sequence[Result], parameter: str | None) -> Iterator[Line]:
    """Yield the commands that give the accounts what they lack; of many, the first."""
    places = [
        {"code": finding["code"], **{key: launch[key] for key in ("account_id", "image_id", "region")}}
        for launch in bad
        for finding in launch["findings"]
    ]
    commands = list(filter(fits_screen, render_fixes(places, parameter)))
    if commands:
        yield from wrap_text(_BEFORE_COMMANDS)
    for command in commands[:_MOST_COMMANDS]:
        yield from (Line(text) for text in command.splitlines())


def _row(launch: Result) -> Row:
    # A long cell is cut: the code of what blocks the launch stands first.
    findings = sorted(launch["findings"], key=lambda finding: _EFFECTS.index(finding["blocks_launch"]))
    codes = dict.fromkeys(finding["code"] for finding in findings)
    cells = {
        "region": launch["region"],
        "account": launch["account_id"],
        "image": launch["image_id"] or "(new)",
        "can_launch": launch["can_launch"],
        "findings": ", ".join(codes),
    }
    tones = {"no": Tone.BAD, "unknown": Tone.WARNING}
    return Row(cells, tones.get(launch["can_launch"], Tone.PLAIN))


def _add_accounts(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the findings with their account in the message, which most messages already name."""
    return [{**item, "message": _add_account(item["message"], item["account_id"])} for item in findings]


def _add_account(message: str, account_id: str) -> str:
    return message if account_id in message else f"{account_id}: {message}"
