# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations that a key's state rules out (KMS Developer Guide, Key states of AWS KMS keys)."""

from __future__ import annotations

from moto.kms.models import Key

from .errors import KmsError

NOT_WHILE_DISABLED = frozenset(
    {
        *("CreateGrant", "Decrypt", "DeriveSharedSecret", "DisableKeyRotation", "EnableKeyRotation"),
        *("Encrypt", "GenerateDataKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"),
        *("GenerateDataKeyWithoutPlaintext", "GenerateMac", "GetPublicKey", "ReEncryptFrom", "ReEncryptTo"),
        *("ReplicateKey", "RotateKeyOnDemand", "Sign", "Verify", "VerifyMac"),
    }
)
WHILE_PENDING_DELETION = frozenset(
    {
        *("CancelKeyDeletion", "DeleteAlias", "DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus"),
        *("ListAliases", "ListGrants", "ListKeyPolicies", "ListKeyRotations", "ListResourceTags"),
        *("PutKeyPolicy", "RetireGrant", "RevokeGrant"),
    }
)


def require(key: Key, operation: str) -> None:
    """Reject an operation that is not possible in the key's state."""
    if operation == "CancelKeyDeletion" and key.key_state != "PendingDeletion":
        raise KmsError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
    if key.key_state == "Disabled" and operation in NOT_WHILE_DISABLED:
        raise KmsError("DisabledException", f"{key.arn} is disabled.")
    if key.key_state == "PendingDeletion" and operation not in WHILE_PENDING_DELETION:
        raise KmsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
