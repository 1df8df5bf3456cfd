# SPDX-License-Identifier: GPL-3.0-or-later

"""When a report file is written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.reports.plan import (
    ReportPlan,
    ReportSeen,
    ReportWanted,
    WriteFile,
    plan,
)
from hypothesis import given
from hypothesis import strategies as st

NOW, LATER = "2026-11-24T12:00:00+00:00", "2026-11-25T12:00:00+00:00"
CONTENT = {"status": "distributed", "regions": [{"region": "eu-west-1", "é": None}]}


def planned(text: str | None, path: str | None = "r.json", content: Any = None, now: str = NOW) -> ReportPlan:
    return plan(ReportWanted(path, CONTENT if content is None else content), ReportSeen(text, now))


def written(result: ReportPlan) -> str:
    (action,) = result.actions
    return action.text


def test_a_report_is_json_with_the_time_of_writing() -> None:
    result = planned(None)
    text = written(result)
    assert json.loads(text) == {"written_at": NOW, **CONTENT}
    assert text.endswith("}\n")
    assert (result.before, result.after) == ({}, CONTENT)
    assert (result.refusals, result.tolerated, result.warnings) == ((), (), ())


def test_the_writing_is_listed_as_an_action() -> None:
    assert WriteFile("r.json", "{}").as_result() == {
        "account_id": None,
        "action": "write",
        "region": None,
        "resource": "r.json",
    }


def dumped(content: Any, **changes: Any) -> str:
    return json.dumps({**content, **changes})


@pytest.mark.parametrize(
    ("text", "before"),
    [
        pytest.param(None, {}, id="there is none"),
        pytest.param("", {}, id="empty"),
        pytest.param("{", {}, id="half a report"),
        pytest.param("[]", {}, id="no report"),
        pytest.param("null", {}, id="nothing"),
        pytest.param('"distributed"', {}, id="a text"),
        pytest.param(
            dumped(CONTENT, status="failed", written_at=NOW), {**CONTENT, "status": "failed"}, id="another"
        ),
        pytest.param(dumped(CONTENT, more=1), {**CONTENT, "more": 1}, id="one that says more"),
        pytest.param('{"written_at": "x"}', {}, id="one that says nothing"),
    ],
)
def test_a_report_that_says_something_else_is_replaced(text: str | None, before: dict[str, Any]) -> None:
    result = planned(text)
    assert [action.path for action in result.actions] == ["r.json"]
    assert (result.before, result.after) == (before, CONTENT)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(dumped(CONTENT, written_at="long ago"), id="at another time"),
        pytest.param(dumped(CONTENT), id="at no time"),
        pytest.param(
            json.dumps(CONTENT, indent=7, sort_keys=True, ensure_ascii=False), id="in another style"
        ),
    ],
)
def test_a_report_that_says_the_same_is_left_alone(text: str) -> None:
    result = planned(text)
    assert result.actions == ()
    assert result.before == result.after == CONTENT


def test_without_a_path_nothing_is_written() -> None:
    assert planned(None, path=None).actions == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text().filter(lambda key: key != "written_at"), JSON, max_size=4))
def test_what_was_written_needs_no_writing(content: dict[str, Any]) -> None:
    text = written(planned(None, content=content or CONTENT))
    assert planned(text, content=content or CONTENT, now=LATER).actions == ()
