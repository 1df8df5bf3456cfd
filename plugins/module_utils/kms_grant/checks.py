# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuses keys and key policies with which access cannot be given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..failures import Failure
from ..keys import policy_statements
from ..model import KeySeen, Target
from ..plan import Action
from .state import GrantWanted


def check_key(wanted: GrantWanted, target: Target, key: KeySeen) -> Iterator[Failure]:
    def refusal(code: str, message: str, remedy: str) -> Failure:
        return Failure(message, remedy, code, "CreateGrant", target.region, target.account_id)

    if key.key.aws_managed and wanted.present:
        yield refusal(
            "default_key",
            f"{key.key.arn} is managed by AWS: nobody else can be given access to it.",
            "Copy the image under a customer-managed key (kms_key_id of ami_copy_regions); use that.",
        )
    elif key.key.state != "Enabled" and wanted.present:
        yield refusal(
            "key_not_enabled",
            f"{key.key.arn} is in the state {key.key.state}.",
            "Enable the key or cancel its deletion.",
        )
    if key.policy is not None and (sids := policy_statements.denying_sids(key.policy)):
        yield Failure(
            f"The policy of {key.key.arn} denies something in {', '.join(sids)}: under such a Sid this "
            "collection keeps statements of its own, which allow.",
            "Give that statement another Sid, one that does not begin with "
            f"{policy_statements.SID_PREFIX}, and run again.",
            "reserved_sid_denies",
            "PutKeyPolicy",
            target.region,
            target.account_id,
        )
    owner = key.key.account_id
    if owner != target.account_id:
        yield refusal(
            "not_owner",
            f"{key.key.arn} belongs to account {owner}; only its owner can open it to others.",
            f"Run with credentials of {owner}.",
        )


def check_policy(target: Target, actions: Iterable[Action]) -> Iterator[Failure]:
    for action in actions:
        policy = action.parameters["Policy"]
        if len(policy.encode()) > policy_statements.MAX_BYTES:
            yield Failure(
                f"The policy of {action.resource} would hold {len(policy.encode())} bytes; "
                f"AWS allows {policy_statements.MAX_BYTES}.",
                "Name organizations instead of accounts, or use access_method: grant.",
                "key_policy_too_large",
                "PutKeyPolicy",
                target.region,
                target.account_id,
            )
        if not policy_statements.keeps_root(policy, target.account_id):
            yield Failure(
                f"The policy of {action.resource} gives the account's root no access (kms:*).",
                "Add the default statement for it, so that the key stays manageable, or use "
                "access_method: grant.",
                "key_policy_without_root",
                "PutKeyPolicy",
                target.region,
                target.account_id,
            )
