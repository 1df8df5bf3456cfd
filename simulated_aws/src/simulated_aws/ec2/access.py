# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can see, use and change an image or snapshot."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from ..organizations import memberships
from ..settings import SETTINGS
from . import state
from .allowed_images import is_hidden
from .errors import Ec2Error, image_not_found, image_unavailable, not_authorized, snapshot_not_found
from .ids import require_image_id, require_snapshot_id
from .permissions import effective_permissions
from .state import PUBLIC, Grantee, Image, Snapshot

SHARED_TAG_PREFIX = "ec2:SharedTag/"
"""Prefix of the owner's tags that other accounts see (botocore shape CopyImageRequest, CopyImageTags)."""


class Caller(NamedTuple):
    """The account that sends a request, and the Region of the request."""

    account_id: str
    region: str


def grantees(account_id: str) -> frozenset[Grantee]:
    """All entries of a launch permission that include this account."""
    return frozenset({PUBLIC, Grantee("UserId", account_id)}) | organization_grantees(account_id)


def organization_grantees(account_id: str) -> frozenset[Grantee]:
    """The entries that include this account by its organization or one of its OUs."""
    return frozenset(
        Grantee("OrganizationArn" if ":organization/" in arn else "OrganizationalUnitArn", arn)
        for arn in memberships(account_id)
    )


def may_see_image(image: Image, account_id: str) -> bool:
    """Whether the account owns the image or has a launch permission (botocore operation DescribeImages).

    The account's own Allowed AMIs settings can still hide it.
    """
    return is_shared_with(image, account_id) and not (
        image.owner_id != account_id and is_hidden(image, account_id)
    )


def is_shared_with(image: Image, account_id: str) -> bool:
    """Whether the account owns the image or has a launch permission, which may be a former one."""
    if image.owner_id == account_id:
        return True
    return not grantees(account_id).isdisjoint(effective_permissions(image))


def may_use_snapshot(snapshot: Snapshot, account_id: str) -> bool:
    """Whether the account owns the snapshot or has a createVolumePermission that is not blocked."""
    if snapshot.owner_id == account_id or Grantee("UserId", account_id) in effective_permissions(snapshot):
        return True
    return is_public(snapshot)


def is_public(snapshot: Snapshot) -> bool:
    """Whether it is public and not blocked by `block-all-sharing`.

    (botocore shape EnableSnapshotBlockPublicAccessRequest.)
    """
    block = state.account_region(snapshot.owner_id, snapshot.region).snapshot_block_public_access
    return PUBLIC in effective_permissions(snapshot) and block != "block-all-sharing"


def visible_tags(resource: Image | Snapshot, account_id: str) -> dict[str, str]:
    """The tags that this account sees."""
    if resource.owner_id == account_id:
        return resource.tags
    return {key: value for key, value in resource.tags.items() if key.startswith(SHARED_TAG_PREFIX)}


def visible_image(caller: Caller, image_id: str) -> Image:
    """The image; InvalidAMIID.NotFound if it doesn't exist or the caller can't see it."""
    require_image_id(image_id)
    image = state.region(caller.region).images.get(image_id)
    if image is None or not may_see_image(image, caller.account_id):
        deregistered = state.region(caller.region).deregistered.get(image_id)
        if deregistered and deregistered.owner_id == caller.account_id:
            raise image_unavailable(image_id, "deregistered")
        raise image_not_found(image_id)
    if image.work:
        image.settle(state.now())
    return image


def own_image(caller: Caller, image_id: str) -> Image:
    """The caller's image; AuthFailure for an image of another account that the caller can see."""
    image = visible_image(caller, image_id)
    if image.owner_id != caller.account_id:
        raise not_authorized("image", image_id)
    return image


def own_available_image(caller: Caller, image_id: str) -> Image:
    """The caller's image; InvalidAMIID.Unavailable if its state is not available."""
    image = own_image(caller, image_id)
    require_available(image)
    return image


def require_available(image: Image) -> None:
    """Reject an image whose state is not available."""
    current = image.current_state(state.now())
    if current != "available":
        raise image_unavailable(image.id, current)


def visible_snapshot(caller: Caller, snapshot_id: str) -> Snapshot:
    """The snapshot; InvalidSnapshot.NotFound if it doesn't exist or the caller can't use it."""
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
    """The registered images that use a snapshot; failed images don't count."""
    return [
        image
        for image in state.region(snapshot.region).images.values()
        if snapshot.id in image.snapshot_ids and image.state != "failed"
    ]


def require_unused(snapshot: Snapshot) -> None:
    """Reject the deletion of a registered image's snapshot (botocore operation DeleteSnapshot).

    For a while (`settings.snapshot_in_use_seconds`) also of an image that is deregistered.
    """
    users = [*(image.id for image in using_images(snapshot)), *_recent_users(snapshot)]
    if users:
        message = f"The snapshot {snapshot.id} is currently in use by {users[0]}"
        raise Ec2Error("InvalidSnapshot.InUse", message)


def _recent_users(snapshot: Snapshot) -> list[str]:
    """The images whose deregistration DeleteSnapshot does not see yet."""
    since = state.now() - timedelta(seconds=SETTINGS.snapshot_in_use_seconds)
    return [
        image_id
        for image_id, one in state.region(snapshot.region).deregistered.items()
        if snapshot.id in one.snapshot_ids and one.moment > since
    ]
