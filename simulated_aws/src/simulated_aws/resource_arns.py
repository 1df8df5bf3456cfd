# SPDX-License-Identifier: GPL-3.0-or-later
"""The IAM actions that an API call needs, and the ARNs of the resources that it names.

(Service Authorization Reference: resource types and their ARNs.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import botocore.session

from .http.api_calls import Call
from .http.protocols import Protocol

ALL = "*"
_REST = ("batch", "imagebuilder", "ram", "rbin")
_PREFIXES = {"monitoring": "cloudwatch"}
"""Signing name to the prefix of IAM actions, where they differ."""
S3_ACTIONS = {
    ("GET", True): "GetObject",
    ("HEAD", True): "GetObject",
    ("PUT", True): "PutObject",
    ("DELETE", True): "DeleteObject",
    ("GET", False): "ListBucket",
    ("HEAD", False): "ListBucket",
    ("PUT", False): "CreateBucket",
    ("DELETE", False): "DeleteBucket",
}
_GROUP_ID = "00000000-0000-0000-0000-000000000000"
_SELECTOR = re.compile(r":[^:/]+$")


class Scope(NamedTuple):
    """Where a call is made: the parts of the ARNs of the caller's resources."""

    partition: str
    region: str
    account_id: str

    def arn(self, service: str, path: str) -> str:
        """The ARN of one of the caller's resources in the Region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{path}"


Resources = Callable[[Call, Scope, str], Iterator[str]]
"""Takes a call, its scope and the name of the operation; yields the ARNs that it names."""


def needed(call: Call, scope: Scope) -> Iterator[tuple[str, str]]:
    """Each IAM action that the call needs, with the ARN of a resource or `*`."""
    prefix = _PREFIXES.get(call.service, call.service)
    action = operation_of(call)
    found = [*_RESOURCES.get(prefix, _none)(call, scope, action)]
    for resource in found or [ALL]:
        yield f"{prefix}:{action}", resource
        # CloudFormation Template Reference, AWS::SSM::Parameter: the permissions to create one with tags.
        if (prefix, action) == ("ssm", "PutParameter") and call.params.get("Tags"):
            yield "ssm:AddTagsToResource", resource
    if prefix == "ram" and action in ("AssociateResourceShare", "CreateResourceShare"):
        # Systems Manager User Guide, Working with shared parameters in Parameter Store: roles that call the
        # API of AWS RAM "might need" both.
        for arn in call.params.get("resourceArns") or ():
            yield "ssm:GetResourcePolicies", arn
            yield "ssm:PutResourcePolicy", arn


def operation_of(call: Call) -> str:
    """The name of the operation, which IAM calls an action; of REST protocols by method and path."""
    if call.service in _REST and call.protocol is Protocol.REST_JSON:
        method, _, path = call.action.partition(" ")
        return next(
            (name for name, of, pattern in _routes(call.service) if of == method and pattern(path)), path
        )
    if call.service == "s3":
        method, _, path = call.action.partition(" ")
        return S3_ACTIONS.get((method, bool(_bucket_and_key(path)[1])), method)
    return call.action


@cache
def _routes(service: str) -> Sequence[tuple[str, str, Callable[[str], Any]]]:
    model = botocore.session.Session().get_service_model(service)
    routes = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(http["requestUri"]))
        routes.append((name, http["method"], re.compile(pattern).fullmatch))
    return routes


def _bucket_and_key(path: str) -> tuple[str, str]:
    bucket, _, key = path.removeprefix("/").partition("/")
    return bucket, key


def _none(_call: Call, _scope: Scope, _action: str) -> Iterator[str]:
    yield from ()


def _of_autoscaling(call: Call, scope: Scope, action: str) -> Iterator[str]:
    """Yield the group, whose ARN has an ID that is not in the request: here, it is all zeros."""
    if action == "StartInstanceRefresh":
        group = f"{_GROUP_ID}:autoScalingGroupName/{call.params.get('AutoScalingGroupName', '')}"
        yield scope.arn("autoscaling", f"autoScalingGroup:{group}")


def _of_ec2(call: Call, scope: Scope, action: str) -> Iterator[str]:
    if action == "TerminateInstances":
        ids = (value for name, value in call.params.items() if name.startswith("InstanceId."))
        yield from (scope.arn("ec2", f"instance/{one}") for one in ids)
    elif action in ("CreateLaunchTemplateVersion", "ModifyLaunchTemplate"):
        yield scope.arn("ec2", f"launch-template/{call.params.get('LaunchTemplateId', ALL)}")


def _of_s3(call: Call, scope: Scope, _action: str) -> Iterator[str]:
    bucket, key = _bucket_and_key(call.action.partition(" ")[2])
    if bucket:
        yield f"arn:{scope.partition}:s3:::{bucket}" + (f"/{key}" if key else "")


def _of_ssm(call: Call, scope: Scope, action: str) -> Iterator[str]:
    if action == "DescribeParameters":
        return
    named = call.params.get("Names") or [call.params.get("Name") or call.params.get("ResourceId")]
    for name in filter(None, named):
        # Systems Manager User Guide, Working with parameter versions and labels: NAME:VERSION, NAME:LABEL.
        if name.startswith("arn:"):
            yield ":".join(name.split(":")[:6])
        else:
            yield scope.arn("ssm", f"parameter/{_SELECTOR.sub('', name).removeprefix('/')}")


def _of_sns(call: Call, scope: Scope, action: str) -> Iterator[str]:
    params = call.params
    if action == "CreateTopic":
        yield scope.arn("sns", str(params["Name"]))
    elif "SubscriptionArn" in params:
        yield str(params["SubscriptionArn"]).rpartition(":")[0]
    elif found := params.get("TopicArn") or params.get("ResourceArn"):
        yield str(found)


def _of_sqs(call: Call, scope: Scope, _action: str) -> Iterator[str]:
    name = call.params.get("QueueName") or str(call.params.get("QueueUrl", "")).rpartition("/")[2]
    if name:
        yield scope.arn("sqs", name)


def _of_events(call: Call, scope: Scope, _action: str) -> Iterator[str]:
    if found := call.params.get("ResourceARN"):
        yield str(found)
    elif name := call.params.get("Rule") or call.params.get("Name"):
        yield scope.arn("events", f"rule/{name}")


def _of_cloudwatch(call: Call, scope: Scope, action: str) -> Iterator[str]:
    names = call.params.get("AlarmNames") or [
        value for name, value in call.params.items() if name.startswith("AlarmName")
    ]
    if found := call.params.get("ResourceARN"):
        yield str(found)
    elif action.endswith(("Alarm", "Alarms")):
        yield from (scope.arn("cloudwatch", f"alarm:{one}") for one in names or [ALL])


def _of_logs(call: Call, scope: Scope, _action: str) -> Iterator[str]:
    if found := call.params.get("resourceArn"):
        yield str(found)
    elif name := call.params.get("logGroupName"):
        yield scope.arn("logs", f"log-group:{name}")


def _of_cloudtrail(call: Call, scope: Scope, action: str) -> Iterator[str]:
    if action in ("GetEventSelectors", "GetTrailStatus"):
        name = str(call.params.get("TrailName") or call.params.get("Name"))
        yield name if name.startswith("arn:") else scope.arn("cloudtrail", f"trail/{name}")


def _of_config(_call: Call, scope: Scope, action: str) -> Iterator[str]:
    # A name is not in the ARN of an aggregator: any one of the account.
    if action in ("DescribeConfigurationAggregatorSourcesStatus", "SelectAggregateResourceConfig"):
        yield scope.arn("config", "config-aggregator/*")


def _of_imagebuilder(call: Call, _scope: Scope, _action: str) -> Iterator[str]:
    # ListImageBuildVersions names its image in the body, which is not parsed for REST protocols.
    if found := call.params.get("lifecyclePolicyArn"):
        yield str(found)


def _of_iam(call: Call, _scope: Scope, action: str) -> Iterator[str]:
    if action == "SimulatePrincipalPolicy":
        yield str(call.params["PolicySourceArn"])


def _of_ram(call: Call, scope: Scope, action: str) -> Iterator[str]:
    if found := call.params.get("resourceShareArn"):
        yield str(found)
    elif action == "CreateResourceShare":
        # The message of a denial names it: awslabs/landing-zone-accelerator-on-aws#230.
        yield scope.arn("ram", "resource-share/*")


def _of_rbin(call: Call, scope: Scope, action: str) -> Iterator[str]:
    if action in ("DeleteRule", "GetRule"):
        yield scope.arn("rbin", f"rule/{call.action.rpartition('/')[2]}")


_RESOURCES: dict[str, Resources] = {
    "autoscaling": _of_autoscaling,
    "cloudtrail": _of_cloudtrail,
    "cloudwatch": _of_cloudwatch,
    "config": _of_config,
    "ec2": _of_ec2,
    "events": _of_events,
    "iam": _of_iam,
    "imagebuilder": _of_imagebuilder,
    "logs": _of_logs,
    "ram": _of_ram,
    "rbin": _of_rbin,
    "s3": _of_s3,
    "sns": _of_sns,
    "sqs": _of_sqs,
    "ssm": _of_ssm,
}
