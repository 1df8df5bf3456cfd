# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients of the own account with its credentials, and of other accounts with a role."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.accounts import Accounts
from ansible_collections.golden.images.plugins.module_utils.aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils.failures import TargetFailed
from ansible_collections.golden.images.plugins.module_utils.model import ConsumerRole

from tests.unit.examples import CONSUMER

OWN = Caller("111111111111", "aws-cn")


class FakeClients:
    def __init__(self) -> None:
        self.assumed: list[tuple[Any, ...]] = []

    def with_role(self, role_arn: str, external_id: str | None, region: str) -> str:
        self.assumed.append((role_arn, external_id, region))
        return "assumed"


def test_the_own_account_needs_no_role() -> None:
    clients: Any = FakeClients()
    assert Accounts(clients, OWN, ConsumerRole("r"), "eu-west-1").clients(OWN.account_id) is clients
    assert clients.assumed == []


def test_another_account_uses_a_role_in_the_own_partition() -> None:
    clients: Any = FakeClients()
    assert Accounts(clients, OWN, ConsumerRole("r", "secret"), "eu-west-1").clients(CONSUMER) == "assumed"
    assert clients.assumed == [(f"arn:aws-cn:iam::{CONSUMER}:role/r", "secret", "eu-west-1")]


def test_another_account_without_a_role_is_a_failure_that_names_the_option() -> None:
    clients: Any = FakeClients()
    with pytest.raises(TargetFailed) as caught:
        Accounts(clients, OWN, None, "eu-west-1").clients(CONSUMER)
    assert caught.value.failure.error_code == "missing_consumer_role"
    assert caught.value.failure.account_id == CONSUMER
    assert "consumer_role_name" in caught.value.failure.remedy


def test_the_role_of_another_account() -> None:
    accounts = Accounts(FakeClients(), OWN, ConsumerRole("r"), "eu-west-1")  # type: ignore[arg-type]
    assert accounts.role_arn(CONSUMER) == f"arn:aws-cn:iam::{CONSUMER}:role/r"
    assert accounts.role_arn(OWN.account_id) is None
