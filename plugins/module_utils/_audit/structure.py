# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Structure of the result of ``ami_share_audit``, which other modules read."""

from __future__ import annotations

from typing import Any

from .._failures import Failure
from .._reports.document import SEVERITIES
from .._structure import BOOLEAN, NUMBER, OUTCOME, TEXT, Absent, Null, Values, check_result

_FINDING = {
    "account_id": Null(TEXT),
    "code": TEXT,
    "image_id": Null(TEXT),
    "message": TEXT,
    "principal": Null(TEXT),
    "region": Null(TEXT),
    "remedy": TEXT,
    "resource": Null(TEXT),
    "severity": frozenset(SEVERITIES),
}
_SNAPSHOT = {
    "account_ids": Null([TEXT]),
    "associated_kms_key_arns": [TEXT],
    "kms_key_arn": Null(TEXT),
    "public": Null(BOOLEAN),
    "snapshot_id": TEXT,
}
_IMAGE = {
    "associated_kms_key_arns": [TEXT],
    "creation_date": Null(TEXT),
    "deprecated": Null(BOOLEAN),
    "deprecation_time": Null(TEXT),
    "encrypted": BOOLEAN,
    "image_id": TEXT,
    "kms_key_arns": [TEXT],
    "name": Null(TEXT),
    "region": TEXT,
    "sharing": Null({"account_ids": [TEXT], "org_arns": [TEXT], "org_unit_arns": [TEXT], "public": BOOLEAN}),
    "snapshots": [_SNAPSHOT],
    "state": TEXT,
}
_KEY = {
    "account_id": TEXT,
    "aws_managed": BOOLEAN,
    "grants": [{"created_by_collection": BOOLEAN, "grantee": TEXT, "operations": [TEXT]}],
    "kms_key_arn": TEXT,
    "policy_statements": [
        {
            "created_by_collection": BOOLEAN,
            "operations": [TEXT],
            "org_ids": [TEXT],
            "org_unit_ids": [TEXT],
            "org_units": [{"org_id": TEXT, "org_unit_id": TEXT}],
            "principals": [TEXT],
            "public": BOOLEAN,
        }
    ],
    "region": TEXT,
    "state": TEXT,
    "undetermined_principals": [TEXT],
}
_REGION = {
    "image_block_managed_by": Absent(Null(TEXT)),
    "image_block_public_access": Absent(Null(TEXT)),
    "images": NUMBER,
    "snapshot_block_managed_by": Absent(Null(TEXT)),
    "snapshot_block_public_access": Absent(Null(TEXT)),
}
_PARTS: dict[str, Any] = {
    "account_id": Null(TEXT),
    "check_keys": BOOLEAN,
    "check_parameters": BOOLEAN,
    "check_snapshots": BOOLEAN,
    "findings": [_FINDING],
    "kms_keys": [_KEY],
    "regions": Values(_REGION),
    "results": [_IMAGE],
    "unused_snapshots": [
        {"account_ids": [TEXT], "public": BOOLEAN, "region": TEXT, "snapshot_id": TEXT},
    ],
}


def check_audit(option: str, value: Any) -> tuple[Failure, ...]:
    """Return a failure if the value is not the result of an audit."""
    failures = check_result(option, value, {**OUTCOME, **_PARTS}, "ami_share_audit")
    if failures:
        return failures
    images = value.get("results", ())
    read = {image["region"]: _REGION for image in images}
    return check_result(option, value, {"regions": read} if read else {}, "ami_share_audit")
