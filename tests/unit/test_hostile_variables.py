# SPDX-License-Identifier: GPL-3.0-or-later

"""Any value of any type as a variable of a role: it is read, or refused by errors that name the variable."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from ansible_collections.golden.images.plugins.action.role_variables import load_variables
from ansible_collections.golden.images.plugins.module_utils._read_yaml import parse_yaml
from ansible_collections.golden.images.plugins.module_utils._variables import Variable, read

from tests.unit.hostile import VALUES

pytestmark = pytest.mark.exhaustive

ROLES = Path(__file__).parents[2] / "roles"
TEXTS = (
    *("2026-01-01", "2026-13-45", "2026-01-01T25:00:00", "1" * 5_000, "[" * 1_000, "- " * 1_000),
    *("!!int x", "!!float y", "!!bool x", "!!null x", "!!timestamp x", "!!binary x", "!!set {a}"),
    *("!!python/object:os.system x", "{[1]: 2}", "? [1]", "&a [*a]", "a: &x {b: *x}", "<<: 1", "=", "%"),
)
HOSTILE = (*VALUES, *TEXTS, date(2026, 1, 1), [date(2026, 1, 1)], {"a": date(2026, 1, 1)}, b"x", {1: 2})
_PYTHON = ("Traceback", "NoneType", "<class", "KeyError", "TypeError", "ValueError", "has no attribute")


def _kinds() -> dict[str, Variable]:
    """One variable of each kind: those that differ in their names only are read alike."""
    found: dict[tuple[object, ...], Variable] = {}
    for path in sorted(ROLES.iterdir()):
        for one in load_variables(str(path)).variables:
            keys = tuple(option.name for option in one.options)
            found.setdefault((one.type, one.elements, one.choices, one.no_log, one.required, keys), one)
    return {one.name: one for one in found.values()}


KINDS = _kinds()


@pytest.mark.parametrize("name", KINDS)
def test_any_value_is_read_or_refused_by_name(name: str) -> None:
    variable = _optional(KINDS[name])
    accepted = 0
    for value in HOSTILE:
        values, failures = read([variable], {name: value}, parse_yaml)
        accepted += not failures
        # Ansible passes dates to modules as text.
        json.dumps(values, default=str)
        for failure in failures:
            text = failure.text()
            assert name in text, (value, text)
            assert len(text) <= 800, (value, text)
            assert not [word for word in _PYTHON if word in text], (value, text)
    # Values of type raw are the modules' to refuse.
    assert 1 < accepted < len(HOSTILE) or variable.type == "raw"


def _optional(variable: Variable) -> Variable:
    """Without a default that another variable has."""
    return variable if variable.default_from is None else Variable(variable.name, variable.type)


@pytest.mark.parametrize("blank", ["", " ", None])
@pytest.mark.parametrize("role", ["audit", "cleanup", "remediate", "restore"])
def test_a_blank_rate_of_calls_sets_none(role: str, blank: str | None) -> None:
    name = f"{role}_max_calls_per_second"
    variables = [one for one in load_variables(str(ROLES / role)).variables if one.name == name]
    assert read(variables, {name: blank}, parse_yaml) == ({name: None}, ())
    assert read(variables, {name: "2.5"}, parse_yaml) == ({name: 2.5}, ())
