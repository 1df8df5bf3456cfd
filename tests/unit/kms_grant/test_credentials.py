# SPDX-License-Identifier: GPL-3.0-or-later

"""Grants that many consumers create at once: each request is signed with the credentials of its account."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.clients import Clients, Connection
from ansible_collections.golden.images.plugins.module_utils._kms_grant.flow import FLOW

from tests.unit.aws.signed_calls import SignedCalls
from tests.unit.aws.test_assuming import OWN_KEYS, no_settings_of_this_machine
from tests.unit.flow_run import SILENT
from tests.unit.kms_grant.examples import AUTO_SCALING_OPERATIONS, Run, scaling, world_with_access

ACCOUNTS = [f"2{number:011}" for number in range(20)]
REGIONS = ("eu-west-1", "us-east-1", "ap-south-1")

__all__ = ["no_settings_of_this_machine"]


def test_each_grant_of_a_consumer_has_the_credentials_of_its_account(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = SignedCalls.of(monkeypatch, lambda _call: '{"GrantId": "g"}')
    # The owner's grants exist.
    owner = world_with_access(*ACCOUNTS, regions=REGIONS, operations=AUTO_SCALING_OPERATIONS)
    run = Run(scaling(*ACCOUNTS, regions=REGIONS), owner)
    clients = Clients(Connection(credentials=OWN_KEYS))
    outcome = FLOW.apply(clients, run.wanted, run.seen, run.plan, SILENT)
    assert outcome.failures == ()
    assert [call.operation for call in aws.calls] == ["CreateGrant"] * len(ACCOUNTS) * len(REGIONS)
    grantees = [(call.parameters["GranteePrincipal"].split(":")[4], call.account_id) for call in aws.calls]
    assert sorted(grantees) == sorted((one, one) for one in ACCOUNTS for _region in REGIONS)
