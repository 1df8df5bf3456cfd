# SPDX-License-Identifier: GPL-3.0-or-later
"""EBS encryption by default and the key it takes, per account and Region."""

from __future__ import annotations

from typing import Any

from .. import state
from ..access import Caller
from ..encryption_keys import default_key, resolve
from ..errors import Ec2Error
from .registry import action


@action("GetEbsEncryptionByDefault")
def get_encryption_by_default(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Whether everything new is encrypted."""
    return {"EbsEncryptionByDefault": state.account_region(*caller).encryption_by_default}


@action("EnableEbsEncryptionByDefault")
def enable_encryption_by_default(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Encrypt everything new."""
    state.account_region(*caller).encryption_by_default = True
    return {"EbsEncryptionByDefault": True}


@action("DisableEbsEncryptionByDefault")
def disable_encryption_by_default(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Encrypt what is asked for."""
    state.account_region(*caller).encryption_by_default = False
    return {"EbsEncryptionByDefault": False}


@action("GetEbsDefaultKmsKeyId")
def get_default_key(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """ARN of the key that is taken when a request names none."""
    return {"KmsKeyId": default_key(caller)}


@action("ModifyEbsDefaultKmsKeyId")
def modify_default_key(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Choose that key."""
    key = resolve(caller, params["KmsKeyId"])
    if key is None:
        raise Ec2Error("InvalidParameterValue", f"Given key ID {params['KmsKeyId']} is not accessible")
    state.account_region(*caller).default_kms_key_id = key
    return {"KmsKeyId": key}


@action("ResetEbsDefaultKmsKeyId")
def reset_default_key(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Go back to the AWS managed key."""
    state.account_region(*caller).default_kms_key_id = None
    return {"KmsKeyId": default_key(caller)}
