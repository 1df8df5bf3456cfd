# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS Backup made, which EC2 leaves to AWS Backup."""

from __future__ import annotations

from .errors import Ec2Error
from .state import Image, Snapshot

TAG_PREFIX = "aws:backup:"
"""Of what AWS Backup makes (AWS Backup Developer Guide, Copying tags onto backups); nobody else sets it."""


def require_not_managed_by_backup(resource: Image | Snapshot) -> None:
    """Refuse to delete a recovery point (EC2 User Guide, Deregister an AMI: considerations).

    Both messages and codes are as users report them.
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
