# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parameters of SSM's Parameter Store: what is read of them. Errors are botocore's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..aws.answers import required
from ..aws.errors import ClientError
from ..aws.parameters import is_missing
from ..tags import tag_map
from .state import Parameter, ParameterVersion

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

# Systems Manager API Reference, GetParameterHistory: the most that a page holds, of at most 100 versions.
_PAGE = 50


def parameter(ssm: SSMClient, name: str) -> Parameter | None:
    """The parameter with all its versions and their labels; None if there is none of that name.

    A value that AWS is still validating is no version yet (botocore shape ``PutParameterRequest``,
    ``DataType``).
    """
    pages = ssm.get_paginator("get_parameter_history").paginate(
        Name=name, PaginationConfig={"PageSize": _PAGE}
    )
    try:
        versions = [
            ParameterVersion(
                version=required(item, "Version", "GetParameterHistory"),
                value=required(item, "Value", "GetParameterHistory"),
                type=required(item, "Type", "GetParameterHistory"),
                data_type=item.get("DataType", "text"),
                tier=item.get("Tier", "Standard"),
                labels=frozenset(item.get("Labels", ())),
            )
            for page in pages
            for item in required(page, "Parameters", "GetParameterHistory")
        ]
    except ClientError as exception:
        if is_missing(exception):
            return None
        raise
    return Parameter(tuple(sorted(versions, key=lambda item: item.version))) if versions else None


def tags(ssm: SSMClient, name: str) -> dict[str, str]:
    """The tags of a parameter."""
    answer = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)
    return tag_map(required(answer, "TagList", "ListTagsForResource"))
