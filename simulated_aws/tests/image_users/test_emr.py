# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of Amazon EMR show the images that they launch (botocore operations of the service emr)."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

GROUPS = {"InstanceGroups": [{"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}]}


def run(emr: Any, instances: dict[str, Any], **more: Any) -> str:
    return str(
        emr.run_job_flow(Name="etl", ReleaseLabel="emr-7.0.0", Instances=instances, **more)["JobFlowId"]
    )


def test_a_cluster_shows_its_image_and_those_of_its_groups(aws: SimulatedAws, image_id: str) -> None:
    emr = aws.client("emr", "owner")
    group = {**GROUPS["InstanceGroups"][0], "CustomAmiId": image_id}
    cluster_id = run(emr, {"InstanceGroups": [group]}, CustomAmiId=image_id)
    cluster = emr.describe_cluster(ClusterId=cluster_id)["Cluster"]
    assert (cluster["CustomAmiId"], cluster["InstanceCollectionType"]) == (image_id, "INSTANCE_GROUP")
    (shown,) = emr.list_instance_groups(ClusterId=cluster_id)["InstanceGroups"]
    assert (shown["InstanceGroupType"], shown["CustomAmiId"]) == ("MASTER", image_id)
    with pytest.raises(ClientError, match="mutually exclusive"):
        emr.list_instance_fleets(ClusterId=cluster_id)
    assert [call.changes for call in aws.calls(service="elasticmapreduce")] == [True, False, False, False]


def test_a_fleet_shows_the_image_of_each_instance_type(aws: SimulatedAws, image_id: str) -> None:
    emr = aws.client("emr", "owner")
    types = [{"InstanceType": "m5.xlarge", "CustomAmiId": image_id}]
    cluster_id = run(emr, {"InstanceFleets": [{"InstanceFleetType": "CORE", "InstanceTypeConfigs": types}]})
    assert "CustomAmiId" not in emr.describe_cluster(ClusterId=cluster_id)["Cluster"]
    (fleet,) = emr.list_instance_fleets(ClusterId=cluster_id)["InstanceFleets"]
    assert fleet["InstanceTypeSpecifications"] == types
    with pytest.raises(ClientError, match="mutually exclusive"):
        emr.list_instance_groups(ClusterId=cluster_id)


def test_clusters_are_listed_by_state_page_by_page_and_of_the_region(aws: SimulatedAws) -> None:
    emr = aws.client("emr", "owner")
    first, *others = [run(emr, GROUPS) for _number in range(52)]
    emr.terminate_job_flows(JobFlowIds=[first])
    pages = list(emr.get_paginator("list_clusters").paginate(ClusterStates=["WAITING"]))
    assert [len(one["Clusters"]) for one in pages] == [50, 1]
    assert [cluster["Id"] for one in pages for cluster in one["Clusters"]] == others
    (ended,) = emr.list_clusters(ClusterStates=["TERMINATED"])["Clusters"]
    assert ended["Id"] == first
    assert aws.client("emr", "owner", "eu-west-1").list_clusters()["Clusters"] == []


def test_a_cluster_must_exist(aws: SimulatedAws) -> None:
    with pytest.raises(ClientError, match="Cluster id 'j-0' is not valid"):
        aws.client("emr", "owner").describe_cluster(ClusterId="j-0")
