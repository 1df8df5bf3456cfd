# SPDX-License-Identifier: GPL-3.0-or-later
"""Recovery points of AWS Backup."""

from __future__ import annotations

from typing import Any

from .conftest import build, error_code, image_id

BACKUP = {"aws:backup:source-resource": "x"}
LIFECYCLE = {"aws:dlm:lifecycle-policy-id": "policy-1"}


def test_ec2_does_not_delete_recovery_points_of_aws_backup(client: Any) -> None:
    """(EC2 User Guide, Deregister an Amazon EC2 AMI: considerations.)"""
    built = build(images={"golden": {"tags": BACKUP}, "web": {"snapshot_tags": BACKUP}})
    ec2 = client()
    assert error_code(ec2.deregister_image, ImageId=image_id(built)) == "AuthFailure"
    ec2.deregister_image(ImageId=image_id(built, "web"))
    snapshot = built["images"]["web"]["snapshot_ids"][0]
    assert error_code(ec2.delete_snapshot, SnapshotId=snapshot) == "InvalidParameterValue"


def test_ec2_deletes_what_data_lifecycle_manager_created(client: Any) -> None:
    """Only the tags show that it manages them (EBS User Guide, How Amazon Data Lifecycle Manager works).

    That users can deregister and delete them through EC2 is not documented: no page lists a refusal.
    """
    built = build(images={"golden": {"tags": LIFECYCLE, "snapshot_tags": LIFECYCLE}})
    ec2 = client()
    (image,) = ec2.describe_images(Owners=["self"])["Images"]
    assert image["Tags"] == [{"Key": "aws:dlm:lifecycle-policy-id", "Value": "policy-1"}]
    ec2.deregister_image(ImageId=image_id(built))
    ec2.delete_snapshot(SnapshotId=built["images"]["golden"]["snapshot_ids"][0])
    assert ec2.describe_images(Owners=["self"])["Images"] == []
    assert error_code(ec2.create_tags, Resources=["ami-1"], Tags=[{"Key": "aws:dlm:x", "Value": "x"}])
