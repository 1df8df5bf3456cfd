# SPDX-License-Identifier: GPL-3.0-or-later
"""SimulatePrincipalPolicy, which moto lacks: what a user's or role's own policies decide about requests.

Only identity-based policies are evaluated (botocore shape SimulatePrincipalPolicyRequest, ResourceArns and
ResourcePolicy: policies of resources are not retrieved, and not supported for roles). This is also the
decision about the resource of another account: which EvalDecisionDetails AWS has for it is not documented.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from xml.sax.saxutils import escape

from .. import organizations
from ..exceptions import NotSimulated
from ..http.fast_path import FastPathRequest
from ..http.protocols import ApiError, Protocol
from . import condition_keys, identity_policies, principals
from .condition_keys import RequestContext, Value
from .policies import PolicyDecision, Request
from .principals import Principal

_ENTITY = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):(user|role|group)/.+")
_KNOWN = re.compile(r"Action|Version|PolicySourceArn|(ActionNames|ResourceArns|ContextEntries)\.member\..+")
_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"


class _Context(RequestContext):
    """The given context keys, and those that a condition needed and that were not given."""

    def __init__(self, given: Mapping[str, Value], principal: Principal) -> None:
        super().__init__(condition_keys.of_principal(principal))
        self.update({key.lower(): partial(_same, value) for key, value in given.items()})
        self.missing: list[str] = []

    def get(self, key: str, *_default: object) -> object:  # type: ignore[override]
        """The function that returns the value of a key."""
        if key in self:
            return self[key]
        if not key.endswith("/"):
            self.missing.append(key)
        return partial(_same, None)


def _same(value: Value) -> Value:
    return value


def answer(request: FastPathRequest) -> tuple[int, bytes]:
    """Handle a request (IAM API Reference, SimulatePrincipalPolicy)."""
    for name in request.params:
        if not _KNOWN.fullmatch(name):
            raise NotSimulated(f"parameter {name}")
    principal = _principal(request)
    if isinstance(principal, ApiError):
        return principal.status, principal.response(Protocol.QUERY, request.request_id).body
    results = "".join(
        _result(request, principal, action) for _number, action in _members(request, "ActionNames")
    )
    return 200, (
        f'<SimulatePrincipalPolicyResponse xmlns="{_NAMESPACE}"><SimulatePrincipalPolicyResult>'
        f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
        f"</SimulatePrincipalPolicyResult><ResponseMetadata><RequestId>{request.request_id}</RequestId>"
        "</ResponseMetadata></SimulatePrincipalPolicyResponse>"
    ).encode()


def _principal(request: FastPathRequest) -> Principal | ApiError:
    """The user or role (botocore operation SimulatePrincipalPolicy: NoSuchEntity, InvalidInput)."""
    arn = request.params["PolicySourceArn"]
    entity = _ENTITY.fullmatch(arn)
    if entity is None or entity[1] != request.account_id:
        return ApiError("InvalidInput", f"Invalid Entity Arn: {arn}", 400)
    found = principals.find(arn)
    return found or ApiError("NoSuchEntity", f"The {entity[2]} with ARN {arn} cannot be found.", 404)


def _result(request: FastPathRequest, principal: Principal, action: str) -> str:
    """One result for each action, with the most restrictive decision (botocore shape EvaluationResult)."""
    context = _Context(dict(_entries(request)), principal)
    resources = [arn for _number, arn in _members(request, "ResourceArns")] or ["*"]
    decisions = [
        identity_policies.decide(Request(principal, action, resource, context)) for resource in resources
    ]
    missing = "".join(f"<member>{escape(key)}</member>" for key in dict.fromkeys(context.missing))
    details = "".join(
        f"<member><EvalResourceName>{escape(resource)}</EvalResourceName>"
        f"<EvalResourceDecision>{_word([decision])}</EvalResourceDecision></member>"
        for resource, decision in zip(resources, decisions, strict=True)
    )
    organization = (
        "<OrganizationsDecisionDetail><AllowedByOrganizations>true</AllowedByOrganizations>"
        "</OrganizationsDecisionDetail>"
        if organizations.organization_id(principal.account_id)
        else ""
    )
    return (
        f"<member><EvalActionName>{escape(action)}</EvalActionName>"
        f"<EvalDecision>{_word(decisions)}</EvalDecision><MatchedStatements/>"
        f"<MissingContextValues>{missing}</MissingContextValues>{organization}"
        f"<ResourceSpecificResults>{details}</ResourceSpecificResults></member>"
    )


def _word(decisions: list[PolicyDecision]) -> str:
    """The decision (botocore shape PolicyEvaluationDecisionType)."""
    if any(one.denies for one in decisions):
        return "explicitDeny"
    return "allowed" if all(one.allows for one in decisions) else "implicitDeny"


def _members(request: FastPathRequest, name: str) -> Iterator[tuple[str, str]]:
    """The items of a list parameter, each with its number."""
    pattern = re.compile(rf"{re.escape(name)}\.member\.(\d+)")
    for parameter, value in request.params.items():
        if found := pattern.fullmatch(parameter):
            yield found[1], value


def _entries(request: FastPathRequest) -> Iterator[tuple[str, Value]]:
    """The context keys with their values: one, or several of a key whose type is a list."""
    names = re.compile(r"ContextEntries\.member\.(\d+)\.ContextKeyName")
    for parameter, key in request.params.items():
        if found := names.fullmatch(parameter):
            entry = f"ContextEntries.member.{found[1]}"
            values = tuple(value for _number, value in _members(request, f"{entry}.ContextKeyValues"))
            is_list = request.params[f"{entry}.ContextKeyType"].endswith("List")
            yield key, values if is_list else values[0]


HANDLERS = {("iam", "SimulatePrincipalPolicy"): answer}
