# SPDX-License-Identifier: GPL-3.0-or-later
"""Organizations: who can list accounts, and pagination (botocore's model, documentation and errors)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

MEMBERS = {f"member-{number:02}": f"2000000000{number:02}" for number in range(25)}
FIXTURE: dict[str, Any] = {
    "accounts": {"management": "100000000001", "deputy": "300000000003", "outsider": "9" * 12, **MEMBERS},
    "organization": {
        "management_account": "management",
        "accounts": ["deputy"],
        "units": {"many": {"accounts": [*MEMBERS], "units": {"inner": {}}}},
    },
}
LISTS: dict[str, Callable[[Any, str], Any]] = {
    "ListAccounts": lambda client, _unit: client.list_accounts(),
    "ListAccountsForParent": lambda client, unit: client.list_accounts_for_parent(ParentId=unit),
    "ListOrganizationalUnitsForParent": lambda client, unit: client.list_organizational_units_for_parent(
        ParentId=unit
    ),
    "ListRoots": lambda client, _unit: client.list_roots(),
    "ListTagsForResource": lambda client, unit: client.list_tags_for_resource(ResourceId=unit),
    "DescribeAccount": lambda client, _unit: client.describe_account(AccountId=MEMBERS["member-00"]),
}


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedAws]:
    with SimulatedAws.start() as started:
        yield started


@pytest.fixture
def aws(server: SimulatedAws) -> SimulatedAws:
    server.reset()
    server.load_fixture(FIXTURE)
    organizations = server.client("organizations", "management")
    organizations.register_delegated_administrator(
        AccountId="300000000003", ServicePrincipal="guardduty.amazonaws.com"
    )
    return server


@pytest.fixture
def unit(aws: SimulatedAws) -> str:
    return str(aws.description()["organization"]["units"]["many"]["id"])


@pytest.mark.parametrize("operation", LISTS)
def test_which_accounts_can_call_an_operation(aws: SimulatedAws, unit: str, operation: str) -> None:
    """The management account and delegated administrators (each of these operations' documentation)."""
    answers = [LISTS[operation](aws.client("organizations", name), unit) for name in ("management", "deputy")]
    for answer in answers:
        answer.pop("ResponseMetadata")
    assert answers[0] == answers[1]
    for name, code in (
        ("member-00", "AccessDeniedException"),
        ("outsider", "AWSOrganizationsNotInUseException"),
    ):
        with pytest.raises(ClientError) as caught:
            LISTS[operation](aws.client("organizations", name), unit)
        assert caught.value.response["Error"]["Code"] == code


def test_a_delegated_administrator_changes_no_account(aws: SimulatedAws) -> None:
    with pytest.raises(ClientError) as caught:
        aws.client("organizations", "deputy").create_account(AccountName="new", Email="new@example.com")
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_every_account_can_describe_its_organization(aws: SimulatedAws) -> None:
    answer = aws.client("organizations", "member-00").describe_organization()
    assert answer["Organization"]["MasterAccountId"] == "100000000001"


def test_pages_hold_twenty_and_may_be_empty_though_more_follow(aws: SimulatedAws, unit: str) -> None:
    """MaxResults is 20 at most, and an empty answer may not be the last (operation ListAccountsForParent)."""
    client = aws.client("organizations", "management")
    pages = list(client.get_paginator("list_accounts_for_parent").paginate(ParentId=unit))
    assert [len(page["Accounts"]) for page in pages] == [20, 0, 5]
    assert {one["Id"] for page in pages for one in page["Accounts"]} == {*MEMBERS.values()}
    found = client.list_accounts_for_parent(ParentId=unit, MaxResults=2)
    assert len(found["Accounts"]) == 2


@pytest.mark.parametrize("parameters", [{"MaxResults": 21}, {"NextToken": "made-up"}])
def test_what_a_page_cannot_be(aws: SimulatedAws, unit: str, parameters: dict[str, Any]) -> None:
    client = aws.client("organizations", "management")
    with pytest.raises(ClientError) as caught:
        client.list_accounts_for_parent(ParentId=unit, **parameters)
    assert caught.value.response["Error"]["Code"] == "InvalidInputException"


def test_only_the_parents_own_are_listed(aws: SimulatedAws, unit: str) -> None:
    client = aws.client("organizations", "management")
    (root,) = client.list_roots()["Roots"]
    right_inside = client.list_accounts_for_parent(ParentId=root["Id"])["Accounts"]
    assert {one["Id"] for one in right_inside} == {"100000000001", "300000000003"}
    inner = client.list_organizational_units_for_parent(ParentId=unit)["OrganizationalUnits"]
    assert [one["Name"] for one in inner] == ["inner"]
    with pytest.raises(ClientError) as caught:
        client.list_accounts_for_parent(ParentId="ou-none-00000000")
    assert caught.value.response["Error"]["Code"] == "ParentNotFoundException"


def test_an_account_has_a_state_and_no_status(aws: SimulatedAws) -> None:
    """Status was retired in September 2026 (botocore shape Account); a closed account is suspended."""
    client = aws.client("organizations", "management")
    client.close_account(AccountId=MEMBERS["member-01"])
    found = {
        one["Id"]: one
        for page in client.get_paginator("list_accounts").paginate()
        for one in page["Accounts"]
    }
    assert found[MEMBERS["member-01"]]["State"] == "SUSPENDED"
    assert found[MEMBERS["member-02"]]["State"] == "ACTIVE"
    assert not [one for one in found.values() if "Status" in one]


def test_units_in_one_parent_have_different_names(aws: SimulatedAws, unit: str) -> None:
    """Error DuplicateOrganizationalUnitException of CreateOrganizationalUnit."""
    client = aws.client("organizations", "management")
    with pytest.raises(ClientError) as caught:
        client.create_organizational_unit(ParentId=unit, Name="inner")
    assert caught.value.response["Error"]["Code"] == "DuplicateOrganizationalUnitException"
    (root,) = client.list_roots()["Roots"]
    made = client.create_organizational_unit(ParentId=root["Id"], Name="inner")
    assert made["OrganizationalUnit"]["Name"] == "inner"
