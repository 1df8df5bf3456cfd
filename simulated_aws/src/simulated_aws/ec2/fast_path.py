# SPDX-License-Identifier: GPL-3.0-or-later
"""Fast path: handlers that the HTTP pipeline calls directly, without moto's slow dispatcher.

The key is service and action. A handler returns None to pass the request to moto.
"""

from __future__ import annotations

from collections.abc import Callable

from ..http.fast_path import FastPathRequest
from . import launch_dry_run
from .actions import ACTIONS
from .dispatch import answer

NEEDS_MOTO_BACKEND = frozenset(
    {"CreateImage", "CreateImageUsageReport", "CreateSnapshot", "DescribeImageReferences", "DescribeTags"}
)
"""Actions that need moto's backend of the account and Region, whose creation can take a second.

They run in moto's threads, since the fast path runs on the event loop.
"""

HANDLERS: dict[tuple[str, str], Callable[[FastPathRequest], tuple[int, bytes] | None]] = {
    **{("ec2", name): answer for name in ACTIONS if name not in NEEDS_MOTO_BACKEND},
    ("ec2", "RunInstances"): launch_dry_run.answer,
}
