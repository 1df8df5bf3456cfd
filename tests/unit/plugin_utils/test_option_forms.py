# SPDX-License-Identifier: GPL-3.0-or-later

"""A plugin's options are read before Ansible applies its types."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._variables import Variable
from ansible_collections.golden.images.plugins.plugin_utils._option_forms import (
    ReadsOptions,
    read_documented_options,
)

DOCUMENTATION = """
name: one
options:
  ids: {type: list, elements: str, default: [x], description: The accounts., context: {elements: account_id}}
  mode: {type: str, choices: [a, b]}
"""
OWN = read_documented_options(DOCUMENTATION)


class _Base:
    """Keeps what it is given, as Ansible's base of plugins."""

    given: Any = None

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        self.given = task_keys, var_options, direct

    def fail_aws(self, message: str) -> None:
        raise RuntimeError(message)


class _Plugin(ReadsOptions, _Base):
    own_options = OWN


def test_the_documented_options() -> None:
    assert (
        Variable("ids", type="list", elements="account_id"),
        Variable("mode", choices=("a", "b")),
    ) == OWN


def test_own_options_are_read_and_others_stay() -> None:
    plugin = _Plugin()
    plugin.set_options("keys", "variables", {"ids": 222222222222, "mode": " A", "other": None})
    assert plugin.given == ("keys", "variables", {"ids": ["222222222222"], "mode": "a", "other": None})
    plugin.set_options(direct={"ids": "\n", "mode": None})
    assert plugin.given == (None, None, {})
    plugin.set_options()
    assert plugin.given == (None, None, {})


def test_all_problems_are_named_at_once() -> None:
    plugin = _Plugin()
    with pytest.raises(RuntimeError) as refused:
        plugin.set_options(direct={"ids": 1402434204, "mode": "c"})
    assert "012345671234 becomes 1402434204" in str(refused.value)
    assert "mode: must be one of a, b (got 'c')" in str(refused.value)
    assert plugin.given is None
