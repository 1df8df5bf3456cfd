# SPDX-License-Identifier: GPL-3.0-or-later
"""An action that reports the result of an audit, from a JSON file, as ``ami_share_audit`` reports its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.golden.images.plugins.module_utils._audit.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import ATTACHED
from ansible_collections.golden.images.plugins.plugin_utils._large_results import read_whole
from ansible_collections.golden.images.plugins.plugin_utils._runs_here import read_attachments


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action; ``path`` is the file, ``report_dir`` the directory of the report."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        given = self._task.args
        # The result of a large audit names the file that has its findings.
        result = read_whole(json.loads(Path(given["path"]).read_text(encoding="utf-8")))
        # One process, because this action lacks the defaults of the module's argument spec.
        asked = {"report_dir": given["report_dir"], "return_report": True, "max_processes": 1}
        options = FLOW.options.read(asked, False)
        report = FLOW.report.open(options, read_attachments(FLOW.attaches)[ATTACHED])
        return {**super().run(tmp, task_vars), **report.write(result).values}
