# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity-based policies of all services, and the record of what they were evaluated for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

ACCOUNT = "111111111111"
TRUSTED_SERVICE = "ec2-images.amazonaws.com"
IMAGE = {"account": "owner", "region": "us-east-1", "devices": [{"device_name": "/dev/xvda", "size": 8}]}


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedAws]:
    with SimulatedAws.start() as started:
        yield started


class Owner:
    """An account, and clients of a user with only some statements."""

    def __init__(self, aws: SimulatedAws) -> None:
        self.aws = aws
        self._users = 0
        loaded = aws.load_fixture({"accounts": {"owner": ACCOUNT}, "images": {"golden": IMAGE}})
        self.image_id = str(loaded["images"]["golden"]["image_id"])

    def user(self, service: str, *statements: dict[str, Any]) -> Any:
        allowed = [{"Effect": "Allow", "Resource": "*", **one} for one in statements]
        policy = {"Version": "2012-10-17", "Statement": allowed}
        self._users += 1
        name = f"user-{self._users}"
        document = {
            "accounts": {"owner": ACCOUNT},
            "users": {name: {"accounts": ["owner"], "policy": policy}},
        }
        made = self.aws.load_fixture(document)["users"][name]["owner"]
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name="us-east-1",
            endpoint_url=self.aws.url,
            aws_access_key_id=made["access_key_id"],
            aws_secret_access_key=made["secret_access_key"],
        )


@pytest.fixture
def owner(server: SimulatedAws) -> Owner:
    server.reset()
    return Owner(server)


def refused(call: Callable[[], Any]) -> tuple[str, int, str]:
    """Code, HTTP status and message of a refused call."""
    with pytest.raises(ClientError) as error:
        call()
    response = error.value.response
    return (
        response["Error"]["Code"],
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["Error"]["Message"],
    )


CALLS: list[tuple[str, Callable[[Any], Any], str, str, tuple[str, int]]] = [
    ("ec2", lambda ec2: ec2.describe_vpcs(), "ec2:DescribeVpcs", "*", ("UnauthorizedOperation", 403)),
    (
        "ec2",
        lambda ec2: ec2.describe_regions(),
        "ec2:DescribeRegions",
        "*",
        ("UnauthorizedOperation", 403),
    ),
    (
        "ssm",
        lambda ssm: ssm.put_parameter(Name="/golden/web", Value="1", Type="String"),
        "ssm:PutParameter",
        f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/golden/web",
        ("AccessDeniedException", 400),
    ),
    (
        "s3",
        lambda s3: s3.create_bucket(Bucket="tombstones"),
        "s3:CreateBucket",
        "arn:aws:s3:::tombstones",
        ("AccessDenied", 403),
    ),
    (
        "sns",
        lambda sns: sns.create_topic(Name="sharing"),
        "sns:CreateTopic",
        f"arn:aws:sns:us-east-1:{ACCOUNT}:sharing",
        ("AuthorizationError", 403),
    ),
    (
        "sqs",
        lambda sqs: sqs.create_queue(QueueName="sharing"),
        "sqs:CreateQueue",
        f"arn:aws:sqs:us-east-1:{ACCOUNT}:sharing",
        ("AccessDeniedException", 400),
    ),
    (
        "events",
        lambda events: events.put_rule(Name="sharing", EventPattern="{}"),
        "events:PutRule",
        f"arn:aws:events:us-east-1:{ACCOUNT}:rule/sharing",
        ("AccessDeniedException", 400),
    ),
    (
        "logs",
        lambda logs: logs.create_log_group(logGroupName="trail"),
        "logs:CreateLogGroup",
        f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail",
        ("AccessDeniedException", 400),
    ),
    (
        "rbin",
        lambda rbin: rbin.list_rules(ResourceType="EC2_IMAGE"),
        "rbin:ListRules",
        "*",
        ("AccessDeniedException", 403),
    ),
    (
        "batch",
        lambda batch: batch.describe_compute_environments(),
        "batch:DescribeComputeEnvironments",
        "*",
        ("AccessDeniedException", 403),
    ),
    (
        "emr",
        lambda emr: emr.list_clusters(),
        "elasticmapreduce:ListClusters",
        "*",
        ("AccessDeniedException", 400),
    ),
    (
        "sagemaker",
        lambda sagemaker: sagemaker.list_clusters(),
        "sagemaker:ListClusters",
        "*",
        ("AccessDeniedException", 400),
    ),
    ("pcs", lambda pcs: pcs.list_clusters(), "pcs:ListClusters", "*", ("AccessDeniedException", 400)),
    (
        "codebuild",
        lambda codebuild: codebuild.list_fleets(),
        "codebuild:ListFleets",
        "*",
        ("AccessDeniedException", 400),
    ),
    (
        "rds",
        lambda rds: rds.describe_db_engine_versions(),
        "rds:DescribeDBEngineVersions",
        "*",
        ("AccessDenied", 403),
    ),
    (
        "imagebuilder",
        lambda builder: builder.list_lifecycle_policies(),
        "imagebuilder:ListLifecyclePolicies",
        "*",
        ("AccessDeniedException", 403),
    ),
    (
        "autoscaling",
        lambda scaling: scaling.describe_auto_scaling_groups(),
        "autoscaling:DescribeAutoScalingGroups",
        "*",
        ("AccessDenied", 403),
    ),
]


@pytest.mark.parametrize(("service", "call", "action", "resource", "error"), CALLS)
def test_an_action_must_be_allowed_on_its_resource(
    owner: Owner,
    service: str,
    call: Callable[[Any], Any],
    action: str,
    resource: str,
    error: tuple[str, int],
) -> None:
    code, status, message = refused(lambda: call(owner.user(service, {"Action": "iam:GetUser"})))
    assert (code, status) == error
    assert f"is not authorized to perform: {action} on resource: {resource}" in message
    call(owner.user(service, {"Action": action, "Resource": resource}))


def test_a_probe_may_be_terminated_by_its_tag(owner: Owner) -> None:
    admin = owner.aws.client("ec2", "owner")
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "probe", "Value": "1"}]}]
    common = {"ImageId": owner.image_id, "MinCount": 1, "MaxCount": 1}
    probe, other = (
        admin.run_instances(**common, **more)["Instances"][0]["InstanceId"]
        for more in ({"TagSpecifications": tags}, {})
    )
    tagged = {"Null": {"aws:ResourceTag/probe": "false"}}
    ec2 = owner.user("ec2", {"Action": "ec2:TerminateInstances", "Condition": tagged})
    assert refused(lambda: ec2.terminate_instances(InstanceIds=[other]))[0] == "UnauthorizedOperation"
    ec2.terminate_instances(InstanceIds=[probe])


def test_tags_of_an_instance_need_create_tags_for_run_instances(owner: Owner) -> None:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "probe", "Value": "1"}]}]
    launch = {"ImageId": owner.image_id, "MinCount": 1, "MaxCount": 1, "TagSpecifications": tags}
    running = {"Action": "ec2:RunInstances"}
    tagging = {
        "Action": "ec2:CreateTags",
        "Condition": {"StringEquals": {"ec2:CreateAction": "RunInstances"}},
    }
    _, _, message = refused(lambda: owner.user("ec2", running).run_instances(**launch))
    assert "ec2:CreateTags on resource" in message
    owner.user("ec2", running, tagging).run_instances(**launch)


@pytest.mark.parametrize("kind", ["network-interface", "security-group", "subnet", "volume"])
def test_a_launch_needs_all_of_its_resources(owner: Owner, kind: str) -> None:
    others = ("image", "instance", "network-interface", "security-group", "subnet", "volume")
    arns = [f"arn:aws:ec2:us-east-1:*:{one}/*" for one in others if one != kind]
    ec2 = owner.user("ec2", {"Action": "ec2:RunInstances", "Resource": arns})
    _, _, message = refused(lambda: ec2.run_instances(ImageId=owner.image_id, MinCount=1, MaxCount=1))
    assert f":{kind}/*" in message


def test_references_are_read_on_behalf_of_the_caller(owner: Owner) -> None:
    """EC2 User Guide, Identify your resources referencing specified AMIs: Required IAM permissions."""
    via = {"ForAnyValue:StringEquals": {"aws:CalledVia": [TRUSTED_SERVICE]}}
    finding = {"Action": "ec2:DescribeImageReferences"}
    reading = {"Action": "ec2:DescribeInstances", "Condition": via}
    asked = {"ImageIds": [owner.image_id], "ResourceTypes": [{"ResourceType": "ec2:Instance"}]}
    _, _, message = refused(lambda: owner.user("ec2", finding).describe_image_references(**asked))
    assert "ec2:DescribeInstances" in message
    ec2 = owner.user("ec2", finding, reading)
    ec2.describe_image_references(**asked)
    refused(ec2.describe_instances)


def test_what_policies_were_asked_is_recorded_on_request(owner: Owner) -> None:
    ec2 = owner.user("ec2", {"Action": "ec2:DescribeImages"})
    ec2.describe_images()
    assert owner.aws.authorizations() == []
    owner.aws.update_settings(record_authorizations=True)
    ec2.describe_images()
    refused(lambda: ec2.deregister_image(ImageId=owner.image_id))
    allowed, denied = owner.aws.authorizations()
    assert (allowed.action, allowed.resource, allowed.allowed) == ("ec2:DescribeImages", "*", True)
    assert (denied.action, denied.allowed) == ("ec2:DeregisterImage", False)
    assert denied.resource.endswith(f"image/{owner.image_id}")
    assert denied.principal == f"arn:aws:iam::{ACCOUNT}:user/user-1"
    assert denied.context["aws:principalaccount"] == ACCOUNT
    owner.aws.clear_calls()
    assert owner.aws.authorizations() == []


def test_tags_of_a_new_parameter_need_add_tags_to_resource(owner: Owner) -> None:
    """CloudFormation Template Reference, AWS::SSM::Parameter."""
    tagged = {
        "Name": "/golden/web",
        "Value": "1",
        "Type": "String",
        "Tags": [{"Key": "team", "Value": "web"}],
    }
    putting, tagging = {"Action": "ssm:PutParameter"}, {"Action": "ssm:AddTagsToResource"}
    _, _, message = refused(lambda: owner.user("ssm", putting).put_parameter(**tagged))
    assert "ssm:AddTagsToResource on resource" in message
    owner.user("ssm", putting, tagging).put_parameter(**tagged)


def test_a_policy_may_require_tags_of_a_new_parameter(owner: Owner) -> None:
    """Service Authorization Reference, PutParameter: aws:RequestTag and aws:TagKeys."""
    untagged = {"Null": {"aws:RequestTag/team": "true"}}
    ssm = owner.user(
        "ssm",
        {"Action": "ssm:*"},
        {"Effect": "Deny", "Action": "ssm:PutParameter", "Condition": untagged},
    )
    new = {"Name": "/golden/web", "Value": "1", "Type": "String"}
    assert refused(lambda: ssm.put_parameter(**new))[0] == "AccessDeniedException"
    ssm.put_parameter(**new, Tags=[{"Key": "team", "Value": "web"}])


def test_an_image_in_a_parameter_is_validated_with_the_caller_s_permissions(owner: Owner) -> None:
    """Systems Manager User Guide, Native parameter support for Amazon Machine Image IDs."""
    image = {"Name": "/golden/web", "Value": owner.image_id, "Type": "String", "DataType": "aws:ec2:image"}
    admin = owner.aws.client("ssm", "owner")
    actions = ["ssm:PutParameter", "ssm:GetParameters", "ec2:DescribeImages"]
    for missing in actions[1:]:
        allowed = [one for one in actions if one != missing]
        owner.user("ssm", {"Action": allowed}).put_parameter(**image)
        assert refused(lambda: admin.get_parameter(Name="/golden/web"))[0] == "ParameterNotFound"
    owner.user("ssm", {"Action": actions}).put_parameter(**image)
    assert admin.get_parameter(Name="/golden/web")["Parameter"]["Value"] == owner.image_id


def test_only_who_may_list_a_bucket_learns_that_an_object_does_not_exist(owner: Owner) -> None:
    # S3 API Reference, GetObject, "Permissions".
    owner.aws.client("s3", "owner", "us-east-1").create_bucket(Bucket="reports")
    missing = {"Bucket": "reports", "Key": "none.json"}
    reading = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}
    listing = {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::reports"}
    for statements, answer in (([reading], ("AccessDenied", 403)), ([reading, listing], ("NoSuchKey", 404))):
        code, status, _ = refused(lambda given=statements: owner.user("s3", *given).get_object(**missing))
        assert (code, status) == answer
