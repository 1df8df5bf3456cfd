# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of the roles' tasks on a terminal: the callback ``default`` writes each of them as a heading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = sorted(Path(__file__).parents[2].joinpath("roles").iterdir())
# At least this follows a heading (ansible-core, Display.banner).
LONGEST = 80 - len(" ***")
# The heading of the argument spec has two lines: its other words alone have up to 80 columns.
LONGEST_DESCRIPTION = 42


def _list_names(tasks: list[Mapping[str, Any]]) -> Iterator[str]:
    for task in tasks:
        yield task["name"]
        for part in ("block", "rescue", "always"):
            yield from _list_names(task.get(part, []))


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_heading_is_one_line_of_80_columns(role: Path) -> None:
    names = [
        name
        for file in role.joinpath("tasks").iterdir()
        for name in _list_names(yaml.safe_load(file.read_text(encoding="utf-8")))
    ]
    headings = [f"TASK [golden.images.{role.name} : {name}]" for name in names if "{{" not in name]
    assert headings
    assert [heading for heading in headings if len(heading) > LONGEST] == []


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_the_description_in_the_heading_of_the_argument_spec_is_short(role: Path) -> None:
    spec = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    assert 0 < len(spec["argument_specs"]["main"]["short_description"]) <= LONGEST_DESCRIPTION
