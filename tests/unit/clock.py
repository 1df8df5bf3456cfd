# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock that only sleeping advances, for code that waits."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import pytest


@dataclass
class Clock:
    """A clock that only ``sleep`` advances."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    @classmethod
    def of(cls, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> Clock:
        """A clock in the place of these modules' ``monotonic`` and ``sleep``."""
        clock = cls()
        for module in modules:
            monkeypatch.setattr(module, "monotonic", clock.monotonic)
            monkeypatch.setattr(module, "sleep", clock.sleep)
        return clock
