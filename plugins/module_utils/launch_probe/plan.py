# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans which images are launched, and which instances of earlier probes are terminated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..denial import DENIED, is_unsettled, is_without_permission, remedy_of_launch
from ..failures import Failure
from ..model import Instance, Target
from ..plan import Action, Plan, TargetPlan
from ..tags import PROBE_TAG
from .checks import precheck
from .options import ProbeOptions
from .request import is_leftover, request
from .state import Cause, Probe, ProbeSeen

_KEYS = (
    "A KMS key cannot be used: grant the account access to the image's key (ami_kms_grant), allow its use in "
    "an IAM policy of the account, and check the account's own default key for EBS. A new grant can take 5 "
    "minutes: rerun after that."
)
# EC2 User Guide, "Instance terminates immediately": how a launch ends that cannot use a key.
_KEY_FAILURE = "Client.InternalError"
_AGAIN = "Rerun. A run that probes the same image at the same time terminates this run's instance."
_CAPACITY = "Set another instance_type or a subnet in another Availability Zone, or rerun later."
# botocore shape StateReason, Message: why an instance was terminated.
_REMEDIES = {
    _KEY_FAILURE: _KEYS,
    "Client.InvalidSnapshot.NotFound": "A snapshot of the image was deleted: copy the image again.",
    "Client.UserInitiatedShutdown": _AGAIN,
    "Client.VolumeLimitExceeded": "Request a higher quota for EBS storage in the account, or delete volumes.",
    "Server.InsufficientInstanceCapacity": _CAPACITY,
    "Server.InternalError": "Rerun later: this is an internal error of EC2.",
    "instance_terminated": _AGAIN,
}


def plan(options: ProbeOptions, seen: ProbeSeen) -> Plan:
    """In every target, terminate what earlier runs left, then launch each image and terminate it."""
    runs = launches(options, seen)
    return Plan(tuple(_plan_target(options, seen, target, runs) for target in options.targets()))


def _plan_target(
    options: ProbeOptions, seen: ProbeSeen, target: Target, runs: Mapping[Probe, Action]
) -> TargetPlan:
    leftover_ids = [instance.instance_id for instance in leftovers(options, seen, target)]
    actions = [termination(target, instance_id) for instance_id in leftover_ids]
    for probe in options.probes_of(target):
        if probe in runs:
            actions += [runs[probe], termination(target, None)]
    blocking = (precheck(options, seen, probe) for probe in options.probes_of(target))
    return TargetPlan(
        target,
        tuple(actions),
        before={"leftovers": leftover_ids},
        after={"leftovers": []},
        # Outside check mode they are failures.
        warnings=tuple(failure.text() for failure in blocking if failure and options.check_mode),
    )


def launches(options: ProbeOptions, seen: ProbeSeen) -> Mapping[Probe, Action]:
    """The launch of every image that passes the precheck."""
    return {
        probe: Action(probe.target, "RunInstances", request(options, probe, seen.images.get(probe), seen.now))
        for probe in options.probes()
        if precheck(options, seen, probe) is None
    }


def leftovers(options: ProbeOptions, seen: ProbeSeen, target: Target) -> tuple[Instance, ...]:
    """The instances that earlier, killed runs left in a target."""
    image_ids = frozenset(probe.image_id for probe in options.probes_of(target) if probe.image_id)
    return tuple(
        instance for instance in seen.instances.get(target, ()) if is_leftover(instance, image_ids, seen.now)
    )


def termination(target: Target, instance_id: str | None) -> Action:
    """The termination of an instance; the ID is None if it is not launched yet."""
    return Action(target, "TerminateInstances", {"InstanceIds": [instance_id]}, instance_id)


def not_accepted(failure: Failure) -> Cause:
    """Why an image does not run whose RunInstances failed."""
    if is_without_permission(failure.error_code, failure.message):
        return Cause("missing_launch_permission", failure)
    if failure.error_code not in DENIED:
        return Cause("launch_failed", failure)
    return Cause("launch_denied", replace(failure, remedy=remedy_of_launch(failure.message, failure.remedy)))


def not_running(options: ProbeOptions, probe: Probe, instance: Instance) -> Cause:
    """Why an instance does not run: it was terminated, or is pending after ``wait_timeout`` seconds."""
    if instance.state == "pending":
        return Cause("instance_pending", _pending(options, probe, instance))
    code = instance.reason_code or "instance_terminated"
    failure = Failure.at(
        probe.target,
        "RunInstances",
        code,
        f"The instance of {probe.image_id} is {instance.state}: {instance.reason or 'AWS gives no reason'}.",
        _REMEDIES.get(code, "Fix the cause that AWS reports, and rerun."),
    )
    return Cause(
        "key_not_usable" if code == _KEY_FAILURE else "instance_terminated",
        replace(failure, source="aws") if instance.reason_code else failure,
    )


def _pending(options: ProbeOptions, probe: Probe, instance: Instance) -> Failure:
    """An instance that does not start in time. It is named, since only AWS knows why, and for a short time.

    EC2 returns a terminated instance for about an hour (EC2 User Guide, "Terminate Amazon EC2 instances"),
    with the reason of its last state.
    """
    # Of most pending instances, AWS says no more than that.
    reason = f": {instance.reason}" if instance.reason and instance.reason_code != "pending" else "."
    look = f"aws ec2 describe-instances --region {probe.target.region}"
    return Failure.at(
        probe.target,
        "RunInstances",
        "instance_pending",
        f"The instance {instance.instance_id} of {probe.image_id} is still pending after "
        f"{options.wait_timeout} s (wait_timeout){reason}",
        f"Increase wait_timeout. For the cause, read the instance's StateReason within an hour: {look} "
        f"--instance-ids {instance.instance_id}. If it names only the termination, rerun, and read that of "
        f"the new instance while it is pending: {look} --filters Name=tag-key,Values={PROBE_TAG}.",
    )


def may_succeed_later(cause: Cause | None, waited: float, visible_within: float) -> bool:
    """Whether the same launch can succeed later than ``waited`` seconds after the first.

    That is some minutes, if a grant on the key is new, and ``visible_within`` seconds, if RunInstances does
    not find what DescribeImages has shown: the image, or its launch permission.
    """
    if cause is None:
        return False
    if is_unsettled(cause.failure.error_code, cause.failure.message):
        return waited < visible_within
    return cause.code == "key_not_usable"
