# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tags of a run select tasks without tags, and what becomes of the others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.golden.images.plugins.action import playbook_tags as plugin


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the action with these tags, in a playbook that is run or imported."""
    monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})
    monkeypatch.setattr(ActionBase, "validate_argument_spec", lambda *_arguments: None)

    def run(tags: list[str], skipped: list[str], imported_from: str | None = None) -> dict[str, Any]:
        action = plugin.ActionModule.__new__(plugin.ActionModule)
        play = SimpleNamespace(_included_path=imported_from)
        action._task = SimpleNamespace(get_play=lambda: play)
        return action.run(None, {"ansible_run_tags": tags, "ansible_skip_tags": skipped})

    return run


@pytest.mark.parametrize(
    ("tags", "skipped", "selects"),
    [
        (["all"], [], True),
        (["untagged"], [], True),
        (["web", "all"], [], True),
        (["all"], ["web"], True),
        (["all"], ["tagged"], True),
        (["web"], [], False),
        (["tagged"], [], False),
        (["always"], [], False),
        (["all"], ["untagged"], False),
        (["all"], ["all"], False),
    ],
)
def test_tags_that_select_tasks_without_tags(
    run: Any, tags: list[str], skipped: list[str], selects: bool
) -> None:
    assert plugin.selects_untagged(tags, skipped) is selects
    assert run(tags, skipped, "/playbooks") == {"imported": True}
    if selects:
        assert run(tags, skipped) == {"imported": False}
    else:
        with pytest.raises(AnsibleActionFail, match="Run it without tags"):
            run(tags, skipped)
