# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit could not read.

The codes are those of ``state.Problem``, whose remedy is that for AWS's error.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._failures import Failure
from ..._finding import Finding, Severity
from ..._model import Target
from ..cause import Cause, Evidence, Remediation
from ..region import AuditedRegion
from ..state import Problem


def _of_problem(problem: Problem) -> Evidence:
    failure = problem.failure
    what = f"The key of {problem.resource}" if problem.is_snapshots_key else problem.resource
    message = f"{what} could not be read: {failure.error_code}: {failure.message}"
    return Evidence(problem.resource, message, failure.remedy, problem.image_id)


def _unreadable(
    code: str,
    severity: Severity,
    meaning: str,
    remedy: str,
    remediation: Remediation = Remediation.INCOMPLETE,
    part: str = "",
) -> Cause:
    def find(region: AuditedRegion) -> Iterator[Evidence]:
        return (_of_problem(problem) for problem in region.current.deciding_problems if problem.code == code)

    return Cause(
        code=code,
        severity=severity,
        meaning=meaning,
        remedy=remedy,
        find=find,
        remediation=remediation,
        part=part,
        urgency=4,
    )


ACCOUNT = _unreadable(
    "account_unreadable",
    Severity.HIGH,
    "Nothing in the account could be read. Only reports have this finding: the audit itself ends without "
    "findings then.",
    "The finding has AWS's error. Check credentials and network, and run the audit again.",
)
REGION = _unreadable(
    "region_unreadable",
    Severity.HIGH,
    "The images of the region could not be listed.",
    "The finding has AWS's error. Leave out a region that the account has not enabled.",
)
BLOCK_PUBLIC_ACCESS = _unreadable(
    "block_public_access_unreadable",
    Severity.MEDIUM,
    "The block public access settings could not be read.",
    "Allow `ec2:GetImageBlockPublicAccessState` and `ec2:GetSnapshotBlockPublicAccessState`: "
    "[audit.json](iam/README.md#auditing).",
    # Removing permissions does not depend on block public access.
    Remediation.NEVER,
)
IMAGE = _unreadable(
    "image_unreadable",
    Severity.HIGH,
    "The launch permissions of the image could not be read.",
    "Allow `ec2:DescribeImageAttribute`, see [audit.json](iam/README.md#auditing).",
)
SNAPSHOT = _unreadable(
    "snapshot_unreadable",
    Severity.HIGH,
    "The volume permissions of the snapshot could not be read.",
    "Allow `ec2:DescribeSnapshotAttribute`, see [audit.json](iam/README.md#auditing).",
    part="snapshots",
)
UNUSED_SNAPSHOTS = _unreadable(
    "unused_snapshots_unreadable",
    Severity.MEDIUM,
    "The snapshots that no image uses could not be listed.",
    "Allow `ec2:DescribeSnapshots`, see [audit.json](iam/README.md#auditing).",
    part="snapshots",
)
KEY = _unreadable(
    "key_unreadable",
    Severity.MEDIUM,
    "The key, its grants or its policy could not be read, or a snapshot's key is not known.",
    "Allow `kms:DescribeKey`, `kms:ListGrants` and `kms:GetKeyPolicy` in the IAM policy and in the key "
    "policy, and `ec2:DescribeSnapshots`, which returns the key of a snapshot: "
    "[audit.json](iam/README.md#auditing).",
    part="keys",
)

PARAMETERS = _unreadable(
    "parameters_unreadable",
    Severity.MEDIUM,
    "With `audit_check_parameters`: the resource shares of the region, or a parameter that is shared with "
    "a consumer that is not allowed for all images, could not be read.",
    "Allow `ram:GetResourceShareAssociations`, and `ssm:GetParameter` for the shared parameters: "
    "[audit.json](iam/README.md#auditing).",
    # Removing permissions does not depend on parameters.
    Remediation.NEVER,
    part="parameters",
)


def unread_region(target: Target, failure: Failure) -> Finding:
    """Return the finding about a region of which nothing could be read."""
    message = f"{target.region} could not be read: {failure.error_code}: {failure.message}"
    return REGION.finding(target, Evidence(target.region, message, failure.remedy))
