# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``role_result``: display the result of a role, and pass it to the next job of a workflow."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from itertools import groupby

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.golden.images.plugins.module_utils._reports.screen import (
    Tone,
    format_unwritten_report,
)
from ansible_collections.golden.images.plugins.module_utils._reports.uploaded import add_report
from ansible_collections.golden.images.plugins.module_utils._wording import shorten
from ansible_collections.golden.images.plugins.plugin_utils._large_results import (
    UnreadableResultError,
    read_whole,
    read_whole_options,
)
from ansible_collections.golden.images.plugins.plugin_utils._output import is_json

display = Display()

PACKAGES = {
    "adoption": "_adoption",
    "audit": "_audit",
    "cleanup": "_cleanup",
    "diagnose": "_diagnose",
    "distribute": "_distribution",
    "monitor": "_monitoring",
    "publish": "_publish",
    "recall": "_recall",
    "refresh": "_refresh",
    "remediate": "_remediation",
    "restore": "_restore",
    "rollback": "_publish",
    "share": "_share",
    "unshare": "_remediation",
    "verify": "_verification",
}
"""The package of module_utils that builds the screen of each role."""
_MODULE_UTILS = "ansible_collections.golden.images.plugins.module_utils"
_WRITES_IN_CHECK_MODE = "cleanup"
_COLORS = {
    Tone.PLAIN: None,
    Tone.GOOD: constants.COLOR_OK,
    Tone.WARNING: constants.COLOR_WARN,
    Tone.BAD: constants.COLOR_ERROR,
    Tone.FAILURE: constants.COLOR_ERROR,
}
_SPEC = {
    "role": {"type": "str", "choices": sorted(PACKAGES), "required": True},
    "result": {"type": "dict"},
    "module_result": {"type": "dict"},
    "context": {"type": "dict", "default": {}},
    "report_path": {"type": "str"},
}


def _load_screen(role):
    """Return the function that builds the screen of a role. Those of all roles would take longer to import."""
    return import_module(f"{_MODULE_UTILS}.{PACKAGES[role]}.screen").screen


def _read_all(result):
    """Return a result with what was left out of it, and of results in it: of failed tasks, and by source."""
    whole = read_whole(result)
    failed, sources = ((whole or {}).get(name) for name in ("failed", "sources"))
    if isinstance(failed, list):
        whole = {**whole, "failed": [*map(read_whole, failed)]}
    if isinstance(sources, dict):
        whole = {**whole, "sources": {name: read_whole(source) for name, source in sources.items()}}
    return whole


def _read_result(result, context):
    """Return the parameters ``result``, ``report_path`` and ``context`` from a result that has a report."""
    others = [failure for failure in result["failures"] if failure not in result["report_failures"]]
    return {
        "result": result["report"],
        "report_path": result["report_dir"] or result["report_path"],
        "context": {**context, "changes": result["changes"], "failures": others},
    }


class ActionModule(ActionBase):
    """An action that displays the result of a role, and passes its artifacts to the next job."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        returned = super().run(tmp, task_vars)
        _validation, given = self.validate_argument_spec(
            argument_spec=_SPEC, required_one_of=[("result", "module_result")]
        )
        role = given["role"]
        try:
            given["result"], module_result = _read_all(given["result"]), read_whole(given["module_result"])
            if module_result is not None:
                given.update(_read_result(module_result, given["context"]))
            of_task = {"check_mode": bool(self._task.check_mode), "role": role}
            context = {**read_whole_options(given["context"]), **of_task}
            path = given["report_path"] or None
            is_written = not context["check_mode"] or role == _WRITES_IN_CHECK_MODE
            screen = _load_screen(role)(given["result"], context, path if is_written else None)
            if not is_written:
                screen = replace(screen, lines=(*screen.lines, *format_unwritten_report(path)))
            if module_result is not None:
                screen = add_report(screen, module_result, context["check_mode"])
        except UnreadableResultError as error:
            raise AnsibleActionFail(f"result: {error}") from None
        except (AttributeError, LookupError, TypeError, ValueError) as exception:
            lacking = f": it lacks {shorten(str(exception), 100)}" if isinstance(exception, KeyError) else ""
            # Ansible would append the message of a cause.
            raise AnsibleActionFail(
                f"result: it is not a result of the role {role}{lacking}. Pass what the module of the role "
                "returned."
            ) from None
        if not is_json():
            _display_lines([line for line in screen.lines if line.tone is not Tone.FAILURE])
        returned.update(changed=False, text=screen.text, failure=screen.failure)
        returned["status"] = screen.artifacts.get("status")
        if screen.artifacts:
            # The artifacts of a later run replace earlier ones: aggregation would join their texts.
            data = {f"{role}_artifacts": {"text": screen.text, **screen.artifacts}}
            returned["ansible_stats"] = {"data": data, "per_host": False, "aggregate": False}
        return returned


def _display_lines(lines):
    display.display("")
    for tone, group in groupby(lines, key=lambda line: line.tone):
        display.display("\n".join(line.text for line in group), color=_COLORS[tone])
