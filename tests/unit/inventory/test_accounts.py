# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the inventory plugin accounts, which its documentation defines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible_collections.golden.images.plugins.inventory import accounts
from ansible_collections.golden.images.plugins.module_utils._organization.inventory import (
    InventoryOptions,
    NamingOptions,
)
from ansible_collections.golden.images.plugins.module_utils._read_yaml import parse_yaml
from ansible_collections.golden.images.plugins.module_utils._variables import read_options
from botocore.exceptions import ClientError

OPTIONS = yaml.safe_load(accounts.DOCUMENTATION)["options"]
# From the documentation fragments.
SHARED = {
    *("assume_role_arn", "cache", "cache_connection", "cache_plugin", "cache_timeout"),
    *("compose", "groups", "keyed_groups"),
}


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


def test_options_have_the_forms_of_a_modules_options() -> None:
    own = accounts.InventoryModule.own_options
    assert {option.name for option in own} == {*OPTIONS}
    given = {"statuses": "active\nsuspended\n", "include_email": " true ", "group_by": "- ou", "hostname": ""}
    assert read_options(own, given, parse_yaml) == (
        {"statuses": ["ACTIVE", "SUSPENDED"], "include_email": True, "group_by": ["ou"]},
        (),
    )
    _values, failures = read_options(own, {"statuses": ["OPEN"], "hostname": "email"}, parse_yaml)
    assert [failure.action for failure in failures] == ["statuses", "hostname"]


@pytest.mark.parametrize("region", [None, "eu-west-1"])
def test_the_remedy_says_that_no_region_is_set(monkeypatch: pytest.MonkeyPatch, region: str | None) -> None:
    monkeypatch.setattr(accounts.InventoryModule, "region", region)
    refusal: Any = {"Error": {"Code": "UnrecognizedClientException", "Message": "No."}}
    with pytest.raises(AnsibleError, match="Check the credentials") as caught:
        accounts.InventoryModule().fail_aws("No accounts", ClientError(refusal, "ListRoots"))
    assert ("No region is set, so that us-east-1 was used" in str(caught.value)) is (region is None)


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
