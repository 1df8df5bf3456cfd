# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What anybody's key policy says about a consumer: that it may, that it may not, or that this cannot be told.

A policy is read for somebody of whom little is known: of an account neither its organization nor its roles,
of an organization none of its accounts. What depends on more than that is None, never a guess.
Sources: IAM User Guide, "IAM JSON policy elements reference" and "Policy evaluation logic"; KMS Developer
Guide, "Condition keys for AWS KMS".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from . import policy_statements as key_policy

Truth: TypeAlias = "bool | None"
"""None: cannot be told."""

_WILDCARD = re.compile(r"[*?]")


@dataclass(frozen=True)
class Consumer:
    """An account, a whole organization, or a whole organizational unit of one.

    An account's organization and the unit it is in are given where they are known.
    """

    account_id: str | None = None
    org_id: str | None = None
    unit_id: str | None = None


@dataclass(frozen=True)
class Request:
    """An operation on a key (``Decrypt``) that a consumer asks for.

    ``through_ec2``: as EC2 asks for it on the consumer's behalf when it launches, instead of directly.
    """

    consumer: Consumer
    operation: str
    key_arn: str
    through_ec2: bool = True


@dataclass(frozen=True)
class Word:
    """What a policy says of a request. A denial goes before everything, grants included."""

    allows: Truth
    denies: Truth


def word(policy: str, request: Request) -> Word:
    """What the statements of a policy together say of a request."""
    statements = _statements(policy)
    return Word(
        # What only a part of the consumer is allowed, the consumer is not; denied, it may be.
        allows=_any(_applies(item, request, partly=False) for item in statements if item.effect == "Allow"),
        denies=_any(_applies(item, request, partly=None) for item in statements if item.effect == "Deny"),
    )


def principals_within(policy: str, account_id: str) -> frozenset[str]:
    """The roles and users of an account that statements name, whatever they allow or deny them."""
    named = (item for statement in _statements(policy) for item in statement.principals or ())
    return frozenset(item for item in named if _account_of(item) == account_id)


@dataclass(frozen=True)
class _Statement:
    """A statement, its principals without an order; None if it says only who is none of them."""

    effect: str
    content: Mapping[str, Any]
    principals: frozenset[str] | None
    in_part: frozenset[str]

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> _Statement:
        effect = str(content.get("Effect"))
        if "Principal" not in content:
            return cls(effect, content, None, frozenset())
        principals = frozenset(key_policy.short(item) for item in _named(content["Principal"]))
        accounts = (_account_of(item) for item in principals)
        return cls(effect, content, principals, frozenset(item for item in accounts if item))


def _applies(statement: _Statement, request: Request, partly: Truth) -> Truth:
    content = statement.content
    return _all(
        (
            _is_about_operation(content, f"kms:{request.operation}"),
            _is_about_key(content, request.key_arn),
            _is_about_consumer(statement, request.consumer, partly),
            *(
                _holds(operator, key.lower(), _listed(values), request, partly)
                for operator, keys in content.get("Condition", {}).items()
                for key, values in keys.items()
            ),
        )
    )


def _is_about_operation(statement: Mapping[str, Any], action: str) -> bool:
    def fits(patterns: Any) -> bool:
        return any(_like(pattern.lower(), action.lower()) for pattern in _listed(patterns))

    if "NotAction" in statement:
        return not fits(statement["NotAction"])
    return fits(statement.get("Action", []))


def _is_about_key(statement: Mapping[str, Any], key_arn: str) -> Truth:
    if "Resource" not in statement:
        return None
    return any(_like(pattern, key_arn) for pattern in _listed(statement["Resource"]))


def _is_about_consumer(statement: _Statement, consumer: Consumer, partly: Truth) -> Truth:
    if statement.principals is None:
        # NotPrincipal leaves somebody out of whom nothing is known here.
        return None
    if "*" in statement.principals:
        return True
    if consumer.account_id is None:
        # Any account may be in the organization; none is all of it.
        return partly if statement.principals else False
    if consumer.account_id in statement.principals:
        return True
    return partly if consumer.account_id in statement.in_part else False


def _named(principal: Any) -> list[str]:
    """The AWS principals of a statement; services and identity providers are no consumers."""
    if isinstance(principal, Mapping):
        return [str(item) for item in _listed(principal.get("AWS", []))]
    return [str(item) for item in _listed(principal)]


def _account_of(principal: str) -> str | None:
    return principal.split(":")[4] if principal.startswith("arn:") and principal.count(":") >= 5 else None


@dataclass(frozen=True)
class _Operator:
    name: str
    negated: bool
    if_exists: bool
    quantifier: str

    @classmethod
    def read(cls, text: str) -> _Operator:
        quantifier, _colon, name = text.rpartition(":")
        if_exists = name.endswith("IfExists")
        name = name.removesuffix("IfExists")
        return cls(name.replace("Not", ""), "Not" in name, if_exists, quantifier)

    def of_missing(self) -> bool:
        """Whether it holds for a key that the request does not have."""
        if self.quantifier == "ForAnyValue":
            return self.if_exists
        return self.negated or self.if_exists or self.quantifier == "ForAllValues"

    def is_of_paths(self) -> bool:
        """Whether it compares a key of several values, and with wildcards."""
        return bool(self.quantifier) and self.name == "StringLike" and not (self.negated or self.if_exists)


def _like(pattern: str, text: str) -> bool:
    return _regex(pattern).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(_parts(pattern)), re.DOTALL)


def _parts(pattern: str) -> Iterator[str]:
    for character in pattern:
        yield {"*": ".*", "?": "."}.get(character) or re.escape(character)


_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
    "StringEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": _like,
}


def _holds(operator_text: str, key: str, wanted: list[Any], request: Request, partly: Truth) -> Truth:
    operator = _Operator.read(operator_text)
    texts = [str(item) for item in wanted]
    if operator.name not in _COMPARISONS or any("${" in item for item in texts):
        return None
    if key == "aws:principalorgpaths":
        return _is_below(texts, request.consumer, partly) if operator.is_of_paths() else None
    if key not in _FACTS:
        return None
    values = _FACTS[key](request)
    if values is None:
        return None
    if not values:
        return operator.of_missing()
    compare = _COMPARISONS[operator.name]
    met = any(compare(item, value) for item in texts for value in values)
    return met != operator.negated


def _is_below(paths: Iterable[str], consumer: Consumer, partly: Truth) -> Truth:
    """Whether all of a consumer is below one of these paths; IAM User Guide, "aws:PrincipalOrgPaths"."""
    if consumer.org_id is None:
        return None
    found: list[Truth] = []
    within = f"{consumer.org_id}/"
    for path in paths:
        unit = key_policy.unit_of_path(path)
        if path == f"{consumer.org_id}/*" or unit == (consumer.org_id, consumer.unit_id):
            return True
        if not path.startswith(within):
            # A wildcard may stand for a part of the organization's id, too.
            fixed = _WILDCARD.split(path, maxsplit=1)[0]
            found.append(None if fixed != path and within.startswith(fixed) else False)
        else:
            # Of two units it is not known whether one is in the other, nor where an account is in its unit.
            found.append(partly if unit and consumer.account_id is None else None)
    return _any(found)


def _account(request: Request) -> tuple[str, ...] | None:
    return (request.consumer.account_id,) if request.consumer.account_id else None


def _organization(request: Request) -> tuple[str, ...] | None:
    return (request.consumer.org_id,) if request.consumer.org_id else None


def _service(request: Request) -> tuple[str, ...]:
    region = request.key_arn.split(":")[3]
    return (f"ec2.{region}.amazonaws.com",) if request.through_ec2 else ()


def _for_resource(request: Request) -> tuple[str, ...]:
    # KMS Developer Guide, "kms:GrantIsForAWSResource": of CreateGrant, ListGrants and RevokeGrant.
    return (str(request.through_ec2).lower(),) if request.operation == "CreateGrant" else ()


# Condition key to its values in a request: none if the request does not have it, None if nobody can tell.
_FACTS: dict[str, Callable[[Request], tuple[str, ...] | None]] = {
    "aws:principalaccount": _account,
    "aws:principalorgid": _organization,
    "kms:calleraccount": _account,
    "kms:grantisforawsresource": _for_resource,
    "kms:viaservice": _service,
}


def _all(truths: Iterable[Truth]) -> Truth:
    found = set(truths)
    return False if False in found else None if None in found else True


def _any(truths: Iterable[Truth]) -> Truth:
    found = set(truths)
    return True if True in found else None if None in found else False


@lru_cache(maxsize=256)
def _statements(policy: str) -> tuple[_Statement, ...]:
    return tuple(_Statement.read(item) for item in _listed(json.loads(policy).get("Statement", [])))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
