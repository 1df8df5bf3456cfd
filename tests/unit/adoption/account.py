# SPDX-License-Identifier: GPL-3.0-or-later

"""An account that uses the current release in every way that is looked for, as AWS answers there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._adoption.read_accounts import read_account
from ansible_collections.golden.images.plugins.module_utils._adoption.read_uses import LAUNCHERS
from ansible_collections.golden.images.plugins.module_utils._adoption.state import (
    LAUNCHES,
    READ_INSTANCES,
    AdoptionState,
    Look,
)
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import Target

from tests.unit.adoption.examples import CONSUMER, EU, NEW, NOW, OLD, OWNER, catalog, options
from tests.unit.cleanup.aws_answers import Answers

WAYS = {
    "instance": "instance",
    "default version": "launch_template",
    "pinned version": "launch_template",
    "labeled version of a parameter": "launch_template",
    "numbered version of a parameter": "launch_template",
    "override of a group": "auto_scaling_group",
    "instance refresh": "auto_scaling_group",
    "override of a fleet": "fleet",
    "Spot Fleet": "spot_fleet",
    "Spot request": "spot_request",
    "launch configuration": "launch_configuration",
    "parameter": "parameter",
}
"""How the account uses images, and the kind of each use."""
OPERATIONS = tuple(
    dict.fromkeys(
        (
            READ_INSTANCES,
            *(name.partition(":")[2] for source in LAUNCHERS for name in source.operations),
        )
    )
)
"""What every account is read with."""
_PARAMETER, _LABEL = "/golden/web", "previous"


class Accounts:
    """The clients of one account, as ``AssumedAccounts`` has them."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    @contextmanager
    def as_account(self, account_id: str) -> Iterator[Answers]:
        assert account_id == CONSUMER
        yield self.answers


def read(answers: Answers, *regions: str, **given: Any) -> dict[Target, Look | Failure]:
    """What is read of the account."""
    accounts: Any = Accounts(answers)
    return read_account(accounts, CONSUMER, regions or (EU,), options(**given), catalog())


def read_state(answers: Answers) -> AdoptionState:
    """The state with what the account uses in one region, at the greatest depth."""
    found = read(answers, depth=LAUNCHES)
    return AdoptionState(
        NOW,
        catalog(),
        {target: look for target, look in found.items() if isinstance(look, Look)},
        {target: failure for target, failure in found.items() if isinstance(failure, Failure)},
    )


def instance(image_id: str, serial: int = 1, **image: Any) -> dict[str, Any]:
    """An instance in an answer of DescribeInstanceImageMetadata."""
    return {
        "InstanceId": f"i-0000000{serial}",
        "LaunchTime": datetime(2026, 11, serial, tzinfo=UTC),
        "State": {"Name": "running"},
        "Tags": [{"Key": "Owner", "Value": "payments"}, {"Key": "Name", "Value": "x"}],
        "ImageMetadata": {"ImageId": image_id, "OwnerId": OWNER, "State": "available", **image},
    }


def metadata(*instances: dict[str, Any]) -> dict[str, Any]:
    """An answer of DescribeInstanceImageMetadata."""
    return {"InstanceImageMetadata": list(instances)}


def using(way: str = "", **answers: Any) -> Answers:
    """The account, in which one of ``WAYS`` uses the old release; ``answers`` replace its own."""
    image = {name: (OLD if name == way else NEW).image_id for name in WAYS}
    versions = [
        _version("lt-1", 2, image["default version"]),
        _version("lt-2", 1, f"resolve:ssm:{_PARAMETER}:{_LABEL}"),
        _version("lt-3", 1, f"resolve:ssm:{_PARAMETER}:1"),
    ]
    pinned = [_version("lt-1", 1, image["pinned version"])]

    def describe_versions(request: Mapping[str, Any]) -> dict[str, Any]:
        return {"LaunchTemplateVersions": pinned if "LaunchTemplateId" in request else versions}

    typed = {"Name": _PARAMETER, "DataType": "aws:ec2:image"}
    first, second, latest = (
        {**typed, "Version": number, "Value": image[name], "Labels": labels}
        for number, name, labels in (
            (1, "numbered version of a parameter", []),
            (2, "labeled version of a parameter", [_LABEL]),
            (3, "parameter", []),
        )
    )
    group = _policy(image["override of a group"], LaunchTemplateId="lt-1", Version="1")
    refresh = {"MixedInstancesPolicy": _policy(image["instance refresh"])}
    override = {"Overrides": [{"ImageId": image["override of a fleet"]}]}
    spot_fleet = {"LaunchSpecifications": [{"ImageId": image["Spot Fleet"]}]}
    spot = {"LaunchSpecification": {"ImageId": image["Spot request"]}}
    configuration = {"LaunchConfigurationName": "web", "ImageId": image["launch configuration"]}
    answered: dict[str, Any] = {
        "describe_instance_image_metadata": metadata(instance(image["instance"])),
        "describe_launch_template_versions": describe_versions,
        "describe_parameters": {"Parameters": [typed]},
        "get_parameters": {"Parameters": [latest]},
        "get_parameter_history": {"Parameters": [first, second, latest]},
        "get_parameter": {"Parameter": first},
        "describe_auto_scaling_groups": {
            "AutoScalingGroups": [{"AutoScalingGroupName": "web", "MixedInstancesPolicy": group}]
        },
        "describe_instance_refreshes": {
            "InstanceRefreshes": [{"Status": "InProgress", "DesiredConfiguration": refresh}]
        },
        "describe_fleets": {"Fleets": [{"FleetId": "fleet-1", "LaunchTemplateConfigs": [override]}]},
        "describe_spot_fleet_requests": {
            "SpotFleetRequestConfigs": [{"SpotFleetRequestId": "sfr-1", "SpotFleetRequestConfig": spot_fleet}]
        },
        "describe_spot_instance_requests": {
            "SpotInstanceRequests": [{"SpotInstanceRequestId": "sir-1", **spot}]
        },
        "describe_launch_configurations": {"LaunchConfigurations": [configuration]},
    }
    return Answers(**{**answered, **answers})


def _version(template_id: str, number: int, image_id: str) -> dict[str, Any]:
    data = {"ImageId": image_id}
    return {"LaunchTemplateId": template_id, "VersionNumber": number, "LaunchTemplateData": data}


def _policy(image_id: str, **template: str) -> dict[str, Any]:
    """A mixed instances policy with an override of the image."""
    overrides = [{"ImageId": image_id}]
    return {"LaunchTemplate": {"LaunchTemplateSpecification": template, "Overrides": overrides}}
