# SPDX-License-Identifier: GPL-3.0-or-later
"""Which KMS key an EBS resource is encrypted with; the keys themselves are moto's."""

from __future__ import annotations

from ..kms import keys
from ..kms.errors import KmsError
from . import state
from .access import Caller


def aws_managed_key(account_id: str, region: str) -> str:
    """ARN of the account's `aws/ebs` key, which AWS makes at its first use."""
    return str(keys.aws_managed_key(account_id, region).arn)


def default_key(caller: Caller) -> str:
    """ARN of the key EBS takes when a request names none (botocore operation GetEbsDefaultKmsKeyId)."""
    chosen = state.account_region(*caller).default_kms_key_id
    return chosen or aws_managed_key(*caller)


def is_aws_managed(arn: str) -> bool:
    """Whether it is somebody's `aws/ebs` key, whose snapshots can't be shared."""
    key = keys.by_arn(arn)
    return key is not None and key.key_manager == "AWS"


def resolve(caller: Caller, name: str) -> str | None:
    """ARN of the key that an id, alias, key ARN or alias ARN means here; None for none in this Region."""
    try:
        found = keys.refer(caller.account_id, caller.region, name, alias_allowed=True)
    except KmsError:
        return None
    return str(found.key.arn) if found.key else None
