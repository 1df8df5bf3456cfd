# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an image's owner sees that keeps an account from launching or copying it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ..finding import BlocksLaunch, Finding
from ..model import Image, Sharing
from .findings import finding
from .state import Case, OwnerSeen

UNBLOCKED = "unblocked"


def findings(
    case: Case, image_id: str | None, owner: OwnerSeen, visible: bool | None, now: datetime
) -> Iterator[Finding]:
    """All that the owner's side tells but for its keys.

    ``visible`` is what the account itself says of it, None if it was not asked.
    """
    where = f"account {case.place.account_id} in {case.place.region}"
    if image_id is None:
        yield finding(
            "image_planned",
            f"The image of {where} is only planned.",
            "Diagnose it once it is there.",
            BlocksLaunch.UNKNOWN,
        )
    elif owner.problem is not None:
        yield finding(
            "owner_unreadable",
            f"What {where} has of {image_id} cannot be read: {owner.problem.message}",
            owner.problem.remedy,
            BlocksLaunch.UNKNOWN,
        )
    elif owner.image is None:
        yield _missing(case, image_id, owner, visible)
    elif case.account_id == owner.image.owner_id:
        yield from _state(owner.image)
        yield from _deprecated(owner.image, now)
    elif owner.launch is None:
        yield _foreign(owner.image, visible)
    else:
        yield from _state(owner.image)
        yield from _sharing(case, owner.image, owner.launch, visible)
        yield from _copying(case, owner, owner.launch)
        yield from _public(owner.image, owner)
        yield from _deprecated(owner.image, now)


def is_shared(owner: OwnerSeen, account_id: str) -> bool | None:
    """Whether the owner shares the image with the account; None if only the account can tell."""
    if owner.launch is None:
        return None
    if owner.launch.public or account_id in owner.launch.account_ids:
        return True
    return None if owner.launch.org_arns or owner.launch.org_unit_arns else False


def covering(launch: Sharing) -> str:
    """The organizations and units that an image is shared with, for a sentence."""
    return ", ".join(sorted(launch.org_arns | launch.org_unit_arns))


def _missing(case: Case, image_id: str, owner: OwnerSeen, visible: bool | None) -> Finding:
    if owner.elsewhere:
        regions = ", ".join(owner.elsewhere)
        return finding(
            "wrong_region",
            f"{image_id} is an image of {regions}, not of {case.place.region}.",
            f"Name {case.place.region}'s own image; if it has none, make one (ami_copy_regions). "
            "Each region's copy has an id of its own.",
        )
    return finding(
        "image_not_found",
        f"Account {case.place.account_id} sees no image {image_id} in {case.place.region}.",
        "Check the id and the account; if the image was deregistered, copy it again (ami_copy_regions).",
        # A third account's image, which is shared with the one that is to launch it alone.
        BlocksLaunch.UNKNOWN if visible else BlocksLaunch.BLOCKING,
    )


def _foreign(image: Image, visible: bool | None) -> Finding:
    # Of an unencrypted image the account itself sees all that matters.
    known = visible and not image.encrypted
    return finding(
        "not_owner",
        f"{image.image_id} belongs to account {image.owner_id}, which alone is told whom it is shared with.",
        f"Name {image.owner_id} as its account in images, with a role there in consumer_role_name.",
        BlocksLaunch.HARMLESS if known else BlocksLaunch.UNKNOWN,
    )


def _state(image: Image) -> Iterator[Finding]:
    if image.state == "disabled":
        yield finding(
            "image_disabled",
            f"{image.image_id} is disabled: nobody can launch it, and whom it was shared with is lost.",
            "Enable it (EnableImage), then share it again (ami_share).",
        )
    elif image.state != "available":
        reason = f" ({image.state_reason})" if image.state_reason else ""
        waiting = image.state == "pending"
        yield finding(
            "image_not_available",
            f"{image.image_id} is {image.state}{reason}.",
            "Wait until it is available." if waiting else "Copy it again (ami_copy_regions).",
        )


def _sharing(case: Case, image: Image, launch: Sharing, visible: bool | None) -> Iterator[Finding]:
    if launch.public:
        yield finding(
            "public",
            f"{image.image_id} is public: every AWS account can launch it, {case.account_id} among them.",
            "If that is not meant, share it by name, then withdraw it from everybody (ami_share, group: all, "
            "state: absent).",
            BlocksLaunch.HARMLESS,
        )
    elif case.account_id not in launch.account_ids:
        if not (launch.org_arns or launch.org_unit_arns):
            yield finding(
                "not_shared",
                f"{image.image_id} is not shared with account {case.account_id}.",
                f"Share it with {case.account_id} (ami_share).",
            )
        elif visible is not False:
            yield finding(
                "shared_through_organization",
                f"{image.image_id} is shared with account {case.account_id} through {covering(launch)} only. "
                + ("" if visible else "Whether these hold the account, the image's owner is not told. ")
                + "Such an account cannot copy it.",
                "Nothing, if it only launches; else share it with the account by name (ami_share).",
                BlocksLaunch.HARMLESS if visible else BlocksLaunch.UNKNOWN,
            )


def _copying(case: Case, owner: OwnerSeen, launch: Sharing) -> Iterator[Finding]:
    if owner.image is None or not (launch.public or case.account_id in launch.account_ids):
        return
    hidden = owner.snapshot_block == "block-all-sharing"
    missing = [
        snapshot_id
        for snapshot_id, sharing in owner.volumes.items()
        if case.account_id not in sharing.account_ids and not (sharing.public and not hidden)
    ]
    if missing:
        yield finding(
            "missing_volume_permission",
            f"Account {case.account_id} may not create volumes from {', '.join(missing)}: "
            f"it can launch {owner.image.image_id}, but not copy it.",
            f"Share the snapshots, too (ami_share with account_ids, share_snapshots: true), if "
            f"{case.account_id} is to copy the image.",
            BlocksLaunch.HARMLESS,
        )


def _public(image: Image, owner: OwnerSeen) -> Iterator[Finding]:
    if owner.launch is not None and owner.launch.public and owner.image_block not in (None, UNBLOCKED):
        yield finding(
            "block_public_access",
            f"Block public access for AMIs is on ({owner.image_block}). {image.image_id}, public before, "
            "stays so, but once withdrawn it could not be made public again.",
            "Share the image by name (ami_share), or turn the block off (DisableImageBlockPublicAccess).",
            BlocksLaunch.HARMLESS,
        )


def _deprecated(image: Image, now: datetime) -> Iterator[Finding]:
    if image.deprecation_time and datetime.fromisoformat(image.deprecation_time) <= now:
        yield finding(
            "image_deprecated",
            f"{image.image_id} is deprecated since {image.deprecation_time}: it launches, but others find it "
            "only by its id.",
            "Launch a newer image, or end its deprecation (DisableImageDeprecation).",
            BlocksLaunch.HARMLESS,
        )
