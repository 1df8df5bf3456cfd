# SPDX-License-Identifier: GPL-3.0-or-later

"""What Auto Scaling groups, EC2 Fleets and Spot Fleets name themselves."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.errors import IncompleteAnswer
from ansible_collections.golden.images.plugins.module_utils.cleanup import read_launchers
from ansible_collections.golden.images.plugins.module_utils.cleanup.usage import Launcher, Pin
from botocore.exceptions import ClientError

from tests.unit.cleanup.examples import GROUP, NOW
from tests.unit.wire import Wire, answering

PINNED = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "web", "Version": "3"}
LATEST = {"LaunchTemplateId": "lt-2", "Version": "$Latest"}
BY_NAME = {"LaunchTemplateName": "other", "Version": "1"}
PINS = (Pin("lt-1", 3), Pin("other", 1, by_id=False))
RESOLVED = "resolve:ssm:/web:3"


def launcher(kind: str, *parts: Any, **changes: Any) -> Launcher:
    return Launcher(kind, "web", *parts, **changes)


def test_groups_with_their_overrides_and_the_versions_that_they_pin() -> None:
    """(botocore shapes AutoScalingGroup, MixedInstancesPolicy and LaunchTemplateOverrides.)"""
    wire = Wire("autoscaling")
    overrides = [
        {"InstanceType": "t3.micro", "ImageId": "ami-1"},
        {"InstanceType": "t4g.micro", "LaunchTemplateSpecification": BY_NAME},
    ]
    mixed = {"LaunchTemplate": {"LaunchTemplateSpecification": PINNED, "Overrides": overrides}}
    members = [{"LaunchConfigurationName": "lc"}, {"LaunchTemplate": LATEST}, {"MixedInstancesPolicy": mixed}]
    found = [{**GROUP, **one} for one in members]
    wire.expect("describe_auto_scaling_groups", {}, {"AutoScalingGroups": found[:2], "NextToken": "n"})
    wire.expect("describe_auto_scaling_groups", {"NextToken": "n"}, {"AutoScalingGroups": found[2:]})
    with wire.spoken():
        assert read_launchers.groups(wire.client) == (
            launcher("auto_scaling_group", configuration="lc"),
            launcher("auto_scaling_group"),
            launcher("auto_scaling_group", ("ami-1",), PINS),
        )


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ("Pending", True),
        ("InProgress", True),
        ("Cancelling", True),
        ("RollbackInProgress", True),
        ("Baking", True),
        ("Successful", False),
        ("Failed", False),
        ("Cancelled", False),
        ("RollbackFailed", False),
        ("RollbackSuccessful", False),
    ],
)
def test_a_refresh_counts_while_it_can_launch(status: str, counts: bool) -> None:
    """(botocore shape InstanceRefreshStatus.)"""
    wire = Wire("autoscaling")
    request = {"AutoScalingGroupName": "web"}
    refresh = {"Status": status, "DesiredConfiguration": {"LaunchTemplate": PINNED}}
    wire.expect("describe_instance_refreshes", request, {"InstanceRefreshes": [refresh], "NextToken": "n"})
    wire.expect("describe_instance_refreshes", {**request, "NextToken": "n"}, {"InstanceRefreshes": []})
    groups = (launcher("auto_scaling_group"),)
    with wire.spoken():
        found = read_launchers.refreshes(wire.client, groups)
    assert found == ((launcher("auto_scaling_group", (), PINS[:1]),) if counts else ())


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        ("submitted", True),
        ("active", True),
        ("modifying", True),
        ("deleted", False),
        ("deleted_running", False),
        ("deleted-terminating", False),
        ("failed", False),
    ],
)
def test_fleets_that_can_launch(state: str, counts: bool) -> None:
    """(botocore shapes FleetData and FleetLaunchTemplateOverrides.)"""
    wire = Wire("ec2")
    mapping = [{"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": "snap-1"}}, {"DeviceName": "/dev/sdc"}]
    configurations = [
        {
            "LaunchTemplateSpecification": PINNED,
            "Overrides": [{"ImageId": RESOLVED, "BlockDeviceMappings": mapping}, {"ImageId": RESOLVED}],
        },
        {"LaunchTemplateSpecification": LATEST},
    ]
    item = {"FleetId": "web", "FleetState": state, "LaunchTemplateConfigs": configurations}
    wire.expect("describe_fleets", {"MaxResults": 1000}, {"Fleets": [item]})
    with wire.spoken():
        found = read_launchers.fleets(wire.client)
    assert found == ((launcher("fleet", (RESOLVED,), PINS[:1], ("snap-1",)),) if counts else ())


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        ("submitted", True),
        ("active", True),
        ("modifying", True),
        ("cancelled", False),
        ("cancelled_running", False),
        ("cancelled_terminating", False),
        ("failed", False),
    ],
)
def test_spot_fleets_that_can_launch(state: str, counts: bool) -> None:
    """(botocore shapes SpotFleetRequestConfigData and SpotFleetLaunchSpecification.)"""
    wire = Wire("ec2")
    config = {
        "IamFleetRole": "arn:aws:iam::111122223333:role/fleet",
        "TargetCapacity": 1,
        "LaunchSpecifications": [
            {"ImageId": "ami-1", "BlockDeviceMappings": [{"Ebs": {"SnapshotId": "snap-1"}}]}
        ],
        "LaunchTemplateConfigs": [{"LaunchTemplateSpecification": PINNED}],
    }
    item = {
        "SpotFleetRequestId": "web",
        "SpotFleetRequestState": state,
        "SpotFleetRequestConfig": config,
        "CreateTime": NOW,
    }
    wire.expect("describe_spot_fleet_requests", {"MaxResults": 1000}, {"SpotFleetRequestConfigs": [item]})
    with wire.spoken():
        found = read_launchers.spot_fleets(wire.client)
    assert found == ((launcher("spot_fleet", ("ami-1",), PINS[:1], ("snap-1",)),) if counts else ())


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        ("open", True),
        ("active", True),
        ("disabled", True),
        ("closed", False),
        ("cancelled", False),
        ("failed", False),
    ],
)
def test_spot_requests_that_can_launch(state: str, counts: bool) -> None:
    """(botocore shapes SpotInstanceRequest, SpotInstanceState and LaunchSpecification.)"""
    wire = Wire("ec2")
    specification = {"ImageId": "ami-1", "BlockDeviceMappings": [{"Ebs": {"SnapshotId": "snap-1"}}]}
    item = {"SpotInstanceRequestId": "web", "State": state, "LaunchSpecification": specification}
    first = {"SpotInstanceRequests": [item], "NextToken": "n"}
    wire.expect("describe_spot_instance_requests", {"MaxResults": 1000}, first)
    wire.expect(
        "describe_spot_instance_requests",
        {"MaxResults": 1000, "NextToken": "n"},
        {"SpotInstanceRequests": []},
    )
    with wire.spoken():
        found = read_launchers.spot_requests(wire.client)
    assert found == ((launcher("spot_request", ("ami-1",), (), ("snap-1",)),) if counts else ())


def refreshes_of_a_group_that_is_not_found(listed: list[dict[str, Any]]) -> Any:
    """Two groups, of which the first is listed like this after AWS has not found it."""
    wire = Wire("autoscaling")
    message = "AutoScalingGroup name not found - AutoScalingGroup gone not found"
    wire.refuse("describe_instance_refreshes", {"AutoScalingGroupName": "gone"}, "ValidationError", message)
    wire.expect(
        "describe_auto_scaling_groups", {"AutoScalingGroupNames": ["gone"]}, {"AutoScalingGroups": listed}
    )
    if not listed:
        refresh = {"Status": "InProgress", "DesiredConfiguration": {"LaunchTemplate": PINNED}}
        wire.expect(
            "describe_instance_refreshes", {"AutoScalingGroupName": "web"}, {"InstanceRefreshes": [refresh]}
        )
    with wire.spoken():
        groups = (Launcher("auto_scaling_group", "gone"), launcher("auto_scaling_group"))
        return read_launchers.refreshes(wire.client, groups)


def test_a_group_that_was_deleted_since_it_was_listed_has_no_refreshes() -> None:
    assert refreshes_of_a_group_that_is_not_found([]) == (launcher("auto_scaling_group", (), PINS[:1]),)


def test_a_refused_read_of_a_group_that_exists_is_a_failed_read() -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        refreshes_of_a_group_that_is_not_found([{**GROUP, "AutoScalingGroupName": "gone"}])


IN_GROUP = (launcher("auto_scaling_group"),)
CONFIGURED = {"LaunchTemplateConfigs": [{"Overrides": [{"ImageId": "ami-1"}]}]}


@pytest.mark.parametrize(
    ("service", "reader", "answer", "expected"),
    [
        (
            "autoscaling",
            lambda autoscaling: read_launchers.refreshes(autoscaling, IN_GROUP),
            {"describe_instance_refreshes": {"InstanceRefreshes": [{}]}},
            IN_GROUP,
        ),
        (
            "ec2",
            read_launchers.fleets,
            {"describe_fleets": {"Fleets": [{"FleetId": "web", **CONFIGURED}]}},
            (launcher("fleet", ("ami-1",)),),
        ),
        (
            "ec2",
            read_launchers.spot_fleets,
            {
                "describe_spot_fleet_requests": {
                    "SpotFleetRequestConfigs": [
                        {"SpotFleetRequestId": "web", "SpotFleetRequestConfig": CONFIGURED}
                    ]
                }
            },
            (launcher("spot_fleet", ("ami-1",)),),
        ),
        (
            "ec2",
            read_launchers.spot_requests,
            {"describe_spot_instance_requests": {"SpotInstanceRequests": [{"SpotInstanceRequestId": "web"}]}},
            (launcher("spot_request"),),
        ),
    ],
)
def test_what_has_no_state_can_launch(
    service: str, reader: Any, answer: dict[str, Any], expected: tuple[Launcher, ...]
) -> None:
    assert reader(answering(service, **answer)) == expected


@pytest.mark.parametrize(
    ("reader", "answer", "member"),
    [
        (
            lambda client: read_launchers.refreshes(client, IN_GROUP),
            {"describe_instance_refreshes": {}},
            "InstanceRefreshes",
        ),
        (read_launchers.fleets, {"describe_fleets": {}}, "Fleets"),
        (read_launchers.fleets, {"describe_fleets": {"Fleets": [{}]}}, "FleetId"),
        (read_launchers.spot_fleets, {"describe_spot_fleet_requests": {}}, "SpotFleetRequestConfigs"),
        (
            read_launchers.spot_fleets,
            {"describe_spot_fleet_requests": {"SpotFleetRequestConfigs": [{"SpotFleetRequestId": "web"}]}},
            "SpotFleetRequestConfig",
        ),
        (read_launchers.spot_requests, {"describe_spot_instance_requests": {}}, "SpotInstanceRequests"),
        (
            read_launchers.spot_requests,
            {"describe_spot_instance_requests": {"SpotInstanceRequests": [{}]}},
            "SpotInstanceRequestId",
        ),
        (
            read_launchers.groups,
            {
                "describe_auto_scaling_groups": {
                    "AutoScalingGroups": [{**GROUP, "LaunchTemplate": {"Version": "3"}}]
                }
            },
            "LaunchTemplateName",
        ),
    ],
)
def test_an_incomplete_response_hides_no_launcher(reader: Any, answer: dict[str, Any], member: str) -> None:
    (method,) = answer
    service = "autoscaling" if "instance_ref" in method or "groups" in method else "ec2"
    with pytest.raises(IncompleteAnswer, match=f"lacks {member}"):
        reader(answering(service, **answer))
