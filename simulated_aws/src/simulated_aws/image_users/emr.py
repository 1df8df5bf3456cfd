# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of Amazon EMR with their custom AMIs, in place of moto's, which have no instance fleets.

(botocore shapes Cluster, InstanceGroup, InstanceFleet and InstanceTypeSpecification.)
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from ..ec2.access import Caller
from ..ec2.regions import partition_of
from ..exceptions import AwsError
from .operations import Operation, Resource, page, resources

_PAGE = 50
"""botocore operation ListClusters: a call returns 50 clusters at most."""


def run_job_flow(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Create a cluster, which waits for steps at once."""
    cluster_id = f"j-{secrets.token_hex(7).upper()[:13]}"
    arn = (
        f"arn:{partition_of(caller.region) or 'aws'}:elasticmapreduce:{caller.region}:{caller.account_id}:"
        f"cluster/{cluster_id}"
    )
    instances = params["Instances"]
    cluster = {
        "Id": cluster_id,
        "Name": params["Name"],
        "Status": {"State": "WAITING"},
        "ClusterArn": arn,
        "InstanceCollectionType": "INSTANCE_FLEET" if "InstanceFleets" in instances else "INSTANCE_GROUP",
        **{name: params[name] for name in ("CustomAmiId", "ReleaseLabel") if name in params},
    }
    resources(caller, "emr_cluster")[cluster_id] = {"cluster": cluster, "instances": instances}
    return {"JobFlowId": cluster_id, "ClusterArn": arn}


def terminate_job_flows(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Terminate clusters, which are listed for two more months."""
    for cluster_id in params["JobFlowIds"]:
        _cluster(caller, cluster_id)["cluster"]["Status"] = {"State": "TERMINATED"}
    return {}


def list_clusters(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """List the clusters, or those in some states."""
    states = params.get("ClusterStates")
    clusters = [one["cluster"] for one in resources(caller, "emr_cluster").values()]
    listed = [one for one in clusters if not states or one["Status"]["State"] in states]
    shown, following = page(listed, params, _PAGE, "Marker")
    names = ("Id", "Name", "Status", "ClusterArn")
    return {"Clusters": [{name: one[name] for name in names} for one in shown], **following}


def describe_cluster(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a cluster, also one that was terminated."""
    return {"Cluster": _cluster(caller, params["ClusterId"])["cluster"]}


def list_instance_groups(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """List the instance groups of a cluster that has no instance fleets."""
    groups = _instances(caller, params, "InstanceGroups", "INSTANCE_GROUP")
    names = ("Name", "Market", "InstanceType", "CustomAmiId")
    shown = [
        {
            "Id": f"ig-{number}",
            "InstanceGroupType": group["InstanceRole"],
            **{name: group[name] for name in names if name in group},
        }
        for number, group in enumerate(groups)
    ]
    return {"InstanceGroups": shown}


def list_instance_fleets(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """List the instance fleets of a cluster that has no instance groups."""
    fleets = _instances(caller, params, "InstanceFleets", "INSTANCE_FLEET")
    shown = [
        {
            "Id": f"if-{number}",
            "InstanceFleetType": fleet["InstanceFleetType"],
            "InstanceTypeSpecifications": fleet.get("InstanceTypeConfigs", []),
        }
        for number, fleet in enumerate(fleets)
    ]
    return {"InstanceFleets": shown}


def _instances(caller: Caller, params: Mapping[str, Any], member: str, collection: str) -> list[Resource]:
    found = _cluster(caller, params["ClusterId"])
    if found["cluster"]["InstanceCollectionType"] != collection:
        message = "Instance fleets and instance groups are mutually exclusive."
        raise AwsError("InvalidRequestException", message)
    return list(found["instances"].get(member, []))


def _cluster(caller: Caller, cluster_id: str) -> Resource:
    found = resources(caller, "emr_cluster").get(cluster_id)
    if found is None:
        raise AwsError("InvalidRequestException", f"Cluster id '{cluster_id}' is not valid.")
    return found


OPERATIONS: dict[str, Operation] = {
    "DescribeCluster": describe_cluster,
    "ListClusters": list_clusters,
    "ListInstanceFleets": list_instance_fleets,
    "ListInstanceGroups": list_instance_groups,
    "RunJobFlow": run_job_flow,
    "TerminateJobFlows": terminate_job_flows,
}
