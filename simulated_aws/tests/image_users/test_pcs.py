# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute node groups of AWS PCS show the images that they launch (botocore operations of pcs)."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

CLUSTER = {
    "scheduler": {"type": "SLURM", "version": "24.11"},
    "size": "SMALL",
    "networking": {"subnetIds": ["subnet-1"]},
}
GROUP: dict[str, Any] = {
    "subnetIds": ["subnet-1"],
    "iamInstanceProfileArn": "arn:aws:iam::012345678901:instance-profile/AWSPCS-web",
    "scalingConfiguration": {"minInstanceCount": 0, "maxInstanceCount": 1},
    "instanceConfigs": [{"instanceType": "c6i.xlarge"}],
}


def test_a_group_shows_its_image_only_when_it_is_described(aws: SimulatedAws, image_id: str) -> None:
    pcs = aws.client("pcs", "owner")
    cluster = pcs.create_cluster(clusterName="hpc", **CLUSTER)["cluster"]
    made = {"clusterIdentifier": "hpc", "computeNodeGroupName": "nodes", **GROUP}
    pcs.create_compute_node_group(**made, amiId=image_id)
    (summary,) = pcs.list_compute_node_groups(clusterIdentifier=cluster["id"])["computeNodeGroups"]
    assert (summary["name"], summary["status"], "amiId" in summary) == ("nodes", "ACTIVE", False)
    for identifier in ("nodes", summary["id"]):
        named = {"clusterIdentifier": "hpc", "computeNodeGroupIdentifier": identifier}
        assert pcs.get_compute_node_group(**named)["computeNodeGroup"]["amiId"] == image_id
    assert [call.changes for call in aws.calls(service="pcs")] == [True, True, False, False, False]


def test_clusters_are_listed_page_by_page(aws: SimulatedAws) -> None:
    pcs = aws.client("pcs", "owner")
    for number in range(11):
        pcs.create_cluster(clusterName=f"hpc-{number}", **CLUSTER)
    pages = pcs.get_paginator("list_clusters").paginate()
    assert [len(one["clusters"]) for one in pages] == [10, 1]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        pcs.list_compute_node_groups(clusterIdentifier="other")
