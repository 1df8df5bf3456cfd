# SPDX-License-Identifier: GPL-3.0-or-later
"""Service-linked roles have the names that AWS gives them."""

from __future__ import annotations

import pytest

from simulated_aws.client import SimulatedAws


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("autoscaling", "AWSServiceRoleForAutoScaling"),
        ("ec2fleet", "AWSServiceRoleForEC2Fleet"),
        ("spot", "AWSServiceRoleForEC2Spot"),
        ("spotfleet", "AWSServiceRoleForEC2SpotFleet"),
    ],
)
def test_a_service_linked_role_has_its_name_and_path(aws: SimulatedAws, service: str, name: str) -> None:
    domain = f"{service}.amazonaws.com"
    role = aws.client("iam", "owner").create_service_linked_role(AWSServiceName=domain)["Role"]
    account_id = aws.account_id("owner")
    assert role["Arn"] == f"arn:aws:iam::{account_id}:role/aws-service-role/{domain}/{name}"
