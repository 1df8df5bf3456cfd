# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_share``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

from .._model import Sharing
from .._option import (
    FLAG,
    REGION,
    REGIONS,
    TEXT,
    TEXTS,
    Problem,
    choice,
    option,
    tags,
    texts_by_region,
)
from .._option_groups import ImageOptions, SharedImageOptions, planned_image
from .._step_results import (
    GRANT_RESULTS,
    SHARE_RESULT,
    GrantResult,
    ShareResult,
)
from .._tags import SHARED_PREFIX

_SNAPSHOT_ID = re.compile(r"snap-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_SNAPSHOTS = texts_by_region(_SNAPSHOT_ID, "snapshot ID", "Map each region to a list of snapshot IDs.")
# The role distribute purges, too, and has no variable for allow_empty_purge.
EMPTY_PURGE_REMEDY = (
    "List a consumer that keeps access, or turn the purge off. To unshare from every account, use ami_share "
    "with allow_empty_purge: true."
)


@dataclass(frozen=True, kw_only=True)
class ShareOptions(SharedImageOptions, ImageOptions):
    """The options of ``ami_share``.

    An image that is None is a copy that check mode only planned, of ``source_image_id`` in
    ``source_region`` if set. With ``snapshot_ids``, only the permissions of these snapshots change.
    ``snapshots`` are unshared without an image. ``copy_result`` has the images and their source.
    ``grant_results`` show who can use the keys; regions and accounts that failed in them are left out, and so
    are regions that failed in ``share_result``, of an earlier task for the same copies. What fails in
    ``best_effort_regions`` neither stops the others nor fails the task, nor does the rejection of a consumer
    with ``best_effort_consumers``.
    """

    argument_rules = MappingProxyType(
        {
            "mutually_exclusive": [("images", "image_id", "snapshots", "copy_result")],
            "required_one_of": [("images", "image_id", "snapshots", "copy_result")],
            "required_together": [("source_image_id", "source_region")],
            "required_by": {"share_result": ("copy_result",), "consumer_copy_result": ("copy_result",)},
        }
    )

    group: str | None = option(choice("all"))
    allow_public: bool = option(FLAG)
    purge_launch_permissions: bool = option(FLAG)
    allow_empty_purge: bool = option(FLAG)
    share_snapshots: bool = option(FLAG, default=True)
    snapshot_ids: tuple[str, ...] = option(TEXTS)
    snapshots: Mapping[str, tuple[str, ...]] = option(_SNAPSHOTS)
    shared_tags: Mapping[str, str] = option(tags(SHARED_PREFIX))
    grant_results: tuple[GrantResult, ...] = option(GRANT_RESULTS)
    share_result: ShareResult | None = option(SHARE_RESULT)
    source_image_id: str | None = option(TEXT)
    source_region: str | None = option(REGION)
    best_effort_regions: tuple[str, ...] = option(REGIONS)
    best_effort_consumers: bool = option(FLAG)

    @cached_property
    def by_region(self) -> Mapping[str, str | None]:
        """Return the images of the regions in which no earlier task failed."""
        images = self.copy_result.images if self.copy_result else super().by_region
        return {region: image for region, image in images.items() if region not in self.failed_regions}

    @property
    def region_option(self) -> str:
        """Return the option that names the regions."""
        if self.copy_result:
            return "copy_result"
        return "snapshots" if self.snapshots else super().region_option

    @cached_property
    def failed_regions(self) -> frozenset[str]:
        """Return the regions in which earlier tasks failed to give access to keys, or to share the image."""
        shared = self.share_result.failed_regions if self.share_result else ()
        return frozenset().union(*(result.failed_regions for result in self.grant_results), shared)

    @cached_property
    def rejected_account_ids(self) -> frozenset[str]:
        """Return the accounts that KMS has rejected."""
        return frozenset().union(*(result.rejected_account_ids for result in self.grant_results))

    @property
    def source(self) -> tuple[str, str] | None:
        """Return the ID and the region of the image that planned copies will be copies of."""
        image_id, region = self.source_image_id, self.source_region
        if self.copy_result:
            image_id, region = self.copy_result.source_image_id, self.copy_result.source_region
        return (image_id, region) if image_id and region else None

    @property
    def purges(self) -> bool:
        """Whether consumers that are not named lose access.

        One that KMS has rejected is named: it keeps the launch permissions that it has.
        """
        return self.purge_launch_permissions and not self.rejected_account_ids

    @cached_property
    def sharing(self) -> Sharing:
        """Return the consumers that are named, other than those that KMS has rejected."""
        named = self.consumers - Sharing(self.rejected_account_ids)
        return replace(named, public=self.group == "all")

    @property
    def changes_snapshots(self) -> bool:
        """Whether permissions of snapshots are read and changed: without ``share_snapshots``, by a purge."""
        return self.share_snapshots or self.purges

    def is_usable(self, key_arn: str) -> bool:
        """Whether earlier tasks have found that all named consumers can use a key."""
        return any(
            key_arn in result.users and self.sharing.names <= result.users[key_arn]
            for result in self.grant_results
        )

    def has_usable_keys(self, region: str) -> bool:
        """Whether earlier tasks have found that all named consumers can use the keys of the region's copy."""
        if self.copy_result is None or self.copy_result.has_pending:
            return False
        key_arns = self.copy_result.kms_key_arns.get(region, ())
        return bool(key_arns) and all(map(self.is_usable, key_arns))

    def users_of(self, key_arn: str) -> frozenset[str]:
        """Return the consumers of which earlier tasks have found that they can use a key."""
        return frozenset().union(*(result.users.get(key_arn, ()) for result in self.grant_results))

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        if self.copy_result:
            yield from self._planned_copies()
        elif not self.snapshots:
            yield from self.image_problems()
        if self.sharing.public and self.present and not self.allow_public:
            yield Problem("group", "'all' makes the image public.", "Set allow_public: true to confirm.")
        if not self.present and self.purge_launch_permissions:
            yield Problem(
                "purge_launch_permissions",
                "it cannot be combined with state: absent.",
                "Remove one of them.",
            )
        yield from self.owner_problems()
        if not self.present and not self.sharing:
            yield Problem(
                "account_ids",
                "state: absent needs at least one consumer.",
                "Set the consumers to unshare from, or group: all.",
            )
        if self.snapshot_ids and (self.present or not self.share_snapshots):
            yield Problem(
                "snapshot_ids",
                "single snapshots can only be unshared.",
                "Set state: absent and share_snapshots: true. Snapshots are shared together with their "
                "image.",
            )
        if self.snapshots and (self.present or self.snapshot_ids or not self.share_snapshots):
            yield Problem(
                "snapshots",
                "snapshots without an image can only be unshared.",
                "Set state: absent and share_snapshots: true, and remove snapshot_ids.",
            )
        if self.present and self.purges and not self.sharing and not self.allow_empty_purge:
            yield Problem(
                "purge_launch_permissions",
                "without a consumer it would unshare the image from every account.",
                EMPTY_PURGE_REMEDY,
            )

    def _planned_copies(self) -> Iterator[Problem]:
        """Yield the copies that do not exist yet, outside check mode."""
        if not self.check_mode:
            for region, image_id in self.by_region.items():
                if image_id is None:
                    yield planned_image("copy_result", region)
