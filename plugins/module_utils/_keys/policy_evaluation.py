# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evaluate whether a key policy allows or denies a consumer's request, or whether that is undetermined.

An account's organization and roles are often unknown, and so are an organization's accounts. A result that
depends on something unknown is None, never a guess.
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

from .. import _arns as arns
from .._structure import as_list
from . import policy_statements

Truth: TypeAlias = "bool | None"
"""None: undetermined."""

VIA_SERVICE_KNOWN = frozenset({"aws", "aws-us-gov"})
"""Partitions whose service names are in KMS Developer Guide, "kms:ViaService".

No page has those of others, such as aws-cn.
"""
_WILDCARD = re.compile(r"[*?]")
_VARIABLE = re.compile(r"\$\{([^,}]+)")
# Condition keys that have the same values in a direct call and in EC2's call on behalf of the same caller:
# EC2 passes the caller's identity on (IAM User Guide, "Forward access sessions"). Those of the network, the
# calling service, the encryption context and the grant differ. AWS's services use TLS as well: AWS's policy
# that denies plain HTTP to KMS has no exception for them (aws-samples/resource-control-policy-examples,
# "Restrict access to only HTTPS connections").
_SAME_PREFIXES = ("aws:principal", "aws:resource")
_SAME = frozenset(
    {
        *("aws:requestedregion", "aws:securetransport", "aws:userid", "aws:username", "kms:calleraccount"),
        *("kms:keyorigin", "kms:keyspec", "kms:keyusage", "kms:multiregion", "kms:resourcealiases"),
    }
)


@dataclass(frozen=True)
class Consumer:
    """An account, a whole organization, or a whole organizational unit of one.

    For an account, ``org_id`` and ``unit_id`` say where it is, if that is known.
    """

    account_id: str | None = None
    org_id: str | None = None
    unit_id: str | None = None


@dataclass(frozen=True)
class Request:
    """A consumer's request for an operation on a key (``Decrypt``).

    With ``through_ec2``, EC2 makes it on the consumer's behalf, as in a launch, else the consumer directly.
    """

    consumer: Consumer
    operation: str
    key_arn: str
    through_ec2: bool = True


@dataclass(frozen=True)
class PolicyDecision:
    """Whether a policy allows and denies a request. An explicit deny overrides any allow, also a grant's."""

    allows: Truth
    denies: Truth


def evaluate(policy: str, request: Request) -> PolicyDecision:
    """Return the decision of all statements of a policy on a request."""
    statements = _statements(policy)
    return PolicyDecision(
        # An allow for only a part of the consumer does not allow the whole; a deny for a part may matter.
        allows=_any(_applies(item, request, in_part=False) for item in statements if item.effect == "Allow"),
        denies=_any(_applies(item, request, in_part=None) for item in statements if item.effect == "Deny"),
    )


def may_apply_to_one_only(policy: str, effect: str, request: Request, other: Request) -> bool:
    """Whether a statement with this effect may apply to a request and not to the other.

    Both are the same consumer's requests for the same operation, one through EC2 and the other directly.
    What is unknown about the consumer or the key is the same for both.
    """
    return any(
        item.effect == effect and _may_apply_to_one_only(item, request, other) for item in _statements(policy)
    )


def may_allow_in_account(policy: str, request: Request) -> bool:
    """Whether a statement may allow the request of an account, or of one of its roles and users."""
    return any(
        item.effect == "Allow" and _applies(item, request, in_part=None) is not False
        for item in _statements(policy)
    )


def principals_in_account(policy: str, account_id: str) -> frozenset[str]:
    """Return the ARNs of an account's roles and users that statements name, whether they allow or deny."""
    named = (item for statement in _statements(policy) for item in statement.principals or ())
    return frozenset(item for item in named if _account_of(item) == account_id)


def allow_statements(policy: str, key_arn: str) -> list[Mapping[str, Any]]:
    """Return the statements of a policy that allow something and apply, or may apply, to the key."""
    contents = (item.content for item in _statements(policy) if item.effect == "Allow")
    return [content for content in contents if _matches_key(content, key_arn) is not False]


def operations_of(statement: Mapping[str, Any], operations: Iterable[str]) -> frozenset[str]:
    """Return the operations (``Decrypt``) that a statement is about."""
    return frozenset(item for item in operations if _matches_operation(statement, f"kms:{item}"))


@dataclass(frozen=True)
class _Statement:
    """A statement, and its principals as a set, None with NotPrincipal.

    ``accounts_of_principals`` are the accounts of the roles and users among the principals.
    """

    effect: str
    content: Mapping[str, Any]
    principals: frozenset[str] | None
    accounts_of_principals: frozenset[str]

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> _Statement:
        effect = str(content.get("Effect"))
        if "Principal" not in content:
            return cls(effect, content, None, frozenset())
        principals = frozenset(map(policy_statements.short, policy_statements.aws_principals(content)))
        accounts = (_account_of(item) for item in principals)
        return cls(effect, content, principals, frozenset(item for item in accounts if item))


def _applies(statement: _Statement, request: Request, in_part: Truth) -> Truth:
    content = statement.content
    return _all(
        (
            _matches_operation(content, f"kms:{request.operation}"),
            _matches_key(content, request.key_arn),
            _matches_consumer(statement, request.consumer, in_part),
            *(
                _holds(operator, key, values, request, in_part)
                for operator, key, values in _conditions(content)
            ),
        )
    )


def _may_apply_to_one_only(statement: _Statement, request: Request, other: Request) -> bool:
    # A statement about one role may have decided the other request: its caller is not known here.
    if _applies(statement, request, in_part=None) is False:
        return False
    return any(
        not _is_same_for_both(key, values) and _holds(operator, key, values, other, None) is not True
        for operator, key, values in _conditions(statement.content)
    )


def _is_same_for_both(key: str, values: Iterable[Any]) -> bool:
    """Whether a condition, with its policy variables, is the same for a direct call and EC2's."""
    variables = (name.lower() for value in values for name in _VARIABLE.findall(str(value)))
    return all(name.startswith(_SAME_PREFIXES) or name in _SAME for name in (key, *variables))


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    """Yield the conditions of a statement: operator, condition key in lower case, values."""
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            yield operator, key.lower(), as_list(values)


def _matches_operation(statement: Mapping[str, Any], action: str) -> bool:
    def fits(patterns: Any) -> bool:
        return any(_like(pattern.lower(), action.lower()) for pattern in as_list(patterns))

    if "NotAction" in statement:
        return not fits(statement["NotAction"])
    return fits(statement.get("Action", []))


def _matches_key(statement: Mapping[str, Any], key_arn: str) -> Truth:
    if "NotResource" in statement:
        return None
    if "Resource" not in statement:
        # Such a statement has no effect (botocore shape PutKeyPolicyRequest, Policy).
        return False
    return any(_like(pattern, key_arn) for pattern in as_list(statement["Resource"]))


def _matches_consumer(statement: _Statement, consumer: Consumer, in_part: Truth) -> Truth:
    if statement.principals is None:
        # NotPrincipal excludes principals about which nothing is known here.
        return None
    if "*" in statement.principals:
        return True
    if consumer.account_id is None:
        # Any account may be in the organization; no account is all of it.
        return in_part if statement.principals else False
    if consumer.account_id in statement.principals:
        return True
    return in_part if consumer.account_id in statement.accounts_of_principals else False


def _account_of(principal: str) -> str | None:
    return arns.parse(principal).account_id if arns.is_arn(principal) else None


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

    def matches_missing_key(self) -> bool:
        """Whether the condition holds for a condition key that the request does not have."""
        if self.quantifier == "ForAnyValue":
            return self.if_exists
        return self.negated or self.if_exists or self.quantifier == "ForAllValues"

    def matches_paths(self) -> bool:
        """Whether it compares a multivalued condition key, with wildcards."""
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
    "Bool": lambda expected, value: expected.lower() == value.lower(),
    "StringEquals": lambda expected, value: expected == value,
    "StringEqualsIgnoreCase": lambda expected, value: expected.lower() == value.lower(),
    "StringLike": _like,
}


def _holds(operator_text: str, key: str, expected: list[Any], request: Request, in_part: Truth) -> Truth:
    operator = _Operator.read(operator_text)
    texts = [str(item) for item in expected]
    if operator.name not in _COMPARISONS or any("${" in item for item in texts):
        return None
    if key == "aws:principalorgpaths":
        return _is_below_path(texts, request.consumer, in_part) if operator.matches_paths() else None
    if key not in _CONDITION_VALUES:
        return None
    values = _CONDITION_VALUES[key](request)
    if values is None:
        return None
    if not values:
        return operator.matches_missing_key()
    compare = _COMPARISONS[operator.name]
    met = any(compare(item, value) for item in texts for value in values)
    return met != operator.negated


def _is_below_path(paths: Iterable[str], consumer: Consumer, in_part: Truth) -> Truth:
    """Whether the whole consumer is below one of these paths; IAM User Guide, "aws:PrincipalOrgPaths"."""
    if consumer.org_id is None:
        return None
    truths: list[Truth] = []
    within = f"{consumer.org_id}/"
    for path in paths:
        unit = policy_statements.unit_of_path(path)
        if path == f"{consumer.org_id}/*" or unit == (consumer.org_id, consumer.unit_id):
            return True
        if not path.startswith(within):
            # A wildcard can also match a part of the organization's ID.
            fixed = _WILDCARD.split(path, maxsplit=1)[0]
            truths.append(None if fixed != path and within.startswith(fixed) else False)
        else:
            # Unknown: whether one organizational unit is inside another, and in which one an account is.
            truths.append(in_part if unit and consumer.account_id is None else None)
    return _any(truths)


def _account(request: Request) -> tuple[str, ...] | None:
    return (request.consumer.account_id,) if request.consumer.account_id else None


def _organization(request: Request) -> tuple[str, ...] | None:
    return (request.consumer.org_id,) if request.consumer.org_id else None


def _service(request: Request) -> tuple[str, ...] | None:
    key = arns.parse(request.key_arn)
    if not request.through_ec2:
        return ()
    return (f"ec2.{key.region}.amazonaws.com",) if key.partition in VIA_SERVICE_KNOWN else None


def _for_resource(request: Request) -> tuple[str, ...]:
    # KMS Developer Guide, "kms:GrantIsForAWSResource": only CreateGrant, ListGrants and RevokeGrant have it.
    return (str(request.through_ec2).lower(),) if request.operation == "CreateGrant" else ()


# Condition key to its values in a request: empty if the request does not have it, None if unknown.
_CONDITION_VALUES: dict[str, Callable[[Request], tuple[str, ...] | None]] = {
    "aws:principalaccount": _account,
    "aws:principalorgid": _organization,
    "kms:calleraccount": _account,
    "kms:grantisforawsresource": _for_resource,
    "kms:viaservice": _service,
}


def _all(truths: Iterable[Truth]) -> Truth:
    known = set(truths)
    return False if False in known else None if None in known else True


def _any(truths: Iterable[Truth]) -> Truth:
    known = set(truths)
    return True if True in known else None if None in known else False


@lru_cache(maxsize=256)
def _statements(policy: str) -> tuple[_Statement, ...]:
    return tuple(_Statement.read(item) for item in as_list(json.loads(policy).get("Statement", [])))
