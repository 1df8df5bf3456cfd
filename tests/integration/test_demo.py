# SPDX-License-Identifier: GPL-3.0-or-later

"""``make demo``, with copies that take a second."""

from __future__ import annotations

import pytest

from demo import __main__ as demo
from demo import scenario

pytestmark = pytest.mark.nightly


def test_the_demo_distributes_an_image_and_checks_the_result(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for region in scenario.COPY_SECONDS:
        monkeypatch.setitem(scenario.COPY_SECONDS, region, 1.0)
    for module in (demo, scenario):
        monkeypatch.setattr(module, "OTHER_COPY_SECONDS", 1.0)
    monkeypatch.setattr(demo, "LATENCY", 0)
    assert demo.main() == 0
    shown = capfd.readouterr().out
    assert shown.count("✓ yes") == 6
    assert "partner" in shown
    # The exports below would lose against a profile of the user.
    assert "unset AWS_PROFILE AWS_SESSION_TOKEN\n  export AWS_ENDPOINT_URL=" in shown
    assert all(len(line) <= 80 for line in shown.splitlines() if line.startswith("  │")), shown
