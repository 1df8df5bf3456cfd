# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of a cleanup policy: which images they apply to, which they keep, and how many may be deleted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from .stages import RESTORE_TAG
from .state import OwnImage

# EC2 API Reference, Image, lastLaunchedTime: a launch is reported 24 hours after it.
LAUNCH_REPORTED_AFTER = timedelta(hours=24)

# Tag keys, each with a value, or None for any value.
Tags: TypeAlias = "tuple[tuple[str, str | None], ...]"

_PERCENT = re.compile(r"([0-9]{1,2}|100)\s*%")


@dataclass(frozen=True)
class Rules:
    """The rules of the policy: an image is retired only if every rule that is set allows it."""

    keep_latest: int = 1
    allow_empty_family: bool = False
    max_age_days: int | None = None
    unused_for_days: int | None = None
    states: frozenset[str] = frozenset({"available", "disabled"})
    protect_tags: Tags = ()

    @property
    def latest(self) -> int:
        """How many images of a family stay in a region, whatever the other rules allow."""
        return self.keep_latest if self.allow_empty_family else max(1, self.keep_latest)


@dataclass(frozen=True)
class Limit:
    """The most images that one run may retire: ``count``, or else ``percent`` of the images evaluated.

    An image that is disabled counts like one that is deregistered: both end its launches at once.
    """

    count: int | None = None
    percent: int = 10

    def allows(self, deletions: int, evaluated: int) -> bool:
        """Whether so many deletions are within the limit. A percentage of a few images can allow none."""
        if self.count is not None:
            return deletions <= self.count
        return deletions * 100 <= self.percent * evaluated

    def of(self, evaluated: int) -> str:
        """The limit, with the number of images that a percentage allows of those that were evaluated."""
        if self.count is not None:
            return str(self)
        return f"{self} ({self.percent * evaluated // 100} of {evaluated})"

    def __str__(self) -> str:
        return str(self.count) if self.count is not None else f"{self.percent}%"


def parse_limit(value: object) -> Limit | None:
    """Parse ``3``, ``"3"`` or ``"50%"``; None for anything else."""
    text = str(value).strip()
    if text.isascii() and text.isdigit():
        return Limit(count=int(text))
    match = _PERCENT.fullmatch(text)
    return Limit(percent=int(match[1])) if match else None


def is_evaluated(rules: Rules, own: OwnImage, disables: bool) -> bool:
    """Whether the policy applies to the image, provided that it has a family.

    A policy that ``disables`` images also applies to disabled images: their next stage follows.
    """
    return own.image.state in rules.states or (disables and own.image.state == "disabled")


def protecting_keys(tags: Mapping[str, str], protect_tags: Tags) -> Iterator[str]:
    """The keys of those ``tags`` of an image or snapshot that protect it."""
    return (key for key, value in protect_tags if key in tags and value in (None, tags[key]))


def kept(rules: Rules, own: OwnImage, is_latest: bool, now: datetime) -> Iterator[str]:
    """Every reason why the rules keep the image, apart from its use."""
    if is_latest:
        yield f"It is among the latest {rules.latest} of its family in this region."
    for key in protecting_keys(own.image.tags, rules.protect_tags):
        yield f"The tag {key} protects it."
    if RESTORE_TAG in own.image.tags:
        yield "It is being restored, or its restore is incomplete: run restore_ami again to complete it."
    if own.alias == "aws-marketplace":
        yield "It is an AWS Marketplace image: remove it in AWS Marketplace."
    if own.created is None:
        yield "AWS reports no creation date for it."
        return
    if rules.max_age_days is not None and not _past(own.created, rules.max_age_days, now):
        yield f"It was created on {own.created:%Y-%m-%d}, less than {rules.max_age_days} days ago."
    if rules.unused_for_days is not None:
        used = max(own.created, own.last_launched or own.created)
        # AWS has not reported the launches of the last day yet: the days end before it.
        if not _past(used, rules.unused_for_days, now - LAUNCH_REPORTED_AFTER):
            what = "last launched" if used != own.created else "created"
            days = rules.unused_for_days + LAUNCH_REPORTED_AFTER.days
            yield (
                f"It was {what} on {used:%Y-%m-%d}, less than {days} days ago; a day is added because AWS "
                "reports launches late."
            )


def _past(moment: datetime, days: int, now: datetime) -> bool:
    return moment + timedelta(days=days) <= now
