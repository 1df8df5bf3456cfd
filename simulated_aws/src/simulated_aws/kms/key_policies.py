# SPDX-License-Identifier: GPL-3.0-or-later
"""Key policies: validation when one is stored, and the text that GetKeyPolicy returns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from ..exceptions import NotSimulated
from ..iam import policies, principals
from ..iam.documents import as_list
from ..iam.policies import ANY_PRINCIPAL, MalformedPolicy, PolicyDecision, Request, Statement
from ..iam.principals import NamedPrincipal
from . import condition_keys
from .errors import KmsError

LONGEST = 32 * 1024
"""Bytes (KMS Developer Guide, Resource quotas: Key policy document size)."""


@dataclass(frozen=True)
class KeyPolicy:
    """A stored policy. `named` are the users, roles and sessions among its principals."""

    text: str
    statements: tuple[tuple[Statement, frozenset[str]], ...]
    named: tuple[NamedPrincipal, ...]

    def evaluate(self, request: Request) -> PolicyDecision:
        """Evaluate the policy for a request."""
        return policies.evaluate(self.statements, request)

    def shown(self) -> str:
        """The text, with the unique ID in place of the ARN of each deleted principal.

        (IAM User Guide, AWS JSON policy elements: Principal, IAM role principals.)
        """
        gone = {one.arn: one.shown() for one in self.named if not one.principal.exists()}
        if not gone:
            return self.text
        document = json.loads(self.text)
        for statement in as_list(document["Statement"]):
            principal = statement["Principal"]
            if isinstance(principal, dict) and "AWS" in principal:
                shown = [gone.get(one, one) for one in as_list(principal["AWS"])]
                principal["AWS"] = shown if isinstance(principal["AWS"], list) else shown[0]
        return json.dumps(document)


def read(text: str) -> KeyPolicy:
    """Parse and validate a policy.

    Raises:
        KmsError: KMS rejects the policy.
        NotSimulated: a condition key that is not supported.
    """
    if len(text.encode()) > LONGEST:
        raise KmsError("LimitExceededException", f"Key policy size exceeds limit of {LONGEST} bytes.")
    try:
        statements = policies.read(text, of_resource=True)
    except MalformedPolicy as malformed:
        raise KmsError("MalformedPolicyDocumentException", str(malformed)) from malformed
    for statement in statements:
        unknown = [one.key for one in statement.conditions if one.key not in condition_keys.KEYS]
        if unknown:
            raise NotSimulated(f"condition key {unknown[0]}")
    found = [dict(_principals(statement)) for statement in statements]
    named = {
        entry: NamedPrincipal(entry, one)
        for entries in found
        for entry, one in entries.items()
        if one is not None and not one.is_root
    }
    with_ids = tuple(
        (statement, frozenset(ANY_PRINCIPAL if one is None else one.user_id for one in entries.values()))
        for statement, entries in zip(statements, found, strict=True)
    )
    return KeyPolicy(text, with_ids, tuple(named.values()))


def require_elements(policy: KeyPolicy) -> None:
    """Reject a new policy with a statement that has no effect; stored ones remain.

    AWS announced this for August 18, 2025 (ministryofjustice/analytical-platform#7691). botocore shape
    PutKeyPolicyRequest, Policy, still says that such a request succeeds.
    """
    if not all(statement.actions and statement.resources for statement, _ids in policy.statements):
        message = "Policy contains a statement without an Action or a Resource."
        raise KmsError("MalformedPolicyDocumentException", message)


def default(account_id: str, partition: str) -> str:
    """The policy of a key that is created without one (KMS Developer Guide, Default key policy)."""
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{account_id}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]})


def _principals(statement: Statement) -> Iterator[tuple[str, principals.Principal | None]]:
    """Each AWS principal of a statement as written, and the principal it refers to; None for `*`.

    All must exist (botocore shape PutKeyPolicyRequest, Policy); that of a deleted principal is invalid.
    """
    for entry in statement.principals or ():
        if entry == ANY_PRINCIPAL:
            yield entry, None
            continue
        found = principals.find_named(entry)
        if found is None:
            message = "Policy contains a statement with one or more invalid principals."
            raise KmsError("MalformedPolicyDocumentException", message)
        yield entry, found
