# SPDX-License-Identifier: GPL-3.0-or-later
"""Fault injection."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from simulated_aws.client import SimulatedAws

from ..conftest import sharing

ONCE = Config(retries={"total_max_attempts": 1})
IMPATIENT = Config(retries={"total_max_attempts": 1}, read_timeout=0.5)
PERMISSION = {"UserId": "222222222222"}


def share(ec2: Any, image_id: str) -> None:
    ec2.modify_image_attribute(ImageId=image_id, LaunchPermission={"Add": [PERMISSION]})


@pytest.mark.parametrize(
    ("service", "method"), [("ec2", "describe_images"), ("kms", "list_keys"), ("sts", "get_caller_identity")]
)
def test_an_error_has_the_service_s_format(aws: SimulatedAws, service: str, method: str) -> None:
    aws.add_fault("error", service=service, code="Client.Odd", message="a < b", status=418)
    with pytest.raises(ClientError) as refused:
        getattr(aws.client(service, "owner", config=ONCE), method)()
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("Client.Odd", "a < b")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 418
    recorded = aws.calls()[-1]
    assert (recorded.status, recorded.error_code, recorded.faulted) == (418, "Client.Odd", "error")


def test_an_error_is_instead_of_the_effect(aws: SimulatedAws, image_id: str) -> None:
    aws.add_fault("error", action="ModifyImageAttribute")
    with pytest.raises(ClientError, match="InternalError"):
        share(aws.client("ec2", "owner", config=ONCE), image_id)
    assert sharing(aws, image_id) == []


def test_some_calls_go_well_before_some_go_wrong(aws: SimulatedAws) -> None:
    aws.add_fault("error", action="GetCallerIdentity", after=2, times=2, code="Odd")
    sts = aws.client("sts", "owner", config=ONCE)
    outcomes = []
    for _ in range(6):
        try:
            sts.get_caller_identity()
            outcomes.append("well")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
    assert outcomes == ["well", "well", "Odd", "Odd", "well", "well"]
    assert aws.faults()[0]["matched"] == 6


def test_without_times_every_call_goes_wrong(aws: SimulatedAws) -> None:
    aws.add_fault("error", times=0, code="Odd")
    sts = aws.client("sts", "owner", config=ONCE)
    for _ in range(3):
        with pytest.raises(ClientError, match="Odd"):
            sts.get_caller_identity()
    aws.clear_faults()
    sts.get_caller_identity()


@pytest.mark.parametrize(
    ("match", "struck"),
    [
        ({}, {"owner us-east-1", "owner eu-west-1", "consumer us-east-1"}),
        ({"region": "eu-west-1"}, {"owner eu-west-1"}),
        ({"account_id": "222222222222"}, {"consumer us-east-1"}),
        ({"account_id": "012345678901", "region": "us-east-1"}, {"owner us-east-1"}),
        ({"action": "DescribeSnapshots"}, set()),
        ({"service": "kms"}, set()),
    ],
)
def test_a_fault_strikes_what_it_matches(aws: SimulatedAws, match: dict[str, str], struck: set[str]) -> None:
    aws.add_fault("error", times=0, **match)
    found = set()
    for account, region in [("owner", "us-east-1"), ("owner", "eu-west-1"), ("consumer", "us-east-1")]:
        try:
            aws.client("ec2", account, region, config=ONCE).describe_images(Owners=["self"])
        except ClientError:
            found.add(f"{account} {region}")
    assert found == struck


@pytest.mark.parametrize(("when", "expected"), [("before", []), ("after", [PERMISSION])])
def test_a_dropped_connection_hides_whether_the_call_took_effect(
    aws: SimulatedAws, image_id: str, when: str, expected: list[dict[str, str]]
) -> None:
    aws.add_fault("drop", action="ModifyImageAttribute", when=when)
    with pytest.raises(ConnectionClosedError):
        share(aws.client("ec2", "owner", config=ONCE), image_id)
    assert sharing(aws, image_id) == expected
    recorded = aws.calls(action="ModifyImageAttribute")[0]
    assert (recorded.status, recorded.faulted) == (None, "drop")


def test_botocore_retries_after_a_drop(aws: SimulatedAws, image_id: str) -> None:
    aws.add_fault("drop", action="ModifyImageAttribute", when="after")
    share(aws.client("ec2", "owner"), image_id)
    assert [call.status for call in aws.calls(action="ModifyImageAttribute")] == [None, 200]


def test_botocore_takes_a_page_for_success(aws: SimulatedAws, image_id: str) -> None:
    aws.add_fault("page", action="ModifyImageAttribute", status=200)
    share(aws.client("ec2", "owner", config=ONCE), image_id)
    assert sharing(aws, image_id) == []
    recorded = aws.calls(action="ModifyImageAttribute")[0]
    assert (recorded.status, recorded.faulted) == (200, "page")


@pytest.mark.parametrize(
    ("service", "method", "code"),
    [
        ("ec2", "describe_images", "RequestExpired"),
        ("kms", "list_keys", "ExpiredTokenException"),
        ("s3", "list_buckets", "ExpiredToken"),
        ("sns", "list_topics", "ExpiredToken"),
    ],
)
def test_credentials_expire_in_the_words_of_each_service(
    aws: SimulatedAws, service: str, method: str, code: str
) -> None:
    aws.add_fault("expired")
    with pytest.raises(ClientError) as refused:
        getattr(aws.client(service, "owner", config=ONCE), method)()
    assert refused.value.response["Error"]["Code"] == code
    assert aws.calls()[-1].faulted == "expired"


def test_an_action_can_stand_for_all_that_begin_so(aws: SimulatedAws) -> None:
    s3 = aws.client("s3", "owner", config=ONCE)
    s3.create_bucket(Bucket="kept")
    aws.add_fault("denied", service="s3", action="PUT /kept/*", times=0)
    s3.list_objects_v2(Bucket="kept")
    for key in ("a", "b/c"):
        with pytest.raises(ClientError):
            s3.put_object(Bucket="kept", Key=key, Body=b"")


def test_a_delay_holds_up_only_what_it_strikes(aws: SimulatedAws) -> None:
    aws.add_fault("delay", action="GetCallerIdentity", seconds=0.6)
    sts = aws.client("sts", "owner")
    started = time.monotonic()
    with ThreadPoolExecutor() as threads:
        held_up = threads.submit(sts.get_caller_identity)
        aws.client("ec2", "owner").describe_images(Owners=["self"])
        assert not held_up.done()
        held_up.result()
    assert time.monotonic() - started >= 0.6


@pytest.mark.parametrize(("when", "meanwhile"), [("before", []), ("after", [PERMISSION])])
def test_a_delayed_call_takes_effect_before_or_after_the_wait(
    aws: SimulatedAws, image_id: str, when: str, meanwhile: list[dict[str, str]]
) -> None:
    aws.add_fault("delay", when=when, action="ModifyImageAttribute", seconds=1.5)
    with ThreadPoolExecutor() as threads:
        delayed = threads.submit(share, aws.client("ec2", "owner", config=ONCE), image_id)
        wait_for_call(aws, "ModifyImageAttribute")
        assert sharing(aws, image_id) == meanwhile
        assert not delayed.done()
        delayed.result()
    assert sharing(aws, image_id) == [PERMISSION]


def wait_for_call(aws: SimulatedAws, action: str) -> None:
    deadline = time.monotonic() + 10
    while not aws.calls(action=action):
        assert time.monotonic() < deadline, f"{action} never arrived"
        time.sleep(0.02)


@pytest.mark.parametrize(("when", "meanwhile"), [("before", []), ("after", [PERMISSION])])
def test_a_frozen_call_goes_on_when_released(
    aws: SimulatedAws, image_id: str, when: str, meanwhile: list[dict[str, str]]
) -> None:
    aws.add_fault("freeze", action="ModifyImageAttribute", when=when)
    with ThreadPoolExecutor() as threads:
        frozen: Future[None] = threads.submit(share, aws.client("ec2", "owner", config=ONCE), image_id)
        wait_for_call(aws, "ModifyImageAttribute")
        assert sharing(aws, image_id) == meanwhile
        assert not frozen.done()
        aws.release()
        frozen.result(timeout=10)
    assert sharing(aws, image_id) == [PERMISSION]


def test_a_frozen_call_whose_caller_leaves_never_takes_effect(aws: SimulatedAws, image_id: str) -> None:
    aws.add_fault("freeze", action="ModifyImageAttribute")
    with pytest.raises(ReadTimeoutError):
        share(aws.client("ec2", "owner", config=IMPATIENT), image_id)
    # The server notices the disconnect later, and a release must not continue the abandoned call.
    time.sleep(0.2)
    aws.release()
    assert sharing(aws, image_id) == []


def test_many_frozen_calls_do_not_block_others(aws: SimulatedAws) -> None:
    aws.add_fault("freeze", service="sts", times=0)
    clients = [aws.client("sts", "owner", config=ONCE) for _ in range(50)]
    with ThreadPoolExecutor(50) as threads:
        frozen = [threads.submit(client.get_caller_identity) for client in clients]
        deadline = time.monotonic() + 20
        while len(aws.calls(service="sts")) < 50:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        aws.client("ec2", "owner").describe_vpcs()
        assert not any(one.done() for one in frozen)
        aws.clear_faults()
        assert {one.result(timeout=20)["Account"] for one in frozen} == {"012345678901"}


@pytest.mark.parametrize(
    ("kind", "fields", "sentence"),
    [
        (
            "vanish",
            {},
            "the kind of a fault must be one of error, drop, delay, freeze, page, denied, expired, not",
        ),
        ("drop", {"seconds": 1}, "a fault of kind drop can't have seconds"),
        ("drop", {"when": "later"}, "`when` of a fault must be before or after, not 'later'"),
        ("delay", {"seconds": -1}, "invalid `seconds` of a fault: -1"),
        ("error", {"status": "500"}, "invalid `status` of a fault: '500'"),
        ("error", {"times": True}, "invalid `times` of a fault: True"),
        ("error", {"account_id": 12345678901}, "invalid `account_id` of a fault: 12345678901"),
        ("drop", {"account_id": "owner"}, "`account_id` of a fault must be an ID of 12 digits, not 'owner'"),
        ("drop", {"region": "eu-wset-1"}, "`region` of a fault: AWS has no Region eu-wset-1"),
        ("drop", {"action": "CopyImages"}, "`action` of a fault: no simulated service has CopyImages; "),
        ("drop", {"action": "Copi*"}, "`action` of a fault: no simulated service has Copi"),
        (
            "drop",
            {"service": "kms", "action": "CopyImage"},
            "`action` of a fault: the service kms has no CopyImage; ",
        ),
        ("drop", {"service": "s3", "action": "PutObject"}, "`action` of a fault: the service s3 has no PutO"),
    ],
)
def test_invalid_faults_are_rejected(
    aws: SimulatedAws, kind: str, fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match="^" + sentence.replace("(", r"\(")):
        aws.add_fault(kind, **fields)
    assert aws.faults() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "Copy*"},
        {"action": "CopyImage", "service": "ec2"},
        {"action": "PutMetricAlarm", "service": "monitoring"},
        {"action": "POST /ListImages"},
        {"action": "DescribeTable", "service": "dynamodb"},
        {"region": "cn-north-1"},
    ],
)
def test_a_fault_can_select_what_a_call_can_be(aws: SimulatedAws, fields: dict[str, str]) -> None:
    aws.add_fault("drop", **fields)
    assert len(aws.faults()) == 1


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({}, "InternalError", "Injected fault InternalError"),
        ({"code": "Odd"}, "Odd", "Injected fault Odd"),
        ({"code": "Odd", "message": "Not now."}, "Odd", "Not now."),
    ],
)
def test_an_error_without_a_message_names_its_code(
    aws: SimulatedAws, fields: dict[str, str], code: str, message: str
) -> None:
    aws.add_fault("error", **fields)
    with pytest.raises(ClientError) as refused:
        aws.client("sts", "owner", config=ONCE).get_caller_identity()
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["Error"]["Message"] == message


def test_a_fault_of_changes_leaves_reads_and_dry_runs_alone(aws: SimulatedAws, image_id: str) -> None:
    aws.add_fault("error", changes=True, after=1, code="Odd", status=400)
    ec2 = aws.client("ec2", "owner", config=ONCE)
    ec2.describe_images(Owners=["self"])
    with pytest.raises(ClientError, match="DryRunOperation"):
        ec2.deregister_image(ImageId=image_id, DryRun=True)
    share(ec2, image_id)
    with pytest.raises(ClientError, match="Odd"):
        ec2.deregister_image(ImageId=image_id)
    assert aws.faults()[0]["matched"] == 2
    assert [call.action for call in aws.calls() if call.changes] == [
        "ModifyImageAttribute",
        "DeregisterImage",
    ]


@pytest.mark.parametrize(
    ("service", "method", "parameters", "code", "said"),
    [
        ("ec2", "describe_images", {}, "UnauthorizedOperation", "ec2:DescribeImages because no "),
        (
            "ec2",
            "deregister_image",
            {"ImageId": "ami-0123456789abcdef0"},
            "UnauthorizedOperation",
            "ec2:DeregisterImage on resource: arn:aws:ec2:us-east-1::image/ami-0123456789abcdef0 because no ",
        ),
        (
            "ec2",
            "copy_image",
            {"Name": "golden", "SourceImageId": "ami-0123456789abcdef0", "SourceRegion": "eu-west-1"},
            "UnauthorizedOperation",
            "ec2:CopyImage on resource: arn:aws:ec2:us-east-1::image/ami-0123456789abcdef0 because no ",
        ),
        (
            "ec2",
            "describe_image_attribute",
            {"ImageId": "ami-0123456789abcdef0", "Attribute": "launchPermission"},
            "UnauthorizedOperation",
            "ec2:DescribeImageAttribute on resource: arn:aws:ec2:us-east-1::image/ami-0123456789abcdef0 ",
        ),
        (
            "s3",
            "put_object",
            {"Bucket": "kept", "Key": "a/b", "Body": b""},
            "AccessDenied",
            "s3:PutObject on resource: arn:aws:s3:::kept/a/b because no ",
        ),
        (
            "ssm",
            "get_parameter",
            {"Name": "/golden/web"},
            "AccessDeniedException",
            "ssm:GetParameter on resource: arn:aws:ssm:us-east-1:012345678901:parameter/golden/web because ",
        ),
        (
            "ssm",
            "list_tags_for_resource",
            {"ResourceType": "Parameter", "ResourceId": "/golden/web"},
            "AccessDeniedException",
            "ssm:ListTagsForResource on resource: arn:aws:ssm:us-east-1:012345678901:parameter/golden/web ",
        ),
        (
            "cloudwatch",
            "describe_alarms",
            {},
            "AccessDeniedException",
            "cloudwatch:DescribeAlarms on resource: * ",
        ),
        (
            "cloudwatch",
            "describe_alarms",
            {"AlarmNames": ["shared", "public"]},
            "AccessDeniedException",
            "cloudwatch:DescribeAlarms on resource: arn:aws:cloudwatch:us-east-1:012345678901:alarm:shared ",
        ),
        (
            "rbin",
            "list_rules",
            {"ResourceType": "EC2_IMAGE"},
            "AccessDeniedException",
            "rbin:ListRules on resource: * because no ",
        ),
        (
            "batch",
            "describe_compute_environments",
            {},
            "AccessDeniedException",
            "batch:DescribeComputeEnvironments on resource: * because no ",
        ),
        (
            "sqs",
            "get_queue_url",
            {"QueueName": "events"},
            "AccessDeniedException",
            "sqs:GetQueueUrl on resource: arn:aws:sqs:us-east-1:012345678901:events because no ",
        ),
        ("sns", "list_topics", {}, "AuthorizationError", "sns:ListTopics on resource: * because no "),
    ],
)
def test_a_denial_names_principal_action_and_resource(
    aws: SimulatedAws, service: str, method: str, parameters: dict[str, Any], code: str, said: str
) -> None:
    aws.add_fault("denied", service=service if service != "cloudwatch" else "monitoring")
    with pytest.raises(ClientError) as refused:
        getattr(aws.client(service, "owner", config=ONCE), method)(**parameters)
    error = refused.value.response["Error"]
    assert error["Code"] == code
    assert (
        f"User: arn:aws:iam::012345678901:user/administrator is not authorized to perform: {said}"
        in (error["Message"])
    )
