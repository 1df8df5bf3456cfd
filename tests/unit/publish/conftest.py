# SPDX-License-Identifier: GPL-3.0-or-later

"""The clock of the room's tests."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts

from tests.unit.clock import Clock


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that starts at 0, and that only waiting for AWS advances."""
    clock = Clock.of(monkeypatch, attempts)
    clock.now = 0.0
    return clock
