# SPDX-License-Identifier: GPL-3.0-or-later

"""``make demo``, with copies that take a second."""

from __future__ import annotations

import pytest

from demo import __main__ as demo
from demo import scenario

pytestmark = pytest.mark.nightly


def test_the_demo_tells_its_story_and_checks_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for region in scenario.COPY_SECONDS:
        monkeypatch.setitem(scenario.COPY_SECONDS, region, 1.0)
    monkeypatch.setattr(demo, "LATENCY", 0)
    assert demo.main() == 0
    shown = capfd.readouterr().out
    assert shown.count("✓ yes") == 6
    assert "skipping: " not in shown
    # The user can paste what it shows: the exports would lose against a profile.
    assert "unset AWS_PROFILE AWS_SESSION_TOKEN\n  export AWS_ENDPOINT_URL=" in shown
    own = [line for line in shown.splitlines() if line.startswith("  ") and "ansible-playbook" not in line]
    assert [line for line in own if len(line) > 80 and "export PATH" not in line] == []
