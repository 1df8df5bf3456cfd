# SPDX-License-Identifier: GPL-3.0-or-later
"""Formats of IDs and ARNs."""

from __future__ import annotations

import re

from .errors import Ec2Error

ACCOUNT_ID = re.compile(r"[0-9]{12}")
# Patterns of the Organizations API Reference, shapes Organization.Arn and OrganizationalUnit.Arn.
ORGANIZATION_ARN = re.compile(r"arn:aws[\w-]*:organizations::[0-9]{12}:organization/o-[a-z0-9]{10,32}")
ORGANIZATIONAL_UNIT_ARN = re.compile(
    r"arn:aws[\w-]*:organizations::[0-9]{12}:ou/o-[a-z0-9]{10,32}/ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}"
)
_ANY_ID = re.compile(r"[a-z]+(-[a-z]+)*-([0-9a-f]{8}|[0-9a-f]{17})")
_RESOURCE_ID = re.compile(r"(ami|snap)-([0-9a-f]{8}|[0-9a-f]{17})")


def require_image_id(image_id: str) -> None:
    """Reject a malformed AMI ID."""
    if not (_RESOURCE_ID.fullmatch(image_id) and image_id.startswith("ami-")):
        raise Ec2Error("InvalidAMIID.Malformed", f'Invalid id: "{image_id}" (expecting "ami-...")')


def require_resource_id(resource_id: str) -> None:
    """Reject a malformed ID of a resource to tag (EC2 API Reference, Error codes: InvalidID)."""
    if not _ANY_ID.fullmatch(resource_id):
        raise Ec2Error("InvalidID", f"The ID '{resource_id}' is not valid")


def require_snapshot_id(snapshot_id: str) -> None:
    """Reject a malformed snapshot ID."""
    if not (_RESOURCE_ID.fullmatch(snapshot_id) and snapshot_id.startswith("snap-")):
        message = f"Value ({snapshot_id}) for parameter snapshotId is invalid. Expected: 'snap-...'."
        raise Ec2Error("InvalidParameterValue", message)
