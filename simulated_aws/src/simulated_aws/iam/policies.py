# SPDX-License-Identifier: GPL-3.0-or-later
"""Parses policies, and evaluates their statements for a request.

(IAM User Guide, IAM JSON policy elements reference; Policy evaluation logic.)
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..exceptions import NotSimulated
from . import conditions
from .condition_keys import RequestContext
from .conditions import Condition, like
from .documents import as_list
from .principals import Principal

_VERSIONS = ("2012-10-17", "2008-10-17")
_POLICY_ELEMENTS = frozenset({"Version", "Id", "Statement"})
_STATEMENT_ELEMENTS = frozenset({"Sid", "Effect", "Principal", "Action", "Resource", "Condition"})
_NEGATED_ELEMENTS = frozenset({"NotPrincipal", "NotAction", "NotResource"})
_OTHER_PRINCIPALS = frozenset({"Service", "Federated", "CanonicalUser"})

ANY_PRINCIPAL = "*"


class MalformedPolicy(ValueError):
    """Not a valid policy; the message names the reason."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `principals` are `*`, ARNs and account IDs; None in an identity-based policy.

    A statement without an action or a resource matches no request.
    """

    allows: bool
    principals: tuple[str, ...] | None
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...]

    def matches(self, request: Request) -> bool:
        """Whether action, resource and conditions match the request; the principal is not compared."""
        return (
            any(like(one.lower(), request.action.lower()) for one in self.actions)
            and any(like(one, request.resource) for one in self.resources)
            and all(one.holds(request.context) for one in self.conditions)
        )


class Request(NamedTuple):
    """A request to evaluate: a principal, an action such as `kms:Decrypt`, and the ARN of a resource."""

    principal: Principal
    action: str
    resource: str
    context: RequestContext


class PolicyDecision(NamedTuple):
    """The result of a policy: an explicit deny, an allow for the principal, an allow for its account.

    If only the account is allowed, an identity-based policy must allow the principal as well.
    """

    denies: bool = False
    allows: bool = False
    allows_account: bool = False


def read(text: str, *, of_resource: bool) -> tuple[Statement, ...]:
    """Parse the statements of a resource-based or an identity-based policy.

    Raises:
        MalformedPolicy: not a valid policy.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise MalformedPolicy(f"Syntax errors in policy: {error}") from error
    if not isinstance(document, dict):
        raise MalformedPolicy("A policy is a JSON object.")
    _require_known(document, _POLICY_ELEMENTS)
    if document.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise MalformedPolicy("The policy has an unknown Version.")
    found = as_list(document.get("Statement", []))
    if not all(isinstance(one, dict) for one in found):
        raise MalformedPolicy("A statement is a JSON object.")
    sids = [one["Sid"] for one in found if one.get("Sid")]
    if len(set(sids)) < len(sids):
        raise MalformedPolicy("Statement IDs (SID) in a single policy must be unique.")
    return tuple(_statement(one, of_resource) for one in found)


def evaluate(statements: Iterable[tuple[Statement, frozenset[str]]], request: Request) -> PolicyDecision:
    """Evaluate the statements of a resource-based policy, each with the IDs of its principals.

    IDs are `*`, account IDs, unique IDs of users and roles, and `AROA…:session`.
    """
    principal = request.principal
    itself = {ANY_PRINCIPAL, principal.unique_id, principal.user_id}
    denies = allows = allows_account = False
    for statement, ids in statements:
        named = not itself.isdisjoint(ids)
        account = principal.account_id in ids
        if not (named or account) or not statement.matches(request):
            continue
        if not statement.allows:
            denies = True
        allows |= statement.allows and named
        allows_account |= statement.allows and account
    return PolicyDecision(denies, allows, allows_account)


def evaluate_identity(statements: Iterable[Statement], request: Request) -> PolicyDecision:
    """Evaluate the statements of the principal's identity-based policies."""
    matching = [statement for statement in statements if statement.matches(request)]
    return PolicyDecision(any(not one.allows for one in matching), any(one.allows for one in matching))


def _statement(document: dict[str, Any], of_resource: bool) -> Statement:
    negated = sorted(_NEGATED_ELEMENTS.intersection(document))
    if negated:
        raise NotSimulated(f"policy element {negated[0]}")
    _require_known(document, _STATEMENT_ELEMENTS)
    if document.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicy("The Effect of a statement is Allow or Deny.")
    if of_resource != ("Principal" in document):
        raise MalformedPolicy("A statement has principals if it belongs to a resource, and none otherwise.")
    try:
        read_conditions = conditions.read(document.get("Condition", {}))
    except ValueError as wrong:
        raise MalformedPolicy(f"Syntax errors in policy: {wrong}.") from wrong
    return Statement(
        document["Effect"] == "Allow",
        _principals(document["Principal"]) if of_resource else None,
        _strings(document.get("Action", [])),
        _strings(document.get("Resource", [])),
        read_conditions,
    )


def _principals(element: Any) -> tuple[str, ...]:
    if element == ANY_PRINCIPAL:
        return (ANY_PRINCIPAL,)
    if not isinstance(element, dict) or not element or set(element) - {"AWS", *_OTHER_PRINCIPALS}:
        raise MalformedPolicy("A statement names its principals.")
    named = _strings(element.get("AWS", []))
    if not named and not set(element) - {"AWS"}:
        raise MalformedPolicy("A statement names at least one principal.")
    return named


def _strings(value: Any) -> tuple[str, ...]:
    values = as_list(value)
    if not all(isinstance(one, str) for one in values):
        raise MalformedPolicy("Syntax errors in policy: a string is expected.")
    if any("${" in one for one in values):
        raise NotSimulated("policy variables")
    return tuple(values)


def _require_known(document: dict[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(document) - known)
    if unknown:
        raise MalformedPolicy(f"Syntax errors in policy: unknown element {unknown[0]}.")
