# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read before an upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bucket:
    """What can be known of the bucket before an object is written to it.

    ``missing`` is True if S3's error shows that there is none. ``region`` is the client's if the bucket's is
    unknown.
    """

    owner: str
    region: str
    missing: bool = False


@dataclass(frozen=True)
class UploadSeen:
    """The bucket, and the content of the local files by path; those that do not exist are missing."""

    bucket: Bucket
    contents: Mapping[str, bytes] = field(default_factory=dict)
