# SPDX-License-Identifier: GPL-3.0-or-later
"""Launches with hibernation, which need an encrypted root volume."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import build, error_code, image_id

ENCRYPTED = [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True}}]
OTHER_DEVICE = [{"DeviceName": "/dev/sdb", "Ebs": {"Encrypted": True}}]
UNSUPPORTED = "UnsupportedHibernationConfiguration"


@pytest.mark.parametrize("by_template", [True, False])
@pytest.mark.parametrize(
    ("mappings", "by_default", "configured", "code"),
    [
        ([], False, True, UNSUPPORTED),
        (OTHER_DEVICE, False, True, UNSUPPORTED),
        ([], False, False, "DryRunOperation"),
        (ENCRYPTED, False, True, "DryRunOperation"),
        ([], True, True, "DryRunOperation"),
    ],
)
def test_hibernation_needs_an_encrypted_root_volume(
    client: Any,
    mappings: list[dict[str, Any]],
    by_default: bool,
    configured: bool,
    code: str,
    by_template: bool,
) -> None:
    """(apache/airflow#35790; EC2 User Guide, Prerequisites for EC2 instance hibernation.)"""
    ec2 = client()
    launch: dict[str, Any] = {
        "ImageId": image_id(build()),
        "InstanceType": "t3.micro",
        "HibernationOptions": {"Configured": configured},
        "BlockDeviceMappings": mappings,
    }
    if by_default:
        ec2.enable_ebs_encryption_by_default()
    if by_template:
        ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=launch)
        launch = {"LaunchTemplate": {"LaunchTemplateName": "web"}}
    request = {**launch, "MinCount": 1, "MaxCount": 1}
    assert error_code(ec2.run_instances, DryRun=True, **request) == code
    if code == UNSUPPORTED:
        assert error_code(ec2.run_instances, **request) == code
