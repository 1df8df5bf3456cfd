# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``audit_report`` writes and returns."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.audit.report.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.progress import reporter

from tests.unit.audit.examples import PUBLIC, region
from tests.unit.audit.report.examples import audited


def run(given: dict[str, Any], folder: Path | None) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """The module's own result, and the actions it performed."""
    params = {
        "audit_result": given,
        "report_path": None,
        "report_dir": None if folder is None else str(folder),
    }
    wanted = FLOW.wanted(params, False)
    seen = FLOW.read(None, wanted)
    plan = FLOW.plan(wanted, seen)
    outcome = FLOW.apply(None, wanted, seen, plan, reporter(None, print))
    return FLOW.result(wanted, seen, plan, outcome), outcome.performed


def test_a_report_is_written_in_all_forms_and_once(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    given = audited(region(PUBLIC))
    result, performed = run(given, folder)
    assert {Path(action.path).name for action in performed} == {path.name for path in folder.iterdir()}
    assert len(performed) == 4
    assert run(given, folder)[1] == ()
    assert (result["report_dir"], result["report_path"], result["changes"]) == (str(folder), None, None)


def test_the_images_are_in_the_file_and_not_returned(tmp_path: Path) -> None:
    result, _performed = run(audited(region(PUBLIC)), tmp_path)
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
    assert run(audited(region()), tmp_path)[0]["invocation"] == {}


def test_what_changed_is_returned(tmp_path: Path) -> None:
    run(audited(region()), tmp_path)
    result, performed = run(audited(region(PUBLIC)), tmp_path)
    assert len(result["changes"]["added"]) == 1
    assert len(performed) == 4


def test_a_place_that_does_not_exist_is_refused_for_any_result(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no directory"):
        run({}, tmp_path / "no" / "such" / "place")


@pytest.mark.parametrize("name", [".", "new"])
def test_a_folder_that_is_not_writable_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # The tests may run as root, which may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path or mode != os.W_OK | os.X_OK)
    with pytest.raises(Refused, match="cannot be written to"):
        run({}, tmp_path / name)


def test_without_a_folder_the_report_is_returned() -> None:
    result, performed = run({"failed": True, "msg": "No."}, None)
    assert (result["report"]["status"], performed) == ("incomplete", ())


def test_a_report_needs_no_aws() -> None:
    assert FLOW.needs_aws is False
