# SPDX-License-Identifier: GPL-3.0-or-later

"""``role_failure`` fails with a message, unless it is empty."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.action import role_failure

from tests.unit.tasks import make_task

NOTHING = {"changed": False}


def run(**arguments: Any) -> dict[str, Any]:
    task = make_task(action="golden.images.role_failure", args=arguments)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
    return dict(role_failure.ActionModule(task, connection, None, None, None, None).run())


@pytest.mark.parametrize(
    ("message", "result"),
    [("", NOTHING), ("It failed.", {"changed": False, "failed": True, "msg": "It failed."})],
)
def test_it_fails_with_a_message(message: str, result: dict[str, Any]) -> None:
    assert run(msg=message) == result


def test_it_fails_with_the_messages_of_results() -> None:
    ran, skipped = {"changed": True, "results": []}, {"changed": False, "skipped": True}
    assert run(results=[{}, ran, skipped]) == NOTHING
    failed = {"failed": False, "msg": "No key."}
    assert run(results=[failed, {}, ran, {"msg": "Not shared."}])["msg"] == "No key.\nNot shared."
