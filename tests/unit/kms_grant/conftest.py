# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits that take no time."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils.kms_grant import wait

from tests.unit.copy.aws_in_steps import Clock


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(wait, "monotonic", clock.monotonic)
    monkeypatch.setattr(wait, "sleep", clock.sleep)
    return clock
