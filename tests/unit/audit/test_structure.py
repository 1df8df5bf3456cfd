# SPDX-License-Identifier: GPL-3.0-or-later

"""What is accepted as the result of an audit."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.structure import check_audit

from tests.unit.audit.examples import accounts, audit_of, refused, region, under_key
from tests.unit.examples import STRANGER
from tests.unit.kms_grant.examples import made, root

SEEN = under_key(
    accounts(STRANGER), made(root(STRANGER)), volume_permissions={"snap-00000001": accounts(STRANGER)}
)
AUDITED = audit_of(SEEN)


@pytest.mark.parametrize(
    "result", [AUDITED, audit_of(region()), audit_of(region(), unread={"us-east-1": refused("us-east-1")})]
)
def test_a_result_of_the_module_is_accepted(result: dict[str, Any]) -> None:
    assert check_audit("audit_result", result) == ()


@pytest.mark.parametrize("result", [{}, {"failed": True, "msg": "No."}, {"failures": [{"message": "No."}]}])
def test_a_failed_result_is_refused(result: dict[str, Any]) -> None:
    (failure,) = check_audit("audit_result", result)
    assert "is missing" in failure.message


@pytest.mark.parametrize(
    ("part", "value", "expected"),
    [
        ("findings", [{}], "findings[0].account_id is missing"),
        ("kms_keys", [None], "kms_keys[0] must be a mapping"),
        ("regions", {"us-east-1": {"images": 1}}, "regions.eu-west-1 is missing"),
        ("results", {}, "results must be a list"),
    ],
)
def test_another_result_is_refused(part: str, value: Any, expected: str) -> None:
    (failure,) = check_audit("audit_result", {**AUDITED, part: value})
    assert expected in failure.message
