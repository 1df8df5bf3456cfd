# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides whether a report file is to be written: only when what it says has changed, times aside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..failures import Failure

WRITTEN_AT = "written_at"


@dataclass(frozen=True)
class ReportWanted:
    """The report, and the file it goes to; None if it is only to be returned."""

    path: str | None
    content: Mapping[str, Any]


@dataclass(frozen=True)
class ReportSeen:
    """What the file holds, None if it does not exist, and the time (ISO 8601, UTC)."""

    text: str | None
    now: str


@dataclass(frozen=True)
class WriteFile:
    """The action of writing a text to a file."""

    path: str
    text: str

    def as_result(self) -> dict[str, str | None]:
        """The action as modules list it in ``actions``."""
        return {"account_id": None, "action": "write", "region": None, "resource": self.path}


@dataclass(frozen=True)
class ReportPlan:
    """Whether the file is written, and what it says before and after."""

    actions: tuple[WriteFile, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    refusals: tuple[Failure, ...] = ()
    tolerated: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()


def plan(wanted: ReportWanted, seen: ReportSeen) -> ReportPlan:
    """Write if there is no report yet, if it says something else, or if it cannot be read."""
    before = _content(seen.text)
    if wanted.path is None or before == wanted.content:
        return ReportPlan((), before=wanted.content, after=wanted.content)
    text = json.dumps({WRITTEN_AT: seen.now, **wanted.content}, indent=2, sort_keys=True) + "\n"
    return ReportPlan((WriteFile(wanted.path, text),), before=before or {}, after=wanted.content)


def _content(text: str | None) -> dict[str, Any] | None:
    """What an earlier report says, without its time; None if there is none or it is no report."""
    try:
        report = json.loads(text) if text is not None else None
    except json.JSONDecodeError:
        return None
    return (
        {key: value for key, value in report.items() if key != WRITTEN_AT}
        if isinstance(report, dict)
        else None
    )
