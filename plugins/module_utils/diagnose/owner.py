# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the image's owner can read that keeps an account from launching or copying the image."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ..finding import BlocksLaunch, Finding
from ..model import Image, Sharing
from .findings import finding
from .state import UNREAD, Case, OwnerSeen


def findings(
    case: Case, image_id: str | None, owner: OwnerSeen, visible: bool | None, now: datetime
) -> Iterator[Finding]:
    """The findings from the owner's account, except for those about keys.

    ``visible`` is whether the account itself can see the image, None if that was not checked.
    """
    where = f"account {case.image_target.account_id} in {case.image_target.region}"
    if image_id is None:
        yield finding(
            "image_planned",
            f"The image in {where} does not exist yet: its copy is only planned.",
            "Diagnose it once it exists.",
            BlocksLaunch.UNKNOWN,
        )
    elif owner.problem is not None:
        yield finding(
            "owner_unreadable",
            f"{image_id} in {where} cannot be read: {owner.problem.message}",
            owner.problem.remedy,
            BlocksLaunch.UNKNOWN,
            owner.problem.error_code,
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
    """Whether the image is shared with the account; None if that depends on the account's organization."""
    if owner.launch is None:
        return None
    if owner.launch.public or account_id in owner.launch.account_ids:
        return True
    return None if owner.launch.org_arns or owner.launch.org_unit_arns else False


def covering(launch: Sharing) -> str:
    """The organizations and organizational units that an image is shared with, for a sentence."""
    return ", ".join(sorted(launch.org_arns | launch.org_unit_arns))


def _missing(case: Case, image_id: str, owner: OwnerSeen, visible: bool | None) -> Finding:
    if owner.elsewhere:
        regions = ", ".join(owner.elsewhere)
        return finding(
            "wrong_region",
            f"{image_id} is in {regions}, not in {case.image_target.region}.",
            f"Use the ID of the image in {case.image_target.region}; if there is none, copy the image there "
            "(ami_copy_regions). The copy in each region has its own ID.",
        )
    return finding(
        "image_not_found",
        f"Account {case.image_target.account_id} cannot see {image_id} in {case.image_target.region}.",
        "Check the ID and the account; if the image was deregistered, copy it again (ami_copy_regions).",
        # An image of a third account may be shared with the launching account only.
        BlocksLaunch.UNKNOWN if visible else BlocksLaunch.BLOCKING,
    )


def _foreign(image: Image, visible: bool | None) -> Finding:
    # For an unencrypted image, that the account itself sees it is enough.
    known = visible and not image.encrypted
    return finding(
        "not_owner",
        f"{image.image_id} belongs to account {image.owner_id}; only that account can read its launch "
        "permissions.",
        f"Set account_id of the image to {image.owner_id}, and consumer_role_name to a role there.",
        BlocksLaunch.HARMLESS if known else BlocksLaunch.UNKNOWN,
    )


def _state(image: Image) -> Iterator[Finding]:
    if image.state == "disabled":
        yield finding(
            "image_disabled",
            f"{image.image_id} is disabled: it cannot be launched, and its launch permissions were removed.",
            "Restore it with its permissions (golden.images.restore_ami), or launch another image.",
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
            f"{image.image_id} is public: every AWS account can launch it, including {case.account_id}.",
            "If that is not intended, share it with accounts, then unshare it from the public (ami_share, "
            "group: all, state: absent).",
            BlocksLaunch.HARMLESS,
        )
    elif case.account_id not in launch.account_ids:
        if not (launch.org_arns or launch.org_unit_arns):
            yield finding(
                "not_shared",
                f"{image.image_id} is not shared with account {case.account_id}"
                + (", although the account sees it." if visible else "."),
                f"Share it with {case.account_id} (golden.images.share_ami, or ami_share).",
                # The account's own view contradicts it: one of the two may not have propagated yet.
                BlocksLaunch.UNKNOWN if visible else BlocksLaunch.BLOCKING,
            )
        elif visible is not False:
            yield finding(
                "shared_through_organization",
                f"{image.image_id} is shared with account {case.account_id} through {covering(launch)} only. "
                + ("" if visible else "The image's owner cannot read whether the account is in one of them. ")
                + "An account cannot copy an image that is shared only through an organization or "
                + "organizational unit.",
                "To launch it, nothing is needed. To copy it, share it with the account itself (ami_share).",
                BlocksLaunch.HARMLESS if visible else BlocksLaunch.UNKNOWN,
            )


def _copying(case: Case, owner: OwnerSeen, launch: Sharing) -> Iterator[Finding]:
    if owner.image is None or not (launch.public or case.account_id in launch.account_ids):
        return
    # A setting that could not be read may hide them.
    hidden = owner.snapshot_block == UNREAD or (
        owner.snapshot_block is not None and owner.snapshot_block.state == "block-all-sharing"
    )
    missing = [
        snapshot_id
        for snapshot_id, sharing in owner.volume_permissions.items()
        if case.account_id not in sharing.account_ids and not (sharing.public and not hidden)
    ]
    if missing:
        yield finding(
            "missing_volume_permission",
            f"Account {case.account_id} may not create volumes from {', '.join(missing)}: "
            f"it can launch {owner.image.image_id}, but not copy it."
            + (
                " Whether block public access for snapshots is on could not be read."
                if owner.snapshot_block == UNREAD
                else ""
            ),
            f"If {case.account_id} should copy the image, share the snapshots, too (ami_share with "
            "share_snapshots: true).",
            BlocksLaunch.HARMLESS,
        )


def _public(image: Image, owner: OwnerSeen) -> Iterator[Finding]:
    block = owner.image_block
    if owner.launch is not None and owner.launch.public and block is not None and block.is_on:
        unread = block == UNREAD
        state = "could not be read" if unread else f"is on ({block})"
        yield finding(
            "block_public_access",
            f"Block public access for AMIs {state}. {image.image_id} is public and stays public, but once "
            f"unshared it {'may not' if unread else 'cannot'} be made public again.",
            "Share the image with the accounts that need it (ami_share), then make it "
            "private. Leave block public access on.",
            BlocksLaunch.HARMLESS,
        )


def _deprecated(image: Image, now: datetime) -> Iterator[Finding]:
    if image.deprecation_time and datetime.fromisoformat(image.deprecation_time) <= now:
        yield finding(
            "image_deprecated",
            f"{image.image_id} has been deprecated since {image.deprecation_time}: it can be launched, but "
            "other accounts find it only by its ID.",
            "Launch a newer image, or cancel the deprecation (DisableImageDeprecation).",
            BlocksLaunch.HARMLESS,
        )
