# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``report_upload``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..option import TEXTS, Kind, Problem, Refuse, option
from ..option_groups import ReportFileOptions
from ..reports.formats import NAMES
from ..variables import ACCOUNT_ID
from ..wording import shown
from .location import Location, is_folder, location_of


def _uri(given: str | None, refuse: Refuse) -> str:
    uri = given or ""
    if not is_folder(uri):
        refuse(f"{shown(uri)} is not a valid S3 URI of a folder.", "Use a URI such as s3://bucket/folder/.")
    return uri


def _owner(given: str | None, refuse: Refuse) -> str | None:
    if given and not ACCOUNT_ID.fullmatch(given):
        refuse(
            f"{shown(given)} is not a valid account ID.", 'Use 12 digits in quotes, such as "012345678901".'
        )
    return given or None


@dataclass(frozen=True, kw_only=True)
class UploadOptions(ReportFileOptions):
    """The options of ``report_upload``: a file, the files in a directory, or both.

    ``report_s3_bucket_owner`` is None for the account of the credentials. Check mode writes nothing, and the
    files of its report need not exist.
    """

    report_s3_uri: str = option(Kind({"type": "str"}, _uri), required=True)
    report_s3_bucket_owner: str | None = option(Kind({"type": "str"}, _owner))
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
            names = self.report_files or NAMES
            files.update({name: f"{self.report_dir.rstrip('/')}/{name}" for name in names})
        return files

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        if not (self.report_path or self.report_dir):
            yield Problem(
                "report_s3_uri",
                "no report is written that could be uploaded, because report_dir is not set.",
                "Set report_dir to a directory for the local report. In a container it can be below /tmp.",
            )
