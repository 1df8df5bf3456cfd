# SPDX-License-Identifier: GPL-3.0-or-later
"""Authorizes the actions of this package, and launches, by identity-based policies.

(Service Authorization Reference, Actions, resources, and condition keys for Amazon EC2.) The actions that
moto implements are authorized in call_authorization.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..iam import condition_keys, identity_policies
from ..iam.condition_keys import RequestContext, Value
from ..iam.current_principal import current_principal
from ..iam.policies import Request
from . import state
from .access import Caller
from .errors import Ec2Error

_ON_IMAGE = frozenset(
    {
        *("AttachImageWatermark", "CancelImageLaunchPermission", "DeregisterImage"),
        *("DescribeImageAttribute", "DetachImageWatermark", "DisableImage"),
        *("DisableImageDeprecation", "DisableImageDeregistrationProtection", "EnableImage"),
        *("EnableImageDeprecation", "EnableImageDeregistrationProtection", "ModifyImageAttribute"),
        *("ResetImageAttribute", "RestoreImageFromRecycleBin"),
    }
)
_ON_SNAPSHOT = frozenset(
    {
        *("DeleteSnapshot", "DescribeSnapshotAttribute", "LockSnapshot", "ModifySnapshotAttribute"),
        *("ResetSnapshotAttribute", "RestoreSnapshotFromRecycleBin", "UnlockSnapshot"),
    }
)
_ON_TAGS = frozenset({"CreateTags", "DeleteTags"})
_CREATE_ACTION = "ec2:createaction"
_KINDS = {"ami": "image", "snap": "snapshot"}
# EC2 User Guide, Identify your resources referencing specified AMIs: Required IAM permissions.
_OF_REFERENCES = {
    "ec2:Instance": ("ec2:DescribeInstances",),
    "ec2:LaunchTemplate": ("ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions"),
    "ssm:Parameter": ("ssm:DescribeParameters", "ssm:GetParameters"),
    "imagebuilder:ImageRecipe": ("imagebuilder:ListImageRecipes",),
    "imagebuilder:ContainerRecipe": ("imagebuilder:ListContainerRecipes", "imagebuilder:GetContainerRecipe"),
}
_REFERENCES_SERVICE = "ec2-images.amazonaws.com"
# The resources of a launch other than the image (the reference: required resource types; a launch of an
# EBS-backed image also creates volumes).
_LAUNCHED = ("instance", "network-interface", "security-group", "subnet", "volume")


def require_authorized(caller: Caller, name: str, params: Mapping[str, Any]) -> None:
    """Reject an action if the caller's policies do not allow it on each of its images and snapshots."""
    for request in _requests(caller, name, params):
        require(request)


def may_delete_snapshot(caller: Caller, snapshot_id: str) -> bool:
    """Whether the caller's policies allow DeleteSnapshot."""
    return not refusal(_on(caller, "DeleteSnapshot", snapshot_id))


def require(request: Request) -> None:
    """Reject a request that the principal's policies do not allow."""
    why = refusal(request)
    if why:
        raise Ec2Error(
            "UnauthorizedOperation",
            "You are not authorized to perform this operation. "
            f"User: {request.principal.caller_arn} is not authorized to perform: {request.action} "
            f"on resource: {request.resource} {why}",
            403,
        )


def _requests(caller: Caller, name: str, params: Mapping[str, Any]) -> Iterator[Request]:
    if name in _ON_IMAGE:
        yield _on(caller, name, params["ImageId"])
    elif name in _ON_SNAPSHOT:
        yield _on(caller, name, params["SnapshotId"])
    elif name in _ON_TAGS:
        yield from _of_tagging(caller, name, params)
    elif name == "CopyImage":
        yield from _of_copying(caller, name, params)
    elif name == "CreateImageUsageReport":
        yield _on(caller, name, params["ImageId"])
        yield _of_account(caller, name, "image-usage-report/*")
    else:
        yield request(caller, f"ec2:{name}", "*")
        if name == "DescribeImageReferences":
            yield from _of_references(caller, params)


def _of_tagging(caller: Caller, name: str, params: Mapping[str, Any]) -> Iterator[Request]:
    tags = _tags(params.get("Tags", []))
    for resource_id in params["Resources"]:
        # moto stores the tags of other resources.
        if resource_id.partition("-")[0] in _KINDS:
            yield _on(caller, name, resource_id, tags)


def _of_copying(caller: Caller, name: str, params: Mapping[str, Any]) -> Iterator[Request]:
    for kind in _KINDS.values():
        yield _on_new(caller, name, kind, {})
    # EC2 User Guide, Grant permission to tag Amazon EC2 resources during creation.
    for one in params.get("TagSpecifications", []):
        yield _on_new(caller, "CreateTags", one["ResourceType"], _tags(one.get("Tags", [])), name)


def require_launch(
    caller: Caller, image_id: str | None, http_tokens: str | None, tags: Mapping[str, Mapping[str, str]]
) -> None:
    """Reject a launch that the caller's identity-based policies don't allow.

    `http_tokens` is the value of ec2:MetadataHttpTokens in the request, `tags` the tags by resource type. A
    policy can require tags by aws:RequestTag (EC2 User Guide, Example policies: tag instances on creation).
    """
    context: RequestContext = {"ec2:metadatahttptokens": lambda: http_tokens}
    require(_request(caller, "RunInstances", f"image/{image_id}", context))
    for kind in _LAUNCHED:
        requested = condition_keys.of_tags(tags.get(kind, {}), {})
        require(_of_account(caller, "RunInstances", f"{kind}/*", {**context, **requested}))
    for kind, of_kind in tags.items():
        created: RequestContext = {
            **condition_keys.of_tags(of_kind, {}),
            _CREATE_ACTION: lambda: "RunInstances",
        }
        require(_of_account(caller, "CreateTags", f"{kind}/*", created))


def _of_references(caller: Caller, params: Mapping[str, Any]) -> Iterator[Request]:
    """The reads that DescribeImageReferences makes on the caller's behalf."""
    named = [one["ResourceType"] for one in params.get("ResourceTypes", [])]
    kinds = _OF_REFERENCES if params.get("IncludeAllResourceTypes") else named
    via: RequestContext = {"aws:calledvia": lambda: (_REFERENCES_SERVICE,)}
    for kind in kinds:
        for action in _OF_REFERENCES.get(kind, ()):
            yield request(caller, action, "*", via)


def _on(caller: Caller, action: str, resource_id: str, tags: Mapping[str, str] | None = None) -> Request:
    """An action on an image or a snapshot; `tags` are those in the request."""
    region = state.region(caller.region)
    resource = region.images.get(resource_id) or region.snapshots.get(resource_id)
    kind = _KINDS.get(resource_id.partition("-")[0], "image")
    context = condition_keys.of_tags(tags or {}, resource.tags if resource else {})
    return _request(caller, action, f"{kind}/{resource_id}", context)


def _on_new(
    caller: Caller, action: str, kind: str, tags: Mapping[str, str], create_action: str = ""
) -> Request:
    """An action on an image or a snapshot that does not exist yet."""
    context = condition_keys.of_tags(tags, {})
    return _request(caller, action, f"{kind}/*", {**context, _CREATE_ACTION: lambda: create_action or None})


def _of_account(caller: Caller, action: str, path: str, context: RequestContext | None = None) -> Request:
    """An action on a resource whose ARN has an account."""
    partition = current_principal(caller.account_id).partition
    resource = f"arn:{partition}:ec2:{caller.region}:{caller.account_id}:{path}"
    return request(caller, f"ec2:{action}", resource, context)


def _request(caller: Caller, action: str, path: str, context: RequestContext) -> Request:
    """An action on an image or a snapshot, whose ARN has no account."""
    partition = current_principal(caller.account_id).partition
    return request(caller, f"ec2:{action}", f"arn:{partition}:ec2:{caller.region}::{path}", context)


def request(caller: Caller, action: str, resource: str, context: RequestContext | None = None) -> Request:
    """An authorization request of the current principal, with the keys that a request may lack."""
    principal = current_principal(caller.account_id)
    absent: RequestContext = {"aws:calledvia": _absent, _CREATE_ACTION: _absent}
    known = {**condition_keys.of_principal(principal), **condition_keys.of_tags({}, {}), **absent}
    return Request(principal, action, resource, {**known, **(context or {})})


def refusal(request: Request) -> str:
    """Why the principal's policies do not allow a request; empty if they do."""
    decision = identity_policies.evaluate(request)
    if decision.denies:
        return "with an explicit deny in an identity-based policy"
    return "" if decision.allows else f"because no identity-based policy allows the {request.action} action"


def _tags(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag.get("Key", ""): tag.get("Value", "") for tag in tags}


def _absent() -> Value:
    return None
