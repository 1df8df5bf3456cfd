# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan changes of launch permissions and createVolumePermission."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .. import _tags as tagging
from .._failures import Failure
from .._keys.access import consumers_without_access
from .._listing import join_texts
from .._model import Image, Sharing, Target
from .._plan import PERMISSION_LISTS, Action, Plan, TargetPlan, batches
from . import checks as share_checks
from .options import ShareOptions
from .public import split_opening
from .state import Shared, ShareState

# EC2 API Reference: account IDs per ModifyImageAttribute, changes per ModifySnapshotAttribute.
IMAGE_BATCH = 10_000
SNAPSHOT_BATCH = 500
# EC2 User Guide, "AMI quotas": entities that one AMI can be shared with; adjustable.
DEFAULT_QUOTA = 1_000
# Consumers that a warning names.
_NAMED = 5


def plan(options: ShareOptions, current: ShareState) -> Plan:
    """Plan every target that could be read; the others are tolerated."""
    own = current.account_id in options.sharing.account_ids
    named = _without_owner(options.sharing, current.account_id)
    warnings = (f"{current.account_id} owns the images and needs no permission: skipped.",) if own else ()
    planned = (
        _plan_target(options, named, target, current.images[target], warnings, current.account_id)
        for target in sorted(current.images)
    )
    return Plan(
        (
            *(target_plan.tolerate(options.best_effort_regions) for target_plan in planned),
            *(TargetPlan(target, tolerated=(failure,)) for target, failure in sorted(current.unread.items())),
        )
    )


def sharing_after(options: ShareOptions, named: Sharing, current: Sharing) -> Sharing:
    """Return the sharing of an image or snapshot after the plan is applied."""
    if not options.present:
        return current - named
    return named if options.purges else current | named


def describe_partial_state(
    options: ShareOptions, target: TargetPlan, shared: Shared, performed: Iterable[Action]
) -> dict[str, Any] | None:
    """Return the state of a target, like ``after`` of its plan, without the entries that AWS rejected.

    ``performed`` are the actions with the other entries. None if AWS rejected all named consumers.
    """
    launch, volume_permissions = shared.launch, dict(shared.volume_permissions)
    for action in performed:
        if action.operation == "ModifyImageAttribute":
            launch = _apply_modification(launch, action.parameters["LaunchPermission"])
        elif action.operation == "ModifySnapshotAttribute":
            snapshot_id = action.parameters["SnapshotId"]
            volume_permissions[snapshot_id] = _apply_modification(
                volume_permissions[snapshot_id], action.parameters["CreateVolumePermission"]
            )
    if not (launch & options.sharing if options.present else options.sharing - launch):
        return None
    permissions = {
        "launch_permissions": launch.to_dict(),
        "volume_permissions": _describe_volume_permissions(shared, volume_permissions),
    }
    return {**target.after, **permissions}


def _volume_sharing_after(options: ShareOptions, named: Sharing, current: Sharing) -> Sharing:
    """Return the sharing of a snapshot: without ``share_snapshots``, a purge adds no entries to it."""
    after = sharing_after(options, named, current)
    return after if options.share_snapshots else after & current


def _plan_target(
    options: ShareOptions,
    named: Sharing,
    target: Target,
    shared: Shared,
    warnings: tuple[str, ...],
    account_id: str,
) -> TargetPlan:
    launch = shared.launch if options.snapshot_ids else sharing_after(options, named, shared.launch)
    volume_permissions = {
        snapshot_id: _volume_sharing_after(options, named.accounts_only(), current)
        for snapshot_id, current in shared.volume_permissions.items()
    }
    before_image, after_image = split_opening(snapshot_actions(target, shared, volume_permissions, "Add"))
    # Snapshots are shared before the image, so that a visible image can be copied. Unsharing is the reverse.
    # To all they are shared after it: AWS may refuse that for the image.
    actions = (
        *before_image,
        *_plan_tags(options, target, shared),
        *_plan_image_changes(target, shared, launch),
        *after_image,
        *snapshot_actions(target, shared, volume_permissions, "Remove"),
    )
    shared_tags = options.shared_tags if options.present else {}
    return TargetPlan(
        target,
        actions=actions,
        before=_describe_state(shared, shared.launch, shared.volume_permissions, _visible_tags(shared.image)),
        after=_describe_state(
            shared, launch, volume_permissions, {**_visible_tags(shared.image), **shared_tags}
        ),
        warnings=(*warnings, *_list_warnings(options, named, shared, launch, target)),
        refusals=(
            *_refuse_recalled(shared.image, target, actions),
            *_list_refusals(options, named, shared, target, account_id),
        ),
    )


def _plan_image_changes(target: Target, shared: Shared, launch: Sharing) -> Iterator[Action]:
    """Yield the calls that change launch permissions: additions come first, if the quota lets them."""
    if not _has_to_remove_first(shared, launch):
        yield from image_actions(target, shared, launch, "Add")
        yield from image_actions(target, shared, launch, "Remove")
        return
    # Accounts that are removed can be covered by an organization that is added: they keep their access.
    yield from image_actions(target, shared, _drop_accounts(launch), "Add")
    yield from image_actions(target, shared, launch, "Remove")
    yield from image_actions(target, shared, Sharing(launch.account_ids), "Add")


def _has_to_remove_first(shared: Shared, launch: Sharing) -> bool:
    """Whether the permissions before and those after the change fit in the quota, but not both at once."""
    return launch.entities <= _known_quota(shared) < (shared.launch | launch).entities


def _known_quota(shared: Shared) -> int:
    """Return the quota that the image has at least."""
    return max(DEFAULT_QUOTA, shared.launch.entities)


def _drop_accounts(sharing: Sharing) -> Sharing:
    """Return the sharing without accounts: the rest can give access to accounts that it does not name."""
    return replace(sharing, account_ids=frozenset())


def image_actions(target: Target, shared: Shared, after: Sharing, change: str) -> Iterator[Action]:
    """Yield the calls that Add or Remove launch permissions, so that they become ``after``."""
    delta = after - shared.launch if change == "Add" else shared.launch - after
    resource = shared.image.image_id if shared.exists else None
    for batch in _split_entries(delta, change, IMAGE_BATCH):
        parameters = {"ImageId": resource, "LaunchPermission": {change: batch}}
        yield Action(target, "ModifyImageAttribute", parameters, resource)


def snapshot_actions(
    target: Target, shared: Shared, volume_permissions: Mapping[str, Sharing], change: str
) -> Iterator[Action]:
    """Yield the calls that Add or Remove entries, so that snapshots get these ``volume_permissions``."""
    for snapshot_id, after in volume_permissions.items():
        current = shared.volume_permissions[snapshot_id]
        delta = after - current if change == "Add" else current - after
        resource = snapshot_id if shared.exists else None
        for batch in _split_entries(delta, change, SNAPSHOT_BATCH):
            parameters = {
                "Attribute": "createVolumePermission",
                "CreateVolumePermission": {change: batch},
                "SnapshotId": resource,
            }
            yield Action(target, "ModifySnapshotAttribute", parameters, resource)


def _split_entries(delta: Sharing, change: str, size: int) -> Iterator[Sequence[dict[str, str]]]:
    """Yield the entries of each request. To add the group is a request by itself: AWS may refuse it."""
    if change == "Remove" or not delta.public:
        yield from batches(delta.to_entries(), size)
        return
    yield from batches(replace(delta, public=False).to_entries(), size)
    yield Sharing(public=True).to_entries()


def _plan_tags(options: ShareOptions, target: Target, shared: Shared) -> Iterator[Action]:
    missing = tagging.differing_tags(shared.image.tags, _image_tags(options)) if options.present else {}
    if missing:
        resource = shared.image.image_id if shared.exists else None
        parameters = {"Resources": [resource], "Tags": tagging.tag_list(missing)}
        yield Action(target, "CreateTags", parameters, resource)


def _apply_modification(current: Sharing, modification: Mapping[str, list[dict[str, str]]]) -> Sharing:
    """Return the sharing after a request, which either adds entries or removes some."""
    ((change, changed),) = modification.items()
    delta = Sharing.of_entries(changed)
    return current | delta if change == "Add" else current - delta


def _image_tags(options: ShareOptions) -> dict[str, str]:
    return {tagging.SHARED_PREFIX + key: value for key, value in options.shared_tags.items()}


def _visible_tags(image: Image) -> dict[str, str]:
    prefix = tagging.SHARED_PREFIX
    return {key.removeprefix(prefix): value for key, value in image.tags.items() if key.startswith(prefix)}


def _describe_state(
    shared: Shared, launch: Sharing, volume_permissions: Mapping[str, Sharing], shared_tags: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "image_id": shared.image.image_id or None,
        "launch_permissions": launch.to_dict(),
        "shared_tags": dict(shared_tags),
        "volume_permissions": _describe_volume_permissions(shared, volume_permissions),
    }


def _describe_volume_permissions(shared: Shared, volume_permissions: Mapping[str, Sharing]) -> dict[str, Any]:
    names = {snapshot_id: snapshot_id for snapshot_id in volume_permissions}
    if not shared.exists:
        names = {device.snapshot_id: device.name for device in shared.image.devices if device.snapshot_id}
    views = {}
    for snapshot_id, sharing in volume_permissions.items():
        views[names[snapshot_id]] = {"account_ids": sorted(sharing.account_ids), "public": sharing.public}
    return views


def list_consumers_without_key(options: ShareOptions, named: Sharing, shared: Shared) -> list[str]:
    """Return the consumers that certainly cannot use a key of the image, sorted."""
    return sorted(
        {
            consumer
            for key in shared.keys
            for consumer in {*consumers_without_access([key], named)} - options.users_of(key.key.arn)
        }
    )


def count_consumers_without_key(options: ShareOptions, shared: Shared, account_id: str) -> int | None:
    """Return how many consumers certainly cannot use a key of the image; None if its keys were not read."""
    if not (options.present and shared.exists) or shared.key_problem:
        return None
    return len(list_consumers_without_key(options, _without_owner(options.sharing, account_id), shared))


def _without_owner(sharing: Sharing, account_id: str) -> Sharing:
    return replace(sharing, account_ids=sharing.account_ids - {account_id})


def _list_warnings(
    options: ShareOptions, named: Sharing, shared: Shared, launch: Sharing, target: Target
) -> Iterator[str]:
    organizations = named.org_arns | named.org_unit_arns
    if options.present and options.share_snapshots and organizations and not named.account_ids:
        yield (
            "Snapshots cannot be shared with organizations and organizational units: their accounts can "
            "launch the image, not copy it. Add accounts that must copy it to account_ids."
        )
    without_access = list_consumers_without_key(options, named, shared)
    if options.present and without_access:
        names = join_texts(without_access, _NAMED)
        yield (
            f"{names} cannot use the key of {shared.image.image_id} yet: launches fail. Grant "
            "access with ami_kms_grant, or allow it in the key policy."
        )
    if options.present and shared.key_problem:
        yield (
            f"{target.region}: Cannot check whether the consumers can use the key of "
            f"{shared.image.image_id}: {shared.key_problem}"
        )
    if launch.entities > DEFAULT_QUOTA:
        yield (
            f"The image is shared with {launch.entities} entities; AWS's default quota is {DEFAULT_QUOTA}. "
            "If AWS refuses, request a higher quota or share with an organization."
        )
    most = (shared.launch | _drop_accounts(launch)).entities
    if _has_to_remove_first(shared, launch) and most > _known_quota(shared):
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
            f"{join_texts(sorted(unshared), _NAMED)}."
        )


def _refuse_recalled(image: Image, target: Target, actions: Iterable[Action]) -> tuple[Failure, ...]:
    """Refuse to add anything to an image that was recalled. Access to it can still be taken away."""
    if all(_only_removes(action) for action in actions):
        return ()
    return tagging.refuse_recalled(image.image_id, image.tags, target, "ModifyImageAttribute")


def _only_removes(action: Action) -> bool:
    permissions = PERMISSION_LISTS.get(action.operation)
    return permissions is not None and action.parameters[permissions].keys() == {"Remove"}


def _list_refusals(
    options: ShareOptions, named: Sharing, shared: Shared, target: Target, account_id: str
) -> Iterator[Failure]:
    yield from share_checks.check_ownership(shared.image, target, account_id)
    if not options.present:
        return
    yield from share_checks.check_available(shared.image, target)
    if named:
        yield from share_checks.check_shareable(shared.image, shared.keys, target)
    yield from share_checks.check_tag_count(shared.image, _image_tags(options), target)
    if options.purges and not named and not options.allow_empty_purge:
        yield share_checks.empty_purge_failure(target)
    if named.public and not shared.launch.public:
        yield from share_checks.check_public_allowed(shared.image, shared.image_block, target)
    if named.public and not all(volume.public for volume in shared.volume_permissions.values()):
        yield from share_checks.check_public_snapshots_allowed(shared.snapshot_block, target)
