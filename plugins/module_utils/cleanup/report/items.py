# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a cleanup somebody should look at: what failed, and what keeps images that nobody uses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from ...reports.document import Item
from ..decisions import WAIT
from ..state import UNREADABLE
from .outcome import NOT_DONE
from .wording import PAST, count

MEANINGS = {
    "cleanup_blocked": "Nobody uses the image any more, but something keeps it from being retired.",
    "cleanup_failed": "The cleanup ended without saying what it did: look at what is there.",
    "cleanup_refused": "The cleanup was refused as a whole, and nothing was changed.",
    "not_retired": "What was decided about the image was not done. The next run decides anew.",
    "step_failed": "A part of the cleanup failed. The next run does what is left.",
    "use_unreadable": "What may use images could not be read there. Images are kept until it can.",
}

_SEVERITIES = {"refused": "high", "failed": "high", "incomplete": "medium"}
_CODES = {"refused": "cleanup_refused", "failed": "cleanup_failed"}


def items(content: Mapping[str, Any]) -> Iterator[Item]:
    """The findings, in any order."""
    yield from _failures(content)
    yield from _unreadable(content)
    # What fails in one region, a tombstone say, may keep images of all regions from going.
    failed = bool(content["failures"])
    for image in content["images"]:
        if image["outcome"] == NOT_DONE:
            yield _about(
                image,
                "not_retired",
                "medium" if failed else "low",
                f"{image['image_id']} ({image['name']}) was to be {PAST[image['decision']]}, and is not.",
                "See what failed." if failed else "See the warnings, and whether it is still there.",
            )
        elif image["decision"] == WAIT and image["reasons"] and image["next_stage"] is None:
            yield _about(
                image,
                "cleanup_blocked",
                "low",
                f"{image['image_id']} ({image['name']}) stays for now: {' '.join(image['reasons'])}",
                "Take off what keeps it, or protect it with a tag if it is meant to stay.",
            )


def _failures(content: Mapping[str, Any]) -> Iterator[Item]:
    status = content["status"]
    for failure in content["failures"]:
        yield Item(
            code=_CODES.get(status, "step_failed"),
            severity=_SEVERITIES[status],
            message=failure["message"],
            remedy=failure["remedy"] or "",
            account_id=failure["account_id"],
            region=failure["region"],
            resource=failure["action"],
        )


def _unreadable(content: Mapping[str, Any]) -> Iterator[Item]:
    """One for each thing that could not be read in a region, with the images that it may be a use of."""
    kept: dict[tuple[str, str, str], int] = defaultdict(int)
    for image in content["images"]:
        for found in image["evidence"]:
            if found["kind"] == UNREADABLE:
                kept[image["region"], found["subject"], found["detail"]] += 1
    for (region, subject, detail), number in kept.items():
        yield Item(
            code="use_unreadable",
            severity="medium",
            message=f"{subject}: {detail} It counts as use of {count(number, 'image')}.",
            remedy="Let it be read. A usage report that was asked for is there in a later run.",
            account_id=None,
            region=region,
            resource=subject,
        )


def _about(image: Mapping[str, Any], code: str, severity: str, message: str, remedy: str) -> Item:
    return Item(
        code=code,
        severity=severity,
        message=message,
        remedy=remedy,
        account_id=None,
        region=image["region"],
        resource=image["image_id"],
        image_id=image["image_id"],
    )
