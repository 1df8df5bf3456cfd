# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings with one cause are one group, with a row for each resource."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports.document import Item
from ansible_collections.golden.images.plugins.module_utils._reports.groups import (
    group_by_cause,
    group_items,
    rank_kinds,
)

EU, US = "eu-west-1", "us-east-1"


def item(code: str = "no_key", severity: str = "medium", **changes: Any) -> Item:
    facts: dict[str, Any] = {
        "message": f"{changes.get('image_id')} and {changes.get('principal')}.",
        "remedy": "Grant it.",
        "account_id": None,
        "region": EU,
        "resource": changes.get("image_id"),
    }
    return Item(code, severity, **{**facts, **changes})


def test_a_thousand_findings_of_one_cause_are_one_group() -> None:
    accounts = [f"{one:012}" for one in range(67)]
    items = [item(image_id=f"ami-{one}", principal=who) for one in range(15) for who in accounts]
    (group,) = group_items(items, {"no_key": "It lacks the key."}, title=lambda some: f"{len(some)} lack it.")
    assert (group.title, group.number, len(group.rows)) == ("1005 lack it.", 1005, 15)
    # What all rows have in common is said once.
    assert dict(group.notes) == {
        "Who": ", ".join(accounts),
        "Remedy": "Grant it.",
        "Meaning": "It lacks the key.",
    }
    assert [column.title for column in group.columns] == ["Region", "Image"]


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        pytest.param([("111111111111", EU)], f"account 111111111111 \u00b7 {EU}", id="one"),
        pytest.param([("111111111111", None)], "account 111111111111", id="no region"),
        pytest.param([(None, US), (None, EU), (None, EU)], f"{EU}, {US}", id="two regions"),
        pytest.param(
            [(f"{number:012}", f"eu-west-{number}") for number in range(4)],
            "4 accounts \u00b7 4 regions",
            id="more than are named",
        ),
        pytest.param([(None, None)], "", id="no place"),
    ],
)
def test_the_heading_names_account_and_region(
    places: list[tuple[str | None, str | None]], expected: str
) -> None:
    items = [item(account_id=account_id, region=region) for account_id, region in places]
    (group,) = group_items(items, {})
    assert group.place == expected


def test_a_command_is_that_of_the_group() -> None:
    items = [item(image_id="ami-1"), item("other", image_id="ami-2")]
    groups = group_items(
        items,
        {},
        command=lambda alike: "run" * (alike[0].code == "other"),
        command_note=lambda _alike: "It shows.",
    )
    assert {group.code: (group.command, group.command_note) for group in groups} == {
        "no_key": ("", ""),
        "other": ("run", "It shows."),
    }


def test_the_worst_group_is_first_then_the_largest() -> None:
    items = [
        item("b", "low", image_id="ami-1"),
        item("c", image_id="ami-1"),
        item("a", "high", image_id="ami-1", remedy="x"),
        item("a", "high", image_id="ami-2"),
        item("a", "high", image_id="ami-3"),
    ]
    groups = group_items(items, {})
    assert [(one.label, one.code, one.number) for one in groups] == [
        ("high", "a", 2),
        ("high", "a", 1),
        ("medium", "c", 1),
        ("low", "b", 1),
    ]


def test_kinds_are_in_the_order_of_severity_urgency_and_number() -> None:
    def urgency(code: str) -> int:
        return {"z": 0, "a": 2}.get(code, 1)

    kinds = [*[("high", code) for code in "aaabccz"], ("low", "z")]
    ranks = rank_kinds(kinds, urgency)
    in_order = sorted(ranks, key=lambda kind: ranks[kind])
    assert in_order == [*[("high", code) for code in "zcba"], ("low", "z")]

    items = [item(code, severity, image_id=f"ami-{n}") for n, (severity, code) in enumerate(kinds)]
    groups = group_items(items, {}, cause=lambda one: one.image_id == "ami-0", urgency=urgency)
    assert [(one.code, one.number) for one in groups] == [
        ("z", 1),
        ("c", 2),
        ("b", 1),
        # The groups of a kind are together, the largest of them first.
        ("a", 2),
        ("a", 1),
        ("z", 1),
    ]


def test_causes_are_separate_groups() -> None:
    items = [item(image_id="ami-1", principal=who) for who in ("a", "b")]
    assert [one.number for one in group_items(items, {}, cause=lambda each: each.principal)] == [1, 1]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([1], [1]),
        ([1, 1, 1], [1, 1, 1]),
        ([1] * 4, [4]),
        ([2, 2, 1, 1, 1], [2, 2, 1, 1, 1]),
        ([2, 2, 1, 1, 1, 1], [4, 2, 2]),
        ([2, *[1] * 20], [22]),
        ([3, *[1] * 20], [20, 3]),
        # What has many findings stays apart, and so do a few small ones beside it.
        ([400, 1, 1, 1], [400, 1, 1, 1]),
        ([400, 1, 1, 1, 1], [400, 4]),
        ([400, *[50] * 5, *[1] * 37], [400, 50, 50, 50, 50, 50, 37]),
        # Unless these are too many, too.
        ([33] * 10, [33] * 10),
        ([33] * 300, [9900]),
        ([2000, *[33] * 300], [9900, 2000]),
        ([1] * 1005, [1005]),
    ],
)
def test_small_causes_are_one_group_if_they_are_many(numbers: list[int], expected: list[int]) -> None:
    findings = [cause for cause, number in enumerate(numbers) for _each in range(number)]
    found = group_by_cause(findings, lambda _one: "kind", lambda one: one)
    assert sorted(map(len, found), reverse=True) == expected
    assert sorted(one for group in found for one in group) == findings
    # Another kind has no part in it.
    kinds = group_by_cause([*findings, -1], lambda one: one < 0, lambda one: one)
    assert sorted(map(len, kinds)) == sorted([*expected, 1])


def test_without_a_title_each_row_has_its_message() -> None:
    items = [item(image_id="ami-1", region=US), item(image_id="ami-2")]
    (group,) = group_items(items, {"no_key": "It lacks the key."})
    assert group.title == "2 findings in 2 regions: It lacks the key."
    assert [(row["region"], row["message"]) for row in group.rows] == [
        (EU, "ami-2 and None."),
        (US, "ami-1 and None."),
    ]


def test_a_single_finding_is_its_message() -> None:
    (group,) = group_items([item(image_id="ami-1", principal="a")], {})
    assert (group.title, group.rows[0]["principals"]) == ("ami-1 and a.", ["a"])


def test_rows_are_in_natural_order_of_the_names() -> None:
    names: dict[tuple[str | None, str | None], str] = {
        (EU, "ami-1"): "web-2026.10",
        (EU, "ami-2"): "web-2026.8",
    }
    items = [item(image_id=one) for one in ("ami-1", "ami-2")]
    (group,) = group_items(items, {}, names=names)
    assert [row["name"] for row in group.rows] == ["web-2026.8", "web-2026.10"]
