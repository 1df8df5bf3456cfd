# SPDX-License-Identifier: GPL-3.0-or-later
"""CreateLifecyclePolicy, GetLifecyclePolicy and ListLifecyclePolicies; the policies never run.

Rules: botocore shapes CreateLifecyclePolicyRequest, LifecyclePolicyDetail, LifecyclePolicyResourceSelection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ec2 import state
from ..ec2.access import Caller
from .errors import already_exists, not_found, not_valid
from .names import NAME, arn_of
from .pagination import page

FILTERS = ("name", "resourceType", "status")
"""(botocore shape ListLifecyclePoliciesRequest.)"""


def create_lifecycle_policy(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Store a policy, enabled by default."""
    if not NAME.fullmatch(params["name"]):
        raise not_valid(f"{params['name']} is not a valid name")
    _require_selection(params["resourceSelection"])
    _require_rules(params["resourceType"], params["policyDetails"])
    arn = arn_of(caller, "lifecycle-policy", params["name"])
    policies = state.account_region(*caller).lifecycle_policies
    if arn in policies:
        raise already_exists(arn)
    now = state.now().timestamp()
    kept = {key: value for key, value in params.items() if key not in ("clientToken", "dryRun")}
    policies[arn] = {"status": "ENABLED", **kept, "arn": arn, "dateCreated": now, "dateUpdated": now}
    return {"clientToken": params["clientToken"], "lifecyclePolicyArn": arn}


def get_lifecycle_policy(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """One policy with its rules and its selection."""
    arn = params["lifecyclePolicyArn"]
    policies = state.account_region(*caller).lifecycle_policies
    if arn not in policies:
        raise not_found(arn)
    return {"lifecyclePolicy": policies[arn]}


def list_lifecycle_policies(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Summaries of the policies that match all filters, whose values are exact."""
    filters = params.get("filters", [])
    for one in filters:
        if one["name"] not in FILTERS or any("*" in value for value in one["values"]):
            raise not_valid(f"The filter {one['name']} is not valid")
    found = [
        {key: value for key, value in policy.items() if key not in ("policyDetails", "resourceSelection")}
        for policy in state.account_region(*caller).lifecycle_policies.values()
        if all(policy[one["name"]] in one["values"] for one in filters)
    ]
    return page("lifecyclePolicySummaryList", found, params)


def _require_selection(selection: Mapping[str, Any]) -> None:
    if ("recipes" in selection) == ("tagMap" in selection):
        raise not_valid("Specify exactly one selection criteria: either recipes or a tag map")


def _require_rules(resource_type: str, rules: list[dict[str, Any]]) -> None:
    kinds = [rule["action"]["type"] for rule in rules]
    if len(set(kinds)) < len(kinds):
        raise not_valid("A policy can contain at most one rule per action type")
    for rule in rules:
        kind, included = rule["action"]["type"], rule["action"].get("includeResources", {})
        chosen = rule["filter"]
        if kind != "DELETE" and (resource_type == "CONTAINER_IMAGE" or chosen["type"] == "COUNT"):
            raise not_valid(f"The action {kind} is not valid for this resource type or filter")
        if chosen["type"] == "AGE" and "unit" not in chosen:
            raise not_valid("A unit is required for age-based rules")
        if kind != "DELETE" and (included.get("snapshots") or included.get("containers")):
            raise not_valid(f"The action {kind} can include AMIs only")
        if included.get("snapshots") and not included.get("amis"):
            raise not_valid("Snapshots can only be included together with AMIs")
