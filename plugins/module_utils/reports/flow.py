# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules that report: files say what something came to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..failures import Failure, Refused, invalid_option
from ..progress import Report
from ..runner import Flow, Outcome
from .document import Document
from .formats import JSON, NAMES
from .html.render import MISSING
from .plan import ChangesOf, Folder, ReportPlan, ReportSeen, ReportWanted, WriteFile, plan


def report_flow(
    content: Callable[[Mapping[str, Any]], dict[str, Any]],
    document: Callable[[Mapping[str, Any]], Document] | None = None,
    changes: ChangesOf | None = None,
) -> Flow[ReportWanted, ReportSeen]:
    """A flow that writes a report: as JSON to ``report_path``, in all formats to the folder ``report_dir``.

    Each is written only if the option is set. A flow has the option ``report_dir`` if ``document`` is given.

    ``content`` makes of the options what the report says, as JSON can hold it, and nothing that differs from
    run to run although nothing has changed; ``document`` makes of that the report that has forms;
    ``changes`` says what is different between what an earlier report in the folder said and what this one
    says: ``changes_between`` makes it of sentences. The folder's ``report.json`` holds the content and
    ``written_at``, ``kind`` (the document's) and ``changes``: nothing in the content has one of these names.

    The module returns ``report`` (the content), ``report_path`` and, if ``document`` is given, ``report_dir``
    and ``changes`` (``since``, ``added``, ``removed``; None if there is no earlier report).
    """

    def wanted_from(params: Mapping[str, Any], check_mode: bool) -> ReportWanted:
        wrong = tuple(check_paths(params))
        if wrong:
            raise Refused(wrong)
        said = content(params)
        # An empty text is no place: files would go to the root of the file system.
        path, folder = params["report_path"] or None, params.get("report_dir") or None
        if folder is None or document is None:
            return ReportWanted(path, said)
        return ReportWanted(path, said, Folder(folder, document(said), changes))

    def returned(
        wanted: ReportWanted, seen: ReportSeen, plan: ReportPlan, outcome: Outcome
    ) -> dict[str, Any]:
        found = result(wanted, seen, plan, outcome)
        if document is None:
            return found
        told = None if plan.changes is None else plan.changes.as_result()
        return {**found, "changes": told, "report_dir": wanted.folder.path if wanted.folder else None}

    return Flow(wanted_from, read_state, plan, apply, returned, needs_aws=False)


def check_paths(params: Mapping[str, Any]) -> Iterator[Failure]:
    """Why ``report_path`` and ``report_dir`` cannot be written, as far as they are set.

    Whoever works for long, or deletes, asks for this before.
    """
    for option, wrong in (("report_path", _wrong_file), ("report_dir", _wrong_folder)):
        place = params.get(option)
        problem, remedy = wrong(Path(place)) if place else ("", "")
        if problem:
            yield invalid_option(option, f"{option}: {problem}", remedy)


def _wrong_file(path: Path) -> tuple[str, str]:
    """What is wrong with a file's place, and what to do; both are empty if nothing is."""
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}.", "Create it, or name another file."
    return _unwritable(path.parent)


def _wrong_folder(path: Path) -> tuple[str, str]:
    """What is wrong with a folder, and what to do; both are empty if nothing is."""
    if MISSING:
        return (
            f"the page needs {MISSING}, which the module's Python lacks.",
            "Use the Python that runs Ansible (ansible_python_interpreter), or set report_path instead.",
        )
    if not path.is_dir() and not path.parent.is_dir():
        return f"there is no folder {path.parent}.", "Create it, or name another folder."
    if path.exists() and not path.is_dir():
        return f"{path} is no folder.", "Name another one."
    return _unwritable(path if path.is_dir() else path.parent)


def _unwritable(folder: Path) -> tuple[str, str]:
    """The same of a folder in which files, or a folder, are to be made: files are replaced, not changed."""
    if os.access(folder, os.W_OK | os.X_OK):
        return "", ""
    return (
        f"{folder} cannot be written to.",
        "Let the user who runs Ansible write there, or name another one.",
    )


def read_state(clients: None, wanted: ReportWanted) -> ReportSeen:
    """Read an earlier report and the clock."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        text = Path(wanted.path).read_text(encoding="utf-8") if wanted.path is not None else None
    except FileNotFoundError:
        text = None
    except (OSError, UnicodeDecodeError) as exception:
        raise Refused([_failure("report_path", str(exception))]) from exception
    if wanted.folder is None:
        return ReportSeen(text, now)
    found: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    for name in NAMES:
        try:
            with Path(wanted.folder.path, name).open(encoding="utf-8", newline="") as stream:
                found[name] = stream.read()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as exception:
            unreadable[name] = str(exception)
    return ReportSeen(text, now, found, unreadable.get(JSON, ""))


def apply(clients: None, wanted: ReportWanted, seen: ReportSeen, plan: ReportPlan, report: Report) -> Outcome:
    """Write the files: each whole or not at all."""
    performed: list[WriteFile] = []
    failures: list[Failure] = []
    for action in plan.actions:
        try:
            if wanted.folder is not None:
                Path(wanted.folder.path).mkdir(exist_ok=True)
            _write(Path(action.path), action.text)
            performed.append(action)
        except OSError as exception:
            failures.append(
                _failure("report_path" if action.path == wanted.path else "report_dir", str(exception))
            )
    return Outcome(tuple(performed), tuple(failures))


def result(wanted: ReportWanted, seen: ReportSeen, plan: ReportPlan, outcome: Outcome) -> dict[str, Any]:
    """What every module that reports returns of its own."""
    return {"report": wanted.content, "report_path": wanted.path}


def _write(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        # mkstemp's files are private; a report has the rights that the user's umask gives new files.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def _failure(option: str, message: str) -> Failure:
    return Failure(message, "Name one that can be read and written.", "file_error", option)
