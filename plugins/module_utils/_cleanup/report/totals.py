# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The totals of a cleanup report: number of images, size, cost, and what is freed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .outcome import DECISIONS, DONE, NOT_DONE
from .prices import Prices


def totals(images: Collection[Mapping[str, Any]], prices: Prices) -> dict[str, Any]:
    """The totals of these images, as a whole and by decision.

    Sizes are those of the volumes: snapshots take up this much at most. Costs leave out the
    ``unpriced_images`` and are None if no image has a price. ``freed_later_gib`` is the part of ``freed_gib``
    that the Recycle Bin retains for now.
    """
    return {
        **_size_and_cost(images, prices),
        "by_decision": {
            decision: _of_decision([one for one in images if one["decision"] == decision], prices)
            for decision in DECISIONS
        },
        "freed_gib": sum(one["freed_gib"] for one in images),
        "freed_later_gib": sum(one["freed_later_gib"] for one in images),
        "freed_monthly_cost": prices.total((one["region"], one["freed_gib"]) for one in images),
        "unpriced_images": sum(one["monthly_cost"] is None for one in images) if prices.table else 0,
    }


def _of_decision(images: Collection[Mapping[str, Any]], prices: Prices) -> dict[str, Any]:
    return {
        **_size_and_cost(images, prices),
        "done": sum(one["outcome"] == DONE for one in images),
        "not_done": sum(one["outcome"] == NOT_DONE for one in images),
    }


def _size_and_cost(images: Collection[Mapping[str, Any]], prices: Prices) -> dict[str, Any]:
    return {
        "images": len(images),
        "monthly_cost": prices.total((one["region"], one["size_gib"]) for one in images),
        "size_gib": sum(one["size_gib"] for one in images),
    }
