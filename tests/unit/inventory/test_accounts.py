# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the inventory plugin accounts, which defines its options."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.golden.images.plugins.inventory import accounts
from ansible_collections.golden.images.plugins.module_utils.organization.inventory import (
    STATES,
    InventoryOptions,
    NamingOptions,
)

OPTIONS = yaml.safe_load(accounts.DOCUMENTATION)["options"]
# From the documentation fragments.
SHARED = {
    *("assume_role_arn", "cache", "cache_connection", "cache_plugin", "cache_timeout"),
    *("compose", "groups", "keyed_groups"),
}


def test_every_state_is_a_choice() -> None:
    assert {*OPTIONS["statuses"]["choices"]} == {*STATES, "all"}


def test_the_documented_defaults_are_those_of_the_code() -> None:
    assert tuple(OPTIONS["statuses"]["default"]) == InventoryOptions().states
    assert (OPTIONS["include_email"]["default"], OPTIONS["include_tags"]["default"]) == (
        InventoryOptions().email,
        InventoryOptions().tags,
    )
    assert (OPTIONS["hostname"]["default"], tuple(OPTIONS["group_by"]["default"])) == (
        NamingOptions().hostname,
        NamingOptions().group_by,
    )


def test_examples_use_documented_options() -> None:
    examples = [*yaml.safe_load_all(accounts.EXAMPLES)]
    assert examples
    for example in examples:
        assert example["plugin"] == accounts.InventoryModule.NAME
        assert {*example} <= {*OPTIONS, *SHARED}


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("golden_accounts.yml", True),
        ("prod.golden_accounts.yaml", True),
        ("accounts.yml", False),
        ("golden_accounts.json", False),
    ],
)
def test_names_of_inventory_files(tmp_path: Path, name: str, valid: bool) -> None:
    path = tmp_path / name
    path.write_text("plugin: golden.images.accounts\n", encoding="utf-8")
    assert accounts.InventoryModule().verify_file(str(path)) is valid
