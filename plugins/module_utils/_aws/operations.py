# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations that clients have.

Botocore makes a method of each operation in its model, again for each client. EC2 has more than 700: with a
client for each of 20 regions, a task would take more CPU time for methods that nothing calls than for its
calls.
"""

from __future__ import annotations

from typing import Any

EC2 = frozenset(
    {
        *("CopyImage", "CreateImageUsageReport", "CreateLaunchTemplateVersion", "CreateTags"),
        *("DeleteSnapshot", "DeleteTags", "DeregisterImage", "DescribeExportImageTasks", "DescribeFleets"),
        *("DescribeImageAttribute", "DescribeImageReferences", "DescribeImageUsageReportEntries"),
        *("DescribeImageUsageReports", "DescribeImages", "DescribeInstanceImageMetadata"),
        *("DescribeInstanceTypes", "DescribeInstances"),
        *("DescribeLaunchTemplateVersions", "DescribeLockedSnapshots", "DescribeRegions"),
        *("DescribeSnapshotAttribute", "DescribeSnapshotTierStatus", "DescribeSnapshots"),
        *("DescribeSpotFleetRequests", "DescribeSpotInstanceRequests", "DescribeStoreImageTasks"),
        *("DescribeSubnets", "DescribeTags", "DescribeVolumes", "DisableImage", "DisableImageDeprecation"),
        *("EnableImage", "EnableImageDeprecation"),
        *("GetAllowedImagesSettings", "GetEbsDefaultKmsKeyId", "GetEbsEncryptionByDefault"),
        *("GetImageBlockPublicAccessState", "GetSnapshotBlockPublicAccessState", "ListImagesInRecycleBin"),
        *("ListSnapshotsInRecycleBin", "ListVolumesInRecycleBin"),
        *("ModifyImageAttribute", "ModifyLaunchTemplate"),
        *("ModifySnapshotAttribute", "RestoreImageFromRecycleBin", "RestoreSnapshotFromRecycleBin"),
        *("RunInstances", "TerminateInstances"),
    }
)
"""All operations of EC2 that this collection calls."""


def with_called_only(service: str, model: dict[str, Any]) -> dict[str, Any]:
    """Return botocore's model of a service (``service-2``); EC2's has only the operations that are called."""
    if service != "ec2":
        return model
    operations = {name: operation for name, operation in model["operations"].items() if name in EC2}
    return {**model, "operations": operations}
