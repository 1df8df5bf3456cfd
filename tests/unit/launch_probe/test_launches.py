# SPDX-License-Identifier: GPL-3.0-or-later

"""The launches of a plan, and which instances of other runs it terminates."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._launch_probe.plan import plan, repeat_launch
from ansible_collections.golden.images.plugins.module_utils._model import (
    Image,
    Instance,
)
from ansible_collections.golden.images.plugins.module_utils._tags import PROBE_TAG
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, STRANGER, volumes

from .examples import HERE, NOW, REGION, SUBNET, image, instance, launched, seen, wanted


def request(image: Image | None = None, now: datetime = NOW, **changes: Any) -> dict[str, Any]:
    """The parameters of the launch in the consumer's account."""
    want = wanted(**changes)
    _account, _region, parameters = launched(want, seen(want, image, now=now))[0]
    return parameters


def test_the_instance_has_minimal_access_and_shuts_itself_down() -> None:
    shown = image(devices=volumes("snap-1", "snap-2"))
    parameters = request(image=shown)
    token = parameters.pop("ClientToken")
    assert len(token) == 64
    tags = [{"Key": PROBE_TAG, "Value": "2026-11-24T12:10:00Z"}]
    assert parameters == {
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/sda", "Ebs": {"DeleteOnTermination": True}},
            {"DeviceName": "/dev/sdb", "Ebs": {"DeleteOnTermination": True}},
        ],
        "ImageId": SOURCE_ID,
        "InstanceInitiatedShutdownBehavior": "terminate",
        "InstanceType": "t3.nano",
        "MaxCount": 1,
        "MetadataOptions": {"HttpTokens": "required"},
        "MinCount": 1,
        "NetworkInterfaces": [
            {
                "AssociatePublicIpAddress": False,
                "DeleteOnTermination": True,
                "DeviceIndex": 0,
                "SubnetId": SUBNET,
            }
        ],
        "TagSpecifications": [
            {"ResourceType": kind, "Tags": tags} for kind in ("instance", "network-interface", "volume")
        ],
        "UserData": "#!/bin/sh\nshutdown -h +10\n",
    }


def test_the_tags_of_launches_stand_beside_that_of_the_probe() -> None:
    parameters = request(launch_tags={"CostCenter": "42"})
    tags = [{"Key": "CostCenter", "Value": "42"}, {"Key": PROBE_TAG, "Value": "2026-11-24T12:10:00Z"}]
    assert parameters["TagSpecifications"] == [
        {"ResourceType": kind, "Tags": tags} for kind in ("instance", "network-interface", "volume")
    ]


@pytest.mark.parametrize(
    ("subnet_ids", "security_group_ids", "subnet", "groups"),
    [
        pytest.param({REGION: "a"}, {REGION: ("sg",)}, "a", ["sg"], id="for every account"),
        pytest.param(
            {REGION: {CONSUMER: "a", OWNER: "b"}},
            {REGION: {CONSUMER: ("s", "t"), OWNER: ("u",)}},
            "a",
            ["s", "t"],
            id="for each account",
        ),
        pytest.param({REGION: "a"}, {REGION: {OWNER: ("u",)}}, "a", None, id="another account"),
    ],
)
def test_accounts_can_have_different_networks(
    subnet_ids: dict[str, Any], security_group_ids: dict[str, Any], subnet: str, groups: list[str] | None
) -> None:
    (interface,) = request(subnet_ids=subnet_ids, security_group_ids=security_group_ids)["NetworkInterfaces"]
    assert (interface["SubnetId"], interface.get("Groups")) == (subnet, groups)


def test_every_launch_has_its_own_client_token() -> None:
    images = {(None, REGION): "ami-1", (STRANGER, REGION): "ami-2", (None, "us-east-1"): "ami-1"}
    want = wanted(images=images, subnet_ids={REGION: "a", "us-east-1": "b"})
    moments = (NOW, NOW + timedelta(microseconds=1))
    tokens = Counter(
        parameters["ClientToken"]
        for now in moments
        for _account, _region, parameters in launched(want, seen(want, now=now))
    )
    assert (len(tokens), {*tokens.values()}) == (2 * 6, {1})


def test_a_repeated_launch_differs_only_in_its_client_token() -> None:
    want = wanted()
    first = next(one for one in plan(want, seen(want)).actions if one.operation == "RunInstances")
    again = [repeat_launch(first, attempt) for attempt in (1, 2)]
    assert len({one.parameters["ClientToken"] for one in (first, *again)}) == 3
    for one in again:
        assert len(one.parameters["ClientToken"]) == 64
        assert {**one.parameters, "ClientToken": first.parameters["ClientToken"]} == first.parameters
        assert (one.target, one.operation) == (first.target, first.operation)


@given(st.integers(0, 2**31), st.integers(1, 7200))
def test_an_instance_is_no_leftover_before_its_deadline(began_at: int, timeout: int) -> None:
    began = datetime.fromtimestamp(began_at, UTC)
    (tag,) = request(now=began, wait_timeout=timeout)["TagSpecifications"][0]["Tags"]
    while_waiting = began + timedelta(seconds=timeout)
    assert not is_terminated(instance(tag["Value"]), while_waiting)
    assert not is_terminated(instance(tag["Value"]), while_waiting + timedelta(minutes=4))
    assert is_terminated(instance(tag["Value"]), while_waiting + timedelta(minutes=6))


def is_terminated(running: Instance, now: datetime) -> bool:
    """Whether a run terminates an instance of another one."""
    want = wanted()
    saw = seen(want, now=now, instances={HERE: (running,)})
    return running.instance_id in [one.resource for one in plan(want, saw).actions]


def test_an_account_launches_its_own_image_in_a_region_else_those_of_other_accounts() -> None:
    images = {(CONSUMER, REGION): "ami-1", (STRANGER, REGION): "ami-2", (OWNER, "us-east-1"): "ami-1"}
    want = wanted(images=images, subnet_ids={REGION: "a", "us-east-1": "b"})
    assert [
        (account, region, parameters["ImageId"]) for account, region, parameters in launched(want, seen(want))
    ] == [
        (CONSUMER, REGION, "ami-1"),
        (CONSUMER, "us-east-1", "ami-1"),
        (OWNER, REGION, "ami-2"),
        (OWNER, "us-east-1", "ami-1"),
    ]
