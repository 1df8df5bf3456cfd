# SPDX-License-Identifier: GPL-3.0-or-later

"""Lets flows of tests start worker processes, and counts these."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils import _processes as processes


def allow_forks(monkeypatch: pytest.MonkeyPatch, calls_per_process: int) -> list[int]:
    """Let flows fork on eight CPUs, also while threads of earlier tests still run.

    Return the numbers of worker processes of each run.
    """
    started: list[int] = []

    class Counted(processes.Workers[Any, Any]):
        def __init__(self, count: int, prepare: Any) -> None:
            started.append(count)
            super().__init__(count, prepare)

    monkeypatch.setattr(processes, "Workers", Counted)
    monkeypatch.setattr(processes, "_has_threads", lambda: False)
    monkeypatch.setattr(processes, "read_cpus", lambda: 8)
    monkeypatch.setattr(processes, "CALLS_PER_PROCESS", calls_per_process)
    return started
