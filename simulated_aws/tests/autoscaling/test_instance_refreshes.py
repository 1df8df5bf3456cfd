# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance refreshes of Auto Scaling groups."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

DATA = {"InstanceType": "t3.micro"}


def test_a_refresh_names_what_its_group_does_not_name_yet(aws: SimulatedAws, image_id: str) -> None:
    """(botocore shape StartInstanceRefreshType, DesiredConfiguration.)"""
    ec2, autoscaling = aws.client("ec2", "owner"), aws.client("autoscaling", "owner")
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={**DATA, "ImageId": image_id})
    group = {"AutoScalingGroupName": "web"}
    template = {"LaunchTemplateName": "web", "Version": "1"}
    zone = {"AvailabilityZones": ["us-east-1a"], "MinSize": 0, "MaxSize": 0}
    autoscaling.create_auto_scaling_group(**group, **zone, LaunchTemplate=template)
    assert autoscaling.describe_instance_refreshes(**group)["InstanceRefreshes"] == []
    desired = {"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "$Latest"}}
    started = autoscaling.start_instance_refresh(**group, DesiredConfiguration=desired)
    (refresh,) = autoscaling.describe_instance_refreshes(**group)["InstanceRefreshes"]
    assert refresh["InstanceRefreshId"] == started["InstanceRefreshId"]
    assert (refresh["Status"], refresh["DesiredConfiguration"]) == ("InProgress", desired)
    with pytest.raises(ClientError, match="InstanceRefreshInProgress"):
        autoscaling.start_instance_refresh(**group)
    with pytest.raises(ClientError, match="ValidationError"):
        autoscaling.describe_instance_refreshes(AutoScalingGroupName="none")


def test_a_deleted_group_has_no_refreshes(aws: SimulatedAws, image_id: str) -> None:
    """A ValidationError, and no group in the list (kubernetes-sigs/cluster-api-provider-aws#4662)."""
    autoscaling = aws.client("autoscaling", "owner")
    aws.client("ec2", "owner").create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData={**DATA, "ImageId": image_id}
    )
    group = {"AutoScalingGroupName": "web"}
    zone = {"AvailabilityZones": ["us-east-1a"], "MinSize": 0, "MaxSize": 0}
    template = {"LaunchTemplateName": "web", "Version": "1"}
    autoscaling.create_auto_scaling_group(**group, **zone, LaunchTemplate=template)
    autoscaling.delete_auto_scaling_group(**group)
    with pytest.raises(ClientError) as caught:
        autoscaling.describe_instance_refreshes(**group)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationError"
    assert error["Message"] == "AutoScalingGroup name not found - AutoScalingGroup web not found"
    assert autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["web"])["AutoScalingGroups"] == []
