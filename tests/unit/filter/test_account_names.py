# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of the accounts of an inventory."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.filter.account_names import FilterModule
from jinja2 import StrictUndefined

NAMED, OTHER = "111122223333", "444455556666"
# What a template that needs a variable that is not set gives a filter.
MISSING = StrictUndefined(name="missing")

account_names = FilterModule().filters()["account_names"]


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({"account_id": NAMED, "account_name": "web"}, {NAMED: "web"}),
        ({"account_id": int(NAMED), "account_name": "web"}, {NAMED: "web"}),
        ({"account_id": NAMED, "account_name": MISSING}, {}),
        ({"account_id": MISSING, "account_name": "web"}, {}),
        ({"account_id": NAMED}, {}),
        ({"account_name": "web"}, {}),
        ({"account_id": NAMED[1:], "account_name": "web"}, {}),
        ({"account_id": f"{NAMED}\n", "account_name": "web"}, {}),
        ({"account_id": [NAMED], "account_name": "web"}, {}),
        ({}, {}),
    ],
)
def test_a_host_with_an_id_and_a_name_is_an_account(variables: dict[str, Any], names: dict[str, str]) -> None:
    assert account_names({"localhost": {}, "host": variables}) == names


def test_given_names_replace_those_of_the_inventory() -> None:
    hosts = {
        name: {"account_id": account_id, "account_name": name}
        for name, account_id in (("web", NAMED), ("shop", OTHER))
    }
    assert account_names(hosts, {OTHER: "sandbox"}) == {NAMED: "web", OTHER: "sandbox"}
    assert account_names(hosts, None) == {NAMED: "web", OTHER: "shop"}
