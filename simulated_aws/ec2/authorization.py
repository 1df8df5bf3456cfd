# SPDX-License-Identifier: GPL-3.0-or-later
"""Authorizes, by identity-based policies, actions that copy, tag, share, disable or delete images.

Other actions of EC2 are allowed to every principal of the account, except for RunInstances.
(Service Authorization Reference, Actions, resources, and condition keys for Amazon EC2.)
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

_ON_IMAGE = frozenset({"DeregisterImage", "DisableImage", "EnableImage", "ModifyImageAttribute"})
_ON_SNAPSHOT = frozenset({"DeleteSnapshot", "ModifySnapshotAttribute"})
_ON_TAGS = frozenset({"CreateTags", "DeleteTags"})
_KINDS = {"ami": "image", "snap": "snapshot"}


def require_authorized(caller: Caller, name: str, params: Mapping[str, Any]) -> None:
    """Reject an action if the caller's policies do not allow it on each of its images and snapshots."""
    for request in _requests(caller, name, params):
        require(request)


def may_delete_snapshot(caller: Caller, snapshot_id: str) -> bool:
    """Whether the caller's policies allow DeleteSnapshot."""
    return not _refusal(_on(caller, "DeleteSnapshot", snapshot_id))


def require(request: Request) -> None:
    """Reject a request that the principal's policies do not allow."""
    why = _refusal(request)
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
        tags = _tags(params.get("Tags", []))
        for resource_id in params["Resources"]:
            # moto stores the tags of other resources.
            if resource_id.partition("-")[0] in _KINDS:
                yield _on(caller, name, resource_id, tags)
    elif name == "CopyImage":
        for kind in _KINDS.values():
            yield _on_new(caller, name, kind, {})
        # EC2 User Guide, Grant permission to tag Amazon EC2 resources during creation.
        for one in params.get("TagSpecifications", []):
            yield _on_new(caller, "CreateTags", one["ResourceType"], _tags(one.get("Tags", [])), name)


def _on(caller: Caller, action: str, resource_id: str, tags: Mapping[str, str] | None = None) -> Request:
    """An action on an image or a snapshot; `tags` are those in the request."""
    region = state.region(caller.region)
    resource = region.images.get(resource_id) or region.snapshots.get(resource_id)
    kind = _KINDS.get(resource_id.partition("-")[0], "image")
    context = condition_keys.of_tags(tags or {}, resource.tags if resource else {})
    return _request(caller, action, f"{kind}/{resource_id}", {**context, "ec2:createaction": _absent})


def _on_new(
    caller: Caller, action: str, kind: str, tags: Mapping[str, str], create_action: str = ""
) -> Request:
    """An action on an image or a snapshot that does not exist yet."""
    context = condition_keys.of_tags(tags, {})
    return _request(
        caller, action, f"{kind}/*", {**context, "ec2:createaction": lambda: create_action or None}
    )


def _request(caller: Caller, action: str, path: str, context: RequestContext) -> Request:
    principal = current_principal(caller.account_id)
    resource = f"arn:{principal.partition}:ec2:{caller.region}::{path}"
    return Request(
        principal, f"ec2:{action}", resource, {**condition_keys.of_principal(principal), **context}
    )


def _refusal(request: Request) -> str:
    """Why the principal's policies do not allow a request; empty if they do."""
    decision = identity_policies.evaluate(request)
    if decision.denies:
        return "with an explicit deny in an identity-based policy"
    return "" if decision.allows else f"because no identity-based policy allows the {request.action} action"


def _tags(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag.get("Key", ""): tag.get("Value", "") for tag in tags}


def _absent() -> Value:
    return None
