# SPDX-License-Identifier: GPL-3.0-or-later
"""Authorizes API calls by the caller's identity-based policies, before a service or moto handles them.

KMS, AssumeRole, launches and the actions of EC2 that this package implements authorize themselves, since they
know more of the resource. (Service Authorization Reference: actions, resources and condition keys of each
service; an action without resource types, and one that is not listed in resource_arns.py, is evaluated for
all resources.)
"""

from __future__ import annotations

from collections.abc import Iterator

from . import resource_arns
from .ec2 import instance_tags
from .ec2.access import Caller
from .ec2.actions import ACTIONS
from .ec2.authorization import refusal, request
from .http import denials
from .http.api_calls import Call
from .http.protocols import ApiError
from .iam import condition_keys
from .iam.current_principal import current_principal
from .iam.policies import Request
from .ram import condition_keys as condition_keys_of_ram
from .resource_arns import Scope

_OWN_EC2 = frozenset({*ACTIONS, "RunInstances"})
# STS API Reference, GetCallerIdentity: no permissions are required.
_OWN_STS = frozenset({"AssumeRole", "GetCallerIdentity"})


def denial(call: Call, account_id: str) -> ApiError | None:
    """The error of a call that the caller's policies do not allow; None for one that may be handled."""
    if _authorizes_itself(call):
        return None
    for one in _requests(call, account_id):
        if why := refusal(one):
            return denials.refusal(call, one.principal.caller_arn, one.action, one.resource, why)
    return None


def _authorizes_itself(call: Call) -> bool:
    own = {"ec2": _OWN_EC2, "sts": _OWN_STS}.get(call.service, frozenset())
    return call.service == "kms" or call.action in own


def _requests(call: Call, account_id: str) -> Iterator[Request]:
    caller = Caller(account_id, call.region)
    scope = Scope(current_principal(account_id).partition, call.region, account_id)
    for action, resource in resource_arns.needed(call, scope):
        tags = instance_tags.of(caller, resource) if action == "ec2:TerminateInstances" else {}
        context = condition_keys.of_tags(_requested_tags(call), tags)
        for more in condition_keys_of_ram.contexts(call, caller) if action.startswith("ram:") else ({},):
            yield request(caller, action, resource, {**context, **more})


def _requested_tags(call: Call) -> dict[str, str]:
    """The tags of a request to Systems Manager (Service Authorization Reference: its condition keys)."""
    tags = call.params.get("Tags") or () if call.service == "ssm" else ()
    return {tag["Key"]: tag["Value"] for tag in tags}
