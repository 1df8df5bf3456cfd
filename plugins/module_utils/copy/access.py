# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges whether an account may copy another account's image: it may, only if three doors are open to it.

EC2 User Guide, "Copy an Amazon EC2 AMI": launch permission, read permission for the storage behind the image,
which is createVolumePermission on every snapshot, and use of the keys that these are encrypted under.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ..failures import Failure
from ..keys.access import Access, access
from ..keys.policy_evaluation import Consumer, principals_in_account
from ..model import Image, KeySeen, Sharing, Target

# EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot", of these what reading takes.
NEEDED = frozenset({"CreateGrant", "Decrypt", "DescribeKey", "ReEncryptFrom"})


@dataclass(frozen=True)
class SourceSeen:
    """What an account that is to copy sees of the source.

    ``visible`` is the image, ``snapshot_ids`` those of its snapshots that may be copied, ``closed_keys`` the
    ARNs of keys that the account may not even describe.
    """

    visible: bool
    snapshot_ids: frozenset[str] = frozenset()
    closed_keys: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SourceGiven:
    """Who may use the source and its snapshots, as only its owner is told."""

    launch: Sharing = field(default_factory=Sharing)
    volumes: Mapping[str, Sharing] = field(default_factory=dict)


@dataclass(frozen=True)
class Lacking:
    """What an account lacks to copy the source; false if that is nothing.

    ``keys`` maps the ARNs of keys to the operations that the account may not perform with them. ``given``
    says that the owner has given all of it, and that AWS or the account itself withholds it.
    """

    launch: bool = False
    snapshot_ids: tuple[str, ...] = ()
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    given: bool = False

    def __bool__(self) -> bool:
        return bool(self.launch or self.snapshot_ids or self.keys)


@dataclass(frozen=True)
class Copier:
    """Who copies: an account, by a role of its own unless it is the one whose credentials are used."""

    account_id: str
    role_arn: str | None = None


def lacking(source: Image, keys: Iterable[KeySeen], copier: Copier, saw: SourceSeen) -> Lacking:
    """What an account lacks, by what it sees itself and by what the keys' owner sees of grants and policies.

    Where neither tells the key is taken to be open: the copy would fail with AWS's reason.
    """
    return Lacking(
        launch=not saw.visible,
        snapshot_ids=tuple(item for item in source.snapshot_ids if item not in saw.snapshot_ids),
        keys={
            key.key.arn: operations
            for key in keys
            if (operations := _denied(key, copier) or _undescribed(key, saw.closed_keys))
        },
    )


def is_given(missing: Lacking, given: SourceGiven, keys: Iterable[KeySeen], copier: Copier) -> bool:
    """Whether the owner has already given the account all that it lacks, as far as can be told.

    An organization that the image is shared with may or may not hold the account: that counts as not given.
    """

    def has(sharing: Sharing | None) -> bool:
        return sharing is not None and (sharing.public or copier.account_id in sharing.account_ids)

    opened = {key.key.arn for key in keys if key.policy is not None and not _denied(key, copier)}
    return (
        (not missing.launch or has(given.launch))
        and all(has(given.volumes.get(item)) for item in missing.snapshot_ids)
        and opened.issuperset(missing.keys)
    )


def missing_access(
    target: Target, source: Image, source_region: str, missing: Lacking | None
) -> tuple[Failure, ...]:
    """One refusal for each door that is closed to the account of ``target``."""
    return tuple(_missing_access(target, source, source_region, missing)) if missing else ()


def _missing_access(target: Target, source: Image, source_region: str, missing: Lacking) -> Iterator[Failure]:
    account_id, owner = target.account_id, f"its owner, account {source.owner_id}"
    image = f"{source.image_id} in {source_region}"
    late = "It has been given: AWS may take minutes to heed that" if missing.given else None
    if missing.launch:
        yield Failure.at(
            target,
            "CopyImage",
            "missing_launch_permission",
            f"Account {account_id} does not see {image}: it lacks launch permission.",
            f"{late}, unless the account's Allowed AMIs settings hide the image."
            if late
            else f"Let {owner}, share the image with {account_id} (ami_share).",
        )
    if missing.snapshot_ids:
        yield Failure.at(
            target,
            "CopyImage",
            "missing_volume_permission",
            f"Account {account_id} may not copy {image}: it lacks createVolumePermission on "
            f"{', '.join(missing.snapshot_ids)}.",
            f"{late}." if late else f"Let {owner}, share these snapshots with {account_id} (ami_share).",
        )
    for arn, operations in missing.keys.items():
        yield Failure.at(
            target,
            "CopyImage",
            "missing_key_access",
            f"Account {account_id} cannot use {arn}, under which {image} is encrypted: it lacks "
            f"{', '.join(operations)}.",
            f"{late}, unless the IAM policy of its role does not let it use the key."
            if late
            else f"Open the key to {account_id} (ami_kms_grant), and let the IAM policy of its role use it.",
        )


def _undescribed(key: KeySeen, closed_keys: frozenset[str]) -> tuple[str, ...]:
    return ("DescribeKey",) if key.key.arn in closed_keys else ()


def _denied(key: KeySeen, copier: Copier) -> tuple[str, ...]:
    """The needed operations that the key's owner surely does not allow; none if it was not told of them."""
    if key.policy is None:
        return ()
    if copier.role_arn in principals_in_account(key.policy, copier.account_id):
        # What the policy says of the role alone is not read here.
        return ()
    by_role = {
        operation
        for grant in key.grants
        if grant.grantee == copier.role_arn and not grant.constrained
        for operation in grant.operations
    }
    consumer = Consumer(account_id=copier.account_id)
    return tuple(
        operation
        for operation in sorted(NEEDED - by_role)
        if access(key, consumer, operation) is Access.DENIED
    )
