# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters of SageMaker HyperPod that launch custom AMIs.

SageMaker API Reference, ClusterInstanceGroupDetails: an instance group has its image, and the image that an
update replaces it with. Both are ``default`` for AWS's. A custom AMI belongs to the account of the cluster
(ClusterInstanceGroupSpecification, ImageId), and replaces nodes that fail (BatchReplaceClusterNodes). A
cluster or group in any state counts: its deletion can fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..._aws.answers import unless_gone
from .read import Place, Read, Source
from .users import User

_KIND = "hyperpod_cluster"
# botocore operation DescribeCluster: a cluster that was deleted since it was listed.
_GONE = ("ResourceNotFound",)


def _read_clusters(place: Place) -> Iterator[User]:
    """Yield every instance group, with its images."""
    sagemaker = place.client("sagemaker")
    # botocore shape ListClustersRequest, MaxResults: 1 to 100.
    pages = sagemaker.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 100})
    for page in pages:
        for item in page["ClusterSummaries"]:
            arn, name = item["ClusterArn"], item["ClusterName"]
            cluster = unless_gone(partial(sagemaker.describe_cluster, ClusterName=arn), _GONE)
            for group in cluster["InstanceGroups"] if cluster else ():
                images = (group.get("CurrentImageId", ""), group.get("DesiredImageId", ""))
                yield User(_KIND, name, images, detail=group.get("InstanceGroupName", ""))


SOURCE = Source(
    _KIND,
    "of SageMaker, in any state, with an image for an instance group (`ImageId`)",
    (Read(_read_clusters, ("sagemaker:ListClusters", "sagemaker:DescribeCluster")),),
    only_of_owner=True,
    is_late=True,
)
