# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What storage costs, by a table that the user gives: there is none here, since prices change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from ...failures import Failure, invalid_option

# Stands for every region that the table does not name.
DEFAULT = "default"
_REGION = re.compile(r"[a-z]{2,8}(?:-[a-z]+)+-[0-9]{1,2}")
_CENT = Decimal("0.01")
# Whatever the currency, who names more has mistaken what is asked for.
_TOO_MUCH = 1_000_000


@dataclass(frozen=True)
class Prices:
    """Region to what a GiB of snapshots costs there in a month, in ``currency``."""

    table: Mapping[str, Decimal] = field(default_factory=dict)
    currency: str = ""

    def monthly(self, region: str, gib: int) -> Decimal | None:
        """What so many GiB cost there in a month, to the cent; None if the table does not say."""
        price = self.table.get(region, self.table.get(DEFAULT))
        return None if price is None else (price * gib).quantize(_CENT)


def read_prices(option: str, table: Mapping[str, Any], currency: str) -> tuple[Prices, tuple[Failure, ...]]:
    """The prices that an option holds, and all that is wrong with them. Numbers may be text."""
    found = {str(region).strip(): _number(price) for region, price in table.items()}
    prices = {region: price for region, price in found.items() if price is not None}
    return Prices(prices, currency), tuple(_wrong(option, table))


def _wrong(option: str, table: Mapping[str, Any]) -> Iterator[Failure]:
    for key, price in table.items():
        region = str(key).strip()
        if region != DEFAULT and not _REGION.fullmatch(region):
            yield invalid_option(
                option,
                f"{option}: '{region}' is no region.",
                f"Name a region such as eu-west-1, or {DEFAULT} for all others.",
            )
        if _number(price) is None:
            yield invalid_option(
                option,
                f"{option}: '{price}' is no price of {region}.",
                "Take a number of 0 or more, such as 0.05: what a GiB costs there in a month.",
            )


def _number(value: Any) -> Decimal | None:
    """The number of 0 or more that this is; None if it is none."""
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number < _TOO_MUCH else None
