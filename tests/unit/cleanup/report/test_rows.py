# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of tables of images in a cleanup report."""

from __future__ import annotations

from typing import Any

from ansible_collections.golden.images.plugins.module_utils._cleanup.report.content import build_content
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.prices import Prices
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.rows import (
    list_cost_columns,
    make_record,
    make_row,
    render_amounts,
)

from .examples import GOES, OFF, RUNS, cleaned, one


def of(image: dict[str, Any], **more: Any) -> dict[str, Any]:
    (found,) = build_content(cleaned(image, **more), Prices(), is_plan=False)["images"]
    return dict(found)


def test_lists_and_objects_are_texts() -> None:
    assert make_record(of(GOES))["snapshots"] == ["snap-1", "snap-2 is kept: image ami-9 uses it"]
    assert (make_record(of(RUNS))["reason"], make_record(of(OFF))["next"]) == (
        "instance i-1 running.",
        "deregister on 2026-12-24",
    )


def test_what_was_not_done_says_where_to_look() -> None:
    undone = make_record(of(OFF, actions=[]))
    assert undone["outcome_text"] == "should have been disabled, but was not"
    assert undone["reason"].startswith("Check the failures")


def test_a_table_shows_dates_without_times() -> None:
    assert make_row(of(one("ami-1", "keep")))["creation_date"] == "2026-01-02"


def test_costs_are_a_column_only_with_prices() -> None:
    assert [column.title for column in list_cost_columns({"currency": "EUR"}, "k", "A month")] == [
        "A month (EUR)"
    ]
    assert list_cost_columns({"currency": None}, "k", "A month") == ()


def test_costs_are_texts_to_the_cent() -> None:
    assert render_amounts({"monthly_cost": 1200.5, "freed_monthly_cost": None, "size_gib": 8}) == {
        "monthly_cost": "1,200.50",
        "freed_monthly_cost": "",
    }
