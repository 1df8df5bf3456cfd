# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted and seen of launch probes, and the one request that each of them is."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..failures import Failure
from ..model import (
    SMALLEST_INSTANCE_TYPES,
    ConsumerRole,
    Image,
    ImagesByTarget,
    Instance,
    Network,
    Target,
    used_by,
)
from ..tags import OWN_TAG_PREFIX, tag_list

PROBE_TAG = OWN_TAG_PREFIX + "probe"
# What launching, terminating and AWS's eventual consistency may take beside the waiting.
_MARGIN = timedelta(minutes=5)
_SECONDS = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, order=True)
class Probe:
    """One image that one account is to launch; an id of None is that of a copy that is only planned."""

    target: Target
    image_id: str | None


@dataclass(frozen=True)
class ProbeWanted:
    """What the user asked ``ami_launch_probe`` for; ``wait_timeout`` is in seconds.

    ``only_planned`` says that nothing will be launched.
    """

    images: ImagesByTarget
    account_ids: tuple[str, ...]
    network: Network
    instance_type: str | None = None
    wait_timeout: int = 300
    consumer_role: ConsumerRole | None = None
    only_planned: bool = False

    def targets(self) -> tuple[Target, ...]:
        """Every place where something is launched, in a stable order."""
        return tuple(
            Target(account_id, region)
            for account_id in sorted(self.account_ids)
            for region in sorted(self.images.regions)
        )

    def probes_of(self, target: Target) -> tuple[Probe, ...]:
        """What is launched in a place: the images of its region that its account is to use."""
        there = {
            # An image of the account whose credentials are used has no account here.
            Target(account_id or "", region): image_id
            for (account_id, region), image_id in self.images.images.items()
            if region == target.region
        }
        found = {there[place] for place in used_by(target.account_id, there, self.account_ids)}
        return tuple(Probe(target, image_id) for image_id in sorted(found, key=str))

    def probes(self) -> tuple[Probe, ...]:
        """Every image in every account, each in its own region, in a stable order."""
        return tuple(probe for target in self.targets() for probe in self.probes_of(target))


@dataclass(frozen=True)
class ProbeSeen:
    """What the accounts see: their images, instances of probes, and why something could not be read.

    ``images`` has None for an image that the account does not see.
    """

    account_id: str
    partition: str
    now: datetime
    images: Mapping[Probe, Image | None] = field(default_factory=dict)
    instances: Mapping[Target, tuple[Instance, ...]] = field(default_factory=dict)
    problems: Mapping[Target, Failure] = field(default_factory=dict)


def deadline(wanted: ProbeWanted, now: datetime) -> datetime:
    """When a probe that begins now is over, whatever becomes of it."""
    return now + timedelta(seconds=wanted.wait_timeout) + _MARGIN


def is_leftover(instance: Instance, image_ids: frozenset[str], now: datetime) -> bool:
    """Whether the run that an instance belongs to is no more.

    Its tag says when that run is over. Before, another run may be waiting for it, if not for the same image:
    that one is this run's predecessor.
    """
    try:
        over = datetime.strptime(instance.tags.get(PROBE_TAG, ""), _SECONDS).replace(tzinfo=now.tzinfo)
    except ValueError:
        return True
    return instance.image_id in image_ids or over < now


def request(wanted: ProbeWanted, probe: Probe, image: Image | None, now: datetime) -> dict[str, Any]:
    """The parameters of RunInstances (botocore shape ``RunInstancesRequest``).

    Volumes and network interface end with the instance, whatever the image says. The instance has no public
    address and no role, and shuts itself down at the deadline should nobody else be left to do it.
    """
    over = deadline(wanted, now)
    tags = tag_list({PROBE_TAG: over.strftime(_SECONDS)})
    groups = wanted.network.group_ids(probe.target)
    parameters: dict[str, Any] = {
        "ImageId": probe.image_id,
        "InstanceInitiatedShutdownBehavior": "terminate",
        "InstanceType": instance_type(wanted, image),
        "MaxCount": 1,
        "MetadataOptions": {"HttpTokens": "required"},
        "MinCount": 1,
        "NetworkInterfaces": [
            {
                "AssociatePublicIpAddress": False,
                "DeleteOnTermination": True,
                "DeviceIndex": 0,
                "SubnetId": wanted.network.subnet_id(probe.target),
                **({"Groups": list(groups)} if groups else {}),
            }
        ],
        "TagSpecifications": [
            {"ResourceType": kind, "Tags": tags} for kind in ("instance", "network-interface", "volume")
        ],
        "UserData": f"#!/bin/sh\nshutdown -h +{math.ceil((over - now).total_seconds() / 60)}\n",
    }
    if image is not None and image.devices:
        parameters["BlockDeviceMappings"] = [
            {"DeviceName": device.name, "Ebs": {"DeleteOnTermination": True}} for device in image.devices
        ]
    return {**parameters, "ClientToken": _token(probe.target, parameters, now)}


def instance_type(wanted: ProbeWanted, image: Image | None) -> str | None:
    """The type to launch, None if the image's architecture has no smallest one here or is not known yet."""
    return wanted.instance_type or (SMALLEST_INSTANCE_TYPES.get(image.architecture) if image else None)


def _token(target: Target, parameters: Mapping[str, Any], now: datetime) -> str:
    """A client token for one run: AWS remembers it for a day after the instance's end.

    (EC2 Developer Guide, "Ensuring idempotency in Amazon EC2 API requests".)
    """
    facts = [target.account_id, target.region, now.isoformat(timespec="microseconds"), parameters]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
