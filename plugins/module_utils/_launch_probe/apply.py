# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Perform one account's probes, and terminate every instance, also after an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, count, repeat
from time import monotonic, sleep
from typing import Any

from .._aws import errors
from .._aws.attempts import repeat_until
from .._aws.clients import Clients
from .._aws.read_visible import VISIBLE_WITHIN
from .._aws.unknown_outcome import is_unknown
from .._aws.write import perform
from .._failures import Failure, incomplete_response
from .._keys.grants import NEW_GRANT_TIMEOUT
from .._model import Target
from .._plan import Action, Performed
from .._tags import PROBE_TAG
from . import read as instances
from .causes import explain_end, explain_refusal, may_succeed_later
from .options import ProbeOptions
from .plan import plan_termination, repeat_launch
from .state import Cause, Probe

# Seconds to retry the termination of an instance that EC2 does not find yet. EC2 is eventually consistent
# without a stated bound (EC2 Developer Guide, "Eventual consistency in the Amazon EC2 API").
_TERMINATION_TIMEOUT = 60.0
_RETRY_DELAY = 2.0
# Seconds between launches while a key cannot be used. An instance that never runs is not billed (EC2 User
# Guide, "Instance lifecycle").
_KEY_DELAYS = (5.0, 10.0, 20.0, 30.0)
# Seconds to look for the instance of a request whose outcome is unknown: lists may show it late.
_LISTING_TIMEOUT = 20.0


@dataclass
class Launch:
    """The launch of one image; ``level`` is None if EC2 did not accept it."""

    instance_id: str | None = None
    level: str | None = None
    cause: Cause | None = None
    terminated: bool = False


@dataclass
class TargetRun:
    """The progress in one target: performed actions, failures and launches."""

    performed: list[Action] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    launches: dict[Probe, Launch] = field(default_factory=dict)

    def note(self, done: Performed) -> None:
        """Add the actions and failures of a request."""
        self.performed += done.actions
        self.failures += done.failures


def terminate_leftovers(
    clients: Clients, target: Target, instance_ids: tuple[str, ...], run: TargetRun
) -> None:
    """Terminate the instances that earlier runs left in a target."""
    for instance_id in instance_ids:
        run.note(_terminate(clients.ec2(target.region), target, instance_id))


def run_probes(
    clients: Clients, options: ProbeOptions, actions: Mapping[Probe, Action], runs: Mapping[Target, TargetRun]
) -> None:
    """Launch all images of an account at once, and repeat launches that may succeed later.

    The outcomes are added to ``runs``. All images have the same deadline.
    """
    started = monotonic()
    deadline = started + options.wait_timeout
    retries_end = started + min(options.wait_timeout, NEW_GRANT_TIMEOUT)
    delays = chain(_KEY_DELAYS, repeat(_KEY_DELAYS[-1]))
    remaining = dict(actions)
    for attempt in count(1):
        _launch_and_wait(clients, options, remaining, runs, deadline)
        remaining = {
            probe: repeat_launch(actions[probe], attempt)
            for probe in remaining
            if may_succeed_later(
                runs[probe.target].launches[probe].cause, monotonic() - started, VISIBLE_WITHIN
            )
        }
        delay = next(delays)
        if not remaining or monotonic() + delay >= retries_end:
            return
        sleep(delay)


def _launch_and_wait(
    clients: Clients,
    options: ProbeOptions,
    actions: Mapping[Probe, Action],
    runs: Mapping[Target, TargetRun],
    deadline: float,
) -> None:
    """Launch these images, wait for each instance, and terminate it as soon as its level is known."""
    launched: dict[Probe, Launch] = {}
    try:
        for probe, action in actions.items():
            launches = runs[probe.target].launches
            launched[probe] = launches[probe] = Launch(level=launches.get(probe, Launch()).level)
            _launch(clients.ec2(probe.target.region), action, launched[probe], runs[probe.target])
        for probe, launch in launched.items():
            ec2 = clients.ec2(probe.target.region)
            if launch.instance_id is not None:
                _wait(ec2, options, probe, launch.instance_id, launch, deadline)
                _terminate_once(ec2, probe, launch, runs[probe.target])
    finally:
        for probe, launch in launched.items():
            _terminate_once(clients.ec2(probe.target.region), probe, launch, runs[probe.target])


def _launch(ec2: Any, action: Action, launch: Launch, run: TargetRun) -> None:
    done = perform(ec2, action)
    run.note(Performed(done.actions))
    if is_answered := bool(done.answers):
        instances_started = done.answers[0].get("Instances", ())
        launch.instance_id = next(
            (item["InstanceId"] for item in instances_started if "InstanceId" in item), None
        )
        if launch.instance_id is not None:
            launch.level = "authorized"
            return
        failure = incomplete_response("RunInstances", "InstanceId", action.target)
    else:
        (failure,) = done.failures
    launch.cause = explain_refusal(failure)
    # EC2 may have performed a request whose answer was lost, or lacks the ID.
    timeout = _LISTING_TIMEOUT if is_answered or is_unknown(failure) else 0
    token = action.parameters["ClientToken"]
    try:
        unanswered_instances = repeat_until(
            lambda: instances.read_request(ec2, token), bool, timeout, _RETRY_DELAY
        )
    except errors.AWS_ERRORS as exception:
        run.failures.append(errors.failure(exception, action.target, "DescribeInstances"))
        return
    for instance in unanswered_instances:
        run.note(_terminate(ec2, action.target, instance.instance_id))


def _wait(
    ec2: Any, options: ProbeOptions, probe: Probe, instance_id: str, launch: Launch, deadline: float
) -> None:
    try:
        instance = instances.wait_until_running(ec2, instance_id, deadline - monotonic())
    except errors.AWS_ERRORS as exception:
        failure = errors.failure(exception, probe.target, "DescribeInstances")
        launch.cause = Cause("instance_unreadable", failure)
        return
    if instance.state == "running":
        launch.level = "launched"
    else:
        launch.cause = explain_end(options, probe, instance)


def _terminate_once(ec2: Any, probe: Probe, launch: Launch, run: TargetRun) -> None:
    """Terminate the instance once, even if EC2 has terminated it itself."""
    if launch.instance_id is None or launch.terminated:
        return
    launch.terminated = True
    run.note(_terminate(ec2, probe.target, launch.instance_id))


def _terminate(ec2: Any, target: Target, instance_id: str) -> Performed:
    done = repeat_until(
        lambda: perform(ec2, plan_termination(target, instance_id)),
        lambda performed: not _is_not_found(performed),
        _TERMINATION_TIMEOUT,
        _RETRY_DELAY,
    )
    return replace(
        done, failures=tuple(_explain_termination_failure(failure, instance_id) for failure in done.failures)
    )


def _is_not_found(done: Performed) -> bool:
    return any(failure.error_code == instances.NOT_FOUND for failure in done.failures)


def _explain_termination_failure(failure: Failure, instance_id: str) -> Failure:
    return replace(
        failure,
        message=f"{instance_id} could not be terminated: {failure.message}",
        remedy="It may be running and cost money. Terminate it, or rerun after the time in its tag "
        f"{PROBE_TAG}, which does so. {failure.remedy}",
    )
