# SPDX-License-Identifier: GPL-3.0-or-later

"""Files for other tools, on the controller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.plugins.action import ActionBase
from ansible_collections.golden.images.plugins.action import distribution_files as plugin
from ansible_collections.golden.images.plugins.plugin_utils import _result_display as result_display

from tests.unit.tasks import make_task

IMAGES = {"eu-west-1": "ami-0123456789abcdef0"}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs the action with these options, in an empty directory."""
    monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})
    monkeypatch.chdir(tmp_path)

    def run(check_mode: bool = False, **options: Any) -> dict[str, Any]:
        action = plugin.ActionModule.__new__(plugin.ActionModule)
        action._task = make_task(args=options, check_mode=check_mode)
        return action.run(None, {})

    return run


def test_a_file_is_written_and_then_stays(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "images.env"
    planned = run(output_files=["images.env"], images=IMAGES, check_mode=True)
    assert (planned["changed"], path.exists()) == (True, False)
    assert run(output_files=["images.env"], images=IMAGES) == {
        "changed": True,
        "files": [str(path)],
        "failures": [],
    }
    assert path.read_text(encoding="utf-8") == "AMI_EU_WEST_1=ami-0123456789abcdef0\n"
    assert not run(output_files=["images.env"], images=IMAGES)["changed"]


def test_a_failure_names_the_option(run: Any) -> None:
    result = run(output_files=["a.txt"], images_by_source={"web": IMAGES})
    assert result["failed"]
    assert result["msg"].startswith("output_files: ")


def test_of_a_long_failure_only_the_message_is_displayed(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_display, "_LONGEST", 100)
    assert run(output_files=["a.unknown"], images=IMAGES)["_ansible_no_log"] is True
