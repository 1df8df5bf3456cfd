# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the objects of a report.

Each run writes them: to know whether they are the same already, the credentials would have to be allowed to
read all reports.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..failures import Failure, cut, invalid_option
from ..plan import PlanWithoutTargets
from .location import Location
from .options import UploadOptions
from .state import UploadSeen

_JSON = "application/json"
# Browsers guess the encoding of text without a charset. IANA has registered SARIF's type.
_CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": _JSON,
    "sarif": "application/sarif+json",
}


@dataclass(frozen=True)
class PutObject:
    """The action that writes an object. ``body`` is empty in a plan."""

    location: Location
    region: str
    name: str
    body: bytes

    @property
    def key(self) -> str:
        """The object's key in the bucket."""
        return f"{self.location.folder}{self.name}"

    @property
    def content_type(self) -> str:
        """The media type by the file's extension; a report with another one is JSON."""
        return _CONTENT_TYPES.get(self.name.rpartition(".")[2], _JSON)

    def as_result(self) -> dict[str, str | None]:
        """The action as modules return it in ``actions``."""
        uri = f"{self.location.uri}{self.name}"
        return {"account_id": None, "action": "PutObject", "region": self.region, "resource": uri}


def plan(wanted: UploadOptions, seen: UploadSeen) -> PlanWithoutTargets:
    """Write an object for each file, or refuse a bucket that does not exist."""
    actions = tuple(
        PutObject(wanted.location, seen.bucket.region, name, seen.contents.get(path, b""))
        for name, path in wanted.files.items()
        if wanted.check_mode or path in seen.contents
    )
    return PlanWithoutTargets(actions=actions, refusals=tuple(_refusals(wanted, seen)))


def _refusals(wanted: UploadOptions, seen: UploadSeen) -> Iterator[Failure]:
    if seen.bucket.missing:
        yield invalid_option(
            "report_s3_uri",
            f"report_s3_uri: there is no bucket {wanted.location.bucket}.",
            "Create it, or set the URI of another bucket.",
        )
    elif not (wanted.check_mode or seen.contents):
        yield file_failure(wanted, f"there is none in {wanted.report_dir or wanted.report_path}")


def file_failure(wanted: UploadOptions, reason: str) -> Failure:
    """The failure for a report that is missing or cannot be read here."""
    return Failure(
        f"The report was not uploaded to {wanted.location.uri}: {cut(reason, 300)}.",
        "Write the report first, to a path that can be read.",
        "file_error",
        "report_dir" if wanted.report_dir else "report_path",
    )
