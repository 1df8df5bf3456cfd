# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ``diagnose`` displays and passes to the next job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..reports.document import Column
from ..reports.screen import (
    Line,
    Row,
    Screen,
    Tone,
    collapsed,
    counted,
    failures,
    limited,
    module_message,
    one_message,
    sentence,
    table,
)

_COLUMNS = (
    Column("region", "region"),
    Column("account", "account"),
    Column("image", "image"),
    Column("can_launch", "can launch"),
    Column("findings", "findings"),
)
# Where the problems are that are not shown: the role has no report.
_REST = "the facts diagnose_findings and diagnose_failures"

Result = Mapping[str, Any]


def screen(result: Mapping[str, Any], context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Show the accounts that cannot launch an image, and why; those that can are one row if many.

    ``result`` is that of ``ami_share_diagnose``. ``context`` has the ``status``.
    """
    diagnosed = result.get("results") or ()
    bad = [one for one in diagnosed if one["can_launch"] != "yes"]
    good = [one for one in diagnosed if one["can_launch"] == "yes"]
    blocking = [
        one for diagnosis in bad for one in diagnosis["findings"] if one["blocks_launch"] != "harmless"
    ]
    # With fail_on, findings are failures, too.
    messages = {one["message"] for one in blocking}
    rest = report_path or _REST
    message = one_message([module_message(result, rest)], rest)
    others = [one for one in result.get("failures") or () if not _is_known(one, messages)]
    lines = (
        *_headline(diagnosed, bad, context["status"]),
        *table(_COLUMNS, tuple(collapsed(list(map(_row, bad)), list(map(_row, good))))),
        *failures([*_named(blocking), *others], rest, message),
    )
    artifacts = {
        "failed_regions": sorted({one["region"] for one in bad}),
        "report_path": report_path,
        "status": context["status"],
    }
    return Screen(lines, limited(artifacts), message)


def _headline(diagnosed: Sequence[Result], bad: Sequence[Result], status: str) -> Iterator[Line]:
    accounts = counted(len({one["account_id"] for one in diagnosed}), "account")
    regions = counted(len({one["region"] for one in diagnosed}), "region")
    if not diagnosed:
        yield from sentence("Nothing was diagnosed.", Tone.BAD)
    elif bad:
        launches = counted(len(diagnosed), "launch")
        text = f"{len(bad)} of {launches} blocked or not certain: {accounts}, {regions}."
        yield from sentence(text, Tone.BAD)
    else:
        tone = Tone.GOOD if status == "clean" else Tone.WARNING
        yield from sentence(f"Nothing blocks a launch: {accounts}, {regions}.", tone)


def _row(one: Result) -> Row:
    codes = dict.fromkeys(finding["code"] for finding in one["findings"])
    cells = {
        "region": one["region"],
        "account": one["account_id"],
        "image": one["image_id"] or "(new)",
        "can_launch": one["can_launch"],
        "findings": ", ".join(codes),
    }
    tones = {"no": Tone.BAD, "unknown": Tone.WARNING}
    return Row(cells, tones.get(one["can_launch"], Tone.PLAIN))


def _named(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return findings with their account in the message, which most have already."""
    return [{**one, "message": _with_account(one["message"], one["account_id"])} for one in found]


def _with_account(message: str, account_id: str) -> str:
    return message if account_id in message else f"{account_id}: {message}"


def _is_known(failure: Mapping[str, Any], messages: set[str]) -> bool:
    return failure["message"] in messages
