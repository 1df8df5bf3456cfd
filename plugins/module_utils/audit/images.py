# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom images and their snapshots are shared with, held against whom they may be shared with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import reduce

from ..finding import Finding
from ..keys import policy_statements as key_policy
from ..model import PUBLIC, Image, Sharing, Target
from .findings import finding
from .state import AuditWanted, RegionSeen

_UNSHARE = "Withdraw it (state: absent of ami_share), or allow it here."
_UNSHARE_SNAPSHOT = "Remove it (ModifySnapshotAttribute, createVolumePermission), or allow it here."


def findings(wanted: AuditWanted, target: Target, seen: RegionSeen) -> Iterator[Finding]:
    """What is found of every image of a region and of every snapshot."""
    users: dict[str, list[Image]] = {}
    for listed in seen.images:
        for snapshot_id in listed.image.snapshot_ids:
            users.setdefault(snapshot_id, []).append(listed.image)
    for listed in seen.images:
        if listed.image.image_id in seen.sharing:
            yield from _of_image(wanted, target, listed.image, seen)
        if listed.image.state == "disabled":
            yield from _of_disabled(target, listed.image, users, seen)
    for snapshot_id, images in users.items():
        if snapshot_id in seen.volumes:
            yield from _of_snapshot(wanted, target, snapshot_id, images, seen)


def others(sharing: Sharing, account_id: str) -> Sharing:
    """Without the owner, who needs no permission."""
    return replace(sharing, account_ids=sharing.account_ids - {account_id})


def not_allowed(sharing: Sharing, allowed: Sharing) -> Sharing:
    """What of a sharing nobody allowed. An allowed organization stands for its units, too."""
    organizations = {key_policy.organization_id(arn) for arn in allowed.org_arns}
    unknown = sharing - allowed
    units = (arn for arn in unknown.org_unit_arns if key_policy.unit_ids(arn)[0] not in organizations)
    return replace(unknown, org_unit_arns=frozenset(units))


def _of_image(wanted: AuditWanted, target: Target, image: Image, seen: RegionSeen) -> Iterator[Finding]:
    sharing = others(seen.sharing[image.image_id], target.account_id)
    unknown = not_allowed(sharing, wanted.allowed_for(image))

    def found(code: str, message: str, remedy: str, principal: str | None) -> Finding:
        return finding(target, code, image.image_id, message, remedy, image.image_id, principal)

    if unknown.public:
        yield found(
            "public",
            f"Everybody can launch {image.image_id} ({image.name}).",
            "Remove the group all (ModifyImageAttribute), and turn block public access on.",
            PUBLIC,
        )
    for kind, principals in (
        ("account", unknown.account_ids),
        ("organization", unknown.org_arns),
        ("organizational_unit", unknown.org_unit_arns),
    ):
        for principal in sorted(principals):
            text = kind.replace("_", " ")
            message = f"{image.image_id} ({image.name}) is shared with the {text} {principal}."
            yield found(f"unknown_{kind}", message, _UNSHARE, principal)
    # EC2 User Guide, "Share an AMI with organizations and organizational units": who is in one keeps access.
    through = sorted(sharing.org_arns | sharing.org_unit_arns)
    for principal in sorted(unknown.account_ids) if through else ():
        yield found(
            "access_remains_through_organization",
            f"Without its own permission, account {principal} would keep {image.image_id} if it is in "
            f"{' or '.join(through)}.",
            "Look where the account is (organizations:DescribeAccount) before taking it for withdrawn.",
            principal,
        )


def _of_disabled(
    target: Target, image: Image, users: Mapping[str, list[Image]], seen: RegionSeen
) -> Iterator[Finding]:
    """Disabling takes the launch permissions away (EC2 User Guide, "Disable an AMI"), the snapshots' stay."""
    shares = {image.image_id: seen.sharing.get(image.image_id, Sharing())}
    shares |= {
        one: seen.volumes.get(one, Sharing()) for one in image.snapshot_ids if _all_disabled(users[one])
    }
    still = [name for name, sharing in shares.items() if others(sharing, target.account_id)]
    if still:
        what = ", ".join(still)
        yield finding(
            target,
            "shared_but_disabled",
            image.image_id,
            f"{image.image_id} ({image.name}) is disabled, but {what} can still be used by others.",
            "Remove the permissions (ModifySnapshotAttribute, createVolumePermission).",
            image.image_id,
        )


def _of_snapshot(
    wanted: AuditWanted, target: Target, snapshot_id: str, images: list[Image], seen: RegionSeen
) -> Iterator[Finding]:
    """What is found of a snapshot, which several images can be made of: what each allows is allowed."""
    volume = others(seen.volumes[snapshot_id], target.account_id)
    allowed = reduce(Sharing.__or__, map(wanted.allowed_for, images))
    unknown = not_allowed(volume, allowed)
    first = images[0].image_id

    def found(code: str, message: str, remedy: str, principal: str) -> Finding:
        return finding(target, code, snapshot_id, message, remedy, first, principal)

    if unknown.public:
        yield found(
            "snapshot_public",
            f"Everybody can read {snapshot_id}, a snapshot of {first}.",
            "Remove the group all (ModifySnapshotAttribute), and turn block public access on.",
            PUBLIC,
        )
    for account_id in sorted(unknown.account_ids):
        message = f"{snapshot_id}, a snapshot of {first}, is shared with the account {account_id}."
        yield found("unknown_account", message, _UNSHARE_SNAPSHOT, account_id)
    launches = [seen.sharing.get(image.image_id) for image in images]
    wider = frozenset() if _all_disabled(images) else wider_than_images(volume, launches)
    for account_id in sorted(wider):
        yield found(
            "snapshot_wider_than_image",
            f"Account {account_id} can read {snapshot_id}, but may not launch {first}, whose snapshot it is.",
            "Remove it (ModifySnapshotAttribute, createVolumePermission), or share the image with it.",
            account_id,
        )


def wider_than_images(volume: Sharing, launches: Iterable[Sharing | None]) -> frozenset[str]:
    """The accounts that may use a snapshot, but launch none of its images.

    None where this cannot be told: of an image that was not read (None), or that everybody or an organization
    may launch.
    """
    known = Sharing()
    for launch in launches:
        if launch is None or launch.public or launch.org_arns or launch.org_unit_arns:
            return frozenset()
        known |= launch
    return volume.account_ids - known.account_ids


def _all_disabled(images: list[Image]) -> bool:
    return all(image.state == "disabled" for image in images)
