# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder in S3: ``s3://bucket/folder/``."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class Location:
    """A bucket, and a folder in it: empty, or with a slash at its end."""

    bucket: str
    folder: str = ""

    @property
    def uri(self) -> str:
        """The folder as the AWS CLI names it."""
        return f"s3://{self.bucket}/{self.folder}"


def location_of(uri: str) -> Location:
    """Return the location that a valid URI names."""
    bucket, _slash, path = uri.removeprefix("s3://").partition("/")
    return Location(bucket, f"{path.strip('/')}/" if path.strip("/") else "")


def console_url(location: Location, region: str) -> str:
    """The page of the folder in AWS's console, which has no credentials.

    China and GovCloud have consoles of their own (AWS Management Console, "Service endpoints").
    """
    host = "console.aws.amazon.com"
    if region.startswith("cn-"):
        host = "console.amazonaws.cn"
    elif region.startswith("us-gov-"):
        host = "console.amazonaws-us-gov.com"
    prefix = f"?prefix={quote(location.folder)}" if location.folder else ""
    return f"https://{host}/s3/buckets/{location.bucket}{prefix}"
