# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of this name, on the controller without a process if the task allows it."""

from __future__ import annotations

import json

from ansible_collections.golden.images.plugins.module_utils.failures import invalid_option
from ansible_collections.golden.images.plugins.module_utils.runner import refusal
from ansible_collections.golden.images.plugins.modules.audit_report import ARGUMENT_SPEC, FLOW, RULES
from ansible_collections.golden.images.plugins.plugin_utils.runs_here import RunsHere

_OPTION = "audit_result_var"
_TEMPLATE_STARTS = ("{{", "{%", "{#")


class ActionModule(RunsHere):
    """The action: the module gets the value of the variable that ``audit_result_var`` names."""

    flow = FLOW
    argument_spec = ARGUMENT_SPEC
    rules = RULES

    def run(self, tmp=None, task_vars=None):
        arguments = dict(self._task.args)
        # Of both, the module accepts one.
        if arguments.get(_OPTION) is None or arguments.get("audit_result") is not None:
            return super().run(tmp, task_vars)
        name, variables = str(arguments.pop(_OPTION)), task_vars or {}
        if name not in variables:
            unknown = invalid_option(
                _OPTION,
                f"{_OPTION}: there is no variable '{name}'.",
                "Name one that ami_share_audit registered.",
            )
            return self._shown({"failed": True, **refusal([unknown])})
        given, self._task.args = self._task.args, {**arguments, "audit_result": self._value(variables[name])}
        try:
            return super().run(tmp, task_vars)
        finally:
            # A retry or a loop starts from the task's own arguments.
            self._task.args = given

    def _value(self, variable):
        """The value of a variable. A result has no templates, and is not copied."""
        try:
            text = json.dumps(variable)
        except TypeError:
            return self._templar.template(variable)
        has_templates = any(start in text for start in _TEMPLATE_STARTS)
        return self._templar.template(variable) if has_templates else variable
