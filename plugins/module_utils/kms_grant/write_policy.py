# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write a key policy, without the consumers that AWS rejects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..aws import read
from ..aws.write import Performed, perform
from ..failures import Failure
from ..keys.needed import SharedUnderKey
from ..keys.policy_statements import own_accesses
from ..plan import Action
from .options import GrantOptions
from .policy import policy_after
from .rejection import names_invalid_principal, rejection

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


def write_policy(kms: KMSClient, wanted: GrantOptions, action: Action, shared: SharedUnderKey) -> Performed:
    """Write the key policy, which is read again right before: PutKeyPolicy replaces the whole policy.

    KMS refuses the whole policy if one of its principals does not exist, and does not name it. Then the new
    principals are added in halves until the rejected ones are found, and each of these is a failure.
    """
    policy = read.key_policy(kms, action.parameters["KeyId"])
    held = {item for access in own_accesses(policy) for item in access.consumers.principals}
    new = sorted(wanted.policy_consumers.principals - held)
    done = _put(kms, action, policy_after(wanted, policy, shared))
    if not new or not any(names_invalid_principal(failure) for failure in done.failures):
        return done
    # If KMS refuses what is there already, a new principal is not the reason.
    if _put(kms, action, policy).failures:
        return done
    rejected = dict(_rejected(kms, wanted, action, new, shared))
    policy = read.key_policy(kms, action.parameters["KeyId"])
    accepted = wanted.for_principals(wanted.policy_consumers.principals - rejected.keys())
    done = _put(kms, action, policy_after(accepted, policy, shared))
    failures = (
        rejection(failure, principal) if names_invalid_principal(failure) else failure
        for principal, failure in rejected.items()
    )
    return replace(done, failures=(*failures, *done.failures))


def _rejected(
    kms: KMSClient, wanted: GrantOptions, action: Action, principals: Sequence[str], shared: SharedUnderKey
) -> Iterator[tuple[str, Failure]]:
    """The principals that KMS rejects, and its failures; all others get access."""
    policy = read.key_policy(kms, action.parameters["KeyId"])
    # Nothing is revoked before the rejected principals are known.
    only = wanted.for_principals(principals)
    added = replace(only, org_arns=(), org_unit_arns=(), purge_grants=False)
    failures = _put(kms, action, policy_after(added, policy, shared)).failures
    if not failures:
        return
    if len(principals) == 1 or not names_invalid_principal(failures[0]):
        yield from ((principal, failures[0]) for principal in principals)
        return
    middle = len(principals) // 2
    for half in (principals[:middle], principals[middle:]):
        yield from _rejected(kms, wanted, action, half, shared)


def _put(kms: KMSClient, action: Action, policy: str) -> Performed:
    return perform(kms, replace(action, parameters={**action.parameters, "Policy": policy}))
