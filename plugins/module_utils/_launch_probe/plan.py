# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans which images are launched, and which instances of earlier probes are terminated."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from .._model import METADATA_OPTIONS, Image, Instance, Target
from .._plan import Action, Plan, TargetPlan
from .._tags import PROBE_TAG, of_launch
from .causes import precheck
from .options import ProbeOptions
from .state import Probe, ProbeState

# What launching, terminating and EC2's eventual consistency can take in addition to wait_timeout.
_MARGIN = timedelta(minutes=5)
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def plan(options: ProbeOptions, current: ProbeState) -> Plan:
    """Plan to terminate what earlier runs left in every target, then to launch and terminate each image."""
    runs = launches(options, current)
    return Plan(tuple(_plan_target(options, current, target, runs) for target in options.targets()))


def _plan_target(
    options: ProbeOptions, current: ProbeState, target: Target, runs: Mapping[Probe, Action]
) -> TargetPlan:
    leftover_ids = [instance.instance_id for instance in leftovers(options, current, target)]
    actions = [termination(target, instance_id) for instance_id in leftover_ids]
    for probe in options.probes_of(target):
        if probe in runs:
            actions += [runs[probe], termination(target, None)]
    blocking = (precheck(options, current, probe) for probe in options.probes_of(target))
    return TargetPlan(
        target,
        tuple(actions),
        before={"leftovers": leftover_ids},
        after={"leftovers": []},
        # Outside check mode they are failures.
        warnings=tuple(failure.text() for failure in blocking if failure and options.check_mode),
    )


def launches(options: ProbeOptions, current: ProbeState) -> Mapping[Probe, Action]:
    """Return the launch of every image that passes the precheck."""
    return {
        probe: Action(
            probe.target, "RunInstances", _request(options, probe, current.images.get(probe), current.now)
        )
        for probe in options.probes()
        if precheck(options, current, probe) is None
    }


def _request(options: ProbeOptions, probe: Probe, image: Image | None, now: datetime) -> dict[str, Any]:
    """Return the parameters of RunInstances (botocore shape ``RunInstancesRequest``).

    Volumes and network interface are deleted with the instance, whatever the image's block device mappings
    are. The instance has no public address and no instance profile. It shuts itself down at the deadline, in
    case the run is killed, and is thereby terminated.
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
    return {**parameters, "ClientToken": _token(probe.target, parameters, now)}


def _token(target: Target, parameters: Mapping[str, Any], now: datetime) -> str:
    """Return a client token that differs in every run: EC2 keeps a token for a day after the instance's end.

    Source: EC2 Developer Guide, "Ensuring idempotency in Amazon EC2 API requests".
    """
    facts = [target.account_id, target.region, now.isoformat(timespec="microseconds"), parameters]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def launch_again(action: Action, attempt: int) -> Action:
    """Return the same launch with a client token of its own; ``attempt`` numbers those after the first.

    With the first one's token, RunInstances returns the first instance, which is terminated.
    """
    token = hashlib.sha256(f"{action.parameters['ClientToken']} {attempt}".encode()).hexdigest()
    return replace(action, parameters={**action.parameters, "ClientToken": token})


def termination(target: Target, instance_id: str | None) -> Action:
    """Return the termination of an instance; the ID is None if it is not launched yet."""
    return Action(target, "TerminateInstances", {"InstanceIds": [instance_id]}, instance_id)


def leftovers(options: ProbeOptions, current: ProbeState, target: Target) -> tuple[Instance, ...]:
    """Return the instances that earlier, killed runs left in a target."""
    image_ids = frozenset(probe.image_id for probe in options.probes_of(target) if probe.image_id)
    return tuple(
        instance
        for instance in current.instances.get(target, ())
        if _is_leftover(instance, image_ids, current.now)
    )


def _is_leftover(instance: Instance, image_ids: frozenset[str], now: datetime) -> bool:
    """Whether a probe's instance was left by a run that no longer exists, and may be terminated.

    Until the deadline in its tag, another run may be waiting for the instance, unless it is of one of this
    run's images: then it is from a killed run with the same images.
    """
    try:
        end = datetime.strptime(instance.tags.get(PROBE_TAG, ""), _TIME_FORMAT).replace(tzinfo=now.tzinfo)
    except ValueError:
        return True
    return instance.image_id in image_ids or end < now
