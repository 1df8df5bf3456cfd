# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies: reading their JSON, and what their statements say about a request.

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
from .principals import Principal

_VERSIONS = ("2012-10-17", "2008-10-17")
_POLICY_ELEMENTS = frozenset({"Version", "Id", "Statement"})
_STATEMENT_ELEMENTS = frozenset({"Sid", "Effect", "Principal", "Action", "Resource", "Condition"})
_NEGATED_ELEMENTS = frozenset({"NotPrincipal", "NotAction", "NotResource"})
_OTHER_PRINCIPALS = frozenset({"Service", "Federated", "CanonicalUser"})

ANY_PRINCIPAL = "*"


class MalformedPolicy(ValueError):
    """Not a policy; the message says why."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `principals` is as written, `*` or ARNs and account ids; None in an identity's policy.

    A statement without an action or a resource is about nothing.
    """

    allows: bool
    principals: tuple[str, ...] | None
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...]

    def is_about(self, request: Request) -> bool:
        """Whether action, resource and conditions fit, whoever asks."""
        return (
            any(like(one.lower(), request.action.lower()) for one in self.actions)
            and any(like(one, request.resource) for one in self.resources)
            and all(one.holds(request.context) for one in self.conditions)
        )


class Request(NamedTuple):
    """What somebody wants to do: action such as `kms:Decrypt`, on the ARN of a resource."""

    principal: Principal
    action: str
    resource: str
    context: RequestContext


class PolicyDecision(NamedTuple):
    """What a policy says: it denies, it allows the principal itself, it allows the principal's account.

    Allowing an account leaves it to the account's own policies to allow the principal.
    """

    denies: bool = False
    allows: bool = False
    allows_account: bool = False


def read(text: str, *, of_resource: bool) -> tuple[Statement, ...]:
    """The statements of a policy, of a resource or of an identity; MalformedPolicy if it isn't one."""
    try:
        document = json.loads(text)
    except ValueError as unreadable:
        raise MalformedPolicy(f"Syntax errors in policy: {unreadable}") from unreadable
    if not isinstance(document, dict):
        raise MalformedPolicy("A policy is a JSON object.")
    _require_known(document, _POLICY_ELEMENTS)
    if document.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise MalformedPolicy("The policy has an unknown Version.")
    found = _list(document.get("Statement", []))
    if not all(isinstance(one, dict) for one in found):
        raise MalformedPolicy("A statement is a JSON object.")
    sids = [one["Sid"] for one in found if one.get("Sid")]
    if len(set(sids)) < len(sids):
        raise MalformedPolicy("Statement IDs (SID) in a single policy must be unique.")
    return tuple(_statement(one, of_resource) for one in found)


def evaluate(statements: Iterable[tuple[Statement, frozenset[str]]], request: Request) -> PolicyDecision:
    """What a resource's statements, each with the ids its principals stand for, say about the request.

    Ids are `*`, account ids, unique ids of users and roles, and `AROA…:session`.
    """
    principal = request.principal
    itself = {ANY_PRINCIPAL, principal.unique_id, principal.user_id}
    denies = allows = allows_account = False
    for statement, ids in statements:
        named = not itself.isdisjoint(ids)
        account = principal.account_id in ids
        if not (named or account) or not statement.is_about(request):
            continue
        if not statement.allows:
            denies = True
        allows |= statement.allows and named
        allows_account |= statement.allows and account
    return PolicyDecision(denies, allows, allows_account)


def evaluate_identity(statements: Iterable[Statement], request: Request) -> PolicyDecision:
    """What the statements of the principal's own policies say about the request."""
    about = [statement for statement in statements if statement.is_about(request)]
    return PolicyDecision(any(not one.allows for one in about), any(one.allows for one in about))


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
    values = _list(value)
    if not all(isinstance(one, str) for one in values):
        raise MalformedPolicy("Syntax errors in policy: a string is expected.")
    if any("${" in one for one in values):
        raise NotSimulated("policy variables")
    return tuple(values)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _require_known(document: dict[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(document) - known)
    if unknown:
        raise MalformedPolicy(f"Syntax errors in policy: unknown element {unknown[0]}.")
