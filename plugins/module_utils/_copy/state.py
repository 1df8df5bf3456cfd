# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was read from AWS for the plan of the copies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from .._failures import Failure
from .._model import Image, Key, KeyState, Snapshot, Target
from .access import SourcePermissions, SourceView

# botocore shape Image, ImageState. Deregistered images are in neither: the client token uses their IDs.
USABLE_STATES = frozenset({"available", "pending", "transient"})
FAILED_STATES = frozenset({"error", "failed", "invalid"})


@dataclass(frozen=True)
class CopyState:
    """What was read from AWS: the source, and in each target the account's images that may be its copy.

    ``account_id`` and ``partition`` are those of the credentials. ``sources`` maps regions to their own
    sources, if there are any; ``source`` is then one of them. In the targets ``others_read``, copies that
    others made were read beside those of this collection. ``snapshots`` are those of the copies whose tags or
    keys matter. ``keys`` are the requested KMS keys, or the default ones where these are allowed;
    ``encryption_by_default`` is whether the account encrypts by default, where it was read.
    ``aws_managed_keys`` are the ARNs of AWS managed keys of the images that will be shared. ``unread`` are
    the failures of best-effort targets that could not be read, ``failed`` those of required ones; ``copies``
    has neither.

    Where another account copies a source that it does not own: ``source_access`` is what that account reads
    of the source, by ``CopyOptions.reader_of``. ``source_keys`` are the keys of the source and
    ``source_permissions`` who may use it, by the region of the source. Permissions are None if they could not
    be read.
    """

    account_id: str
    source: Image
    copies: Mapping[Target, tuple[Image, ...]]
    snapshots: Mapping[Target, tuple[Snapshot, ...]] = field(default_factory=dict)
    keys: Mapping[Target, Key] = field(default_factory=dict)
    encryption_by_default: Mapping[Target, bool] = field(default_factory=dict)
    others_read: frozenset[Target] = frozenset()
    aws_managed_keys: Mapping[Target, tuple[str, ...]] = field(default_factory=dict)
    unread: tuple[Failure, ...] = ()
    failed: tuple[Failure, ...] = ()
    partition: str = "aws"
    sources: Mapping[str, Image] = field(default_factory=dict)
    source_access: Mapping[Target, SourceView] = field(default_factory=dict)
    source_keys: Mapping[str, tuple[KeyState, ...]] = field(default_factory=dict)
    source_permissions: Mapping[str, SourcePermissions | None] = field(default_factory=dict)

    def source_of(self, target: Target) -> Image:
        """Return the image that this target's copy is made from."""
        return self.sources.get(target.region, self.source)

    def snapshots_of(self, target: Target, image: Image) -> tuple[Snapshot, ...]:
        """Return the snapshots of the image that were read."""
        return tuple(
            item for item in self.snapshots.get(target, ()) if item.snapshot_id in image.snapshot_ids
        )

    def including(self, parts: Iterable[CopyState]) -> CopyState:
        """Return this state with the states of other targets that have the same sources."""
        states = [self, *parts]
        return replace(
            self,
            copies={target: images for state in states for target, images in state.copies.items()},
            snapshots={target: items for state in states for target, items in state.snapshots.items()},
            keys={target: key for state in states for target, key in state.keys.items()},
            unread=tuple(failure for state in states for failure in state.unread),
        )

    def without(self, failures: Mapping[Target, Failure], optional: Collection[Target]) -> CopyState:
        """Return this state without targets that could not be read. ``optional`` targets fail nothing."""
        unread = (failure for target, failure in failures.items() if target in optional)
        failed = (failure for target, failure in failures.items() if target not in optional)
        return replace(
            self,
            copies={target: images for target, images in self.copies.items() if target not in failures},
            unread=(*self.unread, *unread),
            failed=(*self.failed, *failed),
        )

    @property
    def encrypted_by_default(self) -> frozenset[Target]:
        """Return the targets without a requested key where the account encrypts by default."""
        return frozenset(
            target for target, on in self.encryption_by_default.items() if on and target not in self.keys
        )

    def is_source(self, target: Target, source_region: str) -> bool:
        """Whether the source itself is in this target, so that no copy is needed."""
        return target == Target(self.source_of(target).owner_id, source_region)
