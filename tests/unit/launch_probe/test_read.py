# SPDX-License-Identifier: GPL-3.0-or-later

"""How instances of probes are found and waited for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.launch_probe import read as instances
from ansible_collections.golden.images.plugins.module_utils.model import Instance
from botocore.exceptions import ClientError

from ..wire import Wire

ID = "i-0123456789abcdef0"
BY_ID = {"InstanceIds": [ID]}


@pytest.fixture
def ec2() -> Iterator[Wire]:
    with Wire("ec2").spoken() as wire:
        yield wire


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waiting takes no time; how long it would have taken."""
    waited: list[float] = []
    monkeypatch.setattr("botocore.waiter.time.sleep", waited.append)
    return waited


def answer(state: str, **more: Any) -> dict[str, Any]:
    return {"Reservations": [{"Instances": [{"InstanceId": ID, "State": {"Name": state}, **more}]}]}


@pytest.mark.parametrize(
    ("find", "argument", "name"),
    [
        (instances.of_probes, (), {"Name": "tag-key", "Values": ["golden.images:probe"]}),
        (instances.of_request, ("t-1",), {"Name": "client-token", "Values": ["t-1"]}),
    ],
)
def test_living_instances_on_every_page(ec2: Wire, find: Any, argument: Any, name: dict[str, Any]) -> None:
    living = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
    request = {"Filters": [name, living], "MaxResults": 1000}
    tag = {"Key": "golden.images:probe", "Value": "soon"}
    ec2.expect(
        "describe_instances", request, {**answer("running", ImageId="ami-1", Tags=[tag]), "NextToken": "n"}
    )
    ec2.expect("describe_instances", {**request, "NextToken": "n"}, answer("stopped"))
    assert find(ec2.client, *argument) == (
        Instance(ID, "running", "ami-1", {"golden.images:probe": "soon"}),
        Instance(ID, "stopped"),
    )


def test_until_it_runs(ec2: Wire, at_once: list[float]) -> None:
    ec2.refuse("describe_instances", BY_ID, instances.NOT_FOUND)
    ec2.expect("describe_instances", BY_ID, answer("pending"))
    ec2.expect("describe_instances", BY_ID, answer("running"))
    assert instances.awaited(ec2.client, ID, 60) == Instance(ID, "running")
    assert at_once == [2, 2]


def test_until_it_has_ended(ec2: Wire) -> None:
    reason = {"Code": "Client.InternalError", "Message": "Client error on launch"}
    ec2.expect("describe_instances", BY_ID, answer("pending"))
    ec2.expect("describe_instances", BY_ID, answer("terminated", StateReason=reason))
    ended = instances.awaited(ec2.client, ID, 60)
    assert (ended.state, ended.reason_code, ended.reason) == ("terminated", *reason.values())


@pytest.mark.parametrize(("timeout", "looks"), [(-5, 1), (0, 1), (1.9, 1), (2, 2), (5, 3)])
def test_until_time_is_up(ec2: Wire, at_once: list[float], timeout: float, looks: int) -> None:
    for _ in range(looks):
        ec2.expect("describe_instances", BY_ID, answer("pending"))
    assert instances.awaited(ec2.client, ID, timeout).state == "pending"
    assert sum(at_once) <= max(timeout, 0)


@pytest.mark.parametrize("shown", [{"Reservations": []}, None])
def test_one_that_is_never_seen_is_pending(ec2: Wire, shown: dict[str, Any] | None) -> None:
    if shown is None:
        ec2.refuse("describe_instances", BY_ID, instances.NOT_FOUND)
    else:
        ec2.expect("describe_instances", BY_ID, shown)
    assert instances.awaited(ec2.client, ID, 0) == Instance(ID, "pending")


def test_what_aws_refuses_is_raised(ec2: Wire) -> None:
    ec2.refuse("describe_instances", BY_ID, "UnauthorizedOperation")
    with pytest.raises(ClientError) as caught:
        instances.awaited(ec2.client, ID, 60)
    assert caught.value.response["Error"]["Code"] == "UnauthorizedOperation"
    assert caught.value.operation_name == "DescribeInstances"
