# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the permissions of each image right before it is disabled or deregistered: the last look at it.

What the plan knows of them can be hours old: 10,000 images take that long. So they are read image by image,
just ahead of the calls that retire the images, which AWS allows less often than the reads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Semaphore
from time import monotonic

from .._aws.clients import Clients
from .._aws.each_attempt import before_each_attempt
from .._model import ImageRef, SnapshotRef
from .._plan import Action
from .inspect_images import open_for_permissions, open_for_states, read_permissions, read_snapshot
from .state import CleanupState, Evidence, Permissions, SnapshotUsage

# How old a look may be when a call is sent, in seconds; one that is older is made again. That is a minute
# less the longest time that a connection to AWS may take (aws/clients.py).
MAX_AGE = 50.0
_MOST_LOOKS = 16
_TOO_SLOW = Evidence.unreadable(
    "DescribeImageAttribute",
    f"Reading the permissions took longer than {MAX_AGE:.0f} seconds.",
    "Rerun, without max_calls_per_second or with a higher one.",
)


class PermissionsChanged(Exception):
    """A principal was given access to an image, or may have been, since it was looked at."""


def _unknown_outcome(ref: ImageRef) -> Evidence:
    reason = f"AWS may have retired {ref.image_id}: an attempt was sent, and its outcome is not known."
    return Evidence.unreadable("DescribeImages", reason, "Rerun.")


class LastLook:
    """The images whose permissions are not those of the plan, which are ``spared``.

    ``kept_snapshots`` are those that were to be deleted by themselves, with the permissions that keep them.
    One thread at a time looks at an image. ``most`` is the most calls per second of an operation in a region.
    """

    def __init__(
        self,
        clients: Clients,
        state: CleanupState,
        images: Collection[ImageRef],
        most: float | None = None,
    ) -> None:
        self._clients, self._state = clients, state
        self._turns = {ref.region: Semaphore(count_looks(most)) for ref in images}
        self._planned = {ref: state.permissions_of(ref) for ref in images}
        self._made_at: dict[ImageRef, float] = {}
        self.spared: dict[ImageRef, Permissions] = {}
        self.kept_snapshots: dict[SnapshotRef, SnapshotUsage] = {}
        open_for_permissions(clients, {ref.region for ref in images})
        open_for_states(clients, state, images)

    def look(self, ref: ImageRef) -> None:
        """Spare an image if its permissions are not exactly those that its tombstone has."""
        permissions = self._read(ref)
        if permissions != self._planned.get(ref):
            self.spared[ref] = permissions

    def may_delete(self, ref: SnapshotRef) -> bool:
        """Whether no principal was given access to a snapshot since the plan, if the plan depends on that."""
        known = self._state.snapshot_usage.get(ref)
        if known is None or known.unread:
            return True
        found = read_snapshot(self._clients, ref)
        if found.unread or found.sharing - known.sharing:
            self.kept_snapshots[ref] = found
            return False
        return True

    def list_spared(self, actions: Iterable[Action]) -> set[str]:
        """Return the images that actions would retire and that are spared."""
        return {
            str(action.resource)
            for action in actions
            if ImageRef(action.target.region, str(action.resource)) in self.spared
        }

    @contextmanager
    def kept_fresh(self, ref: ImageRef) -> Iterator[None]:
        """Look again before each attempt of the calls in the context, if the last look is too old.

        Raises:
            PermissionsChanged: the image is spared. The attempt was not sent. If an earlier one was, and the
                permissions cannot be read any more, the image may be retired: what is unread says so.
        """
        with before_each_attempt(lambda: self._refresh(ref)) as attempts:
            try:
                yield
            except PermissionsChanged:
                found = self.spared[ref]
                if attempts.sent and not found.is_known:
                    self.spared[ref] = replace(found, unread=(*found.unread, _unknown_outcome(ref)))
                raise

    def _refresh(self, ref: ImageRef) -> None:
        """Look again if the look is too old.

        Permissions that are gone are no reason to stop. An earlier attempt can have retired the image, and
        only its answer was lost: a disabled image has no permissions.
        """
        if ref in self._made_at and monotonic() - self._made_at[ref] <= MAX_AGE:
            return
        permissions, planned = self._read(ref), self._planned.get(ref)
        if planned is None or permissions.adds_to(planned):
            self.spared[ref] = permissions
            raise PermissionsChanged

    def _read(self, ref: ImageRef) -> Permissions:
        with self._turns[ref.region]:
            self._made_at[ref] = monotonic()
            permissions = read_permissions(self._clients, self._state, ref)
            if monotonic() - self._made_at[ref] > MAX_AGE and not permissions.gone:
                return Permissions(unread=(_TOO_SLOW,))
            return permissions


def count_looks(most: float | None) -> int:
    """Return how many images of a region are looked at side by side.

    Their reads wait for each other if the calls per second are limited. This many take a second for each
    snapshot of an image, or two at one call in two seconds, so that no look is too old when it is complete.
    """
    return _MOST_LOOKS if most is None else max(1, min(_MOST_LOOKS, int(most)))
