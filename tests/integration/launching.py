# SPDX-License-Identifier: GPL-3.0-or-later

"""Resources of AWS services in the owner's account that launch an image."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from simulated_aws.client import SimulatedAws

from .fixture import HOME, OWNER


def batch_environment(aws: SimulatedAws, image_id: str) -> None:
    """Create a compute environment of AWS Batch."""
    batch, ec2, iam = (aws.client(one, OWNER, HOME) for one in ("batch", "ec2", "iam"))
    role = iam.create_role(RoleName="batch", AssumeRolePolicyDocument=json.dumps({"Statement": []}))
    iam.create_instance_profile(InstanceProfileName="batch")
    resources: dict[str, Any] = {
        "type": "EC2",
        "minvCpus": 0,
        "maxvCpus": 1,
        "instanceTypes": ["c5.large"],
        "instanceRole": "batch",
        "subnets": [ec2.describe_subnets()["Subnets"][0]["SubnetId"]],
        "securityGroupIds": [ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]],
        "ec2Configuration": [{"imageType": "ECS_AL2023", "imageIdOverride": image_id}],
    }
    batch.create_compute_environment(
        computeEnvironmentName="web",
        type="MANAGED",
        serviceRole=role["Role"]["Arn"],
        computeResources=resources,
    )


def emr_cluster(aws: SimulatedAws, image_id: str) -> None:
    """Create clusters of Amazon EMR, with an instance group and with an instance fleet."""
    emr = aws.client("emr", OWNER, HOME)
    one = {"InstanceType": "m5.xlarge", "CustomAmiId": image_id}
    group = {**one, "InstanceRole": "MASTER", "InstanceCount": 1}
    fleet = {"InstanceFleetType": "MASTER", "InstanceTypeConfigs": [one]}
    for name, instances in {
        "group": {"InstanceGroups": [group]},
        "fleet": {"InstanceFleets": [fleet]},
    }.items():
        emr.run_job_flow(Name=name, ReleaseLabel="emr-7.0.0", Instances=instances)


def hyperpod_cluster(aws: SimulatedAws, image_id: str) -> None:
    """Create a cluster of SageMaker HyperPod."""
    group = {
        "InstanceGroupName": "workers",
        "InstanceType": "ml.c5.large",
        "InstanceCount": 1,
        "ExecutionRole": f"arn:aws:iam::{aws.account_id(OWNER)}:role/hyperpod",
        "ImageId": image_id,
    }
    aws.client("sagemaker", OWNER, HOME).create_cluster(ClusterName="training", InstanceGroups=[group])


def pcs_compute_node_group(aws: SimulatedAws, image_id: str) -> None:
    """Create a cluster of AWS PCS with a compute node group."""
    pcs = aws.client("pcs", OWNER, HOME)
    cluster = pcs.create_cluster(
        clusterName="hpc",
        scheduler={"type": "SLURM", "version": "24.11"},
        size="SMALL",
        networking={"subnetIds": ["subnet-1"]},
    )
    pcs.create_compute_node_group(
        clusterIdentifier=cluster["cluster"]["id"],
        computeNodeGroupName="nodes",
        amiId=image_id,
        subnetIds=["subnet-1"],
        iamInstanceProfileArn=f"arn:aws:iam::{aws.account_id(OWNER)}:instance-profile/AWSPCS-nodes",
        scalingConfiguration={"minInstanceCount": 0, "maxInstanceCount": 1},
        instanceConfigs=[{"instanceType": "c6i.xlarge"}],
    )


def codebuild_fleet(aws: SimulatedAws, image_id: str) -> None:
    """Create a fleet of CodeBuild."""
    aws.client("codebuild", OWNER, HOME).create_fleet(
        name="builders",
        baseCapacity=1,
        environmentType="LINUX_EC2",
        computeType="BUILD_GENERAL1_SMALL",
        imageId=image_id,
    )


def rds_custom_engine_version(aws: SimulatedAws, image_id: str) -> None:
    """Create a custom engine version of Amazon RDS."""
    aws.client("rds", OWNER, HOME).create_custom_db_engine_version(
        Engine="custom-sqlserver-ee", EngineVersion="15.00.4249.2.web", ImageId=image_id
    )


LAUNCHERS: dict[str, Callable[[SimulatedAws, str], None]] = {
    "batch_compute_environment": batch_environment,
    "emr_cluster": emr_cluster,
    "hyperpod_cluster": hyperpod_cluster,
    "pcs_compute_node_group": pcs_compute_node_group,
    "codebuild_fleet": codebuild_fleet,
    "rds_custom_engine_version": rds_custom_engine_version,
}
"""The kind of evidence that a resource is, to the function that creates it for an image."""

SERVICES = frozenset({"batch", "codebuild", "elasticmapreduce", "pcs", "rds", "sagemaker"})
"""The signing names of the services."""
