# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of renames: what it names is no difference, everything else still is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.record.compare import differences
from tests.record.renames import Renames, read, renamed

from .examples import record


def test_a_word_is_renamed_everywhere_but_not_inside_of_others() -> None:
    words = {"ami_share": "image_share", "images": "amis", "golden.images": "golden.images"}
    changed = renamed(record(), Renames(words, {}))
    (test,) = changed.values()
    (playbook,) = test["steps"][0]["playbooks"]
    assert playbook["tasks"][0]["action"] == "golden.images.image_share"
    assert [*playbook["tasks"][0]["result"]] == ["changed", "amis", "results", "actions", "text"]
    assert playbook["screen"][3] == "2 amis are shared."
    assert renamed({"a": {"steps": [], "test": "ami_share_audit"}}, Renames(words, {}))["a"]["test"] == (
        "ami_share_audit"
    )


def test_the_name_of_a_test_is_renamed() -> None:
    assert [*renamed(record(), Renames({"test_an_image_is_shared": "test_shared"}, {}))] == [
        "tests/integration/test_share.py::test_shared"
    ]


def test_a_key_is_renamed_in_results_only() -> None:
    renames = Renames({}, {"images": "amis"})
    (found, *_) = [*differences(record(), record(_rename))]
    assert "amis" in found.what
    assert [*differences(renamed(record(), renames), record(_rename))] == []
    (test,) = renamed(record(), renames).values()
    assert test["steps"][0]["playbooks"][0]["screen"][3] == "2 images are shared."


def _rename(step: dict[str, Any]) -> None:
    result = step["playbooks"][0]["tasks"][0]["result"]
    result["amis"] = result.pop("images")


def test_the_table_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "renames.yml"
    path.write_text("words:\n  ami_share: image_share\n", encoding="utf-8")
    assert read(path) == Renames({"ami_share": "image_share"}, {})


@pytest.mark.parametrize("text", ["names:\n  a: b\n", "words: [a]\n", "keys:\n  a: 1\n"])
def test_a_table_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "renames.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"renames\.yml"):
        read(path)
