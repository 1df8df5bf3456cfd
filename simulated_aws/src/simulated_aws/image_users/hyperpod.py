# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of SageMaker HyperPod with their images, in place of moto's.

(botocore shapes ClusterSummary and ClusterInstanceGroupDetails.)
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from ..ec2.access import Caller
from ..ec2.regions import partition_of
from ..exceptions import AwsError
from .operations import Operation, Resource, page, resources


def create_cluster(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Create a cluster, whose instance groups are in service at once."""
    partition, name = partition_of(caller.region) or "aws", params["ClusterName"]
    arn = f"arn:{partition}:sagemaker:{caller.region}:{caller.account_id}:cluster/{secrets.token_hex(6)}"
    cluster = {
        "ClusterArn": arn,
        "ClusterName": name,
        "ClusterStatus": "InService",
        "CreationTime": time.time(),
        "InstanceGroups": [_group(one) for one in params.get("InstanceGroups", ())],
    }
    resources(caller, "hyperpod_cluster")[name] = cluster
    return {"ClusterArn": arn}


def list_clusters(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """List the clusters."""
    clusters = list(resources(caller, "hyperpod_cluster").values())
    shown, following = page(clusters, params, params.get("MaxResults", 100), "NextToken")
    summaries = [{name: one[name] for name in one if name != "InstanceGroups"} for one in shown]
    return {"ClusterSummaries": summaries, **following}


def describe_cluster(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a cluster, by name or ARN."""
    for cluster in resources(caller, "hyperpod_cluster").values():
        if params["ClusterName"] in (cluster["ClusterName"], cluster["ClusterArn"]):
            return cluster
    raise AwsError("ResourceNotFound", f"Cluster {params['ClusterName']} not found.")


def _group(group: Mapping[str, Any]) -> Resource:
    image = group.get("ImageId", "default")
    names = ("InstanceGroupName", "InstanceType", "ExecutionRole")
    return {
        **{name: group[name] for name in names if name in group},
        "CurrentCount": group["InstanceCount"],
        "TargetCount": group["InstanceCount"],
        "Status": "InService",
        "CurrentImageId": image,
        "DesiredImageId": image,
    }


OPERATIONS: dict[str, Operation] = {
    "CreateCluster": create_cluster,
    "DescribeCluster": describe_cluster,
    "ListClusters": list_clusters,
}
