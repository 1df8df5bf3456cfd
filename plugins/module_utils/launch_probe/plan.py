# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides what is launched to prove that it can be, and what earlier proofs left running: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..failures import Failure
from ..model import SMALLEST_INSTANCE_TYPES, Image, Instance, Target
from ..plan import Action, Plan, TargetPlan
from .state import Probe, ProbeSeen, ProbeWanted, instance_type, is_leftover, request

_KEYS = (
    "A key cannot be used: open the image's key to the account with ami_kms_grant, let an IAM policy in the "
    "account allow its use, and check the account's own default key for EBS."
)
_AGAIN = "Run again; a run that probes the same image at the same time ends this one's instance."
_CAPACITY = "Name another instance_type, or a subnet in another availability zone, or run again later."
# botocore shape StateReason, Message: why an instance ended by itself.
_REMEDIES = {
    "Client.InternalError": _KEYS,
    "Client.InvalidSnapshot.NotFound": "A snapshot of the image is gone: copy the image anew.",
    "Client.UserInitiatedShutdown": _AGAIN,
    "Client.VolumeLimitExceeded": "Ask AWS for more EBS storage in the account, or free some.",
    "Server.InsufficientInstanceCapacity": _CAPACITY,
    "Server.InternalError": "Run again later: the cause is AWS's.",
    "instance_terminated": _AGAIN,
}


def plan(wanted: ProbeWanted, seen: ProbeSeen) -> Plan:
    """In every target: end what earlier runs left, then launch each image and end it again."""
    runs = launches(wanted, seen)
    return Plan(tuple(_plan_target(wanted, seen, target, runs) for target in wanted.targets()))


def _plan_target(
    wanted: ProbeWanted, seen: ProbeSeen, target: Target, runs: Mapping[Probe, Action]
) -> TargetPlan:
    swept = [instance.instance_id for instance in leftovers(wanted, seen, target)]
    actions = [termination(target, instance_id) for instance_id in swept]
    for probe in wanted.probes_of(target):
        if probe in runs:
            actions += [runs[probe], termination(target, None)]
    hindrances = (hindrance(wanted, seen, probe) for probe in wanted.probes_of(target))
    return TargetPlan(
        target,
        tuple(actions),
        before={"leftovers": swept},
        after={"leftovers": []},
        # Otherwise they are failures.
        warnings=tuple(failure.text() for failure in hindrances if failure and wanted.only_planned),
    )


def launches(wanted: ProbeWanted, seen: ProbeSeen) -> Mapping[Probe, Action]:
    """The launch of every image that can be tried at all."""
    return {
        probe: Action(probe.target, "RunInstances", request(wanted, probe, seen.images.get(probe), seen.now))
        for probe in wanted.probes()
        if hindrance(wanted, seen, probe) is None
    }


def leftovers(wanted: ProbeWanted, seen: ProbeSeen, target: Target) -> tuple[Instance, ...]:
    """What runs that are no more left running in a target."""
    image_ids = frozenset(probe.image_id for probe in wanted.probes_of(target) if probe.image_id)
    return tuple(
        instance for instance in seen.instances.get(target, ()) if is_leftover(instance, image_ids, seen.now)
    )


def termination(target: Target, instance_id: str | None) -> Action:
    """The end of an instance; None stands for one that is not launched yet."""
    return Action(target, "TerminateInstances", {"InstanceIds": [instance_id]}, instance_id)


def hindrance(wanted: ProbeWanted, seen: ProbeSeen, probe: Probe) -> Failure | None:
    """Why an image cannot even be tried, None if it can."""
    if probe.target in seen.problems:
        return seen.problems[probe.target]
    if probe.image_id is None:
        return None
    image = seen.images[probe]
    return next(_of_image(wanted, probe, image), None)


def _of_image(wanted: ProbeWanted, probe: Probe, image: Image | None) -> Iterator[Failure]:
    if image is None:
        yield _failure(
            probe.target,
            f"Account {probe.target.account_id} does not see {probe.image_id}.",
            "Share it with the account by ami_share; the account's Allowed AMIs can hide it, too.",
            "not_visible",
            "DescribeImages",
        )
    elif image.state != "available":
        yield _failure(
            probe.target,
            f"{image.image_id} is {image.state}.",
            "Wait until it is available, or name another image.",
            "image_not_available",
            "DescribeImages",
        )
    elif instance_type(wanted, image) is None:
        yield _failure(
            probe.target,
            f"{image.image_id} is for {image.architecture or 'an unknown architecture'}, and only "
            f"{', '.join(sorted(SMALLEST_INSTANCE_TYPES))} have a smallest instance type here.",
            "Name one in instance_type.",
            "missing_instance_type",
            "instance_type",
        )


def finding(failure: Failure) -> dict[str, str]:
    """A failure as ``results`` lists it with the image and the account that it is about."""
    return {"code": failure.error_code, "message": failure.message, "remedy": failure.remedy}


def not_running(wanted: ProbeWanted, probe: Probe, instance: Instance) -> Failure:
    """The failure of an instance that ended by itself, or is still pending when time is up."""
    if instance.state == "pending":
        return _failure(
            probe.target,
            f"The instance of {probe.image_id} is still pending after {wanted.wait_timeout} s "
            "(wait_timeout).",
            "Allow more time, or look for the reason in the account.",
            "instance_pending",
            "RunInstances",
        )
    code = instance.reason_code or "instance_terminated"
    failure = _failure(
        probe.target,
        f"The instance of {probe.image_id} is {instance.state}: {instance.reason or 'AWS gives no reason'}.",
        _REMEDIES.get(code, "AWS's reason says what is missing."),
        code,
        "RunInstances",
    )
    return replace(failure, source="aws") if instance.reason_code else failure


def _failure(target: Target, message: str, remedy: str, code: str, action: str) -> Failure:
    return Failure(
        message=message,
        remedy=remedy,
        error_code=code,
        action=action,
        region=target.region,
        account_id=target.account_id,
    )
