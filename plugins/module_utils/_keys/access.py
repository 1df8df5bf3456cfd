# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evaluate whether consumers can use the keys of an encrypted image, as far as its owner can see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from .._arns import account_of
from .._model import Grant, KeyState, Sharing, Snapshot
from . import policy_statements
from .grants import is_auto_scaling_role
from .policy_evaluation import (
    Consumer,
    Request,
    evaluate,
    may_allow_in_account,
    may_apply_to_one_only,
)

# Launches and copies fail without these; EBS User Guide, "Share the KMS key used to encrypt a shared EBS
# snapshot".
NEEDED = frozenset({"CreateGrant", "Decrypt"})


class Access(Enum):
    """Whether the key's owner allows a consumer an operation; the consumer's own IAM policies also apply."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


def access(key: KeyState, consumer: Consumer, operation: str, through_ec2: bool = True) -> Access:
    """Whether a key's grants and policy allow a consumer an operation, through EC2 or directly.

    A policy that was not read counts as one that allows and denies nothing. Access of a single role or user
    is not access of its account.
    """
    by_grant = _by_grant(key, consumer, operation)
    if key.policy is None:
        return Access.ALLOWED if by_grant else Access.DENIED
    decision = evaluate(key.policy, Request(consumer, operation, key.key.arn, through_ec2))
    allows = by_grant or decision.allows
    if decision.denies or allows is False:
        return Access.DENIED
    return Access.UNKNOWN if decision.denies is None or allows is None else Access.ALLOWED


def holds_through_ec2(key: KeyState, consumer: Consumer, operation: str) -> bool:
    """Whether an operation that KMS allows a consumer in a direct call is allowed through EC2, too.

    A condition that cannot be evaluated, such as one on ``aws:SourceIp``, may let a statement allow the
    direct call only, or deny EC2's call only.
    """
    if key.policy is None:
        return True
    direct, by_ec2 = (Request(consumer, operation, key.key.arn, through) for through in (False, True))
    if may_apply_to_one_only(key.policy, "Deny", by_ec2, direct):
        return False
    if _by_grant(key, consumer, operation) or evaluate(key.policy, by_ec2).allows:
        return True
    return not may_apply_to_one_only(key.policy, "Allow", direct, by_ec2)


def denied_operations(key: KeyState, consumer: Consumer, operations: Iterable[str]) -> list[str]:
    """Return the operations that the key's policy explicitly denies to the whole consumer, sorted."""
    if key.policy is None:
        return []
    requests = {item: Request(consumer, item, key.key.arn) for item in sorted(operations)}
    return [item for item, request in requests.items() if evaluate(key.policy, request).denies]


def consumers_without_access(keys: Iterable[KeyState], sharing: Sharing) -> list[str]:
    """Return the accounts and ARNs of ``sharing`` that certainly cannot use every one of the keys, sorted.

    A consumer with undetermined access is not listed: the account may be in an organization that a policy
    names, or a grant or the policy gives one of its roles access.
    """
    return sorted(
        {
            consumer
            for key in keys
            for consumer, access in access_of_consumers(key, sharing).items()
            if access is Access.DENIED
        }
    )


def access_of_consumers(key: KeyState, sharing: Sharing) -> dict[str, Access]:
    """Return whether each account and ARN of ``sharing`` is allowed all that launches and copies need.

    The access of an account is undetermined if only one of its roles or users is allowed it. A grant of its
    service-linked role for Auto Scaling alone does not count.
    """
    consumers = {
        **{account_id: Consumer(account_id=account_id) for account_id in sharing.account_ids},
        **{arn: Consumer(org_id=policy_statements.organization_id(arn)) for arn in sharing.org_arns},
        **{arn: Consumer(None, *policy_statements.unit_ids(arn)) for arn in sharing.org_unit_arns},
    }
    grants = _group_by_account(key.grants)
    # A key can have tens of thousands of grants, and as many consumers.
    return {
        name: _access_to_all(replace(key, grants=grants.get(consumer.account_id or "", ())), consumer)
        for name, consumer in consumers.items()
    }


def other_access(snapshot: Snapshot) -> str:
    """Return why a snapshot's own key does not decide alone: the snapshot is associated with other keys.

    Each gives access to its data by itself (botocore operation AssociateKmsKeyId). It is not documented
    whether a launch by another account can use one of them.
    """
    return (
        f"{', '.join(snapshot.associated_key_arns)}, associated with {snapshot.snapshot_id}, can "
        "give access to it, too. Only a launch shows whether the account can use one of them "
        "(ami_launch_probe)."
    )


def _access_to_all(key: KeyState, consumer: Consumer) -> Access:
    """Return the least access to the operations that launches and copies need."""
    accesses = {_access_in_part(key, consumer, operation) for operation in NEEDED}
    return next(item for item in (Access.DENIED, Access.UNKNOWN, Access.ALLOWED) if item in accesses)


def _access_in_part(key: KeyState, consumer: Consumer, operation: str) -> Access:
    """Return the access. It is denied only if each role and user of an account is denied it, too.

    The service-linked role for Auto Scaling is left out. The key has no grants of other accounts.
    """
    whole = access(key, consumer, operation)
    if whole is not Access.DENIED or consumer.account_id is None:
        return whole
    if denied_operations(key, consumer, [operation]):
        return Access.DENIED
    # The account itself creates the grant of its Auto Scaling role, with which nothing else of it can launch.
    has_grant_in_account = any(
        _allows(grant, operation) and not is_auto_scaling_role(grant.grantee) for grant in key.grants
    )
    request = Request(consumer, operation, key.key.arn)
    if has_grant_in_account or (key.policy is not None and may_allow_in_account(key.policy, request)):
        return Access.UNKNOWN
    return Access.DENIED


def _by_grant(key: KeyState, consumer: Consumer, operation: str) -> bool:
    return consumer.account_id is not None and any(
        _allows(grant, operation) and policy_statements.short(grant.grantee) == consumer.account_id
        for grant in key.grants
    )


def _group_by_account(grants: Iterable[Grant]) -> dict[str | None, tuple[Grant, ...]]:
    by_account: dict[str | None, list[Grant]] = {}
    for grant in grants:
        by_account.setdefault(account_of(grant.grantee), []).append(grant)
    return {account_id: tuple(grants) for account_id, grants in by_account.items()}


def _allows(grant: Grant, operation: str) -> bool:
    """Whether a grant lets EBS perform the operation for its grantee.

    EBS puts its resource into the encryption context, so a constrained grant does not work for it. EBS also
    needs Decrypt, and a grant that is created through another grant has at most that grant's operations.
    """
    needed = NEEDED if operation == "CreateGrant" else {operation}
    return not grant.constrained and grant.operations >= needed


@dataclass(frozen=True)
class Simulation:
    """What the policies of ``principal``, a role or user, decide about the use of a key, as IAM simulates it.

    ``through_ec2`` and ``directly`` map permissions on the key to the decision on such a request. ``problem``
    is why there are no decisions.
    """

    principal: str
    through_ec2: Mapping[str, Access] = field(default_factory=dict)
    directly: Mapping[str, Access] = field(default_factory=dict)
    problem: str | None = None


@dataclass(frozen=True)
class KeyDryRun:
    """Results of a key's dry runs: the operations that KMS allows and refuses, and why others failed.

    Operations are named as in grants; ReEncrypt stands for ReEncryptFrom and ReEncryptTo. ``refused`` maps
    them to AWS's messages. ``unusable`` is AWS's error if the key's state permits no use, ``problem`` any
    other error. ``supported`` is whether this botocore has all of these dry runs. ``simulation`` is of the
    refused operations; None if none was refused, or if it is not known whose policies decide.
    """

    allowed: frozenset[str] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)
    unusable: str | None = None
    problem: str | None = None
    supported: bool = True
    simulation: Simulation | None = None

    @property
    def allows_all(self) -> bool:
        """Whether KMS allowed every operation."""
        return self.supported and not (self.refused or self.unusable or self.problem)
