# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``audit_report`` writes and returns."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.modules import audit_report

from tests.unit.audit.examples import PUBLIC, audit_of, region
from tests.unit.in_process import returned


def run(given: dict[str, Any], folder: Path | None) -> dict[str, Any]:
    """What the module returns for an audit's result."""
    options = {"audit_result": given, "report_dir": None if folder is None else str(folder)}
    return returned(audit_report, options)


def test_a_report_is_written_in_all_forms_and_once(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    given = audit_of(region(PUBLIC))
    result = run(given, folder)
    assert len(result["actions"]) == len([*folder.iterdir()]) == 4
    assert run(given, folder)["actions"] == []
    assert (result["report_dir"], result["report_path"], result["changes"]) == (str(folder), None, None)


def test_the_images_are_in_the_file_and_not_returned(tmp_path: Path) -> None:
    result = run(audit_of(region(PUBLIC)), tmp_path)
    content = json.loads((tmp_path / "report.json").read_text("utf-8"))
    (image,) = content.pop("images")
    assert image["shared_with"][0]["principals"] == ["all"]
    assert content == {
        **result["report"],
        "written_at": content["written_at"],
        "kind": "audit",
        "changes": None,
        "history": [{"written_at": content["written_at"], "counts": result["report"]["counts"]}],
    }


def test_the_audit_result_is_not_returned_again(tmp_path: Path) -> None:
    # Ansible adds the options to a result that has no entry for them.
    assert run(audit_of(region()), tmp_path)["invocation"] == {}


def test_what_changed_is_returned(tmp_path: Path) -> None:
    run(audit_of(region()), tmp_path)
    result = run(audit_of(region(PUBLIC)), tmp_path)
    assert len(result["changes"]["added"]) == 1
    assert len(result["actions"]) == 4


def test_a_place_that_does_not_exist_is_refused_for_any_result(tmp_path: Path) -> None:
    assert "there is no directory" in run({}, tmp_path / "no" / "such" / "place")["msg"]


@pytest.mark.parametrize("name", [".", "new"])
def test_a_folder_that_is_not_writable_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # The tests may run as root, which may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path or mode != os.W_OK | os.X_OK)
    assert "cannot be written to" in run({}, tmp_path / name)["msg"]


def test_without_a_folder_the_report_is_returned() -> None:
    result = run({"failed": True, "msg": "No."}, None)
    assert (result["report"]["status"], result["actions"]) == ("incomplete", [])
