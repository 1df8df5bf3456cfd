# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures of consumers that AWS rejects."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.kms_grant.rejection import (
    is_rejected,
    names_invalid_principal,
    of_auto_scaling,
    rejection,
)

from tests.unit.examples import OWNER
from tests.unit.kms_grant.examples import DEPLOY, REGION, A, B, scaling_role


def failure(code: str, action: str) -> Failure:
    return Failure("No.", "Read it.", code, action, REGION, OWNER, "req-1", "aws")


@pytest.mark.parametrize(
    ("code", "action", "expected"),
    [
        ("InvalidArnException", "CreateGrant", True),
        ("MalformedPolicyDocumentException", "PutKeyPolicy", True),
        ("InvalidArnException", "PutKeyPolicy", True),
        ("LimitExceededException", "PutKeyPolicy", False),
        ("AccessDeniedException", "CreateGrant", False),
        ("InvalidArnException", "RevokeGrant", False),
    ],
)
def test_which_failures_name_an_invalid_principal(code: str, action: str, expected: bool) -> None:
    assert names_invalid_principal(failure(code, action)) is expected


@pytest.mark.parametrize("principal", [A, DEPLOY])
def test_rejection_names_the_principal_and_its_account(principal: str) -> None:
    found = rejection(failure("InvalidArnException", "CreateGrant"), principal)
    assert (found.error_code, found.account_id, found.region) == ("consumer_rejected", A, REGION)
    assert (found.request_id, found.source) == ("req-1", "aws")
    assert found.message == f"AWS rejected {principal}: No."
    assert "must have enabled the region" in found.remedy
    assert is_rejected([found], REGION, principal)
    assert not is_rejected([found], "us-east-1", principal)
    assert not is_rejected([found], REGION, B)


@pytest.mark.parametrize(
    ("suffix", "option"), [("", ""), ("_web", " --custom-suffix web"), ("__a", " --custom-suffix _a")]
)
def test_remedy_for_a_missing_auto_scaling_role_creates_it(suffix: str, option: str) -> None:
    found = of_auto_scaling(failure("InvalidArnException", "CreateGrant"), scaling_role(A, suffix))
    command = "aws iam create-service-linked-role --aws-service-name autoscaling.amazonaws.com"
    assert f"role AWSServiceRoleForAutoScaling{suffix}, create it there: {command}{option}. " in found.remedy
    denied = failure("AccessDeniedException", "CreateGrant")
    assert of_auto_scaling(denied, scaling_role(A)) == denied
