# SPDX-License-Identifier: GPL-3.0-or-later
"""What the front answers without moto's dispatcher, by service and action."""

from __future__ import annotations

from collections.abc import Callable

from ..http.fast_path import FastPathRequest
from . import launch_dry_run
from .actions import ACTIONS
from .dispatch import answer

NEEDS_MOTO_BACKEND = frozenset(
    {"CreateImage", "CreateImageUsageReport", "CreateSnapshot", "DescribeImageReferences", "DescribeTags"}
)
"""Actions that need moto's backend of the account and Region, which may take a second to make."""

HANDLERS: dict[tuple[str, str], Callable[[FastPathRequest], tuple[int, bytes] | None]] = {
    **{("ec2", name): answer for name in ACTIONS if name not in NEEDS_MOTO_BACKEND},
    ("ec2", "RunInstances"): launch_dry_run.answer,
}
