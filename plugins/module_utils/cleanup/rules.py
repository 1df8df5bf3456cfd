# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images the policy is about, and which of them it lets be retired."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from .state import OwnImage

# EC2 API Reference, Image, lastLaunchedTime: a launch is reported 24 hours after it.
LAUNCH_REPORTED_AFTER = timedelta(hours=24)

# A pending or transient image is on its way to another state; a deregistered one is gone.
STATES = ("available", "disabled", "failed")

BACKUP_TAG = "aws:backup:"
BACKUP_NAME = "AwsBackup_"


@dataclass(frozen=True)
class Rules:
    """What the user lets be retired: an image must pass every rule that is set."""

    keep_latest: int = 1
    allow_empty_family: bool = False
    max_age_days: int | None = None
    unused_for_days: int | None = None
    states: frozenset[str] = frozenset({"available", "disabled"})
    protect_tags: tuple[tuple[str, str | None], ...] = ()

    @property
    def latest(self) -> int:
        """How many images of a family stay in a region whatever else is said."""
        return self.keep_latest if self.allow_empty_family else max(1, self.keep_latest)


def considered(rules: Rules, own: OwnImage, disables: bool) -> bool:
    """Whether the policy is about the image, given that it has a family.

    A policy that ``disables`` images is about what it has disabled, too, to go on with it.
    """
    return own.image.state in rules.states or (disables and own.image.state == "disabled")


def kept(rules: Rules, own: OwnImage, is_latest: bool, now: datetime) -> Iterator[str]:
    """Every reason why the policy keeps the image, apart from its being used."""
    if is_latest:
        yield f"It is among the latest {rules.latest} of its family in this region."
    for key, value in rules.protect_tags:
        if key in own.image.tags and value in (None, own.image.tags[key]):
            yield f"The tag {key} protects it."
    yield from managed_elsewhere(own)
    if rules.max_age_days is not None and not _past(own.created, rules.max_age_days, now):
        yield f"It was made on {own.created:%Y-%m-%d}, not {rules.max_age_days} days ago."
    if rules.unused_for_days is not None:
        used = max(own.created, own.last_launched or own.created)
        # Launches of the last day are not reported yet: the days count up to then.
        if not _past(used, rules.unused_for_days, now - LAUNCH_REPORTED_AFTER):
            what = "launched" if used != own.created else "made"
            yield f"It was last {what} on {used:%Y-%m-%d}, not {rules.unused_for_days} days ago and a day."


def managed_elsewhere(own: OwnImage) -> Iterator[str]:
    """Images that EC2 refuses to deregister because another service keeps them.

    EC2 User Guide, "Deregister an Amazon EC2 AMI": not those of AWS Backup. AWS Backup Developer Guide: it
    names images ``AwsBackup_…`` and tags what it makes ``aws:backup:…``.
    """
    backup = own.image.name.startswith(BACKUP_NAME) or any(
        key.startswith(BACKUP_TAG) for key in own.image.tags
    )
    if own.alias == "aws-backup-vault" or backup:
        yield "AWS Backup manages it: delete its recovery point there."
    if own.alias == "aws-marketplace" or own.image.product_codes:
        yield "It is an image of AWS Marketplace: withdraw it there."


def _past(moment: datetime, days: int, now: datetime) -> bool:
    return moment + timedelta(days=days) <= now
