# SPDX-License-Identifier: GPL-3.0-or-later

"""The report that ``ami_share_audit`` makes of its result."""

from __future__ import annotations

import errno
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils import _runner as runner
from ansible_collections.golden.images.plugins.module_utils._audit.state import AuditState
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.modules import ami_share_audit
from ansible_collections.golden.images.plugins.plugin_utils._runs_here import read_attachments

from tests.unit.audit.examples import PUBLIC, account_of, accounts, refused, region, under_key
from tests.unit.examples import STRANGER
from tests.unit.in_process import returned
from tests.unit.kms_grant.examples import made, root

REPLACED = {"findings", "kms_keys", "results", "unused_snapshots"}


def run(account: AuditState, folder: Path | None, **options: Any) -> dict[str, Any]:
    """What the module returns, with its report in place of what it has found."""
    given = {"report_dir": None if folder is None else str(folder), "return_report": True, **options}
    return returned(ami_share_audit, given, account)


def run_into(exception: Exception, folder: Path) -> dict[str, Any]:
    """What the module returns if it cannot read anything."""

    def fail(_clients: object, _options: object) -> AuditState:
        raise exception

    flow = replace(ami_share_audit.FLOW, read=fail, needs_aws=False)
    options = {"report_dir": str(folder), "return_report": True, **read_attachments("_page")}
    return runner.run_here(flow, options)


def content_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return content


def test_a_report_is_written_in_all_forms_and_once(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    account = account_of(under_key(accounts(STRANGER), made(root(STRANGER))))
    result = run(account, folder)
    assert len(result["actions"]) == len([*folder.iterdir()]) == 4
    assert result["changed"] is True
    again = run(account, folder)
    assert (again["actions"], again["changed"]) == ([], False)
    assert (result["report_dir"], result["report_path"], result["changes"]) == (str(folder), None, None)
    assert (result["report_s3_uri"], result["report_url"], result["report_failures"]) == (None, None, [])


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    given = {"report_dir": str(tmp_path / "audit"), "return_report": True}
    result = returned(ami_share_audit, given, account_of(region(PUBLIC)), check_mode=True)
    assert len(result["actions"]) == 4
    assert [*tmp_path.iterdir()] == []
    assert result["report"]["status"] == "findings"


def test_the_images_are_in_the_file_and_not_returned(tmp_path: Path) -> None:
    result = run(account_of(region(PUBLIC)), tmp_path)
    assert REPLACED.isdisjoint(result)
    content = content_of(tmp_path)
    (image,) = content.pop("images")
    assert image["shared_with"][0]["principals"] == ["all"]
    assert content == {
        **result["report"],
        "written_by": content["written_by"],
        "written_at": content["written_at"],
        "kind": "audit",
        "changes": None,
        "history": [{"written_at": content["written_at"], "counts": result["report"]["counts"]}],
    }


def test_the_result_is_whole_if_the_report_is_not_returned(tmp_path: Path) -> None:
    account = account_of(region(PUBLIC))
    without = run(account, None, return_report=False)
    result = run(account, tmp_path, return_report=False)
    assert {key: result[key] for key in REPLACED} == {key: without[key] for key in REPLACED}
    assert len(result["findings"]) == len(content_of(tmp_path)["findings"]) == 1
    assert (without["report"], without["report_dir"], result["report"]) == (None, None, None)


def test_what_changed_is_returned(tmp_path: Path) -> None:
    run(account_of(region()), tmp_path)
    result = run(account_of(region(PUBLIC)), tmp_path)
    assert len(result["changes"]["added"]) == 1
    assert len(result["actions"]) == 4


def test_an_audit_that_is_refused_is_reported(tmp_path: Path) -> None:
    failure = refused(None, "DescribeRegions")
    result = run_into(ValidationError([failure]), tmp_path)
    assert result["failed"] is True
    assert "This task changed nothing." in result["msg"]
    content = content_of(tmp_path)
    assert content["status"] == result["report"]["status"] == "incomplete"
    assert [item["message"] for item in content["failures"]] == [failure.message]


def test_an_audit_that_ends_with_an_exception_is_reported(tmp_path: Path) -> None:
    run(account_of(region()), tmp_path)
    with pytest.raises(ValueError, match="Impossible"):
        run_into(ValueError("Impossible."), tmp_path)
    content = content_of(tmp_path)
    assert content["status"] == "incomplete"
    assert [item["message"] for item in content["failures"]] == ["ValueError: Impossible."]


def test_findings_that_fail_the_task_do_not_keep_the_report_from_being_written(tmp_path: Path) -> None:
    result = run(account_of(region(PUBLIC)), tmp_path, fail_on="high")
    assert result["failed"] is True
    assert content_of(tmp_path)["status"] == "findings"


def test_a_report_that_cannot_be_written_fails_the_task_and_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "report.csv").mkdir()
    result = run(account_of(region(PUBLIC)), tmp_path, fail_on="high")
    assert result["report"]["status"] == "findings"
    (failure,) = result["report_failures"]
    assert failure["action"] == "report_dir"
    assert [item["action"] for item in result["failures"]] == ["fail_on", "report_dir"]
    assert result["msg"].splitlines()[-1].startswith(f"report_dir: {tmp_path / 'report.csv'}")


def test_a_place_that_does_not_exist_is_refused_before_the_audit(tmp_path: Path) -> None:
    result = run(account_of(region()), tmp_path / "no" / "such" / "place")
    assert "there is no directory" in result["msg"]
    assert "report" not in result


@pytest.mark.parametrize("name", [".", "new"])
def test_a_folder_that_is_not_writable_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def refuse(**_options: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    # The tests may run as root, which may write anywhere.
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    assert "cannot be written to" in run(account_of(region()), tmp_path / name)["msg"]


def test_an_upload_needs_a_report_that_is_written() -> None:
    result = run(account_of(region()), None, report_s3_uri="s3://reports/audit")
    assert "report_s3_uri: no report is written that could be uploaded" in result["msg"]


def test_without_a_folder_the_report_is_returned() -> None:
    result = run(account_of(region(PUBLIC)), None)
    assert (result["report"]["status"], result["actions"]) == ("findings", [])
