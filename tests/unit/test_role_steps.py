# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps of roles that are items of a loop run in their order on each host of a play."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROLES = Path(__file__).parents[2] / "roles"


def loops_over_steps(tasks: Any, file: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The tasks that include a task file of their role for each item of a loop."""
    if isinstance(tasks, list):
        for task in tasks:
            for part in ("block", "rescue", "always"):
                yield from loops_over_steps(task.get(part), file)
            included = task.get("ansible.builtin.include_role", {})
            if "loop" in task and "{{" in included.get("tasks_from", ""):
                yield f"{file}: {task['name']}", task


def test_an_item_of_a_loop_over_steps_has_the_whole_list() -> None:
    found = [
        one
        for path in sorted(ROLES.glob("*/tasks/*.yml"))
        for one in loops_over_steps(yaml.safe_load(path.read_text(encoding="utf-8")), path.parent.parent.name)
    ]
    assert {place.partition(":")[0] for place, _task in found} >= {"audit", "cleanup", "distribute", "verify"}
    for place, task in found:
        names, variable = task["loop"].removeprefix("{{ ").partition(" ")[0], task["loop_control"]["loop_var"]
        assert task["loop"] == f"{{{{ {names} | product([{names}]) }}}}", place
        assert names in task["vars"], place
        assert task["ansible.builtin.include_role"]["tasks_from"] == f"{{{{ {variable}[0] }}}}", place
        assert task["loop_control"]["label"] == f"{{{{ {variable}[0] }}}}", place
