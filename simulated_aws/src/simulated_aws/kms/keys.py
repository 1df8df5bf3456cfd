# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the key of an ID, ARN or alias, and creates AWS managed keys. moto stores the keys."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from moto.kms.models import Key, kms_backends
from moto.kms.utils import RESERVED_ALIASES
from moto.utilities.utils import get_partition

from .errors import KmsError, not_found

EBS_ALIAS = "alias/aws/ebs"

_ARN = re.compile(r"arn:aws[\w-]*:kms:([\w-]+):(\d{12}):(key|alias)/(.+)")
_KEY_ID = re.compile(r"(mrk-)?[0-9a-f-]{32,36}", re.IGNORECASE)


class Reference(NamedTuple):
    """A key that a request names: owner account, ARN, and the key if it exists."""

    account_id: str
    arn: str
    key: Key | None


def refer(account_id: str, region: str, name: str, *, alias_allowed: bool) -> Reference:
    """Resolve a key ID, key ARN or, if allowed, alias or alias ARN for this account in this Region.

    An invalid name, such as an ARN of another Region, is NotFoundException. An alias of an AWS managed key
    creates that key (botocore operation DescribeKey).
    """
    match = _ARN.fullmatch(name)
    if match is not None:
        named_region, owner, kind, rest = match.groups()
        if named_region != region:
            raise not_found(f"Invalid arn {named_region}")
        resource = f"alias/{rest}" if kind == "alias" else rest
    elif name.startswith("arn:"):
        raise KmsError("InvalidArnException", f"Invalid arn {name}")
    else:
        owner, resource = account_id, name
    is_alias = resource.startswith("alias/")
    if (is_alias and not alias_allowed) or not (is_alias or _KEY_ID.fullmatch(resource)):
        raise not_found(f"Invalid keyId '{name}'")
    arn = f"{_prefix(region, owner)}:{resource if is_alias else f'key/{resource}'}"
    return Reference(owner, arn, _find(owner, region, resource, may_create=owner == account_id))


def aws_managed_key(account_id: str, region: str, alias: str = EBS_ALIAS) -> Key:
    """The account's AWS managed key for a service, created at its first use."""
    backend = kms_backends[account_id][region]
    key = _aliased(account_id, region, alias)
    if key is None:
        key = backend.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", None)
        key.key_manager = "AWS"
        key.description = f"Default key that protects my {alias.rpartition('/')[2].upper()} data"
        key.policy = _service_policy(account_id, region, alias)
        backend.create_alias(key.id, alias)
    return key


def by_arn(arn: str) -> Key | None:
    """The key with this key ARN."""
    match = _ARN.fullmatch(arn)
    if match is None or match[3] != "key":
        return None
    return _find(match[2], match[1], match[4], may_create=False)


def _find(account_id: str, region: str, resource: str, *, may_create: bool) -> Key | None:
    if not resource.startswith("alias/"):
        return kms_backends[account_id][region].keys.get(resource)
    if resource in RESERVED_ALIASES and may_create:
        return aws_managed_key(account_id, region, resource)
    return _aliased(account_id, region, resource)


def _aliased(account_id: str, region: str, alias: str) -> Key | None:
    # Iterate over a copy: other threads add keys.
    keys = list(kms_backends[account_id][region].keys.values())
    return next((key for key in keys if alias in key.aliases), None)


def _prefix(region: str, account_id: str) -> str:
    return f"arn:{get_partition(region)}:kms:{region}:{account_id}"


def _service_policy(account_id: str, region: str, alias: str) -> str:
    """The policy of an AWS managed key, modelled on `aws/ebs` (KMS Developer Guide, Key policies).

    It can't be changed, since it allows PutKeyPolicy to no principal.
    """
    service = "ec2" if alias == EBS_ALIAS else alias.rpartition("/")[2]
    through_service = {
        "Sid": "Allow access through EBS for all principals in the account that are authorized to use EBS",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [
            *("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"),
            *("kms:CreateGrant", "kms:DescribeKey"),
        ],
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "kms:CallerAccount": account_id,
                "kms:ViaService": f"{service}.{region}.amazonaws.com",
            }
        },
    }
    direct = {
        "Sid": "Allow direct access to key metadata to the account",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{get_partition(region)}:iam::{account_id}:root"},
        "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Id": "auto-ebs-2", "Statement": [through_service, direct]})
