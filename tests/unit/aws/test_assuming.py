# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients with another account's role: assumed at the first call, renewed before expiry, never displayed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.clients import Clients, Connection
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from tests.unit.examples import CONSUMER

EU, US = "eu-west-1", "us-east-1"
ROLE = f"arn:aws:iam::{CONSUMER}:role/golden-consumer"
OWN_KEYS = {"aws_access_key_id": "AKIAOWNOWNOWNOWN", "aws_secret_access_key": "own-secret"}
REQUEST = {"RoleArn": ROLE, "RoleSessionName": "golden.images"}
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def owner() -> Clients:
    clients = Clients(Connection(credentials=OWN_KEYS))
    clients.open("sts", [US])
    return clients


@pytest.fixture
def sts(owner: Clients) -> Iterator[Stubber]:
    """The STS client of the owner's credentials, which answers from a script."""
    with Stubber(owner.sts(US)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def let_assume(
    sts: Stubber, number: int = 1, lasting: timedelta = HOUR, request: dict[str, Any] | None = None
) -> None:
    credentials = {
        "AccessKeyId": f"ASIAASSUMED{number:05}",
        "SecretAccessKey": f"assumed-secret-{number}",
        "SessionToken": f"assumed-token-{number}",
        "Expiration": datetime.now(UTC) + lasting,
    }
    sts.add_response("assume_role", {"Credentials": credentials}, request or REQUEST)


def sent_by(clients: Clients, region: str = EU) -> list[AWSPreparedRequest]:
    """The requests of the KMS client of a region, which get an empty response instead of being sent."""
    sent: list[AWSPreparedRequest] = []

    def answer(request: AWSPreparedRequest, **_event: Any) -> AWSResponse:
        sent.append(request)
        response = AWSResponse(request.url, 200, {}, None)
        response._content = b"{}"
        return response

    clients.kms(region).meta.events.register("before-send.kms", answer)
    return sent


def token(request: AWSPreparedRequest) -> str:
    return request.headers["X-Amz-Security-Token"].decode()


def assumed(owner: Clients, external_id: str | None = None, role_arn: str = ROLE) -> Clients:
    clients = owner.with_credentials(owner.role_credentials(role_arn, external_id, US))
    clients.open("kms", [EU, US])
    return clients


def test_no_role_is_assumed_before_the_first_call(owner: Clients, sts: Stubber) -> None:
    # Without a scripted response, a call raises.
    clients = assumed(owner)
    assert clients.kms(EU).meta.region_name == EU
    sts.assert_no_pending_responses()


def test_calls_are_signed_as_the_role(owner: Clients, sts: Stubber) -> None:
    let_assume(sts)
    clients = assumed(owner)
    sent = sent_by(clients)
    clients.kms(EU).list_aliases()
    (request,) = sent
    assert token(request) == "assumed-token-1"
    signature = request.headers["Authorization"].decode()
    assert "Credential=ASIAASSUMED00001/" in signature
    assert f"/{EU}/kms/" in signature
    assert OWN_KEYS["aws_access_key_id"] not in signature


def test_a_role_is_assumed_once_for_all_regions_and_threads(owner: Clients, sts: Stubber) -> None:
    let_assume(sts)
    clients = assumed(owner)
    sent = [sent_by(clients, region) for region in (EU, US)]
    threads = [
        threading.Thread(target=clients.kms(region).list_aliases)
        for region in (EU, US)
        for _number in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [token(request) for requests in sent for request in requests] == ["assumed-token-1"] * 6


def test_credentials_are_cached_by_role(owner: Clients, sts: Stubber) -> None:
    other = ROLE.replace("consumer", "other")
    let_assume(sts, 1)
    let_assume(sts, 2, request={**REQUEST, "RoleArn": other})
    tokens = []
    for clients in (assumed(owner), assumed(owner, role_arn=other), assumed(owner)):
        sent = sent_by(clients)
        clients.kms(EU).list_aliases()
        tokens.append(token(sent[-1]))
    assert tokens == ["assumed-token-1", "assumed-token-2", "assumed-token-1"]


def test_credentials_are_renewed_before_they_expire(owner: Clients, sts: Stubber) -> None:
    let_assume(sts, 1, timedelta(minutes=5))
    let_assume(sts, 2)
    clients = assumed(owner)
    sent = sent_by(clients)
    for _number in range(3):
        clients.kms(EU).list_aliases()
    assert [token(request) for request in sent][1:] == ["assumed-token-2"] * 2


@pytest.mark.parametrize(
    ("external_id", "request_"),
    [
        pytest.param(None, REQUEST, id="none"),
        pytest.param("", REQUEST, id="empty, which AWS rejects"),
        pytest.param("golden-7f3a", {**REQUEST, "ExternalId": "golden-7f3a"}, id="one"),
    ],
)
def test_external_ids(
    owner: Clients, sts: Stubber, external_id: str | None, request_: dict[str, str]
) -> None:
    let_assume(sts, request=request_)
    clients = assumed(owner, external_id)
    sent_by(clients)
    clients.kms(EU).list_aliases()


def test_a_denied_assume_role_raises_its_error(owner: Clients, sts: Stubber) -> None:
    sts.add_client_error("assume_role", "AccessDenied", "No.", expected_params=REQUEST)
    clients = assumed(owner)
    with pytest.raises(ClientError) as caught:
        clients.kms(EU).list_aliases()
    assert caught.value.operation_name == "AssumeRole"


def test_an_error_of_assume_role_names_the_role_in_full(owner: Clients, sts: Stubber) -> None:
    role = ROLE.rpartition("/")[2]
    message = f"User: u is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    request = {**REQUEST, "ExternalId": role[:3]}
    sts.add_client_error("assume_role", "AccessDenied", message, expected_params=request)
    with pytest.raises(ClientError, match=ROLE):
        assumed(owner, role[:3]).kms(EU).list_aliases()


def test_the_users_settings_apply_to_the_role() -> None:
    connection = Connection(credentials=OWN_KEYS, endpoint_url="http://127.0.0.1:5000", verify=False)
    owner = Clients(connection)
    owner.open("sts", [US])
    client = assumed(owner).kms(EU)
    assert client.meta.endpoint_url == "http://127.0.0.1:5000"
    assert client.meta.config.retries["mode"] == "standard"
    assert "golden.images" in client.meta.config.user_agent


def test_an_sts_client_that_was_not_opened_raises(owner: Clients) -> None:
    with pytest.raises(KeyError):
        owner.role_credentials(ROLE, None, EU)


def test_texts_and_logs_hide_secrets(owner: Clients, sts: Stubber, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    let_assume(sts, request={**REQUEST, "ExternalId": "golden-7f3a"})
    clients = assumed(owner, "golden-7f3a")
    sent_by(clients)
    clients.kms(EU).list_aliases()
    session = clients._session
    objects = [clients, clients._connection, session, session.get_credentials(), clients.kms(EU), owner]
    text = caplog.text + "".join(f"{item!r} {item}" for item in objects)
    secrets = ("assumed-secret-1", "assumed-token-1", "own-secret", "golden-7f3a")
    assert [secret for secret in secrets if secret in text] == []
