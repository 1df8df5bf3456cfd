# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse keys and key policies that cannot give access."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .. import _arns as arns
from .._failures import Failure, invalid_option
from .._keys import policy_statements
from .._keys.grants import AUTO_SCALING_SERVICE
from .._model import KeyState, Target
from .._plan import Action
from .options import GrantOptions
from .state import GrantState

_SERVICE_LINKED = re.compile(r":role/aws-service-role/(?P<service>[^/]+)/(?P<name>.+)")


def check_key(options: GrantOptions, target: Target, key: KeyState) -> Iterator[Failure]:
    """Refuse a key that cannot be shared, is not enabled, or denies in an own statement.

    Without a consumer other than the account itself, as in a distribution that only copies, no access is
    needed, and the key may be any. Grants on a key of another account need its policy's permission; only its
    owner can change the policy.
    """

    def refusal(code: str, message: str, remedy: str) -> Failure:
        return Failure.at(target, "CreateGrant", code, message, remedy)

    granting = options.present and options.needs_grants(target.account_id)
    if key.key.aws_managed and granting:
        yield refusal(
            "default_key",
            f"{key.key.arn} is an AWS managed key: no other account can get access to it.",
            "Copy the image with a customer managed key (kms_key_id of ami_copy_regions), and use that key.",
        )
    elif not key.key.is_enabled and granting:
        yield refusal(
            "key_not_enabled",
            f"{key.key.arn} is in the state {key.key.state}.",
            "Enable the key or cancel its deletion.",
        )
    if key.policy is not None and (sids := policy_statements.denying_sids(key.policy)):
        yield Failure.at(
            target,
            "PutKeyPolicy",
            "reserved_sid_denies",
            f"The policy of {key.key.arn} has a Deny statement with the Sid {', '.join(sids)}, which is "
            "reserved for Allow statements of this collection.",
            "Change the Sid of that statement to one that does not begin with "
            f"{policy_statements.SID_PREFIX}, and rerun.",
        )
    owner = key.key.account_id
    if owner == target.account_id or not options.needs_grants(target.account_id):
        return
    if key.denied:
        yield refusal(
            "not_owner",
            f"{key.key.arn} belongs to account {owner}, and AWS denies {key.denied} to {target.account_id}.",
            f"Allow it in the IAM policy of these credentials, and let {owner} add the statement of "
            f"docs/iam/key-policy-statement.json to the key policy, with account {target.account_id}.",
        )
    if options.present and options.policy_consumers:
        yield refusal(
            "not_owner",
            f"{key.key.arn} belongs to account {owner}; only its owner can change its policy.",
            "Share with accounts only (account_ids, access_method: grant), or omit these consumers and let "
            f"{owner} give them access by ami_kms_grant with kms_key_ids.",
        )


def check_partition(options: GrantOptions, current: GrantState) -> Iterator[Failure]:
    """Refuse principals of another partition, for which a key of this one has no use.

    AWS Fault Isolation Boundaries, "Partitions": each has an IAM of its own, and its credentials cannot be
    used with resources of another one.
    """
    for principal in sorted(options.principals if options.present else ()):
        partition = arns.parse(principal).partition
        if partition != current.partition:
            yield invalid_option(
                "principals",
                f"principals: '{principal}' is in the partition {partition}, and the keys are in "
                f"{current.partition}.",
                f"Use an ARN that begins with arn:{current.partition}:.",
            )


def check_service_linked_roles(options: GrantOptions, current: GrantState) -> Iterator[Failure]:
    """Refuse service-linked roles of other accounts, to which only these accounts can give access.

    Auto Scaling User Guide, "Required AWS KMS key policy for use with encrypted volumes": the account of the
    role creates its grant. A grant that another account creates, or its key policy, gives no access.
    """
    for principal in sorted(options.principals if options.present else ()):
        role = _SERVICE_LINKED.search(principal)
        if role and arns.account_of(principal) != current.account_id:
            yield invalid_option(
                "principals",
                f"principals: '{principal}' is a service-linked role, whose grant has to be created in its "
                "own account.",
                _remedy_for_service_role(role["service"], role["name"]),
            )


def _remedy_for_service_role(service: str, role: str) -> str:
    """Return how a service-linked role of another account gets access instead."""
    if service == AUTO_SCALING_SERVICE:
        return (
            "Remove it, and set auto_scaling: true, with its account in account_ids, and auto_scaling_roles: "
            f"[{role}]."
        )
    return (
        "Remove it, and create the grant with credentials of its account: docs/encrypted-images.md has the "
        "command."
    )


def check_policy(target: Target, actions: Iterable[Action]) -> Iterator[Failure]:
    """Refuse new policies that KMS rejects, or that do not let the owner administer the key."""
    for action in actions:
        policy = action.parameters["Policy"]
        if len(policy.encode()) > policy_statements.MAX_BYTES:
            yield Failure.at(
                target,
                "PutKeyPolicy",
                "key_policy_too_large",
                f"The policy of {action.resource} would have {len(policy.encode())} bytes; "
                f"AWS allows {policy_statements.MAX_BYTES}.",
                "Use org_arns instead of account_ids, or use access_method: grant.",
            )
        if invalid := policy_statements.invalid_statements(policy):
            yield Failure.at(
                target,
                "PutKeyPolicy",
                "key_policy_invalid",
                f"KMS rejects the policy of {action.resource} as it is: {'; '.join(invalid)}.",
                "Correct or remove these statements in the key policy, or use access_method: grant.",
            )
        if not policy_statements.keeps_root(policy, target.account_id):
            yield Failure.at(
                target,
                "PutKeyPolicy",
                "key_policy_without_root",
                f"The policy of {action.resource} gives the account's root no access (kms:*).",
                "Add the default statement for the root, so that the key stays manageable, or use "
                "access_method: grant.",
            )
