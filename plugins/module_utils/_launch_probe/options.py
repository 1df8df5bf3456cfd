# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_launch_probe``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .._model import Image, Target, used_by
from .._option import ACCOUNT_IDS, NUMBER, Problem, option
from .._option_groups import ConsumerRoleOptions, ImagesByTargetOptions, LaunchOptions, ProgressOptions
from .state import Probe


@dataclass(frozen=True, kw_only=True)
class ProbeOptions(ProgressOptions, LaunchOptions, ConsumerRoleOptions, ImagesByTargetOptions):
    """The options of ``ami_launch_probe``; ``wait_timeout`` is in seconds."""

    account_ids: tuple[str, ...] = option(ACCOUNT_IDS, required=True)
    wait_timeout: int = option(NUMBER, default=300)

    def instance_type_of(self, image: Image | None) -> str | None:
        """Return the instance type; None if the image has no default, or is not known yet."""
        return self.instance_type or (image.smallest_instance_type if image else None)

    def targets(self) -> tuple[Target, ...]:
        """Return every account and region to launch in, in a stable order."""
        return tuple(
            Target(account_id, region)
            for account_id in sorted(self.account_ids)
            for region in sorted(self.by_target.regions)
        )

    def probes_of(self, target: Target) -> tuple[Probe, ...]:
        """Return the probes of a target: the images of its region that its account uses."""
        images = {
            # An image of the account whose credentials are used has no account here.
            Target(account_id or "", region): image_id
            for (account_id, region), image_id in self.by_target.images.items()
            if region == target.region
        }
        used = {images[image] for image in used_by(target.account_id, images, self.account_ids)}
        return tuple(Probe(target, image_id) for image_id in sorted(used, key=str))

    def probes(self) -> tuple[Probe, ...]:
        """Return every image in every account, each in its own region, in a stable order."""
        return tuple(probe for target in self.targets() for probe in self.probes_of(target))

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        yield from self.image_problems()
        if not self.account_ids:
            yield Problem(
                "account_ids", "there are no accounts.", "List the accounts that launch the images."
            )
        if self.wait_timeout < 1:
            yield Problem(
                "wait_timeout",
                f"must be at least 1 second (got {self.wait_timeout}).",
                "Use a number of seconds such as 300.",
            )
        for target in self.targets():
            if self.network.subnet_id(target) is None:
                yield Problem(
                    "subnet_ids",
                    f"no subnet is set for {target.region} in account {target.account_id}.",
                    "Map the region to a subnet, or to a mapping of account to subnet.",
                )
