# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan which images are launched, and which instances of earlier probes are terminated."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from .._model import METADATA_OPTIONS, Image, Instance, Target
from .._plan import Action, Plan, TargetPlan
from .._tags import PROBE_TAG, of_launch
from .causes import precheck
from .options import ProbeOptions
from .state import Probe, ProbeState

# The time for launching, terminating and EC2's eventual consistency, in addition to wait_timeout.
_MARGIN = timedelta(minutes=5)
# The time from its launch after which an instance whose tag is not a time is a leftover (docs/verifying.md).
_WITHOUT_DEADLINE = timedelta(hours=1)
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def plan(options: ProbeOptions, current: ProbeState) -> Plan:
    """Plan to terminate leftovers of earlier runs in every target, then to launch each image."""
    runs = plan_launches(options, current, options.targets(), current.now)
    return Plan(tuple(_plan_target(options, current, target, runs) for target in options.targets()))


def _plan_target(
    options: ProbeOptions, current: ProbeState, target: Target, runs: Mapping[Probe, Action]
) -> TargetPlan:
    leftover_ids = list(find_leftovers(current, target))
    actions = [plan_termination(target, instance_id) for instance_id in leftover_ids]
    for probe in options.probes_of(target):
        if probe in runs:
            actions += [runs[probe], plan_termination(target, None)]
    blocking = (precheck(options, current, probe) for probe in options.probes_of(target))
    return TargetPlan(
        target,
        tuple(actions),
        before={"leftovers": leftover_ids},
        after={"leftovers": []},
        # Outside check mode they are failures.
        warnings=tuple(failure.text() for failure in blocking if failure and options.check_mode),
    )


def plan_launches(
    options: ProbeOptions, current: ProbeState, targets: Iterable[Target], now: datetime
) -> Mapping[Probe, Action]:
    """Return the launch, at the time ``now``, of every image of the targets that passes the precheck."""
    return {
        probe: Action(target, "RunInstances", _build_request(options, probe, current.images.get(probe), now))
        for target in targets
        for probe in options.probes_of(target)
        if precheck(options, current, probe) is None
    }


def _build_request(options: ProbeOptions, probe: Probe, image: Image | None, now: datetime) -> dict[str, Any]:
    """Return the parameters of RunInstances (botocore shape ``RunInstancesRequest``).

    Volumes and network interface are deleted with the instance, whatever the image's block device mappings
    are. The instance has no public address and no instance profile. If the run is killed, the instance shuts
    itself down at the deadline, which terminates it.
    """
    end = now + timedelta(seconds=options.wait_timeout) + _MARGIN
    groups = options.network.group_ids(probe.target)
    parameters: dict[str, Any] = {
        "ImageId": probe.image_id,
        "InstanceInitiatedShutdownBehavior": "terminate",
        "InstanceType": options.instance_type_of(image),
        "MaxCount": 1,
        "MetadataOptions": METADATA_OPTIONS,
        "MinCount": 1,
        "NetworkInterfaces": [
            {
                "AssociatePublicIpAddress": False,
                "DeleteOnTermination": True,
                "DeviceIndex": 0,
                "SubnetId": options.network.subnet_id(probe.target),
                **({"Groups": list(groups)} if groups else {}),
            }
        ],
        "TagSpecifications": of_launch({**options.launch_tags, PROBE_TAG: end.strftime(_TIME_FORMAT)}),
        "UserData": f"#!/bin/sh\nshutdown -h +{math.ceil((end - now).total_seconds() / 60)}\n",
    }
    if image is not None and image.devices:
        parameters["BlockDeviceMappings"] = [
            {"DeviceName": device.name, "Ebs": {"DeleteOnTermination": True}} for device in image.devices
        ]
    return {**parameters, "ClientToken": _make_token(probe.target, parameters, now)}


def _make_token(target: Target, parameters: Mapping[str, Any], now: datetime) -> str:
    """Return a client token that differs in every run, since EC2 keeps tokens of ended instances for a day.

    Source: EC2 Developer Guide, "Ensuring idempotency in Amazon EC2 API requests".
    """
    facts = [target.account_id, target.region, now.isoformat(timespec="microseconds"), parameters]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def repeat_launch(action: Action, attempt: int) -> Action:
    """Return the same launch with another client token; ``attempt`` counts the repetitions.

    With the first token, RunInstances returns the first instance, which is terminated.
    """
    token = hashlib.sha256(f"{action.parameters['ClientToken']} {attempt}".encode()).hexdigest()
    return replace(action, parameters={**action.parameters, "ClientToken": token})


def plan_termination(target: Target, instance_id: str | None) -> Action:
    """Return the action that terminates an instance; its ID is None if it is not launched yet."""
    return Action(target, "TerminateInstances", {"InstanceIds": [instance_id]}, instance_id)


def find_leftovers(current: ProbeState, target: Target) -> tuple[str, ...]:
    """Return the IDs of the instances that earlier runs left in a target."""
    return tuple(
        instance.instance_id
        for instance in current.instances.get(target, ())
        if _is_leftover(instance, current.now)
    )


def _is_leftover(instance: Instance, now: datetime) -> bool:
    """Whether the run that launched an instance of a probe can no longer be running.

    Until the deadline in the instance's tag, that run may wait for it, whatever its image is.
    """
    try:
        end = datetime.strptime(instance.tags.get(PROBE_TAG, ""), _TIME_FORMAT).replace(tzinfo=now.tzinfo)
    except ValueError:
        return instance.launched_at is not None and instance.launched_at + _WITHOUT_DEADLINE < now
    return end < now
