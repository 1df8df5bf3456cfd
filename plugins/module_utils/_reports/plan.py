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
from .document import SEVERITIES, WRITTEN_AT, Changes, Document, counts_of
from .formats import JSON, LATEST, NAMES, dated_stem, json_text, render_all, with_stem

_KIND, _CHANGES, _HISTORY = "kind", "changes", "history"
# A year of weekly reports. A report is only added if its content has changed.
_MOST_REPORTS = 52

Content: TypeAlias = Mapping[str, Any]
ChangesOf: TypeAlias = Callable[[Content, Content], Changes]
"""The changes between the content of a previous report, with its ``written_at``, and that of this one."""
Remember: TypeAlias = Callable[[Content, Content], Content]
"""The content of this report with what only the run that wrote the previous report could know."""
# Encoded at once, a text of tens of megabytes would be in memory twice.
_PART = 1_000_000
# What such functions may raise for a previous report with another structure.
_OTHER_STRUCTURE = (LookupError, TypeError, AttributeError, ValueError)


@dataclass(frozen=True)
class Folder:
    """The directory of a report, and what makes the document for its formats from the content.

    ``changes`` may raise LookupError, TypeError, AttributeError or ValueError for a previous report with
    another structure, for example of an older version. The report then has no list of changes.

    If it is ``dated``, each report has files of its own, named by its time, and ``latest.*`` are copies of
    those of the latest one that has not failed.
    """

    path: str
    document: Callable[[Content], Document]
    changes: ChangesOf
    dated: bool = False

    def file(self, name: str) -> str:
        """Return the name of the file that the next report is compared with."""
        return with_stem(LATEST, name) if self.dated else name


@dataclass(frozen=True)
class ReportWanted:
    """The report and its file, directory or both; neither if the module only returns it.

    ``remember`` may raise what ``Folder.changes`` may; the content is then not completed. A report that has
    ``failed`` replaces no file of an earlier one that has not.
    """

    path: str | None
    content: Content
    folder: Folder | None = None
    remember: Remember | None = None
    failed: bool = False


@dataclass(frozen=True)
class ReportSeen:
    """The existing files, and the time (ISO 8601, UTC).

    ``text`` is the content of the single file, ``report`` that of the directory's JSON file, None if there is
    no such file. ``digests`` are those of the directory's other files, by name: the files can have 50 MB.
    ``unreadable`` is the error of its JSON file, if any. ``page`` has the files that the page is made of.
    """

    text: str | None
    now: str
    report: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    unreadable: str = ""
    page: Mapping[str, str] = field(default_factory=dict)


def digest(content: str | bytes) -> str:
    """Return the digest of a file's content, of a text as UTF-8."""
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
    """The files to write, the content before and after, and the ``changes`` that the report lists.

    ``files`` are the names of the files in the directory that have this report.
    """

    changes: Changes | None = None
    files: tuple[str, ...] = ()


def plan(wanted: ReportWanted, seen: ReportSeen) -> ReportPlan:
    """Write the files that do not exist, have other content, or cannot be read."""
    wanted = replace(wanted, content=_remembered(wanted, seen))
    if wanted.folder is None:
        return _plan_file(wanted, seen)
    folder = _plan_folder(wanted.folder, wanted, seen)
    if wanted.path is None:
        return folder
    file = _plan_file(wanted, seen)
    # Both have the same content unless one was edited: the diff shows the one that is written.
    return replace(
        folder, actions=(*file.actions, *folder.actions), before=(file if file.actions else folder).before
    )


def _remembered(wanted: ReportWanted, seen: ReportSeen) -> Content:
    content = wanted.content
    if wanted.remember is None:
        return content
    for previous in (_loaded(seen.text), _loaded(seen.report)):
        if previous is not None:
            with suppress(*_OTHER_STRUCTURE):
                content = wanted.remember(previous, content)
    return content


def _plan_file(wanted: ReportWanted, seen: ReportSeen) -> ReportPlan:
    report = _loaded(seen.text)
    before = None if report is None else _content(report)
    if wanted.path is None or before == wanted.content:
        return ReportPlan(actions=(), before=wanted.content, after=wanted.content)
    text = json_text({WRITTEN_AT: seen.now, **wanted.content})
    return ReportPlan(actions=(WriteFile(wanted.path, text),), before=before or {}, after=wanted.content)


def _plan_folder(folder: Folder, wanted: ReportWanted, seen: ReportSeen) -> ReportPlan:
    """Return the files to write; a missing one gets the time at which the content of the report changed."""
    content = wanted.content
    # Before the document and the texts: of two equal contents, which can have 50 MB, only one is kept.
    existing = _without_second_content(_loaded(seen.report), content)
    document = folder.document(content)
    previous, warnings = _previous(folder, document.kind, seen, existing)
    before = None if previous is None else _folder_content(previous)
    if previous is not None and before == content and not wanted.failed:
        written_at, changes = previous[WRITTEN_AT], _changes_in(previous)
    else:
        written_at, (changes, not_comparable) = seen.now, _changes_since(folder, previous, content)
        warnings += not_comparable
    earlier = tuple(entry for entry in _history_in(previous) if entry[0] != written_at)
    history = (*earlier, (written_at, counts_of(document.items)))[-_MOST_REPORTS:]
    report = {
        WRITTEN_AT: written_at,
        _KIND: document.kind,
        _CHANGES: None if changes is None else changes.to_dict(),
        _HISTORY: [{WRITTEN_AT: time, "counts": counts} for time, counts in history],
        **content,
    }
    stem, is_new = dated_stem(written_at, wanted.failed), previous != report
    dated: dict[str, str] = {}
    outdated: dict[str, str] = {}
    document = replace(document, changes=changes, history=history)
    for name, text in render_all(document, written_at, seen.page):
        if folder.dated and is_new:
            dated[with_stem(stem, name)] = text
        if not wanted.failed and seen.digests.get(name) != digest(text):
            outdated[folder.file(name)] = text
        # Otherwise it would stay in memory until the next one is made.
        del text
    # The next run compares the JSON file. It is written last, so that a rerun completes an interrupted run.
    if is_new:
        text = json_text(report)
        dated |= {with_stem(stem, JSON): text} if folder.dated else {}
        outdated |= {} if wanted.failed else {folder.file(JSON): text}
    return ReportPlan(
        actions=tuple(
            WriteFile(f"{folder.path.rstrip('/')}/{name}", text) for name, text in (dated | outdated).items()
        ),
        before=before or {},
        after=content,
        warnings=warnings,
        changes=changes,
        files=(
            *(with_stem(stem, name) for name in NAMES if folder.dated),
            *(folder.file(name) for name in NAMES if not wanted.failed),
        ),
    )


def _without_second_content(report: dict[str, Any] | None, content: Content) -> dict[str, Any] | None:
    """Return the report; if its content equals the given one, with the values of that instead of its own."""
    if report is None or _folder_content(report) != content:
        return report
    return {**report, **content}


def _folder_content(report: Content) -> dict[str, Any]:
    return _content(report, _KIND, _CHANGES, _HISTORY)


def _previous(
    folder: Folder, kind: str, seen: ReportSeen, existing: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """Return the directory's previous report, and a warning if what is there cannot be compared."""
    if seen.report is None and not seen.unreadable:
        return None, ()
    if seen.unreadable:
        problem = f"cannot be read: {seen.unreadable}"
    elif existing is None:
        problem = "is not a JSON report"
    elif existing.get(_KIND) != kind or not isinstance(existing.get(WRITTEN_AT), str):
        problem = f"is not a report of this kind ({kind})"
    else:
        return existing, ()
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
    """Return the changes that a previous report lists; None if it lists none, or they are not valid."""
    listed = report.get(_CHANGES)
    if not isinstance(listed, dict):
        return None
    added, removed = listed.get("added"), listed.get("removed")
    if not isinstance(added, list) or not isinstance(removed, list):
        return None
    return Changes(str(listed.get("since")), tuple(map(str, added)), tuple(map(str, removed)))


def _history_in(report: Content | None) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield the time and findings by severity of the valid reports that a previous report lists."""
    listed = report.get(_HISTORY) if report is not None else None
    for entry in listed if isinstance(listed, list) else ():
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


def _loaded(text: str | None) -> dict[str, Any] | None:
    """Return the report in a text; None if the text is not a JSON object."""
    try:
        report = json.loads(text) if text is not None else None
    except (json.JSONDecodeError, RecursionError):
        return None
    return report if isinstance(report, dict) else None


def _content(report: Content, *further: str) -> dict[str, Any]:
    """Return the content of a report, without its time and the ``further`` keys."""
    return {key: value for key, value in report.items() if key not in (WRITTEN_AT, *further)}
