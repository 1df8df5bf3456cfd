# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted and seen of launch probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..failures import Failure
from ..model import ConsumerRole, Image, ImagesByTarget, Instance, Network, Target, used_by


@dataclass(frozen=True, order=True)
class Probe:
    """One image that one account launches. The ID is None for a copy that is only planned."""

    target: Target
    image_id: str | None


@dataclass(frozen=True)
class ProbeWanted:
    """What the user asked ``ami_launch_probe`` for; ``wait_timeout`` is in seconds.

    ``only_planned`` means check mode: nothing is launched.
    """

    images: ImagesByTarget
    account_ids: tuple[str, ...]
    network: Network
    launch_tags: Mapping[str, str] = field(default_factory=dict)
    instance_type: str | None = None
    wait_timeout: int = 300
    consumer_role: ConsumerRole | None = None
    only_planned: bool = False

    def targets(self) -> tuple[Target, ...]:
        """Every account and region to launch in, in a stable order."""
        return tuple(
            Target(account_id, region)
            for account_id in sorted(self.account_ids)
            for region in sorted(self.images.regions)
        )

    def probes_of(self, target: Target) -> tuple[Probe, ...]:
        """What is launched in a target: the images of its region that its account uses."""
        there = {
            # An image of the account whose credentials are used has no account here.
            Target(account_id or "", region): image_id
            for (account_id, region), image_id in self.images.images.items()
            if region == target.region
        }
        found = {there[one] for one in used_by(target.account_id, there, self.account_ids)}
        return tuple(Probe(target, image_id) for image_id in sorted(found, key=str))

    def probes(self) -> tuple[Probe, ...]:
        """Every image in every account, each in its own region, in a stable order."""
        return tuple(probe for target in self.targets() for probe in self.probes_of(target))


@dataclass(frozen=True)
class ProbeSeen:
    """What was read at the time ``now``: the accounts' images, and the instances of earlier probes.

    ``images`` has None for an image that is not visible in the account. ``problems`` says which targets could
    not be read.
    """

    account_id: str
    partition: str
    now: datetime
    images: Mapping[Probe, Image | None] = field(default_factory=dict)
    instances: Mapping[Target, tuple[Instance, ...]] = field(default_factory=dict)
    problems: Mapping[Target, Failure] = field(default_factory=dict)


@dataclass(frozen=True)
class Cause:
    """Why an image does not run in an account: the code of the finding, and the failure."""

    code: str
    failure: Failure
