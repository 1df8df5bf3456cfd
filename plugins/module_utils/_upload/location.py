# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The place of a report in S3: the folder ``s3://bucket/folder/`` and its objects."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

_JSON = "application/json"
# Browsers guess the encoding of text without a charset. IANA has registered SARIF's type.
_CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": _JSON,
    "sarif": "application/sarif+json",
}


@dataclass(frozen=True)
class Location:
    """A bucket, and a folder in it: empty, or with a slash at its end."""

    bucket: str
    folder: str = ""

    @property
    def uri(self) -> str:
        """Return the URI of the folder, as the AWS CLI takes it."""
        return f"s3://{self.bucket}/{self.folder}"


def parse_uri(uri: str) -> Location:
    """Return the location that a valid URI names."""
    bucket, _slash, path = uri.removeprefix("s3://").partition("/")
    return Location(bucket, f"{path.strip('/')}/" if path.strip("/") else "")


def build_console_url(location: Location, region: str) -> str:
    """Return the address of the folder in AWS's console, which has no credentials.

    China and GovCloud have consoles of their own (AWS Management Console, "Service endpoints").
    """
    host = "console.aws.amazon.com"
    if region.startswith("cn-"):
        host = "console.amazonaws.cn"
    elif region.startswith("us-gov-"):
        host = "console.amazonaws-us-gov.com"
    prefix = f"?prefix={quote(location.folder)}" if location.folder else ""
    return f"https://{host}/s3/buckets/{location.bucket}{prefix}"


@dataclass(frozen=True)
class Destination:
    """The folder of a report, the account that its bucket must belong to, and the bucket's region.

    If the region is unknown, it is the one in which S3 is called.
    """

    location: Location
    owner: str
    region: str

    def to_dict(self) -> dict[str, str]:
        """Return the place of the report, as modules return it."""
        return {
            "report_s3_uri": self.location.uri,
            "report_url": build_console_url(self.location, self.region),
        }


@dataclass(frozen=True)
class PutObject:
    """The action that writes an object."""

    destination: Destination
    name: str

    @property
    def key(self) -> str:
        """Return the object's key in the bucket."""
        return f"{self.destination.location.folder}{self.name}"

    @property
    def content_type(self) -> str:
        """Return the media type by the file's extension; a report with another one is JSON."""
        return _CONTENT_TYPES.get(self.name.rpartition(".")[2], _JSON)

    def to_dict(self) -> dict[str, str | None]:
        """Return the action as modules return it in ``actions``."""
        uri = f"{self.destination.location.uri}{self.name}"
        return {
            "account_id": None,
            "action": "PutObject",
            "region": self.destination.region,
            "resource": uri,
        }
