# SPDX-License-Identifier: GPL-3.0-or-later
"""Protection of recovery points: EC2 can't delete images and snapshots that AWS Backup created."""

from __future__ import annotations

from .errors import Ec2Error
from .state import Image, Snapshot

TAG_PREFIX = "aws:backup:"
"""Prefix of the tags that only AWS Backup sets (AWS Backup Developer Guide, Copying tags onto backups)."""


def require_not_managed_by_backup(resource: Image | Snapshot) -> None:
    """Reject the deletion of a recovery point (EC2 User Guide, Deregister an AMI: considerations).

    Messages and codes are taken from users' reports.
    """
    if not any(key.startswith(TAG_PREFIX) for key in resource.tags):
        return
    if isinstance(resource, Image):
        raise Ec2Error("AuthFailure", f"The AMI {resource.id} is managed by AWS Backup", 403)
    message = (
        "This snapshot is managed by the AWS Backup service and cannot be deleted via EC2 APIs. If you wish "
        "to delete this snapshot, please do so via the Backup console."
    )
    raise Ec2Error("InvalidParameterValue", message)
