# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``report_upload``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..failures import Failure, Refused, invalid_option, invalid_value
from ..reports.formats import NAMES
from ..variables import ACCOUNT_ID
from ..wording import shown
from .location import location_of
from .state import UploadWanted


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> UploadWanted:
    """Parse the options.

    Raises:
        Refused: options are not valid.
    """
    failures = tuple(_failures(params))
    location = location_of(params["report_s3_uri"])
    if failures or location is None:
        raise Refused(failures)
    return UploadWanted(
        location,
        owner=params["report_s3_bucket_owner"] or None,
        path=params["report_path"] or None,
        folder=params["report_dir"] or None,
        names=tuple(params["report_files"]) or NAMES,
        is_plan=check_mode,
    )


def _failures(params: Mapping[str, Any]) -> Iterator[Failure]:
    uri, owner = params["report_s3_uri"], params["report_s3_bucket_owner"]
    if location_of(uri) is None:
        yield invalid_value(
            "report_s3_uri",
            f"{shown(uri)} is not a valid S3 URI of a folder.",
            "Use a URI such as s3://bucket/folder/.",
        )
    if owner and not ACCOUNT_ID.fullmatch(owner):
        yield invalid_value(
            "report_s3_bucket_owner",
            f"{shown(owner)} is not a valid account ID.",
            'Use 12 digits in quotes, such as "012345678901".',
        )
    if not (params["report_path"] or params["report_dir"]):
        yield invalid_option(
            "report_s3_uri",
            "report_s3_uri: no report is written that could be uploaded, because report_dir is not set.",
            "Set report_dir to a directory for the local report. In a container it can be below /tmp.",
        )
