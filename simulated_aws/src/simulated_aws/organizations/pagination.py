# SPDX-License-Identifier: GPL-3.0-or-later
"""Pagination (botocore shapes MaxResults and NextToken, operation ListAccounts).

A list "can occasionally return an empty set of results even when more results are available". Here an empty
page follows each full page, to reveal clients that take an empty page for the last one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .permissions import OrganizationsError

MOST = 20
_TOKEN = re.compile(r"(after|again):(\d+)")


def page(items: Sequence[Any], params: dict[str, Any]) -> tuple[list[Any], str | None]:
    """The items of one page, and the token of the next if there are more."""
    size = params.get("MaxResults", MOST)
    if not isinstance(size, int) or not 1 <= size <= MOST:
        raise OrganizationsError("InvalidInputException", f"MaxResults must be from 1 to {MOST}.")
    start = 0
    token = params.get("NextToken")
    if token is not None:
        found = _TOKEN.fullmatch(str(token))
        if found is None:
            raise OrganizationsError("InvalidInputException", "You provided an invalid pagination token.")
        if found[1] == "after":
            return [], f"again:{found[2]}"
        start = int(found[2])
    end = start + size
    return list(items[start:end]), f"after:{end}" if len(items) > end else None
