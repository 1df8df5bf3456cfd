# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Displays the progress of ``ami_copy_regions`` while the module runs; the module does everything else."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.golden.images.plugins.plugin_utils.short_failures import shortened

display = Display()

_INTERVAL = 0.5
# Seconds between lines where they are not watched: in a log, lines of every few seconds hide all others.
_LOG_INTERVAL = 10


class ActionModule(ActionBase):
    """Runs the module and displays the lines that it appends to its progress file."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        in_background = bool(self._task.async_val) and not self._connection.has_native_async
        # This plugin reads the file and the module writes it: both run on one machine only if the connection is
        # local. Users other than the file's owner cannot write to it, not even root (sysctl fs.protected_regular).
        show_progress = (
            self._connection.transport == "local"
            and not self._connection.become
            and not in_background
            and not arguments.get("progress_path")
        )
        if not show_progress:
            result.update(self._execute_module(task_vars=task_vars, wrap_async=in_background))
        else:
            with _ProgressDisplay(0 if sys.stdout.isatty() else _LOG_INTERVAL) as progress:
                arguments["progress_path"] = progress.path
                result.update(self._execute_module(module_args=arguments, task_vars=task_vars))
        if not in_background:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return shortened(result)


class _ProgressDisplay:
    """A context in which a thread displays the lines that are appended to the file ``path``.

    At least ``interval`` seconds are between two lines; a line that a newer one follows sooner is left out. The
    last line is always displayed.
    """

    def __init__(self, interval):
        self._interval = interval
        self._waiting = None
        self._next_time = 0.0
        handle, self.path = tempfile.mkstemp(prefix="ami_copy_regions-", suffix=".progress")
        os.close(handle)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

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
        for line in stream:
            self._waiting = line.rstrip()
            self._show(self._interval == 0)
        self._show(last)

    def _show(self, now):
        if self._waiting is not None and (now or time.monotonic() >= self._next_time):
            display.display(f"    {self._waiting}")
            self._waiting, self._next_time = None, time.monotonic() + self._interval
