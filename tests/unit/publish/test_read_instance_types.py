# SPDX-License-Identifier: GPL-3.0-or-later

"""How instance types of launch templates are asked for, and what is read of them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.errors import IncompleteAnswer
from ansible_collections.golden.images.plugins.module_utils.publish.read_instance_types import instance_types
from ansible_collections.golden.images.plugins.module_utils.publish.state import (
    InstanceType,
    TemplateVersion,
)

from tests.unit.wire import Wire

FULL: dict[str, Any] = {
    "InstanceType": "t3.micro",
    "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
    "SupportedBootModes": ["legacy-bios", "uefi"],
    "SupportedRootDeviceTypes": ["ebs"],
    "SupportedVirtualizationTypes": ["hvm"],
    "NetworkInfo": {"EnaSupport": "required"},
    "NitroTpmSupport": "supported",
    "VCpuInfo": {"DefaultVCpus": 2},
    "MemoryInfo": {"SizeInMiB": 1024},
    "BareMetal": False,
    "BurstablePerformanceSupported": True,
}


def version(**data: Any) -> TemplateVersion:
    return TemplateVersion(1, data)


def test_the_named_types_are_read_in_one_request(ec2: Wire) -> None:
    request = {
        "Filters": [{"Name": "instance-type", "Values": ["c9.none", "t2.micro", "t3.micro"]}],
        "MaxResults": 100,
    }
    ec2.expect("describe_instance_types", request, {"InstanceTypes": [FULL, {"InstanceType": "t2.micro"}]})
    names = ("t3.micro", "t2.micro", "c9.none", "t3.micro")
    found = instance_types(ec2.client, [version(InstanceType=name) for name in names])
    assert found == {
        "t3.micro": InstanceType(
            "t3.micro",
            frozenset({"x86_64"}),
            frozenset({"legacy-bios", "uefi"}),
            "required",
            "supported",
            2,
            1024,
            False,
            True,
            frozenset({"hvm"}),
            frozenset({"ebs"}),
        ),
        # What the answer lacks is not known.
        "t2.micro": InstanceType("t2.micro"),
    }


def test_all_types_are_read_for_requirements(ec2: Wire) -> None:
    more = {"InstanceTypes": [FULL], "NextToken": "more"}
    ec2.expect("describe_instance_types", {"Filters": [], "MaxResults": 100}, more)
    request = {"Filters": [], "MaxResults": 100, "NextToken": "more"}
    ec2.expect("describe_instance_types", request, {"InstanceTypes": [{**FULL, "InstanceType": "m7i.large"}]})
    versions = [version(InstanceType="t3.micro"), version(InstanceRequirements={"VCpuCount": {"Min": 1}})]
    assert [*instance_types(ec2.client, versions)] == ["t3.micro", "m7i.large"]


@pytest.mark.parametrize("answer", [{}, {"InstanceTypes": [{}]}])
def test_an_answer_without_types_is_a_failed_read(ec2: Wire, answer: dict[str, Any]) -> None:
    request = {"Filters": [{"Name": "instance-type", "Values": ["t3.micro"]}], "MaxResults": 100}
    ec2.expect("describe_instance_types", request, answer)
    with pytest.raises(IncompleteAnswer):
        instance_types(ec2.client, [version(InstanceType="t3.micro")])
