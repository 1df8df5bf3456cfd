# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings about launch and volume permissions, compared with who is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import reduce

from ..finding import Finding
from ..keys import policy_statements as key_policy
from ..model import PUBLIC, Image, PublicAccessBlock, Sharing, Target
from .findings import finding
from .options import AuditOptions
from .state import RegionSeen

_UNSHARE = "Unshare it (state: absent of ami_share), or allow it in the audit."
_UNSHARE_SNAPSHOT = (
    "Remove the permission (ModifySnapshotAttribute, createVolumePermission), or allow it in the audit."
)


def findings(wanted: AuditOptions, target: Target, seen: RegionSeen) -> Iterator[Finding]:
    """The findings about every image of a region and every snapshot."""
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
        if snapshot_id in seen.volume_permissions:
            yield from _of_snapshot(wanted, target, snapshot_id, images, seen)
    for snapshot_id, volume in seen.unused.items():
        yield from _of_unused(wanted, target, snapshot_id, volume, seen)


def not_allowed(sharing: Sharing, allowed: Sharing) -> Sharing:
    """The part of ``sharing`` that is not allowed. An organization includes its organizational units."""
    organizations = {key_policy.organization_id(arn) for arn in allowed.org_arns}
    unknown = sharing - allowed
    units = (arn for arn in unknown.org_unit_arns if key_policy.unit_ids(arn)[0] not in organizations)
    return replace(unknown, org_unit_arns=frozenset(units))


def _of_image(wanted: AuditOptions, target: Target, image: Image, seen: RegionSeen) -> Iterator[Finding]:
    sharing = seen.sharing[image.image_id].without(target.account_id)
    unknown = not_allowed(sharing, wanted.allowed_for(image))

    def found(code: str, message: str, remedy: str, principal: str | None) -> Finding:
        return finding(target, code, image.image_id, message, remedy, image.image_id, principal)

    if unknown.public:
        yield found(
            "public",
            f"Every AWS account can launch {image.image_id} ({image.name}).",
            f"Remove public access (ami_share, group: all, state: absent){_then(seen.image_block)}",
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
    # EC2 User Guide, "Share an AMI with organizations and organizational units": their members keep access.
    through = sorted(sharing.org_arns | sharing.org_unit_arns)
    for principal in sorted(unknown.account_ids) if through else ():
        yield found(
            "access_remains_through_organization",
            f"Without its own permission, account {principal} could still launch {image.image_id} if it is "
            f"in {' or '.join(through)}.",
            "Check the account's organization (organizations:DescribeAccount) before relying on unsharing.",
            principal,
        )


def _of_disabled(
    target: Target, image: Image, users: Mapping[str, list[Image]], seen: RegionSeen
) -> Iterator[Finding]:
    """Disabling removes launch permissions, but no volume permissions (EC2 User Guide, "Disable an AMI")."""
    shares = {image.image_id: seen.sharing.get(image.image_id, Sharing())}
    shares |= {one: seen.effective_volume(one) for one in image.snapshot_ids if _all_disabled(users[one])}
    still = [name for name, sharing in shares.items() if sharing.without(target.account_id)]
    if still:
        what = ", ".join(still)
        yield finding(
            target,
            "shared_but_disabled",
            image.image_id,
            f"{image.image_id} ({image.name}) is disabled, but other accounts can still use {what}.",
            "Unshare the image (golden.images.unshare_ami, or golden.images.remediate_ami_sharing if "
            "snapshots are public), or restore it (golden.images.restore_ami).",
            image.image_id,
        )


def _of_snapshot(
    wanted: AuditOptions, target: Target, snapshot_id: str, images: list[Image], seen: RegionSeen
) -> Iterator[Finding]:
    """The findings about a snapshot. It may be shared with all that any of its images may be."""
    volume = seen.volume_permissions[snapshot_id].without(target.account_id)
    allowed = reduce(Sharing.__or__, map(wanted.allowed_for, images))
    unknown = not_allowed(volume, allowed)
    first = images[0].image_id

    def found(code: str, message: str, remedy: str, principal: str) -> Finding:
        return finding(target, code, snapshot_id, message, remedy, first, principal)

    if unknown.public and seen.hides_public_snapshots:
        yield found(
            "snapshot_public_blocked",
            f"{snapshot_id}, a snapshot of {first}, is public; only block public access hides it.",
            "Remove the group all (ModifySnapshotAttribute) before block public access is lowered.",
            PUBLIC,
        )
    elif unknown.public:
        yield found(
            "snapshot_public",
            f"Every AWS account can read {snapshot_id}, a snapshot of {first}.",
            f"Remove the group all (ModifySnapshotAttribute){_then(seen.snapshot_block)}",
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
            f"Account {account_id} can read {snapshot_id}, but may not launch {first}, which uses it.",
            "Remove the permission (ModifySnapshotAttribute, createVolumePermission), or share the image.",
            account_id,
        )


def _of_unused(
    wanted: AuditOptions, target: Target, snapshot_id: str, volume: Sharing, seen: RegionSeen
) -> Iterator[Finding]:
    """The findings about a snapshot that no image uses. Rules for images do not apply to it."""
    unknown = not_allowed(volume.without(target.account_id), wanted.allowed)
    if unknown.public and seen.hides_public_snapshots:
        yield finding(
            target,
            "snapshot_public_blocked",
            snapshot_id,
            f"{snapshot_id}, which no image uses, is public; only block public access hides it.",
            "Delete it, or remove the group all (ModifySnapshotAttribute), before block public access is "
            "lowered.",
            principal=PUBLIC,
        )
    elif unknown.public:
        yield finding(
            target,
            "snapshot_public",
            snapshot_id,
            f"Every AWS account can read {snapshot_id}, which no image uses.",
            f"Delete it, or remove the group all (ModifySnapshotAttribute){_then(seen.snapshot_block)}",
            principal=PUBLIC,
        )
    for account_id in sorted(unknown.account_ids):
        yield finding(
            target,
            "unknown_account",
            snapshot_id,
            f"{snapshot_id}, which no image uses, is shared with the account {account_id}.",
            f"Delete it. Or: {_UNSHARE_SNAPSHOT}",
            principal=account_id,
        )


def _then(block: PublicAccessBlock | None) -> str:
    """Return the end of a remedy: what keeps it from becoming public again."""
    if block is not None and block.is_on:
        return f". Block public access ({block}) keeps it private then."
    if block is not None and block.by_policy:
        return ", then change the declarative policy that allows public sharing: the account cannot."
    return ", then enable block public access."


def wider_than_images(volume: Sharing, launches: Iterable[Sharing | None]) -> frozenset[str]:
    """The accounts that may use a snapshot, but launch none of its images.

    Empty where this is unknown: if an image was not read (None), or is public or shared with an organization
    or organizational unit.
    """
    known = Sharing()
    for launch in launches:
        if launch is None or launch.public or launch.org_arns or launch.org_unit_arns:
            return frozenset()
        known |= launch
    return volume.account_ids - known.account_ids


def _all_disabled(images: list[Image]) -> bool:
    return all(image.state == "disabled" for image in images)
