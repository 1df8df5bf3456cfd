# SPDX-License-Identifier: GPL-3.0-or-later

"""``role_failure`` fails with a message, unless it is empty."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.action import role_failure

from tests.unit.tasks import make_task


@pytest.mark.parametrize(
    ("message", "result"),
    [("", {"changed": False}), ("It failed.", {"changed": False, "failed": True, "msg": "It failed."})],
)
def test_it_fails_with_a_message(message: str, result: dict[str, Any]) -> None:
    task = make_task(action="golden.images.role_failure", args={"msg": message})
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
    action = role_failure.ActionModule(task, connection, None, None, None, None)
    assert action.run() == result
