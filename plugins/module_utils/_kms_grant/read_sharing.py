# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read why consumers may still need a key: what is shared with them under it, and what they have under it.

An image under the key can be shared with a consumer, a snapshot that no image uses, and an account can have
volumes and snapshots of its own under it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import NamedTuple

from .._arns import account_of
from .._aws import errors, read
from .._aws.caller import preferred_region
from .._aws.clients import Clients
from .._aws.consumer_resources import read_consumer_resources
from .._aws.read import Caller
from .._fanout import map_parallel, round_robin
from .._keys.needed import SharedUnderKey
from .._keys.policy_statements import PolicyConsumers
from .._model import Image, KeyRef, Sharing, Snapshot
from .options import GrantOptions

# Deregistered or deleted since it was listed.
_GONE = ("InvalidAMIID.NotFound", "InvalidSnapshot.NotFound")


@dataclass(frozen=True)
class _Listed:
    """The images of a region that may be under a key, and the keys of their snapshots.

    ``keys_of`` maps snapshots to all keys that give access to their data. ``pending`` are the images whose
    snapshots and consumers are not known yet.
    """

    images: tuple[Image, ...]
    keys_of: Mapping[str, frozenset[str]]
    pending: tuple[str, ...]

    def under(self, key_arn: str) -> tuple[Image, ...]:
        """Return the images with a snapshot to which the key gives access, or may: its keys are not known.

        An associated key gives access independently of the key that encrypts the snapshot (botocore operation
        AssociateKmsKeyId).
        """
        return tuple(
            image
            for image in self.images
            if any(
                key_arn in self.keys_of.get(snapshot_id, (key_arn,))
                for snapshot_id in image.encrypted_snapshots
            )
        )


class _Resource(NamedTuple):
    """An image or a snapshot, and the operation that reads its permissions."""

    region: str
    resource_id: str
    operation: str


@dataclass(frozen=True)
class _Permissions:
    """The permissions of images and snapshots, and why those of others could not be read."""

    sharing: Mapping[_Resource, Sharing] = field(default_factory=dict)
    problems: Mapping[_Resource, str] = field(default_factory=dict)

    def __or__(self, other: _Permissions) -> _Permissions:
        return _Permissions({**self.sharing, **other.sharing}, {**self.problems, **other.problems})

    def of(self, region: str, image: Image) -> Sharing:
        """Return all that an image and its snapshots are shared with, as far as this was read."""
        known = (self.sharing.get(item, Sharing()) for item in _resources(region, image))
        return reduce(Sharing.__or__, known, Sharing(account_ids=frozenset({image.owner_id})))

    def unread(self, region: str, images: Iterable[Image]) -> Iterator[str]:
        """Yield why permissions of the images and their snapshots could not be read."""
        for image in images:
            yield from (self.problems[item] for item in _resources(region, image) if item in self.problems)


def read_sharing(
    clients: Clients, options: GrantOptions, losing: Mapping[KeyRef, PolicyConsumers]
) -> dict[KeyRef, SharedUnderKey]:
    """Return the sharing of the images under these keys, except those that the options name.

    ``losing`` maps each key to the consumers that it is read for: the permissions of snapshots are read only
    if the launch permissions do not show already that all of them need the key. What cannot be read is in the
    result, so that no access to the key is revoked.
    """
    if not losing:
        return {}
    regions = sorted({ref.region for ref in losing})
    clients.open("ec2", regions)
    for operation in (read.IMAGE_PERMISSIONS, read.SNAPSHOT_PERMISSIONS):
        clients.rate_limited(operation).open("ec2", regions)
    listed, failed = map_parallel(regions, lambda region: _list_images(clients, options, region))
    under = {ref: listed[ref.region].under(ref.key_arn) for ref in losing if ref.region in listed}
    permissions = _read_permissions(clients, under, read.IMAGE_PERMISSIONS)

    def sharing_under(ref: KeyRef, permissions: _Permissions) -> SharedUnderKey:
        if ref.region in failed:
            return SharedUnderKey(unread=(_describe_problem(failed[ref.region], "DescribeImages"),))
        pending = (f"{image_id} is pending." for image_id in listed[ref.region].pending)
        unread = dict.fromkeys((*pending, *permissions.unread(ref.region, under[ref])))
        return SharedUnderKey(
            {image.image_id: permissions.of(ref.region, image) for image in under[ref]}, tuple(unread)
        )

    undecided = {
        ref: images
        for ref, images in under.items()
        if losing[ref] - sharing_under(ref, permissions).select_needing(losing[ref])
    }
    complete = permissions | _read_permissions(clients, undecided, read.SNAPSHOT_PERMISSIONS)
    return {ref: sharing_under(ref, complete) for ref in losing}


def _list_images(clients: Clients, options: GrantOptions, region: str) -> _Listed:
    ec2 = clients.ec2(region)
    own = [
        image for image in read.images(ec2, [], ["self"]) if image.image_id not in options.ignored_image_ids
    ]
    images = tuple(image for image in own if image.state != "pending")
    snapshot_ids = dict.fromkeys(item for image in images for item in image.encrypted_snapshots)
    snapshots = read.snapshots(ec2, list(snapshot_ids))
    keys = {item.snapshot_id: item.key_arns for item in snapshots if item.kms_key_id}
    pending = tuple(image.image_id for image in own if image.state == "pending")
    return _Listed(images, keys, pending)


def _read_permissions(
    clients: Clients, under: Mapping[KeyRef, Iterable[Image]], operation: str
) -> _Permissions:
    """Return the permissions that one operation reads, of the images under each key or of their snapshots."""
    resources = (
        [item for image in images for item in _resources(ref.region, image) if item.operation == operation]
        for ref, images in under.items()
    )

    def read_resource(resource: _Resource) -> Sharing:
        ec2 = clients.rate_limited(operation).ec2(resource.region)
        try:
            return read.permissions(ec2, operation, resource.resource_id, _GONE)
        except errors.ClientError as exception:
            # An image that is unavailable may be deregistered, or pending and shared later.
            if not read.is_gone(ec2, resource.resource_id, exception):
                raise
        return Sharing()

    done, failed = map_parallel(round_robin(resources), read_resource)
    return _Permissions(
        done, {item: _describe_problem(exception, operation) for item, exception in failed.items()}
    )


def _resources(region: str, image: Image) -> Iterator[_Resource]:
    """Yield the image, if it may be shared, and its snapshots."""
    if image.may_be_shared:
        yield _Resource(region, image.image_id, read.IMAGE_PERMISSIONS)
    for snapshot_id in image.snapshot_ids:
        yield _Resource(region, snapshot_id, read.SNAPSHOT_PERMISSIONS)


def _describe_problem(exception: Exception, operation: str) -> str:
    problem = errors.failure(exception, None, operation)
    return f"{problem.action}: {problem.text()}"


def add_snapshots(
    clients: Clients,
    options: GrantOptions,
    owner: str,
    losing: Mapping[KeyRef, PolicyConsumers],
    shared: Mapping[KeyRef, SharedUnderKey],
) -> dict[KeyRef, SharedUnderKey]:
    """Return ``shared`` with the snapshots that no image uses, for the accounts that would lose access.

    Those that the options name do not count. Snapshots stay shared when their image is deregistered. One call
    for each region lists those that are shared with these accounts. What cannot be read is in the result, so
    that no access is revoked.
    """
    accounts: dict[str, set[str]] = {}
    for ref, sharing in shared.items():
        accounts.setdefault(ref.region, set()).update(_losing_accounts(sharing, losing[ref], owner))
    regions = [region for region, account_ids in accounts.items() if account_ids]
    clients.open("ec2", regions)
    clients.rate_limited(read.SNAPSHOT_PERMISSIONS).open("ec2", regions)
    listed, failed = map_parallel(
        regions, lambda region: _list_unused_snapshots(clients, options, region, accounts[region])
    )

    def add_to_key(ref: KeyRef, sharing: SharedUnderKey) -> SharedUnderKey:
        if ref.region in failed:
            return replace(
                sharing, unread=(*sharing.unread, _describe_problem(failed[ref.region], "DescribeSnapshots"))
            )
        return _add_permissions(clients, ref, sharing, listed.get(ref.region, ()))

    return {ref: add_to_key(ref, sharing) for ref, sharing in shared.items()}


def _list_unused_snapshots(
    clients: Clients, options: GrantOptions, region: str, accounts: set[str]
) -> tuple[Snapshot, ...]:
    """Return the snapshots that are shared with one of the accounts, and that no image uses."""
    ec2 = clients.ec2(region)
    snapshots = [
        snapshot
        for snapshot in read.snapshots_restorable_by(ec2, accounts)
        if snapshot.snapshot_id not in options.unshared_snapshot_ids
    ]
    if not snapshots:
        return ()
    used = {item for image in read.images(ec2, [], ["self"]) for item in image.snapshot_ids}
    return tuple(snapshot for snapshot in snapshots if snapshot.snapshot_id not in used)


def _add_permissions(
    clients: Clients, ref: KeyRef, sharing: SharedUnderKey, listed: tuple[Snapshot, ...]
) -> SharedUnderKey:
    under = [
        snapshot.snapshot_id
        for snapshot in listed
        if not snapshot.kms_key_id or ref.key_arn in snapshot.key_arns
    ]
    operation = read.SNAPSHOT_PERMISSIONS

    def read_snapshot(snapshot_id: str) -> Sharing:
        return read.permissions(
            clients.rate_limited(operation).ec2(ref.region), operation, snapshot_id, _GONE
        )

    done, failed = map_parallel(under, read_snapshot)
    unread = (_describe_problem(exception, operation) for exception in failed.values())
    return replace(sharing, snapshots=done, unread=tuple(dict.fromkeys((*sharing.unread, *unread))))


def add_consumer_resources(
    clients: Clients,
    options: GrantOptions,
    caller: Caller,
    losing: Mapping[KeyRef, PolicyConsumers],
    shared: Mapping[KeyRef, SharedUnderKey],
) -> dict[KeyRef, SharedUnderKey]:
    """Return ``shared`` with what the accounts that lose access have under each key."""
    leaving = {
        ref: _losing_accounts(sharing, losing[ref], caller.account_id) for ref, sharing in shared.items()
    }
    if not any(leaving.values()):
        return dict(shared)
    sts_region = preferred_region(clients, sorted({ref.region for ref in shared}))
    resources = read_consumer_resources(clients, caller, options.consumer_role, leaving, sts_region)
    return {ref: replace(sharing, consumers=resources[ref]) for ref, sharing in shared.items()}


def _losing_accounts(sharing: SharedUnderKey, losing: PolicyConsumers, owner: str) -> frozenset[str]:
    """Return the accounts, other than the key's owner, whose access nothing of the sharing keeps."""
    principals = (losing - sharing.select_needing(losing)).principals
    return frozenset(
        account_id for name in principals if (account_id := account_of(name)) and account_id != owner
    )
