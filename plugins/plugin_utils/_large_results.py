# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep the results of tasks small: what is left out of a large one is in a file on the controller.

AWX drops the result of an event that has more than 700,000 characters (``MAX_EVENT_RES`` of ansible-runner).
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Mapping

LARGEST = 250_000
"""Characters of a result that is complete: more than one of a hundred accounts in twenty regions has."""
RESULT_PATH = "result_path"
OMITTED = "omitted"
_PREFIX, _SUFFIX = "golden.images-", ".json"
# Only a file with this key, and this version of its form, is read.
_FORM, _FORM_VERSION = "large_result_form", 1
# The options of modules that take registered results are named so, and no other option is.
_OPTIONS = ("_result", "_results")
# Characters of a part that always stays: a list of regions, which a template reads.
_SMALLEST = 10_000
# What Ansible itself reads of a result.
_OF_ANSIBLE = frozenset({"ansible_facts", "deprecations", "exception", "warnings"})
# The keys of failures in a result and in a report.
_FAILURES = frozenset({"failures", "report_failures", "step_failures"})
# Failures that a large result keeps, and their characters.
_MOST_FAILURES = 100
_LONGEST_FAILURES = 50_000


class UnreadableResultError(Exception):
    """The file with the rest of a result cannot be read; the text says what to do."""


def limit_result(result, share=1):
    """Return the result, or if it is large, one without its largest lists and mappings.

    These are null in it, and ``omitted`` has their names. Failures are never null: some of each kind stay.
    With a ``share``, the number of a loop's results, these are small together: its last event has all.
    ``result_path`` is the file with the whole result.
    """
    largest, smallest = LARGEST // share, _SMALLEST // share
    # A module on another host does not decide which file is read here.
    result = {name: value for name, value in result.items() if name not in (RESULT_PATH, OMITTED)}
    text = _to_json(result)
    # Ansible does not register the options of the task, such as thousands of images.
    if len(text) > largest and result.pop("invocation", None):
        text = _to_json(result)
    if len(text) <= largest:
        return result
    try:
        path = _write(_to_json({**result, _FORM: _FORM_VERSION}))
    except OSError as error:
        problem = f"The result has {len(text):,} characters, and no file for it can be written: {error}."
        return {**result, "warnings": [*result.get("warnings", ()), problem]}
    short, omitted, length = dict(result), [], len(text)
    for size, (outer, inner) in sorted(_measure_parts(result), reverse=True):
        if length <= largest or size < smallest:
            break
        value = result[outer][inner] if inner else result[outer]
        kept = _choose_failures(value, _LONGEST_FAILURES // share) if (inner or outer) in _FAILURES else None
        if inner:
            short[outer] = {**short[outer], inner: kept}
        else:
            short[outer] = kept
        omitted.append(f"{outer}.{inner}" if inner else outer)
        length -= size - len(_to_json(kept))
    return {**short, OMITTED: sorted(omitted), RESULT_PATH: path}


def read_whole(result):
    """Return a registered result with what was left out of it; any other value as it is.

    Raises:
        UnreadableResultError: the file cannot be read.
    """
    if not isinstance(result, Mapping) or not result.get(RESULT_PATH):
        return result
    path = str(result[RESULT_PATH])
    whole = {name: value for name, value in result.items() if name not in (RESULT_PATH, OMITTED)}
    try:
        written = _read(path)
        for name in result[OMITTED]:
            outer, _dot, inner = str(name).partition(".")
            value = written[outer]
            whole[outer] = {**whole.get(outer, {}), inner: value[inner]} if inner else value
    except (OSError, LookupError, TypeError, ValueError):
        # The reason is left out: it would tell of another file whether it exists.
        raise UnreadableResultError(
            f"the result is large, but {path} is not the file with the rest of it. Pass the result in the "
            "same job that made it, on the same controller, before the file is deleted."
        ) from None
    return whole


def read_whole_options(options):
    """Return the options of a task; of registered results, and lists of them, with what was left out.

    All other options stay as they are: their values can come from a survey.

    Raises:
        UnreadableResultError: a file cannot be read; the text has the name of the option.
    """
    whole = dict(options)
    for name, value in options.items():
        if not name.endswith(_OPTIONS):
            continue
        try:
            whole[name] = [read_whole(item) for item in value] if _has_results(value) else read_whole(value)
        except UnreadableResultError as error:
            raise UnreadableResultError(f"{name}: {error}") from None
    return whole


def _has_results(value):
    return isinstance(value, list) and any(
        isinstance(item, Mapping) and RESULT_PATH in item for item in value
    )


def _measure_parts(result):
    """Yield the size and the place of each list, and of each list and mapping within a mapping."""
    for outer, value in result.items():
        if outer in _OF_ANSIBLE:
            continue
        if isinstance(value, list):
            yield len(_to_json(value)), (outer, "")
        elif isinstance(value, Mapping):
            yield from (
                (len(_to_json(part)), (outer, str(inner)))
                for inner, part in value.items()
                if isinstance(part, (list, Mapping))
            )


def _choose_failures(failures, longest):
    """Return some failures in their order, the first of each code, action and region before others."""
    kinds = {}
    for number, failure in enumerate(failures):
        kinds.setdefault(tuple(failure.get(key) for key in ("error_code", "action", "region")), number)
    first = list(kinds.values())
    numbers = [*first, *sorted(set(range(len(failures))) - set(first))][:_MOST_FAILURES]
    chosen, length = [], 0
    for number in numbers:
        length += len(_to_json(failures[number]))
        if chosen and length > longest:
            break
        chosen.append(number)
    return [failures[number] for number in sorted(chosen)]


def _to_json(value):
    return json.dumps(value, default=str)


def _write(text):
    """Write the text into a new file, which only this user can read, and return its path."""
    handle, path = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    return path


def _read(path):
    """Return what is in a file that ``_write`` has made.

    A registered result is a value like any other, which can name each file that this process can read.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is another one.
    """
    folder, name = os.path.split(path)
    if folder != os.path.abspath(tempfile.gettempdir()) or not (
        name.startswith(_PREFIX) and name.endswith(_SUFFIX)
    ):
        raise ValueError(path)
    with open(path, encoding="utf-8", opener=_open) as stream:
        status = os.fstat(stream.fileno())
        is_own = status.st_uid == os.geteuid() and status.st_mode == stat.S_IFREG | 0o600
        written = json.load(stream) if is_own else None
    if not isinstance(written, dict) or written.get(_FORM) != _FORM_VERSION:
        raise ValueError(path)
    return written


def _open(path, flags):
    """Open no symbolic link, and a named pipe without waiting for its writer."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
