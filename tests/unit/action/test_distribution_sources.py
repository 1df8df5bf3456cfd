# SPDX-License-Identifier: GPL-3.0-or-later

"""The source of a distribution, from files of the controller."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.plugins.action import ActionBase
from ansible_collections.golden.images.plugins.action import distribution_sources as plugin
from ansible_collections.golden.images.plugins.module_utils._distribution.sources import File
from ansible_collections.golden.images.plugins.plugin_utils import _result_display as result_display

from tests.unit.tasks import make_task

IMAGE = "ami-0123456789abcdef0"
BUILD = {"name": "web", "builder_type": "x", "artifact_id": f"us-east-1:{IMAGE}", "packer_run_uuid": "run"}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the action with these options."""
    monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})

    def run(**options: Any) -> dict[str, Any]:
        action = plugin.ActionModule.__new__(plugin.ActionModule)
        action._task = make_task(args=options)
        return action.run(None, {})

    return run


def test_the_image_of_a_manifest(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"builds": [BUILD], "last_run_uuid": "run"}), encoding="utf-8")
    result = run(packer_manifest=str(path))
    assert not result["changed"]
    assert result["sources"][0]["source_image_id"] == IMAGE


@pytest.mark.parametrize("unset", [None, ""])
def test_a_value_without_characters_is_not_set(run: Any, unset: str | None) -> None:
    options = {"source_image_id": IMAGE, "source_region": "us-east-1"}
    expected = run(**options)["sources"]
    unset_options = dict.fromkeys(("source_parameter", "name", "publish_parameter", "report_s3_uri"), unset)
    assert run(**options, **unset_options)["sources"] == expected


def test_a_failure_names_the_option(run: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "none.json")
    result = run(packer_manifest=path)
    assert result["failed"]
    assert result["msg"].startswith(f"packer_manifest: {path}: No such file or directory.")
    assert [failure["action"] for failure in result["failures"]] == ["packer_manifest"]


def test_of_a_long_failure_only_the_message_is_displayed(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_display, "_LONGEST", 100)
    assert run(packer_manifest="none.json")["_ansible_no_log"] is True


def test_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"text")
    (tmp_path / "b").write_bytes(b"\xff")
    monkeypatch.chdir(tmp_path)
    assert plugin.read_file("a") == File("text")
    assert plugin.read_file("b") == File(problem="it is not text in UTF-8")
    assert plugin.read_file(".").problem == "Is a directory"


def test_a_failure_of_one_of_several_names_its_option(run: Any) -> None:
    sources = {"web": {"source_image_id": IMAGE, "source_parameter": "/build/web"}}
    result = run(sources=sources, source_region="us-east-1")
    assert result["msg"].startswith("sources: 'web', source_parameter: it cannot be combined")
