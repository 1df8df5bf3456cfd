# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_share``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from ..model import Grant, KeySeen, Sharing
from ..option import (
    FLAG,
    REGION,
    REGIONS,
    TEXT,
    TEXTS,
    Kind,
    Problem,
    Refuse,
    choice,
    option,
    tags,
    texts_by_region,
)
from ..option_groups import ConsumerOptions, ImageOptions
from ..structure import as_list
from ..tags import SHARED_PREFIX


@dataclass(frozen=True)
class PlannedKey:
    """The access to a key that an earlier task plans in check mode: grants, and statements of its policy."""

    grants: tuple[Grant, ...] = ()
    statements: tuple[Mapping[str, Any], ...] = ()

    def add_to(self, key: KeySeen) -> KeySeen:
        """Return the key as it is after that task."""
        policy = key.policy
        if policy is not None and self.statements:
            document = json.loads(policy)
            current = as_list(document.get("Statement", []))
            policy = json.dumps({**document, "Statement": [*current, *self.statements]})
        return replace(key, grants=(*key.grants, *self.grants), policy=policy)


def _read_planned_keys(given: Any, refuse: Refuse) -> dict[str, PlannedKey]:
    """Return the planned grants and statements by key ARN."""
    try:
        return {
            str(key["kms_key_arn"]): PlannedKey(
                tuple(
                    Grant("", str(grant["grantee"]), frozenset(map(str, grant["operations"])))
                    for grant in key["grants"]
                ),
                tuple(dict(statement) for statement in key.get("policy_statements") or ()),
            )
            for result in given or ()
            for key in result["kms_keys"]
        }
    except (AttributeError, LookupError, TypeError, ValueError):
        refuse(
            "it is not what ami_kms_grant returns as results.",
            "Pass the results of the task, or remove the option.",
        )
        return {}


_PLANNED_KEYS = Kind({"type": "list", "elements": "dict", "no_log": False, "default": []}, _read_planned_keys)
_SNAPSHOT_ID = re.compile(r"snap-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_SNAPSHOTS = texts_by_region(_SNAPSHOT_ID, "snapshot ID", "Map each region to a list of snapshot IDs.")


@dataclass(frozen=True, kw_only=True)
class ShareOptions(ConsumerOptions, ImageOptions):
    """The options of ``ami_share``.

    An image that is None is a copy that check mode only planned, of ``source_image_id`` in
    ``source_region`` if set. With ``snapshot_ids``, only the permissions of these snapshots change.
    ``snapshots`` are unshared without an image. ``planned_key_access`` is by key ARN; ``usable_key_arns`` are
    keys of which no consumer is known to lack access. What fails in ``best_effort_regions`` neither stops
    the others nor fails the task.
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
    planned_key_access: Mapping[str, PlannedKey] = option(_PLANNED_KEYS)
    usable_key_arns: tuple[str, ...] = option(TEXTS, no_log=False)
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

    def add_planned_access(self, key: KeySeen) -> KeySeen:
        """Return the key with the access that is planned for it."""
        planned = self.planned_key_access.get(key.key.arn) if self.check_mode else None
        return planned.add_to(key) if planned else key

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
