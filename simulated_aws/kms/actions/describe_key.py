# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeKey."""

from __future__ import annotations

from typing import Any

from moto.kms.models import Key

from .registry import Caller, action, authorize


@action("DescribeKey")
def describe_key(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """A key by its id, ARN or alias; one of another account by an ARN."""
    tokens = params.get("GrantTokens", ())
    found = authorize(caller, "DescribeKey", params["KeyId"], alias_allowed=True, grant_tokens=tokens)
    return {"KeyMetadata": metadata(found.key)}


def metadata(key: Key) -> dict[str, Any]:
    """A key as KMS describes it: moto's description, without the members that a key of its kind hasn't."""
    described = key.to_dict()["KeyMetadata"]
    described["MultiRegion"] = bool(described["MultiRegion"])
    return {name: value for name, value in described.items() if value not in (None, [])}
