# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check and write the files that name the images of a distribution for other tools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from .._failures import Failure, ValidationError, invalid_value
from .._reports.flow import check_file, write_file
from .._wording import LONGEST_PATH, file_reason, shorten
from .output import Images, check_name, find_format

_OPTION = "output_files"


def check_files(paths: Iterable[str]) -> Iterator[Failure]:
    """Yield a failure for each file that cannot be written, or that has other content."""
    for path in paths:
        problem, remedy = _find_problem(path)
        if problem:
            yield invalid_value(_OPTION, problem, remedy)


def _find_problem(path: str) -> tuple[str, str]:
    """Return the problem with a file and its remedy; both are empty if there is none."""
    by_name = check_name(path)
    if by_name:
        return by_name, "Use a name such as images.auto.tfvars.json, images.env or images.json."
    problem, remedy = check_file(path)
    if problem:
        return f"{path}: {problem}", remedy
    try:
        text = _read_text(path)
    except (OSError, UnicodeDecodeError) as exception:
        return f"{path} exists and cannot be read: {file_reason(exception)}.", "Remove it."
    file_format = find_format(path)
    if text is not None and file_format and not file_format.is_own(text):
        # Environment files often have secrets and settings by hand.
        return f"{path} has other content, which would be lost.", "Use another name, or remove the file."
    return "", ""


def render_changed_files(paths: Sequence[str], images: Images) -> dict[str, str]:
    """Return the new text of each file whose content changes, by path.

    Raises:
        ValidationError: a file cannot be written, or has other content.
    """
    failures = tuple(check_files(paths))
    if failures:
        raise ValidationError(failures)
    texts = {path: file_format.text(images) for path in paths if (file_format := find_format(path))}
    return {path: text for path, text in texts.items() if text != _read_text(path)}


def write_files(texts: Mapping[str, str]) -> tuple[list[str], list[Failure]]:
    """Write files, each as a whole, and return their paths and the failures of the others."""
    written: list[str] = []
    failures: list[Failure] = []
    for path, text in texts.items():
        try:
            write_file(Path(path), text)
            written.append(path)
        except OSError as exception:
            message = f"{_OPTION}: {shorten(path, LONGEST_PATH)}: {file_reason(exception)}."
            failures.append(Failure(message, "Use a path that can be written.", "file_error", _OPTION))
    return written, failures


def _read_text(path: str) -> str | None:
    """Return the text of a file; None if it does not exist."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
