# SPDX-License-Identifier: GPL-3.0-or-later

"""Chaos goes on with the results of its own commit only."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks import chaos, passed


def test_only_results_of_the_same_commit_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(chaos, "run", lambda *command: ran.append(command))
    monkeypatch.setattr(passed, "FOLDER", tmp_path)
    for on in ("0123abc", "0123abc", "4567def", None, None):
        monkeypatch.setattr(passed, "commit", lambda on=on: on)
        chaos.check()
    assert ["--resume" in command for command in ran] == [False, True, False, False, False]
