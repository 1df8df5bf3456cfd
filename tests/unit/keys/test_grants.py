# SPDX-License-Identifier: GPL-3.0-or-later

"""How grants of this collection and deleted principals are recognized."""

from __future__ import annotations

import re

import pytest
from ansible_collections.golden.images.plugins.module_utils._keys.grants import (
    DELETED_PRINCIPAL,
    NAME_PREFIX,
    OPERATIONS,
    auto_scaling_role,
    is_auto_scaling_role,
    is_of_volume,
    is_own,
    is_own_by_issuer,
    name_prefix,
)
from ansible_collections.golden.images.plugins.module_utils._model import Grant

from tests.unit.examples import OWNER
from tests.unit.keys.examples import key_arn
from tests.unit.kms_grant.examples import DEPLOY, A, B, foreign, made, root, scaling_role


@pytest.mark.parametrize("name", ["", "theirs", "golden-images", "Golden-images:0", "my-golden-images:0"])
def test_grants_with_other_names_are_not_own(name: str) -> None:
    assert is_own(foreign(root(A), name)) is False


def test_is_own() -> None:
    assert is_own(made(root(A))) is True


@pytest.mark.parametrize(
    ("issuer", "expected"), [(root(OWNER), True), (None, True), (root(A), False), ("AROAEXAMPLEID", False)]
)
def test_is_own_by_issuer(issuer: str | None, expected: bool) -> None:
    assert is_own_by_issuer(made(root(A), issuer=issuer), OWNER) is expected
    assert is_own_by_issuer(foreign(root(A), "theirs", issuer=issuer), OWNER) is False


@pytest.mark.parametrize(
    ("grantee", "constrained", "expected"),
    [
        (f"arn:aws:sts::{A}:assumed-role/aws:ec2-infrastructure/i-5d476fab", True, True),
        (f"arn:aws-cn:sts::{A}:assumed-role/aws:ec2-infrastructure/i-5d476fab", True, True),
        (f"arn:aws:sts::{A}:assumed-role/aws:ec2-infrastructure/i-5d476fab", False, False),
        (f"arn:aws:sts::{A}:assumed-role/ec2-infrastructure/i-5d476fab", True, False),
        (root(A), True, False),
        ("ec2.amazonaws.com", True, False),
    ],
)
def test_is_of_volume(grantee: str, constrained: bool, expected: bool) -> None:
    assert is_of_volume(foreign(grantee, constrained=constrained)) is expected


@pytest.mark.parametrize(
    ("grantee", "deleted"),
    [
        ("AROAEXAMPLEID", True),
        ("AIDAEXAMPLEID", True),
        (DEPLOY, False),
        (f"arn:aws:iam::{A}:role/AROAMA", False),
        (A, False),
    ],
)
def test_deleted_principals(grantee: str, deleted: bool) -> None:
    assert bool(DELETED_PRINCIPAL.fullmatch(grantee)) is deleted


def test_auto_scaling_role() -> None:
    assert auto_scaling_role("aws", A) == scaling_role(A)
    assert auto_scaling_role("aws-cn", A) == scaling_role(A).replace("arn:aws:", "arn:aws-cn:")
    assert auto_scaling_role("aws", A, "AWSServiceRoleForAutoScaling_web") == scaling_role(A, "_web")


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        (scaling_role(A), True),
        (scaling_role(A, "_web"), True),
        (scaling_role(A).replace("autoscaling", "spot"), False),
        (root(A), False),
        (DEPLOY, False),
    ],
)
def test_is_auto_scaling_role(principal: str, expected: bool) -> None:
    assert is_auto_scaling_role(principal) is expected


def test_grants_on_a_key_of_another_account_have_names_of_their_own() -> None:
    arn = key_arn(account_id=OWNER)
    assert name_prefix(arn, OWNER) == NAME_PREFIX
    prefixes = {name_prefix(arn, account_id) for account_id in (A, B)}
    assert len(prefixes) == 2
    for prefix in prefixes:
        assert not is_own(Grant("g", root(A), OPERATIONS, f"{prefix}0"))
        assert re.fullmatch(r"[a-zA-Z0-9:/_-]+", prefix)
