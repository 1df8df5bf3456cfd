# SPDX-License-Identifier: GPL-3.0-or-later
"""Pagination (EC2 Developer Guide, Pagination)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from itertools import islice
from typing import Any, Protocol, TypeVar

from .errors import Ec2Error, invalid_value

FEWEST, MOST = 5, 1000


class Numbered(Protocol):
    """An item with a position in the order of all items."""

    @property
    def serial(self) -> int:
        """Increases with the time of creation; never reused."""


Item = TypeVar("Item", bound=Numbered)


def page(items: Iterable[Item], params: dict[str, Any], ids_parameter: str) -> tuple[list[Item], str | None]:
    """The items of a page, and the token of the next page if there is one.

    `items` must be in the order of their serials. The token holds the serial of the last item, so that items
    created or deleted between two pages don't repeat or skip others.
    """
    size = params.get("MaxResults")
    if size is None and "NextToken" not in params:
        return list(items), None
    if params.get(ids_parameter):
        message = f"The parameter {ids_parameter} cannot be used with the parameter MaxResults"
        raise Ec2Error("InvalidParameterCombination", message)
    if size is not None and not FEWEST <= size <= MOST:
        raise invalid_value("maxResults", size, f"Expecting a value from {FEWEST} to {MOST}.")
    after = _serial(params["NextToken"]) if params.get("NextToken") else 0
    rest = (item for item in items if item.serial > after)
    found = list(islice(rest, (size or MOST) + 1))
    if len(found) <= (size or MOST):
        return found, None
    found.pop()
    return found, base64.urlsafe_b64encode(f"after:{found[-1].serial}".encode()).decode()


def _serial(token: str) -> int:
    try:
        mark, serial = base64.urlsafe_b64decode(token.encode()).decode().split(":")
        if mark == "after":
            return int(serial)
    except (binascii.Error, ValueError):
        raise Ec2Error("InvalidNextToken", f"The token '{token}' is invalid") from None
    raise Ec2Error("InvalidNextToken", f"The token '{token}' is invalid")
