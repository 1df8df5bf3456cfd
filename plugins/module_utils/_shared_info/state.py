# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of the images that other accounts share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .._failures import Failure
from .._model import Snapshot, Target


@dataclass(frozen=True)
class SharedImage:
    """An image of another account (botocore shape ``Image``).

    ``encrypted_snapshots`` are the snapshots of its encrypted volumes.
    """

    image_id: str
    owner_id: str
    name: str = ""
    owner_alias: str | None = None
    state: str = "available"
    description: str = ""
    architecture: str = ""
    platform: str | None = None
    creation_date: str | None = None
    deprecation_time: str | None = None
    public: bool = False
    encrypted: bool = False
    snapshot_ids: tuple[str, ...] = ()
    encrypted_snapshots: tuple[str, ...] = ()
    product_codes: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OwnKeyAccess:
    """What these credentials can do with a key.

    ``state`` is the key's, None if DescribeKey is denied; ``denied`` maps the operations that KMS denies to
    AWS's messages; ``unusable`` is the error with which KMS rejects the key's use because of its state;
    ``problem`` says why the access could not be determined.
    """

    state: str | None = None
    denied: Mapping[str, str] = field(default_factory=dict)
    unusable: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class RegionKeys:
    """The keys of a region's images: each snapshot's key, and the access to each key.

    A snapshot that is not shared with the account is missing. ``problem`` says why nothing could be read.
    ``undecided`` has the snapshots whose key does not decide alone, by ID.
    """

    of_snapshot: Mapping[str, str] = field(default_factory=dict)
    access: Mapping[str, OwnKeyAccess] = field(default_factory=dict)
    problem: str | None = None
    undecided: Mapping[str, Snapshot] = field(default_factory=dict)

    def arns_of(self, image: SharedImage) -> list[str]:
        """Return the ARNs of an image's keys, as far as they are known, sorted, each once."""
        return sorted(
            {self.of_snapshot[item] for item in image.encrypted_snapshots if item in self.of_snapshot}
        )


@dataclass(frozen=True)
class SharedInfoState:
    """The images of the regions that could be read, at the time ``now``, and why others could not be read."""

    account_id: str
    now: datetime
    images: Mapping[Target, tuple[SharedImage, ...]]
    keys: Mapping[Target, RegionKeys] = field(default_factory=dict)
    unread: tuple[Failure, ...] = ()
