# SPDX-License-Identifier: GPL-3.0-or-later

"""An account's resource shares, and what is in them."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.errors import ClientError
from ansible_collections.golden.images.plugins.module_utils._aws.resource_shares import (
    list_associations,
    other_shares,
    own_shares,
)

from tests.unit.examples import CONSUMER, STRANGER
from tests.unit.publish.ram_in_memory import ASSOCIATED, Ram, StoredShare

ARN = "arn:aws:ssm:eu-west-1:111122223333:parameter/golden/web"
RESOURCES = {ARN: ASSOCIATED}
OWN = StoredShare("arn:own", "golden-web", {CONSUMER: ASSOCIATED, STRANGER: "FAILED"}, RESOURCES)
DELETED = StoredShare("arn:deleted", "golden-web", {CONSUMER: ASSOCIATED}, RESOURCES, status="DELETED")
OTHER = StoredShare("arn:other", "platform", {STRANGER: ASSOCIATED}, RESOURCES)
LONGER = StoredShare("arn:longer", "golden-web-2", {STRANGER: ASSOCIATED}, RESOURCES)
ENDING = StoredShare("arn:ending", "old", {STRANGER: "DISASSOCIATING"}, {ARN: "DISASSOCIATING"})
LEFT = StoredShare("arn:left", "old", {STRANGER: ASSOCIATED}, {ARN: "DISASSOCIATED"})
ELSEWHERE = StoredShare("arn:elsewhere", "database", {STRANGER: ASSOCIATED}, {"arn:db": ASSOCIATED})
UNKNOWN, DENIED = "UnknownResourceException", "AccessDeniedException"


def test_own_shares_of_a_name_have_what_is_in_them_unless_they_are_deleted() -> None:
    found = own_shares(Ram([OWN, DELETED, OTHER, LONGER]), "golden-web")
    assert [share.arn for share in found] == ["arn:own", "arn:deleted"]
    assert [sorted(share.consumers) for share in found] == [[CONSUMER], []]
    assert [sorted(share.resource_arns) for share in found] == [[ARN], []]


def test_other_shares_are_those_that_have_the_resource_now_and_are_not_known() -> None:
    ram = Ram([OWN, OTHER, LEFT, ELSEWHERE])
    (other,) = other_shares(ram, ARN, own_shares(ram, "golden-web"))
    assert (other.arn, other.name, [*other.consumers]) == ("arn:other", "platform", [STRANGER])


def test_a_share_from_which_aws_still_removes_the_resource_or_a_principal_is_listed() -> None:
    (ending,) = other_shares(Ram([ENDING]), ARN, ())
    assert ([*ending.holders], [*ending.consumers]) == ([STRANGER], [])


def test_a_parameter_that_does_not_exist_has_no_shares_and_a_denied_read_is_an_error() -> None:
    assert other_shares(Ram(refuse={"GetResourceShareAssociations": UNKNOWN}), ARN, ()) == ()
    with pytest.raises(ClientError, match=DENIED):
        other_shares(Ram(refuse={"GetResourceShareAssociations": DENIED}), ARN, ())


def test_what_is_in_all_shares_is_listed_with_the_arn_of_its_share() -> None:
    ram = Ram([OWN, ELSEWHERE])
    found = {kind: list_associations(ram, kind) for kind in ("RESOURCE", "PRINCIPAL")}
    assert [(share, one.entity, one.is_present) for share, one in found["RESOURCE"]] == [
        ("arn:own", ARN, True),
        ("arn:elsewhere", "arn:db", True),
    ]
    assert [(share, one.entity, one.is_present) for share, one in found["PRINCIPAL"]] == [
        ("arn:own", CONSUMER, True),
        ("arn:own", STRANGER, False),
        ("arn:elsewhere", STRANGER, True),
    ]
