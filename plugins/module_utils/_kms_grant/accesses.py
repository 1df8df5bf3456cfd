# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access to keys in results: consumers with the same keys in common are listed together, once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._grouping import group_in_common
from .._keys.needed import Kept


def describe_access(states: Iterable[Mapping[str, Mapping[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Return the grants and statements in these states, which map keys to theirs, as a plan has them."""
    access = {arn: of_key for state in states for arn, of_key in state.items()}
    grants = group_in_common(
        (grantee, tuple(grant["operations"]), arn)
        for arn, of_key in access.items()
        for grant in of_key["grants"]
        for grantee in grant["grantees"]
    )
    statements: dict[str, list[str]] = {}
    for arn, of_key in access.items():
        if "policy_statements" in of_key:
            text = json.dumps(of_key["policy_statements"], sort_keys=True)
            statements.setdefault(text, []).append(arn)
    return {
        "grants": [
            {"grantees": grantees, "kms_key_arns": list(arns), "operations": list(operations)}
            for grantees, operations, arns in grants
        ],
        "policy_statements": [
            {"kms_key_arns": arns, "statements": json.loads(text)} for text, arns in statements.items()
        ],
    }


def group_without_access(consumers: Mapping[str, Sequence[str] | None]) -> list[dict[str, Any]]:
    """Return the consumers that cannot use keys, with the keys. None is a key of which it is not known."""
    groups = group_in_common(
        (consumer, None, arn) for arn, named in consumers.items() for consumer in named or ()
    )
    return [{"consumers": named, "kms_key_arns": list(arns)} for named, _detail, arns in groups]


def group_kept(kept: Mapping[str, Iterable[Kept]]) -> list[dict[str, Any]]:
    """Return the principals that keep access to keys, with the keys and why they keep it."""
    groups = group_in_common(
        (one.principal, None, (arn, one.image_ids, one.reason, one.resource_ids))
        for arn, of_key in kept.items()
        for one in of_key
    )
    return [
        {
            "kms_keys": [
                {
                    "image_ids": list(image_ids),
                    "kms_key_arn": arn,
                    "reason": reason,
                    "resource_ids": list(resource_ids),
                }
                for arn, image_ids, reason, resource_ids in accesses
            ],
            "principals": principals,
        }
        for principals, _detail, accesses in groups
    ]


def group_unseen(reasons: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """Return the accounts of which not everything was read, with the keys and the reason."""
    groups = group_in_common(
        (account_id, reason, arn)
        for arn, of_key in reasons.items()
        for account_id, reason in sorted(of_key.items())
    )
    return [
        {"account_ids": account_ids, "kms_key_arns": list(arns), "reason": reason}
        for account_ids, reason, arns in groups
    ]
