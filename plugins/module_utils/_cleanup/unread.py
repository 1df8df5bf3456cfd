# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What could not be read, and alone keeps images or snapshots that could be retired without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._failures import Failure
from .decisions import Decision
from .state import Evidence

CODE = "cleanup_unreadable"

_REMEDY = "Allow this read."


def unread_failures(
    account_id: str, decided: Iterable[Decision], deletions: Mapping[str, tuple[Evidence, ...]]
) -> tuple[Failure, ...]:
    """A failure for each read that failed in a region and keeps something there that could be retired.

    ``deletions`` maps regions to what keeps the snapshots without an image (``unread_deletions``). What also
    has a rule, a use or something else that keeps it is not counted: it would stay anyway.
    """
    found: dict[tuple[str, str, str], Evidence] = {}
    for decision in decided:
        for one in decision.unread:
            found.setdefault((decision.ref.region, one.account_id or account_id, one.subject), one)
    for region, unread in deletions.items():
        for one in unread:
            found.setdefault((region, account_id, one.subject), one)
    return tuple(
        Failure(
            message=f"{_what(one)} could not be read, so images or snapshots are kept that could "
            f"otherwise be retired: {one.detail}",
            remedy=one.remedy or _REMEDY,
            error_code=CODE,
            action=one.subject,
            region=region,
            account_id=place,
        )
        for (region, place, _subject), one in sorted(found.items(), key=lambda item: item[0])
    )


def _what(one: Evidence) -> str:
    """What could not be read: an operation, what launches images, or an account, whose subject is its ID."""
    return f"Account {one.subject}" if one.subject.isdigit() else one.subject
