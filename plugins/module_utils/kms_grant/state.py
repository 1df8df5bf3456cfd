# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wanted access to KMS keys, and the keys as seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..failures import Failure
from ..keys import policy_statements
from ..keys.grants import AUTO_SCALING_ROLE, OPERATIONS, auto_scaling_role
from ..keys.needed import SharedUnderKey
from ..keys.policy_statements import PolicyAccess, PolicyConsumers
from ..model import ConsumerRole, KeyRef, KeySeen, Target

# Auto Scaling User Guide, "Required AWS KMS key policy for use with encrypted volumes". A grant made through
# a grant holds at most the parent's operations, so the account that makes it needs all of them.
AUTO_SCALING_OPERATIONS = OPERATIONS | {"Encrypt"}


@dataclass(frozen=True)
class GrantWanted:
    """The options of ``ami_kms_grant``.

    ``images`` maps regions to image IDs (None: planned in check mode), ``kms_key_ids`` regions to keys (None:
    not encrypted); one of them is empty. ``org_ids`` and ``org_unit_ids`` lose access; key policies contain
    these IDs, and the ARNs may no longer be known. The images in ``unshared_image_ids`` are unshared in the
    same run: their sharing keeps no consumer from losing access. With ``revoke_in_use`` no image
    does. ``auto_scaling_roles`` are the names of the service-linked roles that get access in each account
    with ``auto_scaling``. What fails in ``best_effort_regions`` neither stops the others nor fails the task,
    other than the failures of single consumers.
    """

    images: Mapping[str, str | None] = field(default_factory=dict)
    kms_key_ids: Mapping[str, str | None] = field(default_factory=dict)
    account_ids: frozenset[str] = frozenset()
    principals: frozenset[str] = frozenset()
    org_arns: frozenset[str] = frozenset()
    org_unit_arns: frozenset[str] = frozenset()
    org_ids: frozenset[str] = frozenset()
    org_unit_ids: frozenset[str] = frozenset()
    operations: frozenset[str] = OPERATIONS
    access_method: str = "auto"
    present: bool = True
    purge: bool = False
    unshared_image_ids: frozenset[str] = frozenset()
    revoke_in_use: bool = False
    auto_scaling: bool = False
    auto_scaling_roles: frozenset[str] = frozenset({AUTO_SCALING_ROLE})
    consumer_role: ConsumerRole | None = None
    best_effort_regions: frozenset[str] = frozenset()

    @property
    def parent_operations(self) -> frozenset[str]:
        """The operations of accounts, with ``auto_scaling`` those of the Auto Scaling grant included."""
        return self.operations | AUTO_SCALING_OPERATIONS if self.auto_scaling else self.operations

    def scaling_roles(self, partition: str, account_id: str) -> tuple[str, ...]:
        """The ARNs of ``auto_scaling_roles`` in an account, sorted."""
        return tuple(
            auto_scaling_role(partition, account_id, name) for name in sorted(self.auto_scaling_roles)
        )

    @property
    def ignored_image_ids(self) -> frozenset[str]:
        """The images that no consumer that loses access needs a key for: those that the access is for."""
        return self.unshared_image_ids | {one for one in self.images.values() if one}

    @property
    def grantees(self) -> frozenset[str]:
        """The account IDs and ARNs that get access by grant."""
        return frozenset() if self.access_method == "key_policy" else self.account_ids | self.principals

    @property
    def policy_consumers(self) -> PolicyConsumers:
        """The consumers that get access by key policy."""
        return PolicyConsumers(
            self.account_ids | self.principals if self.access_method == "key_policy" else frozenset(),
            frozenset(policy_statements.organization_id(arn) for arn in self.org_arns),
            frozenset(policy_statements.unit_ids(arn) for arn in self.org_unit_arns),
        )

    @property
    def policy_access(self) -> PolicyAccess:
        """The access of the consumers in the key policy."""
        return PolicyAccess(self.policy_consumers, self.parent_operations, self.auto_scaling)

    @property
    def uses_policy(self) -> bool:
        """Whether key policies must be read."""
        return bool(self.policy_consumers) or self.purge or not self.present


def needs_grants(wanted: GrantWanted, account_id: str) -> bool:
    """Whether grants are created or revoked; False without a consumer other than the account itself."""
    others = bool(wanted.grantees - {account_id}) or bool(wanted.policy_consumers.principals - {account_id})
    organizations = bool(wanted.policy_consumers.org_ids or wanted.policy_consumers.units)
    return others or organizations or wanted.purge or not wanted.present


@dataclass(frozen=True)
class GrantSeen:
    """Each target's keys, and the targets whose image is not encrypted.

    ``shared`` is the sharing of other images under a key, for keys to which consumers may lose access.
    ``unread`` are the best-effort targets whose keys could not be read, which are not in ``keys``.
    """

    account_id: str
    partition: str
    keys: Mapping[Target, tuple[KeySeen, ...]]
    unencrypted: frozenset[Target] = frozenset()
    shared: Mapping[KeyRef, SharedUnderKey] = field(default_factory=dict)
    unread: Mapping[Target, Failure] = field(default_factory=dict)

    def shared_under(self, region: str, key_arn: str) -> SharedUnderKey:
        """The sharing of other images under a key."""
        return self.shared.get(KeyRef(region, key_arn), SharedUnderKey(unread=("Nothing was read.",)))
