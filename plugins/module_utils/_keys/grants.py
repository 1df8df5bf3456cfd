# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Grants that this collection creates: their operations, and how they are recognized."""

from __future__ import annotations

import re

from .. import _arns as arns
from .._model import Grant

# EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot"; grants support no wildcards.
OPERATIONS = frozenset(
    {
        "CreateGrant",
        "Decrypt",
        "DescribeKey",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncryptFrom",
        "ReEncryptTo",
    }
)
# IAM User Guide, "Unique identifiers": KMS shows these for deleted roles and users, and for new ones during
# about a minute (aws/aws-sdk-go#1718, hashicorp/terraform-provider-aws#29245).
DELETED_PRINCIPAL = re.compile(r"(AROA|AIDA)[A-Z0-9]+")
NAME_PREFIX = "golden-images:"
# Auto Scaling User Guide, "Service-linked roles": the default one. An account may have further ones, which
# have a suffix after "_", and which its groups may use instead.
AUTO_SCALING_ROLE = "AWSServiceRoleForAutoScaling"
AUTO_SCALING_SERVICE = "autoscaling.amazonaws.com"
# KMS Developer Guide, "Examining grants": EC2 creates a grant for each volume in use, constrained to it. Its
# grantee is a session of this role in the instance's account. No account can have a role with a colon in its
# name (botocore shape CreateRoleRequest, RoleName).
_EC2_INFRASTRUCTURE = ":assumed-role/aws:ec2-infrastructure/"
_AUTO_SCALING_PATH = f"role/aws-service-role/{AUTO_SCALING_SERVICE}/"
# A new grant, even if listed, is usable after seconds, at most about 5 minutes (botocore operation
# CreateGrant; KMS Developer Guide, "Using a grant token").
NEW_GRANT_TIMEOUT = 300.0


def is_own(grant: Grant) -> bool:
    """Whether the grant has a name that this collection gives with the credentials of the key's owner."""
    return grant.name.startswith(NAME_PREFIX)


def is_own_by_issuer(grant: Grant, owner: str) -> bool:
    """Whether this collection created the grant in the account that owns the key.

    The caller of CreateGrant selects the name. AWS always returns an issuer (KMS API Reference, examples of
    ListGrants). Without one, the name decides.
    """
    return is_own(grant) and (grant.issuer is None or arns.account_of(grant.issuer) == owner)


def is_of_volume(grant: Grant) -> bool:
    """Whether EC2 created the grant for itself, for one volume in use."""
    return grant.constrained and _EC2_INFRASTRUCTURE in grant.grantee


def auto_scaling_role(partition: str, account_id: str, name: str = AUTO_SCALING_ROLE) -> str:
    """Return the ARN of an account's service-linked role for Auto Scaling."""
    return f"arn:{partition}:iam::{account_id}:{_AUTO_SCALING_PATH}{name}"


def is_auto_scaling_role(principal: str) -> bool:
    """Whether the principal is a service-linked role for Auto Scaling, with or without a suffix."""
    return f":{_AUTO_SCALING_PATH}" in principal


def name_prefix(key_arn: str, account_id: str) -> str:
    """Return the prefix of the names of grants that this collection creates for images of this account.

    Several accounts may use a key of another account. Each has a prefix of its own, so that neither they nor
    the key's owner revoke each other's grants.
    """
    return NAME_PREFIX if arns.parse(key_arn).account_id == account_id else f"golden-images-of-{account_id}:"
