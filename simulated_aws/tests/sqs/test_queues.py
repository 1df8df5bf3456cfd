# SPDX-License-Identifier: GPL-3.0-or-later
"""Queues as the botocore model describes them: operations CreateQueue, SetQueueAttributes and DeleteQueue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]})


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedAws]:
    with SimulatedAws.start() as started:
        yield started


@pytest.fixture
def aws(server: SimulatedAws) -> SimulatedAws:
    server.reset()
    server.load_fixture({"accounts": {"owner": "111111111111", "other": "222222222222"}})
    return server


@pytest.fixture
def sqs(aws: SimulatedAws) -> Any:
    return aws.client("sqs", "owner")


@pytest.fixture
def url(sqs: Any) -> str:
    return str(sqs.create_queue(QueueName="events", Attributes={"Policy": POLICY})["QueueUrl"])


def error_code(error: pytest.ExceptionInfo[ClientError]) -> str:
    """The name of botocore's exception."""
    return error.type.__name__


def attributes(sqs: Any, url: str) -> dict[str, str]:
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return found


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"MessageRetentionPeriod": "59"}, "InvalidAttributeValue"),
        ({"MessageRetentionPeriod": "1209601"}, "InvalidAttributeValue"),
        ({"VisibilityTimeout": "-1"}, "InvalidAttributeValue"),
        ({"Policy": "{"}, "InvalidAttributeValue"),
        ({"Policy": "[]"}, "InvalidAttributeValue"),
        ({"Owner": "me"}, "InvalidAttributeName"),
        ({"QueueArn": "arn:aws:sqs:us-east-1:111111111111:events"}, "InvalidAttributeName"),
    ],
)
def test_invalid_attributes_are_rejected(sqs: Any, url: str, given: dict[str, str], refused: str) -> None:
    before = attributes(sqs, url)
    with pytest.raises(ClientError) as changed:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=given)
    with pytest.raises(ClientError) as made:
        sqs.create_queue(QueueName="another", Attributes=given)
    assert (error_code(changed), error_code(made)) == (refused, refused)
    assert attributes(sqs, url) == before


def test_what_is_not_named_stays(sqs: Any, url: str) -> None:
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "1209600"})
    kept = attributes(sqs, url)
    assert (kept["Policy"], kept["MessageRetentionPeriod"]) == (POLICY, "1209600")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Policy" not in attributes(sqs, url)


def test_a_name_is_free_again_only_a_minute_after_its_queue_was_deleted(
    aws: SimulatedAws, sqs: Any, url: str
) -> None:
    sqs.delete_queue(QueueUrl=url)
    with pytest.raises(ClientError) as again:
        sqs.create_queue(QueueName="events")
    assert error_code(again) == "QueueDeletedRecently"
    # Another account's queue of the same name is another queue.
    aws.client("sqs", "other").create_queue(QueueName="events")


def test_a_message_is_there_until_it_is_deleted(sqs: Any, url: str) -> None:
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, VisibilityTimeout=0)["Messages"]
    (again,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    assert (message["Body"], again["MessageId"]) == ("hello", message["MessageId"])
    entries = [{"Id": "one", "ReceiptHandle": again["ReceiptHandle"]}]
    assert sqs.delete_message_batch(QueueUrl=url, Entries=entries)["Successful"] == [{"Id": "one"}]
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)


def test_a_long_poll_takes_at_most_twenty_seconds(sqs: Any, url: str) -> None:
    """SQS Developer Guide, ReceiveMessageWaitTimeSeconds."""
    with pytest.raises(ClientError) as refused:
        sqs.receive_message(QueueUrl=url, WaitTimeSeconds=21)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"


@pytest.mark.usefixtures("url")
def test_an_unknown_queue_is_not_found(aws: SimulatedAws) -> None:
    with pytest.raises(ClientError) as unknown:
        aws.client("sqs", "other").get_queue_url(QueueName="events")
    assert error_code(unknown) == "QueueDoesNotExist"
    assert unknown.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"


def test_a_batch_that_is_deleted_completely_has_no_list_of_failures(sqs: Any, url: str) -> None:
    """https://github.com/aws/aws-sdk/issues/657"""
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    entry = {"Id": "one", "ReceiptHandle": message["ReceiptHandle"]}

    done = sqs.delete_message_batch(QueueUrl=url, Entries=[entry])
    failed = sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": "two", "ReceiptHandle": "unknown"}])

    assert done["Successful"] == [{"Id": "one"}]
    assert "Failed" not in done
    assert [one["Id"] for one in failed["Failed"]] == ["two"]
    assert "Successful" not in failed
