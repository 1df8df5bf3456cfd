# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the keys of a region."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .. import _arns as arns
from .._aws import errors, read
from .._aws.attempts import repeat_until
from .._aws.clients import Clients
from .._failures import Failure, TargetFailed
from .._keys.grants import name_prefix
from .._model import Image, Key, KeyState, Target
from .options import GrantOptions
from .state import grant_request, principal_arn

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_kms import KMSClient

_KEY_ARN = re.compile(r"arn:[^:]+:kms:[^:]+:([0-9]{12}):")


def read_keys(clients: Clients, options: GrantOptions, target: Target) -> tuple[KeyState, ...]:
    """Return the keys of a target with their grants and, if needed, their policies.

    Raises:
        TargetFailed: the image does not exist, or the key of an encrypted snapshot cannot be read.
    """
    return tuple(_read_key(clients, options, target, key_id) for key_id in _key_ids(clients, options, target))


def _read_key(clients: Clients, options: GrantOptions, target: Target, key_id: str) -> KeyState:
    kms = clients.kms(target.region)
    try:
        key = read.key(kms, key_id)
    except errors.ClientError as exception:
        named = _KEY_ARN.match(key_id)
        if not (named and named[1] != target.account_id and options.needs_grants(target.account_id)):
            raise
        if not _is_denied(exception):
            raise
        return KeyState(Key(key_id), denied="DescribeKey")
    if key.aws_managed:
        # The plan refuses it.
        return KeyState(key)
    if key.account_id != target.account_id:
        return _read_key_of_other_account(kms, options, target, key)
    policy = read.key_policy(kms, key.arn) if options.uses_policy else None
    return KeyState(key, read.grants(kms, key.arn), policy)


def _read_key_of_other_account(kms: KMSClient, options: GrantOptions, target: Target, key: Key) -> KeyState:
    """Return the key and its grants; only its owner can read its policy (KMS API Reference, GetKeyPolicy)."""
    if not options.needs_grants(target.account_id):
        return KeyState(key)
    try:
        grants = read.grants(kms, key.arn)
    except errors.ClientError as exception:
        if not _is_denied(exception):
            raise
        return KeyState(key, denied="ListGrants")
    grantees = sorted(options.grantees - {target.account_id}) if options.present else []
    if grantees and _is_create_grant_denied(kms, options, target, key, grantees[0]):
        return KeyState(key, grants, denied="CreateGrant")
    return KeyState(key, grants)


def _is_create_grant_denied(
    kms: KMSClient, options: GrantOptions, target: Target, key: Key, grantee: str
) -> bool:
    """Whether a dry run shows that grants on the key are denied; not if it shows nothing."""
    principal = principal_arn(arns.parse(key.arn).partition, grantee)
    prefix = name_prefix(key.arn, target.account_id)
    request = grant_request(key.arn, principal, options.parent_operations, prefix)
    try:
        kms.create_grant(**request, DryRun=True)
    except errors.ParamValidationError:
        # This botocore has no dry runs: CreateGrant itself shows whether it is allowed.
        return False
    except errors.ClientError as exception:
        # Success is an error, too. CreateGrant itself reports all others, such as an invalid grantee.
        return _is_denied(exception)
    return False


def _is_denied(exception: errors.ClientError) -> bool:
    return errors.code_of(exception) == "AccessDeniedException"


def _key_ids(clients: Clients, options: GrantOptions, target: Target) -> list[str]:
    """Return the keys of one region: those that the options name, or the keys of the image's snapshots."""
    if not options.by_region:
        return list(options.key_ids[target.region])
    image_id = options.by_region[target.region]
    if image_id is None:
        return []
    ec2 = clients.ec2(target.region)
    # Usually a copy that has just become available.
    image = (read.visible_image if options.present else read.image)(ec2, image_id)
    if image is None:
        raise TargetFailed(errors.no_image(image_id, target))
    return sorted(set(_keys_of_snapshots(ec2, options, target, image).values()))


def _keys_of_snapshots(ec2: EC2Client, options: GrantOptions, target: Target, image: Image) -> dict[str, str]:
    """Return the image's encrypted snapshots, each with its key.

    Raises:
        TargetFailed: AWS does not return one for a while, though the account owns the image: it is not one
            that needs no key.
    """
    must_show = options.present and image.owner_id == target.account_id
    needed = frozenset(image.encrypted_snapshots) if must_show else frozenset()

    def read_key_ids() -> dict[str, str]:
        snapshots = read.visible_snapshots(ec2, image.snapshot_ids)
        return {item.snapshot_id: item.kms_key_id for item in snapshots if item.kms_key_id}

    keys = repeat_until(
        read_key_ids, lambda keys: needed <= keys.keys(), read.SETTLING_TIMEOUT, read.SETTLING_INTERVAL
    )
    if missing := sorted(needed - keys.keys()):
        raise TargetFailed(
            Failure.at(
                target,
                "DescribeSnapshots",
                "snapshot_not_found",
                f"Account {target.account_id} cannot read which key encrypts {', '.join(missing)} of "
                f"{image.image_id}.",
                "Rerun. If it is so again, check that the snapshots still exist.",
            )
        )
    return keys
