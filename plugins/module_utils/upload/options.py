# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``report_upload``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..option import TEXTS, Kind, Problem, Refuse, option
from ..option_groups import (
    BUCKET_OWNER,
    REPORT_FILES,
    ReportFileOptions,
    is_report_folder,
    nothing_to_upload,
)
from ..wording import shown
from .location import Location, location_of


def _uri(given: str | None, refuse: Refuse) -> str:
    uri = given or ""
    if not is_report_folder(uri):
        refuse(f"{shown(uri)} is not a valid S3 URI of a folder.", "Use a URI such as s3://bucket/folder/.")
    return uri


@dataclass(frozen=True, kw_only=True)
class UploadOptions(ReportFileOptions):
    """The options of ``report_upload``: a file, the files in a directory, or both.

    ``report_s3_bucket_owner`` is None for the account of the credentials. Check mode writes nothing, and the
    files of its report need not exist.
    """

    report_s3_uri: str = option(Kind({"type": "str"}, _uri), required=True)
    report_s3_bucket_owner: str | None = option(BUCKET_OWNER)
    report_files: tuple[str, ...] = option(TEXTS)

    @property
    def location(self) -> Location:
        """Return the folder in S3."""
        return location_of(self.report_s3_uri)

    @property
    def files(self) -> dict[str, str]:
        """Return the paths of the local files by the name of the object.

        A file of the directory with the same name as the single file has more content.
        """
        files = {self.report_path.rpartition("/")[2]: self.report_path} if self.report_path else {}
        if self.report_dir:
            names = self.report_files or REPORT_FILES
            files.update({name: f"{self.report_dir.rstrip('/')}/{name}" for name in names})
        return files

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        if not (self.report_path or self.report_dir):
            yield nothing_to_upload()
