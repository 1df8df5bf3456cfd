# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the instances of probes, and waiting until one is running."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.errors import IncompleteAnswer
from ansible_collections.golden.images.plugins.module_utils._launch_probe import read as instances
from ansible_collections.golden.images.plugins.module_utils._model import Instance
from botocore.exceptions import ClientError

from ..wire import Wire

ID = "i-0123456789abcdef0"
BY_ID = {"InstanceIds": [ID]}
LAUNCHED_AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def ec2() -> Iterator[Wire]:
    with Wire("ec2").spoken() as wire:
        yield wire


@pytest.fixture(autouse=True)
def no_delay(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays of the waiter, which take no time."""
    waited: list[float] = []
    monkeypatch.setattr("botocore.waiter.time.sleep", waited.append)
    return waited


def answer(state: str, **more: Any) -> dict[str, Any]:
    shown = {"InstanceId": ID, "LaunchTime": LAUNCHED_AT, "State": {"Name": state}, **more}
    return {"Reservations": [{"Instances": [shown]}]}


@pytest.mark.parametrize(
    ("find", "argument", "name"),
    [
        (instances.read_probes, (), {"Name": "tag-key", "Values": ["golden.images:probe"]}),
        (instances.read_request, ("t-1",), {"Name": "client-token", "Values": ["t-1"]}),
    ],
)
def test_instances_are_read_page_by_page(ec2: Wire, find: Any, argument: Any, name: dict[str, Any]) -> None:
    state = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
    request = {"Filters": [name, state], "MaxResults": 1000}
    tag = {"Key": "golden.images:probe", "Value": "soon"}
    ec2.expect("describe_instances", request, {**answer("running", Tags=[tag]), "NextToken": "n"})
    ec2.expect("describe_instances", {**request, "NextToken": "n"}, answer("stopped"))
    assert find(ec2.client, *argument) == (
        Instance(ID, "running", LAUNCHED_AT, {"golden.images:probe": "soon"}),
        Instance(ID, "stopped", LAUNCHED_AT),
    )


def test_wait_until_the_instance_is_running(ec2: Wire, no_delay: list[float]) -> None:
    ec2.refuse("describe_instances", BY_ID, instances.NOT_FOUND)
    ec2.expect("describe_instances", BY_ID, answer("pending"))
    ec2.expect("describe_instances", BY_ID, answer("running"))
    assert instances.wait_until_running(ec2.client, ID, 60) == Instance(ID, "running")
    assert no_delay == [2, 2]


def test_wait_until_the_instance_is_terminated(ec2: Wire) -> None:
    reason = {"Code": "Client.InternalError", "Message": "Client error on launch"}
    ec2.expect("describe_instances", BY_ID, answer("pending"))
    ec2.expect("describe_instances", BY_ID, answer("terminated", StateReason=reason))
    ended = instances.wait_until_running(ec2.client, ID, 60)
    assert (ended.state, ended.reason_code, ended.reason) == ("terminated", *reason.values())


@pytest.mark.parametrize(("timeout", "looks"), [(-5, 1), (0, 1), (1.9, 1), (2, 2), (5, 3)])
def test_wait_until_the_timeout(ec2: Wire, no_delay: list[float], timeout: float, looks: int) -> None:
    for _ in range(looks):
        ec2.expect("describe_instances", BY_ID, answer("pending"))
    assert instances.wait_until_running(ec2.client, ID, timeout).state == "pending"
    assert sum(no_delay) <= max(timeout, 0)


@pytest.mark.parametrize("shown", [{"Reservations": []}, None])
def test_an_instance_that_is_not_found_is_pending(ec2: Wire, shown: dict[str, Any] | None) -> None:
    if shown is None:
        ec2.refuse("describe_instances", BY_ID, instances.NOT_FOUND)
    else:
        ec2.expect("describe_instances", BY_ID, shown)
    assert instances.wait_until_running(ec2.client, ID, 0) == Instance(ID, "pending")


def test_other_errors_are_raised(ec2: Wire) -> None:
    ec2.refuse("describe_instances", BY_ID, "UnauthorizedOperation")
    with pytest.raises(ClientError) as caught:
        instances.wait_until_running(ec2.client, ID, 60)
    assert caught.value.response["Error"]["Code"] == "UnauthorizedOperation"
    assert caught.value.operation_name == "DescribeInstances"


@pytest.mark.parametrize(
    ("answer", "member"),
    [
        ({}, "Reservations"),
        ({"Reservations": [{}]}, "Instances"),
        ({"Reservations": [{"Instances": [{"State": {"Name": "running"}}]}]}, "InstanceId"),
        ({"Reservations": [{"Instances": [{"InstanceId": ID}]}]}, "State"),
        ({"Reservations": [{"Instances": [{"InstanceId": ID, "State": {}}]}]}, "Name"),
        ({"Reservations": [{"Instances": [{"InstanceId": ID, "State": {"Name": "running"}}]}]}, "LaunchTime"),
    ],
)
def test_an_incomplete_response_hides_no_instance(ec2: Wire, answer: dict[str, Any], member: str) -> None:
    state = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
    request = {"Filters": [{"Name": "tag-key", "Values": ["golden.images:probe"]}, state], "MaxResults": 1000}
    ec2.expect("describe_instances", request, answer)
    with pytest.raises(IncompleteAnswer, match=f"DescribeInstances lacks {member}"):
        instances.read_probes(ec2.client)
