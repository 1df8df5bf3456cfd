# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The removals as options of ``ami_publish``, ``ami_share`` and ``ami_kms_grant``, in few tasks.

A task takes one image, one key, or one parameter, of each region. It is refused as a whole if one of them
cannot be read, so a task for several regions also has the same options ``per_region``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, TypeVar

from .._arns import account_of
from .._model import PUBLIC, Sharing
from .state import AuditedAccount, Removal, Resource, sharing_of

Same = TypeVar("Same", bound=Hashable)
Options = dict[str, Any]


def unshare_tasks(removals: Iterable[Removal], audited: AuditedAccount) -> list[Options]:
    """Return options for ``ami_share``: images with their snapshots, then other snapshots."""
    leaving = {resource: sharing_of(names) for resource, names in _leaving(removals).items()}
    snapshots = {resource: sharing for resource, sharing in leaving.items() if resource.kind == "snapshot"}
    images: dict[Resource, tuple[Sharing, bool]] = {}
    for resource, sharing in leaving.items():
        if resource.kind == "image":
            own, accounts = audited.images[resource].snapshots, sharing.accounts_only()
            # Only if all of them lose every snapshot, too: some may need one for another image.
            with_snapshots = bool(accounts) and all(
                not accounts - snapshots.get(snapshot, Sharing()) for snapshot in own
            )
            if with_snapshots:
                # Done with this image: neither by a task of their own nor with a later image.
                snapshots |= {snapshot: snapshots[snapshot] - accounts for snapshot in own}
            images[resource] = sharing, with_snapshots
    by_image: dict[tuple[Resource, Sharing], list[str]] = {}
    without_image: dict[tuple[Resource, Sharing], list[str]] = {}
    for resource, sharing in snapshots.items():
        if sharing and resource in audited.users:
            # Through the first image that uses it: ami_share takes snapshots by image.
            by_image.setdefault((audited.users[resource][0], sharing), []).append(resource.resource_id)
        elif sharing:
            without_image.setdefault((Resource(resource.region, ""), sharing), []).append(
                resource.resource_id
            )

    def of_snapshots(sharing: Sharing, resources: list[Resource]) -> Options:
        snapshot_ids = [snapshot_id for resource in resources for snapshot_id in by_image[resource, sharing]]
        return {**_of_images((sharing, True), resources), "snapshot_ids": snapshot_ids}

    def of_unused(sharing: Sharing, resources: list[Resource]) -> Options:
        ids = {resource.region: without_image[resource, sharing] for resource in resources}
        return {**_of_images((sharing, True), []), "snapshots": ids}

    return [
        *_tasks(images.items(), _of_images),
        *_tasks(by_image, of_snapshots),
        *_tasks(without_image, of_unused),
    ]


def revoke_tasks(removals: Iterable[Removal], audited: AuditedAccount) -> list[Options]:
    """Return options for ``ami_kms_grant``, with what the same run unshares of the keys' regions.

    These are images under the keys, and snapshots that no image uses. The key of such a snapshot is not
    known; it is named only if no principal that loses the key keeps the snapshot.
    """
    leaving = _leaving(removals)
    after = audited.without((resource, name) for resource, names in leaving.items() for name in names)
    unshared = frozenset(leaving)
    keys = {resource: frozenset(names) for resource, names in leaving.items() if resource.kind == "key"}

    def of_keys(names: frozenset[str], resources: list[Resource]) -> Options:
        image_ids = [
            image_id for key in resources for image_id in _list_unshared_images(key, unshared, audited)
        ]
        regions = {key.region for key in resources}
        accounts = {account_of(name) or name for name in names}
        snapshot_ids = [
            resource.resource_id
            for resource in sorted(unshared)
            if resource.region in regions
            and resource.kind == "snapshot"
            and resource not in audited.users
            and (left := after.volume_permissions[resource]) is not None
            and accounts.isdisjoint(left.account_ids)
        ]
        return {
            **_of_keys(names, resources),
            "unshared_image_ids": image_ids,
            "unshared_snapshot_ids": snapshot_ids,
        }

    return list(_tasks(keys.items(), of_keys))


def parameter_tasks(removals: Iterable[Removal], audited: AuditedAccount) -> list[Options]:
    """Return options for ``ami_publish`` with the state ``absent``, one parameter in each task."""
    entries = [
        (resource, (resource.resource_id, frozenset(names)))
        for resource, names in _leaving(removals).items()
        if resource.kind == "parameter"
    ]

    def of_parameter(same: tuple[str, frozenset[str]], resources: list[Resource]) -> Options:
        name, consumers = same
        images = {resource.region: audited.shared_parameters[resource].image_id for resource in resources}
        return {"parameter": name, "images": images, "publish_share": sorted(consumers)}

    return list(_tasks(entries, of_parameter))


def _list_unshared_images(key: Resource, unshared: frozenset[Resource], audited: AuditedAccount) -> list[str]:
    """Return the images under a key that are unshared, or of which a snapshot is."""
    return [
        resource.resource_id
        for resource in audited.users.get(key, ())
        if unshared & {resource, *audited.images[resource].snapshots}
    ]


def _leaving(removals: Iterable[Removal]) -> dict[Resource, list[str]]:
    leaving: dict[Resource, list[str]] = {}
    for item in removals:
        leaving.setdefault(item.resource, []).append(item.principal)
    return leaving


def _group(entries: Iterable[tuple[Resource, Same]]) -> list[tuple[list[Resource], Same]]:
    """Return groups of resources with the same options, with at most one resource of each region."""
    groups: dict[tuple[int, Same], list[Resource]] = {}
    number: Counter[tuple[str, Same]] = Counter()
    for resource, same in entries:
        groups.setdefault((number[resource.region, same], same), []).append(resource)
        number[resource.region, same] += 1
    return [(resources, same) for (_number, same), resources in groups.items()]


def _tasks(
    entries: Iterable[tuple[Resource, Same]], options: Callable[[Same, list[Resource]], Options]
) -> Iterator[Options]:
    """Yield the options of as few tasks as possible, with those for each region if a task is for several."""
    for resources, same in _group(entries):
        parts = [{**options(same, [resource]), "per_region": []} for resource in resources]
        yield {**options(same, resources), "per_region": parts if len(parts) > 1 else []}


def _of_images(same: tuple[Sharing, bool], resources: list[Resource]) -> Options:
    sharing, with_snapshots = same
    return {
        "images": dict(resources),
        "account_ids": sorted(sharing.account_ids),
        "org_arns": sorted(sharing.org_arns),
        "org_unit_arns": sorted(sharing.org_unit_arns),
        "group": PUBLIC if sharing.public else None,
        "share_snapshots": with_snapshots,
        "snapshot_ids": [],
        "snapshots": {},
    }


def _of_keys(names: frozenset[str], resources: list[Resource]) -> Options:
    return {
        "kms_key_ids": dict(resources),
        "account_ids": sorted(name for name in names if name.isdigit()),
        "principals": sorted(name for name in names if name.startswith("arn:")),
        "org_ids": sorted(name for name in names if name.startswith("o-")),
        "org_unit_ids": sorted(name for name in names if name.startswith("ou-")),
    }
