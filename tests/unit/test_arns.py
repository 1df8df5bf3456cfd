# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of ARNs, and the accounts of principals."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._arns import (
    Arn,
    account_of,
    is_arn,
    parse,
    principal_of,
)

ROLE = "arn:aws-cn:iam::111122223333:role/path/deploy"
PARAMETER = "arn:aws:ssm:eu-west-1:111122223333:parameter/golden:3"


def test_an_arn_has_six_parts_and_the_last_may_contain_colons() -> None:
    assert parse(ROLE) == Arn("aws-cn", "iam", "", "111122223333", "role/path/deploy")
    assert parse(PARAMETER) == Arn("aws", "ssm", "eu-west-1", "111122223333", "parameter/golden:3")


@pytest.mark.parametrize("text", ["", "111122223333", "arn:aws:iam::111122223333", f" {ROLE}", "AROAEXAMPLE"])
def test_other_text_is_no_arn(text: str) -> None:
    assert is_arn(text) is False
    with pytest.raises(ValueError, match="is not an ARN"):
        parse(text)


@pytest.mark.parametrize(
    ("principal", "account"),
    [(ROLE, "111122223333"), ("012345678901", "012345678901"), ("AROAEXAMPLE", None), ("*", None)],
)
def test_a_principal_is_an_account_or_in_one(principal: str, account: str | None) -> None:
    assert is_arn(ROLE) is True
    assert account_of(principal) == account


@pytest.mark.parametrize(
    ("caller", "principal"),
    [
        ("arn:aws-cn:sts::111122223333:assumed-role/deploy/ci", "arn:aws-cn:iam::111122223333:role/deploy"),
        (ROLE, ROLE),
        ("arn:aws:iam::111122223333:user/team/ann", "arn:aws:iam::111122223333:user/team/ann"),
    ],
)
def test_the_principal_of_a_session_is_its_role(caller: str, principal: str) -> None:
    assert principal_of(caller) == principal
