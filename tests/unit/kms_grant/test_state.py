# SPDX-License-Identifier: GPL-3.0-or-later

"""Which consumers get a grant, which are named in the key policy, and what they may do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.golden.images.plugins.module_utils.keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils.keys.policy_statements import (
    PolicyAccess,
    PolicyConsumers,
)
from ansible_collections.golden.images.plugins.module_utils.kms_grant.state import (
    AUTO_SCALING_OPERATIONS,
    GrantWanted,
    needs_grants,
)

from tests.unit.examples import ORG, OWNER, UNIT
from tests.unit.keys.policies import consumers as policy_consumers
from tests.unit.kms_grant.examples import (
    DEPLOY,
    KEY,
    NO_OTHER_IMAGE,
    REGION,
    A,
    seen,
    wanted,
)

PUBLIC = wanted(
    A,
    principals=frozenset({DEPLOY}),
    org_arns=frozenset({ORG}),
    org_unit_arns=frozenset({UNIT}),
)
IN_ORG = policy_consumers(org_ids=("o-a1b2c3d4e5",), units=(("o-a1b2c3d4e5", "ou-ab12-11111111"),))


@pytest.mark.parametrize(
    ("access_method", "grantees", "consumers"),
    [
        pytest.param("auto", {A, DEPLOY}, IN_ORG, id="auto"),
        pytest.param("grant", {A, DEPLOY}, IN_ORG, id="grant"),
        pytest.param("key_policy", set(), IN_ORG | policy_consumers(A, DEPLOY), id="key_policy"),
    ],
)
def test_grantees_and_policy_consumers(
    access_method: str, grantees: set[str], consumers: PolicyConsumers
) -> None:
    want = replace(PUBLIC, access_method=access_method)
    assert want.grantees == grantees
    assert want.policy_consumers == consumers
    assert want.policy_access == PolicyAccess(consumers, OPERATIONS)


def test_policy_access_with_auto_scaling() -> None:
    want = wanted(A, access_method="key_policy", auto_scaling=True)
    assert want.policy_access == PolicyAccess(policy_consumers(A), AUTO_SCALING_OPERATIONS, True)


@pytest.mark.parametrize(
    ("want", "reads"),
    [
        pytest.param(wanted(A), False, id="grants only"),
        pytest.param(wanted(A, access_method="key_policy"), True, id="key_policy"),
        pytest.param(wanted(org_arns=frozenset({ORG})), True, id="an organization"),
        pytest.param(wanted(org_unit_arns=frozenset({UNIT})), True, id="a unit"),
        pytest.param(wanted(A, purge=True), True, id="purge"),
        pytest.param(wanted(A, present=False), True, id="absent"),
    ],
)
def test_uses_policy(want: GrantWanted, reads: bool) -> None:
    assert want.uses_policy is reads


def test_images_that_the_access_is_for_are_ignored() -> None:
    want = wanted(
        A, images={"eu-west-1": "ami-1", "us-west-2": None}, unshared_image_ids=frozenset({"ami-2"})
    )
    assert want.ignored_image_ids == {"ami-1", "ami-2"}
    assert wanted(A).ignored_image_ids == frozenset()


def test_what_was_not_read_is_not_known() -> None:
    assert seen().shared_under(REGION, KEY.arn) == NO_OTHER_IMAGE
    assert seen().shared_under("us-west-2", KEY.arn).unread


def test_parent_operations_include_those_of_auto_scaling() -> None:
    want = wanted(A, auto_scaling=True, operations=frozenset({"Decrypt"}))
    assert want.parent_operations == AUTO_SCALING_OPERATIONS


@pytest.mark.parametrize(
    ("want", "expected"),
    [
        pytest.param(wanted(A), True, id="an account"),
        pytest.param(wanted(OWNER), False, id="the account itself"),
        pytest.param(wanted(), False, id="no consumer"),
        pytest.param(wanted(A, access_method="key_policy"), True, id="by policy"),
        pytest.param(wanted(org_arns=frozenset({ORG})), True, id="an organization"),
        pytest.param(wanted(OWNER, purge=True), True, id="purging"),
        pytest.param(wanted(OWNER, present=False), True, id="revoking"),
    ],
)
def test_whether_grants_are_needed(want: GrantWanted, expected: bool) -> None:
    assert needs_grants(want, OWNER) is expected
