# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks as actions get them from Ansible."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def make_block(**sections: list[Any]) -> SimpleNamespace:
    """Return a block of a play."""
    empty: dict[str, list[Any]] = {"block": [], "rescue": [], "always": []}
    return SimpleNamespace(_uuid="block", _parent=None, **{**empty, **sections})


def make_task(**changes: Any) -> SimpleNamespace:
    """Return a task in a block whose rescue can read its result, which is therefore displayed as it is."""
    defaults = {
        "args": {}, "async_val": 0, "check_mode": False, "delegate_to": None, "diff": False,
        "environment": [{}], "failed_when": [], "ignore_errors": None, "loop": None, "no_log": False,
        "timeout": 0, "until": [], "_parent": make_block(rescue=[SimpleNamespace(_uuid="other")]),
        "_role": None, "_uuid": "task",
    }  # fmt: skip
    return SimpleNamespace(**{**defaults, **changes})
