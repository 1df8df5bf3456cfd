# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings of a cleanup report: failures, and what keeps unused images from being retired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..._finding import Severity
from ..._listing import count
from ..._reports.command import render_cli_command
from ..._reports.document import Item
from ..._wording import with_full_stop
from ..decisions import WAIT
from ..snapshots import PROTECTED
from ..state import UNPROVEN, UNREADABLE, name_unread
from .outcome import NOT_DONE
from .wording import render_outcome

MEANINGS = {
    "cleanup_blocked": "The image is not used, but something blocks its retirement.",
    "cleanup_failed": "The cleanup ended without a result: check the state of the images.",
    "cleanup_refused": "The cleanup was refused as a whole, and nothing was changed.",
    "decision_not_applied": "The decision on the image was not applied. The next run decides again.",
    "step_failed": "A step of the cleanup failed. The next run completes it.",
    "unreadable": "Something could not be read. What depends on it is not retired until it can be.",
    "use_unproven": "AWS does not show whether something uses images. They count as used.",
}

UNPROTECT = "Disable the deregistration protection, or protect the image with a tag if it should stay."
COMMAND_NOTE = (
    "It takes the protection from the images at once. The next cleanup can deregister them; if the "
    "protection has a cooldown, after 24 hours."
)
# More images are not named in a command.
_MOST_IMAGES = 40
_SEVERITIES = {
    "refused": Severity.HIGH.label,
    "failed": Severity.HIGH.label,
    "incomplete": Severity.MEDIUM.label,
}
_CODES = {"refused": "cleanup_refused", "failed": "cleanup_failed"}


def list_items(content: Mapping[str, Any]) -> Iterator[Item]:
    """Yield the findings, in any order."""
    yield from _list_failures(content)
    yield from _list_unreadable(content)
    yield from _list_unproven(content)
    # A failure in one region, such as that of a tombstone, can keep images of all regions.
    failed = bool(content["failures"])
    for image in content["images"]:
        if image["outcome"] == NOT_DONE:
            yield _report_image(
                image,
                "decision_not_applied",
                Severity.MEDIUM.label if failed else Severity.LOW.label,
                f"{image['image_id']} ({image['name']}) {render_outcome(image)}.",
                "Check the failures."
                if failed
                else "Check the warnings, and whether the image still exists.",
            )
        elif image["decision"] == WAIT and image["reasons"] and image["next_stage"] is None:
            yield _report_image(
                image,
                "cleanup_blocked",
                Severity.LOW.label,
                f"{image['image_id']} ({image['name']}) is blocked: {' '.join(image['reasons'])}",
                UNPROTECT
                if _is_only_protected(image)
                else "Remove the block, or protect the image with a tag if it should stay.",
            )


def _is_only_protected(image: Mapping[str, Any]) -> bool:
    """Whether only the deregistration protection blocks the image, and it is not being disabled already."""
    return len(image["reasons"]) == 1 and image["reasons"][0].startswith(f"{PROTECTED} (enabled")


def find_command(items: Sequence[Item]) -> str:
    """Return the commands that fix findings with one remedy; empty if there are none, or too many."""
    if items[0].remedy != UNPROTECT or len(items) > _MOST_IMAGES:
        return ""
    images = sorted((str(item.region), str(item.image_id)) for item in items)
    return " &&\n".join(
        render_cli_command("ec2 disable-image-deregistration-protection", region, "image-id", image_id)
        for region, image_id in images
    )


def _list_failures(content: Mapping[str, Any]) -> Iterator[Item]:
    status = content["status"]
    for failure in content["failures"]:
        code = _CODES.get(status, "step_failed")
        yield _report_failure(failure, code, _SEVERITIES[status])


def _list_unreadable(content: Mapping[str, Any]) -> Iterator[Item]:
    """Yield a finding for each failed read of a region, whether or not it decides."""
    deciding = {(failure["region"], failure["action"]) for failure in content["unreadable"]}
    for failure in content["unreadable"]:
        yield _report_failure(failure, "unreadable", Severity.MEDIUM.label)
    for (region, subject, detail), number in _count_evidence(content, UNREADABLE).items():
        if (region, subject) not in deciding:
            yield Item(
                code="unreadable",
                severity=Severity.LOW.label,
                message=f"{name_unread(subject)}: {with_full_stop(detail)} "
                f"This counts as use of {count(number, 'image')} there.",
                remedy="Allow the read, so that it shows whether the images are used. They are kept for "
                "other reasons, too.",
                region=region,
                resource=subject,
            )


def _list_unproven(content: Mapping[str, Any]) -> Iterator[Item]:
    """Yield a finding for each use that AWS does not show, with the number of images."""
    for (region, subject, detail), number in _count_evidence(content, UNPROVEN).items():
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


def _count_evidence(content: Mapping[str, Any], kind: str) -> dict[tuple[str, str, str], int]:
    """Return the number of images by region, subject and detail of their evidence of a kind."""
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    for image in content["images"]:
        # Several accounts of an image may have the same.
        for subject, detail in dict.fromkeys(
            (item["subject"], item["detail"]) for item in image["evidence"] if item["kind"] == kind
        ):
            counts[image["region"], subject, detail] += 1
    return counts


def _report_failure(failure: Mapping[str, Any], code: str, severity: str) -> Item:
    remedy = failure["remedy"] or ""
    return Item.of(failure, code=code, severity=severity, remedy=remedy, resource=failure["action"])


def _report_image(image: Mapping[str, Any], code: str, severity: str, message: str, remedy: str) -> Item:
    return Item(
        code=code,
        severity=severity,
        message=message,
        remedy=remedy,
        region=image["region"],
        resource=image["image_id"],
        image_id=image["image_id"],
    )
