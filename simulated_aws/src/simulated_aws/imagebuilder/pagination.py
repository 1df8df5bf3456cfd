# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of Image Builder's lists: 25 items by default (botocore shape ListLifecyclePoliciesRequest)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import ImageBuilderError

DEFAULT_ITEMS = 25


def page(member: str, items: Sequence[dict[str, Any]], params: Mapping[str, Any]) -> dict[str, Any]:
    """The response with the requested page of the items.

    Raises:
        ImageBuilderError: a token that no response returned.
    """
    token = params.get("nextToken", "0")
    if not token.isdigit() or int(token) > len(items):
        raise ImageBuilderError("InvalidPaginationTokenException", "The pagination token is not valid")
    start, count = int(token), params.get("maxResults", DEFAULT_ITEMS)
    more = {"nextToken": str(start + count)} if start + count < len(items) else {}
    return {member: list(items[start : start + count]), **more}
