# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters and compute node groups of AWS PCS, which moto lacks.

(botocore shapes ClusterSummary, ComputeNodeGroupSummary and ComputeNodeGroup.)
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from ..ec2.access import Caller
from ..ec2.regions import partition_of
from ..exceptions import AwsError
from .operations import Operation, Resource, page, resources

_CREATED = "2026-01-01T00:00:00Z"
_SUMMARY = ("name", "id", "arn", "createdAt", "modifiedAt", "status")
_PAGE = 10
"""PCS API Reference, ListClusters: by default, a page has 10 results."""


def create_cluster(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Create a cluster, which is active at once."""
    names = ("scheduler", "size", "networking")
    cluster = {**_new(caller, "cluster", params["clusterName"]), **{name: params[name] for name in names}}
    resources(caller, "pcs_cluster")[cluster["id"]] = cluster
    return {"cluster": cluster}


def create_compute_node_group(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Create a compute node group, which is active at once."""
    cluster = _named(caller, "pcs_cluster", params["clusterIdentifier"])
    names = ("amiId", "subnetIds", "customLaunchTemplate", "iamInstanceProfileArn")
    more = ("scalingConfiguration", "instanceConfigs")
    path = f"cluster/{cluster['id']}/computenodegroup"
    group = {
        **_new(caller, path, params["computeNodeGroupName"]),
        "clusterId": cluster["id"],
        **{name: params[name] for name in (*names, *more) if name in params},
    }
    resources(caller, "pcs_compute_node_group")[group["id"]] = group
    return {"computeNodeGroup": group}


def list_clusters(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """List the clusters."""
    clusters = list(resources(caller, "pcs_cluster").values())
    shown, following = page(clusters, params, params.get("maxResults", _PAGE), "nextToken")
    return {"clusters": [{name: one[name] for name in _SUMMARY} for one in shown], **following}


def list_compute_node_groups(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """List the compute node groups of a cluster, without their images."""
    cluster = _named(caller, "pcs_cluster", params["clusterIdentifier"])
    groups = resources(caller, "pcs_compute_node_group").values()
    found = [one for one in groups if one["clusterId"] == cluster["id"]]
    shown, following = page(found, params, params.get("maxResults", _PAGE), "nextToken")
    names = (*_SUMMARY, "clusterId")
    return {"computeNodeGroups": [{name: one[name] for name in names} for one in shown], **following}


def get_compute_node_group(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a compute node group."""
    _named(caller, "pcs_cluster", params["clusterIdentifier"])
    identifier = params["computeNodeGroupIdentifier"]
    return {"computeNodeGroup": _named(caller, "pcs_compute_node_group", identifier)}


def _new(caller: Caller, path: str, name: str) -> Resource:
    identifier = f"pcs_{secrets.token_hex(5)}"
    partition = partition_of(caller.region) or "aws"
    return {
        "name": name,
        "id": identifier,
        "arn": f"arn:{partition}:pcs:{caller.region}:{caller.account_id}:{path}/{identifier}",
        "createdAt": _CREATED,
        "modifiedAt": _CREATED,
        "status": "ACTIVE",
    }


def _named(caller: Caller, kind: str, identifier: str) -> Resource:
    for found in resources(caller, kind).values():
        if identifier in (found["id"], found["name"]):
            return found
    raise AwsError("ResourceNotFoundException", f"The requested resource {identifier} can't be found.", 404)


OPERATIONS: dict[str, Operation] = {
    "CreateCluster": create_cluster,
    "CreateComputeNodeGroup": create_compute_node_group,
    "GetComputeNodeGroup": get_compute_node_group,
    "ListClusters": list_clusters,
    "ListComputeNodeGroups": list_compute_node_groups,
}
