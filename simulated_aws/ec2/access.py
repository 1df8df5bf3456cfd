# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may see and who may change an image or snapshot."""

from __future__ import annotations

from typing import NamedTuple

from ..organizations import memberships
from . import state
from .allowed_images import is_hidden
from .errors import Ec2Error, image_not_found, image_unavailable, not_authorized, snapshot_not_found
from .ids import require_image_id, require_snapshot_id
from .state import EVERYONE, Grantee, Image, Snapshot

SHARED_TAG_PREFIX = "ec2:SharedTag/"
"""The only tags of an owner that others see (botocore shape CopyImageRequest, CopyImageTags)."""


class Caller(NamedTuple):
    """The account a request comes from and the Region it was sent to."""

    account_id: str
    region: str


def grantees(account_id: str) -> frozenset[Grantee]:
    """Every entry of a launch permission that lets this account in."""
    return frozenset({EVERYONE, Grantee("UserId", account_id)}) | organization_grantees(account_id)


def organization_grantees(account_id: str) -> frozenset[Grantee]:
    """The entries that let this account in by its organization or one of its OUs."""
    return frozenset(
        Grantee("OrganizationArn" if ":organization/" in arn else "OrganizationalUnitArn", arn)
        for arn in memberships(account_id)
    )


def may_see_image(image: Image, account_id: str) -> bool:
    """Owners always may; others need a launch permission (botocore operation DescribeImages).

    Their own account may still hide it from them: Allowed AMIs.
    """
    if image.owner_id == account_id:
        return True
    return not grantees(account_id).isdisjoint(image.permissions) and not is_hidden(image, account_id)


def may_use_snapshot(snapshot: Snapshot, account_id: str) -> bool:
    """Owners always may; others need a createVolumePermission, of which a public one may be blocked."""
    if snapshot.owner_id == account_id or Grantee("UserId", account_id) in snapshot.permissions:
        return True
    return is_public(snapshot)


def is_public(snapshot: Snapshot) -> bool:
    """`block-all-sharing` hides public snapshots (botocore shape EnableSnapshotBlockPublicAccessRequest)."""
    block = state.account_region(snapshot.owner_id, snapshot.region).snapshot_block_public_access
    return EVERYONE in snapshot.permissions and block != "block-all-sharing"


def visible_tags(resource: Image | Snapshot, account_id: str) -> dict[str, str]:
    """The tags this account sees on it."""
    if resource.owner_id == account_id:
        return resource.tags
    return {key: value for key, value in resource.tags.items() if key.startswith(SHARED_TAG_PREFIX)}


def visible_image(caller: Caller, image_id: str) -> Image:
    """The image, or InvalidAMIID.NotFound when it isn't there or isn't the caller's to see."""
    require_image_id(image_id)
    image = state.region(caller.region).images.get(image_id)
    if image is None or not may_see_image(image, caller.account_id):
        if state.region(caller.region).deregistered.get(image_id) == caller.account_id:
            raise image_unavailable(image_id, "deregistered")
        raise image_not_found(image_id)
    if image.work:
        image.settle(state.now())
    return image


def own_image(caller: Caller, image_id: str) -> Image:
    """The caller's image; another's is refused in a way that depends on whether the caller can see it."""
    image = visible_image(caller, image_id)
    if image.owner_id != caller.account_id:
        raise not_authorized("image", image_id)
    return image


def own_available_image(caller: Caller, image_id: str) -> Image:
    """The caller's image, refused with InvalidAMIID.Unavailable unless it is available."""
    image = own_image(caller, image_id)
    if image.state != "available":
        raise image_unavailable(image_id, image.state)
    return image


def visible_snapshot(caller: Caller, snapshot_id: str) -> Snapshot:
    """The snapshot, or InvalidSnapshot.NotFound when it isn't there or isn't the caller's to see."""
    require_snapshot_id(snapshot_id)
    snapshot = state.region(caller.region).snapshots.get(snapshot_id)
    if snapshot is None or not may_use_snapshot(snapshot, caller.account_id):
        raise snapshot_not_found(snapshot_id)
    if snapshot.work:
        snapshot.settle(state.now())
    return snapshot


def own_snapshot(caller: Caller, snapshot_id: str) -> Snapshot:
    """The caller's snapshot."""
    snapshot = visible_snapshot(caller, snapshot_id)
    if snapshot.owner_id != caller.account_id:
        raise not_authorized("snapshot", snapshot_id)
    return snapshot


def using_images(snapshot: Snapshot) -> list[Image]:
    """The registered images that a snapshot backs; a failed one doesn't hold it."""
    return [
        image
        for image in state.region(snapshot.region).images.values()
        if snapshot.id in image.snapshot_ids and image.state != "failed"
    ]


def require_unused(snapshot: Snapshot) -> None:
    """Refuse to delete the snapshot of a registered image (botocore operation DeleteSnapshot)."""
    users = using_images(snapshot)
    if users:
        message = f"The snapshot {snapshot.id} is currently in use by {users[0].id}"
        raise Ec2Error("InvalidSnapshot.InUse", message)
