# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the image exists in the region, and could be read by its owner."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import BlocksLaunch, Finding
from ..._model import Image
from ..check import IMAGE, Cause, Check, Evidence

_NOT_FOUND = Cause(
    code="image_not_found",
    table=IMAGE,
    blocks_launch=BlocksLaunch.BLOCKING,
    otherwise=BlocksLaunch.UNKNOWN,
    meaning="The account that the image should be in cannot see it in that region.",
    details="Unknown if the launching account can see it.",
    remedy="Check the ID, or copy the image to the region (`ami_copy_regions`)",
)
_WRONG_REGION = Cause(
    code="wrong_region",
    table=IMAGE,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The image is in another one of the given regions.",
    remedy="Use the ID of the copy in that region, or make one (`ami_copy_regions`)",
)
_PLANNED = Cause(
    code="image_planned",
    table=IMAGE,
    blocks_launch=BlocksLaunch.UNKNOWN,
    meaning="The image is a planned copy that does not exist yet.",
    details="Its ID is null, in check mode.",
    remedy="Diagnose it after the copy",
)
_UNREADABLE = Cause(
    code="owner_unreadable",
    table=IMAGE,
    blocks_launch=BlocksLaunch.UNKNOWN,
    meaning="The image could not be read in its owner's account.",
    details="The task fails.",
    remedy="The finding has AWS's error and its remedy: follow it, and diagnose again",
)
_NOT_OWNER = Cause(
    code="not_owner",
    table=IMAGE,
    blocks_launch=BlocksLaunch.UNKNOWN,
    otherwise=BlocksLaunch.HARMLESS,
    meaning="The image belongs to another account, and only that account can read its launch permissions.",
    details="Harmless if the launching account sees it unencrypted.",
    remedy="Set `account_id` of the image in `images` to the owner, and `consumer_role_name` to a role there",
)


def _find(evidence: Evidence) -> Iterator[Finding]:
    image_id, owner = evidence.image_id, evidence.owner
    owner_id, region = evidence.case.image_target.account_id, evidence.region
    if image_id is None:
        yield _PLANNED.finding(
            f"The image in account {owner_id} in {region} does not exist yet: its copy is only planned.",
            "Diagnose it once it exists.",
        )
    elif owner.problem is not None:
        yield _UNREADABLE.finding(
            f"{image_id} in account {owner_id} in {region} cannot be read: {owner.problem.message}",
            owner.problem.remedy,
            error_code=owner.problem.error_code,
        )
    elif owner.elsewhere:
        yield _WRONG_REGION.finding(
            f"{image_id} is in {', '.join(owner.elsewhere)}, not in {region}.",
            f"Use the ID of the image in {region}; if there is none, copy the image there "
            "(ami_copy_regions). The copy in each region has its own ID.",
        )
    elif owner.image is None:
        yield _NOT_FOUND.finding(
            f"Account {owner_id} cannot see {image_id} in {region}.",
            "Check the ID and the account; if the image was deregistered, copy it again (ami_copy_regions).",
            # An image of a third account may be shared with the launching account only.
            BlocksLaunch.UNKNOWN if evidence.is_visible else BlocksLaunch.BLOCKING,
        )
    elif evidence.image is None:
        yield _report_other_owner(evidence, owner.image)


def _report_other_owner(evidence: Evidence, image: Image) -> Finding:
    # An account that sees an unencrypted image can launch it.
    is_known = evidence.is_visible and not image.encrypted
    return _NOT_OWNER.finding(
        f"{image.image_id} belongs to account {image.owner_id}; only that account can read its launch "
        "permissions.",
        f"Set account_id of the image to {image.owner_id}, and consumer_role_name to a role there.",
        BlocksLaunch.HARMLESS if is_known else BlocksLaunch.UNKNOWN,
    )


CHECK = Check((_NOT_FOUND, _WRONG_REGION, _PLANNED, _UNREADABLE, _NOT_OWNER), _find)
