# SPDX-License-Identifier: GPL-3.0-or-later

"""What the document of a cleanup shows, which parts are findings, and which changes it lists."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.content import build_content
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.document import (
    build_document,
    compare_reports,
)
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.items import MEANINGS
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.prices import Prices
from ansible_collections.golden.images.plugins.module_utils._reports.document import Changes, Document, Table
from ansible_collections.golden.images.plugins.module_utils._reports.formats import render_all

from tests.unit.reports.examples import PAGE_FILES

from .examples import (
    BLOCKED,
    EU,
    GOES,
    KEPT,
    OFF,
    OVER_THE_LIMIT,
    RUNS,
    US,
    WAITS,
    call,
    calls,
    cleaned,
    one,
)

NO_PRICES, PRICES = Prices(), Prices({"default": Decimal("0.05")}, "EUR")
SINCE = "2026-11-17T05:00:00+00:00"


def made(
    *results: dict[str, Any], prices: Prices = NO_PRICES, is_plan: bool = False, **more: Any
) -> Document:
    return build_document(build_content(cleaned(*results, **more), prices, is_plan))


def table(found: Document, title: str) -> Table:
    (wanted,) = [each for each in found.tables if each.title == title]
    return wanted


def columns(found: Table, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(row[key] for key in keys) for row in found.rows]


def test_each_image_is_in_one_table_with_its_reasons() -> None:
    found = made(GOES, OFF, WAITS, BLOCKED, KEPT, RUNS)
    assert [(group.label, [row["image_id"] for row in group.rows]) for group in found.actions] == [
        ("deregister", ["ami-1"]),
        ("disable", ["ami-2"]),
    ]
    assert columns(table(found, "Images waiting"), "image_id", "outcome_text", "reason") == [
        ("ami-3", "will be disabled on 2027-02-22", ""),
        (
            "ami-4",
            "is due for its next stage, which is blocked",
            "It is protected from deregistration (enabled).",
        ),
    ]
    assert columns(table(found, "Images kept"), "image_id", "reason") == [
        ("ami-5", "It is among the latest 1 of its family in this region."),
        ("ami-6", "instance i-1 running."),
    ]
    assert len(found.records.rows) == 6


def test_an_image_without_a_creation_date_has_an_empty_cell() -> None:
    found = made(KEPT, {**KEPT, "creation_date": None, "image_id": "ami-9"})
    assert columns(table(found, "Images kept"), "image_id", "creation_date") == [
        ("ami-9", ""),
        ("ami-5", KEPT["creation_date"][:10]),
    ]


def test_a_plan_says_so_everywhere() -> None:
    found = made(GOES, is_plan=True, actions=[*calls(GOES), call("DeleteSnapshot", EU, "snap-7")])
    assert (found.status, found.complete) == ("planned", True)
    assert found.title == "Image cleanup plan"
    assert "nothing was changed" in found.headline
    assert found.actions_title == "Plan"
    assert [row["outcome_text"] for group in found.actions for row in group.rows] == ["would be deregistered"]
    assert columns(table(found, "Snapshots without an image"), "snapshot_id", "outcome_text") == [
        ("snap-7", "would be deleted")
    ]


@pytest.mark.parametrize("is_plan", [True, False])
def test_what_may_not_be_restorable_is_in_the_headline(is_plan: bool) -> None:
    found = made(GOES, KEPT, is_plan=is_plan)
    what = "1 image to deregister" if is_plan else "1 deregistered image"
    assert found.headline.endswith(
        f" {what} may not be restorable: the Recycle Bin is not known to retain it with all its snapshots."
    )
    assert "Recycle Bin" not in made({**GOES, "recoverable_until": "2026-12-24"}, is_plan=is_plan).headline


def test_grants_that_are_kept_and_accounts_that_were_not_read_are_shown() -> None:
    kept = {
        "principal": "222222222222",
        "image_ids": [],
        "reason": "It has volumes.",
        "resource_ids": ["vol-1"],
    }
    unseen = {"account_id": "333333333333", "reason": "consumer_role_name is not set."}
    key = {"kept_access": [kept], "kms_key_arn": "key-1", "region": EU, "unseen_accounts": [unseen]}
    found = made(GOES, kms_keys=[key])
    assert columns(table(found, "KMS grants kept"), "region", "kms_key_arn", "principal", "resource_ids") == [
        (EU, "key-1", "222222222222", ["vol-1"])
    ]
    assert columns(table(found, "Accounts not read"), "kms_key_arn", "account_id", "reason") == [
        ("key-1", "333333333333", "consumer_role_name is not set.")
    ]
    assert not {"KMS grants kept", "Accounts not read"} & {one.title for one in made(GOES).tables}


def test_regions_are_summed_up_with_costs_only_if_there_are_prices() -> None:
    found = table(made(GOES, OFF, prices=PRICES), "Totals by region")
    titles = [column.title for column in found.columns]
    assert [title for title in titles if "EUR" in title] == ["A month (EUR)", "Freed a month (EUR)"]
    assert columns(found, "region", "images", "deregister", "disable", "size_gib", "freed_gib") == [
        # The snapshot that alone was to go is not among the calls.
        (EU, 1, 1, 0, 8, 0),
        (US, 1, 0, 1, 8, 0),
    ]
    assert columns(found, "monthly_cost", "freed_monthly_cost") == [("0.40", "0.00"), ("0.40", "0.00")]
    assert "at most" in found.note
    assert made(GOES, prices=PRICES).records.rows[0]["monthly_cost"] == 0.4
    without = made(GOES, OFF)
    assert not [
        one for each in (*without.tables, without.records) for one in each.columns if "EUR" in one.title
    ]


def test_every_form_can_be_made_of_every_outcome() -> None:
    contents = [
        build_content(cleaned(GOES, OFF, WAITS, KEPT), PRICES, is_plan=False),
        build_content(cleaned(GOES, RUNS, warnings=["skipped"], actions=[]), NO_PRICES, is_plan=False),
        build_content(cleaned(), NO_PRICES, is_plan=True),
        build_content(OVER_THE_LIMIT, NO_PRICES, is_plan=True),
        build_content({}, NO_PRICES, is_plan=False),
    ]
    for content in contents:
        found = build_document(content)
        texts = dict(render_all(found, SINCE, PAGE_FILES))
        assert set(texts) == {"report.csv", "report.html", "report.sarif"}
        assert texts["report.csv"].count("\r\n") == 1 + len(content["images"])
        assert {item.code for item in found.items} <= set(found.explanations) <= set(MEANINGS)


def said(*results: dict[str, Any], is_plan: bool = False, **more: Any) -> dict[str, Any]:
    return {"written_at": SINCE, **build_content(cleaned(*results, **more), NO_PRICES, is_plan)}


AMI = f"{EU}: ami-3 (name of ami-3)"
SOON = one("ami-3", "keep")
DUE = one("ami-3", "deregister")


@pytest.mark.parametrize(
    ("before", "after", "added", "gone"),
    [
        (said(KEPT, RUNS), said(KEPT, RUNS), [], []),
        (said(SOON), said(WAITS), [f"{AMI} will be disabled on 2027-02-22."], [f"{AMI} is kept."]),
        (
            said(WAITS),
            said(DUE, is_plan=True),
            [f"{AMI} would be deregistered."],
            [f"{AMI} will be disabled on 2027-02-22."],
        ),
        (said(DUE, is_plan=True), said(DUE), [f"{AMI} was deregistered."], [f"{AMI} would be deregistered."]),
        # What was done is over.
        (said(DUE, KEPT), said(KEPT), [], []),
        (said(DUE), said(DUE, actions=[]), [f"{AMI} should have been deregistered, but was not."], []),
        # One that knows of no images says nothing about them.
        (
            said(KEPT),
            {"written_at": SINCE, **build_content(OVER_THE_LIMIT, NO_PRICES, is_plan=False)},
            [],
            [],
        ),
        (
            {"written_at": SINCE, **build_content({}, NO_PRICES, is_plan=False)},
            said(KEPT, DUE),
            [f"{AMI} was deregistered."],
            [],
        ),
    ],
)
def test_changes_are_the_decisions_that_differ(
    before: dict[str, Any], after: dict[str, Any], added: list[str], gone: list[str]
) -> None:
    assert compare_reports(before, after) == Changes(SINCE, tuple(added), tuple(gone))
