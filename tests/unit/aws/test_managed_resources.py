# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads of EC2 include the resources that AWS services manage."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._aws.clients import Clients, Connection
from ansible_collections.golden.images.plugins.module_utils._aws.managed_resources import (
    hides_managed,
)
from ansible_collections.golden.images.plugins.module_utils._aws.operations import EC2

READS = ("DescribeInstances", "DescribeLaunchTemplateVersions", "DescribeVolumes")


def ec2_client() -> Any:
    clients = Clients(
        Connection(credentials={"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret"})
    )
    clients.open("ec2", ["eu-west-1"])
    return clients.ec2("eu-west-1")


def test_every_read_that_has_the_parameter_is_sent_with_it() -> None:
    """(botocore shapes DescribeVolumesRequest, DescribeInstancesRequest and others.)"""
    ec2 = ec2_client()
    sent: dict[str, dict[str, Any]] = {}

    def answer(params: dict[str, Any], model: Any, **_event: Any) -> Any:
        sent[model.name] = params["body"]
        return SimpleNamespace(status_code=200), {}

    ec2.meta.events.register("before-call.ec2", answer)
    ec2.describe_regions()
    for name in ("describe_instances", "describe_launch_template_versions", "describe_volumes"):
        assert list(ec2.get_paginator(name).paginate())
    assert {name for name, body in sent.items() if body.get("IncludeManagedResources") == "true"} == {*READS}
    assert sent.keys() == {*READS, "DescribeRegions"}


def test_these_are_all_reads_of_the_collection_that_have_it() -> None:
    model = ec2_client().meta.service_model
    found = {
        name for name in EC2 if "IncludeManagedResources" in model.operation_model(name).input_shape.members
    }
    assert found == {*READS}


def test_an_older_botocore_hides_what_aws_services_manage() -> None:
    ec2 = ec2_client()
    assert [hides_managed(ec2, name) for name in READS] == ["", "", ""]
    del ec2.meta.service_model.operation_model("DescribeVolumes").input_shape.members[
        "IncludeManagedResources"
    ]
    assert "botocore 1.42.94 or newer" in hides_managed(ec2, "DescribeVolumes")
    assert hides_managed(ec2, "DescribeInstances") == ""
