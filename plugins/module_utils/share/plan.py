# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan changes of launch permissions and createVolumePermission."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .. import tags as tagging
from ..failures import Failure
from ..keys.access import consumers_without_access
from ..listing import listed
from ..model import Image, Sharing, Target
from ..plan import Action, Plan, TargetPlan, batches
from . import checks as share_checks
from .options import ShareOptions
from .public import split_opening
from .state import Shared, ShareSeen

# EC2 API Reference: account IDs per ModifyImageAttribute, changes per ModifySnapshotAttribute.
IMAGE_BATCH = 10_000
SNAPSHOT_BATCH = 500
# EC2 User Guide, "AMI quotas": entities that one AMI can be shared with; adjustable.
DEFAULT_QUOTA = 1_000
# Consumers that a warning names.
_NAMED = 5


def plan(wanted: ShareOptions, seen: ShareSeen) -> Plan:
    """Plan every target that could be read; the others are tolerated."""
    own = seen.account_id in wanted.sharing.account_ids
    named = replace(wanted.sharing, account_ids=wanted.sharing.account_ids - {seen.account_id})
    warnings = (f"{seen.account_id} owns the images and needs no permission: skipped.",) if own else ()
    planned = (
        _plan_target(wanted, named, target, seen.images[target], warnings, seen.account_id)
        for target in sorted(seen.images)
    )
    return Plan(
        (
            *(target_plan.tolerating(wanted.best_effort_regions) for target_plan in planned),
            *(TargetPlan(target, tolerated=(failure,)) for target, failure in sorted(seen.unread.items())),
        )
    )


def sharing_after(wanted: ShareOptions, named: Sharing, current: Sharing) -> Sharing:
    """The sharing of an image or snapshot after the plan is applied."""
    if not wanted.present:
        return current - named
    return named if wanted.purge_launch_permissions else current | named


def partial_view(
    wanted: ShareOptions, target: TargetPlan, shared: Shared, performed: Iterable[Action]
) -> dict[str, Any] | None:
    """The state of a target, like ``after`` of its plan, without the entries that AWS rejected.

    ``performed`` are the actions with the other entries. None if AWS rejected all named consumers.
    """
    launch, volume_permissions = shared.launch, dict(shared.volume_permissions)
    for action in performed:
        if action.operation == "ModifyImageAttribute":
            launch = _modified(launch, action.parameters["LaunchPermission"])
        elif action.operation == "ModifySnapshotAttribute":
            snapshot_id = action.parameters["SnapshotId"]
            volume_permissions[snapshot_id] = _modified(
                volume_permissions[snapshot_id], action.parameters["CreateVolumePermission"]
            )
    if not (launch & wanted.sharing if wanted.present else wanted.sharing - launch):
        return None
    permissions = {
        "launch_permissions": launch.as_result(),
        "volume_permissions": _volume_view(shared, volume_permissions),
    }
    return {**target.after, **permissions}


def _volume_sharing_after(wanted: ShareOptions, named: Sharing, current: Sharing) -> Sharing:
    """The sharing of a snapshot of the image: without ``share_snapshots``, a purge removes and adds none."""
    after = sharing_after(wanted, named, current)
    return after if wanted.share_snapshots else after & current


def _plan_target(
    wanted: ShareOptions,
    named: Sharing,
    target: Target,
    shared: Shared,
    warnings: tuple[str, ...],
    account_id: str,
) -> TargetPlan:
    launch = shared.launch if wanted.snapshot_ids else sharing_after(wanted, named, shared.launch)
    volume_permissions = {
        snapshot_id: _volume_sharing_after(wanted, named.accounts_only(), current)
        for snapshot_id, current in shared.volume_permissions.items()
    }
    before_image, after_image = split_opening(snapshot_actions(target, shared, volume_permissions, "Add"))
    # Snapshots are shared before the image, so that a visible image can be copied. Unsharing is the reverse.
    # To all they are shared after it: AWS may refuse that for the image.
    actions = (
        *before_image,
        *_tag_actions(wanted, target, shared),
        *_image_changes(target, shared, launch),
        *after_image,
        *snapshot_actions(target, shared, volume_permissions, "Remove"),
    )
    shared_tags = wanted.shared_tags if wanted.present else {}
    return TargetPlan(
        target,
        actions=actions,
        before=_view(shared, shared.launch, shared.volume_permissions, _shared_tags(shared.image)),
        after=_view(shared, launch, volume_permissions, {**_shared_tags(shared.image), **shared_tags}),
        warnings=(*warnings, *_warnings(wanted, named, shared, launch, target)),
        refusals=tuple(_refusals(wanted, named, shared, target, account_id)),
    )


def _image_changes(target: Target, shared: Shared, launch: Sharing) -> Iterator[Action]:
    """The calls that change launch permissions: additions come first, if the quota has room for them."""
    if not _removes_first(shared, launch):
        yield from image_actions(target, shared, launch, "Add")
        yield from image_actions(target, shared, launch, "Remove")
        return
    # Accounts that are removed can be covered by an organization that is added: they keep their access.
    yield from image_actions(target, shared, _covering(launch), "Add")
    yield from image_actions(target, shared, launch, "Remove")
    yield from image_actions(target, shared, Sharing(launch.account_ids), "Add")


def _removes_first(shared: Shared, launch: Sharing) -> bool:
    """Whether the permissions before and those after the change fit in the quota, but not both at once."""
    return launch.entities <= _known_quota(shared) < (shared.launch | launch).entities


def _known_quota(shared: Shared) -> int:
    """The quota that the image has at least."""
    return max(DEFAULT_QUOTA, shared.launch.entities)


def _covering(sharing: Sharing) -> Sharing:
    """The part that can give access to accounts that it does not name."""
    return replace(sharing, account_ids=frozenset())


def image_actions(target: Target, shared: Shared, after: Sharing, change: str) -> Iterator[Action]:
    """The calls that Add or Remove launch permissions, so that they become ``after``."""
    delta = after - shared.launch if change == "Add" else shared.launch - after
    resource = shared.image.image_id if shared.exists else None
    for batch in _requests(delta, change, IMAGE_BATCH):
        parameters = {"ImageId": resource, "LaunchPermission": {change: batch}}
        yield Action(target, "ModifyImageAttribute", parameters, resource)


def snapshot_actions(
    target: Target, shared: Shared, volume_permissions: Mapping[str, Sharing], change: str
) -> Iterator[Action]:
    """The calls that Add or Remove createVolumePermission, so that it becomes ``volume_permissions``."""
    for snapshot_id, after in volume_permissions.items():
        current = shared.volume_permissions[snapshot_id]
        delta = after - current if change == "Add" else current - after
        resource = snapshot_id if shared.exists else None
        for batch in _requests(delta, change, SNAPSHOT_BATCH):
            parameters = {
                "Attribute": "createVolumePermission",
                "CreateVolumePermission": {change: batch},
                "SnapshotId": resource,
            }
            yield Action(target, "ModifySnapshotAttribute", parameters, resource)


def _requests(delta: Sharing, change: str, size: int) -> Iterator[Sequence[dict[str, str]]]:
    """Yield the entries of each request. The group is added by one of its own, which AWS may refuse."""
    if change == "Remove" or not delta.public:
        yield from batches(entries(delta), size)
        return
    yield from batches(entries(replace(delta, public=False)), size)
    yield entries(Sharing(public=True))


def _tag_actions(wanted: ShareOptions, target: Target, shared: Shared) -> Iterator[Action]:
    missing = tagging.differing_tags(shared.image.tags, _shared_tags_wanted(wanted)) if wanted.present else {}
    if missing:
        resource = shared.image.image_id if shared.exists else None
        parameters = {"Resources": [resource], "Tags": tagging.tag_list(missing)}
        yield Action(target, "CreateTags", parameters, resource)


def entries(sharing: Sharing) -> list[dict[str, str]]:
    """The entries of a request (botocore shapes ``LaunchPermission``, ``CreateVolumePermission``)."""
    return [
        *({"UserId": account_id} for account_id in sorted(sharing.account_ids)),
        *({"OrganizationArn": arn} for arn in sorted(sharing.org_arns)),
        *({"OrganizationalUnitArn": arn} for arn in sorted(sharing.org_unit_arns)),
        *([{"Group": "all"}] if sharing.public else []),
    ]


def _modified(current: Sharing, modification: Mapping[str, list[dict[str, str]]]) -> Sharing:
    """The sharing after a request, which either adds entries or removes some."""
    ((change, changed),) = modification.items()
    delta = Sharing.of_entries(changed)
    return current | delta if change == "Add" else current - delta


def _shared_tags_wanted(wanted: ShareOptions) -> dict[str, str]:
    return {tagging.SHARED_PREFIX + key: value for key, value in wanted.shared_tags.items()}


def _shared_tags(image: Image) -> dict[str, str]:
    prefix = tagging.SHARED_PREFIX
    return {key.removeprefix(prefix): value for key, value in image.tags.items() if key.startswith(prefix)}


def _view(
    shared: Shared, launch: Sharing, volume_permissions: Mapping[str, Sharing], shared_tags: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "image_id": shared.image.image_id or None,
        "launch_permissions": launch.as_result(),
        "shared_tags": dict(shared_tags),
        "volume_permissions": _volume_view(shared, volume_permissions),
    }


def _volume_view(shared: Shared, volume_permissions: Mapping[str, Sharing]) -> dict[str, Any]:
    names = {snapshot_id: snapshot_id for snapshot_id in volume_permissions}
    if not shared.exists:
        names = {device.snapshot_id: device.name for device in shared.image.devices if device.snapshot_id}
    views = {}
    for snapshot_id, sharing in volume_permissions.items():
        views[names[snapshot_id]] = {"account_ids": sorted(sharing.account_ids), "public": sharing.public}
    return views


def _warnings(
    wanted: ShareOptions, named: Sharing, shared: Shared, launch: Sharing, target: Target
) -> Iterator[str]:
    organizations = named.org_arns | named.org_unit_arns
    if wanted.present and wanted.share_snapshots and organizations and not named.account_ids:
        yield (
            "Snapshots cannot be shared with organizations and organizational units: their accounts can "
            "launch the image, not copy it. Add accounts that must copy it to account_ids."
        )
    keys = [wanted.planned(key) for key in shared.keys]
    if wanted.present and (without_access := consumers_without_access(keys, named)):
        yield (
            f"{listed(without_access, _NAMED)} cannot use the key of {shared.image.image_id} yet: launches "
            "fail. Grant access with ami_kms_grant, or allow it in the key policy."
        )
    if wanted.present and shared.key_problem:
        yield (
            f"{target.region}: Cannot check whether the consumers can use the key of "
            f"{shared.image.image_id}: {shared.key_problem}"
        )
    if launch.entities > DEFAULT_QUOTA:
        yield (
            f"The image is shared with {launch.entities} entities; AWS's default quota is {DEFAULT_QUOTA}. "
            "If AWS refuses, request a higher quota or share with an organization."
        )
    most = (shared.launch | _covering(launch)).entities
    if _removes_first(shared, launch) and most > _known_quota(shared):
        yield (
            f"The image is shared with {most} entities before others lose access; AWS's default quota is "
            f"{DEFAULT_QUOTA}. If AWS refuses, unshare it first from accounts that need no access (state: "
            "absent), and rerun."
        )
    unshared = (shared.launch - launch).account_ids
    covering = sorted(launch.org_arns | launch.org_unit_arns)
    if unshared and (covering or launch.public):
        through = ", ".join(covering) if covering else "public launch permission"
        yield (
            f"Access may remain: the image is still shared through {through}, which may cover "
            f"{listed(sorted(unshared), _NAMED)}."
        )


def _refusals(
    wanted: ShareOptions, named: Sharing, shared: Shared, target: Target, account_id: str
) -> Iterator[Failure]:
    yield from share_checks.check_ownership(shared.image, target, account_id)
    if not wanted.present:
        return
    yield from share_checks.check_available(shared.image, target)
    if named:
        yield from share_checks.check_shareable(shared.image, shared.keys, target)
    yield from share_checks.check_tag_count(shared.image, _shared_tags_wanted(wanted), target)
    if wanted.purge_launch_permissions and not named and not wanted.allow_empty_purge:
        yield share_checks.empty_purge_failure(target)
    if named.public and not shared.launch.public:
        yield from share_checks.check_public_allowed(shared.image, shared.image_block, target)
    if named.public and not all(volume.public for volume in shared.volume_permissions.values()):
        yield from share_checks.check_public_snapshots_allowed(shared.snapshot_block, target)
