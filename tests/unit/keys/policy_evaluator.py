# SPDX-License-Identifier: GPL-3.0-or-later

"""A small policy evaluator for tests that shares no code with the one that it tests.

IAM User Guide, "Policy evaluation logic" and "Conditions with multiple context keys or values". It knows
the operators and keys of this collection's statements and fails for others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

OPERATIONS = (
    "CreateGrant",
    "Decrypt",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "PutKeyPolicy",
    "ReEncryptFrom",
    "ReEncryptTo",
    "RevokeGrant",
)


@dataclass(frozen=True)
class Caller:
    """A role of some account; ``path`` is its account's path (``o-…/r-…/ou-…/``), empty if it has none."""

    arn: str
    path: str = ""

    @property
    def account_id(self) -> str:
        """The account of the role."""
        return self.arn.split(":")[4]

    @property
    def org_id(self) -> str | None:
        """The organization of the account."""
        return self.path.split("/")[0] or None


Right = tuple[Caller, str, bool]
"""A caller, an operation, and whether an AWS service makes the call for a resource."""


def rights(policy: str, callers: Iterable[Caller]) -> frozenset[Right]:
    """All rights that a policy gives to these callers."""
    statements = _listed(json.loads(policy)["Statement"])
    return frozenset(
        (caller, operation, for_aws)
        for caller in callers
        for for_aws in (False, True)
        for operation in _allowed([item for item in statements if _applies(item, caller, for_aws)])
    )


def _allowed(statements: list[Mapping[str, Any]]) -> set[str]:
    """The operations that the statements for a caller allow; an explicit deny overrides any allow."""
    of = {"Allow": set[str](), "Deny": set[str]()}
    for statement in statements:
        patterns = _listed(statement["Action"])
        of[statement["Effect"]].update(
            operation for operation in OPERATIONS for item in patterns if _like(item, f"kms:{operation}")
        )
    return of["Allow"] - of["Deny"]


def _applies(statement: Mapping[str, Any], caller: Caller, for_aws: bool) -> bool:
    return _names(statement["Principal"], caller) and _holds(statement.get("Condition", {}), caller, for_aws)


def _names(principal: Any, caller: Caller) -> bool:
    every_principal = principal == "*"
    named = [] if every_principal else _listed(principal["AWS"])
    whole_account = f"arn:aws:iam::{caller.account_id}:root"
    return every_principal or bool({"*", caller.account_id, whole_account, caller.arn} & set(named))


def _holds(condition: Mapping[str, Mapping[str, Any]], caller: Caller, for_aws: bool) -> bool:
    context = {
        "aws:PrincipalOrgID": [caller.org_id] if caller.org_id else [],
        "aws:PrincipalOrgPaths": [caller.path] if caller.path else [],
        "kms:GrantIsForAWSResource": ["true"] if for_aws else [],
    }
    return all(
        _matches(operator, context[key], _listed(wanted))
        for operator, pairs in condition.items()
        for key, wanted in pairs.items()
    )


def _matches(operator: str, values: list[str], wanted: list[str]) -> bool:
    if operator in ("StringEquals", "Bool"):
        return any(value == item for value in values for item in wanted)
    if operator == "ForAnyValue:StringLike":
        return any(_like(item, value) for value in values for item in wanted)
    raise AssertionError(f"{operator}: not one of the operators that this collection writes")


def _like(pattern: str, text: str) -> bool:
    if "*" not in pattern:
        return pattern == text
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
