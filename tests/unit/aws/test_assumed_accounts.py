# SPDX-License-Identifier: GPL-3.0-or-later

"""One set of clients for many accounts: each request has the credentials of its account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.accounts import AssumedAccounts
from ansible_collections.golden.images.plugins.module_utils._aws.clients import Clients, Connection
from ansible_collections.golden.images.plugins.module_utils._aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils._failures import TargetFailed
from ansible_collections.golden.images.plugins.module_utils._fanout import map_parallel
from ansible_collections.golden.images.plugins.module_utils._model import ConsumerRole
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.stub import Stubber

from tests.unit.aws.test_assuming import EU, OWN_KEYS, US, no_settings_of_this_machine, sent_by, token

OWN = "111122223333"
ACCOUNTS = [f"2{number:011}" for number in range(20)]

__all__ = ["no_settings_of_this_machine"]


@pytest.fixture
def owner() -> Clients:
    clients = Clients(Connection(credentials=OWN_KEYS))
    clients.open("sts", [US])
    return clients


@pytest.fixture
def sts(owner: Clients) -> dict[str, int]:
    """Let every role be assumed, and count how often."""
    assumed: dict[str, int] = {}

    def answer(params: dict[str, Any], **_event: Any) -> None:
        role = params["RoleArn"]
        assumed[role] = assumed.get(role, 0) + 1

    owner.sts(US).meta.events.register("provide-client-params.sts.AssumeRole", answer)

    def parsed(params: dict[str, Any], **_event: Any) -> Any:
        account = params["body"]["RoleArn"].split(":")[4]
        credentials = {
            "AccessKeyId": f"ASIA{account}",
            "SecretAccessKey": f"secret-of-{account}",
            "SessionToken": f"token-of-{account}",
            "Expiration": datetime.now(UTC) + timedelta(hours=1),
        }

        class Http:
            status_code = 200

        return Http(), {"Credentials": credentials}

    owner.sts(US).meta.events.register("before-call.sts.AssumeRole", parsed)
    return assumed


@pytest.fixture
def accounts(owner: Clients) -> AssumedAccounts:
    many = AssumedAccounts(owner, Caller(OWN, "aws"), ConsumerRole("golden", "golden-7f3a"), US)
    many.open("kms", [EU])
    return many


def test_each_request_is_signed_with_the_credentials_of_its_account(
    accounts: AssumedAccounts, sts: dict[str, int]
) -> None:
    with accounts.as_account(ACCOUNTS[0]) as first:
        sent = sent_by(first)

    def work(account_id: str) -> str:
        with accounts.as_account(account_id) as clients:
            for _number in range(3):
                clients.kms(EU).list_aliases()
        return account_id

    done, failed = map_parallel(ACCOUNTS, work)
    assert failed == {}
    assert len(done) == len(ACCOUNTS)
    assert sorted(token(request) for request in sent) == sorted(3 * [f"token-of-{one}" for one in ACCOUNTS])
    assert sts == {f"arn:aws:iam::{one}:role/golden": 1 for one in ACCOUNTS}


@pytest.mark.usefixtures("sts")
def test_calls_without_retries_have_the_credentials_of_their_account_too(accounts: AssumedAccounts) -> None:
    accounts.open_without_retries("kms", [EU])
    for account_id in ACCOUNTS[:2]:
        with accounts.as_account(account_id) as clients:
            once = clients.without_retries()
            assert once.kms(EU).meta.config.retries["total_max_attempts"] == 1
            sent = sent_by(once)
            once.kms(EU).list_aliases()
        assert [token(request) for request in sent] == [f"token-of-{account_id}"]


@pytest.mark.usefixtures("sts")
def test_nested_contexts_in_one_thread(accounts: AssumedAccounts) -> None:
    with accounts.as_account(ACCOUNTS[0]) as clients:
        sent = sent_by(clients)
        clients.kms(EU).list_aliases()
        with accounts.as_account(ACCOUNTS[1]) as other:
            other.kms(EU).list_aliases()
        clients.kms(EU).list_aliases()
    assert [token(request)[-1] for request in sent] == ["0", "1", "0"]


@pytest.mark.usefixtures("sts")
def test_outside_of_the_context_there_are_no_credentials(accounts: AssumedAccounts) -> None:
    with accounts.as_account(ACCOUNTS[0]) as clients:
        sent_by(clients)
        clients.kms(EU).list_aliases()
    with pytest.raises(NoCredentialsError):
        clients.kms(EU).list_aliases()


def test_the_own_account_signs_with_its_own_credentials(
    accounts: AssumedAccounts, sts: dict[str, int]
) -> None:
    with accounts.as_account(OWN) as clients:
        sent = sent_by(clients)
        clients.kms(EU).list_aliases()
    (request,) = sent
    assert f"Credential={OWN_KEYS['aws_access_key_id']}/" in request.headers["Authorization"].decode()
    assert sts == {}


def test_without_a_role_the_own_account_has_its_own_clients(owner: Clients) -> None:
    many = AssumedAccounts(owner, Caller(OWN, "aws"), None, US)
    many.open("kms", [EU])
    with many.as_account(OWN) as clients:
        assert clients is owner
        assert clients.kms(EU).meta.region_name == EU


def test_without_a_role_another_account_is_a_failure_that_names_the_option(owner: Clients) -> None:
    many = AssumedAccounts(owner, Caller(OWN, "aws"), None, US)
    with pytest.raises(TargetFailed) as caught, many.as_account(ACCOUNTS[0]):
        pass
    assert caught.value.failure.error_code == "missing_consumer_role"
    assert caught.value.failure.account_id == ACCOUNTS[0]
    assert "consumer_role_name" in caught.value.failure.remedy


class RolesOnly:
    """Clients that keep which roles would be assumed, and where."""

    def __init__(self, default_region: str) -> None:
        self.default_region = default_region
        self.assumed: list[tuple[str, str | None, str]] = []
        self.opened: list[tuple[str, str]] = []

    def open(self, service: str, regions: list[str]) -> None:
        self.opened += [(service, region) for region in regions]

    def credentials(self) -> None:
        """Have none."""

    def role_credentials(self, role_arn: str, external_id: str | None, region: str) -> None:
        self.assumed.append((role_arn, external_id, region))

    def with_credentials(self, _credentials: Any) -> RolesOnly:
        return self


@pytest.mark.parametrize(
    ("partition", "sts_region", "default_region", "region"),
    [
        pytest.param("aws", EU, "us-west-2", EU, id="every account has it"),
        pytest.param("aws", "ap-east-1", "us-west-2", "us-west-2", id="the default region"),
        pytest.param("aws", "ap-east-1", "me-south-1", US, id="the default one is opt-in too"),
        pytest.param("aws-cn", "cn-north-1", "cn-north-1", "cn-north-1", id="no opt-in regions"),
    ],
)
def test_roles_are_assumed_in_their_partition_and_a_region_that_every_account_has(
    partition: str, sts_region: str, default_region: str, region: str
) -> None:
    """(botocore shape RegionDisabledException.)"""
    clients: Any = RolesOnly(default_region)
    many = AssumedAccounts(clients, Caller(OWN, partition), ConsumerRole("r", "golden-7f3a"), sts_region)
    with many.as_account(OWN), many.as_account(ACCOUNTS[0]):
        role_arn = f"arn:{partition}:iam::{ACCOUNTS[0]}:role/r"
    assert clients.assumed == [(role_arn, "golden-7f3a", region)]
    assert clients.opened == [("sts", region)]
    assert (many.role_arn(ACCOUNTS[0]), many.role_arn(OWN)) == (role_arn, None)


def test_a_denied_assume_role_raises_its_error(accounts: AssumedAccounts, owner: Clients) -> None:
    with Stubber(owner.sts(US)) as stubber:
        stubber.add_client_error("assume_role", "AccessDenied", "No.")
        with accounts.as_account(ACCOUNTS[0]) as clients, pytest.raises(ClientError) as caught:
            clients.kms(EU).list_aliases()
    assert caught.value.operation_name == "AssumeRole"


@pytest.mark.usefixtures("sts")
def test_texts_hide_secrets(accounts: AssumedAccounts) -> None:
    with accounts.as_account(ACCOUNTS[0]) as clients:
        sent_by(clients)
        clients.kms(EU).list_aliases()
        objects = [accounts, clients, clients._session, clients._session.get_credentials(), clients.kms(EU)]
        text = "".join(f"{item!r} {item}" for item in objects)
    hidden = (f"secret-of-{ACCOUNTS[0]}", f"token-of-{ACCOUNTS[0]}", "own-secret", "golden-7f3a")
    assert [secret for secret in hidden if secret in text] == []


@pytest.mark.usefixtures("sts")
def test_a_fork_has_clients_of_its_own_for_the_same_roles_and_no_connection(
    owner: Clients, accounts: AssumedAccounts
) -> None:
    closed: list[str] = []
    with accounts.as_account(ACCOUNTS[0]) as shared:
        for service, client in (("sts", owner.sts(US)), ("kms", shared.kms(EU))):
            client._endpoint.http_session.close = partial(closed.append, service)
    accounts.close_connections()
    assert closed == ["sts", "kms"]
    fork = accounts.of_fork()
    fork.open("kms", [EU])
    assert fork.role_arn(ACCOUNTS[0]) == accounts.role_arn(ACCOUNTS[0])
    with fork.as_account(OWN) as theirs:
        assert theirs.kms(EU) is not shared.kms(EU)
