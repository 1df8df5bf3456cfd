# SPDX-License-Identifier: GPL-3.0-or-later

"""Which prices are valid, and what storage costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.content import build_content
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.prices import (
    read_prices,
    read_report_prices,
)

from .examples import EU, US


@pytest.mark.parametrize(
    ("table", "region", "gib", "cost"),
    [
        ({}, EU, 8, None),
        ({EU: 0.05}, US, 8, None),
        ({EU: 0.05}, EU, 8, "0.40"),
        ({EU: "0.05", "default": "1"}, US, 8, "8"),
        ({EU: " 0 ", "default": 1}, EU, 8, "0"),
        ({"us-gov-west-1": 0.055}, "us-gov-west-1", 1, "0.055"),
    ],
)
def test_a_price_is_that_of_its_region_or_the_default(
    table: dict[str, Any], region: str, gib: int, cost: str | None
) -> None:
    prices, failures = read_prices("prices", table, "USD")
    assert failures == ()
    assert prices.cost(region, gib) == (None if cost is None else Decimal(cost))


@pytest.mark.parametrize(
    ("table", "sizes", "total"),
    [
        ({}, [(EU, 8)], None),
        ({}, [], None),
        ({EU: 0.05}, [], 0.0),
        ({EU: 0.05}, [(US, 8)], None),
        ({EU: 0.05}, [(US, 8), (EU, 8)], 0.4),
        # Rounded by image, 16 of 0.418 are 6.72.
        ({EU: 0.05225}, [(EU, 8)] * 16, 6.69),
    ],
)
def test_only_the_sum_of_costs_is_rounded(
    table: dict[str, Any], sizes: list[tuple[str, int]], total: float | None
) -> None:
    prices, _failures = read_prices("prices", table, "USD")
    assert prices.total(sizes) == total


def test_the_prices_of_a_report_are_those_that_it_was_made_with() -> None:
    prices, _failures = read_prices("prices", {EU: "0.05225", "default": 0.1}, "USD")
    assert read_report_prices(build_content({"results": []}, prices, is_plan=True)) == prices


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({EU: -0.01}, "prices: '-0.01' is not a valid price for eu-west-1."),
        ({EU: "cheap"}, "prices: 'cheap' is not a valid price for eu-west-1."),
        ({EU: None}, "prices: 'None' is not a valid price for eu-west-1."),
        ({EU: True}, "prices: 'True' is not a valid price for eu-west-1."),
        ({EU: "NaN"}, "prices: 'NaN' is not a valid price for eu-west-1."),
        ({EU: "Infinity"}, "prices: 'Infinity' is not a valid price for eu-west-1."),
        ({EU: 10**30}, f"prices: '{10**30}' is not a valid price for eu-west-1."),
        ({EU: {"gp3": 1}}, "prices: '{'gp3': 1}' is not a valid price for eu-west-1."),
        ({"ireland": 0.05}, "prices: 'ireland' is not a valid region."),
        ({"Default": 0.05}, "prices: 'Default' is not a valid region."),
        ({"": 0.05}, "prices: '' is not a valid region."),
    ],
)
def test_an_invalid_price_is_refused_with_a_remedy(table: dict[Any, Any], message: str) -> None:
    _prices, failures = read_prices("prices", table, "USD")
    assert [(one.message, one.error_code, one.action) for one in failures] == [
        (message, "invalid_option", "prices")
    ]
    assert failures[0].remedy


def test_all_invalid_prices_are_reported_at_once() -> None:
    _prices, failures = read_prices("prices", {"x": -1, EU: "?", US: 1}, "USD")
    assert len(failures) == 3
