# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images and snapshots of other AWS services, which retain and delete them."""

from __future__ import annotations

from collections.abc import Mapping

from .._model import Image
from .state import OwnImage

# EBS User Guide, "How Amazon Data Lifecycle Manager works": it tags the snapshots and AMIs that it creates,
# for example with aws:dlm:lifecycle-policy-id. AWS Backup Developer Guide: aws:backup:source-resource.
_SERVICES = {"aws:backup:": "AWS Backup", "aws:dlm:": "Amazon Data Lifecycle Manager"}
_BACKUP_NAME = "AwsBackup_"
_BACKUP_ALIAS = "aws-backup-vault"


def find_manager(tags: Mapping[str, str]) -> str | None:
    """Return the service that manages a resource with these tags; None if there is none.

    Tags that begin with ``aws:`` can be set by AWS services only, and are not copied (EC2 User Guide, "Tag
    your Amazon EC2 resources"): a user's copy of a backup is not managed.
    """
    return next(
        (name for prefix, name in _SERVICES.items() if any(key.startswith(prefix) for key in tags)), None
    )


def is_managed(own: OwnImage) -> bool:
    """Whether another service manages the image. EC2 refuses to deregister an image of AWS Backup.

    A nightly backup of an instance can have the tags of the image that the instance was launched from, so it
    is no member of the image's family. AWS Backup Developer Guide: names of its images begin with
    ``AwsBackup_``.
    """
    return own.alias == _BACKUP_ALIAS or find_image_manager(own.image) is not None


def find_image_manager(image: Image) -> str | None:
    """Return the service that manages an image by its name and its tags; None if there is none."""
    return "AWS Backup" if image.name.startswith(_BACKUP_NAME) else find_manager(image.tags)
