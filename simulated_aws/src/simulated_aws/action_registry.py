# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers the functions that answer actions, by the actions' AWS names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Action = TypeVar("Action")


def registrar(actions: dict[str, Action]) -> Callable[[str], Callable[[Action], Action]]:
    """A decorator `action(name)`, which adds a function to `actions` by that name."""

    def action(name: str) -> Callable[[Action], Action]:
        def register(function: Action) -> Action:
            actions[name] = function
            return function

        return register

    return action
