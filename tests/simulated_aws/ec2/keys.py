# SPDX-License-Identifier: GPL-3.0-or-later
"""Which KMS key an EBS resource is encrypted with; the keys themselves are moto's."""

from __future__ import annotations

from botocore.utils import ArnParser, InvalidArnException
from moto.kms.models import kms_backends

from . import state
from .access import Caller

AWS_MANAGED_ALIAS = "alias/aws/ebs"


def aws_managed_key(account_id: str, region: str) -> str:
    """ARN of the account's `aws/ebs` key, which AWS makes at its first use."""
    backend = kms_backends[account_id][region]
    key = backend.keys[backend.any_id_to_key_id(AWS_MANAGED_ALIAS)]
    key.key_manager = "AWS"
    return str(key.arn)


def default_key(caller: Caller) -> str:
    """ARN of the key EBS takes when a request names none (botocore operation GetEbsDefaultKmsKeyId)."""
    chosen = state.account_region(*caller).default_kms_key_id
    return chosen or aws_managed_key(*caller)


def is_aws_managed(arn: str) -> bool:
    """Whether it is somebody's `aws/ebs` key, whose snapshots can't be shared."""
    account_id, region, resource = _parts(arn) or ("", "", "")
    if not resource:
        return False
    key = kms_backends[account_id][region].keys.get(resource.removeprefix("key/"))
    return key is not None and AWS_MANAGED_ALIAS in key.aliases


def resolve(caller: Caller, name: str) -> str | None:
    """ARN of the key that an id, alias, key ARN or alias ARN means here; None for none in this Region."""
    account_id, region, resource = _parts(name) or (*caller, name)
    if region != caller.region:
        return None
    backend = kms_backends[account_id][region]
    key_id = resource.removeprefix("key/")
    if key_id.startswith("alias/"):
        if key_id == AWS_MANAGED_ALIAS:
            return aws_managed_key(account_id, region)
        key_id = backend.get_key_id_from_alias(key_id) or ""
    key = backend.keys.get(key_id)
    return str(key.arn) if key else None


def _parts(arn: str) -> tuple[str, str, str] | None:
    try:
        parts = ArnParser().parse_arn(arn)
    except InvalidArnException:
        return None
    return parts["account"], parts["region"], parts["resource"]
