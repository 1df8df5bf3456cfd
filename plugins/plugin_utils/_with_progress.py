# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Display the progress of a module while it runs."""

from __future__ import annotations

import os
import tempfile
import threading
import time

from ansible.utils.display import Display
from ansible_collections.golden.images.plugins.module_utils._processes import FORKING, WAITING_THREAD
from ansible_collections.golden.images.plugins.plugin_utils._output import is_watched
from ansible_collections.golden.images.plugins.plugin_utils._runs_here import RunsHere

display = Display()

_INTERVAL = 0.5
# Seconds between lines in a log, in which a line every few seconds would hide all others.
_LOG_INTERVAL = 10
# Read when the plugin is loaded: while a task runs, Ansible has another standard output.
_IS_WATCHED = is_watched()


class RunsWithProgress(RunsHere):
    """An action that runs the module and displays the lines of its progress file."""

    def run(self, tmp=None, task_vars=None):
        if not self._can_show_progress():
            return super().run(tmp, task_vars)
        arguments = self._task.args
        with _ProgressDisplay(0 if _IS_WATCHED else _LOG_INTERVAL) as progress:
            self._task.args = {**arguments, "progress_path": progress.path}
            try:
                return super().run(tmp, task_vars)
            finally:
                # A retry or a loop starts from the task's own arguments.
                self._task.args = arguments

    def _can_show_progress(self):
        # This plugin reads the file and the module writes it: both run on one machine only if the connection
        # is local. Users other than the file's owner cannot write to it, not even root (sysctl
        # fs.protected_regular).
        in_background = bool(self._task.async_val) and not self._connection.has_native_async
        return (
            self._connection.transport == "local"
            and not self._connection.become
            and not self._task.no_log
            and not in_background
            and not self._task.args.get("progress_path")
        )


class _ProgressDisplay:
    """A context in which a thread displays the lines that are appended to the file ``path``.

    Two lines have at least ``interval`` seconds between them; a line that a newer one follows sooner is left
    out. The last line is always displayed.
    """

    def __init__(self, interval):
        self._interval = interval
        self._waiting = None
        self._next_time = 0.0
        handle, self.path = tempfile.mkstemp(prefix="golden.images-", suffix=".progress")
        os.close(handle)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=WAITING_THREAD, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._ended.set()
        self._thread.join()
        os.unlink(self.path)

    def _follow(self):
        with open(self.path, encoding="utf-8") as stream:
            while not self._ended.wait(_INTERVAL):
                self._display(stream)
            self._display(stream, last=True)

    def _display(self, stream, last=False):
        with FORKING:
            for line in stream:
                self._waiting = line.rstrip()
                self._show(self._interval == 0)
            self._show(last)

    def _show(self, now):
        if self._waiting is not None and (now or time.monotonic() >= self._next_time):
            display.display(f"    {self._waiting}")
            self._waiting, self._next_time = None, time.monotonic() + self._interval
