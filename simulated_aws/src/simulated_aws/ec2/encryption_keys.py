# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the KMS key that an EBS resource is encrypted under."""

from __future__ import annotations

from ..kms import keys
from ..kms.errors import KmsError
from . import state
from .access import Caller


def aws_managed_key(account_id: str, region: str) -> str:
    """ARN of the account's `aws/ebs` key, which is created at its first use."""
    return str(keys.aws_managed_key(account_id, region).arn)


def default_key(caller: Caller) -> str:
    """ARN of the key for requests that name none (botocore operation GetEbsDefaultKmsKeyId)."""
    chosen = state.account_region(*caller).default_kms_key_id
    return chosen or aws_managed_key(*caller)


def is_aws_managed(arn: str) -> bool:
    """Whether it is an AWS managed key, whose snapshots can't be shared."""
    key = keys.by_arn(arn)
    return key is not None and key.key_manager == "AWS"


def resolve(caller: Caller, name: str) -> str | None:
    """ARN of the key for an ID, alias, key ARN or alias ARN; None if it doesn't exist in this Region."""
    try:
        found = keys.refer(caller.account_id, caller.region, name, alias_allowed=True)
    except KmsError:
        return None
    return str(found.key.arn) if found.key else None
