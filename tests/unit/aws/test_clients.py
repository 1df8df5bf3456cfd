# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions and clients: the user's settings, retries, and texts that hide secrets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import clients as clients_module
from ansible_collections.golden.images.plugins.module_utils._aws import rate_limit
from ansible_collections.golden.images.plugins.module_utils._aws.clients import (
    Clients,
    Connection,
    lookup_config,
    optional_config,
    organizations_config,
)
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.loaders import JSONFileLoader

from .simulated_time import Clock, Waits

KEYS = {
    "aws_access_key_id": "AKIAEXAMPLE",
    "aws_secret_access_key": "wJalrXUtnFEMI",
    "aws_session_token": "FwoGZXIvYXdz",
}


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "AWS_PROFILE",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_MAX_ATTEMPTS",
        "AWS_RETRY_MODE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


@pytest.mark.parametrize("text", [repr, str])
def test_the_text_of_a_connection_hides_secrets(text: type[str]) -> None:
    shown = text(Connection(credentials=KEYS, region="eu-west-1"))
    assert "eu-west-1" in shown
    assert not [value for value in KEYS.values() if value in shown]


def test_each_region_has_a_client() -> None:
    clients = Clients(Connection(credentials=KEYS))
    clients.open("ec2", ["eu-west-1", "us-east-1"])
    clients.open("sts", ["us-east-1"])
    assert clients.ec2("eu-west-1").meta.region_name == "eu-west-1"
    assert clients.ec2("us-east-1").meta.region_name == "us-east-1"
    assert clients.sts("us-east-1").meta.service_model.service_name == "sts"


def test_a_client_of_ec2_has_no_operation_that_is_not_called() -> None:
    clients = Clients(Connection(credentials=KEYS))
    clients.open("ec2", ["eu-west-1"])
    assert hasattr(clients.ec2("eu-west-1"), "copy_image")
    assert not hasattr(clients.ec2("eu-west-1"), "run_scheduled_instances")


def test_a_read_that_can_fail_gives_up_within_seconds() -> None:
    config: Any = optional_config()
    assert config.retries == {"mode": "standard", "total_max_attempts": 2}
    assert (config.connect_timeout, config.read_timeout) == (3, 10)


def test_an_endpoint_of_a_service_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "kms.internal")
    clients = Clients(Connection(credentials=KEYS))
    clients.open("ec2", ["eu-west-1"])
    with pytest.raises(ValidationError) as caught:
        clients.open("kms", ["eu-west-1"])
    (failure,) = caught.value.failures
    assert (failure.action, failure.error_code) == ("kms", "ValueError")
    assert failure.message == "The credentials or settings cannot be read: Invalid endpoint: kms.internal"


def test_models_of_the_user_are_read_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DATA_PATH", f"{tmp_path}/a:{tmp_path}/b")
    loader = Clients(Connection(credentials=KEYS))._session._session.get_component("data_loader")
    assert loader.search_paths[:2] == [f"{tmp_path}/a", f"{tmp_path}/b"]
    assert len(loader.search_paths) == len({*loader.search_paths}) > 2


@pytest.fixture
def files_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The files of botocore's models that are read during the test, in the order in which they are."""
    found: list[str] = []
    load = JSONFileLoader._load_file

    def noted(loader: JSONFileLoader, path: str, open_method: Any) -> Any:
        if Path(path).is_file():
            found.append(path)
        return load(loader, path, open_method)

    monkeypatch.setattr(JSONFileLoader, "_load_file", noted)
    clients_module._loader.cache_clear()
    yield found
    clients_module._loader.cache_clear()


def test_models_are_read_once_by_all_sessions(files_read: list[str]) -> None:
    clients_module.preload()
    assert any("ec2" in path for path in files_read)
    files_read.clear()
    for region in ("eu-west-1", "us-east-1"):
        clients = Clients(Connection(credentials=KEYS))
        for service in ("ec2", "kms", "sts"):
            clients.open(service, [region])
        clients.with_credentials(Credentials("AKIAOTHER", "secret")).open("ec2", [region])
        assert clients.client("ec2", region).can_paginate("describe_images")
        assert clients.client("kms", region).can_paginate("list_grants")
    assert files_read == []


def test_no_models_are_read_without_boto3(files_read: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients_module.sdk, "boto3", None)
    clients_module.preload()
    assert files_read == []


def test_models_of_the_user_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clients_module.preload()
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    clients = Clients(Connection(credentials=KEYS))
    assert str(tmp_path) in clients._session._session.get_component("data_loader").search_paths


def test_a_client_is_created_once() -> None:
    clients = Clients(Connection(credentials=KEYS))
    clients.open("ec2", ["eu-west-1"])
    first = clients.ec2("eu-west-1")
    clients.open("ec2", ["eu-west-1", "us-east-1"])
    assert clients.ec2("eu-west-1") is first


def test_a_client_that_was_not_opened_raises() -> None:
    # A thread would create it, and sessions are not thread-safe.
    with pytest.raises(KeyError):
        Clients(Connection(credentials=KEYS)).ec2("eu-west-1")


def test_retries_are_those_of_botocore() -> None:
    clients = Clients(Connection(credentials=KEYS))
    clients.open("ec2", ["eu-west-1"])
    config = clients.ec2("eu-west-1").meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 8}
    assert config.connect_timeout == 10
    assert "golden.images" in config.user_agent


def test_the_users_config_takes_precedence() -> None:
    mine = Config(
        retries={"mode": "adaptive", "total_max_attempts": 3}, proxies={"https": "proxy.example:3128"}
    )
    clients = Clients(Connection(credentials=KEYS, config=mine))
    clients.open("ec2", ["eu-west-1"])
    config = clients.ec2("eu-west-1").meta.config
    assert config.retries["mode"] == "adaptive"
    assert config.retries["total_max_attempts"] == 3
    assert config.proxies == {"https": "proxy.example:3128"}
    assert config.connect_timeout == 10


def test_the_users_endpoint_is_used() -> None:
    clients = Clients(Connection(credentials=KEYS, endpoint_url="http://127.0.0.1:5000"))
    clients.open("ec2", ["eu-west-1"])
    assert clients.ec2("eu-west-1").meta.endpoint_url == "http://127.0.0.1:5000"


@pytest.mark.parametrize(
    "source",
    [
        "credential_process = touch {file}",
        "aws_access_key_id = AKIAPROFILE\naws_secret_access_key = profile-secret",
        "role_arn = arn:aws:iam::111122223333:role/of-profile\nsource_profile = other",
        "sso_session = company\nsso_account_id = 111122223333\nsso_role_name = of-profile",
    ],
)
def test_the_settings_of_the_profile_apply_to_other_credentials(
    source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The profile's own credentials are not read for them."""
    bundle, called = tmp_path / "ca.pem", tmp_path / "called"
    config = tmp_path / "config"
    bundle.write_text("", encoding="utf-8")
    config.write_text(
        f"[profile golden]\nuse_fips_endpoint = true\nca_bundle = {bundle}\n{source.format(file=called)}\n"
        f"[profile other]\ncredential_process = touch {called}\n"
        "[sso-session company]\nsso_start_url = http://127.0.0.1:9\nsso_region = us-east-1\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    given = Credentials("AKIAASSUMED", "assumed-secret")
    clients = Clients(Connection(profile_name="golden")).with_credentials(given)
    clients.open("ec2", ["us-east-1"])
    client = clients.ec2("us-east-1")
    assert client.meta.endpoint_url == "https://ec2-fips.us-east-1.amazonaws.com"
    assert client._endpoint.http_session._verify == str(bundle)  # type: ignore[attr-defined]
    assert clients.credentials() is given
    assert not called.exists()


@pytest.mark.parametrize(
    ("setting", "endpoint"),
    [
        pytest.param(None, "https://sts.us-east-1.amazonaws.com", id="not set"),
        pytest.param("legacy", "https://sts.amazonaws.com", id="set by the user"),
    ],
)
def test_sts_is_called_in_the_region(
    monkeypatch: pytest.MonkeyPatch, setting: str | None, endpoint: str
) -> None:
    """(IAM User Guide, "Manage AWS STS in an AWS Region": tokens valid in opt-in regions.)"""
    monkeypatch.delenv("AWS_STS_REGIONAL_ENDPOINTS", raising=False)
    if setting:
        monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", setting)
    clients = Clients(Connection(credentials=KEYS))
    clients.open("sts", ["us-east-1"])
    assert clients.sts("us-east-1").meta.endpoint_url == endpoint


def test_regions_of_every_partition_are_known() -> None:
    partitions = Clients(Connection(credentials=KEYS)).partitions()
    assert partitions["eu-west-1"] == "aws"
    assert partitions["cn-north-1"] == "aws-cn"
    assert partitions["us-gov-west-1"] == "aws-us-gov"


@pytest.mark.parametrize(
    ("region", "default_region"), [("eu-west-1", "eu-west-1"), (None, "us-east-1"), ("", "us-east-1")]
)
def test_the_default_region(region: str | None, default_region: str) -> None:
    clients = Clients(Connection(credentials=KEYS, region=region))
    assert clients.default_region == default_region
    assert clients.is_region_set is (region == "eu-west-1")


@pytest.mark.parametrize(
    ("region", "partition", "known"),
    [
        ("eu-west-1", "aws", True),
        ("eu-wset-1", "aws", False),
        ("cn-north-1", "aws-cn", True),
        ("us-gov-west-1", "aws-us-gov", True),
        ("xx-north-1", None, False),
        ("Europe", None, False),
    ],
)
def test_the_partition_of_a_region(region: str, partition: str | None, known: bool) -> None:
    clients = Clients(Connection(credentials=KEYS))
    assert (clients.partition_of(region), clients.is_known(region)) == (partition, known)


@pytest.mark.parametrize(
    ("service", "region", "lacks"),
    [
        ("codebuild", "ca-west-1", True),
        ("codebuild", "eu-west-1", False),
        ("codebuild", "cn-north-1", False),
        # Botocore has no regions of these services, and does not know this region.
        ("pcs", "ca-west-1", False),
        ("imagebuilder", "ca-west-1", False),
        ("codebuild", "eu-west-99", False),
        ("codebuild", "Europe", False),
    ],
)
def test_a_service_that_botocore_has_in_other_regions_only(service: str, region: str, lacks: bool) -> None:
    assert Clients(Connection(credentials=KEYS)).lacks(service, region) is lacks


def test_each_operation_has_rate_limited_clients_of_its_own() -> None:
    clients = Clients(Connection(credentials=KEYS))
    images, snapshots = clients.rate_limited("DeregisterImage"), clients.rate_limited("DeleteSnapshot")
    assert images is clients.rate_limited("DeregisterImage")
    assert images is not snapshots


class Answers:
    """The error codes of AWS's answers by operation, in order, of which the last one is repeated."""

    def __init__(self, **codes: list[str]) -> None:
        self.codes = codes

    def send(self, request: Any, event_name: str, **_event: Any) -> AWSResponse:
        codes = self.codes[event_name.rpartition(".")[2]]
        code = codes.pop(0) if len(codes) > 1 else codes[0]
        body = f"<Response><Errors><Error><Code>{code}</Code></Error></Errors></Response>"
        return AWSResponse(request.url, 503 if code else 200, {}, Raw((body if code else "<Ok/>").encode()))


class Raw(BytesIO):
    """A body as urllib3 has it."""

    def stream(self) -> Iterator[bytes]:
        yield self.getvalue()


def open_clients(clients: Clients, answers: Answers, *regions: str) -> Clients:
    clients.open("ec2", regions)
    for region in regions:
        clients.ec2(region).meta.events.register_first("before-send.ec2", answers.send)
    return clients


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds for which calls wait; only waiting takes time."""
    clock = Clock()
    limit = partial(rate_limit.RateLimit, clock=lambda: clock.now, changed=Waits(clock))
    monkeypatch.setattr(rate_limit, "RateLimit", limit)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    return clock.waits


def test_only_the_limited_operation_waits_and_each_attempt_of_it(waits: list[float]) -> None:
    answers = Answers(
        DeregisterImage=["RequestLimitExceeded", "RequestLimitExceeded", ""], DescribeImages=[""]
    )
    clients = Clients(Connection(credentials=KEYS)).rate_limited("DeregisterImage")
    open_clients(clients, answers, "eu-west-1", "us-east-1")
    clients.ec2("us-east-1").describe_images()
    clients.ec2("us-east-1").deregister_image(ImageId="ami-1")
    # After each refusal, until AWS has a token again.
    assert len(waits) == 2
    assert min(waits) >= 1
    clients.ec2("us-east-1").describe_images()
    answers.codes["DeregisterImage"] = [""]
    clients.ec2("eu-west-1").deregister_image(ImageId="ami-1")
    assert len(waits) == 2


def test_clients_of_an_account_share_what_they_learned(waits: list[float]) -> None:
    answers = Answers(DeregisterImage=["RequestLimitExceeded", ""])
    limited = Clients(Connection(credentials=KEYS)).rate_limited("DeregisterImage")
    once = open_clients(limited.without_retries(), answers, "eu-west-1")
    with pytest.raises(ClientError):
        once.ec2("eu-west-1").deregister_image(ImageId="ami-1")
    assert not waits
    open_clients(limited, answers, "eu-west-1").ec2("eu-west-1").deregister_image(ImageId="ami-1")
    assert len(waits) == 1


def test_a_call_waits_before_it_is_signed(waits: list[float]) -> None:
    clients = Clients(Connection(credentials=KEYS, max_calls_per_second=1)).rate_limited("DeregisterImage")
    open_clients(clients, Answers(DeregisterImage=[""]), "eu-west-1")
    signed: list[int] = []
    clients.ec2("eu-west-1").meta.events.register(
        "before-sign.ec2", lambda **_event: signed.append(len(waits))
    )
    for _call in range(3):
        clients.ec2("eu-west-1").deregister_image(ImageId="ami-1")
    assert signed == [0, 1, 2]
    assert waits == pytest.approx([1, 1])


def test_another_account_has_limits_of_its_own_and_the_same_cap(waits: list[float]) -> None:
    ours = Clients(Connection(credentials=KEYS, max_calls_per_second=1))
    theirs = ours.with_credentials(Credentials("AKIAOTHER", "secret"))
    for clients in (ours, theirs):
        limited = open_clients(
            clients.rate_limited("DeregisterImage"), Answers(DeregisterImage=[""]), "eu-west-1"
        )
        limited.ec2("eu-west-1").deregister_image(ImageId="ami-1")
    assert not waits
    theirs.rate_limited("DeregisterImage").ec2("eu-west-1").deregister_image(ImageId="ami-1")
    assert len(waits) == 1


def test_a_call_with_an_effect_each_time_is_sent_once() -> None:
    mine = Config(retries={"mode": "adaptive", "total_max_attempts": 3}, read_timeout=7)
    clients = Clients(Connection(credentials=KEYS, config=mine))
    once = clients.without_retries()
    assert once is clients.without_retries()
    once.open("ssm", ["eu-west-1"])
    config = once.ssm("eu-west-1").meta.config
    assert config.retries == {"mode": "adaptive", "total_max_attempts": 1}
    assert config.read_timeout == 7
    plain = Clients(
        Connection(credentials=KEYS, config=Config(retries={"max_attempts": 3}))
    ).without_retries()
    plain.open("ssm", ["eu-west-1"])
    assert plain.ssm("eu-west-1").meta.config.retries["total_max_attempts"] == 1


def test_a_fork_has_clients_and_a_rate_of_its_own_and_no_connection(waits: list[float]) -> None:
    clients = Clients(Connection(credentials=KEYS, max_calls_per_second=1))
    limited = clients.rate_limited("DeregisterImage")
    closed: list[str] = []
    for service, some in (("sts", clients), ("ec2", limited), ("ssm", clients.without_retries())):
        some.open(service, ["eu-west-1"])
        http = some.client(service, "eu-west-1")._endpoint.http_session
        http.close = partial(closed.append, service)
    clients.close_connections()
    assert closed == ["sts", "ec2", "ssm"]
    fork = clients.of_fork()
    theirs = fork.rate_limited("DeregisterImage")
    for some in (limited, theirs):
        answered = open_clients(some, Answers(DeregisterImage=[""]), "eu-west-1")
        answered.ec2("eu-west-1").deregister_image(ImageId="ami-1")
    assert theirs.ec2("eu-west-1") is not limited.ec2("eu-west-1")
    assert not waits
    # The same cap, and the same credentials without another read.
    theirs.ec2("eu-west-1").deregister_image(ImageId="ami-1")
    assert len(waits) == 1
    assert fork.credentials() is clients.credentials()


def test_a_lookup_names_itself_and_retries():
    config = lookup_config()
    assert config.retries == {"mode": "standard", "total_max_attempts": 8}
    assert (config.connect_timeout, config.user_agent_extra) == (10, "golden.images")


def test_calls_to_organizations_adapt_their_rate_to_throttling() -> None:
    clients = Clients(Connection(credentials=KEYS, config=organizations_config()))
    clients.open("organizations", ["us-east-1"])
    config = clients.client("organizations", "us-east-1").meta.config
    assert config.retries == {"mode": "adaptive", "total_max_attempts": 10}
    assert config.connect_timeout == 10
