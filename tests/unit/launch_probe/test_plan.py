# SPDX-License-Identifier: GPL-3.0-or-later

"""What is launched, how it is made harmless, and which instances of earlier probes are ended."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.launch_probe.plan import (
    hindrance,
    launches,
    not_running,
    plan,
)
from ansible_collections.golden.images.plugins.module_utils.launch_probe.state import (
    PROBE_TAG,
    Probe,
    is_leftover,
    request,
)
from ansible_collections.golden.images.plugins.module_utils.model import (
    ImagesByTarget,
    Instance,
    Network,
    Target,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, STRANGER, volumes

from .examples import HERE, NOW, PROBE, REGION, SUBNET, THERE, image, instance, seen, wanted


def operations(want: Any, saw: Any) -> list[tuple[str, str, str | None]]:
    return [(item.target.account_id, item.operation, item.resource) for item in plan(want, saw).actions]


def test_every_launch_is_followed_by_its_end() -> None:
    want = wanted()
    assert operations(want, seen(want)) == [
        (account, operation, None)
        for account in (CONSUMER, OWNER)
        for operation in ("RunInstances", "TerminateInstances")
    ]


def test_a_launch_is_harmless_and_ends_by_itself_at_last() -> None:
    shown = image(devices=volumes("snap-1", "snap-2"))
    parameters = request(wanted(), PROBE, shown, NOW)
    token = parameters.pop("ClientToken")
    assert len(token) == 64
    marks = [{"Key": PROBE_TAG, "Value": "2026-11-24T12:10:00Z"}]
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
            {"ResourceType": kind, "Tags": marks} for kind in ("instance", "network-interface", "volume")
        ],
        "UserData": "#!/bin/sh\nshutdown -h +10\n",
    }


@pytest.mark.parametrize(
    ("network", "subnet", "groups"),
    [
        pytest.param(Network({REGION: "a"}, {REGION: ("sg",)}), "a", ["sg"], id="of every account"),
        pytest.param(
            Network({REGION: {CONSUMER: "a", OWNER: "b"}}, {REGION: {CONSUMER: ("s", "t"), OWNER: ("u",)}}),
            "a",
            ["s", "t"],
            id="of each account",
        ),
        pytest.param(Network({REGION: "a"}, {REGION: {OWNER: ("u",)}}), "a", None, id="groups of others"),
    ],
)
def test_the_network_is_the_accounts(network: Network, subnet: str, groups: list[str] | None) -> None:
    (interface,) = request(wanted(network=network), PROBE, image(), NOW)["NetworkInterfaces"]
    assert (interface["SubnetId"], interface.get("Groups")) == (subnet, groups)


@pytest.mark.parametrize(
    ("architecture", "named", "used"),
    [
        ("x86_64", None, "t3.nano"),
        ("arm64", None, "t4g.nano"),
        ("i386", None, "t2.nano"),
        ("arm64", "m7g.medium", "m7g.medium"),
        ("arm64_mac", "mac2.metal", "mac2.metal"),
    ],
)
def test_the_smallest_type_of_the_architecture(architecture: str, named: str | None, used: str) -> None:
    want = wanted(instance_type=named)
    runs = launches(want, seen(want, image(architecture=architecture)))
    assert {run.parameters["InstanceType"] for run in runs.values()} == {used}


def test_no_two_launches_have_the_same_client_token() -> None:
    images = ImagesByTarget(
        {(None, REGION): "ami-1", (STRANGER, REGION): "ami-2", (None, "us-east-1"): "ami-1"}
    )
    want = wanted(images=images, network=Network({REGION: "a", "us-east-1": "b"}))
    moments = (NOW, NOW + timedelta(microseconds=1))
    tokens = Counter(
        run.parameters["ClientToken"]
        for now in moments
        for run in launches(want, seen(want, now=now)).values()
    )
    assert (len(tokens), {*tokens.values()}) == (2 * 6, {1})


@pytest.mark.parametrize(
    ("left", "is_over"),
    [
        pytest.param(instance("2026-11-24T12:05:00Z"), True, id="same image, its run would go on"),
        pytest.param(instance("2026-11-24T11:59:59Z"), True, id="same image, its run is over"),
        pytest.param(
            instance("2026-11-24T12:05:00Z", "ami-other"), False, id="another image's, its run goes on"
        ),
        pytest.param(
            instance("2026-11-24T11:59:59Z", "ami-other"), True, id="another image's, its run is over"
        ),
        pytest.param(instance("soon", "ami-other"), True, id="a tag that says nothing"),
    ],
)
def test_what_runs_left_is_ended_and_what_others_wait_for_is_not(left: Instance, is_over: bool) -> None:
    want = wanted(account_ids=(CONSUMER,))
    saw = seen(want, instances={HERE: (left,)})
    ended = [action for action in operations(want, saw) if action[2]]
    assert ended == ([(CONSUMER, "TerminateInstances", "i-old")] if is_over else [])
    (target,) = plan(want, saw).targets
    assert (target.before, target.after) == ({"leftovers": ["i-old"] if is_over else []}, {"leftovers": []})


@given(st.integers(0, 2**31), st.integers(1, 7200))
def test_the_instance_of_a_run_that_may_go_on_is_no_other_runs_leftover(began_at: int, timeout: int) -> None:
    began = datetime.fromtimestamp(began_at, UTC)
    parameters = request(wanted(wait_timeout=timeout), PROBE, image(), began)
    (mark,) = parameters["TagSpecifications"][0]["Tags"]
    running = instance(mark["Value"])
    while_waiting = began + timedelta(seconds=timeout)
    assert not is_leftover(running, frozenset({"ami-other"}), while_waiting)
    assert is_leftover(running, frozenset({SOURCE_ID}), while_waiting)
    assert is_leftover(running, frozenset({"ami-other"}), while_waiting + timedelta(minutes=6))


NO_ROLE = Failure("No.", "Ask.", "AccessDenied", "AssumeRole", REGION, CONSUMER)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"images": {PROBE: None}}, "not_visible", id="it does not see the image"),
        pytest.param({"images": {PROBE: image(state="disabled")}}, "image_not_available", id="disabled"),
        pytest.param(
            {"images": {PROBE: image(architecture="arm64_mac")}}, "missing_instance_type", id="a mac's"
        ),
        pytest.param({"problems": {HERE: NO_ROLE}}, "AccessDenied", id="its role cannot be assumed"),
    ],
)
def test_what_cannot_be_launched_in_one_account_is_launched_in_others(
    changes: dict[str, Any], code: str
) -> None:
    want = wanted()
    saw = seen(want)
    images = {**saw.images, **changes.get("images", {})}
    saw = seen(want, **{**changes, "images": images})
    failure = hindrance(want, saw, PROBE)
    assert failure is not None
    assert (failure.error_code, failure.region, failure.account_id) == (code, REGION, CONSUMER)
    assert failure.remedy
    assert [*launches(want, saw)] == [Probe(THERE, SOURCE_ID)]
    assert plan(want, saw).warnings == ()
    (warning,) = plan(wanted(only_planned=True), saw).warnings
    assert failure.text() in warning


def test_a_copy_that_is_only_planned_is_planned_to_be_launched() -> None:
    want = wanted(images=ImagesByTarget({(None, REGION): None}), account_ids=(CONSUMER,), only_planned=True)
    result = plan(want, seen(want))
    assert [action.operation for action in result.actions] == ["RunInstances", "TerminateInstances"]
    assert result.actions[0].parameters["ImageId"] is None
    assert result.warnings == ()


@pytest.mark.parametrize(
    ("ended", "code", "says"),
    [
        (
            Instance("i-left", "terminated", reason_code="Client.InternalError", reason="Client error"),
            None,
            "ami_kms_grant",
        ),
        (Instance("i-left", "terminated", reason_code="Client.Strange", reason="Odd."), None, "AWS's reason"),
        (Instance("i-left", "shutting-down"), "instance_terminated", "gives no reason"),
        (Instance("i-left", "pending"), "instance_pending", "300 s"),
    ],
)
def test_why_an_instance_does_not_run(ended: Instance, code: str | None, says: str) -> None:
    failure = not_running(wanted(), PROBE, ended)
    assert failure.error_code == (code or ended.reason_code)
    assert failure.source == ("collection" if code else "aws")
    assert says in failure.text()
    # The report of the same failure is to be the same.
    assert ended.instance_id not in failure.text()


def test_every_account_launches_its_own_image_of_a_region_or_those_of_others() -> None:
    images = ImagesByTarget(
        {(CONSUMER, REGION): "ami-1", (STRANGER, REGION): "ami-2", (OWNER, "us-east-1"): "ami-1"}
    )
    probes = wanted(images=images).probes()
    assert [(probe.target, probe.image_id) for probe in probes] == [
        (Target(CONSUMER, REGION), "ami-1"),
        (Target(CONSUMER, "us-east-1"), "ami-1"),
        (Target(OWNER, REGION), "ami-2"),
        (Target(OWNER, "us-east-1"), "ami-1"),
    ]
