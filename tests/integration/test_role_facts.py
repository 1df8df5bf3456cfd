# SPDX-License-Identifier: GPL-3.0-or-later

"""The facts of roles: a run that fails at its variables leaves none of an earlier run in the same play."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from .playbook import CHECKOUT, MODULES, Ansible

EARLIER = "of an earlier run"
ROLES = sorted(path.name for path in (CHECKOUT / "roles").iterdir())


def _facts(role: str) -> set[str]:
    """The public facts of a role, and its summary."""
    files = (CHECKOUT / "roles" / role / "tasks").glob("*.yml")
    names = {name for file in files for name in _set(yaml.safe_load(file.read_text(encoding="utf-8")))}
    return {name for name in names if not name.startswith(f"{role}__")} | {f"{role}_summary"}


def _set(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from value.get("ansible.builtin.set_fact", ())
        for item in value.values():
            yield from _set(item)
    elif isinstance(value, list):
        for item in value:
            yield from _set(item)


def _misspelled(role: str) -> str:
    """A name that each role refuses: that of a variable, with one letter more."""
    spec = yaml.safe_load((CHECKOUT / "roles" / role / "meta" / "argument_specs.yml").read_text("utf-8"))
    return f"{max(spec['argument_specs']['main']['options'], key=len)}s"


def test_a_run_that_fails_at_its_variables_leaves_no_fact_of_an_earlier_one(ansible: Ansible) -> None:
    run = ansible.tasks(
        [
            {
                "name": role,
                "block": [
                    {"name": "earlier", "set_fact": dict.fromkeys(_facts(role), EARLIER)},
                    {
                        "name": "run",
                        "include_role": {"name": f"{MODULES}{role}"},
                        "vars": {_misspelled(role): "x"},
                    },
                ],
                "rescue": [{"name": "go on", "debug": {"msg": f"{{{{ {role}_summary.text | default() }}}}"}}],
            }
            for role in ROLES
        ]
    )
    assert run.code == 0, run.text
    assert run.failed == [f"{MODULES}{role} : Read the variables" for role in ROLES]
    assert [task.result["msg"] for task in run.tasks if task.name == "go on"] == ["" for _role in ROLES]
    assert [name for name, value in run.facts.items() if value == EARLIER] == []
    assert {name for role in ROLES for name in _facts(role)} <= run.facts.keys()
    assert run.facts["verify_failed_regions"] is True
    assert run.facts["remediate_remaining"] is True
