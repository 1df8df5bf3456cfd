# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the account could be checked."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import BlocksLaunch, Finding, consumer_unreadable
from ..check import ACCOUNT, Cause, Check, Evidence

_UNREADABLE = Cause(
    code="consumer_unreadable",
    table=ACCOUNT,
    blocks_launch=BlocksLaunch.UNKNOWN,
    meaning="The account could not be checked in that region.",
    details=("Its role cannot be assumed, for example, or the region is not enabled. The task fails."),
    remedy="The finding has AWS's error and its remedy: follow it, and diagnose again",
)


def _find(evidence: Evidence) -> Iterator[Finding]:
    if evidence.consumer is not None and evidence.consumer.problem is not None:
        yield consumer_unreadable(evidence.case.target, evidence.consumer.problem)


CHECK = Check((_UNREADABLE,), _find)
