# SPDX-License-Identifier: GPL-3.0-or-later

"""What uses an image in its account keeps it, and so does each read that could not show its uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.cleanup.examples import GROUP, NEW_ID, NEW_IMAGE, OLD_ID, OLD_IMAGE, Run, described
from tests.unit.examples import OWNER

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SHORT_ID = "ami-01234567"
PINNED = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "web", "Version": "3"}
LATEST = {"LaunchTemplateId": "lt-2", "Version": "$Latest"}
BY_NAME = {"LaunchTemplateName": "other", "Version": "1"}
FROM_SNAPSHOT = {
    "BlockDeviceMappings": [
        {"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": "snap-2019"}},
        {"DeviceName": "/dev/sdc", "Ebs": {"VolumeSize": 8}},
        {"DeviceName": "/dev/sdd", "NoDevice": ""},
    ]
}
Answer = Mapping[str, Any]


def instance(state: str = "running", **members: Any) -> dict[str, Any]:
    shown = {"InstanceId": "i-1", "ImageId": OLD_ID, "State": {"Name": state}, **members}
    return {"describe_instances": {"Reservations": [{"Instances": [known(shown)]}]}}


def known(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def version(number: int | None = 1, template: str | None = "lt-1", **data: Any) -> dict[str, Any]:
    return known({"LaunchTemplateId": template, "VersionNumber": number, "LaunchTemplateData": data})


def versions(*found: Answer, pinned: Callable[[Answer], Any] | Any = None) -> dict[str, Any]:
    """The latest and default versions of launch templates, and the answer for one that is pinned."""

    def answer(request: Answer) -> Any:
        if "LaunchTemplateId" in request or "LaunchTemplateName" in request:
            return pinned(request) if callable(pinned) else pinned
        return {"LaunchTemplateVersions": list(found)}

    return {"describe_launch_template_versions": answer}


def group(**members: Any) -> dict[str, Any]:
    return {"describe_auto_scaling_groups": {"AutoScalingGroups": [{**GROUP, **members}]}}


def mixed(*overrides: Answer, template: Answer = PINNED) -> dict[str, Any]:
    return {"LaunchTemplate": {"LaunchTemplateSpecification": template, "Overrides": list(overrides)}}


def configuration(**members: Any) -> dict[str, Any]:
    made = {"InstanceType": "t3.micro", "CreatedTime": NOW}
    shown = {"LaunchConfigurationName": "lc", "ImageId": OLD_ID, **made, **members}
    return {"describe_launch_configurations": {"LaunchConfigurations": [shown]}}


def refresh(status: str | None, **desired: Any) -> dict[str, Any]:
    shown = known({"Status": status, "DesiredConfiguration": desired})
    pages = [{"InstanceRefreshes": [], "NextToken": "n"}, {"InstanceRefreshes": [shown]}]
    return {**group(), "describe_instance_refreshes": pages}


def fleet(state: str | None, *configurations: Answer) -> dict[str, Any]:
    shown = {"FleetId": "fleet-1", "FleetState": state, "LaunchTemplateConfigs": list(configurations)}
    return {"describe_fleets": {"Fleets": [known(shown)]}}


def spot_fleet(state: str | None, **config: Any) -> dict[str, Any]:
    required = {"IamFleetRole": "arn:aws:iam::111122223333:role/fleet", "TargetCapacity": 1}
    shown = {
        "SpotFleetRequestId": "sfr-1",
        "SpotFleetRequestState": state,
        "SpotFleetRequestConfig": {**required, **config},
        "CreateTime": NOW,
    }
    return {"describe_spot_fleet_requests": {"SpotFleetRequestConfigs": [known(shown)]}}


def spot_request(state: str | None, **specification: Any) -> dict[str, Any]:
    shown = {"SpotInstanceRequestId": "sir-1", "State": state, "LaunchSpecification": specification}
    pages = [{"SpotInstanceRequests": [known(shown)], "NextToken": "n"}, {"SpotInstanceRequests": []}]
    return {"describe_spot_instance_requests": pages}


def tag(answers: dict[str, Any]) -> dict[str, Any]:
    """The answers, after the only resource in them has got the tag Name."""
    (answer,) = answers.values()
    page = answer[0] if isinstance(answer, list) else answer
    ((resource,),) = (items for items in page.values() if isinstance(items, list))
    resource["Tags"] = [{"Key": "Owner", "Value": "web"}, {"Key": "Name", "Value": "nodes"}]
    return answers


def parameters(*found: Answer, history: Any = None, **selected: Any) -> dict[str, Any]:
    """The latest values of parameters, all versions, and those that a selector names."""

    def values(request: Answer) -> Answer:
        return {"Parameters": [one for one in found if one["Name"] in request["Names"]]}

    def select(request: Answer) -> Any:
        return selected.get(request["Name"], "ParameterNotFound")

    return {
        "describe_parameters": {"Parameters": [{"Name": one["Name"]} for one in found]},
        "get_parameters": values,
        "get_parameter_history": history or {"Parameters": []},
        "get_parameter": select,
    }


def parameter(value: str, number: int | None = 1, name: str = "/web", **members: Any) -> dict[str, Any]:
    return known({"Name": name, "Value": value, "Version": number, **members})


def value_of(value: str) -> dict[str, Any]:
    return {"Parameter": {"Name": "x", "Value": value}}


def use(answers: Answer, *evidence: str, name: str | None = None) -> Any:
    return pytest.param(answers, list(evidence), id=name or (evidence[0] if evidence else "no use"))


COPY = described("ami-copy", 2018, SourceImageId=OLD_ID, SourceImageRegion="eu-west-1", State="pending")
RESOLVED = "resolve:ssm:/web:3"
GONE = "InvalidLaunchTemplateId.VersionNotFound"
LATEST_READ = {**version(3, ImageId=OLD_ID), "LaunchTemplateName": "web"}
OLDER = [
    {"Version": 1, "Value": OLD_ID, "Labels": ["prod", "source-ami-0"]},
    {"Version": 2, "Value": OLD_ID},
    {"Version": 4, "Value": NEW_ID, "Labels": ["new"]},
]


@pytest.mark.parametrize(
    ("answers", "evidence"),
    [
        use({}),
        # EC2 User Guide, "Amazon EC2 instance state changes".
        *(
            use(instance(state), f"instance i-1 {state}")
            for state in ("pending", "running", "shutting-down", "stopping", "stopped")
        ),
        use(instance("terminated"), name="a terminated instance"),
        use(instance(ImageId=NEW_ID), name="an instance of another image"),
        use(
            versions(version(1, ImageId=OLD_ID), version(7, ImageId=OLD_ID)),
            "launch_template lt-1 version 1",
            "launch_template lt-1 version 7",
        ),
        use(versions(version(1)), name="a template without an image"),
        use(configuration(), "launch_configuration lc no group"),
        use({**configuration(), **group(LaunchConfigurationName="lc")}, "launch_configuration lc web"),
        # (botocore shapes AutoScalingGroup, MixedInstancesPolicy and LaunchTemplateOverrides.)
        use(
            {
                **group(MixedInstancesPolicy=mixed({"ImageId": OLD_ID}, {"ImageId": OLD_ID})),
                **versions(pinned=GONE),
            },
            "auto_scaling_group web",
        ),
        use(
            {
                **group(LaunchTemplate=PINNED),
                **versions(pinned={"LaunchTemplateVersions": [version(3, ImageId=OLD_ID)]}),
            },
            "launch_template lt-1 version 3",
            name="a version that a group pins by ID",
        ),
        use(
            {
                **group(
                    MixedInstancesPolicy=mixed({"LaunchTemplateSpecification": BY_NAME}, template=LATEST)
                ),
                **versions(
                    pinned=lambda request: (
                        {"LaunchTemplateVersions": [version(1, "lt-9", ImageId=OLD_ID)]}
                        if request == {"LaunchTemplateName": "other", "Versions": ["1"]}
                        else GONE
                    )
                ),
            },
            "launch_template lt-9 version 1",
            name="a version that a group pins by name",
        ),
        *(
            use(
                {
                    **group(LaunchTemplate=pin),
                    **versions(LATEST_READ, pinned={"LaunchTemplateVersions": [LATEST_READ]}),
                },
                "launch_template web (lt-1) version 3",
                name=f"a pinned version that was read already: {name}",
            )
            for name, pin in (("by ID", PINNED), ("by name", {"LaunchTemplateName": "web", "Version": "3"}))
        ),
        # EC2 API Reference, DescribeLaunchTemplateVersions: a missing version fails the whole request.
        use({**group(LaunchTemplate=PINNED), **versions(pinned=GONE)}, name="a version that is gone"),
        # (botocore shape InstanceRefreshStatus.)
        *(
            use(
                {
                    **refresh(status, LaunchTemplate=PINNED),
                    **versions(pinned={"LaunchTemplateVersions": [version(3, ImageId=OLD_ID)]}),
                },
                *["launch_template lt-1 version 3"] * counts,
                name=f"a refresh: {status}",
            )
            for counts, statuses in (
                (True, (None, "Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking")),
                (False, ("Successful", "Failed", "Cancelled", "RollbackFailed", "RollbackSuccessful")),
            )
            for status in statuses
        ),
        # (botocore shapes FleetData and FleetLaunchTemplateOverrides.)
        *(
            use(
                fleet(state, {"LaunchTemplateSpecification": LATEST, "Overrides": [{"ImageId": OLD_ID}] * 2}),
                *["fleet fleet-1"] * counts,
                name=f"a fleet: {state}",
            )
            for counts, states in (
                (True, (None, "submitted", "active", "modifying")),
                (False, ("deleted", "deleted_running", "deleted-terminating", "failed")),
            )
            for state in states
        ),
        # (botocore shapes SpotFleetRequestConfigData and SpotFleetLaunchSpecification.)
        *(
            use(
                spot_fleet(state, LaunchSpecifications=[{"ImageId": OLD_ID}]),
                *["spot_fleet sfr-1"] * counts,
                name=f"a Spot Fleet: {state}",
            )
            for counts, states in (
                (True, (None, "submitted", "active", "modifying")),
                (False, ("cancelled", "cancelled_running", "cancelled_terminating", "failed")),
            )
            for state in states
        ),
        # (botocore shapes FleetData, SpotFleetRequestConfig and SpotInstanceRequest: Tags.)
        use(
            tag(fleet("active", {"Overrides": [{"ImageId": OLD_ID}]})),
            "fleet nodes (fleet-1)",
            name="a fleet with a name",
        ),
        use(
            tag(spot_fleet("active", LaunchSpecifications=[{"ImageId": OLD_ID}])),
            "spot_fleet nodes (sfr-1)",
            name="a Spot Fleet with a name",
        ),
        use(
            tag(spot_request("open", ImageId=OLD_ID)),
            "spot_request nodes (sir-1)",
            name="a Spot request with a name",
        ),
        use(
            spot_fleet("active", LaunchTemplateConfigs=[{"Overrides": [{"ImageId": OLD_ID}]}]),
            "spot_fleet sfr-1",
            name="a Spot Fleet with a launch template",
        ),
        # (botocore shapes SpotInstanceRequest, SpotInstanceState and LaunchSpecification.)
        *(
            use(
                spot_request(state, ImageId=OLD_ID),
                *["spot_request sir-1"] * counts,
                name=f"a Spot request: {state}",
            )
            for counts, states in (
                (True, (None, "open", "active", "disabled")),
                (False, ("closed", "cancelled", "failed")),
            )
            for state in states
        ),
        # (botocore shapes StoreImageTaskResult and ExportImageTask.)
        use(
            {
                "describe_store_image_tasks": [
                    {"StoreImageTaskResults": [], "NextToken": "n"},
                    {"StoreImageTaskResults": [{"AmiId": OLD_ID, "Bucket": "b", "S3objectKey": "k"}]},
                ]
            },
            "store_task b/k",
        ),
        use({"describe_store_image_tasks": {"StoreImageTaskResults": [{"AmiId": OLD_ID}]}}, "store_task /"),
        use(
            {
                "describe_export_image_tasks": {
                    "ExportImageTasks": [{"ImageId": OLD_ID, "ExportImageTaskId": "export-1"}]
                }
            },
            "export_task export-1",
        ),
        use({"describe_export_image_tasks": {"ExportImageTasks": [{"ImageId": OLD_ID}]}}, "export_task"),
        # A region without such tasks (EC2 API Reference, "Error codes").
        *(
            use({method: code}, name=f"{method}: {code}")
            for method in ("describe_store_image_tasks", "describe_export_image_tasks")
            for code in ("InvalidAction", "UnsupportedOperation")
        ),
        use(parameters(parameter(OLD_ID)), "parameter /web"),
        use(parameters(parameter(f'{{"a": "{OLD_ID}", "b": "{OLD_ID}"}}')), "parameter /web", name="JSON"),
        use(parameters(parameter(f"{SHORT_ID},golden_{OLD_ID}_web")), "parameter /web", name="a list"),
        use(parameters(parameter(f"{OLD_ID}1 x{OLD_ID} ami-xyz")), name="words like it"),
        # Botocore shapes Parameter (Version, DataType) and ParameterHistory (Labels).
        use(
            parameters(
                parameter(NEW_ID, 4, DataType="aws:ec2:image"),
                history=[{"Parameters": OLDER, "NextToken": "n"}, {"Parameters": []}],
            ),
            "parameter /web:prod",
            "parameter /web:source-ami-0",
            name="labels of earlier versions",
        ),
        use(
            parameters(parameter(NEW_ID, 2), history={"Parameters": OLDER[:1]}),
            "parameter /web:prod",
            "parameter /web:source-ami-0",
            name="labels of a plain parameter",
        ),
        use(
            parameters(parameter("", 2, DataType="aws:ec2:image"), history={"Parameters": OLDER[:1]}),
            "parameter /web:prod",
            "parameter /web:source-ami-0",
            name="labels of one without an image",
        ),
        use(
            parameters(parameter(NEW_ID, 1, DataType="aws:ec2:image"), history={"Parameters": OLDER}),
            name="the only version",
        ),
        use(parameters(parameter(f"is {NEW_ID}", 2), history={"Parameters": OLDER}), name="a text"),
        use(
            parameters(parameter(NEW_ID, 2), history="ParameterNotFound"),
            name="a parameter that was deleted since it was listed",
        ),
        # The latest value of a parameter is read with the parameters.
        use(
            {**versions(version(1, ImageId="resolve:ssm:/web")), **parameters(parameter(OLD_ID))},
            "parameter /web",
            name="a template that resolves a parameter",
        ),
        *(
            use(
                {
                    **versions(
                        version(1, ImageId=f"resolve:ssm:{name}"), version(2, ImageId=f"resolve:ssm:{name}")
                    ),
                    **parameters(**{name: value_of(OLD_ID)}),
                },
                f"parameter {name}",
            )
            for name in ("/web:3", "/web:prod", "arn:aws:ssm:eu-west-1:999988887777:parameter/shared")
        ),
        use(
            {
                **group(MixedInstancesPolicy=mixed({"ImageId": RESOLVED}, template=LATEST)),
                **parameters(**{"/web:3": value_of(OLD_ID)}),
            },
            "parameter /web:3",
            name="a group that resolves a parameter",
        ),
        use(
            {
                **versions(version(1, ImageId=RESOLVED)),
                **parameters(**{"/web:3": "ParameterVersionNotFound"}),
            },
            name="a version of a parameter that does not exist",
        ),
        # A finished copy no longer needs its source (EC2 User Guide, "How Amazon EC2 AMI copy works").
        *(
            use(
                {"describe_images": {"Images": [OLD_IMAGE, NEW_IMAGE, {**COPY, "State": state}]}},
                *["running_copy ami-copy eu-west-1"] * (state == "pending"),
                name=f"a copy: {state}",
            )
            for state in ("pending", "available", "failed")
        ),
        use(
            {
                "describe_images": {
                    "Images": [OLD_IMAGE, NEW_IMAGE, {**COPY, "SourceImageRegion": "us-east-1"}]
                }
            },
            name="a copy of an image of another region",
        ),
        use(
            {
                "describe_image_references": {
                    "ImageReferences": [
                        {"ImageId": OLD_ID, "ResourceType": "imagebuilder:ImageRecipe", "Arn": "arn:x"}
                    ]
                }
            },
            "imagebuilder:ImageRecipe arn:x",
        ),
    ],
)
def test_what_uses_an_image_keeps_it(answers: dict[str, Any], evidence: list[str]) -> None:
    run = Run(**answers)
    assert (run.evidence, run.decision) == (evidence, "keep" if evidence else "deregister")
    assert run.unreadable == []


@pytest.mark.parametrize(
    ("answers", "user"),
    [
        (versions(version(2, **FROM_SNAPSHOT)), "launch template lt-1 version 2"),
        (configuration(ImageId=NEW_ID, **FROM_SNAPSHOT), "launch configuration lc"),
        (fleet("active", {"Overrides": [{"ImageId": NEW_ID, **FROM_SNAPSHOT}]}), "fleet fleet-1"),
        (spot_fleet("active", LaunchSpecifications=[FROM_SNAPSHOT]), "spot fleet sfr-1"),
        (spot_request("open", **FROM_SNAPSHOT), "spot request sir-1"),
    ],
)
def test_a_snapshot_that_something_creates_volumes_from_stays(answers: dict[str, Any], user: str) -> None:
    run = Run(**answers)
    assert (run.decision, run.deleted) == ("deregister", [])
    (snapshot,) = run.of()["snapshots"]
    assert user in snapshot["keep_reason"]
    assert Run().deleted == ["snap-2019"]


IMAGE_PARAMETER = parameter(NEW_ID, 2)
SELECTS = versions(version(1, ImageId=RESOLVED))
READS = {
    "describe_auto_scaling_groups": {},
    "describe_instance_refreshes": group(),
    "describe_fleets": {},
    "describe_spot_fleet_requests": {},
    "describe_spot_instance_requests": {},
    "describe_launch_template_versions": {},
    "describe_instances": {},
    "describe_launch_configurations": {},
    "describe_store_image_tasks": {},
    "describe_export_image_tasks": {},
    "describe_parameters": {},
    "get_parameters": parameters(IMAGE_PARAMETER),
    "get_parameter_history": parameters(IMAGE_PARAMETER),
    "get_parameter": SELECTS,
    "describe_image_references": {},
    "describe_image_attribute": {},
}


@pytest.mark.parametrize(("method", "answers"), READS.items(), ids=READS)
def test_a_read_that_aws_refuses_counts_as_use(method: str, answers: dict[str, Any]) -> None:
    run = Run(**{**answers, method: "UnauthorizedOperation"})
    assert (run.decision, {one.partition(" ")[0] for one in run.evidence}) == ("keep", {"unreadable"})
    assert "UnauthorizedOperation: No." in run.evidence[0]
    assert run.unreadable[0] == "".join(part.capitalize() for part in method.split("_"))
    assert run.result["unreadable"][0]["remedy"].startswith("Allow ")
    assert run.plan.failures
    assert run.deleted == []


def spot(**members: Any) -> dict[str, Any]:
    return {"describe_spot_fleet_requests": {"SpotFleetRequestConfigs": [members]}}


@pytest.mark.parametrize(
    ("answers", "member"),
    [
        ({"describe_instances": {}}, "Reservations"),
        ({"describe_instances": {"Reservations": [{}]}}, "Instances"),
        (instance(ImageId=None), "ImageId"),
        (instance(InstanceId=None), "InstanceId"),
        (instance(State=None), "State"),
        ({"describe_launch_template_versions": {}}, "LaunchTemplateVersions"),
        (versions({"LaunchTemplateId": "lt-1", "VersionNumber": 1}), "LaunchTemplateData"),
        (versions(version(template=None)), "LaunchTemplateId"),
        (versions(version(None)), "VersionNumber"),
        ({**group(LaunchTemplate=PINNED), **versions(pinned={})}, "LaunchTemplateVersions"),
        ({**group(), "describe_instance_refreshes": {}}, "InstanceRefreshes"),
        (group(LaunchTemplate={"Version": "3"}), "LaunchTemplateName"),
        ({"describe_fleets": {}}, "Fleets"),
        ({"describe_fleets": {"Fleets": [{}]}}, "FleetId"),
        ({"describe_spot_fleet_requests": {}}, "SpotFleetRequestConfigs"),
        (spot(), "SpotFleetRequestId"),
        (spot(SpotFleetRequestId="sfr-1"), "SpotFleetRequestConfig"),
        ({"describe_spot_instance_requests": {}}, "SpotInstanceRequests"),
        ({"describe_spot_instance_requests": {"SpotInstanceRequests": [{}]}}, "SpotInstanceRequestId"),
        ({"describe_store_image_tasks": {}}, "StoreImageTaskResults"),
        ({"describe_store_image_tasks": {"StoreImageTaskResults": [{"Bucket": "b"}]}}, "AmiId"),
        ({"describe_export_image_tasks": {}}, "ExportImageTasks"),
        ({"describe_export_image_tasks": {"ExportImageTasks": [{"ExportImageTaskId": "e"}]}}, "ImageId"),
        ({"describe_parameters": {}}, "Parameters"),
        ({"describe_parameters": {"Parameters": [{}]}}, "Name"),
        ({**parameters(IMAGE_PARAMETER), "get_parameters": {}}, "Parameters"),
        (
            {
                **parameters(IMAGE_PARAMETER),
                "get_parameters": {"Parameters": [{"Name": "/web", "Version": 1}]},
            },
            "Value",
        ),
        # Earlier versions with labels are read only if there are several.
        (
            {
                **parameters(IMAGE_PARAMETER),
                "get_parameters": {"Parameters": [{"Name": "/web", "Value": "x"}]},
            },
            "Version",
        ),
        ({**parameters(IMAGE_PARAMETER), "get_parameter_history": {}}, "Parameters"),
        (
            parameters(IMAGE_PARAMETER, history={"Parameters": [{"Value": OLD_ID, "Labels": ["old"]}]}),
            "Version",
        ),
        (parameters(IMAGE_PARAMETER, history={"Parameters": [{"Version": 1, "Labels": ["old"]}]}), "Value"),
        ({**SELECTS, "get_parameter": {}}, "Parameter"),
        ({**SELECTS, "get_parameter": {"Parameter": {"Name": "/web"}}}, "Value"),
        ({"describe_image_references": {}}, "ImageReferences"),
        *(
            (
                {
                    "describe_image_references": {
                        "ImageReferences": [
                            known({"ImageId": OLD_ID, "ResourceType": "t", "Arn": "arn:x", member: None})
                        ]
                    }
                },
                member,
            )
            for member in ("ImageId", "ResourceType", "Arn")
        ),
    ],
)
def test_an_incomplete_response_hides_no_use(answers: dict[str, Any], member: str) -> None:
    run = Run(**answers)
    assert run.decision == "keep"
    assert f"lacks {member}" in run.evidence[0]
    assert "incomplete_response: AWS's response to " in run.evidence[0]
    assert run.unreadable


@pytest.mark.parametrize("name", ["/web:3", "/db", f"arn:aws:ssm:eu-west-1:{OWNER}:parameter/web"])
def test_a_template_whose_parameter_could_not_be_read_may_launch_any_image(name: str) -> None:
    code = "AccessDeniedException" if not name.startswith("arn:") else "ParameterNotFound"
    template = versions(version(2, ImageId=f"resolve:ssm:{name}"))
    run = Run(**{**template, **parameters(parameter(NEW_ID), **{name: code})})
    assert run.decision == "keep"
    assert (
        run.evidence[-1]
        == f"unreadable launch template lt-1 version 2 resolve:ssm:{name} could not be resolved."
    )


def test_so_may_a_group_whose_parameter_could_not_be_read() -> None:
    overrides = mixed({"ImageId": RESOLVED}, template=LATEST)
    denied = parameters(**{"/web:3": "AccessDeniedException"})
    run = Run(**group(MixedInstancesPolicy=overrides), **denied)
    assert run.decision == "keep"
    assert run.evidence[-1] == f"unreadable auto scaling group web {RESOLVED} could not be resolved."


@pytest.mark.parametrize(
    ("listed", "decision"),
    [
        pytest.param([], "deregister", id="it was deleted since it was listed"),
        pytest.param([{**GROUP, "AutoScalingGroupName": "web"}], "keep", id="it exists"),
    ],
)
def test_the_refreshes_of_a_group_that_aws_does_not_find(listed: list[Any], decision: str) -> None:
    """The code is that of any invalid request (kubernetes-sigs/cluster-api-provider-aws #4662)."""

    def groups(request: Answer) -> Answer:
        return {"AutoScalingGroups": listed if "AutoScalingGroupNames" in request else [GROUP]}

    run = Run(describe_auto_scaling_groups=groups, describe_instance_refreshes="ValidationError")
    assert (run.decision, bool(run.unreadable)) == (decision, decision == "keep")


def test_groups_are_read_page_by_page() -> None:
    other = {
        **GROUP,
        "AutoScalingGroupName": "other",
        "MixedInstancesPolicy": mixed({"ImageId": OLD_ID}, template=LATEST),
    }
    pages = [{"AutoScalingGroups": [GROUP], "NextToken": "n"}, {"AutoScalingGroups": [other]}]
    assert Run(describe_auto_scaling_groups=pages).evidence == ["auto_scaling_group other"]


LIVING = ["pending", "running", "shutting-down", "stopping", "stopped"]
REFERRED = {
    "ImageIds": [OLD_ID],
    "MaxResults": 1000,
    "ResourceTypes": [
        {
            "ResourceType": "ec2:Instance",
            "ResourceTypeOptions": [{"OptionName": "state-name", "OptionValues": LIVING}],
        },
        {
            "ResourceType": "ec2:LaunchTemplate",
            "ResourceTypeOptions": [{"OptionName": "version-depth", "OptionValues": ["10000"]}],
        },
        {"ResourceType": "ssm:Parameter"},
        {"ResourceType": "imagebuilder:ImageRecipe"},
        {"ResourceType": "imagebuilder:ContainerRecipe"},
    ],
}


def test_reads_leave_out_only_what_cannot_use_an_image() -> None:
    """Ended instances, encrypted parameters, versions of templates that nothing pins, ended tasks."""
    run = Run(**parameters(*(parameter(NEW_ID, name=f"/{number}") for number in range(11))))
    requests = dict(run.clients.calls)
    assert {name: requests[name] for name in READS if name in requests} == {
        "describe_auto_scaling_groups": {},
        "describe_fleets": {"MaxResults": 1000},
        "describe_spot_fleet_requests": {"MaxResults": 1000},
        "describe_spot_instance_requests": {"MaxResults": 1000},
        "describe_launch_template_versions": {"Versions": ["$Latest", "$Default"], "MaxResults": 200},
        "describe_instances": {
            "Filters": [{"Name": "instance-state-name", "Values": LIVING}],
            "MaxResults": 1000,
        },
        "describe_launch_configurations": {},
        "describe_store_image_tasks": {
            "Filters": [{"Name": "task-state", "Values": ["InProgress"]}],
            "MaxResults": 200,
        },
        "describe_export_image_tasks": {
            "Filters": [{"Name": "task-state", "Values": ["active"]}],
            "MaxResults": 500,
        },
        "describe_parameters": {
            "ParameterFilters": [{"Key": "Type", "Values": ["String", "StringList"]}],
            "MaxResults": 50,
        },
        "get_parameters": {"Names": ["/10"]},
        "describe_image_references": REFERRED,
        "describe_image_attribute": {"Attribute": "launchPermission", "ImageId": OLD_ID},
    }
    # SSM API Reference, GetParameters: at most ten names.
    batches = [request["Names"] for name, request in run.clients.calls if name == "get_parameters"]
    assert [len(names) for names in batches] == [10, 1]
