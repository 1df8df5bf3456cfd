# SPDX-License-Identifier: GPL-3.0-or-later

"""How the file of a report is read and written, shown with ``distribution_report``."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._option import TEXT, option
from ansible_collections.golden.images.plugins.module_utils._option_groups import ReportOptions
from ansible_collections.golden.images.plugins.module_utils._reports import flow
from ansible_collections.golden.images.plugins.module_utils._reports.document import Changes
from ansible_collections.golden.images.plugins.module_utils._reports.flow import (
    check_appended_file,
    check_file,
    check_report_options,
    make_failed_path,
)
from ansible_collections.golden.images.plugins.module_utils._reports.flow_result import Reporting
from ansible_collections.golden.images.plugins.modules import distribution_report

from tests.unit.examples import as_read
from tests.unit.in_process import returned
from tests.unit.reports.examples import PAGE_FILES, document

GIVEN: dict[str, Any] = {
    "copy_results": [{"source_image_id": "ami-1", "results": [{"region": "eu-west-1"}]}],
    "grant_results": [{}],
    "share_result": {"results": [{"region": "eu-west-1"}]},
}


@dataclass(frozen=True, kw_only=True)
class StatusOptions(ReportOptions):
    status: str = option(TEXT)


def only(name: str, place: Path) -> dict[str, str | None]:
    """The places of a report: this one."""
    return {"report_path": None, "report_dir": None, name: str(place)}


def run(path: Path | None) -> dict[str, Any]:
    """The result of the module."""
    return returned(distribution_report, {**GIVEN, "report_path": None if path is None else str(path)})


def test_a_report_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    result = run(path)
    written = path.stat()
    second = run(path)
    assert (len(result["actions"]), second["actions"]) == (1, [])
    assert (result["changed"], second["changed"]) == (True, False)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert {**result, "actions": []} == {
        "actions": [],
        "changed": True,
        "changes": None,
        "failures": [],
        "report": {k: v for k, v in content.items() if k not in ("written_at", "written_by")},
        "report_dir": None,
        "report_failures": [],
        "report_path": str(path),
        "report_s3_uri": None,
        "report_url": None,
    }
    assert datetime.fromisoformat(content["written_at"]).utcoffset() == timedelta()


def test_without_a_path_the_report_is_returned() -> None:
    result = run(None)
    assert result["report_path"] is None
    assert result["report"]["source_image_id"] == "ami-1"
    assert result["actions"] == []
    assert returned(distribution_report, {**GIVEN, "return_report": False})["report"] is None


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("old")
    with path.open() as reading:
        run(path)
        assert reading.read() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["r.json"]


def test_a_report_has_the_permissions_of_a_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        run(tmp_path / "r.json")
    finally:
        os.umask(before)
    assert (tmp_path / "r.json").stat().st_mode & 0o777 == 0o640


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path / "none" / "r.json")
    assert "there is no directory" in result["msg"]
    assert [failure["action"] for failure in result["failures"]] == ["report_path"]


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(b"\xff\xfe")
    assert [failure["error_code"] for failure in run(path)["failures"]] == ["file_error"]
    assert path.read_bytes() == b"\xff\xfe"
    # Also before a long operation.
    (failure,) = check_report_options(str(path), None)
    assert failure.message == f"report_path: {path}: it is not text in UTF-8."


def test_a_folder_with_the_name_of_the_file_is_refused(tmp_path: Path) -> None:
    assert run(tmp_path)["failed"]
    (failure,) = check_report_options(str(tmp_path), None)
    assert failure.message == f"report_path: {tmp_path} is a directory."


def test_a_file_to_append_to_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tombstones.jsonl"
    assert check_appended_file(str(path)) == ("", "")
    assert check_appended_file(str(tmp_path))[0] == f"{tmp_path} is a directory."
    path.write_text("{}")
    # Only the file is written to.
    make_read_only(monkeypatch, tmp_path)
    assert check_appended_file(str(path)) == ("", "")
    assert path.read_text() == "{}"

    def refuse(_path: str, _mode: str) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(flow, "open", refuse, raising=False)
    problem = "cannot be read and written to: Read-only file system."
    assert check_appended_file(str(path))[0] == f"{path} {problem}"


def test_a_file_that_cannot_be_written_is_a_failure_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_source: str, _target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    result = run(tmp_path / "r.json")
    assert result["actions"] == []
    assert result["report_failures"] == result["failures"]
    (failure,) = result["failures"]
    assert "No space left" in failure["message"]
    assert result["report"]["source_image_id"] == "ami-1"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "problem"), [("report_path", "no directory"), ("report_dir", "no directory")]
)
def test_paths_are_checked_without_writing(tmp_path: Path, option: str, problem: str) -> None:
    (failure,) = check_report_options(**only(option, tmp_path / "none" / "sub" / "new"))
    assert (failure.action, problem in failure.message) == (option, True)
    assert list(check_report_options(**only(option, tmp_path / "new"))) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("missing", "problem"),
    [
        ("a", ""),
        ("a/b", ""),
        ("a/b/c", "there is no directory {}/a."),
        ("file/a", "{}/file is not a directory."),
        ("file", "{}/file is not a directory."),
    ],
)
def test_only_the_last_directories_of_a_path_can_be_missing(
    tmp_path: Path, missing: str, problem: str
) -> None:
    (tmp_path / "file").touch()
    failures = list(check_report_options(None, str(tmp_path / missing)))
    expected = [f"report_dir: {problem.format(tmp_path)}"] if problem else []
    assert [failure.message for failure in failures] == expected
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("missing", ["a", "a/b"])
def test_the_directory_that_would_get_new_ones_must_be_writable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    make_read_only(monkeypatch, tmp_path)
    (failure,) = check_report_options(None, str(tmp_path / missing))
    assert failure.message == f"report_dir: {tmp_path} cannot be written to: Read-only file system."


def make_read_only(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let no new file be opened in a directory, whoever asks: os.access tells root that it may."""
    really_open = os.open

    def refuse(path: Any, flags: int, *others: Any, **options: Any) -> int:
        if flags & os.O_CREAT and Path(path).parent == folder:
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return really_open(path, flags, *others, **options)

    monkeypatch.setattr(os, "open", refuse)


def test_a_directory_is_left_as_it_was(tmp_path: Path) -> None:
    assert list(check_report_options(str(tmp_path / "report.json"), str(tmp_path))) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["report_path", "report_dir"])
def test_what_is_in_a_directory_that_cannot_be_searched_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    stat = os.stat

    def without_search(place: Any, **options: Any) -> os.stat_result:
        if Path(place).parent == tmp_path:
            raise PermissionError(errno.EACCES, "Permission denied", str(place))
        return stat(place, **options)

    monkeypatch.setattr(os, "stat", without_search)
    make_read_only(monkeypatch, tmp_path)
    (failure,) = check_report_options(**only(option, tmp_path / "report"))
    assert failure.message == f"{option}: {tmp_path} cannot be written to: Read-only file system."


def test_names_of_accounts_have_ids_of_12_digits() -> None:
    spec = ReportOptions.argument_spec()
    given = {"account_names": {"012345678901": "web", 222222222222: 7}}
    assert as_read(spec, given)["account_names"] == {"012345678901": "web", "222222222222": "7"}
    with pytest.raises(ValidationError, match=r"012345671234 becomes 1402434204") as refused:
        as_read(spec, {"account_names": {1402434204: "web"}})
    assert refused.value.failures[0].action == "account_names"


def test_a_file_needs_a_folder_that_exists(tmp_path: Path) -> None:
    assert check_file(str(tmp_path / "images.env")) == ("", "")
    problem, remedy = check_file(str(tmp_path / "missing" / "images.env"))
    assert problem == f"there is no directory {tmp_path / 'missing'}."
    assert remedy == "Create it, or use another path."


def test_a_failed_report_replaces_no_other_one(tmp_path: Path) -> None:
    reporting = Reporting[StatusOptions](
        lambda options, _result: {"status": options.status},
        document=lambda _content: document(),
        changes=lambda _before, _after: Changes("", (), ()),
        failed=lambda content: content["status"] == "failed",
    )
    places = {"report_path": str(tmp_path / "r.json"), "report_dir": str(tmp_path / "all")}

    def write(status: str) -> tuple[Mapping[str, Any], dict[str, str]]:
        options = StatusOptions.read({**places, "status": status}, False)
        reported = reporting.open(options, PAGE_FILES).write({})
        assert reported.failures == ()
        texts = {one: json.loads(Path(one).read_text(encoding="utf-8"))["status"] for one in _json(tmp_path)}
        return reported.values, texts

    done, texts = write("done")
    assert (done["report_path"], texts[str(tmp_path / "r.json")]) == (str(tmp_path / "r.json"), "done")
    failed, texts = write("failed")
    beside = str(tmp_path / "r.failed.json")
    assert (failed["report_path"], failed["report_dir"]) == (beside, str(tmp_path / "all"))
    assert not [name for name in failed["report_files"] if name.startswith("latest")]
    assert texts[beside] == "failed"
    assert texts[str(tmp_path / "r.json")] == texts[str(tmp_path / "all" / "latest.json")] == "done"


def _json(folder: Path) -> list[str]:
    return [str(one) for one in folder.rglob("*.json")]


@pytest.mark.parametrize(
    ("path", "failed"),
    [
        ("/a/distribution.json", "/a/distribution.failed.json"),
        ("distribution", "distribution.failed.json"),
        ("/a.json/web.txt", "/a.json/web.txt.failed.json"),
    ],
)
def test_the_file_of_a_failed_report_is_beside_that_of_others(path: str, failed: str) -> None:
    assert make_failed_path(path) == failed
