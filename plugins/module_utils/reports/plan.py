# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides which files of a report are to be written: only when what it says has changed, times aside.

A report is one JSON file, or a folder with all its forms, or both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from ..plan import ReadOnlyPlan
from .document import Changes, Document
from .formats import JSON, json_text, render_all

WRITTEN_AT = "written_at"
_KIND, _CHANGES = "kind", "changes"

Content: TypeAlias = Mapping[str, Any]
ChangesOf: TypeAlias = Callable[[Content, Content], Changes]
"""What has changed between what an earlier report said, ``written_at`` included, and what this one says."""


@dataclass(frozen=True)
class Folder:
    """Where all forms of a report go, and how to make them.

    ``changes`` may raise LookupError, TypeError, AttributeError or ValueError for an earlier report of
    another shape, one of an older version, say. It is then treated as if there were none.
    """

    path: str
    document: Document
    changes: ChangesOf | None = None


@dataclass(frozen=True)
class ReportWanted:
    """The report, and where it goes: a file, a folder, both; neither if it is only to be returned."""

    path: str | None
    content: Content
    folder: Folder | None = None


@dataclass(frozen=True)
class ReportSeen:
    """What is there, and the time (ISO 8601, UTC).

    ``text`` is what the single file holds and ``files`` what the folder's files hold by their names; None and
    missing where there is no such file. ``unreadable`` is why the folder's JSON file cannot be read, if so.
    """

    text: str | None
    now: str
    files: Mapping[str, str] = field(default_factory=dict)
    unreadable: str = ""


@dataclass(frozen=True)
class WriteFile:
    """The action of writing a text to a file."""

    path: str
    text: str

    def as_result(self) -> dict[str, str | None]:
        """The action as modules list it in ``actions``."""
        return {"account_id": None, "action": "write", "region": None, "resource": self.path}


@dataclass(frozen=True)
class ReportPlan(ReadOnlyPlan):
    """Which files are written, what the report says before and after, and the ``changes`` that it tells."""

    changes: Changes | None = None


def plan(wanted: ReportWanted, seen: ReportSeen) -> ReportPlan:
    """Write what does not exist yet, says something else, or cannot be read."""
    if wanted.folder is None:
        return _of_file(wanted, seen)
    folder = _of_folder(wanted.folder, wanted.content, seen)
    if wanted.path is None:
        return folder
    file = _of_file(wanted, seen)
    # The two say the same unless somebody has changed one of them: the diff shows the one that is written.
    return replace(
        folder, actions=(*file.actions, *folder.actions), before=(file if file.actions else folder).before
    )


def _of_file(wanted: ReportWanted, seen: ReportSeen) -> ReportPlan:
    report = _loaded(seen.text)
    before = None if report is None else _said(report)
    if wanted.path is None or before == wanted.content:
        return ReportPlan(actions=(), before=wanted.content, after=wanted.content)
    text = json_text({WRITTEN_AT: seen.now, **wanted.content})
    return ReportPlan(actions=(WriteFile(wanted.path, text),), before=before or {}, after=wanted.content)


def _of_folder(folder: Folder, content: Content, seen: ReportSeen) -> ReportPlan:
    """Forms that are missing are made as they were: as of the time at which the report last changed."""
    earlier, warnings = _earlier(folder, seen)
    before = None if earlier is None else _said(earlier, _KIND, _CHANGES)
    if earlier is not None and before == content:
        written_at, changes = earlier[WRITTEN_AT], _changes_in(earlier)
    else:
        written_at, (changes, unlike) = seen.now, _changes_since(folder, earlier, content)
        warnings += unlike
    report = {
        WRITTEN_AT: written_at,
        _KIND: folder.document.kind,
        _CHANGES: None if changes is None else changes.as_result(),
        **content,
    }
    texts = render_all(replace(folder.document, changes=changes), written_at)
    wrong = {name: text for name, text in texts.items() if seen.files.get(name) != text}
    # The one that says whether anything has changed is last: what is interrupted before is done again.
    if _loaded(seen.files.get(JSON)) != report:
        wrong[JSON] = json_text(report)
    return ReportPlan(
        actions=tuple(WriteFile(f"{folder.path.rstrip('/')}/{name}", text) for name, text in wrong.items()),
        before=before or {},
        after=content,
        warnings=warnings,
        changes=changes,
    )


def _earlier(folder: Folder, seen: ReportSeen) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """The folder's earlier report and, if there is none that can be used, why not."""
    text = seen.files.get(JSON)
    if text is None and not seen.unreadable:
        return None, ()
    report = _loaded(text)
    if seen.unreadable:
        problem = f"cannot be read: {seen.unreadable}"
    elif report is None:
        problem = "is not JSON that a report could be"
    elif report.get(_KIND) != folder.document.kind or not isinstance(report.get(WRITTEN_AT), str):
        problem = f"is no report of this kind ({folder.document.kind})"
    else:
        return report, ()
    return None, (_warning(folder, problem),)


def _changes_since(
    folder: Folder, earlier: Content | None, content: Content
) -> tuple[Changes | None, tuple[str, ...]]:
    if earlier is None or folder.changes is None:
        return None, ()
    try:
        return folder.changes(earlier, content), ()
    except (LookupError, TypeError, AttributeError, ValueError):
        return None, (_warning(folder, "has another shape, that of another version perhaps"),)


def _changes_in(report: Content) -> Changes | None:
    """The changes that an earlier report tells; None if it tells none, or not as it should."""
    told = report.get(_CHANGES)
    if not isinstance(told, dict):
        return None
    added, gone = told.get("added"), told.get("removed")
    if not isinstance(added, list) or not isinstance(gone, list):
        return None
    return Changes(str(told.get("since")), tuple(map(str, added)), tuple(map(str, gone)))


def _warning(folder: Folder, problem: str) -> str:
    told = "It is replaced, and the new report does not say what has changed since."
    return f"{folder.path.rstrip('/')}/{JSON} {problem}. {told}"


def _loaded(text: str | None) -> dict[str, Any] | None:
    """The report in a text; None if there is none."""
    try:
        report = json.loads(text) if text is not None else None
    except (json.JSONDecodeError, RecursionError):
        return None
    return report if isinstance(report, dict) else None


def _said(report: Content, *further: str) -> dict[str, Any]:
    """What a report says, without its time and what else is not part of it."""
    return {key: value for key, value in report.items() if key not in (WRITTEN_AT, *further)}
