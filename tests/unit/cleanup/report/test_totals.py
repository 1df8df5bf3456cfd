# SPDX-License-Identifier: GPL-3.0-or-later

"""The totals of images, with and without prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._cleanup.report.prices import Prices
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.totals import calculate_totals

from .examples import EU, US

PRICES = Prices({EU: Decimal("0.05")}, "EUR")


def image(decision: str, outcome: str, cost: float | None = None, **changes: Any) -> dict[str, Any]:
    """An image of the report, of 8 GiB, in a region that has a price if there is a cost."""
    return {
        "decision": decision,
        "freed_gib": 0,
        "freed_later_gib": 0,
        "freed_monthly_cost": None if cost is None else 0.0,
        "monthly_cost": cost,
        "outcome": outcome,
        "region": US if cost is None else EU,
        "size_gib": 8,
        **changes,
    }


GONE = image("deregister", "done", 0.4, freed_gib=8, freed_later_gib=5, freed_monthly_cost=0.4)
LEFT, KEPT = image("deregister", "not_done", 0.4), image("keep", "nothing")


def test_images_are_added_up_as_a_whole_and_by_decision() -> None:
    found = calculate_totals([GONE, LEFT, KEPT], PRICES)
    by_decision = found.pop("by_decision")
    assert found == {
        "freed_gib": 8,
        "freed_later_gib": 5,
        "freed_monthly_cost": 0.4,
        "images": 3,
        "monthly_cost": 0.8,
        "size_gib": 24,
        "unpriced_images": 1,
    }
    assert by_decision["deregister"] == {
        "done": 1,
        "images": 2,
        "monthly_cost": 0.8,
        "not_done": 1,
        "size_gib": 16,
    }
    assert by_decision["keep"]["monthly_cost"] is None
    assert by_decision["disable"]["images"] == 0


def test_costs_are_rounded_after_they_are_added_up() -> None:
    freed = image("deregister", "done", 0.42, freed_gib=8, freed_monthly_cost=0.42)
    found = calculate_totals([freed] * 16, Prices({EU: Decimal("0.05225")}, "EUR"))
    assert (found["monthly_cost"], found["freed_monthly_cost"]) == (6.69, 6.69)


def test_without_prices_there_are_no_costs_and_nothing_lacks_a_price() -> None:
    found = calculate_totals([KEPT], Prices())
    assert (found["monthly_cost"], found["freed_monthly_cost"], found["unpriced_images"]) == (None, None, 0)
