# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes what is lost with images to a file before they go: one line of JSON for each."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from ..failures import Failure
from ..planners.cleanup_tombstone import tombstone
from ..planners.cleanup_verdicts import CleanupSeen, Verdict


def write_tombstones(path: str | None, seen: CleanupSeen, going: Iterable[Verdict]) -> tuple[Failure, ...]:
    """Append a line for each image and wait until the disk has them; why they could not be written."""
    lines = [json.dumps(tombstone(seen, verdict), sort_keys=True, default=str) for verdict in going]
    if not lines or path is None:
        return ()
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError as exception:
        return (
            Failure(
                message=f"tombstone_path: {exception}",
                remedy="No image was disabled or deregistered. Make room, or name another file.",
                error_code="TombstoneNotWritten",
                action="tombstone_path",
                account_id=seen.account_id,
            ),
        )
    return ()
