# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide who the statements of a key policy give access to: every AWS account, or named principals.

A statement with the principal ``*`` gives access to every identity in every account, unless its conditions
limit that (KMS Developer Guide, "Examining the key policy"). A condition limits it only if it requires an
account, organization or principal, and names it. A test of the service (``kms:ViaService``) limits no
principal. Nor does a test that holds for a request without the condition key (``…IfExists``,
``ForAllValues``; IAM User Guide, "Condition operators", "Multivalued context keys"). A wildcard or a policy
variable names no principal (S3 User Guide, "The meaning of 'public'").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._variables import ACCOUNT_ID
from . import policy_statements
from .policy_evaluation import allow_statements, operations_of
from .policy_statements import PolicyConsumers

_OPERATORS = frozenset({"ArnEquals", "ArnLike", "StringEquals", "StringEqualsIgnoreCase", "StringLike"})
_ORGANIZATION = re.compile(r"o-[a-z0-9]+")
_PATH = re.compile(r"(?P<org>o-[a-z0-9]+)/.*", re.DOTALL)
_UNIT_ITSELF = re.compile(r"(?P<org>o-[a-z0-9]+)/(?:[^*?]+/)?(?P<unit>ou-[a-z0-9-]+)/")
# The account is fixed, whatever comes after it. A wildcard before it could match a part of another ARN.
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::[0-9]{12}:[^$]+")


@dataclass(frozen=True)
class StatementAudience:
    """Who a statement gives access to, and which of the requested operations it allows.

    A principal must be in each of the ``limits``. Without any, every AWS account has access. ``name`` is the
    statement's Sid, or its number among the statements that allow, from 1. ``is_own`` is whether this
    collection wrote it.
    """

    name: str
    operations: frozenset[str]
    limits: tuple[PolicyConsumers, ...]
    is_own: bool = False

    @property
    def public(self) -> bool:
        """Whether every AWS account has access."""
        return not self.limits

    @property
    def named(self) -> PolicyConsumers:
        """Return the principals that the statement names, even if a condition excludes them."""
        return self.limits[0] if self.limits else PolicyConsumers()


def audiences(policy: str, key_arn: str, operations: Iterable[str]) -> tuple[StatementAudience, ...]:
    """Return the audience of each statement that allows an operation on the key.

    Statements that deny are not considered: they can only reduce the access.
    """
    requested = frozenset(operations)
    return tuple(
        StatementAudience(
            str(statement.get("Sid") or number),
            operations_of(statement, requested),
            tuple(_limits(statement)),
            policy_statements.has_own_form(statement),
        )
        for number, statement in enumerate(allow_statements(policy, key_arn), 1)
        if statement.get("Action") or "NotAction" in statement
    )


def _limits(statement: Mapping[str, Any]) -> Iterator[PolicyConsumers]:
    # NotPrincipal allows all principals but those (IAM User Guide, "NotPrincipal with Allow").
    if "Principal" in statement:
        named = policy_statements.aws_principals(statement)
        if "*" not in named:
            yield PolicyConsumers(frozenset(map(policy_statements.short, named)))
    for operator, keys in statement.get("Condition", {}).items():
        if operator.removeprefix("ForAnyValue:") not in _OPERATORS:
            continue
        for key, values in keys.items():
            consumers_of = _CONDITION_KEYS.get(key.lower())
            texts = values if isinstance(values, list) else [values]
            limits = [consumers_of(str(item)) for item in texts] if consumers_of else [None]
            if None not in limits:
                yield _union(item for item in limits if item is not None)


def _union(parts: Iterable[PolicyConsumers]) -> PolicyConsumers:
    whole = PolicyConsumers()
    for part in parts:
        whole |= part
    return whole


def _account(value: str) -> PolicyConsumers | None:
    return PolicyConsumers(frozenset({value})) if ACCOUNT_ID.fullmatch(value) else None


def _organization(value: str) -> PolicyConsumers | None:
    return PolicyConsumers(org_ids=frozenset({value})) if _ORGANIZATION.fullmatch(value) else None


def _path(value: str) -> PolicyConsumers | None:
    """Return the organizational unit that the path names, or the whole organization if it names none."""
    within = _PATH.fullmatch(value)
    if within is None or "${" in value:
        return None
    itself = _UNIT_ITSELF.fullmatch(value)
    unit = (itself["org"], itself["unit"]) if itself else policy_statements.unit_of_path(value)
    if unit is None:
        return PolicyConsumers(org_ids=frozenset({within["org"]}))
    return PolicyConsumers(units=frozenset({unit}))


def _principal(value: str) -> PolicyConsumers | None:
    if _PRINCIPAL.fullmatch(value) is None:
        return None
    return PolicyConsumers(frozenset({policy_statements.short(value)}))


# Condition key to the consumers that a value names, None if it may be true of any account.
_CONDITION_KEYS: dict[str, Callable[[str], PolicyConsumers | None]] = {
    "aws:principalaccount": _account,
    "aws:principalarn": _principal,
    "aws:principalorgid": _organization,
    "aws:principalorgpaths": _path,
    "kms:calleraccount": _account,
}
