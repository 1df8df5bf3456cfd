# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limit results, display a failure once, and display the diffs of loops."""

from __future__ import annotations

import json

from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.release import __version__
from ansible.utils.display import Display
from ansible_collections.golden.images.plugins.plugin_utils._large_results import limit_result
from ansible_collections.golden.images.plugins.plugin_utils._output import (
    has_default_display,
    has_events,
    is_json,
)

try:
    from ansible.module_utils._internal._messages import ErrorSummary, Event
except ImportError:
    # Not public: without it, Ansible displays a failure twice.
    ErrorSummary = Event = None

display = Display()

# Characters of a result that Ansible displays as one line.
_LONGEST = 4000
# Ansible displays these of a result only with -vvv, or as lines of their own (CallbackBase._dump_results).
_NOT_DISPLAYED = frozenset({"diff", "exception", "invocation", "warnings"})
# Whether Ansible displays a condition in place of the message; older versions display the message first.
_HIDES_MESSAGES = tuple(map(int, __version__.split(".")[:2])) >= (2, 21)
# With -vvv Ansible displays every result, in many lines.
_ALL = 3
_COLLECTION = "golden.images"
# With it, a row of 80 columns has the whole result.
_DISPLAYED = "See above, or -vvv."


def shorten(result, task):
    """Return the result of a task, of which Ansible displays a failure only once.

    Ansible displays the message of a failed task, and then its whole result, which has the message and each
    failure again and can have hundreds of kilobytes, in one line. If nothing else reads the result, what is
    returned has a reference to the displayed message. Otherwise a result that is too long gets
    ``_ansible_no_log``: Ansible displays only its message, and registers all of it.

    Where the results are stored as events, as by AWX, they stay as they are: an event would lack the message.

    If the task has ``failed_when``, ansible-core 2.21 displays that the condition is true in place of the
    message, which is therefore displayed here.
    """
    if not result.get("failed") or is_json():
        return result
    # Ansible displays no message of a task with no_log.
    if task.failed_when and _HIDES_MESSAGES and not task.no_log:
        display.display(result.get("msg", ""))
    if has_events() or display.verbosity >= _ALL:
        return result
    if has_default_display() and not _is_read_later(task) and (error := _summarize_error(result)):
        return {
            "changed": result.get("changed", False),
            "exception": error,
            "failed": True,
            "msg": _DISPLAYED,
        }
    displayed = {key: value for key, value in result.items() if key not in _NOT_DISPLAYED}
    length = len(json.dumps(displayed, default=str))
    if length <= _LONGEST:
        return result
    # Ansible itself displays only that the result is hidden.
    display.display(
        f"The result has {length:,} characters: -vvv displays it, and a registered variable has it."
    )
    short = {**result, "_ansible_no_log": True}
    if isinstance(result.get("results"), list):
        # ansible-core 2.19 takes a list of this name for the results of a loop, which it displays anyway.
        short["results"] = tuple(result["results"])
    return short


def _is_read_later(task):
    """Whether the host's tasks can read the result of the task after it has failed.

    Tasks of other hosts, which can by ``hostvars``, are not considered.
    """
    # The conditions of this collection's roles read only whether the result has a report.
    has_condition = task.failed_when and not _is_of_collection(task)
    if has_condition or task.ignore_errors or task.loop or task.until:
        return True
    inner, block = task, task._parent
    while block is not None:
        # Nothing of a block reads the failure of its last section, always.
        is_guarded = getattr(block, "rescue", None) or getattr(block, "always", None)
        if is_guarded and inner._uuid not in {part._uuid for part in block.always}:
            return True
        inner, block = block, block._parent
    return False


def _is_of_collection(task):
    return task._role is not None and task._role._role_collection == _COLLECTION


def _summarize_error(result):
    """Return what Ansible displays of a failure; None if this cannot be told from the result."""
    error = result.get("exception")
    if error is None and ErrorSummary is not None and "msg" in result:
        return ErrorSummary(event=Event(msg=result["msg"]))
    # Text is the traceback of a module that has crashed.
    return None if isinstance(error, str) else error


def add_message(result):
    """Return the result with a message, even if the module's process ended with an exception.

    ansible-core then returns only ``exception``. After ``failed_when: false``, roles read the message.
    """
    if not result.get("failed") or "msg" in result:
        return result
    event = getattr(result.get("exception"), "event", None)
    return {**result, "msg": getattr(event, "msg", None) or "The module ended with an exception: see -vvv."}


def count_results(variables):
    """Return how many results the task registers: of a loop, only one with ``extended`` tells it."""
    return variables.get("ansible_loop", {}).get("length", 1)


def display_diff(task, result):
    """Display the diff of a result that is an item of a loop and has ``results`` of its own.

    The callback ``default`` displays the diff of an item, but takes a key of this name for the results of
    the whole loop, which have none (``CallbackModule.v2_on_file_diff``).
    """
    if not task.loop or task.no_log or "results" not in result or is_json():
        return
    text = (result.get("diff") or {}).get("prepared")
    if text and result.get("changed") and not result.get("failed"):
        display.display(text)


class ShortFailures(NormalAction):
    """An action that runs the module of its name."""

    _limits_result = True

    def run(self, tmp=None, task_vars=None):
        return self._shorten_result(super().run(tmp, task_vars), count_results(task_vars or {}))

    def _shorten_result(self, result, share=1):
        result = add_message(result)
        # Ansible hides the result of a task with no_log, which no file may have either.
        if self._limits_result and not self._task.no_log:
            result = limit_result(result, share)
        display_diff(self._task, result)
        # No failure is displayed with failed_when: false, or if a role goes on with a report.
        condition = self._task.failed_when
        if condition == [False] or (condition and result.get("report")):
            return result
        return shorten(result, self._task)
