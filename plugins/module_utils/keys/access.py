# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges, as far as an owner can see, whether consumers may use the keys that an image is encrypted under."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from ..model import Grant, KeySeen, Sharing
from . import policy_evaluation as key_reading
from . import policy_statements as key_policy
from .policy_evaluation import Consumer, Request

# Without these no instance starts and no copy is made; EBS User Guide, "Share the KMS key used to encrypt a
# shared EBS snapshot".
_NEEDED = frozenset({"CreateGrant", "Decrypt"})


class Access(Enum):
    """Whether the key's owner lets a consumer do something; its own policies have a word in it, too."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


def access(key: KeySeen, consumer: Consumer, operation: str, through_ec2: bool = True) -> Access:
    """Whether grants and the policy of a key let a consumer perform an operation, as EC2 asks or directly.

    A policy that was not read is taken to say nothing. What a grant or statement for a single role or user
    gives, its account as a whole does not have.
    """
    by_grant = consumer.account_id is not None and any(
        _gives(grant, consumer.account_id, operation) for grant in key.grants
    )
    if key.policy is None:
        return Access.ALLOWED if by_grant else Access.DENIED
    word = key_reading.word(key.policy, Request(consumer, operation, key.key.arn, through_ec2))
    allows = by_grant or word.allows
    if word.denies or allows is False:
        return Access.DENIED
    return Access.UNKNOWN if word.denies is None or allows is None else Access.ALLOWED


def denied(key: KeySeen, consumer: Consumer, operations: Iterable[str]) -> list[str]:
    """Those of the operations that a statement of the key's policy denies to all of the consumer."""
    if key.policy is None:
        return []
    requests = {item: Request(consumer, item, key.key.arn) for item in sorted(operations)}
    return [item for item, request in requests.items() if key_reading.word(key.policy, request).denies]


def without_access(keys: Iterable[KeySeen], sharing: Sharing) -> list[str]:
    """Those of ``sharing`` who, by all that can be told, cannot use every one of the keys.

    Whoever it cannot be told of gets the benefit of the doubt: an account, say, where a policy speaks of
    organizations, which it may be in.
    """
    return sorted({consumer for key in keys for consumer in _without(key, sharing)})


def _without(key: KeySeen, sharing: Sharing) -> Iterator[str]:
    consumers = {
        **{account_id: Consumer(account_id=account_id) for account_id in sharing.account_ids},
        **{arn: Consumer(org_id=key_policy.organization_id(arn)) for arn in sharing.org_arns},
        **{arn: Consumer(None, *key_policy.unit_ids(arn)) for arn in sharing.org_unit_arns},
    }
    for name, consumer in consumers.items():
        if any(access(key, consumer, operation) is Access.DENIED for operation in _NEEDED):
            yield name


def _gives(grant: Grant, account_id: str, operation: str) -> bool:
    """Whether EBS can perform the operation by a grant to an account.

    It names its resource in the encryption context, so a constrained grant is of no use to it; and a grant
    made by a grant's CreateGrant holds at most what that one does, of which EBS needs Decrypt.
    """
    if grant.constrained or key_policy.short(grant.grantee) != account_id:
        return False
    return grant.operations >= (_NEEDED if operation == "CreateGrant" else {operation})


@dataclass(frozen=True)
class KeyDryRun:
    """How dry runs of using a key ended: those that KMS allows, those that it refuses, and why others failed.

    Operations are named as in grants; ReEncrypt stands for both of its halves.
    """

    allowed: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    problem: str | None = None
