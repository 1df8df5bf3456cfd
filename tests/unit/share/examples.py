# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the share planner share: short ways to say what is wanted and seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.model import Image, Sharing
from ansible_collections.golden.images.plugins.module_utils.plan import Action, TargetPlan
from ansible_collections.golden.images.plugins.module_utils.share import plan as share

from tests.unit.examples import OWNER, place, source_image, volumes

REGION = "eu-west-1"
IMAGE = "ami-copy"
NOBODY = Sharing()
PUBLIC = Sharing(public=True)


def with_accounts(*account_ids: str) -> Sharing:
    """Shared with these accounts."""
    return Sharing(account_ids=frozenset(account_ids))


def accounts(count: int) -> tuple[str, ...]:
    """That many account ids, none of them the owner's."""
    return tuple(f"2{number:011d}" for number in range(count))


def shared(
    launch: Sharing = NOBODY, volumes_of: Mapping[str, Sharing] | None = None, **image_changes: Any
) -> share.Shared:
    """An available image of the owner with one snapshot, ``snap-1``, unless told otherwise."""
    permissions = {"snap-1": NOBODY} if volumes_of is None else volumes_of
    image = source_image(**{"image_id": IMAGE, "devices": volumes(*permissions), **image_changes})
    return share.Shared(image, launch, permissions)


def wanted(sharing: Sharing = NOBODY, **changes: Any) -> share.ShareWanted:
    """To share the image of the one region."""
    return share.ShareWanted(**{"images": {REGION: IMAGE}, "sharing": sharing, **changes})


def seen(found: share.Shared) -> share.ShareSeen:
    """That the one region's image looks like this."""
    return share.ShareSeen(OWNER, {place(REGION): found})


def planned(want: share.ShareWanted, found: share.Shared) -> TargetPlan:
    """The plan of the only target."""
    (target,) = share.plan(want, seen(found)).targets
    return target


def image_that(**changes: Any) -> Image:
    """The image, changed."""
    return source_image(**{"image_id": IMAGE, **changes})


def changes_of(actions: Iterable[Action]) -> list[tuple[str | None, str, list[str]]]:
    """What is changed, whether something is added or removed, and who; tags by their keys."""
    return [(action.resource, *_change(action)) for action in actions]


def _change(action: Action) -> tuple[str, list[str]]:
    if action.operation == "CreateTags":
        return "CreateTags", [tag["Key"] for tag in action.parameters["Tags"]]
    key = "LaunchPermission" if action.operation == "ModifyImageAttribute" else "CreateVolumePermission"
    ((change, entries),) = action.parameters[key].items()
    return change, [value for entry in entries for value in entry.values()]
