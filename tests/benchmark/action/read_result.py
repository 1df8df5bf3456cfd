# SPDX-License-Identifier: GPL-3.0-or-later
"""An action whose result is that of another task, from a JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action; ``path`` is the file."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        result = json.loads(Path(self._task.args["path"]).read_text(encoding="utf-8"))
        return {**super().run(tmp, task_vars), **result}
