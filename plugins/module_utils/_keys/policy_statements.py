# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read and write this collection's own statements in a key policy. All other statements stay as they are.

Own statements are recognized by their Sid. The conditions of a statement are ANDed, so each kind of consumer
needs separate statements. So does CreateGrant, which only AWS services may use for the consumers.
Sources: EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot"; EC2 User Guide, "Allow
organizations and OUs to use a KMS key"; IAM User Guide, "aws:PrincipalOrgPaths".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .. import _arns as arns
from .._structure import as_list
from .grants import DELETED_PRINCIPAL, OPERATIONS

SID_PREFIX = "GoldenImages"
# KMS Developer Guide, "Resource quotas": size of a key policy document.
MAX_BYTES = 32 * 1024

_GRANTS = "Grants"
_KINDS = ("Accounts", "Organizations", "Units")
_OWN_SID = re.compile(rf"{SID_PREFIX}(?P<name>(?:{'|'.join(_KINDS)})[0-9]*)(?P<grants>{_GRANTS})?")
_ROOT = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):root")
# A statement that was written by hand may have the full path to an organizational unit: o-…/r-…/ou-…/*.
_UNIT_PATH = re.compile(r"(o-[a-z0-9]+)/(?:.+/)?(ou-[a-z0-9-]+)/\*")


@dataclass(frozen=True)
class PolicyConsumers:
    """Consumers in own statements of a key policy.

    ``principals`` are account IDs and ARNs of roles and users, ``org_ids`` are ``o-…``, ``units`` are pairs
    of an organization's ID and the ID of one of its organizational units.
    """

    principals: frozenset[str] = frozenset()
    org_ids: frozenset[str] = frozenset()
    units: frozenset[tuple[str, str]] = frozenset()

    def __or__(self, other: PolicyConsumers) -> PolicyConsumers:
        return PolicyConsumers(
            self.principals | other.principals, self.org_ids | other.org_ids, self.units | other.units
        )

    def __sub__(self, other: PolicyConsumers) -> PolicyConsumers:
        return PolicyConsumers(
            self.principals - other.principals, self.org_ids - other.org_ids, self.units - other.units
        )

    def __bool__(self) -> bool:
        return bool(self.principals or self.org_ids or self.units)


@dataclass(frozen=True)
class PolicyAccess:
    """Operations that statements of a key policy allow to consumers.

    An account must call CreateGrant itself to create a grant for its Auto Scaling role. So with
    ``for_auto_scaling``, the accounts' CreateGrant is not restricted to AWS services.
    """

    consumers: PolicyConsumers = field(default_factory=PolicyConsumers)
    operations: frozenset[str] = frozenset()
    for_auto_scaling: bool = False

    def by_kind(self) -> tuple[PolicyAccess, ...]:
        """Return the access of accounts, organizations and organizational units, without empty ones."""
        named = self.consumers
        kinds = (
            replace(self, consumers=PolicyConsumers(principals=named.principals)),
            replace(self, consumers=PolicyConsumers(org_ids=named.org_ids), for_auto_scaling=False),
            replace(self, consumers=PolicyConsumers(units=named.units), for_auto_scaling=False),
        )
        return tuple(access for access in kinds if access.consumers)

    def allows(self, other: PolicyAccess) -> bool:
        """Whether this access allows everything that the other does, regardless of the consumers."""
        return self.operations >= other.operations and self.for_auto_scaling >= other.for_auto_scaling


def with_access(held: Iterable[PolicyAccess], desired: PolicyAccess) -> tuple[PolicyAccess, ...]:
    """Return ``held`` with ``desired`` added: all of it for its consumers, and nothing for others."""
    accesses = list(held)
    for access in desired.by_kind():
        named = access.consumers
        for other in accesses:
            if other.allows(access) and not access.allows(other):
                named -= other.consumers
        accesses = [
            replace(other, consumers=other.consumers - named) if access.allows(other) else other
            for other in accesses
        ]
        accesses.append(replace(access, consumers=named))
    return tuple(accesses)


def without_consumers(held: Iterable[PolicyAccess], removed: PolicyConsumers) -> tuple[PolicyAccess, ...]:
    """Return ``held`` without the access of the removed consumers."""
    return tuple(replace(access, consumers=access.consumers - removed) for access in held)


def organization_id(arn: str) -> str:
    """Return the ID (``o-…``) in the ARN of an organization."""
    return arn.rsplit("/", 1)[1]


def unit_ids(arn: str) -> tuple[str, str]:
    """Return the IDs (``o-…``, ``ou-…``) in the ARN of an organizational unit."""
    _kind, org_id, unit_id = arns.parse(arn).resource.split("/")
    return org_id, unit_id


def unit_of_path(path: str) -> tuple[str, str] | None:
    """Return the IDs (``o-…``, ``ou-…``) in a path to all in an organizational unit; None for other paths."""
    match = _UNIT_PATH.fullmatch(path)
    return (match[1], match[2]) if match else None


def own_accesses(policy: str) -> tuple[PolicyAccess, ...]:
    """Return the access that the own statements of a policy give."""
    return _accesses(own_statements(policy))


def accesses_in_own_form(policy: str) -> tuple[PolicyAccess, ...]:
    """Return the access of own statements in a form that this collection writes."""
    return _accesses(filter(has_own_form, own_statements(policy)))


def _accesses(statements: Iterable[Mapping[str, Any]]) -> tuple[PolicyAccess, ...]:
    by_name: dict[str, PolicyAccess] = {}
    for statement in statements:
        name, grants = _OWN_SID.fullmatch(statement["Sid"]).group("name", "grants")  # type: ignore[union-attr]
        access = by_name.get(name, PolicyAccess())
        actions = as_list(statement.get("Action", []))
        by_name[name] = PolicyAccess(
            access.consumers | _consumers_in(statement),
            access.operations | {action.removeprefix("kms:") for action in actions},
            access.for_auto_scaling or (grants is not None and "Condition" not in statement),
        )
    return tuple(by_name.values())


def own_statements(policy: str) -> list[dict[str, Any]]:
    """Return the statements of a policy that have an own Sid."""
    return [statement for _text, statement in _statements(policy) if is_own(statement)]


def is_own(statement: Mapping[str, Any]) -> bool:
    """Whether a statement has an own Sid."""
    return bool(_OWN_SID.fullmatch(str(statement.get("Sid", ""))))


def has_own_form(statement: Mapping[str, Any]) -> bool:
    """Whether a statement has an own Sid, and principals and conditions that this collection writes.

    Another tool may use the Sid for a statement that gives more access than ``own_accesses`` shows, such as
    access of all principals under another condition.
    """
    if not is_own(statement):
        return False
    named, form = _consumers_in(statement), _normalize([_form_of(statement)])
    own_forms = (item for unbound in (False, True) for item in _write_family("", named, OPERATIONS, unbound))
    return bool(named) and any(_normalize([_form_of(item)]) == form for item in own_forms)


def aws_principals(statement: Mapping[str, Any]) -> list[str]:
    """Return the AWS principals of a statement, without services and identity providers; ``*`` for all."""
    principal = statement.get("Principal", {})
    named = principal.get("AWS", []) if isinstance(principal, Mapping) else principal
    return [str(item) for item in as_list(named)]


def denying_sids(policy: str) -> list[str]:
    """Return the Sids of own statements that do not allow, sorted: another tool wrote those.

    This collection writes only Allow statements, and would replace the others.
    """
    return sorted(item["Sid"] for item in own_statements(policy) if item.get("Effect") != "Allow")


def invalid_statements(policy: str) -> list[str]:
    """Describe the statements of a stored policy that KMS refuses to write again, in order.

    A policy shows a deleted principal by its unique ID, which PutKeyPolicy rejects (AWS re:Post Knowledge
    Center, "kms-policy-error-invalid-principals"). Since August 2025 it also rejects a statement without
    Action or NotAction, or without Resource. Such a statement has no effect, and older policies may have it
    (ministryofjustice/analytical-platform#7691 quotes AWS's announcement).
    """
    descriptions = []
    for number, (_text, statement) in enumerate(_statements(policy), 1):
        deleted = [item for item in aws_principals(statement) if DELETED_PRINCIPAL.fullmatch(item)]
        missing = [] if statement.keys() & {"Action", "NotAction"} else ["Action"]
        missing += [] if statement.keys() & {"Resource", "NotResource"} else ["Resource"]
        reasons = [f"names the deleted principal {item}" for item in deleted]
        reasons += [f"has no {element}" for element in missing]
        if reasons:
            sid = statement.get("Sid")
            name = f"the statement {sid}" if sid else f"statement number {number}"
            descriptions.append(f"{name} {' and '.join(reasons)}")
    return descriptions


def statements_for(*accesses: PolicyAccess) -> list[dict[str, Any]]:
    """Return the statements that give exactly this access, by kind of consumer and set of operations."""
    families: dict[tuple[int, tuple[str, ...], bool], PolicyConsumers] = {}
    for access in accesses:
        for part in access.by_kind():
            family = (_kind(part.consumers), tuple(sorted(part.operations)), part.for_auto_scaling)
            families[family] = families.get(family, PolicyConsumers()) | part.consumers
    statements: list[dict[str, Any]] = []
    numbers = dict.fromkeys(range(len(_KINDS)), 0)
    for (kind, operations, unbound), consumers in sorted(families.items(), key=lambda item: item[0]):
        numbers[kind] += 1
        number = str(numbers[kind]) if numbers[kind] > 1 else ""
        statements += _write_family(_KINDS[kind] + number, consumers, operations, unbound)
    return statements


def _kind(consumers: PolicyConsumers) -> int:
    return 0 if consumers.principals else 1 if consumers.org_ids else 2


def _write_family(
    name: str, consumers: PolicyConsumers, operations: Iterable[str], unbound: bool
) -> Iterator[dict[str, Any]]:
    principal: Any = "*"
    condition: dict[str, Any] = {}
    if consumers.principals:
        principal = sorted(consumers.principals)
    elif consumers.org_ids:
        condition = {"StringEquals": {"aws:PrincipalOrgID": sorted(consumers.org_ids)}}
    else:
        paths = [f"{org_id}/*/{unit_id}/*" for org_id, unit_id in sorted(consumers.units)]
        condition = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": paths}}
    actions = [f"kms:{operation}" for operation in operations]
    others = [action for action in actions if action != "kms:CreateGrant"]
    if others:
        yield _statement(name, principal, others, condition)
    if "kms:CreateGrant" in actions:
        bound = condition if unbound else {**condition, "Bool": {"kms:GrantIsForAWSResource": "true"}}
        yield _statement(name + _GRANTS, principal, ["kms:CreateGrant"], bound)


def with_own_statements(policy: str, statements: Iterable[Mapping[str, Any]]) -> str:
    """Return the policy with ``statements`` as its own statements, and the rest of the text unchanged."""
    before, after = _around_statements(policy)
    others = [text for text, statement in _statements(policy) if not is_own(statement)]
    own = [json.dumps(statement, sort_keys=True) for statement in statements]
    return f"{before}[{', '.join([*others, *own])}]{after}"


def has_own_statements(policy: str, statements: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the own statements of a policy are equivalent to ``statements``, however AWS formats them."""
    return _normalize(own_statements(policy)) == _normalize(statements)


def keeps_root(policy: str, account_id: str) -> bool:
    """Whether the owner's account can still administer the key through IAM.

    KMS Developer Guide, "Default key policy": without such a statement a key can become unmanageable.
    """
    return any(
        statement.get("Effect") == "Allow"
        and "Condition" not in statement
        and "kms:*" in as_list(statement.get("Action", []))
        and account_id in map(short, aws_principals(statement))
        for _text, statement in _statements(policy)
    )


def short(principal: str) -> str:
    """Return the account ID for the ARN of an account's root, which means the same, and others unchanged."""
    match = _ROOT.fullmatch(principal)
    return match[1] if match else principal


def _statement(kind: str, principal: Any, actions: list[str], condition: dict[str, Any]) -> dict[str, Any]:
    statement = {
        "Sid": SID_PREFIX + kind,
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": actions,
        "Resource": "*",
    }
    return {**statement, "Condition": condition} if condition else statement


def _consumers_in(statement: Mapping[str, Any]) -> PolicyConsumers:
    """Return the consumers of a statement in a form that this collection writes."""
    condition = statement.get("Condition", {})
    org_ids = as_list(condition.get("StringEquals", {}).get("aws:PrincipalOrgID", []))
    paths = as_list(condition.get("ForAnyValue:StringLike", {}).get("aws:PrincipalOrgPaths", []))
    units = (unit for path in paths if (unit := unit_of_path(path)))
    return PolicyConsumers(
        frozenset(short(item) for item in aws_principals(statement) if item != "*"),
        frozenset(org_ids),
        frozenset(units),
    )


def _form_of(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Return the effect, the principals and the conditions of a statement."""
    principal = statement.get("Principal", {})
    return {
        "Effect": statement.get("Effect", ""),
        "Principal": {"AWS": principal} if isinstance(principal, str) else principal,
        "Condition": statement.get("Condition", {}),
    }


def _normalize(statements: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the statements as texts. Equivalent statements have equal texts."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: plain(item) for key, item in value.items()}
        return sorted(short(str(item)) for item in as_list(value))

    return sorted(json.dumps(plain(statement), sort_keys=True) for statement in statements)


# json.loads loses the formatting, and the text of other statements must stay byte for byte.

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"\s*")


def _around_statements(policy: str) -> tuple[str, str]:
    start, end = _span_of_statements(policy)
    return policy[:start], policy[end:]


def _span_of_statements(policy: str) -> tuple[int, int]:
    position = _skip(policy, policy.index("{") + 1)
    while policy[position] != "}":
        key, position = _DECODER.raw_decode(policy, position)
        start = _skip(policy, _skip(policy, position) + 1)
        _value, position = _DECODER.raw_decode(policy, start)
        if key == "Statement":
            return start, position
        position = _skip(policy, position)
        if policy[position] == ",":
            position = _skip(policy, position + 1)
    raise ValueError("The key policy has no statements.")


def _statements(policy: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each statement as text and parsed."""
    start, end = _span_of_statements(policy)
    if policy[start] == "{":
        yield policy[start:end], json.loads(policy[start:end])
        return
    position = _skip(policy, start + 1)
    while policy[position] != "]":
        statement, after = _DECODER.raw_decode(policy, position)
        yield policy[position:after], statement
        position = _skip(policy, after)
        if policy[position] == ",":
            position = _skip(policy, position + 1)


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position
