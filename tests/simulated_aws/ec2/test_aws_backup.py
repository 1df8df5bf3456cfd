# SPDX-License-Identifier: GPL-3.0-or-later
"""Recovery points of AWS Backup."""

from __future__ import annotations

from typing import Any

from .conftest import build, error_code, image_id

BACKUP = {"aws:backup:source-resource": "x"}


def test_ec2_does_not_delete_recovery_points_of_aws_backup(client: Any) -> None:
    """(EC2 User Guide, Deregister an Amazon EC2 AMI: considerations.)"""
    built = build(images={"golden": {"tags": BACKUP}, "web": {"snapshot_tags": BACKUP}})
    ec2 = client()
    assert error_code(ec2.deregister_image, ImageId=image_id(built)) == "AuthFailure"
    ec2.deregister_image(ImageId=image_id(built, "web"))
    snapshot = built["images"]["web"]["snapshot_ids"][0]
    assert error_code(ec2.delete_snapshot, SnapshotId=snapshot) == "InvalidParameterValue"
