# SPDX-License-Identifier: GPL-3.0-or-later
"""CreateRule, GetRule, ListRules and DeleteRule (Recycle Bin API Reference).

A rule takes effect at once; on AWS the first rule for a resource type can take longer (EBS User Guide,
Considerations for Recycle Bin). Rule locks are not simulated.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..ec2 import state
from ..ec2.access import Caller
from ..ec2.regions import partition_of
from ..ec2.state import RetentionRule
from .errors import not_found, not_valid

RESOURCE_TYPES = ("EBS_SNAPSHOT", "EC2_IMAGE", "EBS_VOLUME")
LONGEST = 365
"""Days (botocore shape RetentionPeriod, RetentionPeriodValue)."""
MOST_TAGS, MOST_EXCLUDED = 50, 5
"""Per rule (botocore shapes ResourceTags and ExcludeResourceTags)."""
MOST_RESULTS = 1000

Operation = Callable[[Caller, Mapping[str, Any]], dict[str, Any]]


def create_rule(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Create a tag-level rule, or a Region-level rule with exclusion tags."""
    period = params["RetentionPeriod"]
    if period["RetentionPeriodUnit"] != "DAYS" or not 1 <= period["RetentionPeriodValue"] <= LONGEST:
        raise not_valid(f"A retention period is 1 to {LONGEST} DAYS")
    tags, excluded = (_tags(params, name) for name in ("ResourceTags", "ExcludeResourceTags"))
    if tags and excluded:
        raise not_valid("Exclusion tags can't be specified for tag-level retention rules")
    if len(tags) > MOST_TAGS or len(excluded) > MOST_EXCLUDED:
        raise not_valid(f"A rule has at most {MOST_TAGS} resource tags and {MOST_EXCLUDED} exclusion tags")
    rule = RetentionRule(
        id=secrets.token_hex(6)[:11],
        resource_type=_resource_type(params),
        days=period["RetentionPeriodValue"],
        description=params.get("Description", ""),
        tags=tags,
        excluded=excluded,
    )
    _rules(caller)[rule.id] = rule
    return _view(caller, rule)


def get_rule(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a rule."""
    return _view(caller, _rule(caller, params["Identifier"]))


def list_rules(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """List the rules for a resource type."""
    resource_type = _resource_type(params)
    token = params.get("NextToken", "0")
    if not token.isdecimal():
        raise not_valid(f"The token {token} is invalid")
    after = int(token)
    size = params.get("MaxResults", MOST_RESULTS)
    found = [one for one in _rules(caller).values() if one.resource_type == resource_type]
    rest = [one for one in found if one.serial > after]
    shown = rest[:size]
    summaries = [
        {name: value for name, value in _view(caller, one).items() if name in _SUMMARY} for one in shown
    ]
    return {"Rules": summaries, **({"NextToken": str(shown[-1].serial)} if len(rest) > size else {})}


def delete_rule(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Delete a rule; resources that it retained stay in the Recycle Bin."""
    del _rules(caller)[_rule(caller, params["Identifier"]).id]
    return {}


# botocore shape RuleSummary.
_SUMMARY = ("Identifier", "Description", "RetentionPeriod", "LockState", "RuleArn")


def _rules(caller: Caller) -> dict[str, RetentionRule]:
    return state.account_region(*caller).retention_rules


def _rule(caller: Caller, identifier: str) -> RetentionRule:
    rule = _rules(caller).get(identifier)
    if rule is None:
        raise not_found(identifier)
    return rule


def _resource_type(params: Mapping[str, Any]) -> str:
    resource_type = str(params["ResourceType"])
    if resource_type not in RESOURCE_TYPES:
        raise not_valid(f"ResourceType {resource_type} must be one of {', '.join(RESOURCE_TYPES)}")
    return resource_type


def _tags(params: Mapping[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    return tuple((one["ResourceTagKey"], one.get("ResourceTagValue", "")) for one in params.get(name, ()))


def _view(caller: Caller, rule: RetentionRule) -> dict[str, Any]:
    partition = partition_of(caller.region) or "aws"
    return {
        "Identifier": rule.id,
        "Description": rule.description,
        "ResourceType": rule.resource_type,
        "RetentionPeriod": {"RetentionPeriodValue": rule.days, "RetentionPeriodUnit": "DAYS"},
        "ResourceTags": _tag_list(rule.tags),
        "ExcludeResourceTags": _tag_list(rule.excluded),
        "Status": "available",
        "LockState": "unlocked",
        "RuleArn": f"arn:{partition}:rbin:{caller.region}:{caller.account_id}:rule/{rule.id}",
    }


def _tag_list(tags: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"ResourceTagKey": key, "ResourceTagValue": value} for key, value in tags]
