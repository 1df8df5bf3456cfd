# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeKey."""

from __future__ import annotations

from typing import Any

from moto.kms.models import Key

from .registry import Caller, action, authorize


@action("DescribeKey")
def describe_key(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Describe a key by ID, ARN or alias; a key of another account by ARN."""
    tokens = params.get("GrantTokens", ())
    found = authorize(caller, "DescribeKey", params["KeyId"], alias_allowed=True, grant_tokens=tokens)
    return {"KeyMetadata": metadata(found.key)}


def metadata(key: Key) -> dict[str, Any]:
    """The KeyMetadata of a key: moto's, without members that have no value for this type of key."""
    described = key.to_dict()["KeyMetadata"]
    described["MultiRegion"] = bool(described["MultiRegion"])
    return {name: value for name, value in described.items() if value not in (None, [])}
