# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tags of a run select tasks without tags, and what becomes of the others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.golden.images.plugins.action import playbook_tags as plugin

CHECK, VALIDATION, DEBUG = (
    SimpleNamespace(action=action, implicit=False)
    for action in (
        "golden.images.playbook_tags",
        "ansible.builtin.validate_argument_spec",
        "ansible.builtin.debug",
    )
)
META = SimpleNamespace(action="meta", implicit=True)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the action with these tags, in a playbook that is run or imported."""
    monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})
    monkeypatch.setattr(ActionBase, "validate_argument_spec", lambda *_arguments: None)

    def run(tags: list[str], skipped: list[str], imported_from: str | None = None) -> dict[str, Any]:
        action = plugin.ActionModule.__new__(plugin.ActionModule)
        play = SimpleNamespace(_included_path=imported_from, get_variable_manager=lambda: None)
        action._task = SimpleNamespace(get_play=lambda: play)
        action._loader = None
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


def playbook(*plays: list[Any]) -> Any:
    """A playbook whose plays have these tasks, without those that the tags of the run do not select."""

    def play(selected: list[Any]) -> Any:
        block = SimpleNamespace(get_tasks=lambda: selected)
        block.filter_tagged_tasks = lambda variables: block if variables == "variables" else None
        return SimpleNamespace(compile=lambda: [block])

    return SimpleNamespace(get_plays=lambda: [play(selected) for selected in plays])


@pytest.mark.parametrize(
    ("plays", "expected"),
    [
        ([[CHECK, META]], True),
        ([[CHECK, META], [VALIDATION]], True),
        ([[CHECK, META], [DEBUG]], False),
        ([[CHECK, DEBUG]], False),
    ],
)
def test_checks_alone_are_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plays: list[list[Any]], expected: bool
) -> None:
    site = tmp_path / "site.yml"
    manager = SimpleNamespace(get_vars=lambda play: "variables" if play else None)
    loaded: dict[str, Any] = {str(site): playbook(*plays)}

    def load(path: str, variable_manager: Any, loader: str) -> Any:
        assert (variable_manager, loader) == (manager, "loader")
        if isinstance(loaded[path], Exception):
            raise loaded[path]
        return loaded[path]

    monkeypatch.setattr(plugin.Playbook, "load", load)
    # It is not a file, such as a pipe.
    assert plugin.selects_nothing([str(site)], manager, "loader") is False
    site.touch()
    assert plugin.selects_nothing([str(site)], manager, "loader") is expected
    assert plugin.selects_nothing([], manager, "loader") is False
    loaded[str(site)] = AnsibleError("It has changed since.")
    assert plugin.selects_nothing([str(site)], manager, "loader") is False


def test_an_imported_playbook_refuses_tags_that_select_nothing(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin, "selects_nothing", lambda *_arguments: True)
    with pytest.raises(AnsibleActionFail, match=r"would do nothing with the tags imges, skipping web\. Use"):
        run(["imges"], ["web"], "/playbooks")
    assert run(["all"], [], "/playbooks") == {"imported": True}
