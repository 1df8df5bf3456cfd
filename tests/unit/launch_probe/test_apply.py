# SPDX-License-Identifier: GPL-3.0-or-later

"""Every instance that is launched is terminated, also after an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts
from ansible_collections.golden.images.plugins.module_utils._aws.errors import WebPage
from ansible_collections.golden.images.plugins.module_utils._launch_probe import apply as probe_run
from ansible_collections.golden.images.plugins.module_utils._launch_probe import read as instances
from ansible_collections.golden.images.plugins.module_utils._launch_probe.apply import (
    TargetRun,
    run_probes,
    terminate_leftovers,
)
from ansible_collections.golden.images.plugins.module_utils._launch_probe.plan import plan_launches
from ansible_collections.golden.images.plugins.module_utils._model import Instance
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from tests.unit.clock import Clock
from tests.unit.examples import CONSUMER, SOURCE_ID
from tests.unit.kms_grant.kms_in_memory import refused as refusal
from tests.unit.launch_probe.examples import HERE, NOW, REGION, SUBNET, seen, wanted

AWAY = "us-east-1"


# Failures after which it is unknown whether EC2 launched the instance, by their codes.
LOST: dict[str, Exception] = {
    "ConnectionClosedError": ConnectionClosedError(endpoint_url="https://ec2"),
    "ReadTimeoutError": ReadTimeoutError(endpoint_url="https://ec2"),
    "InternalError": refusal("InternalError", "RunInstances"),
    "RequestTimeout": refusal("RequestTimeout", "RunInstances"),
    "500": refusal("500", "RunInstances"),
    "503": refusal("503", "RunInstances"),
    "WebPage": WebPage(endpoint="https://ec2", operation="RunInstances", status=200),
    "ResponseParserError": ResponseParserError("No XML."),
}


@dataclass
class Ec2:
    """EC2 in one region: ``launched`` are the instances that exist, ``refuse`` maps calls to their errors.

    ``unsettled`` is how many RunInstances calls are refused, if it ``settles`` then. ``unknown`` and
    ``unlisted`` are how many TerminateInstances and DescribeInstances calls do not find the
    instance yet.
    """

    region: str
    launched: set[str] = field(default_factory=set)
    refuse: dict[str, Exception] = field(default_factory=dict)
    loses_answer: Exception | None = None
    unknown: int = 0
    unlisted: int = 0
    looks: Callable[[str, float], Instance] = lambda instance_id, _timeout: Instance(instance_id, "running")
    timeouts: list[float] = field(default_factory=list)
    answer: dict[str, Any] | None = None
    unsettled: int = 0
    settles: bool = False

    def run_instances(self, **_parameters: Any) -> dict[str, Any]:
        if self.unsettled:
            self.unsettled -= 1
            raise self.refuse["RunInstances"]
        if "RunInstances" in self.refuse and not self.settles:
            raise self.refuse["RunInstances"]
        instance_id = f"i-{self.region}"
        self.launched.add(instance_id)
        if self.loses_answer:
            raise self.loses_answer
        return {"Instances": [{"InstanceId": instance_id}]} if self.answer is None else self.answer

    def terminate_instances(self, InstanceIds: list[str]) -> dict[str, Any]:  # noqa: N803
        if self.unknown:
            self.unknown -= 1
            raise refusal(instances.NOT_FOUND, "TerminateInstances")
        if "TerminateInstances" in self.refuse:
            raise self.refuse["TerminateInstances"]
        self.launched -= {*InstanceIds}
        return {}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time passes only in ``sleep``; the state of an instance is what the region's ``looks`` returns."""
    clock = Clock.of(monkeypatch, probe_run, attempts)

    def wait_until_running(ec2: Ec2, instance_id: str, timeout: float) -> Instance:
        ec2.timeouts.append(timeout)
        return ec2.looks(instance_id, timeout)

    def of_request(ec2: Ec2, _token: str) -> tuple[Instance, ...]:
        if "DescribeInstances" in ec2.refuse:
            raise ec2.refuse["DescribeInstances"]
        if ec2.unlisted:
            ec2.unlisted -= 1
            return ()
        return tuple(Instance(one, "pending") for one in ec2.launched)

    monkeypatch.setattr(instances, "wait_until_running", wait_until_running)
    monkeypatch.setattr(instances, "read_request", of_request)
    return clock


def run(*regions: Ec2, wait_timeout: int = 100) -> Mapping[Any, TargetRun]:
    """Launch the image in these regions of one account."""
    want = wanted(
        account_ids=(CONSUMER,),
        images={(None, ec2.region): SOURCE_ID for ec2 in regions},
        subnet_ids={ec2.region: SUBNET for ec2 in regions},
        wait_timeout=wait_timeout,
    )
    by_region = {ec2.region: ec2 for ec2 in regions}
    clients: Any = SimpleNamespace(ec2=by_region.__getitem__)
    runs = {target: TargetRun() for target in want.targets()}
    try:
        run_probes(clients, want, plan_launches(want, seen(want), want.targets(), NOW), runs)
    finally:
        assert all(ec2.launched == set() for ec2 in regions if "TerminateInstances" not in ec2.refuse)
    return runs


def outcome(runs: Mapping[Any, TargetRun]) -> dict[str, tuple[str | None, str | None]]:
    """Level and error code, by region."""
    return {
        target.region: (launch.level, launch.cause.failure.error_code if launch.cause else None)
        for target, run in runs.items()
        for launch in run.launches.values()
    }


NO_PERMISSION = ClientError(
    {"Error": {"Code": "AuthFailure", "Message": f"Not authorized for images: [{SOURCE_ID}]"}}, "RunInstances"
)


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (NO_PERMISSION, "AuthFailure"),
        (refusal("InvalidAMIID.NotFound", "RunInstances"), "InvalidAMIID.NotFound"),
    ],
)
def test_an_image_that_the_account_sees_and_cannot_launch_yet_is_launched_again(
    clock: Clock, refused: Exception, code: str
) -> None:
    """For half a minute: a key, which is tried for minutes, is not the cause."""
    started = clock.now
    runs = run(Ec2(REGION, refuse={"RunInstances": refused}, unsettled=2, settles=True))
    assert outcome(runs) == {REGION: ("launched", None)}
    assert clock.now == started + 15
    runs = run(Ec2(REGION, refuse={"RunInstances": refused}))
    assert outcome(runs) == {REGION: (None, code)}
    assert clock.now == started + 15 + 35


def test_all_regions_launch_before_the_first_wait() -> None:
    here, away = Ec2(REGION), Ec2(AWAY)
    launched_by_then: list[set[str]] = []

    def look(instance_id: str, _timeout: float) -> Instance:
        launched_by_then.append(here.launched | away.launched)
        return Instance(instance_id, "running")

    here.looks = away.looks = look
    runs = run(here, away)
    assert outcome(runs) == {REGION: ("launched", None), AWAY: ("launched", None)}
    # The first is terminated before the wait for the second.
    assert [len(launched) for launched in launched_by_then] == [2, 1]
    for one in runs.values():
        assert [action.operation for action in one.performed] == ["RunInstances", "TerminateInstances"]


def test_the_deadline_is_the_same_for_all_regions(clock: Clock) -> None:
    here, away = Ec2(REGION), Ec2(AWAY)

    def never(instance_id: str, timeout: float) -> Instance:
        clock.sleep(timeout)
        return Instance(instance_id, "pending")

    here.looks = never
    assert outcome(run(here, away)) == {REGION: ("authorized", "instance_pending"), AWAY: ("launched", None)}
    assert (here.timeouts, away.timeouts) == ([100], [0])


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        pytest.param(
            "VcpuLimitExceeded",
            {"refuse": {"RunInstances": refusal("VcpuLimitExceeded", "RunInstances")}},
            id="refused",
        ),
        *(
            pytest.param(code, {"loses_answer": lost, "unlisted": unlisted}, id=f"{code}-{unlisted}")
            for code, lost in LOST.items()
            for unlisted in (0, 3)
        ),
    ],
)
def test_a_launch_that_is_refused_does_not_stop_other_regions(code: str, changes: dict[str, Any]) -> None:
    assert outcome(run(Ec2(REGION, **changes), Ec2(AWAY))) == {REGION: (None, code), AWAY: ("launched", None)}


def test_a_launch_that_is_refused_is_not_waited_for(clock: Clock) -> None:
    began = clock.now
    run(Ec2(REGION, refuse={"RunInstances": refusal("VcpuLimitExceeded", "RunInstances")}))
    assert clock.now == began


def test_it_is_a_failure_if_it_is_unknown_whether_an_instance_was_launched() -> None:
    ec2 = Ec2(
        REGION,
        refuse={
            "RunInstances": refusal("InternalError", "RunInstances"),
            "DescribeInstances": refusal("Unavailable", "DescribeInstances"),
        },
    )
    runs = run(ec2)
    assert outcome(runs) == {REGION: (None, "InternalError")}
    assert [failure.error_code for failure in runs[HERE].failures] == ["Unavailable"]


@dataclass
class KeyUsableLater(Ec2):
    """EC2 that terminates instances until the clock shows this time, since a grant is not usable yet."""

    clock: Clock = field(default_factory=Clock)
    usable_at: float = 0.0
    tokens: list[str] = field(default_factory=list)

    def run_instances(self, **parameters: Any) -> dict[str, Any]:
        self.tokens.append(parameters["ClientToken"])
        return super().run_instances(**parameters)

    def look(self, instance_id: str, _timeout: float) -> Instance:
        if self.clock.now >= self.usable_at:
            return Instance(instance_id, "running")
        return Instance(
            instance_id, "terminated", reason_code="Client.InternalError", reason="Client error on launch"
        )


@pytest.mark.parametrize(
    ("usable_after", "wait_timeout", "level", "launches"),
    [
        (0, 600, "launched", 1),
        (4, 600, "launched", 2),
        (200, 600, "launched", 10),
        # Not after five minutes, and not after wait_timeout.
        (400, 600, "authorized", 12),
        (400, 60, "authorized", 4),
        (400, 5, "authorized", 1),
    ],
)
def test_a_launch_is_repeated_until_its_key_can_be_used(
    clock: Clock, usable_after: float, wait_timeout: int, level: str, launches: int
) -> None:
    """KMS Developer Guide, "Using a grant token": a new grant might not be effective immediately."""
    started = clock.now
    ec2 = KeyUsableLater(REGION, clock=clock, usable_at=started + usable_after)
    ec2.looks = ec2.look
    other = Ec2(AWAY)
    runs = run(ec2, other, wait_timeout=wait_timeout)
    code = None if level == "launched" else "Client.InternalError"
    assert outcome(runs) == {REGION: (level, code), AWAY: ("launched", None)}
    # Each has a client token of its own: EC2 answers an earlier one with its terminated instance.
    assert len({*ec2.tokens}) == len(ec2.tokens) == launches
    assert [action.operation for action in runs[HERE].performed] == [
        *("RunInstances", "TerminateInstances") * launches
    ]
    assert len(other.timeouts) == 1
    assert clock.now - started < min(wait_timeout, 300)


def test_only_a_key_failure_is_repeated(clock: Clock) -> None:
    started = clock.now

    def look(instance_id: str, _timeout: float) -> Instance:
        return Instance(instance_id, "terminated", reason_code="Client.VolumeLimitExceeded", reason="Limit")

    runs = run(Ec2(REGION, looks=look))
    assert outcome(runs) == {REGION: ("authorized", "Client.VolumeLimitExceeded")}
    assert clock.now == started


def test_a_repeated_launch_that_is_refused_keeps_the_level_of_the_first(clock: Clock) -> None:
    ec2 = KeyUsableLater(REGION, clock=clock, usable_at=clock.now + 400)

    def look(instance_id: str, timeout: float) -> Instance:
        ec2.refuse = {"RunInstances": refusal("VcpuLimitExceeded", "RunInstances")}
        return ec2.look(instance_id, timeout)

    ec2.looks = look
    assert outcome(run(ec2)) == {REGION: ("authorized", "VcpuLimitExceeded")}


def test_an_error_while_waiting_terminates_the_instance() -> None:
    def broken(_instance_id: str, _timeout: float) -> Instance:
        raise refusal("RequestLimitExceeded", "DescribeInstances")

    runs = run(Ec2(REGION, looks=broken))
    assert outcome(runs) == {REGION: ("authorized", "RequestLimitExceeded")}
    assert [one.cause and one.cause.code for one in runs[HERE].launches.values()] == ["instance_unreadable"]


def test_an_unexpected_error_terminates_the_instances() -> None:
    def mistaken(_instance_id: str, _timeout: float) -> Instance:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(Ec2(REGION, looks=mistaken), Ec2(AWAY))


def test_the_termination_is_retried_while_the_instance_is_not_found(clock: Clock) -> None:
    began = clock.now
    assert outcome(run(Ec2(REGION, unknown=3))) == {REGION: ("launched", None)}
    assert clock.now - began == 6


@pytest.mark.parametrize("swept", [True, False])
def test_an_instance_that_cannot_be_terminated_is_a_failure(swept: bool) -> None:
    ec2 = Ec2(REGION, refuse={"TerminateInstances": refusal("UnauthorizedOperation", "TerminateInstances")})
    if swept:
        one = TargetRun()
        clients: Any = SimpleNamespace(ec2=lambda _region: ec2)
        terminate_leftovers(clients, HERE, (f"i-{REGION}",), one)
    else:
        one = run(ec2)[HERE]
    (failure,) = one.failures
    assert f"i-{REGION} could not be terminated" in failure.message
    assert "cost money" in failure.remedy
    assert (failure.error_code, failure.region, failure.account_id) == (
        "UnauthorizedOperation",
        REGION,
        CONSUMER,
    )


@pytest.mark.parametrize("answer", [{}, {"Instances": []}, {"Instances": [{"State": {"Name": "pending"}}]}])
def test_an_instance_whose_id_aws_does_not_return_is_found_and_terminated(answer: dict[str, Any]) -> None:
    """botocore's shapes Reservation and Instance require no member. ``run`` checks that none is left."""
    ec2 = Ec2(REGION, unlisted=2, answer=answer)
    runs = run(ec2)
    assert outcome(runs) == {REGION: (None, "incomplete_response")}
    assert [action.operation for action in runs[HERE].performed] == ["RunInstances", "TerminateInstances"]
