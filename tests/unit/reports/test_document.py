# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of findings, and the changes between two reports."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports.document import (
    SEVERITIES,
    Changes,
    Each,
    Item,
    compare_sentences,
    count_by_severity,
    count_rows,
    expand_row,
    find_each_key,
    sort_worst_first,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.reports.examples import EU, US, items

SINCE = "2026-11-23T12:00:00+00:00"


def test_the_worst_findings_come_first() -> None:
    assert [(item.severity, item.code) for item in sort_worst_first(items())] == [
        ("high", "public"),
        ("high", "unknown_account"),
        ("medium", "grant_without_share"),
        ("low", "stale_principal"),
    ]


def test_findings_of_one_code_are_ordered_by_place() -> None:
    def finding(account_id: str | None, region: str | None, resource: str | None) -> Item:
        return Item("public", "high", "It is public.", "Make it private.", account_id, region, resource)

    ordered = [
        finding(None, None, None),
        finding("1", None, None),
        finding("1", EU, "ami-1"),
        finding("1", EU, "ami-2"),
        finding("1", US, "ami-1"),
    ]
    assert sort_worst_first(reversed(ordered)) == ordered


@given(st.permutations(items()))
def test_the_order_does_not_depend_on_that_of_the_document(shuffled: list[Item]) -> None:
    assert sort_worst_first(shuffled) == sort_worst_first(items())


def test_every_severity_has_an_order() -> None:
    assert SEVERITIES == ("high", "medium", "low")
    assert [item.severity for item in sort_worst_first(items())] == sorted(
        (item.severity for item in items()), key=SEVERITIES.index
    )


@pytest.mark.parametrize(
    ("before", "after", "added", "removed"),
    [
        pytest.param([], [], (), (), id="no findings"),
        pytest.param(["a", "b"], ["a", "b"], (), (), id="the same"),
        pytest.param(["a", "b"], ["b", "c"], ("c",), ("a",), id="one added, one removed"),
        pytest.param(["a", "a"], ["b", "b"], ("b",), ("a",), id="duplicates"),
    ],
)
def test_changes_between_reports(
    before: list[str], after: list[str], added: tuple[str, ...], removed: tuple[str, ...]
) -> None:
    assert compare_sentences(SINCE, before, after) == Changes(SINCE, added, removed)


def test_the_result_of_changes() -> None:
    assert Changes(SINCE, ("a",), ("b",)).to_dict() == {"added": ["a"], "removed": ["b"], "since": SINCE}


def test_items_are_counted_by_severity() -> None:
    assert count_by_severity(items()) == {"high": 2, "medium": 1, "low": 1}
    assert count_by_severity(()) == {"high": 0, "medium": 0, "low": 0}


def test_a_row_with_each_stands_for_a_row_for_each_value() -> None:
    one, several = {"a": 1, "who": "x"}, {"a": 2, "who": Each(("y", "z"))}
    assert [find_each_key(row) for row in (one, several)] == [None, "who"]
    assert list(expand_row(one)) == [one]
    assert list(expand_row(several)) == [{"a": 2, "who": "y"}, {"a": 2, "who": "z"}]
    assert count_rows([one, several, {"who": Each(())}]) == 3
