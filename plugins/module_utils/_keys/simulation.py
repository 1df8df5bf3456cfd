# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let IAM simulate the use of a key: the requests, and what the answers decide.

IAM evaluates the policies of a role or user, its permissions boundary and service control policies, and no
policy of a key (botocore operation ``SimulatePrincipalPolicy``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .. import _arns as arns
from .access import Access

# KMS API Reference, "ReEncrypt": it needs both permissions, and a dry run of it tests both at once.
_PERMISSIONS = {"ReEncrypt": ("ReEncryptFrom", "ReEncryptTo")}
_VIA_SERVICE = "kms:ViaService"
_ALLOWED, _DENIED = "allowed", frozenset({"explicitDeny", "implicitDeny"})


def permissions(operation: str) -> tuple[str, ...]:
    """Return the permissions that a dry run of an operation tests."""
    return _PERMISSIONS.get(operation, (operation,))


def request(principal: str, key_arn: str, operations: Iterable[str], through_ec2: bool) -> dict[str, Any]:
    """Return the parameters of SimulatePrincipalPolicy for operations on a key, through EC2 or directly.

    The context has the keys that a request to KMS certainly has (KMS Developer Guide, "AWS KMS condition
    keys": kms:GrantIsForAWSResource is true for requests of AWS services that are integrated with KMS).
    """
    key = arns.parse(key_arn)
    context = {
        "kms:CallerAccount": ("string", arns.account_of(principal)),
        "kms:GrantIsForAWSResource": ("boolean", "true" if through_ec2 else "false"),
        "aws:RequestedRegion": ("string", key.region),
        **({_VIA_SERVICE: ("string", f"ec2.{key.region}.amazonaws.com")} if through_ec2 else {}),
    }
    named = sorted({f"kms:{permission}" for operation in operations for permission in permissions(operation)})
    return {
        "PolicySourceArn": principal,
        "ActionNames": named,
        "ResourceArns": [key_arn],
        "ContextEntries": [
            {"ContextKeyName": name, "ContextKeyType": kind, "ContextKeyValues": [value]}
            for name, (kind, value) in context.items()
        ],
    }


def decisions(results: Iterable[Mapping[str, Any]], through_ec2: bool) -> dict[str, Access]:
    """Return the decision on each permission, from the results of SimulatePrincipalPolicy."""
    return {
        result["EvalActionName"].removeprefix("kms:"): _decision(result, through_ec2) for result in results
    }


def _decision(result: Mapping[str, Any], through_ec2: bool) -> Access:
    """Return IAM's decision; unknown if a condition has no value, or if service control policies deny.

    IAM may not know all conditions of service control policies (aws-containers/amazon-ecs-exec-checker#70).
    """
    missing = {
        *_missing_keys(result),
        *(key for item in _resource_results(result) for key in _missing_keys(item)),
    }
    if missing - (set() if through_ec2 else {_VIA_SERVICE.lower()}):
        return Access.UNKNOWN
    if result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations") is False:
        return Access.UNKNOWN
    decided = _principal_decisions(result) or {result["EvalDecision"]}
    if decided == {_ALLOWED}:
        return Access.ALLOWED
    return Access.DENIED if decided <= _DENIED else Access.UNKNOWN


def _resource_results(result: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return result.get("ResourceSpecificResults") or ()


def _missing_keys(result: Mapping[str, Any]) -> set[str]:
    return {key.lower() for key in result.get("MissingContextValues") or ()}


def _principal_decisions(result: Mapping[str, Any]) -> set[str]:
    """Return the decisions by type of policy, without that of the key; empty if IAM returns none.

    IAM returns them for the resource of another account, whose policy it does not have (botocore shape
    ``EvaluationResult``, EvalDecisionDetails). How the types are named is not documented.
    """
    details = [item.get("EvalDecisionDetails") or {} for item in (result, *_resource_results(result))]
    return {
        decision
        for by_type in details
        for kind, decision in by_type.items()
        if "resource" not in kind.lower()
    }
