# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that say where tombstones are, for those who write them and those who read them."""

from __future__ import annotations

import re

from .arguments import Options

# Amazon S3 User Guide, "General purpose bucket naming rules".
_S3_URI = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/.*)?")
# Systems Manager User Guide, "Requirements and constraints for parameter names".
_SSM_PATH = re.compile(r"(?:/[A-Za-z0-9_.-]+)+/?")


def check_stores(options: Options, s3_uri: str | None, ssm_path: str | None) -> None:
    """Note what is no place in S3 or in Parameter Store; whether it exists is not asked."""
    if s3_uri and not _S3_URI.fullmatch(s3_uri):
        options.refuse("tombstone_s3_uri", f"'{s3_uri}' is no S3 URI.", "One looks like s3://bucket/folder.")
    if ssm_path and not _SSM_PATH.fullmatch(ssm_path):
        options.refuse(
            "tombstone_ssm_path", f"'{ssm_path}' is no path of parameters.", "One looks like /golden/retired."
        )
