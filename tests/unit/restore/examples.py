# SPDX-License-Identifier: GPL-3.0-or-later

"""Examples for the restore tests: a retired image, its tombstones, and the effects of calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import render_time
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import OwnSnapshot
from ansible_collections.golden.images.plugins.module_utils._cleanup.tombstone import (
    Tombstone,
    TombstoneHistory,
)
from ansible_collections.golden.images.plugins.module_utils._model import Image, ImageRef, Sharing
from ansible_collections.golden.images.plugins.module_utils._plan import Action
from ansible_collections.golden.images.plugins.module_utils._restore import plan as restore
from ansible_collections.golden.images.plugins.module_utils._restore.options import RestoreOptions
from ansible_collections.golden.images.plugins.module_utils._restore.state import (
    ImageState,
    RestoreState,
)

from tests.unit.examples import CONSUMER, ORG, OWNER, STRANGER, volumes

REF = ImageRef("eu-west-1", "ami-1")
DATED, LAST = "2026-11-01T00:00:00Z", "2026-11-20T00:00:00Z"
BINNED_AT = datetime(2026, 11, 20, 1, tzinfo=UTC)
NOW = datetime(2026, 12, 1, tzinfo=UTC)
LAUNCH = Sharing(account_ids=frozenset({CONSUMER, STRANGER}), org_arns=frozenset({ORG}))
VOLUMES = {"snap-1": Sharing(account_ids=frozenset({CONSUMER})), "snap-2": Sharing()}
DISABLED_TAG = {"golden.images:cleanup-disabled": DATED}
CHOSEN_TAG = {"golden.images:cleanup-chosen": DATED}
RESTORING_TAG = {"golden.images:restoring": DATED}
GOING = {"golden.images:cleanup-image-ids": REF.image_id}


def tombstone(**changes: Any) -> Tombstone:
    """Written when the image was disabled; it was shared with two accounts and an organization."""
    values: dict[str, Any] = {
        "ref": REF,
        "account_id": OWNER,
        "written_at": DATED,
        "stage": "disable",
        "name": "web",
        "launch": LAUNCH,
        "volume_permissions": VOLUMES,
        "devices": volumes(*VOLUMES),
        "tags": {"family": "web"},
        "platform": "Linux/UNIX",
        **changes,
    }
    return Tombstone(**values)


def last_tombstone(**changes: Any) -> Tombstone:
    """Written when the disabled image was deregistered, so that it has no permissions."""
    values: dict[str, Any] = {
        "stage": "deregister",
        "state": "disabled",
        "written_at": LAST,
        "launch": Sharing(),
        "deleted": frozenset(VOLUMES),
        "tags": {"family": "web", **DISABLED_TAG},
        **changes,
    }
    return tombstone(**values)


def of_deregistration(**changes: Any) -> Tombstone:
    """Written when the image was deregistered without having been disabled."""
    return tombstone(**{"stage": "deregister", "written_at": LAST, **changes})


def record(**changes: Any) -> dict[str, Any]:
    """A tombstone as JSON: the image was shared with one account when it was deregistered."""
    permissions = {"account_ids": [CONSUMER], "public": False}
    snapshot = {
        "deleted": True,
        "device_name": "/dev/xvda",
        "encrypted": False,
        "snapshot_id": "snap-1",
        "volume_permissions": {"account_ids": [], "public": False},
    }
    return {
        "account_id": OWNER,
        "image": {"State": "available"},
        "image_id": REF.image_id,
        "launch_permissions": permissions,
        "name": "web",
        "region": REF.region,
        "snapshots": [snapshot],
        "stage": "deregister",
        "tags": {},
        "written_at": DATED,
        **changes,
    }


def image(state: str = "disabled", **changes: Any) -> Image:
    """The image, with the tag of a cleanup that disabled it."""
    values: dict[str, Any] = {
        "name": "web",
        "owner_id": OWNER,
        "devices": volumes(*VOLUMES),
        "tags": {"family": "web", **DISABLED_TAG},
        **changes,
    }
    return Image(image_id=REF.image_id, state=state, **values)


def found(shown: Image | None = None, **changes: Any) -> ImageState:
    """The image as it is read: disabled, with the permissions of its snapshots."""
    values: dict[str, Any] = {
        "volume_permissions": VOLUMES,
        "snapshots": {one: OwnSnapshot(one) for one in VOLUMES},
        **changes,
    }
    return ImageState(shown or image(), **values)


def binned(**changes: Any) -> ImageState:
    """The image in the Recycle Bin with its snapshots, since the deregistration of the last tombstone."""
    values: dict[str, Any] = {"binned_at": BINNED_AT, "binned_snapshots": tuple(VOLUMES), **changes}
    return ImageState(binned=True, **values)


def wanted(**changes: Any) -> RestoreOptions:
    """The image, with a tombstone file."""
    values: dict[str, Any] = {"images": {REF: None}, "tombstone_path": "retired.jsonl", **changes}
    return RestoreOptions(**values)


def planned(shown: ImageState, *tombstones: Tombstone, **changes: Any) -> restore.ImagePlan:
    """The plan for the image."""
    want = wanted(**changes)
    (one,) = restore.plan(want, seen(shown, *tombstones)).images
    return one


def planned_again(shown: ImageState, *tombstones: Tombstone, **changes: Any) -> restore.ImagePlan:
    """The plan for the image, which has just come out of the Recycle Bin."""
    return restore.plan_image(wanted(**changes), seen(shown, *tombstones), REF, restored=True)


def seen(shown: ImageState, *tombstones: Tombstone) -> RestoreState:
    """The image and its tombstones."""
    return RestoreState(OWNER, NOW, {REF: shown}, {REF: TombstoneHistory(tombstones)} if tombstones else {})


def calls(actions: Iterable[Action]) -> list[tuple[str, str | None]]:
    """The operations, each with its resource."""
    return [(action.operation, action.resource) for action in actions]


def performed(shown: ImageState, in_bin: ImageState, actions: Iterable[Action]) -> ImageState:
    """What is read after the calls; an AssertionError for a call that AWS would refuse.

    ``in_bin`` is the image as it was moved to the Recycle Bin.
    """
    for action in actions:
        parameters = action.parameters
        if action.operation == "RestoreSnapshotFromRecycleBin":
            assert action.resource in shown.binned_snapshots
            left = tuple(one for one in shown.binned_snapshots if one != action.resource)
            back = {str(action.resource): in_bin.snapshots[str(action.resource)]}
            shown = replace(shown, binned_snapshots=left, snapshots={**shown.snapshots, **back})
        elif action.operation == "RestoreImageFromRecycleBin":
            assert shown.binned
            assert not shown.binned_snapshots
            shown = in_bin
        else:
            assert shown.image is not None
            shown = _changed(shown, shown.image, action.operation, parameters, str(action.resource))
    return shown


def _changed(shown: ImageState, current: Image, operation: str, parameters: Any, resource: str) -> ImageState:
    if operation == "EnableImage":
        assert current.state == "disabled"
        return replace(shown, image=replace(current, state="available"))
    if operation == "DisableImageDeprecation":
        assert not shown.launch.public, "the deprecation of a public image cannot be canceled"
        return replace(shown, image=replace(current, deprecation_time=None))
    if operation == "EnableImageDeprecation":
        assert parameters["DeprecateAt"] > NOW
        assert not shown.launch.public, "the deprecation of a public image cannot be moved to a later date"
        return replace(shown, image=replace(current, deprecation_time=render_time(parameters["DeprecateAt"])))
    if operation == "ModifyImageAttribute":
        assert current.state == "available", "a disabled image cannot be shared"
        return replace(shown, launch=shown.launch | _added(parameters["LaunchPermission"]))
    if operation == "ModifySnapshotAttribute":
        more = shown.volume_permissions[resource] | _added(parameters["CreateVolumePermission"])
        return replace(shown, volume_permissions={**shown.volume_permissions, resource: more})
    resources = parameters["Resources"]
    snapshots = {
        key: replace(one, tags=_tags(one.tags, operation, parameters)) if key in resources else one
        for key, one in shown.snapshots.items()
    }
    if current.image_id in resources:
        current = replace(current, tags=_tags(current.tags, operation, parameters))
    return replace(shown, image=current, snapshots=snapshots)


def _tags(tags: Any, operation: str, parameters: Any) -> dict[str, str]:
    if operation == "CreateTags":
        return {**tags, **{tag["Key"]: tag["Value"] for tag in parameters["Tags"]}}
    assert operation == "DeleteTags"
    unwanted = {tag["Key"] for tag in parameters["Tags"]}
    return {key: value for key, value in tags.items() if key not in unwanted}


def _added(change: Any) -> Sharing:
    assert set(change) == {"Add"}, "restoring removes no permission"

    def values(kind: str) -> frozenset[str]:
        return frozenset(entry[kind] for entry in change["Add"] if kind in entry)

    return Sharing(
        values("UserId"),
        values("OrganizationArn"),
        values("OrganizationalUnitArn"),
        public="all" in values("Group"),
    )
