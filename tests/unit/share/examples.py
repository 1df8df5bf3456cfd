# SPDX-License-Identifier: GPL-3.0-or-later

"""Helpers for the tests of this room: wanted sharing and seen images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.model import Image, Sharing
from ansible_collections.golden.images.plugins.module_utils.plan import Action, TargetPlan
from ansible_collections.golden.images.plugins.module_utils.share import plan as share
from ansible_collections.golden.images.plugins.module_utils.share.state import Shared, ShareSeen, ShareWanted

from tests.unit.examples import OWNER, source_image, target_in, volumes
from tests.unit.wire import Wire

REGION = "eu-west-1"
IMAGE = "ami-copy"
PRIVATE = Sharing()
PUBLIC = Sharing(public=True)


def with_accounts(*account_ids: str) -> Sharing:
    """Shared with these accounts."""
    return Sharing(account_ids=frozenset(account_ids))


def accounts(count: int) -> tuple[str, ...]:
    """That many account IDs, none of them the owner's."""
    return tuple(f"2{number:011d}" for number in range(count))


def shared(
    launch: Sharing = PRIVATE, volumes_of: Mapping[str, Sharing] | None = None, **image_changes: Any
) -> Shared:
    """An available image of the owner with one snapshot, ``snap-1``, unless changed."""
    permissions = {"snap-1": PRIVATE} if volumes_of is None else volumes_of
    image = source_image(**{"image_id": IMAGE, "devices": volumes(*permissions), **image_changes})
    return Shared(image, launch, permissions)


def wanted(sharing: Sharing = PRIVATE, **changes: Any) -> ShareWanted:
    """Sharing of the only region's image."""
    return ShareWanted(**{"images": {REGION: IMAGE}, "sharing": sharing, **changes})


def seen(found: Shared) -> ShareSeen:
    """The only region's image."""
    return ShareSeen(OWNER, {target_in(REGION): found})


def planned(want: ShareWanted, found: Shared) -> TargetPlan:
    """The plan of the only target."""
    (target,) = share.plan(want, seen(found)).targets
    return target


def image_that(**changes: Any) -> Image:
    """The image, changed."""
    return source_image(**{"image_id": IMAGE, **changes})


def changes_of(actions: Iterable[Action]) -> list[tuple[str | None, str, list[str]]]:
    """The resource, Add or Remove, and the consumers of each action; for tags their keys."""
    return [(action.resource, *_change(action)) for action in actions]


def _change(action: Action) -> tuple[str, list[str]]:
    if action.operation == "CreateTags":
        return "CreateTags", [tag["Key"] for tag in action.parameters["Tags"]]
    key = "LaunchPermission" if action.operation == "ModifyImageAttribute" else "CreateVolumePermission"
    ((change, entries),) = action.parameters[key].items()
    return change, [value for entry in entries for value in entry.values()]


def clients_of(sts: Wire, ec2: Wire) -> Any:
    """The same client for every region."""
    return SimpleNamespace(
        default_region=REGION,
        open=lambda _service, _regions: None,
        sts=lambda _region: sts.client,
        ec2=lambda _region: ec2.client,
    )


def expect_caller(sts: Wire) -> None:
    """Expect the request for the caller's account, which is the owner."""
    arn = f"arn:aws:iam::{OWNER}:user/build"
    sts.expect("get_caller_identity", {}, {"UserId": "u", "Account": OWNER, "Arn": arn})


def expect_image(ec2: Wire, image_id: str = IMAGE, owner_id: str = OWNER, found: bool = True) -> None:
    """Expect the request for an image, and answer one with two volumes, or none."""
    devices = [
        {"DeviceName": f"/dev/sd{letter}", "Ebs": {"SnapshotId": f"snap-{letter}", "Encrypted": False}}
        for letter in ("a", "b")
    ]
    item = {"ImageId": image_id, "OwnerId": owner_id, "State": "available", "BlockDeviceMappings": devices}
    request = {"ImageIds": [image_id], "IncludeDisabled": True, "IncludeDeprecated": True}
    if found:
        ec2.expect("describe_images", request, {"Images": [item]})
    else:
        ec2.refuse("describe_images", request, "InvalidAMIID.NotFound")


def expect_launch(ec2: Wire, *account_ids: str) -> None:
    """Expect the request for the image's launch permissions, and answer these accounts'."""
    request = {"ImageId": IMAGE, "Attribute": "launchPermission"}
    entries = [{"UserId": account_id} for account_id in account_ids]
    ec2.expect("describe_image_attribute", request, {"LaunchPermissions": entries})
