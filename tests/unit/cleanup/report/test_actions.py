# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cleanup did or would do, by stage and family."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._cleanup.report.actions import list_actions
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.content import build_content
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.prices import Prices
from ansible_collections.golden.images.plugins.module_utils._reports.document import Group

from .examples import KEPT, OFF, US, cleaned, one

PRICES = Prices({"default": Decimal("0.05")}, "EUR")


def of(*results: dict[str, Any], prices: Prices = PRICES, is_plan: bool = False, **more: Any) -> list[Group]:
    return [*list_actions(build_content(cleaned(*results, **more), prices, is_plan))]


def test_a_group_for_each_stage_and_family_the_most_destructive_first() -> None:
    gone = [one("ami-1", "deregister"), one("ami-2", "deregister", US)]
    off = [one("ami-3", "disable", family="app"), one("ami-4", "disable"), one("ami-5", "disable")]
    groups = of(*gone, *off, KEPT, is_plan=True)
    freed = "which would free at most 16 GiB (0.80 EUR a month)"
    assert [(group.label, group.title) for group in groups] == [
        (
            "deregister",
            f"2 web images in 2 regions would be deregistered, {freed}.",
        ),
        ("disable", "2 web images in eu-west-1 would be disabled."),
        ("disable", "1 app image in eu-west-1 would be disabled."),
    ]
    assert {group.tone for group in groups} == {"neutral"}
    assert dict(groups[0].notes) == {
        "Outcome": "would be deregistered",
        "Reason": "No rule keeps it, and no use was found.",
    }


def test_without_prices_there_are_no_costs() -> None:
    (group,) = of(one("ami-1", "deregister"), prices=Prices())
    assert group.title == "1 web image in eu-west-1 was deregistered, which frees at most 8 GiB."
    assert "freed_monthly_cost" not in [column.key for column in group.columns]


def test_images_for_which_it_was_not_done_are_named() -> None:
    done, undone = OFF, {**OFF, "image_id": "ami-9", "name": "web-10"}
    (group,) = of(done, undone, actions=[*cleaned(done)["actions"]])
    assert group.title.endswith("were disabled, except for 1.")
    assert group.tone == "medium"
    assert {row["outcome_text"] for row in group.rows} == {
        "was disabled",
        "should have been disabled, but was not",
    }
    assert "outcome_text" in [column.key for column in group.columns]


def test_images_are_in_natural_order() -> None:
    results = [one(f"ami-{place}", "disable", name=f"web-2026.{place}") for place in (10, 8, 9)]
    (group,) = of(*results)
    assert [row["name"] for row in group.rows] == ["web-2026.8", "web-2026.9", "web-2026.10"]
