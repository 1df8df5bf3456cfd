# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run ``remediation_plan`` with the audit that the task names, without a process if possible."""

from __future__ import annotations

import json

from ansible_collections.golden.images.plugins.module_utils._failures import cut, invalid_option
from ansible_collections.golden.images.plugins.module_utils._runner import refusal
from ansible_collections.golden.images.plugins.plugin_utils._runs_here import RunsHere

_OPTION = "audit_result_var"
# A text without any of these is no template.
_TEMPLATE_MARKS = ("{{", "{%", "{#", "#jinja2:")


class ActionModule(RunsHere):
    """An action that passes the module the value of the variable that ``audit_result_var`` names.

    Ansible templates each part of an option's value. For the audit of ten thousand images, which has a
    million parts, that takes longer than the module.
    """

    def run(self, tmp=None, task_vars=None):
        arguments = dict(self._task.args)
        # If both are given, the module refuses them.
        if arguments.get(_OPTION) is None or arguments.get("audit_result") is not None:
            return super().run(tmp, task_vars)
        name, variables = arguments.pop(_OPTION), task_vars or {}
        problem = _find_problem(name, variables)
        if problem:
            remedy = "Name the variable that a task with ami_share_audit registered."
            refused = refusal([invalid_option(_OPTION, f"{_OPTION}: {problem}", remedy)])
            return self._shorten_result({"failed": True, **refused})
        own_arguments, self._task.args = (
            self._task.args,
            {**arguments, "audit_result": self._value(variables[name])},
        )
        try:
            return super().run(tmp, task_vars)
        finally:
            # A retry or a loop starts from the task's own arguments.
            self._task.args = own_arguments

    def _value(self, variable):
        """Return the value of a variable, without a copy if it has no templates, as a result."""
        try:
            text = json.dumps(variable)
        except TypeError:
            return self._templar.template(variable)
        has_templates = any(mark in text for mark in _TEMPLATE_MARKS)
        return self._templar.template(variable) if has_templates else variable


def _find_problem(name, variables):
    """Return the problem if the option names no variable with a value; empty without one."""
    if not isinstance(name, str):
        return "it must be the name of a variable, without braces."
    if name not in variables:
        return f"there is no variable '{cut(name, 100)}'."
    return f"the variable {name} is empty." if variables[name] in (None, "") else ""
