# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys that ``ami_kms_grant`` has read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..failures import Failure
from ..keys.needed import SharedUnderKey
from ..model import KeyRef, KeySeen, Target


@dataclass(frozen=True)
class GrantSeen:
    """Each target's keys, and the targets whose image is not encrypted.

    ``shared`` is the sharing of other images under a key, for keys to which consumers may lose access.
    ``unread`` are the best-effort targets whose keys could not be read, which are not in ``keys``.
    """

    account_id: str
    partition: str
    keys: Mapping[Target, tuple[KeySeen, ...]]
    unencrypted: frozenset[Target] = frozenset()
    shared: Mapping[KeyRef, SharedUnderKey] = field(default_factory=dict)
    unread: Mapping[Target, Failure] = field(default_factory=dict)

    def shared_under(self, region: str, key_arn: str) -> SharedUnderKey:
        """The sharing of other images under a key."""
        return self.shared.get(KeyRef(region, key_arn), SharedUnderKey(unread=("Nothing was read.",)))
