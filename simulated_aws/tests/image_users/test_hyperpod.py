# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of SageMaker HyperPod show the images of their groups (botocore operations of sagemaker)."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

GROUP = {
    "InstanceGroupName": "workers",
    "InstanceType": "ml.c5.large",
    "InstanceCount": 1,
    "ExecutionRole": "arn:aws:iam::012345678901:role/hyperpod",
}


def test_a_cluster_shows_the_images_of_its_groups(aws: SimulatedAws, image_id: str) -> None:
    sagemaker = aws.client("sagemaker", "owner")
    groups = [{**GROUP, "ImageId": image_id}, {**GROUP, "InstanceGroupName": "others"}]
    arn = sagemaker.create_cluster(ClusterName="training", InstanceGroups=groups)["ClusterArn"]
    for name in ("training", arn):
        cluster = sagemaker.describe_cluster(ClusterName=name)
        shown = [(one["CurrentImageId"], one["DesiredImageId"]) for one in cluster["InstanceGroups"]]
        assert shown == [(image_id, image_id), ("default", "default")]
    assert [call.changes for call in aws.calls(service="sagemaker")] == [True, False, False]


def test_clusters_are_listed_page_by_page(aws: SimulatedAws) -> None:
    sagemaker = aws.client("sagemaker", "owner")
    for number in range(3):
        sagemaker.create_cluster(ClusterName=f"c{number}", InstanceGroups=[GROUP])
    pages = sagemaker.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 2})
    names = [[cluster["ClusterName"] for cluster in one["ClusterSummaries"]] for one in pages]
    assert names == [["c0", "c1"], ["c2"]]
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.describe_cluster(ClusterName="c3")
