# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of actions by their AWS names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..access import Caller

Action = Callable[[Caller, dict[str, Any]], dict[str, Any]]
"""Takes the caller and the parameters, and returns the result, both with boto3's names."""

ACTIONS: dict[str, Action] = {}


def action(name: str) -> Callable[[Action], Action]:
    """Register a function as the EC2 action with this name."""

    def register(function: Action) -> Action:
        ACTIONS[name] = function
        return function

    return register
