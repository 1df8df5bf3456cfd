# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One account's probes: whatever happens, what was launched is terminated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import monotonic, sleep
from typing import Any

from ..aws import errors
from ..aws.clients import Clients
from ..aws.write import Performed, perform
from ..failures import Failure
from ..model import Target
from ..plan import Action
from . import read as instances
from .plan import not_running, termination
from .state import Probe, ProbeWanted

# How long AWS may not know an instance that it has just launched. EC2 is eventually consistent without a
# stated bound (EC2 Developer Guide, "Eventual consistency in the Amazon EC2 API").
_KNOWN_WITHIN = 60.0
_TRY_AGAIN = 2.0
# And how long it may not list it. Only of these errors it is not known whether the request got there.
_LISTED_WITHIN = 20.0
_UNANSWERED = ("ConnectionClosedError", "HTTPClientError", "ReadTimeoutError", "ResponseStreamingError")


@dataclass
class Launch:
    """How far the launch of one image got; ``level`` is None if AWS did not accept it."""

    instance_id: str | None = None
    level: str | None = None
    failure: Failure | None = None
    ended: bool = False


@dataclass
class TargetRun:
    """What has been done in one target so far."""

    performed: list[Action] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    launches: dict[Probe, Launch] = field(default_factory=dict)

    def note(self, done: Performed) -> None:
        """Take over what was done."""
        self.performed += done.actions
        self.failures += done.failures


def sweep(clients: Clients, target: Target, instance_ids: tuple[str, ...], run: TargetRun) -> None:
    """Terminate what earlier runs left in a target."""
    for instance_id in instance_ids:
        run.note(_terminated(clients.ec2(target.region), target, instance_id))


def run_probes(
    clients: Clients, wanted: ProbeWanted, actions: Mapping[Probe, Action], runs: Mapping[Target, TargetRun]
) -> None:
    """Launch all images of an account at once, wait for each, and terminate it as soon as it is known.

    ``runs`` are brought up to date. The deadline is the same for all of them.
    """
    deadline = monotonic() + wanted.wait_timeout
    launched: dict[Probe, Launch] = {}
    try:
        for probe, action in actions.items():
            launched[probe] = runs[probe.target].launches[probe] = Launch()
            _launch(clients.ec2(probe.target.region), action, launched[probe], runs[probe.target])
        for probe, launch in launched.items():
            ec2 = clients.ec2(probe.target.region)
            if launch.instance_id is not None:
                _await(ec2, wanted, probe, launch.instance_id, launch, deadline)
                _end(ec2, probe, launch, runs[probe.target])
    finally:
        for probe, launch in launched.items():
            _end(clients.ec2(probe.target.region), probe, launch, runs[probe.target])


def _launch(ec2: Any, action: Action, launch: Launch, run: TargetRun) -> None:
    done = perform(ec2, action)
    run.note(Performed(done.actions))
    if done.answers:
        launch.instance_id = done.answers[0]["Instances"][0]["InstanceId"]
        launch.level = "authorized"
        return
    (launch.failure,) = done.failures
    # A request whose answer was lost may have been carried out all the same.
    give_up = monotonic() + (_LISTED_WITHIN if launch.failure.error_code in _UNANSWERED else 0)
    try:
        unheard = instances.of_request(ec2, action.parameters["ClientToken"])
        while not unheard and monotonic() < give_up:
            sleep(_TRY_AGAIN)
            unheard = instances.of_request(ec2, action.parameters["ClientToken"])
    except errors.AWS_ERRORS as exception:
        run.failures.append(errors.failure(exception, action.target, "DescribeInstances"))
        return
    for instance in unheard:
        run.note(_terminated(ec2, action.target, instance.instance_id))


def _await(
    ec2: Any, wanted: ProbeWanted, probe: Probe, instance_id: str, launch: Launch, deadline: float
) -> None:
    try:
        instance = instances.awaited(ec2, instance_id, deadline - monotonic())
    except errors.AWS_ERRORS as exception:
        launch.failure = errors.failure(exception, probe.target, "DescribeInstances")
        return
    if instance.state == "running":
        launch.level = "launched"
    else:
        launch.failure = not_running(wanted, probe, instance)


def _end(ec2: Any, probe: Probe, launch: Launch, run: TargetRun) -> None:
    """Terminate the instance, unless that has been done or tried: also one that has ended by itself."""
    if launch.instance_id is None or launch.ended:
        return
    launch.ended = True
    run.note(_terminated(ec2, probe.target, launch.instance_id))


def _terminated(ec2: Any, target: Target, instance_id: str) -> Performed:
    give_up = monotonic() + _KNOWN_WITHIN
    done = perform(ec2, termination(target, instance_id))
    while _is_unknown(done) and monotonic() < give_up:
        sleep(_TRY_AGAIN)
        done = perform(ec2, termination(target, instance_id))
    return replace(done, failures=tuple(_still_there(failure, instance_id) for failure in done.failures))


def _is_unknown(done: Performed) -> bool:
    return any(failure.error_code == instances.NOT_FOUND for failure in done.failures)


def _still_there(failure: Failure, instance_id: str) -> Failure:
    return replace(
        failure,
        message=f"{instance_id} could not be terminated: {failure.message}",
        remedy=f"It may be running and cost money: terminate it, or run again, which does. {failure.remedy}",
    )
