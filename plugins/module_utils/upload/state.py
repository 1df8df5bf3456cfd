# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values of an upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..reports.formats import NAMES
from .location import Location


@dataclass(frozen=True)
class UploadWanted:
    """The report to upload: the file ``path``, the files in the directory ``folder``, or both.

    ``owner`` is the account that the bucket must belong to, by default that of the credentials.
    ``names`` are those of the files in the directory. A plan writes nothing, and the files of its report need
    not exist.
    """

    location: Location
    owner: str | None = None
    path: str | None = None
    folder: str | None = None
    names: tuple[str, ...] = NAMES
    is_plan: bool = False

    @property
    def files(self) -> dict[str, str]:
        """The local files: path by the name of the object.

        A file of the directory with the same name as the single file has more content.
        """
        single = {self.path.rpartition("/")[2]: self.path} if self.path else {}
        folder = {name: f"{self.folder.rstrip('/')}/{name}" for name in self.names} if self.folder else {}
        return {**single, **folder}


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
