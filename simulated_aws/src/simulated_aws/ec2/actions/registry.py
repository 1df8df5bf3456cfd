# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of actions by their AWS names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...action_registry import registrar
from ..access import Caller

Action = Callable[[Caller, dict[str, Any]], dict[str, Any]]
"""Takes the caller and the parameters, and returns the result, both with boto3's names."""

ACTIONS: dict[str, Action] = {}
action = registrar(ACTIONS)
"""Register a function as the EC2 action with this name."""
