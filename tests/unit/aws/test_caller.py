# SPDX-License-Identifier: GPL-3.0-or-later

"""The account of the credentials, its regions, and the region of these calls."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.caller import (
    add_region_remedy,
    check_default_region,
    identify,
    identify_in_regions,
    identify_with_regions,
    preferred_region,
    region_for_checks,
)
from ansible_collections.golden.images.plugins.module_utils._aws.clients import Clients, Connection
from ansible_collections.golden.images.plugins.module_utils._aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils._denial import NO_CREDENTIALS
from ansible_collections.golden.images.plugins.module_utils._failures import Failure, ValidationError
from ansible_collections.golden.images.plugins.module_utils._runner import refusal

from tests.unit.wire import Wire

HOME = "eu-west-1"
OWNER = "111122223333"
IDENTITY = {"UserId": "u", "Account": OWNER, "Arn": f"arn:aws:iam::{OWNER}:user/build"}


PARTITIONS = {"eu": "aws", "us": "aws", "cn": "aws-cn"}


def clients(
    sts: Wire, ec2: Wire | None = None, region: str = HOME, is_region_set: bool = True
) -> SimpleNamespace:
    """Clients of one region, in which alone they may be opened and used; the default region is HOME."""

    def only(client: Any) -> Callable[[str], Any]:
        def of_region(given: str) -> Any:
            assert given == region
            return client

        return of_region

    def open_clients(_service: str, regions: list[str]) -> None:
        assert regions == [region]

    return SimpleNamespace(
        default_region=HOME,
        is_region_set=is_region_set,
        partition_of=lambda name: PARTITIONS.get(name.split("-")[0]),
        is_known=lambda name: "norht" not in name,
        open=open_clients,
        sts=only(sts.client),
        ec2=only(ec2.client if ec2 else None),
    )


@pytest.mark.parametrize(
    ("regions", "expected"),
    [
        ([HOME], HOME),
        (["ap-east-1", HOME], HOME),
        (["cn-north-1", "cn-northwest-1"], "cn-north-1"),
        (["ap-east-1", "us-west-2"], "us-west-2"),
    ],
)
def test_the_default_region_is_preferred_if_the_task_includes_it(regions: list[str], expected: str) -> None:
    clients = SimpleNamespace(default_region=HOME)
    assert preferred_region(clients, regions) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("regions", "expected"),
    [
        pytest.param([HOME, "us-east-1"], HOME, id="the default region"),
        pytest.param(["ap-east-1", "us-east-1"], "us-east-1", id="one that every account has"),
        pytest.param(["xx-east-1"], HOME, id="only misspelled"),
        pytest.param(["cn-norht-1", "cn-north-1"], "cn-north-1", id="another partition"),
        pytest.param(["cn-norht-1"], "cn-norht-1", id="only misspelled, in another partition"),
    ],
)
def test_regions_are_checked_in_one_that_answers(sts: Wire, regions: list[str], expected: str) -> None:
    assert region_for_checks(clients(sts), regions) == expected  # type: ignore[arg-type]


STATUSES = {HOME: "opt-in-not-required", "af-south-1": "not-opted-in", "ap-east-1": "opted-in"}
LISTED = {"Regions": [{"RegionName": name, "OptInStatus": status} for name, status in STATUSES.items()]}


def test_each_region_that_is_missing_is_refused_by_its_option(sts: Wire, ec2: Wire) -> None:
    sts.expect("get_caller_identity", {}, IDENTITY)
    ec2.expect("describe_regions", {"AllRegions": True}, LISTED)
    named = {"images": [HOME, "af-south-1", "ap-east-1", "eu-wset-1"], "source_region": ["af-south-1"]}
    with pytest.raises(ValidationError) as caught:
        identify_in_regions(clients(sts, ec2), named)  # type: ignore[arg-type]
    assert [(one.action, one.message) for one in caught.value.failures] == [
        ("images", "images: the account has not opted in to 'af-south-1'."),
        ("images", "images: there is no region 'eu-wset-1'."),
        ("source_region", "source_region: the account has not opted in to 'af-south-1'."),
    ]


@pytest.mark.parametrize("named", [[HOME, "us-east-1"], [HOME, "ap-east-1"]])
def test_regions_that_exist_are_not_refused(sts: Wire, ec2: Wire, named: list[str]) -> None:
    sts.expect("get_caller_identity", {}, IDENTITY)
    # Every account has the first two.
    if "ap-east-1" in named:
        ec2.expect("describe_regions", {"AllRegions": True}, LISTED)
    found = identify_in_regions(clients(sts, ec2), {"images": named})  # type: ignore[arg-type]
    assert found == Caller(OWNER, "aws")


ELSEWHERE = "'cn-north-1' is in partition aws-cn, the credentials are for aws."


@pytest.mark.parametrize("denied", [False, True])
def test_a_region_of_another_partition_is_refused_as_that(sts: Wire, ec2: Wire, denied: bool) -> None:
    sts.expect("get_caller_identity", {}, IDENTITY)
    if denied:
        ec2.refuse("describe_regions", {"AllRegions": True}, "UnauthorizedOperation")
    else:
        ec2.expect("describe_regions", {"AllRegions": True}, LISTED)
    with pytest.raises(ValidationError) as caught:
        identify_in_regions(
            clients(sts, ec2),  # type: ignore[arg-type]
            {"images": ["cn-north-1", HOME, "eu-wset-1"]},
        )
    misspelled = [] if denied else ["images: there is no region 'eu-wset-1'."]
    assert [one.message for one in caught.value.failures] == [f"images: {ELSEWHERE}", *misspelled]


@pytest.mark.parametrize("audits", [False, True])
def test_credentials_that_another_partition_does_not_know_are_looked_up_in_their_own(
    sts: Wire, ec2: Wire, audits: bool
) -> None:
    sts.refuse("get_caller_identity", {}, "InvalidClientTokenId")
    sts.expect("get_caller_identity", {}, IDENTITY)
    opened: list[str] = []
    aws: Any = clients(sts, ec2)
    aws.open = lambda _service, regions: opened.extend(regions)
    aws.sts, aws.ec2 = (lambda _region: sts.client), (lambda _region: ec2.client)
    if audits:
        ec2.expect("describe_regions", {"AllRegions": True}, LISTED)
    check: Any = identify_with_regions if audits else identify_in_regions
    with pytest.raises(ValidationError) as caught:
        check(aws, ["cn-north-1"] if audits else {"regions": ["cn-north-1"]})
    assert [one.message for one in caught.value.failures] == [f"regions: {ELSEWHERE}"]
    assert opened[:2] == ["cn-north-1", HOME]


def test_another_region_answers_if_the_default_one_is_missing(sts: Wire, ec2: Wire) -> None:
    sts.refuse("get_caller_identity", {}, "InvalidClientTokenId")
    sts.expect("get_caller_identity", {}, IDENTITY)
    ec2.expect("describe_regions", {"AllRegions": True}, LISTED)
    opened: list[str] = []
    aws: Any = clients(sts, ec2)
    aws.default_region = "us-wset-1"
    aws.open = lambda _service, regions: opened.extend(regions)
    aws.sts, aws.ec2 = (lambda _region: sts.client), (lambda _region: ec2.client)
    with pytest.raises(ValidationError) as caught:
        identify_in_regions(aws, {"region": ["us-wset-1"]})
    assert [one.message for one in caught.value.failures] == ["region: there is no region 'us-wset-1'."]
    assert opened == ["us-wset-1", "us-east-1", "us-east-1"]


def test_the_default_region_s_own_error_is_raised_if_no_other_one_answers(sts: Wire) -> None:
    sts.refuse("get_caller_identity", {}, "InvalidClientTokenId")
    sts.refuse("get_caller_identity", {}, "ExpiredToken")
    aws: Any = clients(sts)
    aws.default_region = "us-wset-1"
    aws.open, aws.sts = (lambda _service, _regions: None), (lambda _region: sts.client)
    with pytest.raises(ValidationError) as caught:
        identify_in_regions(aws, {"region": ["us-wset-1"]})
    assert [one.error_code for one in caught.value.failures] == ["InvalidClientTokenId"]


@pytest.mark.parametrize(("code", "refuses"), [("UnauthorizedOperation", False), ("InternalError", True)])
def test_regions_are_not_checked_without_the_permission(
    sts: Wire, ec2: Wire, code: str, refuses: bool
) -> None:
    sts.expect("get_caller_identity", {}, IDENTITY)
    ec2.refuse("describe_regions", {"AllRegions": True}, code)
    aws: Any = clients(sts, ec2)
    if refuses:
        with pytest.raises(ValidationError):
            identify_in_regions(aws, {"images": ["eu-wset-1"]})
    else:
        assert identify_in_regions(aws, {"images": ["eu-wset-1"]}) == Caller(OWNER, "aws")


def test_the_account_and_its_regions(sts: Wire, ec2: Wire) -> None:
    sts.expect("get_caller_identity", {}, IDENTITY)
    ec2.expect(
        "describe_regions",
        {"AllRegions": True},
        {"Regions": [{"RegionName": HOME, "OptInStatus": "opt-in-not-required"}]},
    )
    caller, regions = identify_with_regions(clients(sts, ec2), ())  # type: ignore[arg-type]
    assert caller == Caller(OWNER, "aws")
    assert regions == (HOME,)


def test_named_regions_are_checked_all_at_once(sts: Wire, ec2: Wire) -> None:
    sts.expect("get_caller_identity", {}, IDENTITY)
    ec2.expect("describe_regions", {"AllRegions": True}, LISTED)
    named = ["cn-north-1", "af-south-1", HOME, "eu-wset-1"]
    with pytest.raises(ValidationError) as caught:
        identify_with_regions(clients(sts, ec2), named)  # type: ignore[arg-type]
    assert [one.message for one in caught.value.failures] == [
        f"regions: {ELSEWHERE}",
        "regions: the account has not opted in to 'af-south-1'.",
        "regions: there is no region 'eu-wset-1'.",
    ]


def test_named_regions_keep_their_order(sts: Wire, ec2: Wire) -> None:
    sts.expect("get_caller_identity", {}, IDENTITY)
    ec2.expect("describe_regions", {"AllRegions": True}, LISTED)
    named = [HOME, "ap-east-1"]
    assert identify_with_regions(clients(sts, ec2), named)[1] == (HOME, "ap-east-1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("named", "region"),
    [
        pytest.param([HOME, "us-east-1"], HOME, id="the default region is named"),
        pytest.param(["us-east-1"], HOME, id="the same partition"),
        # Only the list of regions shows that they do not exist, or are not enabled.
        pytest.param(["us-east-1", "xx-east-1"], HOME, id="a misspelled region"),
        pytest.param(["xx-east-1"], HOME, id="only a misspelled region"),
        pytest.param(["cn-north-1", "us-east-1"], HOME, id="several partitions"),
        pytest.param(["cn-northwest-1", "cn-north-1"], "cn-northwest-1", id="another partition"),
        pytest.param(["xx-north-1", "cn-north-1"], "cn-north-1", id="another partition, misspelled"),
        pytest.param(["cn-norht-1", "cn-north-1"], "cn-north-1", id="misspelled, in the form of a partition"),
        pytest.param(["cn-norht-1"], "cn-norht-1", id="only misspelled, in the form of a partition"),
    ],
)
def test_the_regions_are_listed_in_the_partition_of_the_named_ones(
    sts: Wire, ec2: Wire, named: list[str], region: str
) -> None:
    sts.expect("get_caller_identity", {}, IDENTITY)
    ec2.refuse("describe_regions", {"AllRegions": True}, "UnauthorizedOperation")
    with pytest.raises(ValidationError) as caught:
        identify_with_regions(clients(sts, ec2, region), named)  # type: ignore[arg-type]
    assert [one.region for one in caught.value.failures] == [region]


@pytest.mark.parametrize(
    ("named", "is_region_set", "region", "expected"),
    [
        pytest.param([], False, HOME, True, id="nothing is set"),
        pytest.param([], True, HOME, False, id="a region is set"),
        pytest.param(["cn-north-1"], False, "cn-north-1", False, id="a region is named"),
    ],
)
def test_the_remedy_says_that_no_region_is_set(
    sts: Wire, named: list[str], is_region_set: bool, region: str, expected: bool
) -> None:
    sts.refuse("get_caller_identity", {}, "InvalidClientTokenId")
    aws: Any = clients(sts, is_region_set=is_region_set)
    if region != HOME:
        # The account may be one of the default region.
        sts.refuse("get_caller_identity", {}, "InvalidClientTokenId")
        aws.open, aws.sts = (lambda _service, _regions: None), (lambda _region: sts.client)
    with pytest.raises(ValidationError) as caught:
        identify_with_regions(aws, named)
    (failure,) = caught.value.failures
    assert ("No region is set, so that eu-west-1 was used" in failure.remedy) is expected
    assert ("set region or AWS_REGION" in failure.remedy) is expected


def test_an_assumed_region_explains_only_credentials_that_are_not_valid(sts: Wire) -> None:
    aws: Any = clients(sts, is_region_set=False)
    denied = Failure("No.", "Allow it.", "AccessDenied", "PutObject")
    assert add_region_remedy(aws, denied) == denied


def test_options_of_the_default_region_are_refused_in_another_partition(sts: Wire) -> None:
    aws: Any = clients(sts)
    with pytest.raises(ValidationError) as caught:
        check_default_region(aws, Caller(OWNER, "aws-cn"), {"here": "x", "there": None, "where": "y"})
    problem = (
        "it would be used in eu-west-1, which is in the partition aws, and the credentials are for aws-cn"
    )
    remedy = "Set region or AWS_REGION to a region of aws-cn."
    assert [(one.action, one.message, one.remedy) for one in caught.value.failures] == [
        ("here", f"here: {problem}.", remedy),
        ("where", f"where: {problem}.", remedy),
    ]
    check_default_region(aws, Caller(OWNER, "aws"), {"here": "x"})
    check_default_region(aws, Caller(OWNER, "aws-cn"), {"there": None})
    aws.default_region = "xx-east-1"
    check_default_region(aws, Caller(OWNER, "aws-cn"), {"here": "x"})


def test_credentials_that_are_not_valid_are_refused(sts: Wire) -> None:
    sts.refuse("get_caller_identity", {}, "InvalidClientTokenId")
    with pytest.raises(ValidationError) as caught:
        identify(clients(sts), HOME)  # type: ignore[arg-type]
    assert [(one.error_code, one.action) for one in caught.value.failures] == [
        ("InvalidClientTokenId", "GetCallerIdentity")
    ]


def test_a_denied_list_of_regions_is_refused(sts: Wire, ec2: Wire) -> None:
    sts.expect("get_caller_identity", {}, IDENTITY)
    ec2.refuse("describe_regions", {"AllRegions": True}, "UnauthorizedOperation")
    with pytest.raises(ValidationError) as caught:
        identify_with_regions(clients(sts, ec2), ())  # type: ignore[arg-type]
    assert [(one.error_code, one.action, one.region) for one in caught.value.failures] == [
        ("UnauthorizedOperation", "DescribeRegions", HOME)
    ]


def printing(text: str) -> str:
    """A ``credential_process`` that prints this."""
    return f"{sys.executable} -c \"print('{text}')\""


EXPIRED = json.dumps(
    {
        "Version": 1,
        "AccessKeyId": "AKIAEXAMPLE",
        "SecretAccessKey": "example",
        "SessionToken": "example",
        "Expiration": "2020-01-01T00:00:00Z",
    }
).replace('"', '\\"')
ROLE = f"role_arn = arn:aws:iam::{OWNER}:role/build"


@pytest.fixture
def refused_by(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Failure]:
    """Makes the profile of these settings the one of real clients, which refuse the task: with what?"""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def refuse(
        settings: str, endpoint_url: str | None = None, variables: Mapping[str, str] = MappingProxyType({})
    ) -> Failure:
        config.write_text(f"[profile build]\n{settings}\n", encoding="utf-8")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        profile = None if "AWS_ACCESS_KEY_ID" in variables else "build"
        real = Clients(Connection(profile_name=profile, endpoint_url=endpoint_url))
        with pytest.raises(ValidationError) as caught:
            identify(real, HOME)
        assert refusal(caught.value.failures)["msg"].endswith("This task changed nothing.")
        (failure,) = caught.value.failures
        assert (failure.source, failure.action) == ("sdk", "GetCallerIdentity")
        return failure

    return refuse


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        pytest.param(
            f'credential_process = {sys.executable} -c "raise SystemExit(1)"',
            "CredentialRetrievalError",
            "custom-process",
            id="process fails",
        ),
        pytest.param(
            "credential_process = /no/such/program",
            "FileNotFoundError",
            "cannot be read: [Errno 2] No such file or directory: '/no/such/program'",
            id="no process",
        ),
        pytest.param(
            f"credential_process = {printing('Log in')}", "JSONDecodeError", "cannot be read", id="no JSON"
        ),
        pytest.param(
            f"credential_process = {printing(EXPIRED)}", "RuntimeError", "still expired", id="expired"
        ),
        pytest.param(
            f"{ROLE}\nweb_identity_token_file = /no/such/token",
            "FileNotFoundError",
            "'/no/such/token'",
            id="no token",
        ),
        pytest.param(
            f"{ROLE}\nsource_profile = missing", "InvalidConfigError", '"missing"', id="no source_profile"
        ),
    ],
)
def test_a_profile_whose_credentials_cannot_be_read_is_refused(
    refused_by: Callable[..., Failure], settings: str, code: str, message: str
) -> None:
    failure = refused_by(settings)
    assert failure.error_code == code
    assert message in failure.message
    assert ("log in again" in failure.remedy) is (code in NO_CREDENTIALS)
    assert failure.remedy.endswith("as the user who runs Ansible.")


def test_incomplete_keys_of_the_environment_are_refused(refused_by: Callable[..., Failure]) -> None:
    failure = refused_by("", variables={"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE"})
    assert failure.error_code == "PartialCredentialsError"
    assert "AWS_SECRET_ACCESS_KEY" in failure.message


KEYS = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example"


def test_settings_that_cannot_be_read_are_refused(refused_by: Callable[..., Failure]) -> None:
    without_scheme = refused_by(KEYS, endpoint_url="localhost:4566")
    assert without_scheme.error_code == "ValueError"
    assert "localhost:4566" in without_scheme.message
    assert "endpoint_url" in without_scheme.remedy
    unknown = refused_by(KEYS, variables={"AWS_STS_REGIONAL_ENDPOINTS": "bogus"})
    assert unknown.error_code == "InvalidSTSRegionalEndpointsConfigError"
    assert "environment variables of the AWS CLI" in unknown.remedy
