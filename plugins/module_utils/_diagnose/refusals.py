# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The meaning of KMS's refusals of dry runs, which are direct calls and not those of EC2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from .. import _denial as denial
from .._keys.access import Access, KeyDryRun, Simulation
from .._keys.grants import NEW_GRANT_TIMEOUT
from .._keys.policy_evaluation import Consumer
from .._keys.simulation import permissions
from .keys import KeyAccess, select_grants_of_account
from .state import Case, ConsumerView, OwnerView

# A younger grant may not be usable yet.
_NEW = timedelta(seconds=NEW_GRANT_TIMEOUT)
NOT_SIMULATED = Simulation("", problem="")
# The policies in AWS's messages of denials that IAM simulates or this run reads. IAM does not evaluate the
# conditions of service control policies (IAM User Guide, "IAM policy testing with the IAM policy simulator"),
# and no resource control, session or endpoint policy.
_READ_POLICIES = frozenset({"identity-based policy", "permissions boundary", "resource-based policy"})


def find_keys_awaiting_grants(
    case: Case, owner: OwnerView, consumer: ConsumerView, now: datetime
) -> list[str]:
    """Return the keys whose refusal may end as soon as a new grant to the account is usable.

    A refusal that IAM's simulation explains does not end with the grant.
    """
    return [
        key.key.arn
        for key in select_grants_of_account(owner.keys, case.account_id)
        if (dry_run := consumer.keys.get(key.key.arn)) is not None
        and any(grant.created is not None and now - grant.created < _NEW for grant in key.grants)
        and _may_lack_grant(KeyAccess(case, key, Consumer(account_id=case.account_id)), dry_run)
    ]


def _may_lack_grant(access: KeyAccess, dry_run: KeyDryRun) -> bool:
    """Whether KMS refuses all operations for no other known reason than a grant that is not usable yet."""
    simulation = dry_run.simulation or NOT_SIMULATED
    return (
        bool(dry_run.refused)
        and not dry_run.allowed
        and not any(map(is_explicit, dry_run.refused.values()))
        and not list_denied_through_ec2(dry_run.refused, simulation)
        and not is_explained(access, dry_run.refused, simulation)
    )


def list_denied_through_ec2(refused: Iterable[str], simulation: Simulation) -> list[str]:
    """Return the permissions that the role's own policies deny through EC2 as well."""
    needed = (item for operation in refused for item in permissions(operation))
    return [item for item in needed if simulation.through_ec2.get(item) is Access.DENIED]


def is_allowed_through_ec2(refused: Iterable[str], simulation: Simulation) -> bool:
    """Whether the role's own policies allow all of these operations through EC2."""
    needed = (item for operation in refused for item in permissions(operation))
    return all(simulation.through_ec2.get(item) is Access.ALLOWED for item in needed)


def is_explained(access: KeyAccess, refused: Mapping[str, str], simulation: Simulation) -> bool:
    """Whether the role's policies allow all through EC2, and the refusals are about direct calls only.

    If its policies and those of the key's owner allow a direct call that KMS refuses, another policy denies
    it, for example a resource control policy of the owner's organization. KMS's message may name such a
    policy. ``refused`` are KMS's messages by operation.
    """
    return is_allowed_through_ec2(refused, simulation) and all(
        not _is_by_unread_policy(message)
        and any(
            Access.DENIED in (simulation.directly.get(item), access.owner_decision(item))
            for item in permissions(operation)
        )
        for operation, message in refused.items()
    )


def is_explicit(message: str) -> bool:
    """Whether AWS's message says that a statement denies the request.

    Otherwise no statement allows this request; a statement may allow the request of EC2 in a launch.
    """
    reason = denial.read_denial(message)
    return reason is not None and reason.explicit


def _is_by_unread_policy(message: str) -> bool:
    """Whether KMS refuses for a policy that neither IAM's simulation nor this run reads as a whole."""
    reason = denial.read_denial(message)
    return reason is not None and reason.policy not in _READ_POLICIES
