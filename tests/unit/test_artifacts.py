# SPDX-License-Identifier: GPL-3.0-or-later

"""Artifacts override variables of the next job: no variable, fact or option has the name of one.

What a role displays at its end is in a variable, of which no option has the name either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.golden.images.plugins.action.role_result import SCREENS

CHECKOUT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for folder in ("roles", "playbooks", "extensions")
    for path in (CHECKOUT / folder).rglob("*.yml")
    # The documentation names the artifacts.
    if path.name != "argument_specs.yml" and path.parent.name != "meta"
]
_ACTION = "golden.images.role_result"


@pytest.mark.parametrize("role", sorted(SCREENS))
def test_no_task_reads_or_sets_an_artifact(role: str) -> None:
    name = re.compile(rf"\b{role}_artifacts\b")
    assert SOURCES
    assert [path for path in SOURCES if name.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("role", sorted(SCREENS))
def test_no_option_of_a_role_has_the_name(role: str) -> None:
    specs = [
        yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in (CHECKOUT / "roles").glob("*/meta/argument_specs.yml")
    ]
    options = {name for spec in specs for name in spec["argument_specs"]["main"]["options"]}
    assert [name for name in options if name.startswith(f"{role}_")]
    assert not {f"{role}_artifacts", f"{role}_summary"} & options


@pytest.mark.parametrize("role", sorted(SCREENS))
def test_the_role_documents_its_artifacts(role: str) -> None:
    spec = (CHECKOUT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    assert f"C({role}_artifacts)" in spec
    assert f"`{role}_artifacts`" in (CHECKOUT / "docs" / "results.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("role", sorted(SCREENS))
def test_the_role_registers_what_it_displays(role: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (CHECKOUT / "roles" / role / "tasks").glob("*.yml")]
    shown = [task for text in texts for task in _tasks(yaml.safe_load(text)) if _ACTION in task]
    assert shown
    assert {task.get("register") for task in shown} == {f"{role}_summary"}
    spec = (CHECKOUT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    assert f"C({role}_summary.text)" in spec


def _tasks(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from _tasks(task.get(part, []))
