# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The totals of a cleanup report: number of images, size, cost, and what is freed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .outcome import DECISIONS, DONE, NOT_DONE
from .prices import Prices


def calculate_totals(images: Collection[Mapping[str, Any]], prices: Prices) -> dict[str, Any]:
    """Return the totals of these images, as a whole and by decision.

    Sizes are those of the volumes: snapshots take up this much at most. Costs leave out the
    ``unpriced_images`` and are None if no image has a price. ``freed_later_gib`` is the part of ``freed_gib``
    that the Recycle Bin retains for now.
    """
    return {
        **_add_up(images, prices),
        "by_decision": {
            decision: _calculate_for_decision(
                [image for image in images if image["decision"] == decision], prices
            )
            for decision in DECISIONS
        },
        "freed_gib": sum(image["freed_gib"] for image in images),
        "freed_later_gib": sum(image["freed_later_gib"] for image in images),
        "freed_monthly_cost": prices.total((image["region"], image["freed_gib"]) for image in images),
        "unpriced_images": sum(image["monthly_cost"] is None for image in images) if prices.table else 0,
    }


def _calculate_for_decision(images: Collection[Mapping[str, Any]], prices: Prices) -> dict[str, Any]:
    return {
        **_add_up(images, prices),
        "done": sum(image["outcome"] == DONE for image in images),
        "not_done": sum(image["outcome"] == NOT_DONE for image in images),
    }


def _add_up(images: Collection[Mapping[str, Any]], prices: Prices) -> dict[str, Any]:
    return {
        "images": len(images),
        "monthly_cost": prices.total((image["region"], image["size_gib"]) for image in images),
        "size_gib": sum(image["size_gib"] for image in images),
    }
