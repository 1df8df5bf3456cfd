# SPDX-License-Identifier: GPL-3.0-or-later

"""How a flow with ``report_dir`` reads and writes its directory."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._option import TEXTS, option
from ansible_collections.golden.images.plugins.module_utils._option_groups import ReportOptions
from ansible_collections.golden.images.plugins.module_utils._reports import flow as report
from ansible_collections.golden.images.plugins.module_utils._reports.document import compare_sentences
from ansible_collections.golden.images.plugins.module_utils._reports.flow_result import Reporting
from ansible_collections.golden.images.plugins.module_utils._reports.formats import NAMES
from ansible_collections.golden.images.plugins.module_utils._runner import Reported

from tests.unit.reports.examples import PAGE_FILES, document


@dataclass(frozen=True, kw_only=True)
class SaidOptions(ReportOptions):
    said: tuple[str, ...] = option(TEXTS)


REPORTING = Reporting[SaidOptions](
    lambda options, _result: {"said": [*options.said]},
    document=lambda _content: document(),
    changes=lambda before, after: compare_sentences(before["written_at"], before["said"], after["said"]),
)


def run(
    folder: Path | None,
    path: Path | None = None,
    said: tuple[str, ...] = ("one",),
    **options: Any,
) -> Reported:
    """What became of the report."""
    places = {"report_path": path and str(path), "report_dir": folder and str(folder)}
    given = {**places, "said": [*said], "return_report": True, **options}
    return REPORTING.open(SaidOptions.read(given, False), PAGE_FILES).write({})


def written(reported: Reported) -> list[str]:
    """The names of the files that were written."""
    return [Path(str(action.to_dict()["resource"])).name for action in reported.actions]


def test_the_folder_is_created_and_written_once(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    reported = run(folder, tmp_path / "r.json")
    assert {item.name for item in folder.iterdir()} == set(NAMES)
    assert {*written(reported)} == {*NAMES, "r.json"}
    assert reported.values == {
        "changes": None,
        "report": {"said": ["one"]},
        "report_dir": str(folder),
        "report_path": str(tmp_path / "r.json"),
        "report_s3_uri": None,
        "report_url": None,
    }
    before = {item.name: item.stat().st_mtime_ns for item in folder.iterdir()}
    assert run(folder, tmp_path / "r.json").actions == ()
    assert {item.name: item.stat().st_mtime_ns for item in folder.iterdir()} == before

    # RFC 4180: lines end in CR LF, on every system.
    assert (folder / "report.csv").read_bytes().count(b"\r\n") == len(document().records.rows) + 1


def test_changes_are_returned_and_written(tmp_path: Path) -> None:
    run(tmp_path)
    since = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["written_at"]
    changes = run(tmp_path, said=("two",)).values["changes"]
    assert changes == {"since": since, "added": ["two"], "removed": ["one"]}
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["changes"] == changes


def test_no_file_is_written_without_a_path() -> None:
    reported = run(None)
    assert reported.actions == ()
    assert {value for name, value in reported.values.items() if name != "report"} == {None}


def test_an_empty_path_is_ignored() -> None:
    assert run(None, report_path="", report_dir="").actions == ()


def test_a_file_that_is_not_text_is_replaced(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "report.html").write_bytes(b"\xff\xfe")
    reported = run(tmp_path)
    assert (written(reported), reported.warnings) == (["report.html"], ())

    (tmp_path / "report.json").write_bytes(b"\xff\xfe")
    reported = run(tmp_path)
    assert "cannot be read: it is not text in UTF-8" in reported.warnings[0]
    assert not reported.failures


def test_a_folder_with_the_name_of_a_file_fails_only_that_file(tmp_path: Path) -> None:
    (tmp_path / "report.csv").mkdir()
    reported = run(tmp_path)
    (failure,) = reported.failures
    assert (failure.action, failure.error_code) == ("report_dir", "file_error")
    assert len(reported.actions) == len(NAMES) - 1
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        pytest.param("no/such/reports", "there is no directory", id="no such place"),
        pytest.param("file", "is not a directory", id="a file"),
    ],
)
def test_an_invalid_folder_is_refused(tmp_path: Path, place: str, problem: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValidationError, match=problem) as caught:
        run(tmp_path / place)
    assert [failure.action for failure in caught.value.failures] == ["report_dir"]


def test_a_folder_is_refused_without_jinja2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "MISSING", "Jinja2")
    with pytest.raises(ValidationError, match="report_dir: HTML reports need Jinja2"):
        run(tmp_path)
    assert run(None, tmp_path / "r.json").failures == ()
    assert os.listdir(tmp_path) == ["r.json"]


def test_the_page_has_the_names_of_accounts(tmp_path: Path) -> None:
    run(tmp_path, account_names={"012345678901": "images", "210987654321": "batch"})
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "images (012345678901)" in page
    assert "batch (210987654321)" in page
    # Other names are another page, of the same report.
    assert written(run(tmp_path, account_names={"210987654321": "search"})) == ["report.html"]
