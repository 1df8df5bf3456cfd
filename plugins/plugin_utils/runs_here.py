# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules that call no AWS API run on the controller without a process, where the result is the same."""

from __future__ import annotations

import contextlib
import json

from ansible.module_utils.common.json import Direction, get_module_encoder
from ansible_collections.golden.images.plugins.module_utils.runner import run_here
from ansible_collections.golden.images.plugins.plugin_utils.short_failures import ShortFailures


class RunsHere(ShortFailures):
    """Runs the module's ``flow`` in this process, or the module if the task needs a process for it.

    A module that writes a file does so on its host, as its user and with its environment: these are this
    process's own only if the connection is local and the task changes neither.
    """

    flow = None
    argument_spec = None

    def run(self, tmp=None, task_vars=None):
        if not self._can_run_here():
            return super().run(tmp, task_vars)
        # The module's process would start in this folder, in which relative paths are.
        with contextlib.chdir(self._loader.get_basedir()):
            result = run_here(self.flow, self.argument_spec, self._arguments())
        return self._shown(_sent(result, Direction.MODULE_TO_CONTROLLER))

    def _can_run_here(self):
        task, connection = self._task, self._connection
        return (
            connection.transport == "local"
            and not connection.become
            and not task.async_val
            and not any(task.environment or ())
        )

    def _arguments(self):
        internal = {
            "check_mode": self._task.check_mode,
            "diff": self._task.diff,
            "module_name": self._task.action,
            "verbosity": self._display.verbosity,
        }
        options = _sent(self._task.args, Direction.CONTROLLER_TO_MODULE)
        return {**options, **{f"_ansible_{name}": value for name, value in internal.items()}}


def _sent(values, direction):
    """Options or a result as they arrive from another process: plain JSON values, without Ansible's tags."""
    return json.loads(json.dumps(values, cls=get_module_encoder("legacy", direction)))
