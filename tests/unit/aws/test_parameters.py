# SPDX-License-Identifier: GPL-3.0-or-later

"""The current value of a parameter, and what follows a call that puts one and fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import parameters
from ansible_collections.golden.images.plugins.module_utils._aws.errors import IncompleteAnswer
from botocore.exceptions import ClientError, ConnectionClosedError, NoCredentialsError

from tests.unit.wire import Wire

NAME, IMAGE = "/golden/web", "ami-0123456789abcdef0"
ONLY = "and only a String is one AMI ID"
READ = {"Name": NAME}
REQUEST = {"Name": NAME, "Value": "new", "Type": "String", "Overwrite": True}
OLD, NEW = {"Value": "old", "Version": 7}, {"Value": "new", "Version": 8}
LOST = ConnectionClosedError(endpoint_url="https://example.org")


@pytest.fixture
def ssm() -> Iterator[Wire]:
    with Wire("ssm").spoken() as wire:
        yield wire


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of all pauses, which take none."""
    taken: list[float] = []
    monkeypatch.setattr(parameters, "sleep", taken.append)
    return taken


class Once:
    """A client whose calls end like this, in order: with an exception, or well."""

    def __init__(self, *ends: Exception | None) -> None:
        self._ends = list(ends)

    def put_parameter(self, **request: Any) -> None:
        assert request == REQUEST
        end = self._ends.pop(0)
        if end:
            raise end

    @property
    def is_used(self) -> bool:
        """Whether every call was made."""
        return not self._ends


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "No."}}, "PutParameter")


def put(once: Once, ssm: Wire) -> None:
    client: Any = once
    parameters.put_once(client, ssm.client, REQUEST)


def test_the_current_value(ssm: Wire) -> None:
    ssm.expect("get_parameter", READ, {"Parameter": OLD})
    assert parameters.current(ssm.client, NAME) == (7, "old", "String", "text")
    for code in ("ParameterNotFound", "ParameterVersionNotFound"):
        ssm.refuse("get_parameter", READ, code)
        assert parameters.current(ssm.client, NAME) is None
    ssm.refuse("get_parameter", READ, "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        parameters.current(ssm.client, NAME)


def test_the_type_of_a_value(ssm: Wire) -> None:
    kind = {"Type": "StringList", "DataType": "aws:ec2:image"}
    ssm.expect("get_parameter", READ, {"Parameter": {**OLD, **kind}})
    assert parameters.current(ssm.client, NAME) == (7, "old", "StringList", "aws:ec2:image")


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        ((1, IMAGE), None),
        ((1, IMAGE, "String", "aws:ec2:image"), None),
        ((1, "ami-12345678"), None),
        ((1, "hunter2"), "has a value that is not an AMI ID"),
        ((1, f"{IMAGE} "), "has a value that is not an AMI ID"),
        ((1, IMAGE, "StringList"), f"is of the type StringList, {ONLY}"),
        ((1, "x", "SecureString"), f"is of the type SecureString, {ONLY}"),
        (
            (1, IMAGE, "String", "aws:ssm:integration"),
            "has the data type aws:ssm:integration, which no AMI ID has",
        ),
    ],
)
def test_why_a_parameter_names_no_image(found: tuple[Any, ...], problem: str | None) -> None:
    assert parameters.CurrentParameter(*found).not_an_image() == problem


@pytest.mark.parametrize(
    ("pages", "tier"),
    [
        ([[]], "Standard"),
        ([[{"Version": 1}]], "Standard"),
        ([[{"Version": 2, "Tier": "Advanced"}, {"Version": 1, "Tier": "Standard"}]], "Advanced"),
        ([[{"Version": 1, "Tier": "Standard"}], [{"Version": 2, "Tier": "Advanced"}]], "Advanced"),
    ],
)
def test_the_tier_is_that_of_the_latest_version(
    ssm: Wire, pages: list[list[dict[str, Any]]], tier: str
) -> None:
    for number, page in enumerate(pages, start=1):
        request = READ if number == 1 else {**READ, "NextToken": "more"}
        more = {"NextToken": "more"} if number < len(pages) else {}
        ssm.expect("get_parameter_history", request, {"Parameters": page, **more})
    assert parameters.tier(ssm.client, NAME) == tier


def test_a_parameter_is_read_as_a_launch_reads_it(ssm: Wire) -> None:
    arn = "arn:aws:ssm:eu-west-1:111122223333:parameter/golden/web"
    ssm.expect("get_parameters", {"Names": [arn]}, {"Parameters": [{**OLD, "DataType": "aws:ec2:image"}]})
    assert parameters.read_by_arn(ssm.client, arn) == (7, "old", "String", "aws:ec2:image")
    ssm.expect("get_parameters", {"Names": [arn]}, {"InvalidParameters": [arn]})
    assert parameters.read_by_arn(ssm.client, arn) is None


@pytest.mark.parametrize("member", ["Version", "Value"])
def test_an_answer_that_is_not_complete_is_a_failed_read(ssm: Wire, member: str) -> None:
    """botocore shapes GetParameterResult and Parameter require no member."""
    ssm.expect("get_parameter", READ, {"Parameter": {k: v for k, v in OLD.items() if k != member}})
    with pytest.raises(IncompleteAnswer, match=f"GetParameter lacks {member}"):
        parameters.current(ssm.client, NAME)
    ssm.expect("get_parameter", READ, {})
    with pytest.raises(IncompleteAnswer, match="GetParameter lacks Parameter"):
        parameters.current(ssm.client, NAME)


def test_a_value_that_aws_accepts_is_put_by_one_call(ssm: Wire, pauses: list[float]) -> None:
    put(once := Once(None), ssm)
    assert (once.is_used, pauses) == (True, [])


@pytest.mark.parametrize("end", [LOST, error("InternalServerError"), error("503")])
def test_a_value_that_was_put_although_the_call_failed_is_not_put_again(
    ssm: Wire, pauses: list[float], end: Exception
) -> None:
    ssm.expect("get_parameter", READ, {"Parameter": NEW})
    put(once := Once(end), ssm)
    assert (once.is_used, pauses) == (True, [])


def test_a_value_that_was_not_put_is_put_again(ssm: Wire, pauses: list[float]) -> None:
    ssm.expect("get_parameter", READ, {"Parameter": OLD})
    ssm.refuse("get_parameter", READ, "ParameterNotFound")
    # A second version loses nothing, but a value that is not there is no tombstone.
    ssm.refuse("get_parameter", READ, "AccessDeniedException")
    put(once := Once(LOST, LOST, LOST, None), ssm)
    assert (once.is_used, pauses) == (True, [0.5, 1.0, 2.0])


def test_a_throttled_call_is_repeated_without_a_read(ssm: Wire, pauses: list[float]) -> None:
    put(once := Once(error("ThrottlingException"), error("TooManyUpdates"), None), ssm)
    assert (once.is_used, pauses) == (True, [0.5, 1.0])


@pytest.mark.parametrize("end", [error("ValidationException"), NoCredentialsError()])
def test_what_aws_refuses_is_not_repeated(ssm: Wire, pauses: list[float], end: Exception) -> None:
    with pytest.raises(type(end)):
        put(Once(end), ssm)
    assert pauses == []


def test_the_last_failure_is_raised(ssm: Wire, pauses: list[float]) -> None:
    with pytest.raises(ClientError, match="ThrottlingException"):
        put(once := Once(*[error("ThrottlingException")] * 8), ssm)
    assert (once.is_used, len(pauses)) == (True, 7)
