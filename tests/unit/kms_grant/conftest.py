# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits that take no time."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts

from tests.unit.clock import Clock


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.of(monkeypatch, attempts)
