# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to Organizations, and refusals if a read fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._organization import read as read_accounts
from ansible_collections.golden.images.plugins.module_utils._organization.inventory import (
    Account,
    InventoryOptions,
    Unit,
)
from botocore import xform_name

from tests.unit.wire import Wire

ROOT = "r-ab12"
PROD = Unit("ou-ab12-11111111", "prod")
A, B, C = "012345678901", "111111111111", "222222222222"


@pytest.fixture
def organizations(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    # One call at a time, in the order of the script.
    monkeypatch.setattr(read_accounts, "_PARALLEL_CALLS", 1)
    with Wire("organizations").spoken() as wire:
        yield wire


def entry(account_id: str, **changes: Any) -> dict[str, Any]:
    return {"Id": account_id, "Name": "web", "Email": "web@example.com", "State": "ACTIVE", **changes}


def expect_children(wire: Wire, parent: str, accounts: list[dict[str, Any]], *units: Unit) -> None:
    wire.expect("list_accounts_for_parent", {"ParentId": parent}, {"Accounts": accounts})
    listed = [{"Id": unit.unit_id, "Name": unit.name} for unit in units]
    request = {"ParentId": parent}
    wire.expect("list_organizational_units_for_parent", request, {"OrganizationalUnits": listed})


def expect_roots(wire: Wire) -> None:
    wire.expect("list_roots", {}, {"Roots": [{"Id": ROOT, "Name": "Root"}]})


def test_the_whole_tree(organizations: Wire) -> None:
    expect_roots(organizations)
    expect_children(organizations, ROOT, [entry(B), entry(C, State="SUSPENDED")], PROD)
    # A page may be empty though more follow (botocore operation ListAccountsForParent).
    organizations.expect(
        "list_accounts_for_parent", {"ParentId": PROD.unit_id}, {"Accounts": [], "NextToken": "more"}
    )
    organizations.expect(
        "list_accounts_for_parent",
        {"ParentId": PROD.unit_id, "NextToken": "more"},
        {"Accounts": [entry(A)]},
    )
    organizations.expect(
        "list_organizational_units_for_parent", {"ParentId": PROD.unit_id}, {"OrganizationalUnits": []}
    )
    organizations.expect("list_tags_for_resource", {"ResourceId": A}, {"Tags": [{"Key": "a", "Value": "b"}]})
    organizations.expect("list_tags_for_resource", {"ResourceId": B}, {"Tags": []})
    assert read_accounts.accounts(organizations.client, InventoryOptions()) == (
        Account(A, "web", "ACTIVE", PROD.unit_id, units=(PROD,), tags={"a": "b"}),
        Account(B, "web", "ACTIVE", ROOT),
    )


def test_a_unit_and_an_account_that_are_gone_since_they_were_listed(organizations: Wire) -> None:
    """(botocore operations ListAccountsForParent and ListTagsForResource, errors.)"""
    expect_roots(organizations)
    expect_children(organizations, ROOT, [entry(A), entry(B)], PROD)
    organizations.refuse("list_accounts_for_parent", {"ParentId": PROD.unit_id}, "ParentNotFoundException")
    organizations.refuse("list_tags_for_resource", {"ResourceId": A}, "TargetNotFoundException")
    organizations.expect("list_tags_for_resource", {"ResourceId": B}, {"Tags": []})
    found = read_accounts.accounts(organizations.client, InventoryOptions())
    assert found == (Account(B, "web", "ACTIVE", ROOT),)


@pytest.mark.parametrize(
    ("members", "state"),
    [
        pytest.param({"State": "PENDING_CLOSURE", "Status": "ACTIVE"}, "PENDING_CLOSURE", id="both"),
        pytest.param({"State": None, "Status": "SUSPENDED"}, "SUSPENDED", id="before September 2026"),
    ],
)
def test_the_state(organizations: Wire, members: dict[str, Any], state: str) -> None:
    listed = {name: value for name, value in entry(A, **members).items() if value is not None}
    expect_roots(organizations)
    expect_children(organizations, ROOT, [listed])
    (found,) = read_accounts.accounts(
        organizations.client, InventoryOptions((state,), email=True, tags=False)
    )
    assert (found.state, found.email) == (state, "web@example.com")


def test_an_account_without_a_state_is_refused(organizations: Wire) -> None:
    listed = entry(A)
    listed.pop("State")
    expect_roots(organizations)
    expect_children(organizations, ROOT, [listed])
    # The exception stops the reads before the units.
    with pytest.raises(ValidationError) as caught:
        read_accounts.accounts(organizations.client, InventoryOptions())
    (failure,) = caught.value.failures
    assert "Update botocore" in failure.remedy
    organizations.client.list_organizational_units_for_parent(ParentId=ROOT)


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("AccessDeniedException", "Only the management account and delegated administrators"),
        ("TooManyRequestsException", "cache: true"),
        ("AWSOrganizationsNotInUseException", "AWS's API reference"),
    ],
)
def test_failures_of_list_roots(organizations: Wire, code: str, remedy: str) -> None:
    organizations.refuse("list_roots", {}, code, "Not a member.")
    with pytest.raises(ValidationError) as caught:
        read_accounts.accounts(organizations.client, InventoryOptions())
    (failure,) = caught.value.failures
    assert (failure.error_code, failure.action) == (code, "ListRoots")
    assert remedy in failure.remedy


def test_tags_that_cannot_be_read_are_refused(organizations: Wire) -> None:
    expect_roots(organizations)
    expect_children(organizations, ROOT, [entry(A), entry(B)])
    organizations.refuse("list_tags_for_resource", {"ResourceId": A}, "AccessDeniedException")
    with pytest.raises(ValidationError) as caught:
        read_accounts.accounts(organizations.client, InventoryOptions())
    assert [failure.action for failure in caught.value.failures] == ["ListTagsForResource"]


def without(item: dict[str, Any], member: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != member}


@pytest.mark.parametrize(
    ("method", "answer", "lacks"),
    [
        ("list_roots", {}, "ListRoots lacks Roots"),
        ("list_roots", {"Roots": [{"Name": "Root"}]}, "ListRoots lacks Id"),
        ("list_accounts_for_parent", {}, "ListAccountsForParent lacks Accounts"),
        (
            "list_accounts_for_parent",
            {"Accounts": [without(entry(A), "Id")]},
            "ListAccountsForParent lacks Id",
        ),
        (
            "list_organizational_units_for_parent",
            {},
            "ListOrganizationalUnitsForParent lacks OrganizationalUnits",
        ),
        (
            "list_organizational_units_for_parent",
            {"OrganizationalUnits": [{"Id": PROD.unit_id}]},
            "ListOrganizationalUnitsForParent lacks Name",
        ),
        ("list_tags_for_resource", {}, "ListTagsForResource lacks Tags"),
    ],
)
def test_an_answer_without_what_makes_the_inventory_complete_is_refused(
    method: str, answer: dict[str, Any], lacks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore's models of Organizations require no member of these answers."""
    answers: dict[str, dict[str, Any]] = {
        "list_roots": {"Roots": [{"Id": ROOT}]},
        "list_accounts_for_parent": {"Accounts": [entry(A)]},
        "list_organizational_units_for_parent": {"OrganizationalUnits": []},
        "list_tags_for_resource": {"Tags": []},
        method: answer,
    }
    client = Wire("organizations").client
    monkeypatch.setattr(client, "_make_api_call", lambda operation, _request: answers[xform_name(operation)])
    with pytest.raises(ValidationError) as caught:
        read_accounts.accounts(client, InventoryOptions())
    (failure,) = caught.value.failures
    assert lacks in failure.message
