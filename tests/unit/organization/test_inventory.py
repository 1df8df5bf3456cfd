# SPDX-License-Identifier: GPL-3.0-or-later

"""Host names, variables and groups of accounts, and the cache."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._organization.inventory import (
    ALL_ACCOUNTS,
    Account,
    Group,
    InventoryOptions,
    NamingOptions,
    Unit,
    groups,
    host_variables,
    hosts,
)
from hypothesis import given
from hypothesis import strategies as st

WORKLOADS, PROD = Unit("ou-ab12-11111111", "workloads"), Unit("ou-ab12-22222222", "prod")


def account(account_id: str = "012345678901", **changes: Any) -> Account:
    """An active account without units."""
    return Account(
        **{
            "account_id": account_id,
            "name": "web",
            "state": "ACTIVE",
            "parent_id": "r-ab12",
            "email": "web@example.com",
            **changes,
        }
    )


def grouped(*accounts: Account, **naming: Any) -> dict[str, Group]:
    chosen = NamingOptions(**naming)
    return groups(hosts(accounts, chosen), chosen)


def members(found: dict[str, Group], name: str) -> set[str]:
    """The hosts of a group and of its child groups."""
    return {*found[name].hosts}.union(*(members(found, child) for child in found[name].children))


def test_a_unit_is_a_child_of_its_parent_unit() -> None:
    found = grouped(
        account("111111111111", units=(WORKLOADS, PROD)),
        account("222222222222", units=(WORKLOADS,)),
        account("333333333333"),
        group_by=("ou",),
    )
    assert found == {
        ALL_ACCOUNTS: Group(("111111111111", "222222222222", "333333333333")),
        "ou_workloads": Group(("222222222222",), ("ou_workloads_prod",)),
        "ou_workloads_prod": Group(("111111111111",)),
    }


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        ({"environment": "prod"}, ["tag_environment_prod"]),
        ({"backup": ""}, ["tag_backup"]),
        ({"cost center": "1-2", "ä": "ö"}, ["tag_cost_center_1_2", "tag____"]),
        ({}, []),
    ],
)
def test_tags(tags: dict[str, str], names: list[str]) -> None:
    assert sorted(grouped(account(tags=tags), group_by=("tags",))) == sorted([ALL_ACCOUNTS, *names])


@pytest.mark.parametrize(
    ("state", "name"), [("ACTIVE", "status_active"), ("PENDING_CLOSURE", "status_pending_closure")]
)
def test_states(state: str, name: str) -> None:
    assert sorted(grouped(account(state=state), group_by=("status",))) == [ALL_ACCOUNTS, name]


def test_units_with_the_same_group_name_get_their_ids() -> None:
    found = grouped(
        account("111111111111", units=(Unit("ou-1", "a"), Unit("ou-2", "b"))),
        account("222222222222", units=(Unit("ou-3", "a-b"),)),
        group_by=("ou",),
    )
    assert members(found, "ou_a_b_ou_2") == {"111111111111"}
    assert members(found, "ou_a_b_ou_3") == {"222222222222"}
    assert "ou_a_b" not in found


def test_tags_with_the_same_group_name_get_hashes() -> None:
    found = grouped(
        account("111111111111", tags={"a": "b-c"}),
        account("222222222222", tags={"a": "b c"}),
        group_by=("tags",),
    )
    assert "tag_a_b_c" not in found
    assert sorted(group.hosts for name, group in found.items() if name.startswith("tag_a_b_c_")) == [
        ("111111111111",),
        ("222222222222",),
    ]


def test_without_criteria_there_is_only_the_group_of_all_accounts() -> None:
    assert [*grouped(account(tags={"a": "b"}, units=(PROD,)), group_by=())] == [ALL_ACCOUNTS]


def test_an_organization_without_accounts() -> None:
    assert grouped() == {ALL_ACCOUNTS: Group(())}


def test_hosts_by_name() -> None:
    accounts = [account("111111111111", name="web"), account("222222222222", name="data")]
    assert [*hosts(accounts, NamingOptions("account_name"))] == ["data", "web"]
    assert [*hosts(accounts, NamingOptions())] == ["111111111111", "222222222222"]


def test_the_name_of_a_host_controls_no_terminal() -> None:
    (name,) = hosts([account(name="a\n\tb\x1b[2J\u202e\U0001f680{{ 1 }}")], NamingOptions("account_name"))
    assert name == "a  b\u27e8U+001B\u27e9[2J\u27e8U+202E\u27e9\U0001f680{{ 1 }}"


def test_two_accounts_with_the_same_name_are_refused() -> None:
    twins = [account("111111111111"), account("222222222222"), account("333333333333", name="other")]
    assert len(hosts(twins, NamingOptions())) == 3
    with pytest.raises(ValidationError) as caught:
        hosts(twins, NamingOptions("account_name"))
    (failure,) = caught.value.failures
    assert "111111111111, 222222222222" in failure.message
    assert "333333333333" not in failure.message


@pytest.mark.parametrize("name", ["ou_prod", "status_active", ALL_ACCOUNTS, "all", "ungrouped"])
def test_a_host_with_the_name_of_a_group_is_refused(name: str) -> None:
    accounts = [account("111111111111", name=name), account("222222222222", name="pay", units=(PROD,))]
    assert "ou_prod" in grouped(*accounts)
    with pytest.raises(ValidationError) as caught:
        grouped(*accounts, hostname="account_name")
    (failure,) = caught.value.failures
    assert failure.message.startswith(f"hostname: account 111111111111 has the name '{name}'")


@pytest.mark.parametrize(
    ("options", "more"),
    [
        (InventoryOptions(), {"account_tags": {"a": "b"}}),
        (InventoryOptions(tags=False), {}),
        (InventoryOptions(email=True, tags=False), {"email": "web@example.com"}),
    ],
)
def test_variables(options: InventoryOptions, more: dict[str, Any]) -> None:
    one = account(units=(WORKLOADS, PROD), parent_id=PROD.unit_id, tags={"a": "b"})
    assert host_variables(one, options) == {
        "account_id": "012345678901",
        "account_name": "web",
        "ou_id": PROD.unit_id,
        "ou_path": "/workloads/prod",
        "status": "ACTIVE",
        **more,
    }
    assert host_variables(account(), options)["ou_path"] == "/"


texts = st.text(max_size=6)
units = st.builds(Unit, st.from_regex(r"ou-ab12-[a-z0-9]{8}", fullmatch=True), texts)
organizations = st.dictionaries(
    st.from_regex(r"[0-9]{12}", fullmatch=True),
    st.tuples(st.dictionaries(texts, texts, max_size=3), texts),
    max_size=6,
)


@given(organizations, st.lists(units, max_size=4, unique_by=lambda unit: unit.unit_id), st.data())
def test_every_group_contains_only_the_accounts_of_one_unit_or_tag(
    tagged: dict[str, tuple[dict[str, str], str]], pool: list[Unit], data: st.DataObject
) -> None:
    # The units are a chain, and each account is somewhere in it.
    accounts = [
        account(account_id, name=name, tags=tags, units=tuple(pool[: data.draw(st.integers(0, len(pool)))]))
        for account_id, (tags, name) in tagged.items()
    ]
    found = grouped(*accounts)
    assert all(re.fullmatch("[A-Za-z0-9_]+", name, re.ASCII) for name in found)
    assert members(found, ALL_ACCOUNTS) == {*tagged}
    sets = [frozenset(members(found, name)) for name in found if name.startswith(("ou_", "tag_"))]
    of_units = [frozenset(one.account_id for one in accounts if unit in one.units) for unit in pool]
    pairs = {pair for one in accounts for pair in one.tags.items()}
    of_tags = [frozenset(one.account_id for one in accounts if pair in one.tags.items()) for pair in pairs]
    assert sorted(map(sorted, sets)) == sorted(sorted(one) for one in (*of_units, *of_tags) if one)


@given(organizations)
def test_the_cache_returns_the_accounts_that_were_read(tagged: dict[str, tuple[dict[str, str], str]]) -> None:
    accounts = tuple(
        account(account_id, name=name, tags=tags, units=(WORKLOADS, PROD))
        for account_id, (tags, name) in tagged.items()
    )
    options = InventoryOptions()
    kept = json.loads(json.dumps(options.as_cache(accounts)))
    assert options.from_cache(kept) == accounts


@pytest.mark.parametrize(
    "other",
    [
        InventoryOptions(states=("ACTIVE", "SUSPENDED")),
        InventoryOptions(email=True),
        InventoryOptions(tags=False),
        InventoryOptions(connection="of another organization"),
    ],
)
def test_a_cache_with_other_options_is_not_used(other: InventoryOptions) -> None:
    assert other.from_cache(InventoryOptions().as_cache([account()])) is None


@pytest.mark.parametrize("cached", [None, [], {}, {"accounts": []}])
def test_an_invalid_cache_is_not_used(cached: Any) -> None:
    assert InventoryOptions().from_cache(cached) is None
