# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests of IAM's simulations of key use, and the decisions of its answers."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._keys.access import Access
from ansible_collections.golden.images.plugins.module_utils._keys.simulation import (
    decisions,
    permissions,
    request,
)

from tests.unit.examples import CONSUMER, OWNER

ROLE = f"arn:aws:iam::{CONSUMER}:role/golden"
KEY_ARN = f"arn:aws:kms:eu-west-1:{OWNER}:key/1234abcd"


def test_a_dry_run_of_reencrypt_needs_two_permissions() -> None:
    assert permissions("ReEncrypt") == ("ReEncryptFrom", "ReEncryptTo")
    assert permissions("Decrypt") == ("Decrypt",)


@pytest.mark.parametrize(
    ("through_ec2", "more"),
    [
        (True, {"kms:ViaService": "ec2.eu-west-1.amazonaws.com", "kms:GrantIsForAWSResource": "true"}),
        (False, {"kms:GrantIsForAWSResource": "false"}),
    ],
)
def test_a_request_has_the_context_of_ec2_s_call_or_of_a_direct_one(
    through_ec2: bool, more: dict[str, str]
) -> None:
    found = request(ROLE, KEY_ARN, ["ReEncrypt", "Decrypt"], through_ec2)
    assert (found["PolicySourceArn"], found["ResourceArns"]) == (ROLE, [KEY_ARN])
    assert found["ActionNames"] == ["kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
    entries = {one["ContextKeyName"]: one["ContextKeyValues"] for one in found["ContextEntries"]}
    expected = {"kms:CallerAccount": CONSUMER, "aws:RequestedRegion": "eu-west-1", **more}
    assert entries == {name: [value] for name, value in expected.items()}


def result(decision: str, **members: Any) -> dict[str, Any]:
    return {"EvalActionName": "kms:Decrypt", "EvalDecision": decision, **members}


MISSING = {"MissingContextValues": ["aws:SourceIp"]}
IDENTITY, BOUNDARY, RESOURCE = "IAM Policy", "Permissions Boundary Policy", "Resource Policy"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(result("allowed"), Access.ALLOWED, id="allowed"),
        pytest.param(result("implicitDeny"), Access.DENIED, id="not allowed"),
        pytest.param(result("explicitDeny"), Access.DENIED, id="denied"),
        pytest.param(result("somethingNew"), Access.UNKNOWN, id="another decision"),
        pytest.param(result("allowed", **MISSING), Access.UNKNOWN, id="allowed, and a key is missing"),
        pytest.param(result("explicitDeny", **MISSING), Access.UNKNOWN, id="denied, and a key is missing"),
        pytest.param(
            result("allowed", ResourceSpecificResults=[MISSING]), Access.UNKNOWN, id="missing of the resource"
        ),
        pytest.param(
            result("implicitDeny", OrganizationsDecisionDetail={"AllowedByOrganizations": False}),
            Access.UNKNOWN,
            id="denied by a service control policy, whose conditions IAM may not know",
        ),
        pytest.param(
            result("allowed", OrganizationsDecisionDetail={"AllowedByOrganizations": True}),
            Access.ALLOWED,
            id="allowed in an organization",
        ),
        pytest.param(
            result("implicitDeny", EvalDecisionDetails={IDENTITY: "allowed", RESOURCE: "implicitDeny"}),
            Access.ALLOWED,
            id="allowed to the role, without the policy of a key of another account",
        ),
        pytest.param(
            result("implicitDeny", EvalDecisionDetails={IDENTITY: "implicitDeny", RESOURCE: "implicitDeny"}),
            Access.DENIED,
            id="not allowed to the role, for a key of another account",
        ),
        pytest.param(
            result(
                "implicitDeny",
                EvalDecisionDetails={IDENTITY: "implicitDeny", BOUNDARY: "allowed", RESOURCE: "implicitDeny"},
            ),
            Access.UNKNOWN,
            id="policies of a role that differ",
        ),
        pytest.param(
            result(
                "implicitDeny",
                ResourceSpecificResults=[{"EvalDecisionDetails": {IDENTITY: "allowed"}}],
            ),
            Access.ALLOWED,
            id="allowed to the role, in the result of the resource",
        ),
        pytest.param(result("allowed", EvalDecisionDetails={}), Access.ALLOWED, id="no details"),
    ],
)
def test_the_decision_of_an_answer(answer: dict[str, Any], expected: Access) -> None:
    assert decisions([answer], through_ec2=True) == {"Decrypt": expected}


def test_a_direct_call_has_no_calling_service() -> None:
    answer = result("implicitDeny", MissingContextValues=["kms:viaservice"])
    assert decisions([answer], through_ec2=False) == {"Decrypt": Access.DENIED}
    assert decisions([answer], through_ec2=True) == {"Decrypt": Access.UNKNOWN}
