# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of actions by their AWS names, and the authorization that they share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from moto.kms.models import Key

from ...action_registry import registrar
from ...iam.principals import Principal
from .. import authorization, key_states, keys
from ..authorization import Decision, Use
from ..errors import not_found


class Caller(NamedTuple):
    """The principal that sends a request, and the Region of the request."""

    principal: Principal
    region: str


Action = Callable[[Caller, dict[str, Any]], dict[str, Any] | str]
"""Takes the caller and the valid parameters; returns the result, or its JSON text."""

ACTIONS: dict[str, Action] = {}
action = registrar(ACTIONS)
"""Register a function as the KMS action with this name."""


class Authorized(NamedTuple):
    """A key, and the decision that allows the operation on it."""

    key: Key
    decision: Decision


def authorize(
    caller: Caller,
    operation: str,
    name: str,
    *,
    alias_allowed: bool = False,
    cross_account: bool = True,
    grant_tokens: Collection[str] = (),
    grantee: str = "",
) -> Authorized:
    """The key that a request names, if the caller is authorized and the key's state allows the operation.

    Without `cross_account` the key must belong to the caller's account (KMS Developer Guide, AWS KMS
    permissions: Cross-account use).
    """
    principal = caller.principal
    found = keys.refer(principal.account_id, caller.region, name, alias_allowed=alias_allowed)
    own = found.account_id == principal.account_id
    if found.key is None and own:
        is_alias = ":alias/" in found.arn
        raise not_found(
            f"Alias {found.arn} is not found." if is_alias else f"Key '{found.arn}' does not exist"
        )
    if found.key is None or (not own and not cross_account):
        raise authorization.denied(principal, operation, found.arn)
    decision = authorization.require(found.key, Use(principal, operation, grantee=grantee), grant_tokens)
    key_states.require(found.key, operation)
    return Authorized(found.key, decision)
