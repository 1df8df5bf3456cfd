# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Custom engine versions of Amazon RDS, from whose images DB instances are launched.

RDS API Reference, CreateCustomDBEngineVersion and CustomDBEngineVersionAMI. New DB instances are launched
from the image of their version, and so are restored ones: a version cannot be deleted as long as an instance,
a snapshot or a backup needs it (RDS User Guide, "Deleting a CEV for RDS Custom for SQL Server"). A version in
any state counts: AWS documents none that it cannot leave.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..._aws.answers import require_member
from .read import Place, Read, Source
from .users import User

_KIND = "rds_custom_engine_version"
_OPERATION = "DescribeDBEngineVersions"
# RDS API Reference, CreateCustomDBEngineVersion: the engines that it supports. All others are AWS's alone,
# with hundreds of versions.
_ENGINES = (
    *("custom-oracle-ee", "custom-oracle-ee-cdb", "custom-oracle-se2", "custom-oracle-se2-cdb"),
    *("custom-sqlserver-ee", "custom-sqlserver-se", "custom-sqlserver-web", "custom-sqlserver-dev"),
    *("sqlserver-ee", "sqlserver-se", "sqlserver-dev-ee"),
)
_FILTERS: list[Any] = [{"Name": "engine", "Values": list(_ENGINES)}]


def _read_versions(place: Place) -> Iterator[User]:
    """Yield every engine version with an image."""
    # botocore shape DescribeDBEngineVersionsMessage, MaxRecords: 20 to 100.
    pages = (
        place.client("rds")
        .get_paginator("describe_db_engine_versions")
        .paginate(IncludeAll=True, Filters=_FILTERS, PaginationConfig={"PageSize": 100})
    )
    for page in pages:
        for item in require_member(page, "DBEngineVersions", _OPERATION):
            if image_id := item.get("Image", {}).get("ImageId"):
                names = (require_member(item, member, _OPERATION) for member in ("Engine", "EngineVersion"))
                name = " ".join(names)
                yield User(_KIND, name, (image_id,))


SOURCE = Source(
    _KIND,
    "in any state, with an image",
    (Read(_read_versions, (f"rds:{_OPERATION}",)),),
    only_of_owner=True,
    is_late=True,
)
