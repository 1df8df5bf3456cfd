# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings about the keys of an image, by grants, key policies and dry runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._diagnose.refusals import (
    find_keys_awaiting_grants,
)
from ansible_collections.golden.images.plugins.module_utils._diagnose.state import (
    ConsumerView,
    OwnerView,
)
from ansible_collections.golden.images.plugins.module_utils._keys.access import (
    Access,
    KeyDryRun,
    Simulation,
)
from ansible_collections.golden.images.plugins.module_utils._keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils._model import Grant, Key, KeyState, Sharing

from tests.unit.diagnose.examples import (
    CASE,
    ENCRYPTED,
    GRANTED,
    IMAGE_NOT_VISIBLE,
    NOW,
    TRIED,
    UNDECIDED,
    UNREADABLE,
    codes,
    consumer,
    diagnosed,
    diagnosis,
    encrypted,
    of_encrypted,
    owner,
)
from tests.unit.diagnose.examples import seen as state
from tests.unit.examples import CONSUMER, ORG, OWNER, STRANGER, UNIT
from tests.unit.keys.examples import DEFAULT, key_arn
from tests.unit.keys.policies import consumers, opened_to, policy_of
from tests.unit.kms_grant.examples import KEY, made, root

IN_UNIT, IN_ORG = Sharing(org_unit_arns=frozenset({UNIT})), Sharing(org_arns=frozenset({ORG}))


B, U, N = "blocking", "unknown", "harmless"


OTHERS = frozenset(OPERATIONS)


def granting(*without: str) -> OwnerView:
    """An image whose key is granted without some operations."""
    return encrypted(made(root(CONSUMER), OTHERS - set(without)))


def denying(action: str) -> str:
    return policy_of({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"})


def conditional(condition: dict[str, Any]) -> str:
    any_principal = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    return policy_of({**any_principal, "Condition": condition})


@pytest.mark.parametrize(
    ("of_owner", "expected"),
    [
        pytest.param(GRANTED, [], id="by a grant"),
        pytest.param(encrypted(policy=opened_to(consumers(CONSUMER))), [], id="by the policy"),
        pytest.param(encrypted(), [("missing_key_access", B)], id="not at all"),
        pytest.param(encrypted(made(root(STRANGER))), [("missing_key_access", B)], id="another account"),
        pytest.param(granting("CreateGrant"), [("missing_create_grant", B)], id="but CreateGrant"),
        pytest.param(
            granting("Decrypt"), [("missing_key_access", B)], id="but Decrypt, so that CreateGrant is no use"
        ),
        pytest.param(granting("ReEncryptFrom"), [("missing_key_operations", U)], id="but one"),
        pytest.param(
            encrypted(made(root(CONSUMER), constrained=True)), [("missing_key_access", B)], id="constrained"
        ),
        pytest.param(
            encrypted(made(f"arn:aws:iam::{CONSUMER}:role/deploy")),
            [("key_for_roles_only", U)],
            id="one role only",
        ),
        pytest.param(
            encrypted(made(root(CONSUMER)), policy=denying("kms:Decrypt")),
            [("key_denied_by_policy", B)],
            id="denied",
        ),
        *(
            pytest.param(
                encrypted(made(root(CONSUMER)), policy=denying(f"kms:{operation}")),
                [("key_denied_by_policy", how)],
                id=f"denied {operation}",
            )
            for operation, how in {
                **dict.fromkeys(sorted(OPERATIONS), U),
                **dict.fromkeys(("CreateGrant", "Decrypt"), B),
            }.items()
        ),
        pytest.param(
            encrypted(policy=denying("kms:ReEncryptTo")),
            [("missing_key_access", B)],
            id="not at all, and one operation denied",
        ),
        pytest.param(
            encrypted(made(root(CONSUMER), OTHERS - {"CreateGrant"}), policy=denying("kms:ReEncryptTo")),
            [("missing_create_grant", B)],
            id="but CreateGrant, and another denied",
        ),
        pytest.param(
            encrypted(policy=conditional({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})),
            [("key_access_unknown", U)],
            id="an organization",
        ),
        pytest.param(
            encrypted(policy=conditional({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})),
            [("key_access_unknown", U)],
            id="a condition of an unknown shape",
        ),
        pytest.param(
            encrypted(
                policy=conditional({"StringEquals": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}})
            ),
            [],
            id="through EC2 only",
        ),
        pytest.param(encrypted(key=replace(KEY, state="Disabled")), [("key_not_enabled", B)], id="disabled"),
        pytest.param(encrypted(key=DEFAULT), [("default_key", B)], id="aws/ebs"),
        pytest.param(
            encrypted(key=Key(key_arn("theirs", account_id=STRANGER))),
            [("key_unreadable", U)],
            id="a key of another account",
        ),
        pytest.param(
            owner(image=ENCRYPTED, key_problems={KEY.arn: UNREADABLE}),
            [("key_unreadable", U)],
            id="a key that may not be read",
        ),
        pytest.param(
            encrypted(key_problems={KEY.arn: UNREADABLE}),
            [("key_unreadable", U)],
            id="a key whose grants may not be read",
        ),
        pytest.param(
            owner(image=ENCRYPTED, undecided_keys={KEY.arn: UNDECIDED}),
            [("key_unreadable", U)],
            id="a key beside another one",
        ),
        pytest.param(
            owner(
                image=ENCRYPTED, keys=(KeyState(KEY, (made(root(CONSUMER)),), policy_of()), KeyState(DEFAULT))
            ),
            [("default_key", B)],
            id="one of two keys",
        ),
    ],
)
def test_key_findings_of_the_owner(of_owner: OwnerView, expected: list[tuple[str, str]]) -> None:
    assert codes(diagnosis(of_owner)) == expected


# IAM User Guide, "Troubleshoot access denied error messages". For the key of another account, KMS usually
# returns the first one, whatever the reason is.
UNNAMED = "because the resource does not exist in this Region, no resource-based policies allow access"
IMPLICIT = "because no identity-based policy allows the kms:Decrypt action"
SCP = "arn:aws:organizations::333333333333:policy/o-a1b2c3d4e5/service_control_policy/p-examplepolicy"
EXPLICIT = f"with an explicit deny in a service control policy: {SCP}"
BY_RCP = "with an explicit deny in a resource control policy"


def refusing(*operations: str, message: str = UNNAMED) -> KeyDryRun:
    return KeyDryRun(TRIED.allowed - set(operations), dict.fromkeys(operations, message))


ROLE = f"arn:aws:iam::{CONSUMER}:role/golden"


def simulated(
    *permissions: str, through_ec2: Access = Access.ALLOWED, directly: Access = Access.DENIED
) -> Simulation:
    """IAM's decisions about permissions: by default, the role may use them through EC2 only."""
    return Simulation(ROLE, dict.fromkeys(permissions, through_ec2), dict.fromkeys(permissions, directly))


VIA_EC2 = conditional({"StringEquals": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}})


OF_ORG = conditional({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})


BY_UNIT = encrypted(
    policy=opened_to(consumers(units=(("o-a1b2c3d4e5", "ou-ab12-11111111"),))), launch=IN_UNIT
)


def denied_if(condition: dict[str, Any]) -> str:
    every_principal = {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"}
    return policy_of({**every_principal, "Condition": condition})


def of_role(condition: dict[str, Any]) -> str:
    role = {"AWS": f"arn:aws:iam::{CONSUMER}:role/golden"}
    return policy_of(
        {"Effect": "Allow", "Principal": role, "Action": "kms:*", "Resource": "*", "Condition": condition}
    )


NOT_VIA_EC2 = denied_if({"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}})
# Conditions of which a dry run, a direct call, does not show whether EC2's call meets them.
ONLY_DIRECTLY = {
    "aws:SourceIp": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    "aws:SourceVpce": {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
    "aws:ViaAWSService": {"Bool": {"aws:ViaAWSService": "false"}},
}
ONLY_THROUGH_EC2 = {
    "aws:SourceIp": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    "aws:ViaAWSService": {"Bool": {"aws:ViaAWSService": "true"}},
}


@pytest.mark.parametrize(
    ("of_owner", "tried", "expected"),
    [
        pytest.param(GRANTED, TRIED, [], id="granted, and the dry run succeeds"),
        *(
            pytest.param(
                GRANTED,
                refusing("Decrypt", message=message),
                [("direct_key_use_denied", U)],
                id=f"denied in direct calls, {reason}",
            )
            for reason, message in {"reason not named": UNNAMED, "not allowed": IMPLICIT}.items()
        ),
        *(
            pytest.param(
                GRANTED,
                refusing("Decrypt", message=message),
                [("key_access_denied", B)],
                id=f"denied explicitly by {policy}",
            )
            for policy, message in {"an SCP": EXPLICIT, "an RCP": BY_RCP}.items()
        ),
        *(
            pytest.param(
                GRANTED,
                refusing(operation, message=EXPLICIT),
                [("key_access_denied", U)],
                id=f"{operation} denied explicitly",
            )
            for operation in ("DescribeKey", "GenerateDataKeyWithoutPlaintext", "ReEncrypt")
        ),
        pytest.param(
            GRANTED,
            refusing("Decrypt", "CreateGrant"),
            [("direct_key_use_denied", U)],
            id="two operations in one finding",
        ),
        pytest.param(
            GRANTED,
            refusing("CreateGrant", message=EXPLICIT),
            [("create_grant_denied", U)],
            id="CreateGrant explicitly, perhaps for direct calls only",
        ),
        pytest.param(GRANTED, refusing("CreateGrant"), [("create_grant_denied", U)], id="CreateGrant alone"),
        pytest.param(
            encrypted(),
            refusing("Decrypt", "CreateGrant"),
            [("missing_key_access", B)],
            id="not granted, and denied",
        ),
        pytest.param(
            granting("CreateGrant"),
            refusing("CreateGrant"),
            [("missing_create_grant", B)],
            id="CreateGrant not granted, and denied",
        ),
        pytest.param(
            encrypted(policy=opened_to(consumers(CONSUMER))),
            refusing("CreateGrant"),
            [("create_grant_denied", U)],
            id="CreateGrant that only AWS services may use, and the role perhaps not",
        ),
        pytest.param(
            encrypted(policy=VIA_EC2),
            refusing("Decrypt", "ReEncrypt"),
            [("direct_key_use_denied", U)],
            id="a key for EC2 only, and the role perhaps not",
        ),
        pytest.param(encrypted(policy=OF_ORG), TRIED, [], id="unknown to the owner, known to the account"),
        *(
            pytest.param(
                encrypted(policy=conditional(condition)),
                TRIED,
                [("key_access_unknown", U)],
                id=f"allowed under a condition that EC2 may not meet, {name}",
            )
            for name, condition in ONLY_DIRECTLY.items()
        ),
        *(
            pytest.param(
                encrypted(made(root(CONSUMER)), policy=denied_if(condition)),
                TRIED,
                [("key_access_unknown", U)],
                id=f"granted, and denied under a condition that EC2 may meet, {name}",
            )
            for name, condition in ONLY_THROUGH_EC2.items()
        ),
        pytest.param(
            encrypted(policy=of_role({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})),
            TRIED,
            [("key_access_unknown", U)],
            id="allowed to one role under a condition that EC2 may not meet",
        ),
        pytest.param(
            encrypted(policy=of_role({"StringEquals": {"aws:PrincipalTag/team": "web"}})),
            TRIED,
            [("key_for_roles_only", N)],
            id="allowed to one role under a condition on the role",
        ),
        pytest.param(
            encrypted(policy=OF_ORG),
            refusing("Decrypt"),
            [("key_access_unknown", U), ("direct_key_use_denied", U)],
            id="unknown to both",
        ),
        pytest.param(
            encrypted(policy=OF_ORG),
            refusing("Decrypt", message=EXPLICIT),
            [("key_access_unknown", U), ("key_access_denied", U)],
            id="unknown to the owner, denied explicitly",
        ),
        pytest.param(
            BY_UNIT,
            replace(refusing("CreateGrant"), simulation=simulated("CreateGrant")),
            [("shared_through_organization", N)],
            id="a unit that the account must be in, since it sees the image",
        ),
        pytest.param(
            GRANTED,
            replace(TRIED, problem="LimitExceededException: No."),
            [("key_unreadable", U)],
            id="an operation could not be tried",
        ),
        pytest.param(
            GRANTED, KeyDryRun(supported=False), [("key_unreadable", U)], id="a botocore without dry runs"
        ),
        pytest.param(
            GRANTED,
            KeyDryRun(problem="Throttled.", supported=False),
            [("key_unreadable", U)],
            id="a botocore without some dry runs, and an error",
        ),
        pytest.param(
            GRANTED,
            KeyDryRun(frozenset({"DescribeKey"}), unusable="KMSInvalidStateException: No."),
            [("key_not_enabled", B)],
            id="a key whose state permits no use",
        ),
        pytest.param(
            owner(image=ENCRYPTED, key_problems={KEY.arn: UNREADABLE}),
            KeyDryRun(frozenset({"DescribeKey"}), unusable="DisabledException: No."),
            [("key_unreadable", U), ("key_not_enabled", B)],
            id="an unreadable key whose state permits no use",
        ),
        pytest.param(
            encrypted(made(f"arn:aws:iam::{CONSUMER}:role/golden")),
            TRIED,
            [("key_for_roles_only", N)],
            id="granted to the role itself",
        ),
        pytest.param(
            encrypted(made(f"arn:aws:iam::{CONSUMER}:role/deploy")),
            refusing("Decrypt", "CreateGrant"),
            [("key_for_roles_only", U)],
            id="granted to another role",
        ),
        pytest.param(
            encrypted(made(root(CONSUMER)), policy=NOT_VIA_EC2),
            TRIED,
            [("key_denied_by_policy", B)],
            id="denied to EC2 only",
        ),
        pytest.param(
            encrypted(made(f"arn:aws:iam::{CONSUMER}:role/golden"), policy=NOT_VIA_EC2),
            TRIED,
            [("key_denied_by_policy", B)],
            id="granted to the role itself, and denied to EC2 only",
        ),
        pytest.param(encrypted(), TRIED, [], id="the dry run overrides the owner's reading"),
        pytest.param(
            encrypted(),
            KeyDryRun(frozenset({"DescribeKey"}), supported=False),
            [("key_access_unknown", U), ("key_unreadable", U)],
            id="the owner does not see what gives the account access",
        ),
        pytest.param(
            encrypted(),
            refusing("CreateGrant"),
            [("key_access_unknown", U)],
            id="and AWS services alone may be allowed CreateGrant",
        ),
        pytest.param(
            encrypted(),
            refusing("ReEncrypt"),
            [("missing_key_operations", U)],
            id="and both deny the rest",
        ),
        pytest.param(
            encrypted(),
            KeyDryRun(refused=dict.fromkeys(TRIED.allowed, UNNAMED)),
            [("missing_key_access", B)],
            id="both deny everything",
        ),
        pytest.param(
            encrypted(),
            KeyDryRun(supported=False),
            [("missing_key_access", B), ("key_unreadable", U)],
            id="nothing contradicts the owner",
        ),
        pytest.param(
            owner(image=ENCRYPTED, key_problems={KEY.arn: UNREADABLE}),
            TRIED,
            [],
            id="unreadable by the owner, known to the account",
        ),
        pytest.param(
            owner(image=ENCRYPTED, key_problems={KEY.arn: UNREADABLE}),
            refusing("Decrypt"),
            [("key_unreadable", U)],
            id="unreadable by both",
        ),
    ],
)
def test_key_findings_of_the_account(
    of_owner: OwnerView, tried: KeyDryRun, expected: list[tuple[str, str]]
) -> None:
    found = diagnosis(of_owner, of_encrypted(keys={KEY.arn: tried}))
    assert (codes(found), found["level"]) == (expected, "authorized")


ALLOWED, DENIED, UNKNOWN = Access.ALLOWED, Access.DENIED, Access.UNKNOWN


@pytest.mark.parametrize(
    ("of_owner", "tried", "simulation", "expected"),
    [
        pytest.param(
            GRANTED, refusing("Decrypt"), simulated("Decrypt"), ([], "proven"), id="allowed through EC2 only"
        ),
        pytest.param(
            GRANTED,
            refusing("Decrypt", message=EXPLICIT),
            simulated("Decrypt"),
            ([("key_access_denied", "unknown")], "uncertain"),
            id="denied explicitly by a policy of which IAM does not evaluate the conditions",
        ),
        pytest.param(
            GRANTED,
            refusing("Decrypt", message=BY_RCP),
            simulated("Decrypt"),
            ([("key_access_denied", "unknown")], "uncertain"),
            id="denied explicitly by a policy that IAM does not simulate",
        ),
        pytest.param(
            GRANTED,
            refusing("Decrypt", message="with an explicit deny in an identity-based policy"),
            simulated("Decrypt"),
            ([], "proven"),
            id="denied explicitly in direct calls only",
        ),
        pytest.param(
            encrypted(policy=VIA_EC2),
            refusing("Decrypt", "ReEncrypt"),
            simulated("Decrypt", "ReEncryptFrom", "ReEncryptTo", directly=ALLOWED),
            ([], "proven"),
            id="a role with all rights, and a key for EC2 only",
        ),
        pytest.param(
            encrypted(policy=opened_to(consumers(CONSUMER))),
            refusing("CreateGrant"),
            simulated("CreateGrant", directly=ALLOWED),
            ([], "proven"),
            id="a role with all rights, and a key for AWS services only",
        ),
        pytest.param(
            GRANTED,
            refusing("Decrypt"),
            simulated("Decrypt", through_ec2=DENIED),
            ([("key_use_denied", B)], "refused"),
            id="denied through EC2, too",
        ),
        pytest.param(
            GRANTED,
            refusing("CreateGrant"),
            simulated("CreateGrant", through_ec2=DENIED),
            ([("key_use_denied", B)], "refused"),
            id="CreateGrant denied through EC2, too",
        ),
        pytest.param(
            GRANTED,
            refusing("DescribeKey"),
            simulated("DescribeKey", through_ec2=DENIED),
            ([("key_use_denied", U)], "uncertain"),
            id="denied what a launch may do without",
        ),
        pytest.param(
            GRANTED,
            refusing("ReEncrypt"),
            Simulation(
                ROLE,
                {"ReEncryptFrom": ALLOWED, "ReEncryptTo": ALLOWED},
                {"ReEncryptFrom": ALLOWED, "ReEncryptTo": DENIED},
            ),
            ([], "proven"),
            id="one of two permissions explains the refusal",
        ),
        pytest.param(
            GRANTED,
            refusing("Decrypt"),
            simulated("Decrypt", directly=ALLOWED),
            ([("direct_key_use_denied", U)], "uncertain"),
            id="something else than the role's policies refuses it",
        ),
        pytest.param(
            GRANTED,
            refusing("Decrypt"),
            simulated("Decrypt", through_ec2=UNKNOWN),
            ([("direct_key_use_denied", U)], "uncertain"),
            id="undetermined",
        ),
        pytest.param(
            GRANTED,
            refusing("Decrypt", "DescribeKey"),
            simulated("Decrypt"),
            ([("direct_key_use_denied", U)], "uncertain"),
            id="a permission without an answer",
        ),
        pytest.param(
            GRANTED,
            refusing("Decrypt"),
            Simulation(ROLE, problem="User is not authorized."),
            ([("direct_key_use_denied", U)], "uncertain"),
            id="not allowed to ask",
        ),
        pytest.param(
            GRANTED, refusing("Decrypt"), None, ([("direct_key_use_denied", U)], "uncertain"), id="not asked"
        ),
        pytest.param(
            GRANTED,
            refusing("Decrypt", message=EXPLICIT),
            None,
            ([("key_access_denied", B)], "refused"),
            id="denied explicitly",
        ),
        pytest.param(GRANTED, TRIED, None, ([], "proven"), id="all allowed"),
        pytest.param(
            encrypted(),
            refusing("Decrypt", "CreateGrant"),
            simulated("Decrypt", "CreateGrant"),
            ([("missing_key_access", B)], "refused"),
            id="allowed by the role's policies, and not by the owner",
        ),
        pytest.param(
            GRANTED, KeyDryRun(supported=False), None, ([("key_unreadable", U)], "uncertain"), id="not tried"
        ),
    ],
)
def test_whether_the_use_of_a_key_is_proven(
    of_owner: OwnerView,
    tried: KeyDryRun,
    simulation: Simulation | None,
    expected: tuple[list[tuple[str, str]], str],
) -> None:
    dry_run = replace(tried, simulation=simulation)
    found = diagnosis(of_owner, of_encrypted(keys={KEY.arn: dry_run}))
    assert (codes(found), found["key_use"]) == expected


@pytest.mark.parametrize(
    ("of_owner", "of_consumer", "expected"),
    [
        pytest.param(GRANTED, None, None, id="no role in the account"),
        pytest.param(GRANTED, IMAGE_NOT_VISIBLE, None, id="not visible"),
        pytest.param(owner(), consumer(), None, id="not encrypted"),
        pytest.param(GRANTED, of_encrypted(keys={}), "uncertain", id="a key that was not tried"),
        pytest.param(
            OwnerView(image=ENCRYPTED), of_encrypted(keys={}), "uncertain", id="only its owner knows its keys"
        ),
        pytest.param(
            OwnerView(problem=UNREADABLE), of_encrypted(keys={}), "uncertain", id="unreadable by its owner"
        ),
    ],
)
def test_what_is_not_tried_is_not_proven(
    of_owner: OwnerView, of_consumer: ConsumerView | None, expected: str | None
) -> None:
    assert diagnosis(of_owner, of_consumer)["key_use"] == expected


@pytest.mark.parametrize(
    ("key", "dry_runs", "expected"),
    [
        pytest.param(KEY, {KEY.arn: TRIED}, ([], "proven"), id="allowed"),
        pytest.param(
            KEY,
            {KEY.arn: refusing("Decrypt")},
            ([("direct_key_use_denied", U)], "uncertain"),
            id="refused",
        ),
        pytest.param(
            KEY,
            {KEY.arn: replace(refusing("Decrypt"), simulation=simulated("Decrypt", through_ec2=DENIED))},
            ([("key_use_denied", B)], "refused"),
            id="denied through EC2, too",
        ),
        pytest.param(
            KEY,
            {KEY.arn: replace(refusing("Decrypt"), simulation=simulated("Decrypt"))},
            ([], "proven"),
            id="allowed through EC2 only",
        ),
        pytest.param(DEFAULT, {}, ([], "proven"), id="aws/ebs, which EBS may use for all in its account"),
    ],
)
def test_the_owner_s_role_has_to_be_allowed_its_own_key(
    key: Key, dry_runs: dict[str, KeyDryRun], expected: tuple[list[tuple[str, str]], str]
) -> None:
    found = diagnosis(encrypted(key=key), of_encrypted(keys=dry_runs), account_id=OWNER)
    of_keys = [one for one in codes(found) if "key" in one[0] or "grant" in one[0]]
    assert (of_keys, found["key_use"]) == expected


REFUSED_ALL = refusing(*TRIED.allowed)
ALL = (
    "CreateGrant",
    "Decrypt",
    "DescribeKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
)
JUST_NOW, LONG_AGO = NOW - timedelta(seconds=20), NOW - timedelta(minutes=6)


@pytest.mark.parametrize(
    ("created", "tried", "awaited"),
    [
        pytest.param(JUST_NOW, REFUSED_ALL, True, id="a new grant, and all refused"),
        pytest.param(LONG_AGO, REFUSED_ALL, False, id="an old grant"),
        pytest.param(None, REFUSED_ALL, False, id="a grant of unknown age"),
        pytest.param(JUST_NOW, TRIED, False, id="all allowed"),
        pytest.param(JUST_NOW, refusing("CreateGrant"), False, id="a part refused"),
        pytest.param(JUST_NOW, refusing(*TRIED.allowed, message=EXPLICIT), False, id="denied explicitly"),
        pytest.param(
            JUST_NOW, replace(REFUSED_ALL, simulation=simulated(*ALL)), False, id="allowed through EC2"
        ),
        pytest.param(
            JUST_NOW,
            replace(REFUSED_ALL, simulation=simulated(*ALL, through_ec2=DENIED)),
            False,
            id="denied through EC2, too",
        ),
        pytest.param(
            JUST_NOW,
            replace(REFUSED_ALL, simulation=simulated(*ALL, directly=ALLOWED)),
            True,
            id="allowed by the role's policies",
        ),
    ],
)
def test_a_new_grant_may_not_be_usable_yet(created: datetime | None, tried: KeyDryRun, awaited: bool) -> None:
    granted = encrypted(replace(made(root(CONSUMER)), created=created))
    seen = of_encrypted(keys={KEY.arn: tried})
    assert find_keys_awaiting_grants(CASE, granted, seen, NOW) == ([KEY.arn] if awaited else [])


def test_a_new_grant_of_another_account_is_not_awaited() -> None:
    granted = encrypted(replace(made(root(STRANGER)), created=JUST_NOW))
    assert find_keys_awaiting_grants(CASE, granted, of_encrypted(keys={KEY.arn: REFUSED_ALL}), NOW) == []
    assert find_keys_awaiting_grants(CASE, granted, of_encrypted(keys={}), NOW) == []


def test_a_finding_says_why_iam_does_not_settle_it() -> None:
    def found(simulation: Simulation | None) -> dict[str, Any]:
        tried = replace(refusing("Decrypt"), simulation=simulation)
        (one,) = diagnosis(GRANTED, of_encrypted(keys={KEY.arn: tried}))["findings"]
        return one

    may_not_ask = found(Simulation(ROLE, problem="User is not authorized."))
    assert "IAM could not simulate that: User is not authorized." in may_not_ask["message"]
    assert "iam:SimulatePrincipalPolicy" in may_not_ask["remedy"]
    assert "iam:SimulatePrincipalPolicy" in found(None)["remedy"]
    asked = found(simulated("Decrypt", through_ec2=UNKNOWN))
    assert f"The policies of {ROLE} do not settle it" in asked["message"]
    assert "iam:SimulatePrincipalPolicy" not in asked["remedy"]
    assert ROLE in found(simulated("Decrypt", through_ec2=DENIED))["message"]


def test_unread_keys_are_those_that_dry_runs_do_not_settle() -> None:
    seen = owner(image=ENCRYPTED, key_problems={KEY.arn: UNREADABLE}, undecided_keys={"arn:2": UNDECIDED})
    (failure,) = diagnosed(state(seen))["failures"]
    assert failure["message"] == UNREADABLE.message
    assert diagnosed(state(seen, of_encrypted()))["failures"] == []
    assert diagnosed(state(replace(seen, image=None)))["failures"] == []
    (one, other) = diagnosis(seen)["findings"]
    assert one["error_code"] == UNREADABLE.error_code
    assert (
        "arn:2 is unknown: arn:other, associated with snap-1, can give access to it, too." in other["message"]
    )


def test_only_grants_to_the_account_count() -> None:
    others = [Grant(f"g-{number}", f"arn:aws:iam::{number:012}:root", OPERATIONS) for number in range(50)]
    assert codes(diagnosis(encrypted(*others))) == [("missing_key_access", B)]
    assert codes(diagnosis(encrypted(*others, made(root(CONSUMER))))) == []


def test_a_finding_names_the_policy_that_denies() -> None:
    def found(message: str) -> dict[str, Any]:
        seen = of_encrypted(keys={KEY.arn: refusing("Decrypt", message=message)})
        (one,) = diagnosis(GRANTED, seen)["findings"]
        return one

    by_scp = found(EXPLICIT)
    assert f"explicit deny in the service control policy ({SCP}), although" in by_scp["message"]
    assert by_scp["remedy"].startswith(f"Change the service control policy ({SCP})")
    assert "resource control policy" in found(BY_RCP)["remedy"]
    assert "directly because no identity-based policy allows it." in found(IMPLICIT)["message"]
    assert "directly. It may" in found(UNNAMED)["message"]
    assert "IAM policy" in found(UNNAMED)["remedy"]
