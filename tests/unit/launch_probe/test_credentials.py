# SPDX-License-Identifier: GPL-3.0-or-later

"""Launches in many accounts at once: each request is signed with the credentials of its own account."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.clients import Clients, Connection
from ansible_collections.golden.images.plugins.module_utils._launch_probe.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._model import Target
from ansible_collections.golden.images.plugins.module_utils._progress import reporter

from tests.unit.aws.signed_calls import Call, SignedCalls
from tests.unit.aws.test_assuming import OWN_KEYS, no_settings_of_this_machine
from tests.unit.launch_probe.examples import instance, params, seen

ACCOUNTS = [f"2{number:011}" for number in range(20)]
REGIONS = ["eu-west-1", "us-east-1", "ap-south-1"]

__all__ = ["no_settings_of_this_machine"]


def named(call: Call) -> str:
    """The account that a call names: the IDs of its subnet or its instance end with it."""
    return str(call.parameters.get("NetworkInterface.1.SubnetId") or call.parameters["InstanceId.1"])[-12:]


def answer(call: Call) -> str:
    state = "<instanceState><name>running</name></instanceState>"
    item = f"<item><instanceId>i-00000{named(call)}</instanceId>{state}</item>"
    if call.operation == "RunInstances":
        return f"<Answer><instancesSet>{item}</instancesSet></Answer>"
    reservation = f"<item><instancesSet>{item}</instancesSet></item>"
    return f"<Answer><reservationSet>{reservation}</reservationSet></Answer>"


def test_each_launch_and_termination_has_the_credentials_of_its_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aws = SignedCalls.of(monkeypatch, answer)
    want = FLOW.options.read(
        params(
            account_ids=ACCOUNTS,
            images=dict.fromkeys(REGIONS, "ami-0123456789abcdef0"),
            subnet_ids={
                region: {account: f"subnet-00000{account}" for account in ACCOUNTS} for region in REGIONS
            },
        ),
        False,
    )
    left = instance("2020-01-01T00:00:00Z")
    leftovers = {
        Target(account, REGIONS[0]): (replace(left, instance_id=f"i-00000{account}"),) for account in ACCOUNTS
    }
    current = seen(want, instances=leftovers)
    clients = Clients(Connection(credentials=OWN_KEYS))
    outcome = FLOW.apply(clients, want, current, FLOW.plan(want, current), reporter(None, print))
    assert outcome.failures == ()
    launches = [call for call in aws.calls if call.operation == "RunInstances"]
    assert len(launches) == len(ACCOUNTS) * len(REGIONS)
    assert len(aws.calls) == len(ACCOUNTS) * (3 * len(REGIONS) + 1)
    assert [call for call in aws.calls if named(call) != call.account_id] == []
