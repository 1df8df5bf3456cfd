# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check, read and write the files of a report."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .._failures import Failure, ValidationError, invalid_option
from .._runner import Outcome
from .._wording import LONGEST_PATH, file_reason, shorten
from .formats import JSON, NAMES
from .html.render import MISSING
from .plan import CurrentReport, DesiredReport, ReportPlan, WriteFile, digest

# Directories of report_dir that are created if they are missing: each of several sources has its own in that
# of a distribution. If more are missing, the path is probably wrong.
_CREATED = 2
_JSON = ".json"


def make_failed_path(path: str) -> str:
    """Return the file beside ``report_path`` that a failed run writes: ``distribution.failed.json``."""
    return f"{path.removesuffix(_JSON)}.failed{_JSON}"


def check_report_options(report_path: str | None, report_dir: str | None) -> Iterator[Failure]:
    """Yield a failure for each option whose path cannot be written to, or whose report cannot be read.

    Long or destructive operations check this first.
    """
    places = (("report_path", report_path, _check_file), ("report_dir", report_dir, _check_folder))
    for option, place, check in places:
        problem, remedy = (_check_name(place) or check(Path(place))) if place else ("", "")
        if problem:
            yield invalid_option(option, f"{option}: {problem}", remedy)
        elif place and option == "report_path":
            try:
                _previous(place)
            except (OSError, UnicodeDecodeError) as exception:
                yield _failure(option, place, exception)


def check_file(place: str) -> tuple[str, str]:
    """Return the problem with the path of a file and its remedy; both are empty if it can be written."""
    return _check_name(place) or _check_file(Path(place))


def check_appended_file(place: str) -> tuple[str, str]:
    """Return the problem with a file to append to and its remedy; both are empty if there is none."""
    if os.path.isfile(place):
        try:
            # Not os.access, which tells root that it may write where it cannot: on a read-only file system.
            with open(place, "r+b"):
                return "", ""
        except OSError as exception:
            return (
                f"{place} cannot be read and written to: {file_reason(exception)}.",
                "Give the user that runs Ansible access, or use another path.",
            )
    return check_file(place)


def _check_name(place: str) -> tuple[str, str] | None:
    """Return the problem with a path that no file can have, and its remedy."""
    try:
        os.lstat(place)
    except ValueError:
        return "it contains a NUL character.", "Use another path."
    except OSError as exception:
        if exception.errno == errno.ENAMETOOLONG:
            return "it is too long.", "Use another path."
    return None


def _check_file(path: Path) -> tuple[str, str]:
    """Return the problem with the path of a file and its remedy; both are empty if there is none."""
    # Path.is_dir and Path.exists raise for what is in a directory that cannot be searched.
    if not os.path.isdir(path.parent):
        return f"there is no directory {path.parent}.", "Create it, or use another path."
    if os.path.isdir(path):
        return f"{path} is a directory.", "Use the path of a file."
    return _check_writable(path.parent)


def _check_folder(path: Path) -> tuple[str, str]:
    """Return the problem with a directory and its remedy; both are empty if there is none."""
    if MISSING:
        return (
            f"HTML reports need {MISSING}, which the module's Python does not have.",
            "Use the Python that runs Ansible (ansible_python_interpreter), or set report_path instead.",
        )
    places = (path, *path.parents)[: _CREATED + 1]
    existing = next((place for place in places if os.path.exists(place)), None)
    if existing is None:
        return f"there is no directory {places[-1]}.", "Create it, or use another directory."
    if not os.path.isdir(existing):
        return f"{existing} is not a directory.", "Use another path."
    return _check_writable(existing)


def _check_writable(folder: Path) -> tuple[str, str]:
    """Return the problem with a directory of files to replace, whose own permissions do not matter.

    A file is written there and removed: permissions do not show a read-only or full file system.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".golden-images-") as file:
            file.write(b"{}")
        return "", ""
    except OSError as exception:
        return (
            f"{folder} cannot be written to: {file_reason(exception)}.",
            "Give the user that runs Ansible write access, or use another directory.",
        )


def read_files(
    desired: DesiredReport, page: Mapping[str, str], written_by: Mapping[str, str]
) -> CurrentReport:
    """Read the previous report and the time. ``written_by`` are the caller and the versions of this run.

    Raises:
        ValidationError: it cannot be read.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        text = _previous(desired.path) if desired.path is not None else None
    except (OSError, UnicodeDecodeError) as exception:
        raise ValidationError([_failure("report_path", desired.path, exception)]) from exception
    if desired.folder is None:
        return CurrentReport(text, now, written_by=written_by)
    report, unreadable = None, ""
    digests: dict[str, str] = {}
    for name in NAMES:
        try:
            content = Path(desired.folder.path, desired.folder.file(name)).read_bytes()
            if name == JSON:
                report = content.decode("utf-8")
            else:
                digests[name] = digest(content)
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as exception:
            # A file in another format is only written again.
            if name == JSON:
                unreadable = file_reason(exception)
    return CurrentReport(text, now, report, digests, unreadable, page, written_by)


def _previous(path: str) -> str | None:
    """Return the previous report as text; None if there is none.

    Raises:
        OSError, UnicodeDecodeError: it cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def write_report(report: DesiredReport, plan: ReportPlan) -> Outcome:
    """Replace the files, each as a whole."""
    performed: list[WriteFile] = []
    without_folder = tuple(_make_folder(report)) if plan.actions else ()
    failures = [*without_folder]
    for action in plan.actions:
        if without_folder and action.path != report.path:
            continue
        try:
            write_file(Path(action.path), action.text)
            performed.append(action)
        except OSError as exception:
            option = "report_path" if action.path == report.path else "report_dir"
            failures.append(_failure(option, action.path, exception))
    return Outcome(tuple(performed), tuple(failures))


def _make_folder(report: DesiredReport) -> Iterator[Failure]:
    """Create the directory and its parents; ``_check_folder`` has limited how many can be missing."""
    if report.folder is not None:
        try:
            Path(report.folder.path).mkdir(parents=True, exist_ok=True)
        except OSError as exception:
            yield _failure("report_dir", report.folder.path, exception)


def build_result(report: DesiredReport, plan: ReportPlan) -> dict[str, Any]:
    """Return the keys of a module's result that are about its report."""
    folder = report.folder
    return {
        "changes": None if plan.changes is None else plan.changes.to_dict(),
        "report": plan.after,
        "report_dir": folder.path if folder else None,
        "report_path": report.path,
        **({"report_files": list(plan.files)} if folder and folder.dated else {}),
    }


def write_file(path: Path, text: str) -> None:
    """Replace a file as a whole: a process that reads it meanwhile gets the old content or the new one.

    Raises:
        OSError: it cannot be written; it is then as it was.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        # mkstemp creates private files. A report gets the permissions of a new file, according to the umask.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def _failure(option: str, path: str | None, exception: OSError | ValueError) -> Failure:
    message = f"{option}: {shorten(str(path), LONGEST_PATH)}: {file_reason(exception)}."
    return Failure(
        message,
        "Create the directory, or use a path that the user who runs Ansible can read and write.",
        "file_error",
        option,
    )
