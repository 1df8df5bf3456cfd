# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_publish``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from .._model import Target
from .._option import (
    ACCOUNT_IDS,
    FLAG,
    IMAGE_ID,
    NUMBER,
    REGION,
    REGIONS,
    TEXT,
    Kind,
    Problem,
    Refuse,
    choice,
    option,
    tags,
    texts_like,
)
from .._option_groups import CONSUMERS, ConsumerRoleOptions, ProgressOptions, SharedCopiesOptions
from .._parameter_names import name_problem
from .._step_results import VERIFY_RESULT, CopyResult
from .._tags import MAX_TAGS
from .._wording import render_value

STANDARD, ADVANCED = "Standard", "Advanced"
# The versions of a launch template that a new one can be based on. Auto Scaling API Reference,
# LaunchTemplateSpecification, Version: groups launch from either, $Default and $Latest.
DEFAULT, LATEST = "default", "latest"
PRESENT, ABSENT = "present", "absent"
# What state: absent does not do, by the options that ask for it.
_NOT_TAKEN_BACK = (
    *("account_ids", "allow_empty_purge", "copy_result", "launch_template_base_version", "launch_templates"),
    *("parameter_tags", "publish_older", "publish_share_external", "publish_share_purge", "regions"),
    *("source_image_id", "source_region", "tier", "verify_result"),
)
EMPTY_PURGE = "without a consumer other than the owner in publish_share, all would lose the parameter."
# The role distribute purges, too, and has no variable for allow_empty_purge.
EMPTY_PURGE_REMEDY = (
    "List a consumer that keeps it, or turn the purge off. To take it back from all, use ami_publish with "
    "allow_empty_purge: true, or the role publish with publish_allow_empty_purge: true."
)
# botocore shape LaunchTemplateName, which the form of an ID, lt-0123456789abcdef0, matches too.
_TEMPLATE = re.compile(r"[a-zA-Z0-9().\-/_]{3,128}")
TEMPLATES = texts_like(
    _TEMPLATE,
    "is not a valid name of a launch template.",
    "Use 3 to 128 letters, digits and ().-/_, or an ID.",
)


def _read_parameter_tags(given: Any, refuse: Refuse) -> dict[str, str]:
    """Return tags that a parameter can have, with fewer characters than the tags of images."""
    read = tags().value(given, refuse)
    for key, value in read.items():
        if not _is_tag_text(key + value):
            refuse(
                f"{render_value({key: value})} is not a valid tag of a parameter.",
                "Use letters, digits, spaces and _ . : / = + - @ only.",
            )
    if len(read) > MAX_TAGS:
        refuse(f"there are {len(read)} tags; a parameter can have {MAX_TAGS}.", "Use fewer tags.")
    return read


def _is_tag_text(text: str) -> bool:
    """Whether a tag of a parameter can have these characters (botocore shapes TagKey and TagValue of SSM)."""
    return all(character in "_.:/=+-@" or unicodedata.category(character)[0] in "LNZ" for character in text)


@dataclass(frozen=True, kw_only=True)
class PublishOptions(ProgressOptions, ConsumerRoleOptions, SharedCopiesOptions):
    """The options of ``ami_publish``.

    Without images, each of ``regions`` goes back to the image that has the label of ``source_image_id``.
    Images of other regions than those of ``verify_result`` are left out; if it has verified none, nothing is
    published. It is None without a verification.
    ``launch_template_base_version`` is ``DEFAULT``, ``LATEST``, or None if both must give the same new
    version. ``publish_older`` allows an image whose original source is older than that of the published one.
    The own account's parameter is shared with ``publish_share``, which may be outside of the organization
    with ``publish_share_external``. With ``publish_share_purge``, nobody else stays in its resource share.
    With ``state`` ``ABSENT``, nothing is published: where the parameter names the image, ``publish_share``
    are removed from its resource share.
    A failure in ``best_effort_regions`` neither stops the other regions nor fails the task.
    """

    argument_rules = MappingProxyType(
        {
            "mutually_exclusive": [("images", "image_id", "copy_result")],
            "required_by": {"share_result": ("copy_result",), "consumer_copy_result": ("copy_result",)},
        }
    )

    account_ids: tuple[str, ...] = option(ACCOUNT_IDS)
    state: str = option(choice(PRESENT, ABSENT), default=PRESENT)
    parameter: str = option(Kind(TEXT.spec, lambda given, _refuse: (given or "").strip()), required=True)
    tier: str | None = option(choice(STANDARD, ADVANCED, "Intelligent-Tiering"))
    parameter_tags: Mapping[str, str] = option(Kind(tags().spec, _read_parameter_tags))
    publish_share: tuple[str, ...] = option(CONSUMERS)
    publish_share_external: bool = option(FLAG)
    publish_share_purge: bool = option(FLAG)
    allow_empty_purge: bool = option(FLAG)
    launch_templates: tuple[str, ...] = option(TEMPLATES)
    launch_template_base_version: str | None = option(choice(DEFAULT, LATEST))
    # An empty text counts as not set.
    source_image_id: str | None = option(
        Kind(IMAGE_ID.spec, lambda given, refuse: IMAGE_ID.value(given or None, refuse))
    )
    source_region: str | None = option(REGION)
    regions: tuple[str, ...] = option(REGIONS)
    verify_result: tuple[str, ...] | None = option(VERIFY_RESULT)
    best_effort_regions: tuple[str, ...] = option(REGIONS)
    publish_older: bool = option(FLAG)
    require_shared: bool = option(FLAG, default=True)
    wait_timeout: int = option(NUMBER, default=300)

    def with_results(self) -> PublishOptions:
        """Return the options with the images of earlier steps that can be published, and their source."""
        options = super().with_results()
        if options.copy_result:
            options = options._with_source(options.copy_result)
        return options if options.verify_result is None else options._in(options.verify_result)

    def _with_source(self, copies: CopyResult) -> PublishOptions:
        """Return the options with the source of the copies, and without accounts that AWS has rejected.

        Rejected accounts fail the task that shares the copies, and do not stop the publication in the others.
        """
        rejected = self.rejected_account_ids
        share = tuple(item for item in self.publish_share if item not in rejected)
        # Without this option, publish_share need not name anybody.
        external = self.publish_share_external and bool(share or not self.publish_share)
        return replace(
            self,
            source_image_id=self.source_image_id or copies.source_image_id,
            source_region=self.source_region or copies.source_region,
            account_ids=tuple(item for item in self.account_ids if item not in rejected),
            publish_share=share,
            publish_share_external=external,
        )

    def _in(self, regions: Collection[str]) -> PublishOptions:
        """Return the options with the images in these regions; a rollback has no images."""
        if self.is_rollback:
            return self
        images = self.by_target.images.items()
        return replace(
            self, image_id=None, images={target: image for target, image in images if target[1] in regions}
        )

    def for_account(self, account_id: str, own_account_id: str) -> PublishOptions:
        """Return the options for the parameter of an account: only that of the own account is shared.

        It is an advanced one then, since others cannot be shared. Its owner needs no share.
        """
        if account_id != own_account_id:
            return replace(self, publish_share=(), publish_share_purge=False)
        share = tuple(item for item in self.publish_share if item != own_account_id)
        return replace(self, publish_share=share, tier=ADVANCED if share else self.tier)

    @property
    def purges_share(self) -> bool:
        """Whether consumers that are not named lose the parameter.

        One that AWS has rejected in an earlier task is named: nobody loses it then.
        """
        return self.publish_share_purge and not self.rejected_account_ids

    @property
    def rejected_account_ids(self) -> frozenset[str]:
        """Return the accounts that AWS has rejected in an earlier task."""
        return frozenset(self.share_result.rejected_account_ids if self.share_result else ())

    @property
    def named_consumers(self) -> frozenset[str]:
        """Return those who may have the parameter: also named accounts that AWS has rejected."""
        return self.rejected_account_ids.union(self.publish_share)

    @property
    def changes_share(self) -> bool:
        """Whether the resource share of the parameter is read and may change."""
        return bool(self.publish_share) or self.publish_share_purge

    @property
    def takes_back(self) -> bool:
        """Whether consumers lose the parameter, and nothing is published."""
        return self.state == ABSENT

    @property
    def is_empty_purge(self) -> bool:
        """Whether all consumers would lose the parameter, without the option that allows it."""
        return self.purges_share and not self.publish_share and not self.allow_empty_purge

    @property
    def is_rollback(self) -> bool:
        """Whether the images are selected by the label of an earlier distribution."""
        return not self.names_images

    @property
    def is_unverified(self) -> bool:
        """Whether nothing is published because an earlier task has verified the images in no region."""
        return self.verify_result == () and not self.is_rollback

    @property
    def region_option(self) -> str:
        """Return the option that names the regions."""
        return "regions" if self.is_rollback else super().region_option

    @property
    def as_if_shared(self) -> bool:
        """Whether the plan is for images that will be shared when it is performed."""
        return self.check_mode and not self.require_shared

    @property
    def all_regions(self) -> tuple[str, ...]:
        """Return the regions, each once, sorted."""
        return tuple(sorted(set(self.regions if self.is_rollback else self.by_target.regions)))

    def targets(self, own_account_id: str) -> dict[Target, str | None]:
        """Return the image to publish by target; None is a planned image, or one that is known by its label.

        A named account without an own image in a region gets the image of the own account there.
        """
        if self.is_rollback:
            own: dict[Target, str | None] = dict.fromkeys(
                Target(own_account_id, region) for region in self.regions
            )
        else:
            own = self.by_target.targets(own_account_id)
        shared = {
            Target(account_id, target.region): image_id
            for account_id in self.account_ids
            for target, image_id in own.items()
            if target.account_id == own_account_id
        }
        return {**shared, **own}

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        if self.names_images:
            yield from self.image_problems()
            yield from self._problems_of_results()
        problem, remedy = name_problem(self.parameter, self.all_regions)
        if problem:
            yield Problem("parameter", problem, remedy)
        if self.wait_timeout < 0:
            yield Problem(
                "wait_timeout",
                f"must be 0 or greater (got {self.wait_timeout}).",
                "Use a number of seconds such as 300.",
            )
        if self.takes_back:
            yield from self._taking_back_problems()
            return
        if self.publish_share and self.tier not in (None, ADVANCED):
            yield Problem(
                "tier",
                f"a parameter of the tier {self.tier} cannot be shared (publish_share).",
                "Remove it, or set tier: Advanced, which AWS charges for.",
            )
        if self.publish_share_external and not self.publish_share:
            yield Problem(
                "publish_share_external",
                "publish_share names nobody to share the parameter with.",
                "Name them, or remove it.",
            )
        if self.is_empty_purge:
            yield Problem("publish_share_purge", EMPTY_PURGE, EMPTY_PURGE_REMEDY)
        if self.names_images and self.regions:
            yield Problem(
                "regions",
                "they select a rollback, and images select what to publish.",
                "Remove one of them.",
            )
        if self.is_rollback:
            yield from self._rollback_problems()

    def _taking_back_problems(self) -> Iterator[Problem]:
        """Yield what ``state`` ``ABSENT`` lacks, or does not take."""
        if not self.names_images:
            yield Problem("images", "there are no images.", "Set those that the parameter names.")
        if any(account_id is not None for account_id, _region in self.by_target.images):
            yield Problem(
                "images",
                "with state: absent, they are those of the account whose credentials are used.",
                "Map each region to an AMI ID.",
            )
        if not self.publish_share:
            yield Problem(
                "publish_share",
                "names nobody who loses the parameter.",
                "Name them. state: absent does not delete the parameter; aws ssm delete-parameter does.",
            )
        for name in _NOT_TAKEN_BACK:
            # With a verification of no region, nothing would be done.
            if getattr(self, name) or (name == "verify_result" and self.verify_result is not None):
                yield Problem(name, "excluded by state: absent, which publishes nothing.", "Remove it.")

    def _problems_of_results(self) -> Iterator[Problem]:
        """Yield the problem if no image of earlier steps is left."""
        if self.verify_result is None:
            yield from self.copy_problems()
        elif self.verify_result and not self.by_target.images:
            yield Problem(
                "verify_result",
                "no image is in any of its verified regions.",
                "Pass the result of the task that has verified these images, or remove it.",
            )

    def _rollback_problems(self) -> Iterator[Problem]:
        """Yield the options that a rollback needs and lacks."""
        if self.source_image_id and not self.regions:
            yield Problem("regions", "must contain at least one region (got []).", "Add a region.")
        elif self.regions and not self.source_image_id:
            yield Problem(
                "source_image_id",
                "it is required to roll back.",
                "Set the source of the copies that were published before, or set the option images.",
            )
        elif not self.source_image_id:
            yield Problem(
                "images",
                "there are no images.",
                "Set images to publish them, or source_image_id and regions to roll back.",
            )
