# SPDX-License-Identifier: GPL-3.0-or-later

"""When the file of a report is written."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports.plan import (
    CurrentReport,
    DesiredReport,
    ReportPlan,
    WriteFile,
    digest,
    plan,
)
from hypothesis import given
from hypothesis import strategies as st

NOW, LATER = "2026-11-24T12:00:00+00:00", "2026-11-25T12:00:00+00:00"
CONTENT = {"status": "distributed", "regions": [{"region": "eu-west-1", "é": None}]}


def planned(text: str | None, path: str | None = "r.json", content: Any = None, now: str = NOW) -> ReportPlan:
    return plan(DesiredReport(path, CONTENT if content is None else content), CurrentReport(text, now))


def written(result: ReportPlan) -> str:
    (action,) = result.actions
    return action.text


def test_a_report_is_json_with_the_time_of_writing() -> None:
    result = planned(None)
    text = written(result)
    assert json.loads(text) == {"written_at": NOW, "written_by": {}, **CONTENT}
    assert text.endswith("}\n")
    assert (result.before, result.after) == ({}, CONTENT)
    assert (result.refusals, result.tolerated, result.warnings) == ((), (), ())


def test_the_result_of_the_write_action() -> None:
    assert WriteFile("r.json", "{}").to_dict() == {
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
        pytest.param(None, {}, id="no file"),
        pytest.param("", {}, id="empty"),
        pytest.param("{", {}, id="half a report"),
        pytest.param("[]", {}, id="a list"),
        pytest.param("null", {}, id="null"),
        pytest.param('"distributed"', {}, id="a string"),
        pytest.param(
            dumped(CONTENT, status="failed", written_at=NOW), {**CONTENT, "status": "failed"}, id="another"
        ),
        pytest.param(dumped(CONTENT, more=1), {**CONTENT, "more": 1}, id="with a further key"),
        pytest.param('{"written_at": "x"}', {}, id="without content"),
    ],
)
def test_a_report_with_other_content_is_replaced(text: str | None, before: dict[str, Any]) -> None:
    result = planned(text)
    assert [action.path for action in result.actions] == ["r.json"]
    assert (result.before, result.after) == (before, CONTENT)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(dumped(CONTENT, written_at="long ago"), id="another time"),
        pytest.param(dumped(CONTENT), id="without a time"),
        pytest.param(
            json.dumps(CONTENT, indent=7, sort_keys=True, ensure_ascii=False), id="other formatting"
        ),
    ],
)
def test_a_report_with_the_same_content_is_unchanged(text: str) -> None:
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
def test_a_written_report_is_unchanged(content: dict[str, Any]) -> None:
    text = written(planned(None, content=content or CONTENT))
    assert planned(text, content=content or CONTENT, now=LATER).actions == ()


def test_the_digest_of_a_text_is_that_of_its_file() -> None:
    assert digest("é") == digest("é".encode()) != digest("e")
    assert len(digest("a" * 10_000)) == 64


def test_the_digest_of_a_long_text_is_made_of_its_parts() -> None:
    text = "aé" * 750_000
    assert digest(text) == digest(text.encode()) == hashlib.sha256(text.encode()).hexdigest()
