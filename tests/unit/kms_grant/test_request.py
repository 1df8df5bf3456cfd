# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests that create grants, and how an existing grant is recognized."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from ansible_collections.golden.images.plugins.module_utils.keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils.kms_grant import request as grant
from ansible_collections.golden.images.plugins.module_utils.kms_grant.state import AUTO_SCALING_OPERATIONS
from ansible_collections.golden.images.plugins.module_utils.model import Grant

from tests.unit.kms_grant.examples import DEPLOY, KEY, A, B, foreign, made, root


@pytest.mark.parametrize("grantee", [root(A), DEPLOY, f"arn:aws:sts::{A}:assumed-role/{'r' * 64}/{'s' * 64}"])
@pytest.mark.parametrize("operations", [OPERATIONS, AUTO_SCALING_OPERATIONS, frozenset({"Decrypt"})])
def test_grant_names_match_the_pattern_of_kms(grantee: str, operations: frozenset[str]) -> None:
    # KMS API Reference, CreateGrant, Name.
    name = grant.grant_request(KEY.arn, grantee, operations)["Name"]
    assert re.fullmatch(r"[a-zA-Z0-9:/_-]{1,256}", name)


def test_grant_names_differ_by_grantee_and_operations() -> None:
    requests = [
        grant.grant_request(KEY.arn, grantee, operations)
        for grantee in (root(A), root(B), DEPLOY)
        for operations in (OPERATIONS, AUTO_SCALING_OPERATIONS)
    ]
    assert len({request["Name"] for request in requests}) == len(requests)


@pytest.mark.parametrize(
    ("partition", "principal", "expected"),
    [
        pytest.param("aws", A, root(A), id="an account"),
        pytest.param("aws-cn", A, f"arn:aws-cn:iam::{A}:root", id="an account in China"),
        pytest.param("aws", DEPLOY, DEPLOY, id="a role"),
    ],
)
def test_principal_arn(partition: str, principal: str, expected: str) -> None:
    assert grant.principal_arn(partition, principal) == expected


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        pytest.param([], False, id="no grant"),
        pytest.param([made(root(A))], True, id="the same"),
        pytest.param([made(root(A), grantee=A)], True, id="grantee shown as an account id"),
        pytest.param([made(root(B)), made(root(A))], True, id="among others"),
        pytest.param([foreign(root(A))], False, id="another name"),
        pytest.param([made(root(A), grantee=root(B))], False, id="another grantee under the name"),
        pytest.param(
            [replace(made(root(A)), operations=frozenset({"Decrypt"}))], False, id="fewer operations"
        ),
        pytest.param([made(root(A), constrained=True)], False, id="constrained"),
    ],
)
def test_holds(grants: list[Grant], expected: bool) -> None:
    request = grant.grant_request(KEY.arn, root(A), OPERATIONS)
    assert grant.holds(tuple(grants), request) is expected
    assert grant.holds(grant.by_name(grants).get(request["Name"], ()), request) is expected
