# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters of Amazon EMR that launch custom AMIs.

A cluster has one image for all instances, or one for each instance group, or each instance type of a fleet
(botocore shapes Cluster, InstanceGroup and InstanceTypeSpecification, CustomAmiId); without one, it launches
AWS's. A running cluster launches more instances when it is resized (Amazon EMR Management Guide, "Manually
resize a running Amazon EMR cluster").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..._aws.answers import require_member
from .read import Place, Read, Source
from .users import User

_KIND = "emr_cluster"
# Clusters that launch instances (botocore shape ClusterState). Ended ones are listed for two months.
_LIVING = ("STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING")
_CLUSTERS, _CLUSTER = "ListClusters", "DescribeCluster"
_GROUPS, _FLEETS = "ListInstanceGroups", "ListInstanceFleets"


def _read_clusters(place: Place) -> Iterator[User]:
    """Yield every cluster that can launch instances, with the images that it names."""
    emr = place.client("emr")
    for page in emr.get_paginator("list_clusters").paginate(ClusterStates=list(_LIVING)):
        for item in require_member(page, "Clusters", _CLUSTERS):
            cluster_id = require_member(item, "Id", _CLUSTERS)
            cluster = require_member(emr.describe_cluster(ClusterId=cluster_id), "Cluster", _CLUSTER)
            has_fleets = require_member(cluster, "InstanceCollectionType", _CLUSTER) == "INSTANCE_FLEET"
            images = (
                _read_fleet_images(emr, cluster_id) if has_fleets else _read_group_images(emr, cluster_id)
            )
            all_images = (cluster.get("CustomAmiId", ""), *images)
            yield User(_KIND, cluster_id, all_images, given_name=item.get("Name", ""))


def _read_group_images(emr: Any, cluster_id: str) -> Iterator[str]:
    """Yield the images of instance groups."""
    for page in emr.get_paginator("list_instance_groups").paginate(ClusterId=cluster_id):
        for group in require_member(page, "InstanceGroups", _GROUPS):
            yield group.get("CustomAmiId", "")


def _read_fleet_images(emr: Any, cluster_id: str) -> Iterator[str]:
    """Yield the images of the instance types of fleets."""
    for page in emr.get_paginator("list_instance_fleets").paginate(ClusterId=cluster_id):
        for fleet in require_member(page, "InstanceFleets", _FLEETS):
            for instance_type in require_member(fleet, "InstanceTypeSpecifications", _FLEETS):
                yield instance_type.get("CustomAmiId", "")


SOURCE = Source(
    _KIND,
    "not terminating or terminated, with its own image or one of an instance group or fleet (`CustomAmiId`)",
    (Read(_read_clusters, tuple(f"emr:{name}" for name in (_CLUSTERS, _CLUSTER, _GROUPS, _FLEETS))),),
    only_of_owner=True,
    is_late=True,
)
