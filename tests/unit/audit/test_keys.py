# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings about keys, and keys as the module returns them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.audit import plan as audit
from ansible_collections.golden.images.plugins.module_utils.audit.state import (
    AuditSeen,
    AuditWanted,
    Problem,
    RegionSeen,
)
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.keys.grants import NAME_PREFIX
from ansible_collections.golden.images.plugins.module_utils.model import Key

from tests.unit.audit.examples import (
    ENCRYPTED,
    NOW,
    PRIVATE,
    accounts,
    audited,
    codes,
    orgs,
    under_key,
)
from tests.unit.examples import ORG, OWNER, STRANGER, place
from tests.unit.keys.examples import DEFAULT, key_arn
from tests.unit.keys.policies import ORG_ID, consumers, opened_to, policy_of
from tests.unit.keys.policies import UNIT as UNIT_IDS
from tests.unit.kms_grant.examples import DEPLOY, KEY, A, B, foreign, made, root

STALE = "AROAEXAMPLEEXAMPLE"
# KMS Developer Guide, "kms:ViaService": a condition on the service, which no account is excluded by.
OPEN = {
    "Effect": "Allow",
    "Principal": {"AWS": "*"},
    "Action": "kms:*",
    "Resource": "*",
    "Condition": {"StringEquals": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}},
}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(
            under_key(accounts(A, B), made(root(A))), [("missing_key_access", KEY.arn, B)], id="an account"
        ),
        pytest.param(under_key(orgs(ORG)), [("missing_key_access", KEY.arn, ORG)], id="an organization"),
        pytest.param(
            under_key(accounts(A), made(root(A)), made(root(B))),
            [("grant_without_share", KEY.arn, B)],
            id="an orphaned grant",
        ),
        pytest.param(
            under_key(PRIVATE, made(DEPLOY)), [("grant_without_share", KEY.arn, DEPLOY)], id="a role's grant"
        ),
        pytest.param(
            under_key(PRIVATE, policy=opened_to(consumers(A, org_ids=(ORG_ID,), units=(UNIT_IDS,)))),
            [
                ("statement_without_share", KEY.arn, A),
                ("statement_without_share", KEY.arn, ORG_ID),
                ("statement_without_share", KEY.arn, UNIT_IDS[1]),
            ],
            id="orphaned statements",
        ),
        pytest.param(
            under_key(PRIVATE, foreign(STALE)), [("stale_principal", KEY.arn, STALE)], id="a deleted role"
        ),
        pytest.param(
            under_key(PRIVATE, foreign(STALE, NAME_PREFIX + "x")),
            [("stale_principal", KEY.arn, STALE)],
            id="a deleted role of an own grant",
        ),
        pytest.param(
            under_key(PRIVATE, policy=policy_of({"Effect": "Allow", "Principal": {"AWS": [STALE]}})),
            [("stale_principal", KEY.arn, STALE)],
            id="a deleted role in the policy",
        ),
        pytest.param(
            under_key(accounts(A), made(root(A)), key=replace(KEY, state="Disabled")),
            [("key_not_enabled", KEY.arn, None)],
            id="a disabled key",
        ),
        pytest.param(
            under_key(PRIVATE, policy=policy_of({**OPEN, "Sid": "Open"})),
            [("key_public", KEY.arn, "all")],
            id="a public key",
        ),
        pytest.param(
            under_key(PRIVATE, policy=policy_of(OPEN), key=replace(KEY, state="Disabled")),
            [("key_public", KEY.arn, "all")],
            id="a public key that is disabled",
        ),
        pytest.param(
            under_key(PRIVATE, key=DEFAULT), [("default_key", DEFAULT.arn, None)], id="the default key"
        ),
        pytest.param(
            under_key(accounts(A), key=Key(key_arn(account_id=STRANGER))),
            [("key_of_other_account", key_arn(account_id=STRANGER), None)],
            id="another account's key",
        ),
    ],
)
def test_keys(seen: RegionSeen, expected: list[Any]) -> None:
    assert codes(audited(seen, AuditWanted(allowed=accounts(A, B) | orgs(ORG)))) == expected


def test_a_public_key_is_found_with_its_statements() -> None:
    policy = policy_of({**OPEN, "Sid": "Open"}, OPEN, {**OPEN, "Principal": {"AWS": A}})
    (found,) = audited(under_key(PRIVATE, policy=policy)).findings
    assert (found.severity.label, found.image_id) == ("high", ENCRYPTED.image_id)
    assert "statement Open, 3." in found.message


def test_key_access_that_may_still_be_needed_is_not_a_finding() -> None:
    through = under_key(orgs(ORG), made(root(B)), policy=opened_to(consumers(org_ids=(ORG_ID,))))
    unread = Problem("image_unreadable", ENCRYPTED.image_id, failure("DescribeImageAttribute"))
    hidden = replace(under_key(PRIVATE, made(root(B))), sharing={}, problems=(unread,))
    snapshot = replace(under_key(PRIVATE, made(root(B))), volumes={"snap-1": accounts(B)})
    for seen in (through, hidden, snapshot):
        assert "grant_without_share" not in [code for code, _where, _who in codes(audited(seen))]


def failure(action: str) -> Failure:
    """Why something could not be read."""
    return Failure("You may not.", "Allow it.", "UnauthorizedOperation", action, place().region, OWNER)


def test_the_facts_of_a_key() -> None:
    policy = opened_to(consumers(B, units=(UNIT_IDS,)))
    seen = AuditSeen(OWNER, NOW, {place(): under_key(accounts(A), made(root(A)), policy=policy)})
    (shown,) = audit.keys(seen)
    assert (shown["kms_key_arn"], shown["state"], shown["aws_managed"]) == (KEY.arn, "Enabled", False)
    (grant,) = shown["grants"]
    assert (grant["grantee"], grant["created_by_collection"]) == (root(A), True)
    assert "Decrypt" in grant["operations"]
    assert [(item["principals"], item["org_unit_ids"]) for item in shown["policy_statements"]] == [
        ([B], []),
        ([], [UNIT_IDS[1]]),
    ]
    assert shown["policy_statements"][1]["org_units"] == [{"org_id": UNIT_IDS[0], "org_unit_id": UNIT_IDS[1]}]
