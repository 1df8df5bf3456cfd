# SPDX-License-Identifier: GPL-3.0-or-later
"""The error of a call that no policy of its principal allows, in the words of the service.

Sources: IAM User Guide, "Troubleshoot access denied error messages"; "Error codes for the Amazon EC2 API",
UnauthorizedOperation; SNS API Reference, Common Errors, AuthorizationError; "Common Error Types" of the
others. Most of EC2's reads have no resource type (Service Authorization Reference): their message names no
resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource_arns import operation_of
from .api_calls import Call
from .protocols import ApiError, Protocol

_SIGNING_NAMES = {"monitoring": "cloudwatch"}
"""Signing names that differ from the prefix of the service's actions in policies."""

_EC2_KINDS = {"ami": "image", "snap": "snapshot", "lt": "launch-template", "i": "instance"}
_EC2_RESOURCES = (
    "ImageId",
    "SourceImageId",
    "SnapshotId",
    "ResourceId.1",
    "LaunchTemplateId",
    "InstanceId.1",
)
_EC2_READS_OF_A_RESOURCE = frozenset({"DescribeImageAttribute", "DescribeSnapshotAttribute"})
_RESOURCES = (
    "KeyId",
    "ResourceId",
    "Name",
    "RoleArn",
    "TopicArn",
    "QueueUrl",
    "QueueName",
    "AlarmName",
    "AlarmNames",
    "logGroupName",
    "TrailName",
)


def denied(call: Call, account_id: str, caller_arn: str) -> ApiError:
    """The response to a call of this principal without permission for the action."""
    action = f"{_SIGNING_NAMES.get(call.service, call.service)}:{operation_of(call)}"
    why = f"because no identity-based policy allows the {action} action"
    return refusal(call, caller_arn, action, _resource(call, account_id), why)


def refusal(call: Call, caller_arn: str, action: str, resource: str, why: str) -> ApiError:
    """The response to a call that policies do not allow, for an action on a resource, if one is named."""
    where = f" on resource: {resource}" if resource else ""
    text = f"User: {caller_arn} is not authorized to perform: {action}{where} {why}"
    if call.protocol is Protocol.EC2:
        return ApiError(
            "UnauthorizedOperation", f"You are not authorized to perform this operation. {text}", 403
        )
    if call.protocol in (Protocol.JSON, Protocol.REST_JSON):
        return ApiError("AccessDeniedException", text, 400 if call.protocol is Protocol.JSON else 403)
    return ApiError("AuthorizationError" if call.service == "sns" else "AccessDenied", text, 403)


def _resource(call: Call, account_id: str) -> str:
    if call.service == "ec2":
        named = _first(call.params, _EC2_RESOURCES)
        kind = _EC2_KINDS.get(named.partition("-")[0])
        is_list = call.action.startswith(("Describe", "Get", "List"))
        has_resource = kind and (not is_list or call.action in _EC2_READS_OF_A_RESOURCE)
        return f"arn:aws:ec2:{call.region}::{kind}/{named}" if has_resource else ""
    if call.service == "s3":
        return f"arn:aws:s3:::{call.action.partition(' /')[2]}"
    named = _first(call.params, _RESOURCES)
    if named.startswith(("arn:", "http")) or not named:
        return named or "*"
    kinds = {"events": "rule/", "kms": "key/", "monitoring": "alarm:", "ssm": "parameter/"}
    path = kinds.get(call.service, "") + named.removeprefix("/")
    service = _SIGNING_NAMES.get(call.service, call.service)
    return f"arn:aws:{service}:{call.region}:{account_id}:{path}"


def _first(params: Mapping[str, Any], names: tuple[str, ...]) -> str:
    value = next((params[name] for name in names if params.get(name)), "")
    return str(value[0] if isinstance(value, list) else value)
