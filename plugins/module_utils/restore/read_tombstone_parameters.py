# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the texts of an image's tombstones from where ``ami_cleanup`` has put them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..aws.errors import ClientError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


def from_s3(s3: Any, bucket: str, prefix: str) -> tuple[str, ...]:
    """Every object below ``prefix``."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    return tuple(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys)


def from_ssm(ssm: SSMClient, name: str) -> tuple[str, ...]:
    """Every version of a parameter, none if it does not exist.

    A tombstone overwrites the one before, which the permissions may be in.
    """
    try:
        pages = ssm.get_paginator("get_parameter_history").paginate(Name=name)
        return tuple(item["Value"] for page in pages for item in page["Parameters"])
    except ClientError as exception:
        if exception.response["Error"]["Code"] != "ParameterNotFound":
            raise
        return ()
