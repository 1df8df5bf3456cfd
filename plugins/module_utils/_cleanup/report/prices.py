# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Storage prices from a table that the user provides. None are built in, because AWS changes its prices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from ..._failures import Failure, invalid_option
from ..._option import is_region
from ..._wording import shorten

# The key for every region that is not in the table.
DEFAULT = "default"
_CENT = Decimal("0.01")
# Higher than a price for a GiB in any currency: the number means something else.
_IMPLAUSIBLE = 1_000_000


@dataclass(frozen=True)
class Prices:
    """The monthly price of a GiB of snapshots in each region, in ``currency``."""

    table: Mapping[str, Decimal] = field(default_factory=dict)
    currency: str = ""

    def cost(self, region: str, gib: int) -> Decimal | None:
        """Return the monthly cost of so many GiB, not rounded, None without a price for the region."""
        price = self.table.get(region, self.table.get(DEFAULT))
        return None if price is None else price * gib

    def total(self, sizes: Iterable[tuple[str, int]]) -> float | None:
        """Return the monthly cost of so many GiB in each region with a price, to the cent.

        It is 0 for no sizes, and None if none has a price. Only the sum is rounded, because a fraction of a
        cent for each of many images adds up.
        """
        costs = [self.cost(region, gib) for region, gib in sizes]
        known = [cost for cost in costs if cost is not None]
        if not self.table or (costs and not known):
            return None
        return float(sum(known, Decimal()).quantize(_CENT))


def read_report_prices(content: Mapping[str, Any]) -> Prices:
    """Return the prices of a report."""
    table = {region: Decimal(str(price)) for region, price in content["prices"].items()}
    return Prices(table, content["currency"] or "")


def read_prices(option: str, table: Mapping[str, Any], currency: str) -> tuple[Prices, tuple[Failure, ...]]:
    """Parse the prices of an option into the valid ones, and a failure for each other one."""
    numbers = {str(region).strip(): _parse_number(price) for region, price in table.items()}
    prices = {region: price for region, price in numbers.items() if price is not None}
    return Prices(prices, currency), tuple(_list_failures(option, table))


def _list_failures(option: str, table: Mapping[str, Any]) -> Iterator[Failure]:
    for key, price in table.items():
        region = str(key).strip()
        if region != DEFAULT and not is_region(region):
            yield invalid_option(
                option,
                f"{option}: '{shorten(region)}' is not a valid region.",
                f"Use a region such as eu-west-1, or {DEFAULT} for all others.",
            )
        if _parse_number(price) is None:
            yield invalid_option(
                option,
                f"{option}: '{shorten(str(price))}' is not a valid price for {shorten(region)}.",
                "Use a number of 0 or more, such as 0.05: the monthly price of a GiB.",
            )


def _parse_number(value: Any) -> Decimal | None:
    """Parse a number of 0 or more; None if the value is none."""
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number < _IMPLAUSIBLE else None
