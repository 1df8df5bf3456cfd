# SPDX-License-Identifier: GPL-3.0-or-later

"""Publication in hundreds of accounts: clients, of which each takes a third of a megabyte, do not grow."""

from __future__ import annotations

from typing import Any

from ansible_collections.golden.images.plugins.module_utils._aws.clients import Clients, Connection
from ansible_collections.golden.images.plugins.module_utils._aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils._model import Target
from ansible_collections.golden.images.plugins.module_utils._publish.options import PublishOptions
from ansible_collections.golden.images.plugins.module_utils._publish.read import open_each

from tests.unit.examples import CONSUMER, OWNER, STRANGER
from tests.unit.publish.account import BACK, NAME, REGION

OWN_KEYS = {"aws_access_key_id": "AKIAOWNOWNOWNOWN", "aws_secret_access_key": "own-secret"}
AWAY = "eu-central-1"
ACCOUNTS = (OWNER, CONSUMER, STRANGER)


def _open(**given: Any) -> tuple[Any, dict[str, Any], Clients]:
    clients = Clients(Connection(credentials=OWN_KEYS, region=REGION))
    regions = (REGION, AWAY)
    options = PublishOptions(
        parameter=NAME, regions=regions, source_image_id=BACK["source_image_id"], **given
    )
    targets = [Target(account_id, region) for account_id in ACCOUNTS for region in regions]
    accounts, failures = open_each(clients, Caller(OWNER, "aws"), options, targets)
    return accounts, failures, clients


def test_all_accounts_have_one_set_of_clients() -> None:
    accounts, failures, clients = _open(consumer_role_name="golden-consumer")
    assert failures == {}
    used = []
    for account_id in ACCOUNTS:
        with accounts.as_account(account_id) as of_account:
            used.append((of_account.ec2(REGION), of_account.ssm(AWAY)))
    assert used == [used[0]] * len(ACCOUNTS)
    # With the own credentials, whichever account is read: who the own images are shared with.
    assert clients.ec2(REGION) is not used[0][0]


def test_without_a_role_only_the_own_account_is_open() -> None:
    accounts, failures, clients = _open()
    assert {account: item.error_code for account, item in failures.items()} == {
        CONSUMER: "missing_consumer_role",
        STRANGER: "missing_consumer_role",
    }
    with accounts.as_account(OWNER) as own:
        assert own is clients
        assert own.ssm(AWAY).meta.region_name == AWAY
