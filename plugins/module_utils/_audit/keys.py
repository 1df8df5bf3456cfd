# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out who can use a key: for the causes of findings, and as the module returns it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

from .._arns import account_of
from .._keys import access as key_access
from .._keys import policy_statements as key_policy
from .._keys.grants import OPERATIONS, is_own_by_issuer
from .._keys.needed import of_principals, shared_by_name, unused_key_access
from .._keys.policy_audience import StatementAudience, audiences
from .._keys.policy_statements import PolicyConsumers
from .._model import Grant, Image, Key, KeyState, Sharing, Target
from .._tags import RECALLED_TAG
from .options import AuditOptions
from .state import RegionState

# What principals of other accounts can do with a symmetric key, other than read what kind of key it is
# (botocore service kms, "Cross-account use" of each operation). To revoke a grant, they need only its ID. Who
# may retire it is decided by the grant itself (botocore operation RetireGrant).
USES = OPERATIONS - {"DescribeKey"} | {
    "Encrypt",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "RevokeGrant",
}


@dataclass(frozen=True)
class AuditedKey:
    """A key that was read, and the images under it: those ``encrypted`` under it and those ``associated``.

    ``region`` is what was read of the key's region.
    """

    options: AuditOptions
    target: Target
    region: RegionState
    current: KeyState
    encrypted: list[Image]
    associated: list[Image]

    @property
    def key(self) -> Key:
        """Return the key itself."""
        return self.current.key

    @property
    def arn(self) -> str:
        """Return the ARN of the key."""
        return self.current.key.arn

    @property
    def is_of_account(self) -> bool:
        """Whether the key belongs to the account of the images."""
        return self.key.account_id == self.target.account_id

    @property
    def images(self) -> list[Image]:
        """Return all images that the key gives access to."""
        return [*self.encrypted, *self.associated]

    @property
    def image_id(self) -> str | None:
        """Return the first image that the key gives access to."""
        return self.images[0].image_id if self.images else None

    @property
    def alone(self) -> list[Image]:
        """Return the images that only this key gives access to.

        An associated key gives access to a snapshot independently of the key that encrypts it, so a lack of
        access to one of the two proves nothing (botocore operation AssociateKmsKeyId).
        """
        return [image for image in self.encrypted if not self.region.associated_key_arns(image)]

    @cached_property
    def sharings(self) -> dict[str, Sharing]:
        """Return with whom each image is shared, apart from the owner, by image ID, as far as it was read."""
        return {
            image.image_id: self.region.sharing[image.image_id].without(self.target.account_id)
            for image in self.images
            if image.image_id in self.region.sharing
        }

    @property
    def shared(self) -> list[Image]:
        """Return the images that are shared."""
        return [image for image in self.images if self.sharings.get(image.image_id)]

    @cached_property
    def audiences(self) -> tuple[StatementAudience, ...]:
        """Return the audiences of the key policy's statements that allow the use of the key."""
        policy = self.current.policy
        return audiences(policy, self.arn, OPERATIONS | USES) if policy else ()

    def is_own(self, grant: Grant) -> bool:
        """Whether this collection created the grant."""
        return is_own_by_issuer(grant, self.key.account_id)

    @cached_property
    def named(self) -> PolicyConsumers:
        """Return the consumers that this collection's statements name."""
        policy = self.current.policy
        accesses = key_policy.accesses_in_own_form(policy) if policy else ()
        return reduce(PolicyConsumers.__or__, (access.consumers for access in accesses), PolicyConsumers())

    @property
    def _held(self) -> PolicyConsumers:
        """Return the consumers with access by this collection's grants and statements."""
        return (
            of_principals(grant.grantee for grant in self.current.grants if self.is_own(grant)) | self.named
        )

    @cached_property
    def unused(self) -> PolicyConsumers:
        """Return the consumers with access by this collection with which nothing under the key is shared.

        None are returned if anything that counts could not be read, or if an image was recalled: who had
        permission before it was blocked is not known, and runs instances that need the key.
        """
        if not self._all_is_read or any(RECALLED_TAG in image.tags for image in self.images):
            return PolicyConsumers()
        return unused_key_access(self._held, self._sharing, self.target.account_id)

    @property
    def explained(self) -> PolicyConsumers:
        """Return the consumers whose access by this collection has an explanation.

        An image, a snapshot or another finding explains it. What was not read may explain any access.
        """
        if not self._all_is_read:
            return self._held
        return self.unused | shared_by_name(self._held, self._sharing)

    @cached_property
    def _sharing(self) -> Sharing:
        """Return the sharing of all images and snapshots under the key, as far as it was read.

        Snapshots stay shared when their image is deregistered. A consumer needs the key to use them.
        """
        of_images = (
            self.region.volume_permissions.get(snapshot_id, Sharing())
            for image in self.images
            for snapshot_id in image.snapshot_ids
        )
        unused = (
            sharing
            for snapshot_id, sharing in self.region.unused.items()
            if self.arn
            in (self.region.key_of.get(snapshot_id), *self.region.associated_keys.get(snapshot_id, ()))
        )
        return reduce(Sharing.__or__, (*self.sharings.values(), *of_images, *unused), Sharing())

    @property
    def _all_is_read(self) -> bool:
        """Whether all launch and volume permissions are known, and no other snapshot may be under the key."""
        problems = self.region.problems
        unread = {problem.resource for problem in problems}
        is_other_possible = any(
            problem.is_snapshots_key or problem.is_unused_snapshot for problem in problems
        )
        return (
            len(self.sharings) == len(self.images)
            and not is_other_possible
            and unread.isdisjoint(snapshot_id for image in self.images for snapshot_id in image.snapshot_ids)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return grants, who the policy's statements give access to, and who may have access or not."""
        own = [
            _statement(access.consumers, access.operations, created_by_collection=True)
            for access in (
                key_policy.accesses_in_own_form(self.current.policy) if self.current.policy else ()
            )
        ]
        of_others = [
            _statement(named, audience.operations, created_by_collection=False, public=audience.public)
            for audience in self.audiences
            if audience.operations and not audience.is_own
            if (named := of_other_accounts(audience.named, self.target.account_id)) or audience.public
        ]
        grants = sorted(self.current.grants, key=lambda grant: grant.grant_id)
        sharings = (self.sharings.get(image.image_id, Sharing()) for image in self.encrypted)
        access = key_access.access_of_consumers(self.current, reduce(Sharing.__or__, sharings, Sharing()))
        return {
            "account_id": self.target.account_id,
            "aws_managed": self.key.aws_managed,
            "grants": [self._grant(grant) for grant in grants],
            "kms_key_arn": self.arn,
            "policy_statements": [*own, *of_others],
            "region": self.target.region,
            "state": self.key.state,
            "undetermined_principals": sorted(
                principal for principal, answer in access.items() if answer is key_access.Access.UNKNOWN
            ),
        }

    def _grant(self, grant: Grant) -> dict[str, Any]:
        return {
            "grant_id": grant.grant_id,
            "grantee": grant.grantee,
            "name": grant.name or None,
            "operations": sorted(grant.operations),
            "created_by_collection": self.is_own(grant),
        }


def _statement(
    consumers: PolicyConsumers,
    operations: Iterable[str],
    created_by_collection: bool,
    public: bool = False,
) -> dict[str, Any]:
    units = sorted(consumers.units)
    return {
        "created_by_collection": created_by_collection,
        "operations": sorted(operations),
        "org_ids": sorted(consumers.org_ids),
        "org_unit_ids": sorted(unit_id for _org_id, unit_id in units),
        "org_units": [{"org_id": org_id, "org_unit_id": unit_id} for org_id, unit_id in units],
        "principals": sorted(consumers.principals),
        "public": public,
    }


def of_other_accounts(consumers: PolicyConsumers, owner: str) -> PolicyConsumers:
    """Return the consumers without the owner's principals and without principals that no longer exist."""
    principals = (
        principal for principal in consumers.principals if account_of(principal) not in (owner, None)
    )
    return PolicyConsumers(frozenset(principals), consumers.org_ids, consumers.units)
