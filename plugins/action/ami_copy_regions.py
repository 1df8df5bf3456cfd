# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Displays the progress of ``ami_copy_regions`` while the module runs; the module does everything else."""

from __future__ import annotations

import os
import tempfile
import threading

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.golden.images.plugins.plugin_utils.short_failures import shortened

display = Display()

_INTERVAL = 0.5


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
            with _ProgressDisplay(label=self._task.get_name()) as progress:
                arguments["progress_path"] = progress.path
                result.update(self._execute_module(module_args=arguments, task_vars=task_vars))
        if not in_background:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return shortened(result)


class _ProgressDisplay:
    """A context in which a thread displays each line that is appended to the file ``path``."""

    def __init__(self, label):
        self._label = label
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
            self._display(stream)

    def _display(self, stream):
        for line in stream:
            display.display(f"    {self._label}: {line.rstrip()}")
