# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The RunInstances request of a launch probe, and the tag by which later runs find its instance."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ..model import METADATA_OPTIONS, Image, Instance, Target
from ..plan import Action
from ..tags import PROBE_TAG, of_launch
from .options import ProbeOptions
from .state import Probe

# What launching, terminating and EC2's eventual consistency can take in addition to wait_timeout.
_MARGIN = timedelta(minutes=5)
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def request(options: ProbeOptions, probe: Probe, image: Image | None, now: datetime) -> dict[str, Any]:
    """The parameters of RunInstances (botocore shape ``RunInstancesRequest``).

    Volumes and network interface are deleted with the instance, whatever the image's block device mappings
    are. The instance has no public address and no instance profile. It shuts itself down at the deadline, in
    case the run is killed, and is thereby terminated.
    """
    end = deadline(options, now)
    groups = options.network.group_ids(probe.target)
    parameters: dict[str, Any] = {
        "ImageId": probe.image_id,
        "InstanceInitiatedShutdownBehavior": "terminate",
        "InstanceType": instance_type(options, image),
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


def launch_again(action: Action, attempt: int) -> Action:
    """The same launch with a client token of its own; ``attempt`` numbers the launches after the first.

    With the first one's token, RunInstances returns the first instance, which is terminated.
    """
    token = hashlib.sha256(f"{action.parameters['ClientToken']} {attempt}".encode()).hexdigest()
    return replace(action, parameters={**action.parameters, "ClientToken": token})


def instance_type(options: ProbeOptions, image: Image | None) -> str | None:
    """The instance type; None if the image has no default, or is not known yet."""
    return options.instance_type or (image.smallest_instance_type if image else None)


def deadline(options: ProbeOptions, now: datetime) -> datetime:
    """When a probe that begins now has ended in any case."""
    return now + timedelta(seconds=options.wait_timeout) + _MARGIN


def is_leftover(instance: Instance, image_ids: frozenset[str], now: datetime) -> bool:
    """Whether a probe's instance was left by a run that no longer exists, and may be terminated.

    Until the deadline in its tag, another run may be waiting for the instance, unless it is of one of this
    run's images: then it is from a killed run with the same images.
    """
    try:
        end = datetime.strptime(instance.tags.get(PROBE_TAG, ""), _TIME_FORMAT).replace(tzinfo=now.tzinfo)
    except ValueError:
        return True
    return instance.image_id in image_ids or end < now


def _token(target: Target, parameters: Mapping[str, Any], now: datetime) -> str:
    """A client token that differs in every run: EC2 keeps a token for a day after the instance's end.

    Source: EC2 Developer Guide, "Ensuring idempotency in Amazon EC2 API requests".
    """
    facts = [target.account_id, target.region, now.isoformat(timespec="microseconds"), parameters]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
