# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions for EBS encryption by default and the default key, per account and Region."""

from __future__ import annotations

from typing import Any

from .. import state
from ..access import Caller
from ..encryption_keys import default_key, resolve
from ..errors import Ec2Error
from .registry import action


@action("GetEbsEncryptionByDefault")
def get_encryption_by_default(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Return whether encryption by default is enabled."""
    return {"EbsEncryptionByDefault": state.account_region(*caller).encryption_by_default}


@action("EnableEbsEncryptionByDefault")
def enable_encryption_by_default(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Enable encryption by default."""
    state.account_region(*caller).encryption_by_default = True
    return {"EbsEncryptionByDefault": True}


@action("DisableEbsEncryptionByDefault")
def disable_encryption_by_default(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Disable encryption by default."""
    state.account_region(*caller).encryption_by_default = False
    return {"EbsEncryptionByDefault": False}


@action("GetEbsDefaultKmsKeyId")
def get_default_key(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Return the ARN of the default key."""
    return {"KmsKeyId": default_key(caller)}


@action("ModifyEbsDefaultKmsKeyId")
def modify_default_key(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Set the default key."""
    key = resolve(caller, params["KmsKeyId"])
    if key is None:
        raise Ec2Error("InvalidParameterValue", f"Given key ID {params['KmsKeyId']} is not accessible")
    state.account_region(*caller).default_kms_key_id = key
    return {"KmsKeyId": key}


@action("ResetEbsDefaultKmsKeyId")
def reset_default_key(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Reset the default key to the AWS managed key."""
    state.account_region(*caller).default_kms_key_id = None
    return {"KmsKeyId": default_key(caller)}
