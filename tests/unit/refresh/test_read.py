# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading groups: what AWS answers, and what it may leave out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts
from ansible_collections.golden.images.plugins.module_utils._aws.errors import IncompleteAnswer
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._refresh.read import (
    read_groups,
    read_launches,
    read_refresh,
    require_botocore,
)
from ansible_collections.golden.images.plugins.module_utils._refresh.state import (
    Group,
    GroupInstance,
    InstanceRefresh,
    TemplateVersion,
)

from tests.unit.clock import Clock
from tests.unit.refresh.examples import BAD, GOOD, HERE, TEMPLATE, old_autoscaling
from tests.unit.wire import Wire

REQUIRED: dict[str, Any] = {
    "MinSize": 1,
    "MaxSize": 2,
    "DesiredCapacity": 2,
    "DefaultCooldown": 300,
    "AvailabilityZones": ["eu-west-1a"],
    "HealthCheckType": "EC2",
    "CreatedTime": "2026-12-01T00:00:00Z",
}
SPECIFICATION = {"LaunchTemplateId": TEMPLATE, "LaunchTemplateName": "web"}
LATEST = {"AutoScalingGroupName": "web", "MaxRecords": 100}


@dataclass
class Account:
    """The clients of an account, with scripts."""

    autoscaling: Wire
    ec2_wire: Wire
    ssm_wire: Wire

    def client(self, service: str, _region: str) -> Any:
        assert service == "autoscaling"
        return self.autoscaling.client

    def ec2(self, _region: str) -> Any:
        return self.ec2_wire.client

    def ssm(self, _region: str) -> Any:
        return self.ssm_wire.client

    def shows(self, *, refreshes: Any = (), template: bool = True, **group: Any) -> None:
        """One group is read; by default its template is the next thing."""
        shown = {"AutoScalingGroupName": "web", **REQUIRED, **group}
        if template:
            shown.setdefault("LaunchTemplate", {**SPECIFICATION, "Version": "$Latest"})
        self.autoscaling.expect(
            "describe_auto_scaling_groups",
            {"AutoScalingGroupNames": ["web"]},
            {"AutoScalingGroups": [shown]},
        )
        self.autoscaling.expect("describe_instance_refreshes", LATEST, {"InstanceRefreshes": [*refreshes]})

    def has_versions(
        self, *items: dict[str, Any], versions: tuple[str, ...] = ("$Latest", "$Default")
    ) -> None:
        """The versions of the template."""
        request = {"LaunchTemplateId": TEMPLATE, "Versions": [*versions]}
        answer = {"LaunchTemplateVersions": [*items]}
        self.ec2_wire.expect("describe_launch_template_versions", request, answer)

    def runs(self, *instances: dict[str, Any], ids: tuple[str, ...]) -> None:
        """The instances that EC2 returns for these IDs."""
        request = {"Filters": [{"Name": "instance-id", "Values": [*ids]}]}
        self.ec2_wire.expect("describe_instances", request, {"Reservations": [{"Instances": [*instances]}]})

    def read(self) -> Group:
        """The group."""
        clients: Any = self
        (found,) = read_groups(clients, HERE, ["web"]).values()
        return found


@pytest.fixture
def account() -> Iterator[Account]:
    with ExitStack() as stack:
        wires = (stack.enter_context(Wire(one).spoken()) for one in ("autoscaling", "ec2", "ssm"))
        yield Account(*wires)


def version(number: int, image: str | None, is_default: bool = False) -> dict[str, Any]:
    data = {"InstanceType": "t3.micro", **({"ImageId": image} if image else {})}
    return {"VersionNumber": number, "DefaultVersion": is_default, "LaunchTemplateData": data}


def member(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "InstanceId": name,
        "AvailabilityZone": "eu-west-1a",
        "LifecycleState": "InService",
        "HealthStatus": "Healthy",
        "ProtectedFromScaleIn": False,
        **changes,
    }


def test_what_groups_launch_is_read_without_their_instances_and_refreshes(account: Account) -> None:
    shown = {
        **REQUIRED,
        "Instances": [member("i-1")],
        "LaunchTemplate": {**SPECIFICATION, "Version": "$Default"},
    }
    names = [f"web-{number:02}" for number in range(51)]
    for batch in (names[:50], names[50:]):
        account.autoscaling.expect(
            "describe_auto_scaling_groups",
            {"AutoScalingGroupNames": batch},
            {"AutoScalingGroups": [{"AutoScalingGroupName": batch[0], **shown}]},
        )
    for _batch in range(2):
        account.has_versions(version(7, GOOD, is_default=True), versions=("$Default",))
    clients: Any = account
    found = read_launches(clients, HERE, names)
    assert {name: group.launched.image_id for name, group in found.items() if group.launched} == {
        "web-00": GOOD,
        "web-50": GOOD,
    }


def test_a_group_that_follows_the_latest_version(account: Account) -> None:
    old = {"LaunchTemplate": {**SPECIFICATION, "Version": "6"}}
    other = {"LaunchTemplate": {"LaunchTemplateId": "lt-0fedcba9876543210", "Version": "6"}}
    account.shows(
        Instances=[
            member("i-1", **old),
            member("i-2", LifecycleState="Standby", ProtectedFromScaleIn=True, **other),
            member("i-3", ImageId=GOOD),
            member("i-4", LifecycleState="Terminating"),
        ],
        SuspendedProcesses=[{"ProcessName": "Launch"}],
        Tags=[{"Key": "Name", "Value": "web"}],
        InstanceMaintenancePolicy={"MinHealthyPercentage": -1, "MaxHealthyPercentage": -1},
    )
    account.has_versions(version(6, BAD, True), version(7, GOOD))
    shown = [{"InstanceId": "i-1", "ImageId": BAD}, {"InstanceId": "i-2", "ImageId": GOOD}]
    account.runs(*shown, ids=("i-1", "i-2", "i-4"))
    data = {"InstanceType": "t3.micro"}
    assert account.read() == Group(
        "web",
        TEMPLATE,
        "$Latest",
        TemplateVersion(7, {**data, "ImageId": GOOD}, GOOD),
        TemplateVersion(6, {**data, "ImageId": BAD}, BAD),
        (
            GroupInstance("i-1", "InService", False, BAD, 6),
            GroupInstance("i-2", "Standby", True, GOOD, None),
            GroupInstance("i-3", "InService", False, GOOD, None),
            GroupInstance("i-4", "Terminating", False, "", None),
        ),
        suspended=frozenset({"Launch"}),
        desired_capacity=2,
        tags=frozenset({"Name"}),
    )


def test_an_instance_that_was_just_launched_is_read_again(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(EC2 Developer Guide, Eventual consistency in the Amazon EC2 API.)"""
    clock = Clock.of(monkeypatch, attempts)
    account.shows(Instances=[member("i-1"), member("i-2", LifecycleState="Pending")])
    account.has_versions(version(7, GOOD, True))
    first, second = ({"InstanceId": name, "ImageId": GOOD} for name in ("i-1", "i-2"))
    account.runs(first, ids=("i-1", "i-2"))
    account.runs(first, {"InstanceId": "i-2"}, ids=("i-1", "i-2"))
    account.runs(first, second, ids=("i-1", "i-2"))
    assert [one.image_id for one in account.read().instances] == [GOOD, GOOD]
    account.shows(Instances=[member("i-1")])
    account.has_versions(version(7, GOOD, True))
    started = clock.now
    for _attempt in range(16):
        account.runs(ids=("i-1",))
    assert [one.instance_id for one in account.read().unread] == ["i-1"]
    assert clock.now - started == 30


@pytest.mark.parametrize(
    ("named", "versions", "number"),
    [("6", ("6", "$Default"), 6), ("$Default", ("$Default",), 7), (None, ("$Default",), 7)],
)
def test_a_fixed_version_and_the_default_one(
    account: Account, named: str | None, versions: tuple[str, ...], number: int
) -> None:
    account.shows(LaunchTemplate={**SPECIFICATION, **({"Version": named} if named else {})})
    items = [version(7, GOOD, True), *([version(6, BAD)] if number == 6 else [])]
    account.has_versions(*items, versions=versions)
    found = account.read()
    assert (found.version, found.launched and found.launched.number) == (named or "$Default", number)
    assert found.default is not None
    assert found.default.image_id == GOOD


@pytest.mark.parametrize(
    ("parameters", "image_id"),
    [
        ([{"Version": 3, "Value": GOOD, "Type": "String", "DataType": "aws:ec2:image"}], GOOD),
        ([{"Version": 3, "Value": "ami-none", "Type": "String"}], ""),
        ([], ""),
    ],
)
def test_a_parameter_is_resolved(account: Account, parameters: Any, image_id: str) -> None:
    account.shows()
    account.has_versions(version(7, "resolve:ssm:/golden/web:prod", True))
    request = {"Names": ["/golden/web:prod"]}
    account.ssm_wire.expect("get_parameters", request, {"Parameters": parameters})
    found = account.read().launched
    assert found is not None
    assert (found.parameter, found.image_id) == ("/golden/web:prod", image_id)


def test_a_template_without_an_image(account: Account) -> None:
    account.shows()
    account.has_versions(version(7, None, True))
    found = account.read().launched
    assert found is not None
    assert (found.parameter, found.image_id) == ("", "")


def test_a_mixed_instances_policy(account: Account) -> None:
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {**SPECIFICATION, "Version": "7"},
            "Overrides": [{"InstanceType": "t3.small"}, {"InstanceType": "t4g.small", "ImageId": BAD}],
        }
    }
    account.shows(
        template=False,
        MixedInstancesPolicy=policy,
        InstanceMaintenancePolicy={"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110},
        WarmPoolConfiguration={"MinSize": 1},
        Instances=[member("i-1", ImageId=GOOD, WeightedCapacity="4")],
    )
    account.has_versions(version(7, GOOD, True), versions=("7", "$Default"))
    found = account.read()
    assert (found.is_mixed, found.has_own_images, found.version) == (True, True, "7")
    assert (found.min_healthy, found.max_healthy, found.has_warm_pool, found.instances[0].weight) == (
        100,
        110,
        True,
        4,
    )


@pytest.mark.parametrize(
    "code", ["InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.VersionNotFound"]
)
def test_a_template_that_does_not_exist(account: Account, code: str) -> None:
    account.shows()
    request = {"LaunchTemplateId": TEMPLATE, "Versions": ["$Latest", "$Default"]}
    account.ec2_wire.refuse("describe_launch_template_versions", request, code)
    found = account.read()
    assert (found.launched, found.default) == (None, None)


def test_a_denied_read_is_an_error(account: Account) -> None:
    clients: Any = account
    request = {"AutoScalingGroupNames": ["web"]}
    account.autoscaling.refuse("describe_auto_scaling_groups", request, "AccessDenied")
    with pytest.raises(Exception, match="AccessDenied"):
        read_groups(clients, HERE, ["web"])


def test_groups_of_other_kinds(account: Account) -> None:
    account.shows(
        template=False,
        LaunchConfigurationName="old",
        Status="Delete in progress",
        Operator={"Principal": "eks.amazonaws.com"},
    )
    assert account.read() == Group(
        "web",
        configuration="old",
        is_being_deleted=True,
        operator="eks.amazonaws.com",
        desired_capacity=2,
    )


def test_only_the_refresh_that_has_not_ended_counts(account: Account) -> None:
    """AWS returns those of six weeks."""
    ended = [{"InstanceRefreshId": f"r-{one}", "Status": one} for one in ("Successful", "RollbackFailed")]
    desired = {"LaunchTemplate": {"LaunchTemplateId": TEMPLATE, "Version": "7"}}
    active = {
        "InstanceRefreshId": "r-1",
        "Status": "Baking",
        "StatusReason": "Because.",
        "PercentageComplete": 40,
        "InstancesToUpdate": 3,
        "DesiredConfiguration": desired,
        "Strategy": "ReplaceRootVolume",
        "Preferences": {"AutoRollback": True},
    }
    account.shows(template=False, LaunchConfigurationName="old", refreshes=[*ended, active])
    refresh = InstanceRefresh("r-1", "Baking", "Because.", 40, 3, desired, "ReplaceRootVolume", True)
    assert account.read().active == refresh
    assert (refresh.has_ended, refresh.goes_forward) == (False, True)


def test_refreshes_are_read_page_by_page(account: Account) -> None:
    shown = {"AutoScalingGroupName": "web", **REQUIRED, "LaunchConfigurationName": "old"}
    groups = {"AutoScalingGroups": [shown]}
    account.autoscaling.expect("describe_auto_scaling_groups", {"AutoScalingGroupNames": ["web"]}, groups)
    account.autoscaling.expect(
        "describe_instance_refreshes", LATEST, {"InstanceRefreshes": [], "NextToken": "n"}
    )
    account.autoscaling.expect(
        "describe_instance_refreshes",
        {**LATEST, "NextToken": "n"},
        {"InstanceRefreshes": [{"InstanceRefreshId": "r-1"}]},
    )
    assert account.read().active == InstanceRefresh("r-1", "Pending")


def test_one_refresh_is_read_by_its_id(account: Account) -> None:
    request = {"AutoScalingGroupName": "web", "InstanceRefreshIds": ["r-1"]}
    client = account.autoscaling.client
    account.autoscaling.expect("describe_instance_refreshes", request, {"InstanceRefreshes": []})
    pending = InstanceRefresh("r-1")
    assert read_refresh(client, "web", "r-1") == pending
    items = [{"InstanceRefreshId": "r-1", "Status": "Successful"}]
    account.autoscaling.expect("describe_instance_refreshes", request, {"InstanceRefreshes": items})
    assert read_refresh(client, "web", "r-1") == replace(pending, status="Successful")
    account.autoscaling.expect("describe_instance_refreshes", request, {})
    with pytest.raises(IncompleteAnswer):
        read_refresh(client, "web", "r-1")


def test_an_older_botocore_is_refused() -> None:
    """It drops members of answers that it does not know, such as Operator of a group."""
    require_botocore(Wire("autoscaling").client)
    with pytest.raises(ValidationError, match=r"botocore 1\.43\.66 or newer"):
        require_botocore(old_autoscaling())


def test_many_names_are_read_in_several_requests(account: Account) -> None:
    """Auto Scaling takes 50 names in a request (botocore shape AutoScalingGroupNamesType)."""
    names = [f"web-{number}" for number in range(51)]
    for batch in (names[:50], names[50:]):
        account.autoscaling.expect(
            "describe_auto_scaling_groups", {"AutoScalingGroupNames": batch}, {"AutoScalingGroups": []}
        )
    clients: Any = account
    assert read_groups(clients, HERE, names) == {}
