# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until AWS has created the usage reports that the final check requires."""

from __future__ import annotations

from collections.abc import Iterable

from .._aws.attempts import attempts
from .._aws.clients import Clients
from .._fanout import map_parallel
from .._model import ImageRef
from .._plan import batches
from .read_usage import REFERENCE_BATCH, read_pending_reports

# AWS documents no duration. What is not ready then is left to the next run.
_REPORT_TIMEOUT = 900.0
_REPORT_INTERVAL = 15.0


def wait_for_reports(clients: Clients, images: Iterable[ImageRef]) -> None:
    """Wait until no usage report of the images is pending, at most 15 minutes.

    What cannot be read is not waited for: the final check reads it again, and keeps these images.
    """
    waiting = sorted(images)
    for _attempt in attempts(_REPORT_TIMEOUT, _REPORT_INTERVAL):
        pending, _failed = map_parallel(_make_batches(waiting), lambda batch: _read_pending(clients, batch))
        waiting = sorted(ref for batch in pending.values() for ref in batch)
        if not waiting:
            return


def _read_pending(clients: Clients, batch: tuple[ImageRef, ...]) -> tuple[ImageRef, ...]:
    region = batch[0].region
    pending = read_pending_reports(clients.ec2(region), [ref.image_id for ref in batch])
    return tuple(ref for ref in batch if ref.image_id in pending)


def _make_batches(refs: list[ImageRef]) -> list[tuple[ImageRef, ...]]:
    by_region: dict[str, list[ImageRef]] = {}
    for ref in refs:
        by_region.setdefault(ref.region, []).append(ref)
    return [
        tuple(batch)
        for refs_of_region in by_region.values()
        for batch in batches(refs_of_region, REFERENCE_BATCH)
    ]
