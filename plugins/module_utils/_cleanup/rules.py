# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of a cleanup policy: the images that they apply to, and the images that they keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from .._tags import RECALLED_TAG, describe_recall
from .options import CleanupOptions, Tags
from .stages import RESTORE_TAG
from .state import OwnImage

# EC2 API Reference, Image, lastLaunchedTime: a launch is reported 24 hours after it.
LAUNCH_REPORTED_AFTER = timedelta(hours=24)


def is_evaluated(options: CleanupOptions, own: OwnImage) -> bool:
    """Whether the policy applies to the image, provided that it has a family.

    A policy that disables images also applies to disabled images: their next stage follows.
    """
    disables = options.disable_after_days is not None
    return own.image.state in options.states or (disables and own.image.state == "disabled")


def find_protecting_keys(tags: Mapping[str, str], protect_tags: Tags) -> Iterator[str]:
    """Yield the keys of the ``tags`` that protect an image or snapshot."""
    return (key for key, value in protect_tags if key in tags and value in (None, tags[key]))


def list_keep_reasons(
    options: CleanupOptions, own: OwnImage, is_latest: bool, now: datetime
) -> Iterator[str]:
    """Yield the reasons of the rules to keep the image; its use is no rule."""
    if is_latest:
        yield f"It is among the latest {options.latest} of its family in this region."
    for key in find_protecting_keys(own.image.tags, options.protect_tags):
        yield f"The tag {key} protects it."
    if RESTORE_TAG in own.image.tags:
        yield "It is being restored, or its restore is incomplete: run restore_ami again to complete it."
    if recall := describe_recall(own.image.tags):
        # A block leaves it without permissions. Without the image, its recall could not be taken back.
        yield f"It {recall}: take the recall back, or remove the tag {RECALLED_TAG}."
    if own.alias == "aws-marketplace":
        yield "It is an AWS Marketplace image: remove it in AWS Marketplace."
    if own.created is None:
        yield "AWS reports no creation date for it."
        return
    if options.max_age_days is not None and not _is_past(own.created, options.max_age_days, now):
        yield f"It was created on {own.created:%Y-%m-%d}, less than {options.max_age_days} days ago."
    if options.unused_for_days is not None:
        used = max(own.created, own.last_launched or own.created)
        # AWS has not reported the launches of the last day yet: the days end before it.
        if not _is_past(used, options.unused_for_days, now - LAUNCH_REPORTED_AFTER):
            event = "last launched" if used != own.created else "created"
            days = options.unused_for_days + LAUNCH_REPORTED_AFTER.days
            yield (
                f"It was {event} on {used:%Y-%m-%d}, less than {days} days ago; a day is added because AWS "
                "reports launches late."
            )


def _is_past(moment: datetime, days: int, now: datetime) -> bool:
    return moment + timedelta(days=days) <= now
