# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of a role that runs once for several inventory hosts: the same for all, but the account."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._read_yaml import parse_yaml
from ansible_collections.golden.images.plugins.module_utils._role_variables import RoleVariables
from ansible_collections.golden.images.plugins.module_utils._variables import Variable

WEB, BATCH = "111111111111", "222222222222"
SAME = "all hosts need the same value, since one process works for all"
ROLE = RoleVariables(
    "try_",
    (
        Variable(
            "try_account_ids", type="list", elements="account_id", default=[], default_from="account_id"
        ),
        Variable("try_level", default="authorized", choices=("visible", "authorized")),
        Variable("try_names", type="list", elements="str", default=[]),
        Variable("try_key", no_log=True),
    ),
)


def read(**given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Return the values, those of each host, and the messages of the failures."""
    names = {host: [name for name in values if name.startswith("try_")] for host, values in given.items()}
    values, own, failures, _warnings = ROLE.read_hosts(given, names, parse_yaml)
    return values, own, [failure.message for failure in failures]


def test_several_hosts_have_the_same_values_and_an_account_each() -> None:
    values, own, problems = read(
        web={"account_id": WEB, "try_names": "a, b"},
        batch={"account_id": f" {BATCH} ", "try_names": ["a", "b"]},
        other={"account_id": WEB, "try_names": ["a", "b"]},
    )
    assert problems == []
    assert values["try_account_ids"] == [WEB, BATCH]
    assert values["try_names"] == ["a", "b"]
    assert own == {"web": [WEB], "batch": [BATCH], "other": [WEB]}


def test_a_single_host_has_its_own_values() -> None:
    values, own, problems = read(web={"account_id": WEB, "try_account_ids": [BATCH], "try_level": "visible"})
    assert (values["try_account_ids"], values["try_level"], own, problems) == ([BATCH], "visible", {}, [])
    assert read(localhost={})[0]["try_account_ids"] == []


@pytest.mark.parametrize(
    ("web", "batch", "problem"),
    [
        (
            {"try_level": "visible"},
            {},
            f"try_level: {SAME}: web has 'visible', batch has 'authorized'.",
        ),
        (
            {"try_key": "secret"},
            {"try_key": "other"},
            f"try_key: {SAME}: web and batch have other ones.",
        ),
        (
            {"try_account_ids": [WEB]},
            {"try_account_ids": [WEB]},
            "try_account_ids: the play has 2 hosts, and each has the value of its account_id.",
        ),
        ({}, {"account_id": ""}, "try_account_ids: batch has no variable account_id."),
        (
            {"account_id": None},
            {"account_id": ""},
            "try_account_ids: web, batch have no variable account_id.",
        ),
        (
            {},
            {"try_levle": "visible"},
            "try_levle: the role has no such variable. This is its value for batch.",
        ),
    ],
)
def test_what_would_be_ignored_is_refused_by_name(
    web: dict[str, Any], batch: dict[str, Any], problem: str
) -> None:
    _values, _own, problems = read(web={"account_id": WEB, **web}, batch={"account_id": BATCH, **batch})
    assert problems == [problem]


def test_a_problem_of_all_hosts_is_named_once() -> None:
    wrong = {"try_level": "fast"}
    _values, _own, (problem,) = read(web={"account_id": WEB, **wrong}, batch={"account_id": BATCH, **wrong})
    assert problem.startswith("try_level: ")
    assert "web" not in problem
