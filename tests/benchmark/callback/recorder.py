# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback plugin that records the tasks of a run for ``tests.benchmark.playbook``.

Ansible's output stays what a user has: all results as JSON would be a sixth of a large distribution's time.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: recorder
type: notification
short_description: Records the tasks of a benchmark's run
description:
  - Writes the name, start, seconds, failures and findings of each task that ran, and the number of changed
    tasks, as JSON to the file that the environment variable E(BENCHMARK_RECORD) names.
"""

# All that a benchmark looks at. What else tasks return would take time to write.
_KEPT = ("failures", "findings")


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Records each task of each host that was not skipped."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "recorder"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._start = 0.0
        self._tasks: list[dict[str, Any]] = []

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002
        """Keep the start of the task."""
        self._start = time.time()

    def v2_runner_on_ok(self, result: Any) -> None:
        """Record a task."""
        self._record(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: ARG002
        """Record a task, whose failure ends the run or is ignored."""
        self._record(result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Write what was recorded."""
        changed = sum(stats.summarize(host)["changed"] for host in stats.processed)
        text = json.dumps({"changed": changed, "tasks": self._tasks})
        Path(os.environ["BENCHMARK_RECORD"]).write_text(text, encoding="utf-8")

    def _record(self, result: Any) -> None:
        self._tasks.append(
            {
                "name": result.task.get_name(),
                "start": self._start,
                "seconds": time.time() - self._start,
                "result": {name: result.result[name] for name in _KEPT if name in result.result},
            }
        )
