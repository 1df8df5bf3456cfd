# SPDX-License-Identifier: GPL-3.0-or-later

"""When the files of a report in a directory are written, and the changes that they list."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports.document import (
    Changes,
    Document,
    compare_sentences,
)
from ansible_collections.golden.images.plugins.module_utils._reports.formats import (
    JSON,
    LATEST,
    NAMES,
    make_dated_stem,
    replace_stem,
)
from ansible_collections.golden.images.plugins.module_utils._reports.plan import (
    CurrentReport,
    DesiredReport,
    Folder,
    ReportPlan,
    digest,
    plan,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.reports.examples import PAGE_FILES, document

NOW, LATER, LAST = "2026-11-24T12:00:00+00:00", "2026-11-25T12:00:00+00:00", "2026-11-26T12:00:00+00:00"
CONTENT = {"status": "findings", "findings": ["one", "two"]}
COUNTS = {"high": 2, "medium": 1, "low": 1}
OTHER = {"status": "findings", "findings": ["two", "three"]}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    return compare_sentences(before["written_at"], before["findings"], after["findings"])


def planned(
    forms: Mapping[str, str],
    content: Mapping[str, Any] = CONTENT,
    now: str = NOW,
    failed: bool = False,
    **wanted: Any,
) -> ReportPlan:
    folder = Folder("reports", lambda _content: document(), differences)
    place = replace(folder, **wanted)
    return plan(DesiredReport(None, content, place, failed=failed), seen_with(forms, now))


def seen_with(forms: Mapping[str, str], now: str = NOW, text: str | None = None) -> CurrentReport:
    """The directory with these files, and the single file with this text."""
    digests = {name: digest(form) for name, form in forms.items()}
    return CurrentReport(text, now, forms.get(JSON), digests, page=PAGE_FILES)


def files(result: ReportPlan) -> dict[str, str]:
    return {action.path.removeprefix("reports/"): action.text for action in result.actions}


@pytest.fixture(scope="module")
def first() -> dict[str, str]:
    return files(planned({}))


def test_the_json_file_is_written_after_all_other_formats(first: dict[str, str]) -> None:
    assert list(first) == [*NAMES[1:], JSON]
    assert json.loads(first[JSON]) == {
        "written_at": NOW,
        "written_by": {},
        "kind": "audit",
        "changes": None,
        "history": [{"written_at": NOW, "counts": COUNTS}],
        **CONTENT,
    }


def test_a_written_report_is_unchanged(first: dict[str, str]) -> None:
    result = planned(first, now=LATER)
    assert (result.actions, result.warnings) == ((), ())
    assert result.before == result.after == CONTENT


@pytest.mark.parametrize("name", NAMES[1:])
@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_missing_or_damaged_file_is_restored(first: dict[str, str], name: str, how: str) -> None:
    forms = {key: text for key, text in first.items() if key != name}
    if how == "damaged":
        forms[name] = first[name][:40]
    assert files(planned(forms, now=LATER)) == {name: first[name]}


def test_who_wrote_a_content_first_stays_until_it_changes() -> None:
    place = Folder("reports", lambda _content: document(), differences)
    auditor, another = {"caller": "auditor", "collection": "1.0.0"}, {"caller": "another"}
    written = files(plan(DesiredReport(None, CONTENT, place), replace(seen_with({}), written_by=auditor)))
    assert json.loads(written[JSON])["written_by"] == auditor
    assert "auditor" in written["report.html"]
    assert "golden.images 1.0.0" in written["report.html"]
    by_another = replace(seen_with(written, LATER), written_by=another)
    assert plan(DesiredReport(None, CONTENT, place), by_another).actions == ()
    changed = files(plan(DesiredReport(None, OTHER, place), by_another))
    assert json.loads(changed[JSON])["written_by"] == another


def test_a_changed_report_lists_the_changes(first: dict[str, str]) -> None:
    result = planned(first, OTHER, LATER)
    written = {**first, **files(result)}
    # The records of this document are always the same.
    assert set(files(result)) == {*NAMES} - {"report.csv"}
    assert (result.before, result.after) == (CONTENT, OTHER)
    changes = {"since": NOW, "added": ["three"], "removed": ["one"]}
    assert json.loads(written[JSON]) == {
        "written_at": LATER,
        "written_by": {},
        "kind": "audit",
        "changes": changes,
        "history": [{"written_at": time, "counts": COUNTS} for time in (NOW, LATER)],
        **OTHER,
    }
    assert result.changes == Changes(NOW, ("three",), ("one",))

    # They stay listed if nothing changes, and if a file is restored.
    assert planned(written, OTHER, LAST).actions == ()
    assert planned(written, OTHER, LAST).changes == result.changes
    del written["report.html"]
    assert list(files(planned(written, OTHER, LAST))) == ["report.html"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "is not a JSON report", id="empty"),
        pytest.param("{", "is not a JSON report", id="half a report"),
        pytest.param("[" * 100_000, "is not a JSON report", id="nested too deeply"),
        pytest.param("[]", "is not a JSON report", id="a list"),
        pytest.param("{}", r"is not a report of this kind \(audit\)", id="an empty report"),
        pytest.param(
            json.dumps({"kind": "cleanup", "written_at": NOW, **CONTENT}),
            "not a report of this",
            id="another kind",
        ),
        pytest.param(json.dumps({"kind": "audit", **CONTENT}), "not a report of this", id="without a time"),
        pytest.param(
            json.dumps({"kind": "audit", "written_at": NOW}), "another structure", id="another version"
        ),
        pytest.param(
            json.dumps({"kind": "audit", "written_at": NOW, "findings": 3}),
            "another structure",
            id="a number",
        ),
    ],
)
def test_a_report_that_cannot_be_compared_is_replaced_with_a_warning(
    first: dict[str, str], text: str, complaint: str
) -> None:
    result = planned({**first, JSON: text}, now=LATER)
    (warning,) = result.warnings
    assert warning.startswith("reports/report.json ")
    assert re.search(complaint, warning)
    assert json.loads(files(result)[JSON])["changes"] is None
    assert result.changes is None
    # The warning is given once.
    assert planned({**first, **files(result)}, now=LAST).warnings == ()


def test_a_report_that_cannot_be_read_is_replaced_with_a_warning() -> None:
    seen = CurrentReport(None, NOW, unreadable="Permission denied: 'report.json'", page=PAGE_FILES)
    folder = Folder("reports", lambda _content: document(), differences)
    result = plan(DesiredReport(None, CONTENT, folder), seen)
    assert ["Permission denied" in warning for warning in result.warnings] == [True]
    assert set(files(result)) == set(NAMES)


def test_why_reports_are_not_compared_stays_in_the_report(first: dict[str, str]) -> None:
    other = Changes(NOW, note="The last report was about account 111122223333.")
    result = planned(first, OTHER, LATER, changes=lambda _before, _after: other)
    assert result.changes == other
    written = {**first, **files(result)}
    assert json.loads(written[JSON])["changes"] == {**Changes(NOW).to_dict(), "note": other.note}
    assert other.note in written["report.html"]
    assert "No changes since" not in written["report.html"]
    # It stays if nothing changes.
    assert planned(written, OTHER, LAST).actions == ()
    assert planned(written, OTHER, LAST).changes == other


@pytest.mark.parametrize("changes", ["removed", 3, {}, {"since": NOW, "added": None, "removed": []}])
def test_invalid_changes_are_dropped(first: dict[str, str], changes: Any) -> None:
    report = {**json.loads(first[JSON]), "changes": changes}
    assert json.loads(files(planned({**first, JSON: json.dumps(report)}))[JSON])["changes"] is None


def test_the_page_shows_the_findings_of_the_last_reports(first: dict[str, str]) -> None:
    assert "Findings over time" not in first["report.html"]
    fewer = replace(document(), items=document().items[:1])
    written = {**first, **files(planned(first, OTHER, LATER, document=lambda _content: fewer))}
    assert "Findings over time" in written["report.html"]
    assert "2026-11-25 12:00: 0 high" in written["report.html"]


def test_a_year_of_weekly_reports_is_kept(first: dict[str, str]) -> None:
    many = [{"written_at": f"2025-01-01T00:00:{place:02}+00:00", "counts": {}} for place in range(60)]
    report = {**json.loads(first[JSON]), "history": many}
    history = json.loads(files(planned({**first, JSON: json.dumps(report)}, OTHER, LATER))[JSON])["history"]
    assert len(history) == 52
    assert history[-1] == {"written_at": LATER, "counts": COUNTS}


@pytest.mark.parametrize(
    "history",
    [
        None,
        3,
        ["one"],
        [{"written_at": NOW}],
        [{"written_at": 3, "counts": {}}],
        [{"written_at": "x", "counts": []}],
    ],
)
def test_an_invalid_history_is_dropped(first: dict[str, str], history: Any) -> None:
    report = {**json.loads(first[JSON]), "history": history}
    found = json.loads(files(planned({**first, JSON: json.dumps(report)}, OTHER, LATER))[JSON])["history"]
    assert found == [{"written_at": LATER, "counts": COUNTS}]


def test_invalid_numbers_of_a_history_are_dropped(first: dict[str, str]) -> None:
    counts = {"high": "many", "medium": True, "low": 3, "other": 4}
    report = {**json.loads(first[JSON]), "history": [{"written_at": "x", "counts": counts}]}
    found = json.loads(files(planned({**first, JSON: json.dumps(report)}, OTHER, LATER))[JSON])["history"]
    assert found[0] == {"written_at": "x", "counts": {"low": 3}}


def test_a_report_with_other_formatting_is_unchanged(first: dict[str, str]) -> None:
    assert planned({**first, JSON: json.dumps(json.loads(first[JSON]), indent=7)}).actions == ()


def test_a_file_in_addition_to_the_folder(first: dict[str, str]) -> None:
    wanted = DesiredReport("r.json", CONTENT, Folder("reports/", lambda _content: document(), differences))
    both = plan(wanted, seen_with({}))
    assert [action.path for action in both.actions] == ["r.json", *(f"reports/{name}" for name in first)]
    text = both.actions[0].text
    assert json.loads(text) == {"written_at": NOW, "written_by": {}, **CONTENT}
    assert plan(wanted, seen_with(first, LATER, text)).actions == ()
    changed = plan(wanted, seen_with(first, LATER, "{}"))
    assert [action.path for action in changed.actions] == ["r.json"]
    assert (changed.before, changed.after) == ({}, CONTENT)


def completed(previous: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with the note of the previous report."""
    return {**content, "note": previous["note"]}


def test_what_only_the_previous_run_could_know_is_kept() -> None:
    def of(content: Mapping[str, Any]) -> Document:
        return replace(document(), headline=str(content.get("note")))

    folder = Folder("reports", of, differences)
    noted = {**CONTENT, "note": "An hour."}
    first = plan(DesiredReport("r.json", noted, folder), seen_with({}))
    texts = {action.path: action.text for action in first.actions}
    seen = seen_with(files(first), LATER, texts["r.json"])
    wanted = DesiredReport("r.json", CONTENT, folder, completed)
    again = plan(wanted, seen)
    assert (again.actions, again.after) == ((), noted)
    # In the file, the directory, or both, and on the page.
    assert plan(wanted, seen_with({}, LATER, texts["r.json"])).after == noted
    in_folder = plan(wanted, seen_with({JSON: texts["reports/report.json"]}, LATER))
    assert in_folder.after == noted
    assert "An hour." in files(in_folder)["report.html"]


@pytest.mark.parametrize("text", [None, "{", "[]", '{"findings": []}'])
def test_a_previous_report_that_knows_nothing_is_no_problem(text: str | None) -> None:
    result = plan(DesiredReport("r.json", CONTENT, remember=completed), CurrentReport(text, NOW))
    assert result.after == CONTENT


@given(st.lists(st.text(), unique=True), st.lists(st.text(), unique=True))
def test_changes_transform_one_report_into_the_next(before: list[str], after: list[str]) -> None:
    changes = compare_sentences(NOW, before, after)
    assert {*before} - {*changes.removed} | {*changes.added} == {*after}
    assert not {*changes.added} & {*before}
    assert {*changes.removed} <= {*before}


def named(stem: str) -> list[str]:
    return [replace_stem(stem, name) for name in NAMES]


def latest(written: Mapping[str, str]) -> dict[str, str]:
    """The latest files as a run finds them, by their names in other directories."""
    return {
        f"report{name.removeprefix(LATEST)}": text
        for name, text in written.items()
        if name.startswith(LATEST)
    }


def test_each_dated_report_has_files_of_its_own_and_is_the_latest() -> None:
    result = planned({}, dated=True)
    written = files(result)
    own, copies = named(make_dated_stem(NOW)), named(LATEST)
    # The next run compares latest.json: it is the last, and nothing is the latest before it is complete.
    assert {*written} == {*own, *copies}
    assert list(written)[-1] == "latest.json"
    assert {*list(written)[:4]} == {*own}
    for mine, copied in zip(own, copies, strict=True):
        assert written[mine] == written[copied]
    assert result.files == (*own, *copies)


def test_a_dated_report_is_written_again_only_if_its_content_changes() -> None:
    first = latest(files(planned({}, dated=True)))
    again = planned(first, now=LATER, dated=True)
    assert (again.actions, again.files) == ((), (*named(make_dated_stem(NOW)), *named(LATEST)))
    del first["report.csv"]
    assert {*files(planned(first, now=LATER, dated=True))} == {"latest.csv"}
    changed = files(planned(first, OTHER, LATER, dated=True))
    assert {*changed} == {*named(make_dated_stem(LATER)), *named(LATEST)}
    report = json.loads(changed["latest.json"])
    assert (report["written_at"], report["changes"]["since"]) == (LATER, NOW)


@pytest.mark.parametrize("content", [CONTENT, OTHER], ids=["the same content", "other content"])
def test_a_failed_report_has_a_date_and_is_not_the_latest(content: Mapping[str, Any]) -> None:
    first = latest(files(planned({}, dated=True)))
    failed = planned(first, content, LATER, failed=True, dated=True)
    own = named(make_dated_stem(LATER, failed=True))
    assert ({*files(failed)}, failed.files) == ({*own}, (*own,))
    # The next report is compared with the latest one.
    done = planned(first, OTHER, LAST, dated=True)
    assert json.loads(files(done)["latest.json"])["changes"]["since"] == NOW


def test_a_damaged_latest_report_is_named() -> None:
    (warning,) = planned({JSON: "{"}, dated=True).warnings
    assert warning.startswith("reports/latest.json ")
