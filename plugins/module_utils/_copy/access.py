# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an account may copy another account's image.

EC2 User Guide, "Copy an Amazon EC2 AMI": it needs launch permission on the image, read permission for the
storage behind it, which is createVolumePermission on every snapshot, and use of the snapshots' KMS keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .._failures import Failure
from .._keys.access import Access, access
from .._keys.policy_evaluation import Consumer, principals_in_account
from .._keys.policy_statements import short
from .._model import Image, KeyState, Sharing, Target

# EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot": what a read of the data needs.
REQUIRED_OPERATIONS = frozenset({"CreateGrant", "Decrypt", "DescribeKey", "ReEncryptFrom"})
PRODUCT_CODE_REMEDY = "Share the image instead, or use an image without a product code."


@dataclass(frozen=True)
class SourceView:
    """What an account that copies the source can read of it.

    ``visible`` is whether DescribeImages returns the image. ``snapshot_ids`` are its snapshots that
    DescribeSnapshots returns, ``denied_key_arns`` its keys that the account may not describe.
    ``role_arn`` is the role that read it; None for the credentials of the task.
    """

    visible: bool
    snapshot_ids: frozenset[str] = frozenset()
    denied_key_arns: frozenset[str] = frozenset()
    role_arn: str | None = None


@dataclass(frozen=True)
class SourcePermissions:
    """Who may use the source and its snapshots, which only the owner can read."""

    launch: Sharing = field(default_factory=Sharing)
    volume_permissions: Mapping[str, Sharing] = field(default_factory=dict)


@dataclass(frozen=True)
class MissingAccess:
    """What prevents an account from copying the source, or may prevent it; false if nothing does.

    ``launch`` is whether launch permission is missing, ``snapshot_ids`` are the snapshots without
    createVolumePermission, ``keys`` maps key ARNs to the missing operations. ``undescribed_keys`` are keys
    that grants and policy do not deny and that the account may not describe itself. ``already_granted`` is
    whether the owner has granted all of it, so that it still propagates or the account itself prevents it.
    """

    launch: bool = False
    snapshot_ids: tuple[str, ...] = ()
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    already_granted: bool = False
    undescribed_keys: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.launch or self.snapshot_ids or self.keys or self.undescribed_keys)


@dataclass(frozen=True)
class CopyPrincipal:
    """Account that makes a copy, and its role; None for the credentials of the task."""

    account_id: str
    role_arn: str | None = None


def missing_access(
    source: Image, keys: Iterable[KeyState], principal: CopyPrincipal, view: SourceView
) -> MissingAccess:
    """Return what the account is missing, by its own reads and by what the owner reads.

    If both are inconclusive for a key, or contradict each other, the key counts as accessible. The copy then
    fails with AWS's reason. A denied DescribeKey is inconclusive: EC2 calls it for the role, and policies may
    allow it only through EC2 (KMS Developer Guide, "AWS KMS condition keys", kms:ViaService).
    """
    denied = {key.key.arn: _certainly_denied(key, principal, view.denied_key_arns) for key in keys}
    return MissingAccess(
        launch=not view.visible,
        snapshot_ids=tuple(item for item in source.snapshot_ids if item not in view.snapshot_ids),
        keys={arn: operations for arn, operations in denied.items() if operations},
        undescribed_keys=tuple(
            arn for arn, operations in denied.items() if not operations and arn in view.denied_key_arns
        ),
    )


def already_granted(
    missing: MissingAccess, permissions: SourcePermissions, keys: Iterable[KeyState], principal: CopyPrincipal
) -> bool:
    """Whether the owner has already granted the account everything that it is missing.

    False if that is unknown: an organization that the image is shared with may not contain the account.
    """

    def includes_account(sharing: Sharing | None) -> bool:
        return sharing is not None and (sharing.public or principal.account_id in sharing.account_ids)

    accessible = {
        key.key.arn for key in keys if key.policy is not None and not _denied_operations(key, principal)
    }
    return (
        (not missing.launch or includes_account(permissions.launch))
        and all(includes_account(permissions.volume_permissions.get(item)) for item in missing.snapshot_ids)
        and accessible.issuperset({*missing.keys, *missing.undescribed_keys})
    )


def check_access(
    target: Target, source: Image, source_region: str, missing: MissingAccess | None
) -> tuple[Failure, ...]:
    """Return one refusal for each kind of access that the account of ``target`` is missing."""
    return tuple(_refusals(target, source, source_region, missing)) if missing else ()


def access_warnings(source: Image, source_region: str, missing: MissingAccess | None) -> tuple[str, ...]:
    """Return a warning for each key whose access could not be confirmed."""
    if missing is None or missing.already_granted:
        return ()
    return tuple(
        f"The account is denied DescribeKey on {arn}, the KMS key of {source.image_id} in {source_region}. "
        "The copy fails unless the account's role may use the key through EC2 (kms:ViaService)."
        for arn in missing.undescribed_keys
    )


def check_product_codes(target: Target, source: Image, source_region: str) -> tuple[Failure, ...]:
    """Return a refusal if AWS does not let the account of ``target`` copy the image, even if it is shared.

    The error of CopyImage is InvalidRequest, "Images from AWS Marketplace cannot be copied to another AWS
    account". Images that were created from these keep their product codes, and are refused, too.
    """
    if not source.product_codes or target.account_id == source.owner_id:
        return ()
    return (
        Failure.at(
            target,
            "CopyImage",
            "product_code",
            f"Account {target.account_id} cannot copy {source.image_id} in {source_region}: "
            f"{only_within_account(source)}",
            PRODUCT_CODE_REMEDY,
        ),
    )


def only_within_account(source: Image) -> str:
    """Return why only the owner's account can copy an image with product codes."""
    return (
        f"it has an AWS Marketplace product code ({', '.join(source.product_codes)}), and AWS copies such an "
        "image, and images created from it, only within the owner's account."
    )


def _refusals(target: Target, source: Image, source_region: str, missing: MissingAccess) -> Iterator[Failure]:
    account_id, owner = target.account_id, f"its owner, account {source.owner_id}"
    image = f"{source.image_id} in {source_region}"
    granted = "Access was granted; propagation can take several minutes." if missing.already_granted else None
    if missing.launch:
        yield Failure.at(
            target,
            "CopyImage",
            "missing_launch_permission",
            f"Account {account_id} cannot see {image}: launch permission is missing.",
            f"{granted} If this persists, check whether the account's Allowed AMIs settings hide the image."
            if granted
            else f"Share the image with {account_id} from {owner} (ami_share).",
        )
    if missing.snapshot_ids:
        yield Failure.at(
            target,
            "CopyImage",
            "missing_volume_permission",
            f"Account {account_id} cannot copy {image}: createVolumePermission is missing on "
            f"{', '.join(missing.snapshot_ids)}.",
            granted or f"Share these snapshots with {account_id} from {owner} (ami_share).",
        )
    for arn, operations in missing.keys.items():
        yield Failure.at(
            target,
            "CopyImage",
            "missing_key_access",
            f"Account {account_id} cannot use {arn}, the KMS key of {image}: missing operations are "
            f"{', '.join(operations)}.",
            f"{granted} If this persists, check whether the IAM policy of its role allows the key."
            if granted
            else f"Grant {account_id} access to the key (ami_kms_grant) and allow it in its IAM policy.",
        )


def _certainly_denied(
    key: KeyState, principal: CopyPrincipal, denied_key_arns: frozenset[str]
) -> tuple[str, ...]:
    """Return the denied operations; none if the account has access that the owner does not see.

    The account then can describe the key. A constrained grant, which EBS cannot use, can allow DescribeKey
    only.
    """
    denied = _denied_operations(key, principal)
    granted = any(
        "DescribeKey" in grant.operations
        and (grant.grantee == principal.role_arn or short(grant.grantee) == principal.account_id)
        for grant in key.grants
    )
    contradicted = "DescribeKey" in denied and key.key.arn not in denied_key_arns and not granted
    return () if contradicted else denied


def _denied_operations(key: KeyState, principal: CopyPrincipal) -> tuple[str, ...]:
    """Return the required operations that grants and key policy certainly deny; none if these are unread."""
    if key.policy is None:
        return ()
    if principal.role_arn in principals_in_account(key.policy, principal.account_id):
        # Statements on a single role are not evaluated here.
        return ()
    granted_to_role = {
        operation
        for grant in key.grants
        if grant.grantee == principal.role_arn and not grant.constrained
        for operation in grant.operations
    }
    consumer = Consumer(account_id=principal.account_id)
    return tuple(
        operation
        for operation in sorted(REQUIRED_OPERATIONS - granted_to_role)
        if access(key, consumer, operation) is Access.DENIED
    )
