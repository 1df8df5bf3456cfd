# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The failed reads that alone keep images or snapshots from being retired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._failures import Failure
from .decisions import Decision
from .state import Evidence

CODE = "cleanup_unreadable"

_REMEDY = "Allow this read."


def list_unread_failures(
    account_id: str, decisions: Iterable[Decision], deletions: Mapping[str, tuple[Evidence, ...]]
) -> tuple[Failure, ...]:
    """Return a failure for each failed read that keeps something in a region that could be retired.

    ``deletions`` maps regions to what keeps the snapshots without an image (``map_unread_deletions``). What a
    rule, a use or something else keeps as well is not counted: it would stay anyway.
    """
    evidence: dict[tuple[str, str, str], Evidence] = {}
    for decision in decisions:
        for item in decision.unread:
            evidence.setdefault((decision.ref.region, item.account_id or account_id, item.subject), item)
    for region, unread in deletions.items():
        for item in unread:
            evidence.setdefault((region, account_id, item.subject), item)
    return tuple(
        Failure(
            message=f"{item.place} could not be read, so images or snapshots are kept that could "
            f"otherwise be retired: {item.detail}",
            remedy=item.remedy or _REMEDY,
            error_code=CODE,
            action=item.subject,
            region=region,
            account_id=place,
        )
        for (region, place, _subject), item in sorted(evidence.items(), key=lambda pair: pair[0])
    )
