# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings about keys, and keys as the module returns them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.state import Problem, RegionState
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._keys.grants import NAME_PREFIX
from ansible_collections.golden.images.plugins.module_utils._model import Grant, Key, KeyState, Sharing
from ansible_collections.golden.images.plugins.module_utils._tags import RECALLED_TAG

from tests.unit.audit.examples import (
    ENCRYPTED,
    NOW,
    PRIVATE,
    accounts,
    allowing,
    audit_of,
    codes,
    orgs,
    region,
    rule,
    under_key,
)
from tests.unit.examples import ORG, OWNER, STRANGER, target_in
from tests.unit.keys.examples import DEFAULT, key_arn
from tests.unit.keys.policies import FOREIGN_UNIT, ORG_ID, OTHER_ORG_ID, C, consumers, opened_to, policy_of
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

LIMITED = {"StringEquals": {"aws:PrincipalAccount": C}}
# KMS Developer Guide, "Examining grants": the grantee of the grant that EC2 creates for a volume in use.
INFRASTRUCTURE = f"arn:aws:sts::{C}:assumed-role/aws:ec2-infrastructure/i-5d476fab"
ADMIN, FOREIGN_ROLE = f"arn:aws:iam::{OWNER}:role/admin", f"arn:aws:iam::{C}:role/app"


def of_others(principal: Any, condition: Any = None, **changes: Any) -> dict[str, Any]:
    """A statement of others that allows a principal everything."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*", **changes}
    return {**statement, "Condition": condition} if condition else statement


def for_service(source_arn: str) -> Grant:
    """A grant to a service for one resource (botocore shape GrantListEntry, GranteeServicePrincipal)."""
    grant = foreign("ec2.amazonaws.com", source_arn.split(":")[4])
    return replace(grant, constrained=True, source_arn=source_arn)


def below(unit: tuple[str, str]) -> dict[str, Any]:
    """The condition that the principal is in this unit."""
    return {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{unit[0]}/*/{unit[1]}/*"}}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(
            under_key(accounts(A, B), made(root(A))), [("missing_key_access", KEY.arn, B)], id="an account"
        ),
        pytest.param(under_key(accounts(A), made(DEPLOY)), [], id="an account, of which a role has access"),
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
            under_key(
                PRIVATE,
                policy=policy_of(of_others({"AWS": "*"}, Action=["kms:DescribeKey", "kms:ListGrants"])),
            ),
            [],
            id="a key that every account may only describe",
        ),
        *(
            pytest.param(
                under_key(PRIVATE, policy=policy_of(of_others("*", Action=f"kms:{operation}"))),
                [("key_public", KEY.arn, "all")],
                id=f"a key that every account may use for {operation}",
            )
            for operation in ("Encrypt", "GenerateDataKeyPair", "RevokeGrant")
        ),
        pytest.param(
            under_key(PRIVATE, policy=policy_of(of_others({"AWS": [root(C), root(A), ADMIN]}))),
            [("unknown_key_principal", KEY.arn, C)],
            id="an account that is not allowed",
        ),
        pytest.param(
            under_key(
                PRIVATE, policy=policy_of(of_others({"AWS": FOREIGN_ROLE}), of_others({"AWS": DEPLOY}))
            ),
            [("unknown_key_principal", KEY.arn, FOREIGN_ROLE)],
            id="a role of an account that is not allowed",
        ),
        pytest.param(
            under_key(
                PRIVATE,
                policy=policy_of(
                    of_others("*", {"StringEquals": {"kms:CallerAccount": [A, C]}}),
                    of_others("*", {"StringEquals": {"aws:PrincipalOrgID": [ORG_ID, OTHER_ORG_ID]}}),
                    of_others("*", below(UNIT_IDS)),
                    of_others("*", below(FOREIGN_UNIT)),
                ),
            ),
            [
                ("unknown_key_principal", KEY.arn, C),
                ("unknown_key_principal", KEY.arn, OTHER_ORG_ID),
                ("unknown_key_principal", KEY.arn, FOREIGN_UNIT[1]),
            ],
            id="conditions with values that are not allowed",
        ),
        pytest.param(
            under_key(
                PRIVATE,
                policy=policy_of(
                    of_others({"AWS": C}, {"StringEquals": {"aws:PrincipalOrgID": ORG_ID}}),
                    of_others({"AWS": C}, Action=["kms:DescribeKey", "kms:ListGrants"]),
                    of_others({"Service": "ec2.amazonaws.com"}),
                ),
            ),
            [],
            id="an account in an allowed organization, one that only reads, and a service",
        ),
        pytest.param(
            under_key(
                PRIVATE,
                foreign(root(C)),
                replace(foreign(root(C)), grant_id="reads", operations=frozenset({"DescribeKey"})),
                foreign(root(A)),
                foreign(ADMIN),
            ),
            [("unknown_key_principal", KEY.arn, C)],
            id="a grant of others",
        ),
        pytest.param(
            under_key(PRIVATE, replace(foreign(root(C)), constrained=True)),
            [("unknown_key_principal", KEY.arn, C)],
            id="a grant of others with a constraint, as anyone who may call CreateGrant can choose it",
        ),
        pytest.param(
            under_key(PRIVATE, replace(foreign(INFRASTRUCTURE), constrained=True)),
            [],
            id="a grant that EC2 created for a volume",
        ),
        pytest.param(
            under_key(PRIVATE, foreign(INFRASTRUCTURE)),
            [("unknown_key_principal", KEY.arn, INFRASTRUCTURE)],
            id="a grant to EC2's role for every volume of an account",
        ),
        pytest.param(
            under_key(
                PRIVATE,
                *(for_service(f"arn:aws:ec2:eu-west-1:{one}:instance/i-1") for one in (OWNER, A, C)),
                foreign("rds.amazonaws.com"),
            ),
            [("unknown_key_principal", KEY.arn, C)],
            id="grants to services for resources of the owner, of an allowed and of another account",
        ),
        pytest.param(
            under_key(PRIVATE, foreign("unknown")),
            [("unknown_key_principal", KEY.arn, "unknown")],
            id="a grant whose grantee the installed botocore does not know",
        ),
        pytest.param(
            under_key(
                orgs(ORG),
                made(root(A)),
                made(root(C)),
                made(FOREIGN_ROLE),
                policy=opened_to(
                    consumers(A, C, org_ids=(ORG_ID, OTHER_ORG_ID), units=(UNIT_IDS, FOREIGN_UNIT))
                ),
            ),
            [
                ("statement_without_share", KEY.arn, OTHER_ORG_ID),
                ("statement_without_share", KEY.arn, FOREIGN_UNIT[1]),
                ("unknown_key_principal", KEY.arn, C),
                ("unknown_key_principal", KEY.arn, FOREIGN_ROLE),
            ],
            id="own grants and statements for accounts that may be in an organization",
        ),
        pytest.param(
            under_key(
                accounts(C) | orgs(ORG),
                *map(made, map(root, (B, C, STRANGER))),
                policy=opened_to(consumers(C, STRANGER, org_ids=(ORG_ID,))),
                volume_permissions={"snap-00000001": accounts(STRANGER)},
            ),
            [
                ("access_remains_through_organization", ENCRYPTED.image_id, C),
                ("unknown_account", ENCRYPTED.image_id, C),
                ("unknown_account", "snap-00000001", STRANGER),
            ],
            id="own grants for accounts that an image or snapshot is shared with",
        ),
        pytest.param(
            under_key(PRIVATE, policy=policy_of({**of_others("*", LIMITED), "Sid": "GoldenImagesAccounts"})),
            [("unknown_key_principal", KEY.arn, C)],
            id="an own Sid with a condition that is not written",
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
def test_keys(seen: RegionState, expected: list[Any]) -> None:
    assert codes(audit_of(seen, **allowing(accounts(A, B) | orgs(ORG)))) == expected


def associated(launch: Sharing, second: KeyState, **changes: Any) -> RegionState:
    """An encrypted image whose snapshot is associated with a second key."""
    seen = under_key(launch, **changes)
    keys = {**seen.keys, second.key.arn: second}
    return replace(seen, associated_keys={"snap-00000001": (second.key.arn,)}, keys=keys)


SECOND = Key(key_arn("second"))
SHOWN = KeyState(SECOND, (), policy_of(of_others({"AWS": root(C)})))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(
            associated(PRIVATE, SHOWN),
            [("unknown_key_principal", SECOND.arn, C)],
            id="it gives access to the data",
        ),
        pytest.param(
            associated(accounts(A), KeyState(SECOND, (), policy_of())),
            [],
            id="an account may use either of the two keys",
        ),
        pytest.param(
            associated(accounts(A), KeyState(SECOND, (made(root(A)), made(root(B))), policy_of())),
            [("grant_without_share", SECOND.arn, B)],
            id="an orphaned grant",
        ),
        pytest.param(
            associated(accounts(A), KeyState(replace(SECOND, state="Disabled"), (), policy_of())),
            [],
            id="it is disabled, and the key of the snapshot is not",
        ),
        pytest.param(
            associated(accounts(A), KeyState(SECOND, (), policy_of()), key=replace(KEY, state="Disabled")),
            [],
            id="the key of the snapshot is disabled",
        ),
        pytest.param(associated(PRIVATE, KeyState(DEFAULT)), [], id="an AWS managed key"),
        pytest.param(
            associated(PRIVATE, KeyState(SECOND, (), policy_of()), key=DEFAULT),
            [],
            id="the key of the snapshot is AWS managed",
        ),
        pytest.param(
            associated(accounts(A), KeyState(Key(key_arn("theirs", account_id=STRANGER)))),
            [("key_of_other_account", key_arn("theirs", account_id=STRANGER), None)],
            id="another account's key",
        ),
    ],
)
def test_associated_keys(seen: RegionState, expected: list[Any]) -> None:
    """botocore operation AssociateKmsKeyId: a second, independent way to access the snapshot's data."""
    assert codes(audit_of(seen, **allowing(accounts(A, B)))) == expected


def test_a_public_key_is_found_with_its_statements() -> None:
    policy = policy_of({**OPEN, "Sid": "Open"}, OPEN, {**OPEN, "Principal": {"AWS": OWNER}})
    (found,) = audit_of(under_key(PRIVATE, policy=policy))["findings"]
    assert (found["severity"], found["image_id"]) == ("high", ENCRYPTED.image_id)
    assert "statement Open, 3." in found["message"]


def test_a_rule_for_one_image_allows_its_key() -> None:
    seen = under_key(PRIVATE, policy=policy_of({**of_others({"AWS": C}), "Sid": "Partner"}))
    for pattern, expected in (("*", []), ("other-*", [C])):
        findings = audit_of(seen, rules=[rule(accounts(C), pattern)])["findings"]
        assert [found["principal"] for found in findings] == expected
    assert findings[0]["message"].endswith("or revoke its grants: statement Partner of the key policy.")
    assert (findings[0]["image_id"], findings[0]["severity"]) == (ENCRYPTED.image_id, "medium")


def test_key_access_that_may_still_be_needed_is_not_a_finding() -> None:
    through = under_key(orgs(ORG), made(root(B)), policy=opened_to(consumers(org_ids=(ORG_ID,))))
    unread = Problem("image_unreadable", ENCRYPTED.image_id, failure("DescribeImageAttribute"))
    hidden = replace(under_key(PRIVATE, made(root(B))), sharing={}, problems=(unread,))
    snapshot = replace(under_key(PRIVATE, made(root(B))), volume_permissions={"snap-00000001": accounts(B)})
    # Any key of the region may encrypt it.
    keyless = Problem("key_unreadable", "snap-00000009", failure("DescribeSnapshots"), "ami-9")
    assert keyless.is_snapshots_key
    other = replace(under_key(PRIVATE, made(root(B))), problems=(keyless,))
    found = {
        name: [
            (one["code"], one["principal"])
            for one in audit_of(seen)["findings"]
            if one["resource"] == KEY.arn
        ]
        for name, seen in {"org": through, "image": hidden, "snapshot": snapshot, "key": other}.items()
    }
    assert found == {
        # The organization is another finding: the account may not be in it.
        "org": [("unknown_key_principal", B)],
        # What was not read may show that it is grant_without_share.
        "image": [],
        "snapshot": [],
        "key": [],
    }


def test_access_by_others_is_found_although_an_image_was_not_read() -> None:
    unread = Problem("image_unreadable", ENCRYPTED.image_id, failure("DescribeImageAttribute"))
    policy = policy_of({**of_others({"AWS": C}), "Sid": "Partner"})
    seen = replace(under_key(PRIVATE, made(root(C)), policy=policy), sharing={}, problems=(unread,))
    (found,) = [one for one in audit_of(seen)["findings"] if one["code"] == "unknown_key_principal"]
    assert found["message"].endswith("or revoke its grants: statement Partner of the key policy.")
    assert found["remedy"] == "Remove it there (PutKeyPolicy, RevokeGrant), or allow it in the audit."


def test_access_by_this_collection_has_its_own_remedy() -> None:
    (found,) = [
        one
        for one in audit_of(under_key(orgs(ORG), made(root(B))))["findings"]
        if one["code"] == "unknown_key_principal"
    ]
    assert found["remedy"].endswith("use ami_kms_grant with state: absent and revoke_in_use: true.")


@pytest.mark.parametrize(
    ("age", "is_found"),
    [(None, True), (timedelta(seconds=299), False), (timedelta(), False), (timedelta(seconds=300), True)],
)
def test_the_unique_id_of_a_new_grantee_is_not_stale(age: timedelta | None, is_found: bool) -> None:
    """(aws/aws-sdk-go#1718: ListGrants shows a new role by its unique ID for about a minute.)"""
    created = None if age is None else NOW - age
    found = codes(audit_of(under_key(PRIVATE, foreign(STALE, created=created))))
    assert found == [("stale_principal", KEY.arn, STALE)] * is_found


@pytest.mark.parametrize(
    ("issuer", "is_own"),
    [(root(OWNER), True), (OWNER, True), (None, True), (root(C), False), ("AROAEXAMPLE", False)],
)
def test_a_grant_of_another_account_with_a_name_of_this_collection_is_not_its_own(
    issuer: str | None, is_own: bool
) -> None:
    """Whoever may call CreateGrant selects the name."""
    unread = Problem("image_unreadable", ENCRYPTED.image_id, failure("DescribeImageAttribute"))
    seen = replace(under_key(PRIVATE, made(root(B), issuer=issuer)), sharing={}, problems=(unread,))
    (key,) = audit_of(seen)["kms_keys"]
    assert [one["created_by_collection"] for one in key["grants"]] == [is_own]
    found = [one for one in audit_of(seen)["findings"] if one["resource"] == KEY.arn]
    assert [(one["code"], one["principal"]) for one in found] == (
        [] if is_own else [("unknown_key_principal", B)]
    )
    assert not any("ami_kms_grant" in one["remedy"] for one in found)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"issuer": root(C)}, [C]),
        ({"issuer": root(OWNER)}, []),
        ({}, []),
        ({"issuer": root(C), "source_arn": f"arn:aws:ec2:eu-west-1:{OWNER}:instance/i-1"}, []),
    ],
)
def test_a_service_without_a_source_acts_for_the_account_that_issued_its_grant(
    changes: dict[str, Any], found: list[str]
) -> None:
    region = under_key(PRIVATE, foreign("rds.eu-west-1.amazonaws.com", **changes))
    assert [one["principal"] for one in audit_of(region)["findings"]] == found


def failure(action: str) -> Failure:
    """Why something could not be read."""
    return Failure("You may not.", "Allow it.", "UnauthorizedOperation", action, target_in().region, OWNER)


def test_the_facts_of_a_key() -> None:
    policy = opened_to(consumers(B, units=(UNIT_IDS,)))
    (shown,) = audit_of(under_key(accounts(A), made(root(A)), policy=policy))["kms_keys"]
    assert (shown["kms_key_arn"], shown["state"], shown["aws_managed"]) == (KEY.arn, "Enabled", False)
    (grant,) = shown["grants"]
    assert (grant["grantee"], grant["created_by_collection"]) == (root(A), True)
    assert "Decrypt" in grant["operations"]
    assert [(item["principals"], item["org_unit_ids"]) for item in shown["policy_statements"]] == [
        ([B], []),
        ([], [UNIT_IDS[1]]),
    ]
    assert all(item["created_by_collection"] and not item["public"] for item in shown["policy_statements"])
    assert shown["policy_statements"][1]["org_units"] == [{"org_id": UNIT_IDS[0], "org_unit_id": UNIT_IDS[1]}]


def test_principals_whose_access_to_a_key_is_undetermined() -> None:
    in_org = opened_to(consumers(C, org_ids=(ORG_ID,)))
    for seen, expected in (
        (under_key(accounts(A, B), made(DEPLOY)), [A]),
        (under_key(accounts(A, B, C) | orgs(ORG), policy=in_org), [A, B]),
        (under_key(PRIVATE, made(DEPLOY)), []),
        (replace(under_key(accounts(A), made(DEPLOY)), sharing={}), []),
    ):
        (shown,) = audit_of(seen)["kms_keys"]
        assert shown["undetermined_principals"] == expected


def test_the_statements_of_others_in_a_key() -> None:
    policy = policy_of(
        of_others({"AWS": [root(C), ADMIN]}, Action=["kms:Decrypt", "kms:Sign"]),
        of_others("*", below(UNIT_IDS), Action="kms:Decrypt"),
        of_others({"AWS": C}, Action="kms:Sign"),
        OPEN,
        of_others("*", Action="kms:RevokeGrant"),
        {**of_others("*", LIMITED, Action="kms:Decrypt"), "Sid": "GoldenImagesOrganizations"},
        *json.loads(opened_to(consumers(B)))["Statement"][1:],
    )
    (shown,) = audit_of(under_key(PRIVATE, policy=policy))["kms_keys"]
    own, *others = shown["policy_statements"]
    assert (own["principals"], own["created_by_collection"]) == ([B], True)
    assert [item["created_by_collection"] for item in others] == [False] * 5
    assert [(item["principals"], item["org_unit_ids"], item["public"]) for item in others] == [
        ([C], [], False),
        ([], [UNIT_IDS[1]], False),
        ([], [], True),
        ([], [], True),
        ([C], [], False),
    ]
    assert others[0]["operations"] == ["Decrypt"]


LEFT = {"unused": {"snap-left": accounts(B)}}


@pytest.mark.parametrize(
    ("changes", "flagged"),
    [
        pytest.param({"key_of": {"snap-00000001": KEY.arn, "snap-left": KEY.arn}}, False, id="under the key"),
        pytest.param({"associated_keys": {"snap-left": (KEY.arn,)}}, False, id="associated with the key"),
        pytest.param(
            {"key_of": {"snap-00000001": KEY.arn, "snap-left": "other"}}, True, id="under another key"
        ),
        pytest.param({}, True, id="not encrypted"),
    ],
)
def test_a_shared_snapshot_without_an_image_needs_the_grant(changes: dict[str, Any], flagged: bool) -> None:
    """Snapshots stay shared when their image is deregistered."""
    seen = under_key(PRIVATE, made(root(B)), **LEFT, **changes)
    found = {(item["code"], item["resource"]) for item in audit_of(seen)["findings"]}
    assert (("grant_without_share", KEY.arn) in found) is flagged


@pytest.mark.parametrize("launch", [PRIVATE, accounts(A)])
def test_instances_of_a_recalled_image_need_the_grant(launch: Sharing) -> None:
    """Also if one account has got the image back after a block."""
    state = KeyState(KEY, (made(root(A)), made(root(B))), policy_of())
    recalled = replace(ENCRYPTED, tags={RECALLED_TAG: "2026-12-01T23:40:05Z"})
    seen = region(launch, PRIVATE, recalled, key_of={"snap-00000001": KEY.arn}, keys={KEY.arn: state})
    assert "grant_without_share" not in {item["code"] for item in audit_of(seen)["findings"]}


@pytest.mark.parametrize("code", ["snapshot_unreadable", "unused_snapshots_unreadable"])
def test_no_access_is_unused_while_snapshots_without_an_image_are_not_known(code: str) -> None:
    seen = under_key(
        PRIVATE,
        made(root(B)),
        problems=(Problem(code, "snap-left", Failure("No.", "", "Denied", "DescribeSnapshots")),),
    )
    assert "grant_without_share" not in {item["code"] for item in audit_of(seen)["findings"]}
