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

from ..model import Sharing
from ..option import (
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
from ..option_groups import ConsumerOptions, ImageOptions
from ..step_results import GRANT_RESULTS, GrantResult
from ..tags import SHARED_PREFIX

_SNAPSHOT_ID = re.compile(r"snap-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_SNAPSHOTS = texts_by_region(_SNAPSHOT_ID, "snapshot ID", "Map each region to a list of snapshot IDs.")


@dataclass(frozen=True, kw_only=True)
class ShareOptions(ConsumerOptions, ImageOptions):
    """The options of ``ami_share``.

    An image that is None is a copy that check mode only planned, of ``source_image_id`` in
    ``source_region`` if set. With ``snapshot_ids``, only the permissions of these snapshots change.
    ``snapshots`` are unshared without an image. ``grant_results`` show who can use the keys. What fails in
    ``best_effort_regions`` neither stops the others nor fails the task.
    """

    argument_rules = MappingProxyType(
        {
            "mutually_exclusive": [("images", "image_id", "snapshots")],
            "required_one_of": [("images", "image_id", "snapshots")],
            "required_together": [("source_image_id", "source_region")],
        }
    )

    group: str | None = option(choice("all"))
    allow_public: bool = option(FLAG)
    state: str = option(choice("present", "absent"), default="present")
    purge_launch_permissions: bool = option(FLAG)
    allow_empty_purge: bool = option(FLAG)
    share_snapshots: bool = option(FLAG, default=True)
    snapshot_ids: tuple[str, ...] = option(TEXTS)
    snapshots: Mapping[str, tuple[str, ...]] = option(_SNAPSHOTS)
    shared_tags: Mapping[str, str] = option(tags(SHARED_PREFIX))
    grant_results: tuple[GrantResult, ...] = option(GRANT_RESULTS)
    source_image_id: str | None = option(TEXT)
    source_region: str | None = option(REGION)
    best_effort_regions: tuple[str, ...] = option(REGIONS)

    @property
    def present(self) -> bool:
        """Whether access is added and not removed."""
        return self.state == "present"

    @cached_property
    def sharing(self) -> Sharing:
        """Return the consumers that are named."""
        return replace(self.consumers, public=self.group == "all")

    @property
    def changes_snapshots(self) -> bool:
        """Whether permissions of snapshots are read and changed: without ``share_snapshots``, by a purge."""
        return self.share_snapshots or self.purge_launch_permissions

    def is_usable(self, key_arn: str) -> bool:
        """Whether earlier tasks have found that all named consumers can use a key."""
        return any(
            key_arn in result.users and self.sharing.names <= result.users[key_arn]
            for result in self.grant_results
        )

    def users_of(self, key_arn: str) -> frozenset[str]:
        """Return the consumers of which earlier tasks have found that they can use a key."""
        return frozenset().union(*(result.users.get(key_arn, ()) for result in self.grant_results))

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        if not self.snapshots:
            yield from self.image_problems()
        if self.sharing.public and self.present and not self.allow_public:
            yield Problem("group", "'all' makes the image public.", "Set allow_public: true to confirm.")
        if not self.present and self.purge_launch_permissions:
            yield Problem(
                "purge_launch_permissions",
                "it cannot be combined with state: absent.",
                "Remove one of them.",
            )
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
        if self.present and self.purge_launch_permissions and not self.sharing and not self.allow_empty_purge:
            yield Problem(
                "purge_launch_permissions",
                "without a consumer it would unshare the image from every account.",
                "Set the consumers that keep access, or allow_empty_purge: true.",
            )
