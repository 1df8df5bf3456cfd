# SPDX-License-Identifier: GPL-3.0-or-later
"""Where actions are registered under the names AWS gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..access import Caller

Action = Callable[[Caller, dict[str, Any]], dict[str, Any]]
"""Takes the caller and the parameters under boto3's names, and returns the answer under boto3's names."""

ACTIONS: dict[str, Action] = {}


def action(name: str) -> Callable[[Action], Action]:
    """Register a function as the EC2 action of this name."""

    def register(function: Action) -> Action:
        ACTIONS[name] = function
        return function

    return register
