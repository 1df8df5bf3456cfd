# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_instance_refresh``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .._model import Target, used_by
from .._option import ACCOUNT_IDS, FLAG, NUMBER, TEXTS, Problem, choice, option
from .._option_groups import ConsumerRoleOptions, ImagesByTargetOptions, ProgressOptions, planned_image

IGNORE, REFRESH, TERMINATE = "ignore", "refresh", "terminate"
# botocore shape XmlStringMaxLen255, of names of groups and alarms.
_LONGEST_NAME = 255
# botocore shape AlarmSpecification.
_MOST_ALARMS = 10
# Option to its least and its largest number, None if only AWS limits it (botocore shape RefreshPreferences).
_RANGES: dict[str, tuple[int, int | None]] = {
    "bake_time": (0, 172_800),
    "instance_warmup": (0, None),
    "max_concurrent_groups": (1, None),
    "max_groups": (1, None),
    "max_healthy_percentage": (100, 200),
    "min_healthy_percentage": (0, 100),
    "wait_timeout": (1, None),
}


@dataclass(frozen=True, kw_only=True)
class RefreshOptions(ProgressOptions, ConsumerRoleOptions, ImagesByTargetOptions):
    """The options of ``ami_instance_refresh``; times are in seconds.

    Of ``min_healthy_percentage``, ``max_healthy_percentage``, ``instance_warmup`` and ``bake_time``, None is
    the default of AWS. Without ``scale_in_protected_instances`` and ``standby_instances``, a group with such
    instances that do not run the image is refused.
    """

    account_ids: tuple[str, ...] = option(ACCOUNT_IDS, required=True)
    auto_scaling_groups: tuple[str, ...] = option(TEXTS, required=True)
    min_healthy_percentage: int | None = option(NUMBER)
    max_healthy_percentage: int | None = option(NUMBER)
    instance_warmup: int | None = option(NUMBER)
    bake_time: int | None = option(NUMBER)
    alarms: tuple[str, ...] = option(TEXTS)
    auto_rollback: bool = option(FLAG, default=True)
    skip_matching: bool = option(FLAG, default=True)
    scale_in_protected_instances: str | None = option(choice(IGNORE, REFRESH))
    standby_instances: str | None = option(choice(IGNORE, TERMINATE))
    max_groups: int = option(NUMBER, default=10)
    max_concurrent_groups: int = option(NUMBER, default=1)
    wait_timeout: int = option(NUMBER, default=7200)

    def targets(self) -> dict[Target, str]:
        """Return the image of each account and region, in a stable order."""
        return {
            Target(account_id, region): images[0]
            for account_id in sorted(self.account_ids)
            for region in sorted(self.by_target.regions)
            if (images := self._images_of(account_id, region))
        }

    def _images_of(self, account_id: str, region: str) -> tuple[str, ...]:
        """Return the images that an account uses in a region: one, unless the options are not valid."""
        images = {
            # An image of the account whose credentials are used has no account here.
            Target(owner or "", of_region): image_id
            for (owner, of_region), image_id in self.by_target.images.items()
            if of_region == region and image_id
        }
        used = used_by(account_id, images, self.account_ids)
        return tuple(sorted({images[target] for target in used}))

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        yield from self.image_problems()
        if self.check_mode:
            for (_account_id, region), image_id in self.by_target.images.items():
                if image_id is None:
                    yield planned_image("images", region)
        if not self.account_ids:
            yield Problem("account_ids", "there are no accounts.", "List the accounts of the groups.")
        for account_id in self.account_ids:
            for region in self.by_target.regions:
                if len(images := self._images_of(account_id, region)) > 1:
                    yield Problem(
                        "images",
                        f"{account_id} has several in {region}: {', '.join(images)}.",
                        "Set one image for each account and region.",
                    )
        if not self.auto_scaling_groups:
            yield Problem(
                "auto_scaling_groups",
                "there are no groups.",
                "Name each group whose instances may be replaced. No value means all groups.",
            )
        yield from self._preference_problems()

    def _preference_problems(self) -> Iterator[Problem]:
        for name, (least, most) in _RANGES.items():
            number: Any = getattr(self, name)
            if number is None or (number >= least and (most is None or number <= most)):
                continue
            bound = f"{least} or greater" if most is None else f"from {least} to {most}"
            yield Problem(name, f"must be {bound} (got {number}).", "Correct the number.")
        lowest, highest = self.min_healthy_percentage, self.max_healthy_percentage
        if highest is not None and (lowest is None or highest - lowest > 100):
            yield Problem(
                "max_healthy_percentage",
                "it needs a min_healthy_percentage that is at most 100 below it.",
                "Set both, such as 100 and 110, which launches instances before it terminates others.",
            )
        if self.bake_time is not None and self.bake_time >= self.wait_timeout:
            yield Problem(
                "bake_time",
                f"it must be less than wait_timeout (got {self.bake_time} and {self.wait_timeout}).",
                "Set a larger wait_timeout: the refresh of a group takes longer than its bake_time.",
            )
        for name in ("alarms", "auto_scaling_groups"):
            for text in getattr(self, name):
                if len(text) > _LONGEST_NAME:
                    yield Problem(name, f"'{text}' is longer than {_LONGEST_NAME} characters.", "Correct it.")
        if len(self.alarms) > _MOST_ALARMS:
            yield Problem(
                "alarms",
                f"AWS takes at most {_MOST_ALARMS} (got {len(self.alarms)}).",
                "Use fewer, or a composite alarm.",
            )
