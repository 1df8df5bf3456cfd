# SPDX-License-Identifier: GPL-3.0-or-later

"""The principals that an image is shared with: whether they are allowed, and which permissions they have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.report.principals import (
    Held,
    shared_with,
    users,
)
from ansible_collections.golden.images.plugins.module_utils._audit.state import RegionState
from ansible_collections.golden.images.plugins.module_utils._model import Key, KeyState

from tests.unit.audit.examples import (
    ENCRYPTED,
    PRIVATE,
    PUBLIC,
    accounts,
    allowing,
    audit_of,
    orgs,
    region,
    under_key,
    unread,
)
from tests.unit.audit.report.examples import report
from tests.unit.examples import ORG, OWNER, SOURCE_ID, UNIT
from tests.unit.keys.examples import DEFAULT, key_arn
from tests.unit.keys.policies import ORG_ID, consumers, opened_to, policy_of
from tests.unit.kms_grant.examples import DEPLOY, KEY, A, B, made, root

SECOND = replace(KEY, arn=key_arn("b"))
EVERYTHING = allowing(accounts(A, B) | orgs(ORG, units=[UNIT]) | PUBLIC)


def associated(own: Key, second: Key) -> RegionState:
    """An image that is shared with an account, under a key of its own and one that is associated with it."""
    keys = {one.arn: KeyState(one, (), policy_of()) for one in (own, second)}
    return under_key(accounts(A), keys=keys, associated_keys={"snap-00000001": (second.arn,)})


def shared(content: dict[str, Any]) -> dict[str, tuple[bool, str, str, str]]:
    """For each principal of the only image whether it is allowed, and its permissions."""
    (image,) = content["images"]
    return {
        one["principal"]: (one["allowed"], one["launch_permission"], one["snapshots"], one["key_access"])
        for one in users(image)
    }


@pytest.mark.parametrize(
    ("seen", "wanted", "expected"),
    [
        pytest.param(region(accounts(OWNER), accounts(OWNER)), {}, {}, id="its owner"),
        pytest.param(
            region(accounts(A, B), accounts(A)),
            allowing(A),
            {A: (True, "yes", "some", "not_needed"), B: (False, "yes", "none", "not_needed")},
            id="one is allowed, and one is not",
        ),
        pytest.param(
            region(
                accounts(A), volume_permissions={"snap-00000001": accounts(A), "snap-00000002": accounts(A)}
            ),
            allowing(A),
            {A: (True, "yes", "all", "not_needed")},
            id="all snapshots",
        ),
        pytest.param(
            region(volume=accounts(A)),
            allowing(),
            {A: (False, "no", "some", "not_needed")},
            id="a snapshot only",
        ),
        pytest.param(
            region(orgs(ORG, units=[UNIT])),
            allowing(orgs(ORG)),
            {ORG: (True, "yes", "none", "not_needed"), UNIT: (True, "yes", "none", "not_needed")},
            id="a unit of an organization that is allowed",
        ),
        pytest.param(
            region(PUBLIC), EVERYTHING, {"all": (True, "yes", "none", "not_needed")}, id="may be public"
        ),
        pytest.param(
            region(volume=PUBLIC),
            allowing(A),
            {"all": (False, "no", "some", "not_needed")},
            id="a public snapshot",
        ),
        pytest.param(
            region(sharing={}, volume=accounts(A), problems=(unread("image_unreadable", SOURCE_ID),)),
            allowing(A),
            {A: (True, "unknown", "some", "not_needed")},
            id="an image that could not be read",
        ),
        pytest.param(
            region(accounts(A), volume_permissions={}),
            allowing(A),
            {A: (True, "yes", "unknown", "not_needed")},
            id="no snapshot",
        ),
        pytest.param(
            under_key(accounts(A, B), made(root(A))),
            allowing(A, B),
            {A: (True, "yes", "none", "yes"), B: (True, "yes", "none", "no")},
            id="one has the key",
        ),
        pytest.param(
            under_key(accounts(A, B), made(DEPLOY), made(root(B))),
            allowing(A, B),
            {A: (True, "yes", "none", "unknown"), B: (True, "yes", "none", "yes")},
            id="only a role of one has the key",
        ),
        pytest.param(
            under_key(accounts(A), policy=opened_to(consumers(org_ids=(ORG_ID,)))),
            allowing(A),
            {A: (True, "yes", "none", "unknown")},
            id="the account may be in the organization that has the key",
        ),
        pytest.param(
            under_key(accounts(A), made(DEPLOY), key=replace(KEY, state="Disabled")),
            allowing(A),
            {A: (True, "yes", "none", "no")},
            id="only a role has the key, which is disabled",
        ),
        pytest.param(
            under_key(PRIVATE, made(DEPLOY), volume_permissions={"snap-00000001": accounts(A)}),
            allowing(A),
            {A: (True, "no", "all", "unknown")},
            id="only a role has the key, without a launch permission",
        ),
        pytest.param(
            under_key(accounts(A), made(root(A)), key=replace(KEY, state="Disabled")),
            allowing(A),
            {A: (True, "yes", "none", "no")},
            id="the key is disabled",
        ),
        pytest.param(
            under_key(accounts(A), key=DEFAULT),
            allowing(A),
            {A: (True, "yes", "none", "no")},
            id="the default key",
        ),
        pytest.param(
            under_key(accounts(A), key=replace(KEY, arn=key_arn(account_id=B))),
            allowing(A),
            {A: (True, "yes", "none", "unknown")},
            id="another account's key",
        ),
        pytest.param(
            under_key(accounts(A), keys={}, problems=(unread("key_unreadable", KEY.arn),)),
            allowing(A),
            {A: (True, "yes", "none", "unknown")},
            id="a key that could not be read",
        ),
        pytest.param(
            associated(replace(KEY, state="Disabled"), SECOND),
            allowing(A),
            {A: (True, "yes", "none", "unknown")},
            id="the key is disabled, and one that is associated is not",
        ),
        pytest.param(
            associated(replace(KEY, state="Disabled"), replace(SECOND, state="PendingDeletion")),
            allowing(A),
            {A: (True, "yes", "none", "no")},
            id="the key and the one that is associated are disabled",
        ),
        pytest.param(
            associated(KEY, replace(SECOND, state="Disabled")),
            allowing(A),
            {A: (True, "yes", "none", "unknown")},
            id="which of the two keys an account can use is not checked",
        ),
        pytest.param(
            region(accounts(A), image=ENCRYPTED),
            allowing(A),
            {A: (True, "yes", "none", "unknown")},
            id="keys were not checked",
        ),
        pytest.param(
            under_key(PRIVATE, made(root(A)), volume_permissions={"snap-00000001": accounts(A)}),
            allowing(A),
            {A: (True, "no", "all", "unknown")},
            id="key access is not checked without a launch permission",
        ),
    ],
)
def test_permissions_of_each_principal(
    seen: RegionState, wanted: dict[str, Any], expected: dict[str, tuple[bool, str, str, str]]
) -> None:
    assert shared(report(seen, **wanted)) == expected


def test_the_public_is_first_then_organizations_units_and_accounts() -> None:
    (image,) = report(region(PUBLIC | orgs(ORG, units=[UNIT]) | accounts(B, A)))["images"]
    assert [(one["kind"], one["principals"]) for one in image["shared_with"]] == [
        ("public", ["all"]),
        ("organization", [ORG]),
        ("organizational unit", [UNIT]),
        ("account", [A, B]),
    ]


def test_a_key_policy_gives_key_access() -> None:
    seen = under_key(accounts(A), policy=opened_to(consumers(A)))
    assert shared(report(seen, **allowing(A))) == {A: (True, "yes", "none", "yes")}


def test_principals_with_the_same_permissions_are_one_group() -> None:
    result = audit_of(region(accounts(A, B, OWNER)), **allowing(A, B))
    (image,) = result["results"]
    assert shared_with(image, Held(result["findings"], result["kms_keys"]), OWNER) == [
        {
            "allowed": True,
            "key_access": "not_needed",
            "kind": "account",
            "launch_permission": "yes",
            "principals": [A, B],
            "snapshots": "none",
        }
    ]
