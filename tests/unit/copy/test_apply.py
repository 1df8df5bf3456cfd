# SPDX-License-Identifier: GPL-3.0-or-later

"""Performing the actions of all targets: each with its account's clients, and one event for each target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.copy.apply import perform_each
from ansible_collections.golden.images.plugins.module_utils.copy.run import ActionsPerformed, Failed
from ansible_collections.golden.images.plugins.module_utils.failures import Failure, TargetFailed
from ansible_collections.golden.images.plugins.module_utils.model import Target
from ansible_collections.golden.images.plugins.module_utils.plan import Action

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, SOURCE_REGION, STRANGER
from tests.unit.wire import Wire

EU = "eu-west-1"
REQUEST = {"Name": "golden", "SourceImageId": SOURCE_ID, "SourceRegion": SOURCE_REGION}
REMOVAL = {"ImageId": "ami-failed"}
NO_ROLE = Failure("There is no role.", "Set it.", "missing_consumer_role", "AssumeRole")


class Accounts:
    """Stands for ``AssumedAccounts``: one client for each account, and none for others."""

    def __init__(self, clients: dict[str, Any]) -> None:
        self._clients = clients

    @contextmanager
    def as_account(self, account_id: str) -> Iterator[Any]:
        if account_id not in self._clients:
            raise TargetFailed(NO_ROLE)
        yield SimpleNamespace(ec2=lambda _region: self._clients[account_id])


def test_every_target_has_its_event() -> None:
    own, consumer = Wire("ec2"), Wire("ec2")
    own.expect("copy_image", REQUEST, {"ImageId": "ami-new"})
    own.expect("deregister_image", REMOVAL)
    consumer.refuse("copy_image", REQUEST, "ResourceLimitExceeded")
    targets = [Target(account_id, EU) for account_id in (OWNER, CONSUMER, STRANGER)]
    actions = {
        target: (Action(target, "CopyImage", REQUEST), Action(target, "DeregisterImage", REMOVAL))
        for target in targets
    }
    accounts = Accounts({OWNER: own.client, CONSUMER: consumer.client})
    with own.spoken(), consumer.spoken():
        events = perform_each(accounts, actions, ())  # type: ignore[arg-type]
    done, refused, failed = (events[target] for target in targets)
    assert isinstance(done, ActionsPerformed)
    assert done.actions == actions[targets[0]]
    assert [answer.get("ImageId") for answer in done.answers] == ["ami-new", None]
    assert done.failures == ()
    assert isinstance(refused, ActionsPerformed)
    assert (refused.actions, refused.answers) == ((), ())
    assert [failure.error_code for failure in refused.failures] == ["ResourceLimitExceeded"]
    assert isinstance(failed, Failed)
    assert (failed.failure.error_code, failed.image) == ("missing_consumer_role", None)
