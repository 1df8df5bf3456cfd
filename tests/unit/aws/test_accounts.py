# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients of the own account with its credentials, and of other accounts with a role."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.accounts import Accounts
from ansible_collections.golden.images.plugins.module_utils._aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils._failures import TargetFailed
from ansible_collections.golden.images.plugins.module_utils._model import ConsumerRole

from tests.unit.examples import CONSUMER

OWN = Caller("111111111111", "aws-cn")


class FakeClients:
    def __init__(self, default_region: str = "eu-west-1") -> None:
        self.default_region = default_region
        self.assumed: list[tuple[Any, ...]] = []
        self.opened: list[tuple[str, str]] = []

    def open(self, service: str, regions: list[str]) -> None:
        self.opened += [(service, region) for region in regions]

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


@pytest.mark.parametrize(
    ("partition", "sts_region", "default_region", "region"),
    [
        pytest.param("aws", "eu-west-1", "us-west-2", "eu-west-1", id="every account has it"),
        pytest.param("aws", "ap-east-1", "us-west-2", "us-west-2", id="the default region"),
        pytest.param("aws", "ap-east-1", "me-south-1", "us-east-1", id="the default one is opt-in too"),
        pytest.param("aws-cn", "cn-north-1", "cn-north-1", "cn-north-1", id="no opt-in regions"),
    ],
)
def test_roles_are_assumed_in_a_region_that_every_account_has(
    partition: str, sts_region: str, default_region: str, region: str
) -> None:
    """(botocore shape RegionDisabledException.)"""
    clients: Any = FakeClients(default_region)
    accounts = Accounts(clients, Caller("111111111111", partition), ConsumerRole("r"), sts_region)
    accounts.clients(CONSUMER)
    assert [region for _arn, _external_id, region in clients.assumed] == [region]
    assert clients.opened == [("sts", region)]


def test_the_role_of_another_account() -> None:
    accounts = Accounts(FakeClients(), OWN, ConsumerRole("r"), "eu-west-1")  # type: ignore[arg-type]
    assert accounts.role_arn(CONSUMER) == f"arn:aws-cn:iam::{CONSUMER}:role/r"
    assert accounts.role_arn(OWN.account_id) is None
