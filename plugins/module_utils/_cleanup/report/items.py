# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings of a cleanup report: failures, and what keeps unused images from being retired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from ..._finding import Severity
from ..._listing import count
from ..._reports.document import Item
from ..._wording import with_full_stop
from ..decisions import WAIT
from ..state import UNPROVEN, UNREADABLE
from .outcome import NOT_DONE
from .wording import outcome_text

MEANINGS = {
    "cleanup_blocked": "The image is not used, but something blocks its retirement.",
    "cleanup_failed": "The cleanup ended without a result: check the state of the images.",
    "cleanup_refused": "The cleanup was refused as a whole, and nothing was changed.",
    "decision_not_applied": "The decision on the image was not applied. The next run decides again.",
    "step_failed": "A step of the cleanup failed. The next run completes it.",
    "unreadable": "Something could not be read. What depends on it is not retired until it can be.",
    "use_unproven": "AWS does not show whether something uses images. They count as used.",
}

_SEVERITIES = {
    "refused": Severity.HIGH.label,
    "failed": Severity.HIGH.label,
    "incomplete": Severity.MEDIUM.label,
}
_CODES = {"refused": "cleanup_refused", "failed": "cleanup_failed"}


def items(content: Mapping[str, Any]) -> Iterator[Item]:
    """The findings, in any order."""
    yield from _failures(content)
    yield from _unreadable(content)
    yield from _unproven(content)
    # A failure in one region, such as that of a tombstone, can keep images of all regions.
    failed = bool(content["failures"])
    for image in content["images"]:
        if image["outcome"] == NOT_DONE:
            yield _about(
                image,
                "decision_not_applied",
                Severity.MEDIUM.label if failed else Severity.LOW.label,
                f"{image['image_id']} ({image['name']}) {outcome_text(image)}.",
                "Check the failures."
                if failed
                else "Check the warnings, and whether the image still exists.",
            )
        elif image["decision"] == WAIT and image["reasons"] and image["next_stage"] is None:
            yield _about(
                image,
                "cleanup_blocked",
                Severity.LOW.label,
                f"{image['image_id']} ({image['name']}) is blocked: {' '.join(image['reasons'])}",
                "Remove the block, or protect the image with a tag if it should stay.",
            )


def _failures(content: Mapping[str, Any]) -> Iterator[Item]:
    status = content["status"]
    for failure in content["failures"]:
        code = _CODES.get(status, "step_failed")
        yield _failed(failure, code, _SEVERITIES[status])


def _unreadable(content: Mapping[str, Any]) -> Iterator[Item]:
    """One finding for each thing that could not be read in a region, whether or not it decides."""
    deciding = {(one["region"], one["action"]) for one in content["unreadable"]}
    for one in content["unreadable"]:
        yield _failed(one, "unreadable", Severity.MEDIUM.label)
    for (region, subject, detail), number in _evidence(content, UNREADABLE).items():
        if (region, subject) not in deciding:
            yield Item(
                code="unreadable",
                severity=Severity.LOW.label,
                message=f"{subject}: {with_full_stop(detail)} "
                f"This counts as use of {count(number, 'image')} there.",
                remedy="Allow the read, so that it shows whether the images are used. They are kept for "
                "other reasons, too.",
                region=region,
                resource=subject,
            )


def _unproven(content: Mapping[str, Any]) -> Iterator[Item]:
    """One finding for each thing that AWS does not show in a region, with the number of images it may use."""
    for (region, subject, detail), number in _evidence(content, UNPROVEN).items():
        yield Item(
            code="use_unproven",
            severity=Severity.LOW.label,
            message=f"{subject}: {with_full_stop(detail)} "
            f"This counts as use of {count(number, 'image')} there.",
            remedy="Do what the message names. With trust_usage_reports, the cleanup requests a usage report "
            "for images that only this keeps, and a later run reads it.",
            region=region,
            resource=subject,
        )


def _evidence(content: Mapping[str, Any], kind: str) -> dict[tuple[str, str, str], int]:
    """The region, subject and detail of each evidence of a kind, with the number of images that have it."""
    found: dict[tuple[str, str, str], int] = defaultdict(int)
    for image in content["images"]:
        # Several accounts of an image may have the same.
        for subject, detail in dict.fromkeys(
            (one["subject"], one["detail"]) for one in image["evidence"] if one["kind"] == kind
        ):
            found[image["region"], subject, detail] += 1
    return found


def _failed(failure: Mapping[str, Any], code: str, severity: str) -> Item:
    remedy = failure["remedy"] or ""
    return Item.of(failure, code=code, severity=severity, remedy=remedy, resource=failure["action"])


def _about(image: Mapping[str, Any], code: str, severity: str, message: str, remedy: str) -> Item:
    return Item(
        code=code,
        severity=severity,
        message=message,
        remedy=remedy,
        region=image["region"],
        resource=image["image_id"],
        image_id=image["image_id"],
    )
