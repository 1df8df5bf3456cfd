# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of resource shares, and who they give access to."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Sharing, Target
from ansible_collections.golden.images.plugins.module_utils._parameter_share import (
    Association,
    ResourceShare,
    consumers_of,
    explain_status,
    explain_unassociated,
    is_organization,
    parameter_arn,
    pending,
    share_name,
    sharing_of,
)

from tests.unit.examples import CONSUMER, ORG, OWNER, STRANGER, UNIT

ARN = f"arn:aws:ssm:eu-west-1:{OWNER}:parameter/golden/web"


@pytest.mark.parametrize("name", ["/golden/web", "golden/web"])
def test_the_arn_of_a_parameter_has_one_slash_before_its_name(name: str) -> None:
    assert parameter_arn("aws", Target(OWNER, "eu-west-1"), name) == ARN


def test_the_name_of_a_share_is_readable_valid_and_different_for_each_parameter() -> None:
    assert share_name("/golden/web") == "golden-images-golden-web-65223423"
    assert share_name("golden/web") == share_name("/golden/web") != share_name("/golden-web")
    long = share_name("/golden/" + "x" * 1000)
    assert (len(long), long.startswith("golden-images-golden-xxx")) == (83, True)


def share(*principals: Association, resource: str = ARN, status: str = "ACTIVE") -> ResourceShare:
    """A share of the resource with these principals."""
    return ResourceShare("arn", "golden", status, resources=(Association(resource),), principals=principals)


@pytest.mark.parametrize(
    ("shares", "consumers"),
    [
        ([], set()),
        ([share(Association(CONSUMER)), share(Association(STRANGER))], {CONSUMER, STRANGER}),
        ([share(Association(CONSUMER, "ASSOCIATING"))], {CONSUMER}),
        ([share(Association(CONSUMER, "FAILED"), Association(STRANGER, "DISASSOCIATED"))], set()),
        ([share(Association(CONSUMER), resource="arn:other")], set()),
        ([share(Association(CONSUMER), status="DELETED")], set()),
    ],
    ids=["no share", "two shares", "invited", "removed", "of something else", "deleted"],
)
def test_who_is_in_a_live_share_with_the_parameter_has_access(
    shares: list[ResourceShare], consumers: set[str]
) -> None:
    assert consumers_of(shares, ARN) == consumers


def test_who_is_named_and_has_no_access_yet_is_pending() -> None:
    shares = [
        share(Association(CONSUMER, "ASSOCIATING"), Association(STRANGER, "ASSOCIATING")),
        share(Association(STRANGER), Association(OWNER, "ASSOCIATING")),
    ]
    assert pending(shares, [CONSUMER, STRANGER]) == {CONSUMER: "ASSOCIATING"}


def test_principals_are_accounts_organizations_and_units() -> None:
    role = f"arn:aws:iam::{STRANGER}:role/build"
    assert sharing_of([CONSUMER, role, ORG, UNIT, "imagebuilder.amazonaws.com"]) == Sharing(
        frozenset({CONSUMER, STRANGER, "imagebuilder.amazonaws.com"}), frozenset({ORG}), frozenset({UNIT})
    )


def test_only_organizations_and_units_are_groups_of_accounts() -> None:
    role = f"arn:aws:iam::{STRANGER}:role/build"
    principals = [CONSUMER, role, ORG, UNIT, "imagebuilder.amazonaws.com"]
    assert [name for name in principals if is_organization(name)] == [ORG, UNIT]


def test_who_was_invited_is_told_to_accept_and_any_other_status_is_named() -> None:
    assert "aws ram accept-resource-share-invitation" in explain_status("ASSOCIATING")
    assert explain_status("SUSPENDED") == "its status in the resource share is SUSPENDED"


@pytest.mark.parametrize(
    ("statuses", "named"),
    [
        ((), ""),
        (("ASSOCIATED",), ""),
        (("FAILED", "ASSOCIATED"), ""),
        (("FAILED",), "FAILED"),
        (("SUSPENDED", "ASSOCIATING"), "ASSOCIATING, SUSPENDED"),
    ],
)
def test_a_share_with_which_the_parameter_is_not_associated_gives_nobody_access(
    statuses: tuple[str, ...], named: str
) -> None:
    shares = [share(resource="arn:other")] + [
        ResourceShare(status, f"golden-{status}", resources=(Association(ARN, status),))
        for status in statuses
    ]
    said = explain_unassociated("/golden/web", ARN, shares)
    names = ", ".join(f"golden-{status}" for status in statuses)
    assert said == (
        f"Nobody can read /golden/web through the resource share {names}: its status there is {named}."
        if named
        else ""
    )
