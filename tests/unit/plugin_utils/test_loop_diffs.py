# SPDX-License-Identifier: GPL-3.0-or-later

"""Which diffs of a loop's items Ansible itself does not display."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.plugin_utils import _result_display as result_display
from ansible_collections.golden.images.plugins.plugin_utils._result_display import display_diff

DIFF = "us-east-1: + launch permission for 012345678901\n"
RESULT = {"changed": True, "diff": {"prepared": DIFF}, "results": [{"region": "us-east-1"}]}
# Ansible displays its diff.
OTHER = {key: value for key, value in RESULT.items() if key != "results"}


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was displayed."""
    texts: list[str] = []
    monkeypatch.setattr(result_display, "display", SimpleNamespace(display=texts.append))
    monkeypatch.setattr(result_display, "is_json", lambda: False)
    return texts


@pytest.mark.parametrize(
    ("result", "task", "expected"),
    [
        (RESULT, {}, [DIFF]),
        (RESULT, {"loop": None}, []),
        (RESULT, {"no_log": True}, []),
        (OTHER, {}, []),
        ({**RESULT, "changed": False}, {}, []),
        ({**RESULT, "failed": True}, {}, []),
        ({**RESULT, "diff": {"prepared": ""}}, {}, []),
        ({"changed": True, "results": []}, {}, []),
    ],
)
def test_the_diff_of_an_item_with_results_is_displayed(
    displayed: list[str], result: dict[str, Any], task: dict[str, Any], expected: list[str]
) -> None:
    display_diff(SimpleNamespace(**{"loop": "{{ images }}", "no_log": False, **task}), result)
    assert displayed == expected


def test_output_in_json_is_not_broken(displayed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_display, "is_json", lambda: True)
    display_diff(SimpleNamespace(loop=[1], no_log=False), RESULT)
    assert displayed == []
