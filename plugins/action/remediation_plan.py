# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``remediation_plan``: plans what the role ``remediate`` removes, without a process."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.golden.images.plugins.module_utils._remediation.flow import FLOW
from ansible_collections.golden.images.plugins.plugin_utils._runs_here import RunsOnlyHere

_OBJECTS = ("warnings", "deprecations")


class ActionModule(RunsOnlyHere):
    """Plans from the audit in the variable that ``audit_result`` names.

    Ansible evaluates each part of an option's value. For the audit of ten thousand images, which has a
    million parts, that takes longer than the plan. What is not evaluated has warnings as Ansible's own
    objects, which it refuses as a module's option; the plan needs none.
    """

    _flow = FLOW

    def run(self, tmp=None, task_vars=None):
        audit = task_vars.get(str(self._task.args.get("audit_result")))
        if isinstance(audit, Mapping):
            audit = {name: value for name, value in audit.items() if name not in _OBJECTS}
        self._task.args = {**self._task.args, "audit_result": audit}
        return super().run(tmp, task_vars)
