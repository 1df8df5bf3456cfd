# SPDX-License-Identifier: GPL-3.0-or-later

"""The callbacks whose output programs read."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.plugin_utils import output


@pytest.mark.parametrize(
    ("callback", "expected"),
    [
        ("default", False),
        ("ansible.builtin.default", False),
        ("awx_display", False),
        ("json", True),
        ("ansible.posix.json", True),
        ("ansible.posix.jsonl", True),
    ],
)
def test_is_json(monkeypatch: pytest.MonkeyPatch, callback: str, expected: bool) -> None:
    monkeypatch.setattr(output.constants, "DEFAULT_STDOUT_CALLBACK", callback)
    assert output.is_json() is expected
