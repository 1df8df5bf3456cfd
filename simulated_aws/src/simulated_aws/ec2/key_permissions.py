# SPDX-License-Identifier: GPL-3.0-or-later
"""The KMS permissions that a copy and a launch need; EC2 checks them after it has accepted the request."""

from __future__ import annotations

from collections.abc import Collection

from moto.kms.models import Key

from ..iam.current_principal import current_principal
from ..iam.principals import Principal
from ..iam.service_linked_roles import is_auto_scaling
from ..kms import keys
from ..kms import state as kms_state
from ..kms.authorization import Use, decide
from ..kms.grants import SUBSET
from ..settings import SETTINGS
from .deferred_checks import CopyAttempt, LaunchAttempt
from .errors import Ec2Error
from .state import Snapshot, StateReason

# EBS User Guide, Requirements for Amazon EBS encryption: Permissions for users; Share the KMS key used to
# encrypt a shared Amazon EBS snapshot.
LAUNCH = frozenset(
    {
        *("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext"),
        *("ReEncryptFrom", "ReEncryptTo"),
    }
)
COPY_FROM = frozenset({"CreateGrant", "Decrypt", "DescribeKey", "ReEncryptFrom"})
COPY_TO = frozenset(
    {"CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptTo"}
)
# Auto Scaling User Guide, Required AWS KMS key policy for use with encrypted volumes.
AUTO_SCALING = LAUNCH | {"Encrypt"}

# EBS User Guide, Troubleshoot encrypted snapshot copies; the code isn't documented for images.
INACCESSIBLE_KEY = StateReason("Client.InternalError", "Given key ID is not accessible")
# EC2 User Guide, Troubleshoot Amazon EC2 instance launch issues: Instance terminates immediately.
CLIENT_ERROR = StateReason("Client.InternalError", "Client.InternalError: Client error on launch")

_GRANTED_TO_EC2 = ("Decrypt",)
"""Operations of EC2's grant to attach a volume (KMS Developer Guide, How Amazon EBS uses AWS KMS)."""


def check_copy_keys(attempt: CopyAttempt) -> StateReason | None:
    """Check the permissions that the copies of the image's snapshots need."""
    return copy_failure(attempt.account_id, attempt.snapshots, attempt.kms_key_id)


def copy_failure(account_id: str, snapshots: Collection[Snapshot], key_arn: str | None) -> StateReason | None:
    """Why copies fail, or None: a copy needs the key of the source snapshot, and the key of the copy."""
    principal = current_principal(account_id)
    allowed = all(_may_read(principal, one, COPY_FROM) for one in snapshots)
    if key_arn:
        allowed = allowed and all(_may_use(principal, key_arn, one.id, COPY_TO) for one in snapshots)
    return None if allowed else INACCESSIBLE_KEY


def require_key_access(snapshot: Snapshot) -> None:
    """AuthFailure for a caller who may not use the key of a snapshot, if the setting is on."""
    if not SETTINGS.sharing_snapshots_needs_key_access or not snapshot.kms_key_id:
        return
    principal = current_principal(snapshot.owner_id)
    if not _may_use(principal, snapshot.kms_key_id, snapshot.id, ("DescribeKey", "CreateGrant")):
        raise Ec2Error("AuthFailure", f"Not authorized to use key {snapshot.kms_key_id}", 403)


def check_launch_keys(attempt: LaunchAttempt) -> StateReason | None:
    """Check that a launch can use the keys of the image's snapshots and of the instance's volumes."""
    principal = current_principal(attempt.account_id)
    operations = AUTO_SCALING if is_auto_scaling(principal) else LAUNCH
    allowed = all(
        _may_use(principal, arn, resource, operations) for resource, arn in attempt.volume_keys.items()
    ) and all(_may_read(principal, one, operations) for one in attempt.snapshots)
    return None if allowed else CLIENT_ERROR


def _may_read(principal: Principal, snapshot: Snapshot, operations: Collection[str]) -> bool:
    """Whether EC2 can use the key of a snapshot, or one that is associated with it.

    (botocore operation AssociateKmsKeyId: a second, independent way to access the snapshot's data. That this
    is so for launches and copies by other accounts is not documented.)
    """
    arns = [snapshot.kms_key_id, *snapshot.associated_keys]
    return snapshot.kms_key_id is None or any(
        _may_use(principal, arn, snapshot.id, operations) for arn in arns if arn
    )


def _may_use(principal: Principal, key_arn: str, resource_id: str, operations: Collection[str]) -> bool:
    """Whether EC2 can use a key for these operations on the principal's behalf, for one EBS resource.

    EBS adds the resource to the encryption context (KMS Developer Guide, How Amazon EBS uses AWS KMS).
    """
    key = keys.by_arn(key_arn)
    if key is None or not _is_usable_by_ebs(key):
        return False
    service = f"ec2.{key.region}.amazonaws.com"
    context = {"aws:ebs:id": resource_id}
    with kms_state.LOCK:
        decisions = {one: decide(key, Use(principal, one, service, context)) for one in operations}
    grant = decisions["CreateGrant"]
    return all(one.allowed for one in decisions.values()) and grant.allows_grant(
        _GRANTED_TO_EC2, {SUBSET: context}
    )


def _is_usable_by_ebs(key: Key) -> bool:
    """Whether EBS supports the key (botocore shape CopyImageRequest, KmsKeyId)."""
    symmetric = key.key_spec == "SYMMETRIC_DEFAULT" and key.key_usage == "ENCRYPT_DECRYPT"
    return symmetric and key.key_state == "Enabled"
