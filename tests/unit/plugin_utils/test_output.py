# SPDX-License-Identifier: GPL-3.0-or-later

"""The callbacks whose output programs read, and the terminals that a person watches."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.golden.images.plugins.plugin_utils import _output as output


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


@pytest.mark.parametrize(
    ("is_terminal", "environment", "expected"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"AWX_ISOLATED_DATA_DIR": "/runner/artifacts/1"}, False),
    ],
)
def test_the_terminal_of_ansible_runner_is_not_watched(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool, environment: dict[str, str], expected: bool
) -> None:
    monkeypatch.setattr(output.sys, "stdout", SimpleNamespace(isatty=lambda: is_terminal))
    monkeypatch.setattr(output.os, "environ", environment)
    assert output.is_watched() is expected
