# SPDX-License-Identifier: GPL-3.0-or-later

"""Parameters of the account that name an image and are shared through AWS RAM with somebody not allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.audit.account import EU, Account, item, run
from tests.unit.examples import CONSUMER, ORG, OWNER, SOURCE_ID, STRANGER, UNIT

NAME = "/golden/web"
ARN = f"arn:aws:ssm:{EU}:{OWNER}:parameter{NAME}"
SHARES = "get_resource_share_associations"
CODE, UNREADABLE = "unknown_parameter_consumer", "parameters_unreadable"


def associations(resources: Mapping[str, str], principals: Mapping[str, str], share: str = "arn:own") -> Any:
    """The resources and the principals of a resource share with their status."""

    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        assert set(request) <= {"associationType", "maxResults", "nextToken"}
        entities = resources if request["associationType"] == "RESOURCE" else principals
        return {
            "resourceShareAssociations": [
                {
                    "associatedEntity": entity,
                    "resourceShareArn": share,
                    "status": status,
                    "external": status == "ASSOCIATING",
                }
                for entity, status in entities.items()
            ]
        }

    return answer


def account(*principals: str, value: str = SOURCE_ID, **changes: Any) -> Account:
    """An account whose parameter has this value and is shared with these principals."""
    shared = associations({ARN: "ASSOCIATED"}, dict.fromkeys(principals, "ASSOCIATED"))
    parameter = {"Parameter": {"Type": "String", "Value": value, "Version": 1}}
    return Account(item(), **{SHARES: shared, "get_parameter": parameter, **changes})


def found(there: Account, **options: Any) -> list[tuple[str, str, str | None]]:
    """Code, resource and principal of the findings about parameters."""
    given = {"regions": [EU], "check_parameters": True, "check_snapshots": False, "check_keys": False}
    result = run(there, **{**given, **options}).result
    return [
        (one["code"], one["resource"], one["principal"])
        for one in result["findings"]
        if one["code"] in (CODE, UNREADABLE)
    ]


def asked(there: Account) -> list[str]:
    """The calls about parameters."""
    return [method for method, _request in there.calls if method in (SHARES, "get_parameter")]


def test_no_call_is_made_without_the_option() -> None:
    there = account(STRANGER)
    assert (found(there, check_parameters=False), asked(there)) == ([], [])


def test_whoever_is_not_allowed_is_a_finding_and_has_one_call_more() -> None:
    there = account(STRANGER, CONSUMER, ORG, UNIT, OWNER)
    assert found(there, allowed_account_ids=[CONSUMER]) == [
        (CODE, NAME, who) for who in sorted([STRANGER, ORG, UNIT])
    ]
    assert asked(there) == [SHARES, SHARES, "get_parameter"]


def test_the_value_is_not_read_where_all_are_allowed_nor_principals_without_a_parameter() -> None:
    there = account(CONSUMER, OWNER, UNIT)
    assert found(there, allowed_account_ids=[CONSUMER], allowed_org_arns=[ORG]) == []
    assert asked(there) == [SHARES, SHARES]
    other = account(**{SHARES: associations({f"arn:aws:ec2:{EU}:{OWNER}:subnet/1": "ASSOCIATED"}, {})})
    assert (found(other), asked(other)) == ([], [SHARES])


# What is shared, and whether it is a finding.
SHARED: dict[str, tuple[Account, dict[str, Any], list[str]]] = {
    "by a rule": (account(STRANGER), {"rules": [{"name_pattern": "golden", "account_ids": [STRANGER]}]}, []),
    "by another rule": (
        account(STRANGER),
        {"rules": [{"name_pattern": "other", "account_ids": [STRANGER]}]},
        [STRANGER],
    ),
    "an image that may be public": (
        account(STRANGER),
        {"rules": [{"name_pattern": "golden", "public": True}]},
        [],
    ),
    "another image": (account(STRANGER, value="ami-0fffffffffffffff0"), {}, []),
    "no image": (account(STRANGER, value="secret"), {}, []),
    "deleted": (account(STRANGER, get_parameter="ParameterNotFound"), {}, []),
    "a role": (account(f"arn:aws:iam::{STRANGER}:role/web"), {}, [STRANGER]),
    "a service": (account("web.amazonaws.com"), {}, ["web.amazonaws.com"]),
    "removed": (
        account(**{SHARES: associations({ARN: "ASSOCIATED"}, {STRANGER: "DISASSOCIATED"})}),
        {},
        [],
    ),
    "removed from the share": (
        account(**{SHARES: associations({ARN: "DISASSOCIATED"}, {STRANGER: "ASSOCIATED"})}),
        {},
        [],
    ),
    "being removed": (
        account(**{SHARES: associations({ARN: "ASSOCIATED"}, {STRANGER: "DISASSOCIATING"})}),
        {},
        [STRANGER],
    ),
    "failed": (
        account(**{SHARES: associations({ARN: "ASSOCIATED"}, {STRANGER: "FAILED"})}),
        {},
        [STRANGER],
    ),
    "being removed from the share": (
        account(**{SHARES: associations({ARN: "DISASSOCIATING"}, {STRANGER: "ASSOCIATED"})}),
        {},
        [STRANGER],
    ),
    "a list": (
        account(
            STRANGER, get_parameter={"Parameter": {"Type": "StringList", "Value": SOURCE_ID, "Version": 1}}
        ),
        {},
        [],
    ),
    "invited": (
        account(**{SHARES: associations({ARN: "ASSOCIATED"}, {STRANGER: "ASSOCIATING"})}),
        {},
        [STRANGER],
    ),
}


@pytest.mark.parametrize("case", SHARED)
def test_who_has_a_parameter_of_an_audited_image(case: str) -> None:
    there, allowed, principals = SHARED[case]
    assert found(there, **allowed) == [(CODE, NAME, one) for one in principals]


def test_who_is_outside_of_the_organization_is_said() -> None:
    shared = associations({ARN: "ASSOCIATED"}, {STRANGER: "ASSOCIATING", CONSUMER: "ASSOCIATED"})
    result = run(account(**{SHARES: shared}), check_parameters=True).result
    said = {one["principal"]: one for one in result["findings"] if one["code"] == CODE}
    assert said[STRANGER]["message"].endswith(f"with {STRANGER}, which is outside of the organization.")
    assert said[CONSUMER]["message"].endswith(f"with {CONSUMER}.")
    assert {one["severity"] for one in said.values()} == {"high"}
    assert result["results"][0]["findings"]


@pytest.mark.parametrize(
    ("resource", "principal", "said"),
    [
        ("ASSOCIATED", "DISASSOCIATING", " (DISASSOCIATING)."),
        ("ASSOCIATED", "FAILED", " (FAILED)."),
        ("DISASSOCIATING", "ASSOCIATED", " (DISASSOCIATING)."),
        ("ASSOCIATED", "SUSPENDED", "."),
    ],
)
def test_what_aws_has_not_ended_is_said_with_its_status(resource: str, principal: str, said: str) -> None:
    shared = associations({ARN: resource}, {STRANGER: principal})
    result = run(account(**{SHARES: shared}), check_parameters=True).result
    (message,) = [one["message"] for one in result["findings"] if one["code"] == CODE]
    assert message.endswith(f"with {STRANGER}{said}")


@pytest.mark.parametrize("order", [["ASSOCIATED", "DISASSOCIATING"], ["DISASSOCIATING", "ASSOCIATED"]])
def test_a_share_that_gives_access_counts_before_one_that_aws_is_ending(order: list[str]) -> None:
    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        pages = [
            associations({ARN: status}, {STRANGER: "ASSOCIATED"}, f"arn:{status}")(request)
            for status in order
        ]
        return {
            "resourceShareAssociations": [one for page in pages for one in page["resourceShareAssociations"]]
        }

    result = run(account(**{SHARES: answer}), check_parameters=True).result
    (message,) = [one["message"] for one in result["findings"] if one["code"] == CODE]
    assert message.endswith(f"with {STRANGER}.")


@pytest.mark.parametrize(
    ("method", "resource"), [(SHARES, "GetResourceShareAssociations"), ("get_parameter", NAME)]
)
def test_what_could_not_be_read_is_a_finding_and_a_failure(method: str, resource: str) -> None:
    there = account(STRANGER, **{method: "AccessDeniedException"})
    assert found(there) == [(UNREADABLE, resource, None)]
    failures = run(there, check_parameters=True).plan.failures
    assert "AccessDeniedException" in [one.error_code for one in failures]
