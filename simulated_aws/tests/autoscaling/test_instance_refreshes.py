# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance refreshes of Auto Scaling groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

DATA = {"InstanceType": "t3.micro"}
GROUP = {"AutoScalingGroupName": "web"}
FIRST, SECOND = ({"LaunchTemplateName": "web", "Version": str(number)} for number in (1, 2))
DESIRED = {"LaunchTemplate": SECOND}
MIXED = {
    "LaunchTemplate": {"LaunchTemplateSpecification": SECOND, "Overrides": [{"InstanceType": "t3.small"}]}
}


@dataclass
class Group:
    """A group of two instances of the first version of a template, which has two."""

    aws: SimulatedAws
    images: tuple[str, str]

    def __post_init__(self) -> None:
        self.ec2, self.autoscaling = self.aws.client("ec2", "owner"), self.aws.client("autoscaling", "owner")
        first, second = ({**DATA, "ImageId": image} for image in self.images)
        self.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=first)
        self.ec2.create_launch_template_version(LaunchTemplateName="web", LaunchTemplateData=second)

    def create(self, template: dict[str, str] | None = None, size: int = 2, **options: Any) -> None:
        """Create it with this template, or with the options."""
        launches = options or {"LaunchTemplate": template or FIRST}
        places = {"AvailabilityZones": ["us-east-1a"], "MinSize": size, "MaxSize": size}
        self.autoscaling.create_auto_scaling_group(**GROUP, **places, **launches)

    def start(self, desired: Any = None, **preferences: Any) -> str:
        """Start a refresh."""
        more = {"DesiredConfiguration": desired} if desired else {}
        started = self.autoscaling.start_instance_refresh(**GROUP, **more, Preferences=preferences)
        return str(started["InstanceRefreshId"])

    def refreshes(self) -> list[Any]:
        """The refreshes, the newest first."""
        return list(self.autoscaling.describe_instance_refreshes(**GROUP)["InstanceRefreshes"])

    def view(self) -> Any:
        """The group as Auto Scaling shows it."""
        return self.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]

    def ids(self) -> set[str]:
        """The instances of the group."""
        return {one["InstanceId"] for one in self.view()["Instances"]}

    def images_used(self) -> list[str]:
        """The images of its instances."""
        ids = [one["InstanceId"] for one in self.view()["Instances"]]
        reservations = self.ec2.describe_instances(InstanceIds=ids)["Reservations"]
        return sorted(one["ImageId"] for reservation in reservations for one in reservation["Instances"])

    def versions(self) -> list[str]:
        """The versions that have launched its instances."""
        return [one["LaunchTemplate"]["Version"] for one in self.view()["Instances"]]


@pytest.fixture
def group(aws: SimulatedAws, image_id: str) -> Group:
    copied = aws.client("ec2", "owner").copy_image(
        Name="new", SourceImageId=image_id, SourceRegion="us-east-1"
    )
    return Group(aws, (image_id, copied["ImageId"]))


def test_a_refresh_names_what_its_group_does_not_name_yet(aws: SimulatedAws, group: Group) -> None:
    """(botocore shape StartInstanceRefreshType, DesiredConfiguration.)"""
    aws.update_settings(instance_refresh_seconds=600)
    group.create()
    assert group.refreshes() == []
    started = group.start({"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "$Latest"}})
    (refresh,) = group.refreshes()
    assert (refresh["InstanceRefreshId"], refresh["Status"]) == (started, "InProgress")
    assert refresh["DesiredConfiguration"]["LaunchTemplate"]["Version"] == "$Latest"
    assert group.view()["LaunchTemplate"]["Version"] == "1"
    with pytest.raises(ClientError, match="InstanceRefreshInProgress"):
        group.start()
    with pytest.raises(ClientError, match="ValidationError"):
        group.autoscaling.describe_instance_refreshes(AutoScalingGroupName="none")


@pytest.mark.parametrize("mixed", [False, True])
def test_a_refresh_replaces_the_instances_and_saves_what_was_desired(group: Group, mixed: bool) -> None:
    if mixed:
        policy = {"LaunchTemplate": {**MIXED["LaunchTemplate"], "LaunchTemplateSpecification": FIRST}}
        group.create(MixedInstancesPolicy=policy)
    else:
        group.create()
    before = group.ids()
    assert group.versions() == ["1", "1"]
    group.start({"MixedInstancesPolicy": MIXED} if mixed else DESIRED, AutoRollback=True, SkipMatching=True)
    (refresh,) = group.refreshes()
    assert (refresh["Status"], refresh["PercentageComplete"]) == ("Successful", 100)
    assert not before & group.ids()
    assert (group.versions(), group.images_used()) == (["2", "2"], [group.images[1]] * 2)
    view = group.view()
    launches = view["MixedInstancesPolicy"]["LaunchTemplate"] if mixed else view
    assert launches["LaunchTemplateSpecification" if mixed else "LaunchTemplate"]["Version"] == "2"


def test_matching_instances_are_skipped(group: Group) -> None:
    """(Auto Scaling User Guide, Use an instance refresh with skip matching.)"""
    group.create({"LaunchTemplateName": "web", "Version": "$Latest"})
    before = group.ids()
    group.start(SkipMatching=True)
    assert (group.refreshes()[0]["Status"], group.ids()) == ("Successful", before)
    group.start()
    group.refreshes()
    assert not before & group.ids()
    assert group.view()["LaunchTemplate"]["Version"] == "$Latest"
    assert len(group.refreshes()) == 2


@pytest.mark.parametrize("rolls_back", [False, True])
def test_a_refresh_that_fails_has_replaced_half(aws: SimulatedAws, group: Group, rolls_back: bool) -> None:
    aws.update_settings(instance_refresh_failures=["web"])
    group.create()
    group.start(DESIRED, AutoRollback=rolls_back)
    (refresh,) = group.refreshes()
    assert refresh["Status"] == ("RollbackSuccessful" if rolls_back else "Failed")
    assert refresh["StatusReason"] == "Instances failed health checks."
    assert sorted(group.versions()) == (["1", "1"] if rolls_back else ["1", "2"])
    assert group.view()["LaunchTemplate"]["Version"] == "1"


@pytest.mark.parametrize(
    ("preferences", "status", "left"),
    [
        ({}, "Failed", 1),
        ({"ScaleInProtectedInstances": "Ignore"}, "Successful", 1),
        ({"ScaleInProtectedInstances": "Refresh"}, "Successful", 0),
    ],
)
def test_protected_instances_are_waited_for_left_or_replaced(
    group: Group, preferences: dict[str, str], status: str, left: int
) -> None:
    """(botocore shape RefreshPreferences, ScaleInProtectedInstances.)"""
    group.create()
    protected = sorted(group.ids())[0]
    group.autoscaling.set_instance_protection(**GROUP, InstanceIds=[protected], ProtectedFromScaleIn=True)
    group.start(DESIRED, **preferences)
    assert group.refreshes()[0]["Status"] == status
    assert len({protected} & group.ids()) == left


@pytest.mark.parametrize("process", ["InstanceRefresh", "Launch", "Terminate"])
def test_a_suspended_process_pauses_a_refresh(group: Group, process: str) -> None:
    """(Auto Scaling User Guide, How suspended processes affect other processes.)"""
    group.create()
    before = group.ids()
    group.autoscaling.suspend_processes(**GROUP, ScalingProcesses=[process])
    group.start(DESIRED)
    assert (group.refreshes()[0]["Status"], group.ids()) == ("InProgress", before)
    group.autoscaling.resume_processes(**GROUP, ScalingProcesses=[process])
    assert (group.refreshes()[0]["Status"], group.ids() & before) == ("Successful", set())


def test_instances_of_a_disabled_image_are_not_launched(group: Group) -> None:
    """Half of the instances are gone by then."""
    group.create()
    group.ec2.disable_image(ImageId=group.images[1])
    group.start(DESIRED)
    (refresh,) = group.refreshes()
    assert (refresh["Status"], refresh["StatusReason"]) == ("Failed", "Instances could not be launched.")
    assert group.images_used() == [group.images[0]]


def test_refreshes_are_returned_in_pages(group: Group) -> None:
    group.create()
    ids = []
    for _number in range(3):
        ids.insert(0, group.start())
        group.refreshes()
    page = group.autoscaling.describe_instance_refreshes(**GROUP, MaxRecords=2)
    assert [one["InstanceRefreshId"] for one in page["InstanceRefreshes"]] == ids[:2]
    page = group.autoscaling.describe_instance_refreshes(**GROUP, MaxRecords=2, NextToken=page["NextToken"])
    assert [one["InstanceRefreshId"] for one in page["InstanceRefreshes"]] == ids[2:]
    named = group.autoscaling.describe_instance_refreshes(**GROUP, InstanceRefreshIds=[ids[1]])
    assert [one["InstanceRefreshId"] for one in named["InstanceRefreshes"]] == [ids[1]]


LATEST = {"LaunchTemplateName": "web", "Version": "$Latest"}


@pytest.mark.parametrize(
    ("template", "desired", "preferences", "message"),
    [
        (FIRST, None, {"AutoRollback": True}, "DesiredConfiguration parameter is empty"),
        (LATEST, DESIRED, {"AutoRollback": True}, "Latest"),
        ({"LaunchTemplateName": "web"}, DESIRED, {"AutoRollback": True}, "Default"),
        ({"LaunchTemplateName": "web", "Version": "3"}, DESIRED, {}, "parameter instead of an AMI ID"),
        ({"LaunchTemplateName": "web", "Version": "3"}, None, {"SkipMatching": True}, "parameter"),
        (FIRST, {"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "9"}}, {}, "9"),
        (FIRST, DESIRED, {"MaxHealthyPercentage": 120}, "MinHealthyPercentage"),
        (FIRST, DESIRED, {"MinHealthyPercentage": 10, "MaxHealthyPercentage": 120}, "100 below"),
        (FIRST, DESIRED, {"AlarmSpecification": {"Alarms": [str(one) for one in range(11)]}}, "10 alarms"),
    ],
)
def test_what_aws_refuses(
    group: Group, template: dict[str, str], desired: Any, preferences: dict[str, Any], message: str
) -> None:
    """(botocore shape RefreshPreferences; hashicorp/terraform-provider-aws#29830.)"""
    group.aws.client("ssm", "owner").put_parameter(Name="/web", Value=group.images[1], Type="String")
    parameter = {**DATA, "ImageId": "resolve:ssm:/web"}
    group.ec2.create_launch_template_version(LaunchTemplateName="web", LaunchTemplateData=parameter)
    group.create(template)
    before = group.ids()
    with pytest.raises(ClientError, match=message):
        group.start(desired, **preferences)
    assert (group.refreshes(), group.ids()) == ([], before)


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
