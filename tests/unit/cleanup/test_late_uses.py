# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read only where images are to be disabled or deregistered: each use there keeps the image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.uses.read import list_services
from ansible_collections.golden.images.plugins.module_utils._cleanup.uses.read_all import LATE
from botocore.exceptions import EndpointConnectionError

from tests.unit.cleanup.examples import OLD_ID, Run

DENIED = "AccessDeniedException"
NO_ENDPOINT = EndpointConnectionError(endpoint_url="https://example.com")
ENVIRONMENTS = "batch:DescribeComputeEnvironments"


def batch_environment(status: str | None, **resources: Any) -> dict[str, Any]:
    """Two pages with one compute environment of AWS Batch."""
    shown = {"computeEnvironmentName": "web", "computeResources": resources}
    pages = [
        {"computeEnvironments": [], "nextToken": "n"},
        {"computeEnvironments": [{**shown, **({"status": status} if status else {})}]},
    ]
    return {"describe_compute_environments": pages}


def batch_overrides(status: str | None) -> dict[str, Any]:
    """A compute environment of AWS Batch with images for two image types."""
    return batch_environment(status, ec2Configuration=[{"imageType": "t"}, {"imageIdOverride": OLD_ID}])


def emr_cluster(groups: Any = (), fleets: Any = None, **members: Any) -> dict[str, Any]:
    """A cluster of Amazon EMR, on the second of two pages, with instance groups or with fleets."""
    collection = "INSTANCE_GROUP" if fleets is None else "INSTANCE_FLEET"
    return {
        "emr:list_clusters": [
            {"Clusters": [], "Marker": "m"},
            {"Clusters": [{"Id": "j-1", "Name": "etl"}]},
        ],
        "emr:describe_cluster": {"Cluster": {"InstanceCollectionType": collection, **members}},
        "list_instance_groups": [{"InstanceGroups": [], "Marker": "m"}, {"InstanceGroups": list(groups)}],
        "list_instance_fleets": [
            {"InstanceFleets": [], "Marker": "m"},
            {"InstanceFleets": [{"InstanceTypeSpecifications": list(fleets or ())}]},
        ],
    }


def hyperpod_cluster(*groups: Mapping[str, Any], described: Any = None) -> dict[str, Any]:
    """A cluster of SageMaker HyperPod with instance groups."""
    summary = {"ClusterArn": "arn:x", "ClusterName": "training"}
    return {
        "sagemaker:list_clusters": [
            {"ClusterSummaries": [], "NextToken": "n"},
            {"ClusterSummaries": [summary]},
        ],
        "sagemaker:describe_cluster": described or {"InstanceGroups": list(groups)},
    }


def pcs_groups(*listed: tuple[str, str], described: Any = None) -> dict[str, Any]:
    """Compute node groups of AWS PCS, by name and status, of which all are described alike."""
    groups = [{"name": name, "id": f"id-{name}", "status": status} for name, status in listed]
    return {
        "pcs:list_clusters": [
            {"clusters": [], "nextToken": "n"},
            {"clusters": [{"id": "pcs_1", "name": "hpc"}]},
        ],
        "list_compute_node_groups": [
            {"computeNodeGroups": [], "nextToken": "n"},
            {"computeNodeGroups": groups},
        ],
        "get_compute_node_group": described or {"computeNodeGroup": {"name": "nodes", "amiId": OLD_ID}},
    }


PCS_GROUP = ("nodes", "ACTIVE")
NOT_FOUND = "ResourceNotFoundException"


def codebuild_fleets(*fleets: Mapping[str, Any], described: Any = None) -> dict[str, Any]:
    """Fleets of CodeBuild, on the second of two pages."""
    return {
        "list_fleets": [{"fleets": ["arn:0"], "nextToken": "n"}, {"fleets": ["arn:1"]}],
        "batch_get_fleets": described or [{"fleets": []}, {"fleets": list(fleets)}],
    }


ENGINE_VERSIONS = "rds:DescribeDBEngineVersions"


def engine_version(**members: Any) -> dict[str, Any]:
    """A custom engine version of Amazon RDS, on the second of two pages."""
    return {
        "describe_db_engine_versions": [
            {"DBEngineVersions": [], "Marker": "m"},
            {"DBEngineVersions": [members]},
        ]
    }


USES = [
    # (botocore shapes ComputeEnvironmentDetail, ComputeResource, Ec2Configuration, CEStatus.)
    *(
        (batch_overrides(status), "batch_compute_environment web")
        for status in (None, "CREATING", "UPDATING", "VALID", "INVALID")
    ),
    (batch_environment("VALID", imageId=OLD_ID), "batch_compute_environment web"),
    # (botocore shapes Cluster, InstanceGroup and InstanceTypeSpecification.)
    (emr_cluster(CustomAmiId=OLD_ID), "emr_cluster etl (j-1)"),
    (emr_cluster(groups=[{}, {"CustomAmiId": OLD_ID}]), "emr_cluster etl (j-1)"),
    (emr_cluster(fleets=[{}, {"CustomAmiId": OLD_ID}]), "emr_cluster etl (j-1)"),
    # (botocore shape ClusterInstanceGroupDetails.)
    *(
        (
            hyperpod_cluster({}, {"InstanceGroupName": "workers", "Status": status, member: OLD_ID}),
            "hyperpod_cluster training workers",
        )
        for member in ("CurrentImageId", "DesiredImageId")
        for status in ("InService", "Failed", "Deleting")
    ),
    # (botocore shapes ComputeNodeGroup and ComputeNodeGroupStatus.)
    *(
        (pcs_groups(("nodes", status)), "pcs_compute_node_group nodes hpc")
        for status in ("ACTIVE", "SUSPENDED", "CREATE_FAILED", "DELETING", "DELETE_FAILED")
    ),
    # (botocore shapes Fleet and FleetStatusCode.)
    *(
        (
            codebuild_fleets({"name": "builders", "status": {"statusCode": status}, "imageId": OLD_ID}),
            "codebuild_fleet builders",
        )
        for status in ("ACTIVE", "CREATE_FAILED", "PENDING_DELETION", "DELETING")
    ),
    # (botocore shapes DBEngineVersion and CustomDBEngineVersionAMI.)
    *(
        (
            engine_version(
                Engine="custom-x", EngineVersion="1.web", Status=status, Image={"ImageId": OLD_ID}
            ),
            "rds_custom_engine_version custom-x 1.web",
        )
        for status in ("available", "inactive", "deleting", "failed")
    ),
]
NO_USES = [
    *(batch_overrides(status) for status in ("DELETING", "DELETED")),
    batch_environment("VALID"),
    emr_cluster(groups=[{}]),
    emr_cluster(fleets=[{}]),
    hyperpod_cluster({"CurrentImageId": "default", "DesiredImageId": "default"}, {}),
    # (botocore shape ResourceNotFound.)
    hyperpod_cluster(described="ResourceNotFound"),
    pcs_groups(("nodes", "DELETED")),
    pcs_groups(PCS_GROUP, described={"computeNodeGroup": {"name": "nodes"}}),
    # (botocore shape ResourceNotFoundException of pcs.)
    pcs_groups(PCS_GROUP, described=NOT_FOUND),
    {**pcs_groups(PCS_GROUP), "list_compute_node_groups": NOT_FOUND},
    codebuild_fleets({"name": "builders"}),
    # (botocore shape FleetArns: at least one.)
    {"list_fleets": {}},
    engine_version(Engine="custom-x", EngineVersion="1.web"),
    engine_version(Image={}),
]
UNREAD = [
    ({"describe_compute_environments": DENIED}, ENVIRONMENTS, "AccessDeniedException: No."),
    ({"describe_compute_environments": NO_ENDPOINT}, ENVIRONMENTS, "Could not connect to the endpoint URL"),
    ({"describe_compute_environments": {}}, ENVIRONMENTS, "lacks computeEnvironments"),
    (
        {"describe_compute_environments": {"computeEnvironments": [{}]}},
        ENVIRONMENTS,
        "lacks computeEnvironmentName",
    ),
    ({"emr:list_clusters": DENIED}, "emr:ListClusters", "AccessDeniedException: No."),
    ({"emr:list_clusters": {}}, "emr:ListClusters", "lacks Clusters"),
    ({"emr:list_clusters": {"Clusters": [{}]}}, "emr:ListClusters", "lacks Id"),
    *(
        ({**emr_cluster(), **answers}, f"emr:{operation}", problem)
        for answers, operation, problem in (
            ({"emr:describe_cluster": DENIED}, "DescribeCluster", "AccessDeniedException: No."),
            ({"emr:describe_cluster": {}}, "DescribeCluster", "lacks Cluster"),
            ({"emr:describe_cluster": {"Cluster": {}}}, "DescribeCluster", "lacks InstanceCollectionType"),
            ({"list_instance_groups": DENIED}, "ListInstanceGroups", "AccessDeniedException: No."),
            ({"list_instance_groups": {}}, "ListInstanceGroups", "lacks InstanceGroups"),
        )
    ),
    *(
        ({**emr_cluster(fleets=()), "list_instance_fleets": answer}, "emr:ListInstanceFleets", problem)
        for answer, problem in (
            (DENIED, "AccessDeniedException: No."),
            ({}, "lacks InstanceFleets"),
            ({"InstanceFleets": [{}]}, "lacks InstanceTypeSpecifications"),
        )
    ),
    ({"sagemaker:list_clusters": DENIED}, "sagemaker:ListClusters", "AccessDeniedException: No."),
    (hyperpod_cluster(described=DENIED), "sagemaker:DescribeCluster", "AccessDeniedException: No."),
    ({"pcs:list_clusters": DENIED}, "pcs:ListClusters", "AccessDeniedException: No."),
    (
        {**pcs_groups(), "list_compute_node_groups": DENIED},
        "pcs:ListComputeNodeGroups",
        "AccessDeniedException: No.",
    ),
    (pcs_groups(PCS_GROUP, described=DENIED), "pcs:GetComputeNodeGroup", "AccessDeniedException: No."),
    (pcs_groups(PCS_GROUP, described={"x": 1}), "pcs:GetComputeNodeGroup", "lacks computeNodeGroup"),
    ({"list_fleets": DENIED}, "codebuild:ListFleets", "AccessDeniedException: No."),
    *(
        (codebuild_fleets(described=answer), "codebuild:BatchGetFleets", problem)
        for answer, problem in (
            (DENIED, "AccessDeniedException: No."),
            ({"fleetsNotFound": []}, "lacks fleets"),
            ({"fleets": [{}]}, "lacks name"),
        )
    ),
    ({"describe_db_engine_versions": DENIED}, ENGINE_VERSIONS, "AccessDeniedException: No."),
    ({"describe_db_engine_versions": {}}, ENGINE_VERSIONS, "lacks DBEngineVersions"),
    (engine_version(Image={"ImageId": OLD_ID}), ENGINE_VERSIONS, "lacks Engine"),
    (engine_version(Engine="x", Image={"ImageId": OLD_ID}), ENGINE_VERSIONS, "lacks EngineVersion"),
]


@pytest.mark.parametrize(("answers", "evidence"), USES)
def test_a_use_that_is_read_late_keeps_the_image(answers: Mapping[str, Any], evidence: str) -> None:
    run = Run(**answers)
    assert (run.decision, run.evidence) == ("keep", [evidence])


@pytest.mark.parametrize("answers", NO_USES)
def test_what_launches_no_image_any_more_is_no_use(answers: Mapping[str, Any]) -> None:
    assert Run(**answers).decision == "deregister"


@pytest.mark.parametrize(("answers", "operation", "problem"), UNREAD)
def test_without_the_late_reads_an_image_is_only_deprecated(
    answers: Mapping[str, Any], operation: str, problem: str
) -> None:
    run = Run({"deprecate_after_days": 0}, **answers)
    assert (run.decision, run.unreadable) == ("deprecate", [operation])
    (reason,) = run.of()["reasons"]
    assert reason.startswith(f"{operation} could not be read: ")
    assert problem in reason
    assert run.deleted == []


def test_services_that_use_no_image_are_not_read() -> None:
    run = Run({"unused_services": ["batch"]}, **batch_overrides("VALID"))
    assert run.decision == "deregister"
    assert "describe_compute_environments" not in dict(run.clients.calls)
    assert Run({"unused_services": list(list_services(LATE))}).decision == "deregister"
    denied = Run({"unused_services": ["emr"]}, describe_compute_environments=DENIED)
    (unread,) = denied.result["unreadable"]
    assert unread["remedy"].endswith("If no image is used by this service, add batch to unused_services.")


@pytest.mark.parametrize(
    ("answer", "lacking", "decision"),
    [
        (NO_ENDPOINT, ("batch",), "deregister"),
        (NO_ENDPOINT, (), "wait"),
        (NO_ENDPOINT, ("emr",), "wait"),
        (DENIED, ("batch",), "wait"),
    ],
)
def test_a_service_is_absent_without_an_endpoint_and_by_the_data_of_botocore(
    answer: Any, lacking: tuple[str, ...], decision: str
) -> None:
    run = Run(lacking=lacking, describe_compute_environments=answer)
    assert (run.decision, bool(run.unreadable)) == (decision, decision == "wait")


def test_the_data_of_botocore_alone_hides_no_use() -> None:
    run = Run(lacking=("batch",), **batch_overrides("VALID"))
    assert run.evidence == ["batch_compute_environment web"]


@pytest.mark.parametrize(
    "days", [{"deregister_after_days": None, "deprecate_after_days": 0}, {"keep_latest": 2}]
)
def test_late_reads_are_made_only_for_images_to_disable_or_deregister(days: dict[str, Any]) -> None:
    assert "describe_compute_environments" not in dict(Run(days).clients.calls)
    assert "describe_compute_environments" in dict(Run().clients.calls)


def test_clusters_that_have_ended_are_not_listed() -> None:
    """(botocore shape ClusterState.)"""
    requests = [request for name, request in Run().clients.calls if name == "list_clusters"]
    assert {"ClusterStates": ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"]} in requests


def test_engine_versions_of_all_states_are_listed() -> None:
    """(botocore operation DescribeDBEngineVersions: by default only those that are available.)"""
    request = dict(Run().clients.calls)["describe_db_engine_versions"]
    assert request["IncludeAll"] is True
    assert "custom-sqlserver-ee" in request["Filters"][0]["Values"]
