# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures of single consumers, which AWS rejects as grantees or as principals of a key policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..arns import account_of
from ..failures import Failure
from ..keys.grants import AUTO_SCALING_ROLE

# botocore operations CreateGrant and PutKeyPolicy: a principal does not exist, or KMS does not know it yet.
_REJECTING = {
    "CreateGrant": frozenset({"InvalidArnException"}),
    "PutKeyPolicy": frozenset({"InvalidArnException", "MalformedPolicyDocumentException"}),
}
# In a region that accounts must enable, services know only the principals of accounts that have enabled it
# (comment in hashicorp/terraform-provider-aws#22549).
_REMEDY = (
    "Check that it exists, and remove or correct it. In a region that is not enabled by default, its account "
    "must have enabled the region. A new principal may not have propagated to KMS yet; if so, rerun. All "
    "other consumers get access."
)
_AUTO_SCALING_REMEDY = (
    "If the account has no service-linked role {name}, create it there: aws iam create-service-linked-role "
    "--aws-service-name autoscaling.amazonaws.com{suffix}. Then rerun."
)


def names_invalid_principal(failure: Failure) -> bool:
    """Whether KMS refused a request because of a principal that it does not know."""
    return failure.error_code in _REJECTING.get(failure.action, ())


def rejection(failure: Failure, principal: str) -> Failure:
    """The failure of a consumer that AWS rejected: an account ID, or an ARN of a principal."""
    return replace(failure.rejecting(principal, _REMEDY), account_id=account_of(principal))


def is_rejected(failures: Iterable[Failure], region: str, principal: str) -> bool:
    """Whether one of the failures is the rejection of this principal in this region."""
    return any(failure.region == region and failure.rejects(principal) for failure in failures)


def of_auto_scaling(failure: Failure, role: str) -> Failure:
    """The failure of a grant for an Auto Scaling role, given by its ARN, with a remedy if it is missing."""
    if not names_invalid_principal(failure):
        return failure
    name = role.rpartition("/")[2]
    # IAM API Reference, CreateServiceLinkedRole, CustomSuffix: IAM puts "_" before it.
    suffix = name.removeprefix(AUTO_SCALING_ROLE).removeprefix("_")
    option = f" --custom-suffix {suffix}" if suffix else ""
    return replace(failure, remedy=_AUTO_SCALING_REMEDY.format(name=name, suffix=option))
