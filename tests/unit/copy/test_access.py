# SPDX-License-Identifier: GPL-3.0-or-later

"""The access that an account is missing to copy an image, its refusals, and what the owner has granted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.copy.access import (
    REQUIRED_OPERATIONS,
    CopyPrincipal,
    MissingAccess,
    SourcePermissions,
    SourceSeen,
    access_warnings,
    already_granted,
    check_access,
    check_product_codes,
    missing_access,
    only_within_account,
)
from ansible_collections.golden.images.plugins.module_utils.model import Grant, Key, KeySeen, Sharing, Target
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, SOURCE_REGION, STRANGER, source_image, volumes
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import ORG_ID, consumers, opened_to, policy_of

ARN = key_arn("golden", SOURCE_REGION)
ROLE = f"arn:aws:iam::{CONSUMER}:role/golden-consumer"
PRINCIPAL = CopyPrincipal(CONSUMER, ROLE)
SOURCE = source_image(devices=volumes("snap-1", "snap-2", encrypted=True))
ALL = frozenset({"snap-1", "snap-2"})
SEES_ALL = SourceSeen(True, ALL)


def grant(*operations: str, to: str = f"arn:aws:iam::{CONSUMER}:root", **changes: Any) -> Grant:
    return Grant("grant-1", to, frozenset(operations), **changes)


def key(*grants: Grant, policy: str | None = "") -> KeySeen:
    """The key with these grants, by default with the default key policy."""
    return KeySeen(Key(ARN), grants, policy_of() if policy == "" else policy)


OPEN = key(grant(*REQUIRED_OPERATIONS))


@pytest.mark.parametrize(
    ("saw", "keys", "expected"),
    [
        pytest.param(SEES_ALL, [OPEN], MissingAccess(), id="nothing"),
        pytest.param(SourceSeen(False, ALL), [OPEN], MissingAccess(launch=True), id="launch permission"),
        pytest.param(
            SourceSeen(True), [OPEN], MissingAccess(snapshot_ids=("snap-1", "snap-2")), id="all snapshots"
        ),
        pytest.param(
            SourceSeen(True, frozenset({"snap-1"})),
            [],
            MissingAccess(snapshot_ids=("snap-2",)),
            id="one snapshot",
        ),
        pytest.param(
            SourceSeen(True, ALL, frozenset({ARN})),
            [key(policy=None)],
            MissingAccess(undescribed_keys=(ARN,)),
            id="only the account can check the key",
        ),
        pytest.param(
            SourceSeen(True, ALL, frozenset({ARN})),
            [OPEN],
            MissingAccess(undescribed_keys=(ARN,)),
            id="the owner allows what the account may not do itself",
        ),
        pytest.param(
            SourceSeen(True, ALL, frozenset({ARN})),
            [key()],
            MissingAccess(keys={ARN: tuple(sorted(REQUIRED_OPERATIONS))}),
            id="neither the owner nor the account",
        ),
        pytest.param(SEES_ALL, [key(policy=None)], MissingAccess(), id="the account can describe the key"),
        pytest.param(
            SourceSeen(False, denied_key_arns=frozenset({ARN})),
            [key()],
            MissingAccess(True, ("snap-1", "snap-2"), {ARN: tuple(sorted(REQUIRED_OPERATIONS))}),
            id="everything at once",
        ),
        pytest.param(
            SEES_ALL,
            [key()],
            MissingAccess(),
            id="the account can describe a key to which its owner sees no access",
        ),
        pytest.param(
            SEES_ALL,
            [key(grant("DescribeKey", constrained=True))],
            MissingAccess(keys={ARN: tuple(sorted(REQUIRED_OPERATIONS))}),
            id="the account can describe a key through a grant that EBS cannot use",
        ),
        pytest.param(
            SEES_ALL,
            [key(grant("DescribeKey"))],
            MissingAccess(keys={ARN: ("CreateGrant", "Decrypt", "ReEncryptFrom")}),
            id="the account can describe the key, and nothing else",
        ),
    ],
)
def test_missing_access(saw: SourceSeen, keys: list[KeySeen], expected: MissingAccess) -> None:
    found = missing_access(SOURCE, keys, PRINCIPAL, saw)
    assert found == expected
    assert bool(found) == (expected != MissingAccess())


@pytest.mark.parametrize(
    ("seen", "operations"),
    [
        pytest.param(OPEN, (), id="a grant of all operations"),
        pytest.param(
            key(grant("DescribeKey", "CreateGrant")),
            ("CreateGrant", "Decrypt", "ReEncryptFrom"),
            id="a grant of some operations",
        ),
        pytest.param(key(grant(*REQUIRED_OPERATIONS, to=ROLE)), (), id="a grant to the role that copies"),
        pytest.param(
            key(grant(*REQUIRED_OPERATIONS, to=ROLE.replace("golden", "other"))),
            tuple(sorted(REQUIRED_OPERATIONS)),
            id="a grant to another role",
        ),
        pytest.param(
            key(grant(*REQUIRED_OPERATIONS, constrained=True)),
            tuple(sorted(REQUIRED_OPERATIONS)),
            id="a grant that EBS cannot use",
        ),
        pytest.param(key(policy=opened_to(consumers(CONSUMER))), (), id="the policy names the account"),
        pytest.param(key(policy=opened_to(consumers(ROLE))), (), id="the policy names the role"),
        pytest.param(
            key(policy=opened_to(consumers(STRANGER))),
            tuple(sorted(REQUIRED_OPERATIONS)),
            id="the policy names another account",
        ),
        pytest.param(
            key(policy=opened_to(consumers(org_ids=(ORG_ID,)))), (), id="an organization that may contain it"
        ),
    ],
)
def test_operations_denied_by_grants_and_policy(seen: KeySeen, operations: tuple[str, ...]) -> None:
    expected = {ARN: operations} if operations else {}
    saw = SourceSeen(True, ALL, frozenset({ARN} if "DescribeKey" in operations else ()))
    assert missing_access(SOURCE, [seen], PRINCIPAL, saw).keys == expected


EVERYTHING = MissingAccess(True, ("snap-1", "snap-2"), {ARN: ("DescribeKey",)})
TO_IT = Sharing(account_ids=frozenset({CONSUMER}))
BY_ORGANIZATION = Sharing(org_arns=frozenset({"arn:aws:organizations::1:organization/o-1"}))


@pytest.mark.parametrize(
    ("missing", "launch", "snapshots", "seen", "expected"),
    [
        pytest.param(EVERYTHING, TO_IT, ("snap-1", "snap-2"), OPEN, True, id="everything granted"),
        pytest.param(EVERYTHING, TO_IT, ("snap-1",), OPEN, False, id="a snapshot is not shared"),
        pytest.param(EVERYTHING, Sharing(), ("snap-1", "snap-2"), OPEN, False, id="the image is not shared"),
        pytest.param(
            EVERYTHING,
            BY_ORGANIZATION,
            ("snap-1", "snap-2"),
            OPEN,
            False,
            id="shared with an organization that may contain it",
        ),
        pytest.param(EVERYTHING, TO_IT, ("snap-1", "snap-2"), key(), False, id="no access to the key"),
        pytest.param(
            EVERYTHING,
            TO_IT,
            ("snap-1", "snap-2"),
            key(policy=None),
            False,
            id="access to the key is unknown",
        ),
        pytest.param(
            MissingAccess(launch=True), Sharing(public=True), (), key(), True, id="everything that is missing"
        ),
        pytest.param(
            MissingAccess(undescribed_keys=(ARN,)), Sharing(), (), OPEN, True, id="the key, and more"
        ),
        pytest.param(
            MissingAccess(undescribed_keys=(ARN,)),
            Sharing(),
            (),
            key(policy=None),
            False,
            id="access to a key that cannot be checked",
        ),
    ],
)
def test_access_that_was_already_granted(
    missing: MissingAccess, launch: Sharing, snapshots: tuple[str, ...], seen: KeySeen, expected: bool
) -> None:
    owner = SourcePermissions(launch, dict.fromkeys(snapshots, TO_IT))
    assert already_granted(missing, owner, [seen], PRINCIPAL) is expected


def test_refusals_name_what_is_missing_and_the_fix() -> None:
    failures = check_access(Target(CONSUMER, "eu-west-1"), SOURCE, SOURCE_REGION, EVERYTHING)
    assert [failure.error_code for failure in failures] == [
        *("missing_launch_permission", "missing_volume_permission", "missing_key_access"),
    ]
    for failure, thing, tool in zip(
        failures, (SOURCE_ID, "snap-1, snap-2", ARN), ("ami_share", "ami_share", "ami_kms_grant"), strict=True
    ):
        assert (failure.account_id, failure.region) == (CONSUMER, "eu-west-1")
        assert CONSUMER in failure.message
        assert f"{SOURCE_ID} in {SOURCE_REGION}" in failure.message
        assert thing in failure.message
        assert tool in failure.remedy
    assert OWNER in failures[0].remedy


def test_refusals_of_access_that_was_already_granted() -> None:
    missing = MissingAccess(True, ("snap-1",), {ARN: ("DescribeKey",)}, already_granted=True)
    failures = check_access(Target(CONSUMER, "eu-west-1"), SOURCE, SOURCE_REGION, missing)
    assert all("Access was granted" in failure.remedy for failure in failures)
    assert "Allowed AMIs" in failures[0].remedy
    assert "IAM policy" in failures[2].remedy


def test_a_key_that_only_ec2_may_use_for_the_role_is_not_refused() -> None:
    """(KMS Developer Guide, AWS KMS condition keys: kms:ViaService.)"""
    missing = MissingAccess(undescribed_keys=(ARN,))
    assert check_access(Target(CONSUMER, "eu-west-1"), SOURCE, SOURCE_REGION, missing) == ()
    (warning,) = access_warnings(SOURCE, SOURCE_REGION, missing)
    assert ARN in warning
    assert f"{SOURCE_ID} in {SOURCE_REGION}" in warning
    assert "kms:ViaService" in warning


@pytest.mark.parametrize(
    "missing",
    [
        pytest.param(None, id="access"),
        pytest.param(
            MissingAccess(undescribed_keys=(ARN,), already_granted=True), id="access that the owner granted"
        ),
        pytest.param(MissingAccess(launch=True), id="a refusal"),
    ],
)
def test_no_warning(missing: MissingAccess | None) -> None:
    assert access_warnings(SOURCE, SOURCE_REGION, missing) == ()


@pytest.mark.parametrize("missing", [None, MissingAccess()])
def test_an_account_with_access_is_not_refused(missing: MissingAccess | None) -> None:
    assert check_access(Target(CONSUMER, "eu-west-1"), SOURCE, SOURCE_REGION, missing) == ()


@given(st.booleans(), st.frozensets(st.sampled_from(sorted(ALL))), st.booleans())
def test_nothing_is_missing_only_with_all_three_kinds_of_access(
    visible: bool, snapshots: frozenset[str], closed: bool
) -> None:
    saw = SourceSeen(visible, snapshots, frozenset({ARN} if closed else ()))
    found = missing_access(SOURCE, [key(policy=None)], PRINCIPAL, saw)
    assert bool(found) is not (visible and snapshots == ALL and not closed)


def test_an_image_with_a_product_code_is_copied_within_its_account_only() -> None:
    """(The error of CopyImage: Images from AWS Marketplace cannot be copied to another AWS account.)"""
    coded = source_image(product_codes=("abc123",))
    consumer, owner = Target(CONSUMER, "eu-west-1"), Target(OWNER, "eu-west-1")
    (failure,) = check_product_codes(consumer, coded, SOURCE_REGION)
    assert (failure.error_code, failure.account_id) == ("product_code", CONSUMER)
    assert failure.message.endswith(only_within_account(coded))
    assert "(abc123)" in only_within_account(coded)
    assert "only within the owner's account" in only_within_account(coded)
    assert check_product_codes(owner, coded, SOURCE_REGION) == ()
    assert check_product_codes(consumer, source_image(), SOURCE_REGION) == ()
