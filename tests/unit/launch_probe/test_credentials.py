# SPDX-License-Identifier: GPL-3.0-or-later

"""Launches in many accounts at once: each request is signed with the credentials of its own account."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.clients import Clients, Connection
from ansible_collections.golden.images.plugins.module_utils._launch_probe.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._model import Target
from ansible_collections.golden.images.plugins.module_utils._progress import reporter
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from tests.unit.aws.test_assuming import OWN_KEYS, no_settings_of_this_machine
from tests.unit.launch_probe.examples import instance, params, seen

ACCOUNTS = [f"2{number:011}" for number in range(20)]
REGIONS = ["eu-west-1", "us-east-1", "ap-south-1"]
_EXPIRES = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")

__all__ = ["no_settings_of_this_machine"]


class Aws:
    """Answers after a random pause, and keeps the account of each call by what it names and by its token."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self._lock = threading.Lock()

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        text = request.body if isinstance(request.body, str) else bytes(request.body).decode()
        body = {name: values[0] for name, values in parse_qs(text).items()}
        response: AWSResponse = AWSResponse(request.url, 200, {}, None)
        response._content = f"<Answer>{self._answer(request, body)}</Answer>".encode()
        time.sleep(random.uniform(0, 0.01))
        return response

    def _answer(self, request: AWSPreparedRequest, body: dict[str, str]) -> str:
        if body["Action"] == "AssumeRole":
            account_id = body["RoleArn"].split(":")[4]
            return (
                f"<AssumeRoleResult><Credentials><AccessKeyId>ASIA{account_id}</AccessKeyId>"
                f"<SecretAccessKey>secret</SecretAccessKey><SessionToken>{account_id}</SessionToken>"
                f"<Expiration>{_EXPIRES}</Expiration></Credentials></AssumeRoleResult>"
            )
        # The IDs of the subnets and of the instances end with the account.
        named = body.get("NetworkInterface.1.SubnetId") or body["InstanceId.1"]
        account_id = named[-12:]
        token = request.headers["X-Amz-Security-Token"]
        with self._lock:
            self.calls.append(
                (body["Action"], account_id, token if isinstance(token, str) else token.decode())
            )
        state = "<instanceState><name>running</name></instanceState>"
        item = f"<item><instanceId>i-00000{account_id}</instanceId>{state}</item>"
        if body["Action"] == "RunInstances":
            return f"<instancesSet>{item}</instancesSet>"
        return f"<reservationSet><item><instancesSet>{item}</instancesSet></item></reservationSet>"


@pytest.mark.usefixtures("no_settings_of_this_machine")
def test_each_launch_and_termination_has_the_credentials_of_its_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aws = Aws()
    monkeypatch.setattr(URLLib3Session, "send", aws.send)
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
    launches = [call for call in aws.calls if call[0] == "RunInstances"]
    assert len(launches) == len(ACCOUNTS) * len(REGIONS)
    assert len(aws.calls) == len(ACCOUNTS) * (3 * len(REGIONS) + 1)
    assert [call for call in aws.calls if call[1] != call[2]] == []
