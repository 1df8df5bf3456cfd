# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows the progress of a long copy while the module runs; everything else is the module's."""

from __future__ import annotations

import os
import tempfile
import threading

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

display = Display()

_INTERVAL = 0.5


class ActionModule(ActionBase):
    """Runs the module of the same name and follows the file to which it appends its progress."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        in_background = bool(self._task.async_val) and not self._connection.has_native_async
        # The file is read here and written where the module runs: that is the same machine only if local.
        # Another user than the file's may not write to it, root included (sysctl fs.protected_regular).
        follow = (
            self._connection.transport == "local"
            and not self._connection.become
            and not in_background
            and not arguments.get("progress_path")
        )
        if not follow:
            result.update(self._execute_module(task_vars=task_vars, wrap_async=in_background))
        else:
            with _Follower(label=self._task.get_name()) as follower:
                arguments["progress_path"] = follower.path
                result.update(self._execute_module(module_args=arguments, task_vars=task_vars))
        if not in_background:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result


class _Follower:
    """Displays each line that is appended to ``path``, from a thread, as long as the context lasts."""

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
                self._show(stream)
            self._show(stream)

    def _show(self, stream):
        for line in stream:
            display.display(f"    {self._label}: {line.rstrip()}")
