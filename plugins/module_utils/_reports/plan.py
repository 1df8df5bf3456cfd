# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan which files of a report to write: only those whose content has changed, apart from the time.

A report is one JSON file, a directory with all formats, or both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from .._plan import PlanWithoutTargets
from .document import SEVERITIES, WRITTEN_AT, WRITTEN_BY, Changes, Document, count_by_severity
from .formats import JSON, LATEST, NAMES, make_dated_stem, render_all, render_json, replace_stem

_KIND, _CHANGES, _HISTORY = "kind", "changes", "history"
# A year of weekly reports. A report is only added if its content has changed.
_MOST_REPORTS = 52

Content: TypeAlias = Mapping[str, Any]
ChangesOf: TypeAlias = Callable[[Content, Content], Changes]
"""The changes between the content of a previous report, with its ``written_at``, and that of this one."""
Remember: TypeAlias = Callable[[Content, Content], Content]
"""The content of this report, completed by facts that only the run of the previous report knew."""
# A text of tens of megabytes is encoded in parts, so that it is not in memory twice.
_PART = 1_000_000
# The functions above may raise these for a previous report with another structure.
_OTHER_STRUCTURE = (LookupError, TypeError, AttributeError, ValueError)


@dataclass(frozen=True)
class Folder:
    """The directory of a report, and the function that builds the document of its content.

    ``changes`` may raise LookupError, TypeError, AttributeError or ValueError for a previous report with
    another structure, for example of an older version. The report then has no list of changes.

    In a ``dated`` one, the names of files have the time of their report, and ``latest.*`` are copies of the
    latest report that has not failed.
    """

    path: str
    document: Callable[[Content], Document]
    changes: ChangesOf
    dated: bool = False

    def file(self, name: str) -> str:
        """Return the name of the file that the next report is compared with."""
        return replace_stem(LATEST, name) if self.dated else name


@dataclass(frozen=True)
class DesiredReport:
    """A report to write to a file, a directory or both; to neither if the module only returns it.

    ``remember`` may raise the exceptions of ``Folder.changes``; the content then stays as it is. A report
    that has ``failed`` replaces no file of an earlier one that has not.
    """

    path: str | None
    content: Content
    folder: Folder | None = None
    remember: Remember | None = None
    failed: bool = False


@dataclass(frozen=True)
class CurrentReport:
    """The existing files of a report, and the time (ISO 8601, UTC).

    ``text`` is the content of the single file, ``report`` that of the directory's JSON file; None if the file
    does not exist. ``digests`` are of the directory's other files, by name: the files can have 50 MB.
    ``unreadable`` is the error of the JSON file, if any. ``page`` has the files that the page is made of,
    ``written_by`` the caller and the versions of this run, which are no part of the content.
    """

    text: str | None
    now: str
    report: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    unreadable: str = ""
    page: Mapping[str, str] = field(default_factory=dict)
    written_by: Mapping[str, str] = field(default_factory=dict)


def digest(content: str | bytes) -> str:
    """Return the digest of a file's content; a text is encoded as UTF-8."""
    hashed = hashlib.sha256()
    for start in range(0, len(content), _PART):
        part = content[start : start + _PART]
        hashed.update(part.encode("utf-8") if isinstance(part, str) else part)
    return hashed.hexdigest()


@dataclass(frozen=True)
class WriteFile:
    """The action that writes a text to a file."""

    path: str
    text: str

    def to_dict(self) -> dict[str, str | None]:
        """Return the action as modules return it in ``actions``."""
        return {"account_id": None, "action": "write", "region": None, "resource": self.path}


@dataclass(frozen=True)
class ReportPlan(PlanWithoutTargets):
    """The plan of a report: the files to write, the content before and after, the ``changes`` it lists.

    ``files`` are the names of the report's files in the directory.
    """

    changes: Changes | None = None
    files: tuple[str, ...] = ()


def plan(desired: DesiredReport, current: CurrentReport) -> ReportPlan:
    """Plan to write the files that do not exist, have other content, or cannot be read."""
    desired = replace(desired, content=_complete_content(desired, current))
    if desired.folder is None:
        return _plan_file(desired, current)
    folder = _plan_folder(desired.folder, desired, current)
    if desired.path is None:
        return folder
    file = _plan_file(desired, current)
    # Both have the same content unless one was edited: the diff shows the one that is written.
    return replace(
        folder, actions=(*file.actions, *folder.actions), before=(file if file.actions else folder).before
    )


def _complete_content(desired: DesiredReport, current: CurrentReport) -> Content:
    content = desired.content
    if desired.remember is None:
        return content
    for previous in (_parse_report(current.text), _parse_report(current.report)):
        if previous is not None:
            with suppress(*_OTHER_STRUCTURE):
                content = desired.remember(previous, content)
    return content


def _plan_file(desired: DesiredReport, current: CurrentReport) -> ReportPlan:
    report = _parse_report(current.text)
    before = None if report is None else _strip_keys(report)
    if desired.path is None or before == desired.content:
        return ReportPlan(actions=(), before=desired.content, after=desired.content)
    text = render_json({WRITTEN_AT: current.now, WRITTEN_BY: current.written_by, **desired.content})
    return ReportPlan(actions=(WriteFile(desired.path, text),), before=before or {}, after=desired.content)


def _plan_folder(folder: Folder, desired: DesiredReport, current: CurrentReport) -> ReportPlan:
    """Plan the files of a directory; a missing one gets the time at which the content last changed."""
    content = desired.content
    # Equal contents share their values before more is built: each can have 50 MB.
    current_report = _share_content(_parse_report(current.report), content)
    document = folder.document(content)
    previous, warnings = _previous(folder, document.kind, current, current_report)
    before = None if previous is None else _strip_folder_keys(previous)
    if previous is not None and before == content and not desired.failed:
        written_at, changes = previous[WRITTEN_AT], _changes_in(previous)
        written_by = _writer_in(previous)
    else:
        written_by = current.written_by
        written_at, (changes, not_comparable) = current.now, _changes_since(folder, previous, content)
        warnings += not_comparable
    earlier = tuple(entry for entry in _history_in(previous) if entry[0] != written_at)
    history = (*earlier, (written_at, count_by_severity(document.items)))[-_MOST_REPORTS:]
    report = {
        WRITTEN_AT: written_at,
        WRITTEN_BY: written_by,
        _KIND: document.kind,
        _CHANGES: None if changes is None else changes.to_dict(),
        _HISTORY: [{WRITTEN_AT: time, "counts": counts} for time, counts in history],
        **content,
    }
    stem, is_new = make_dated_stem(written_at, desired.failed), previous != report
    dated: dict[str, str] = {}
    outdated: dict[str, str] = {}
    document = replace(document, changes=changes, history=history, written_by=written_by)
    for name, text in render_all(document, written_at, current.page):
        if folder.dated and is_new:
            dated[replace_stem(stem, name)] = text
        if not desired.failed and current.digests.get(name) != digest(text):
            outdated[folder.file(name)] = text
        # The next text is built while this variable keeps the previous one.
        del text
    # The next run compares the JSON file. It is written last, so that a rerun completes an interrupted run.
    if is_new:
        text = render_json(report)
        dated |= {replace_stem(stem, JSON): text} if folder.dated else {}
        outdated |= {} if desired.failed else {folder.file(JSON): text}
    return ReportPlan(
        actions=tuple(
            WriteFile(f"{folder.path.rstrip('/')}/{name}", text) for name, text in (dated | outdated).items()
        ),
        before=before or {},
        after=content,
        warnings=warnings,
        changes=changes,
        files=(
            *(replace_stem(stem, name) for name in NAMES if folder.dated),
            *(folder.file(name) for name in NAMES if not desired.failed),
        ),
    )


def _share_content(report: dict[str, Any] | None, content: Content) -> dict[str, Any] | None:
    """Return the report, which takes the values of ``content`` if it has equal content."""
    if report is None or _strip_folder_keys(report) != content:
        return report
    return {**report, **content}


def _strip_folder_keys(report: Content) -> dict[str, Any]:
    return _strip_keys(report, _KIND, _CHANGES, _HISTORY)


def _previous(
    folder: Folder, kind: str, current: CurrentReport, current_report: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """Return the directory's previous report, and a warning if the file cannot be compared."""
    if current.report is None and not current.unreadable:
        return None, ()
    if current.unreadable:
        problem = f"cannot be read: {current.unreadable}"
    elif current_report is None:
        problem = "is not a JSON report"
    elif current_report.get(_KIND) != kind or not isinstance(current_report.get(WRITTEN_AT), str):
        problem = f"is not a report of this kind ({kind})"
    else:
        return current_report, ()
    return None, (_warning(folder, problem),)


def _changes_since(
    folder: Folder, previous: Content | None, content: Content
) -> tuple[Changes | None, tuple[str, ...]]:
    if previous is None:
        return None, ()
    try:
        return folder.changes(previous, content), ()
    except _OTHER_STRUCTURE:
        return None, (_warning(folder, "has another structure, possibly of another version"),)


def _changes_in(report: Content) -> Changes | None:
    """Return the changes that a previous report lists; None without valid ones."""
    entries = report.get(_CHANGES)
    if not isinstance(entries, dict):
        return None
    added, removed = entries.get("added"), entries.get("removed")
    if not isinstance(added, list) or not isinstance(removed, list):
        return None
    since, note = str(entries.get("since")), str(entries.get("note") or "")
    return Changes(since, tuple(map(str, added)), tuple(map(str, removed)), note)


def _writer_in(report: Content) -> Mapping[str, str]:
    """Return the caller and the versions of a previous report; empty for a report without them."""
    writer = report.get(WRITTEN_BY)
    return {str(name): str(value) for name, value in writer.items()} if isinstance(writer, dict) else {}


def _history_in(report: Content | None) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield the time and the findings by severity of each report in a previous report's history."""
    entries = report.get(_HISTORY) if report is not None else None
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        time, counts = entry.get(WRITTEN_AT), entry.get("counts")
        if isinstance(time, str) and isinstance(counts, dict):
            yield time, {name: counts[name] for name in SEVERITIES if _is_count(counts.get(name))}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _warning(folder: Folder, problem: str) -> str:
    path = f"{folder.path.rstrip('/')}/{folder.file(JSON)}"
    return f"{path} {problem}. It is replaced, and the new report lists no changes."


def _parse_report(text: str | None) -> dict[str, Any] | None:
    """Return the report in a text; None if the text is not a JSON object."""
    try:
        report = json.loads(text) if text is not None else None
    except (json.JSONDecodeError, RecursionError):
        return None
    return report if isinstance(report, dict) else None


def _strip_keys(report: Content, *further: str) -> dict[str, Any]:
    """Return the content of a report, without its time, its writer and the ``further`` keys."""
    return {key: value for key, value in report.items() if key not in (WRITTEN_AT, WRITTEN_BY, *further)}
