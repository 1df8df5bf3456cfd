# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps of roles run in their order on each host of a play, and none is displayed as skipped.

They follow the check mode of their tasks. What several of them failed with is one message.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

ROLES = Path(__file__).parents[2] / "roles"


def all_tasks() -> Iterator[tuple[str, dict[str, Any]]]:
    """The tasks and blocks of all roles, each with its place in words."""
    for path in sorted(ROLES.glob("*/tasks/*.yml")):
        for task in with_those_of_blocks(yaml.safe_load(path.read_text(encoding="utf-8"))):
            yield f"{path.parent.parent.name}: {task['name']}", task


def with_those_of_blocks(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """These tasks, each before those that it has as a block."""
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from with_those_of_blocks(task.get(part, []))


def test_an_item_of_a_loop_over_steps_has_the_whole_list() -> None:
    found = [
        (place, task)
        for place, task in all_tasks()
        if "loop" in task and "{{" in task.get("ansible.builtin.include_role", {}).get("tasks_from", "")
    ]
    assert {place.partition(":")[0] for place, _task in found} >= {
        *("audit", "cleanup", "distribute", "monitor", "remediate", "verify")
    }
    for place, task in found:
        names, variable = task["loop"].removeprefix("{{ ").partition(" ")[0], task["loop_control"]["loop_var"]
        assert task["loop"] == f"{{{{ {names} | product([{names}]) }}}}", place
        assert names in task["vars"], place
        assert task["ansible.builtin.include_role"]["tasks_from"] == f"{{{{ {variable}[0] }}}}", place
        assert task["loop_control"]["label"] == f"{{{{ {variable}[0] }}}}", place


def test_no_task_is_skipped_by_a_condition() -> None:
    """Ansible displays such a task as ``skipping``: a step is an item of a loop, or one of two task files."""
    assert [place for place, task in all_tasks() if "when" in task] == []


def test_no_role_asks_for_the_check_mode_of_the_command_line() -> None:
    """``ansible_check_mode`` is only the option --check. A play, block or role can differ from it."""
    paths = [path for path in sorted(ROLES.rglob("*.yml")) if "meta" not in path.parts]
    assert paths
    assert [path for path in paths if "ansible_check_mode" in path.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize(
    ("messages", "shown"),
    [
        ([], ""),
        (["No.", "Neither."], "No.\nNeither."),
        (["x " * 1_700], "x " * 1_700),
        ([f"{number}: {'x ' * 1_250}" for number in range(3)], None),
    ],
)
def test_a_message_of_several_steps_is_not_too_long(messages: list[str], shown: str | None) -> None:
    (task,) = [
        task
        for place, task in all_tasks()
        if place == "distribute: Fail if a consumer's access or the verification failed"
    ]
    template = task["ansible.builtin.assert"]["fail_msg"]
    found = jinja2.Template(template).render(distribute__late_failures=messages)
    if shown is not None:
        assert found == shown
        return
    assert len(found) < 4_000
    lines = found.splitlines()
    assert [line[:4] for line in lines] == ["0: x", "1: x", "2: x"]
    assert all(line.endswith(" \u2026 (all of it is in the output of -vvv)") for line in lines)
