# SPDX-License-Identifier: GPL-3.0-or-later
"""Fast path: handlers that the HTTP pipeline calls directly, without moto's slow dispatcher.

The key is service and action. A handler returns None to pass the request to moto.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..http.fast_path import FastPathRequest
from . import dry_runs
from .actions import ACTIONS
from .dispatch import answer

HANDLERS: dict[tuple[str, str], Callable[[FastPathRequest], tuple[int, bytes] | None]] = {
    **{("kms", name): partial(answer, name) for name in ACTIONS},
    **{("kms", name): partial(dry_runs.answer, name) for name in dry_runs.ACTIONS},
}
