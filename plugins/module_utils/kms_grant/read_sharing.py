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

from ..arns import account_of
from ..aws import errors, read
from ..aws.caller import preferred_region
from ..aws.clients import Clients
from ..aws.consumer_resources import read_consumer_resources
from ..aws.read import Caller
from ..fanout import each, round_robin
from ..keys.needed import SharedUnderKey
from ..keys.policy_statements import PolicyConsumers
from ..model import Image, KeyRef, Sharing, Snapshot
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
        """The images with a snapshot to which the key gives access, or may give it: its keys are not known.

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
        """All that an image and its snapshots are shared with, as far as this was read."""
        found = (self.sharing.get(one, Sharing()) for one in _resources(region, image))
        return reduce(Sharing.__or__, found, Sharing(account_ids=frozenset({image.owner_id})))

    def unread(self, region: str, images: Iterable[Image]) -> Iterator[str]:
        """Why permissions of the images and their snapshots could not be read."""
        for image in images:
            yield from (self.problems[one] for one in _resources(region, image) if one in self.problems)


def read_shared(
    clients: Clients, wanted: GrantOptions, losing: Mapping[KeyRef, PolicyConsumers]
) -> dict[KeyRef, SharedUnderKey]:
    """The sharing of the images under these keys, except those that the wanted access is for.

    ``losing`` maps each key to the consumers that it is read for: the permissions of snapshots are read only
    if the launch permissions do not show already that all of them need the key. What cannot be read is in the
    result, so that no access to the key is revoked.
    """
    if not losing:
        return {}
    regions = sorted({ref.region for ref in losing})
    clients.open("ec2", regions)
    for operation in (read.IMAGE_PERMISSIONS, read.SNAPSHOT_PERMISSIONS):
        clients.paced(operation).open("ec2", regions)
    listed, failed = each(regions, lambda region: _list_images(clients, wanted, region))
    under = {ref: listed[ref.region].under(ref.key_arn) for ref in losing if ref.region in listed}
    permissions = _read(clients, under, read.IMAGE_PERMISSIONS)

    def shared(ref: KeyRef, found: _Permissions) -> SharedUnderKey:
        if ref.region in failed:
            return SharedUnderKey(unread=(_text(failed[ref.region], "DescribeImages"),))
        pending = (f"{image_id} is pending." for image_id in listed[ref.region].pending)
        unread = dict.fromkeys((*pending, *found.unread(ref.region, under[ref])))
        return SharedUnderKey(
            {image.image_id: found.of(ref.region, image) for image in under[ref]}, tuple(unread)
        )

    undecided = {
        ref: images
        for ref, images in under.items()
        if losing[ref] - shared(ref, permissions).needed(losing[ref])
    }
    complete = permissions | _read(clients, undecided, read.SNAPSHOT_PERMISSIONS)
    return {ref: shared(ref, complete) for ref in losing}


def _list_images(clients: Clients, wanted: GrantOptions, region: str) -> _Listed:
    ec2 = clients.ec2(region)
    own = [one for one in read.images(ec2, [], ["self"]) if one.image_id not in wanted.ignored_image_ids]
    images = tuple(image for image in own if image.state != "pending")
    snapshot_ids = dict.fromkeys(one for image in images for one in image.encrypted_snapshots)
    found = read.snapshots(ec2, list(snapshot_ids))
    keys = {one.snapshot_id: one.key_arns for one in found if one.kms_key_id}
    pending = tuple(image.image_id for image in own if image.state == "pending")
    return _Listed(images, keys, pending)


def _read(clients: Clients, under: Mapping[KeyRef, Iterable[Image]], operation: str) -> _Permissions:
    """The permissions that one operation reads, of the images under each key or of their snapshots."""
    wanted = (
        [one for image in images for one in _resources(ref.region, image) if one.operation == operation]
        for ref, images in under.items()
    )

    def permissions(one: _Resource) -> Sharing:
        ec2 = clients.paced(operation).ec2(one.region)
        try:
            return read.permissions(ec2, operation, one.resource_id, _GONE)
        except errors.ClientError as exception:
            # An image that is unavailable may be deregistered, or pending and shared later.
            if not read.is_gone(ec2, one.resource_id, exception):
                raise
        return Sharing()

    done, failed = each(round_robin(wanted), permissions)
    return _Permissions(done, {one: _text(exception, operation) for one, exception in failed.items()})


def _resources(region: str, image: Image) -> Iterator[_Resource]:
    """The image, if it may be shared, and its snapshots."""
    if image.may_be_shared:
        yield _Resource(region, image.image_id, read.IMAGE_PERMISSIONS)
    for snapshot_id in image.snapshot_ids:
        yield _Resource(region, snapshot_id, read.SNAPSHOT_PERMISSIONS)


def _text(exception: Exception, operation: str) -> str:
    problem = errors.failure(exception, None, operation)
    return f"{problem.action}: {problem.text()}"


def with_snapshots(
    clients: Clients,
    owner: str,
    losing: Mapping[KeyRef, PolicyConsumers],
    shared: Mapping[KeyRef, SharedUnderKey],
) -> dict[KeyRef, SharedUnderKey]:
    """``shared`` with the snapshots that no image uses, for the accounts that would lose access.

    Snapshots stay shared when their image is deregistered. One call for each region lists those that are
    shared with these accounts. What cannot be read is in the result, so that no access is revoked.
    """
    accounts: dict[str, set[str]] = {}
    for ref, one in shared.items():
        leaving = (losing[ref] - one.needed(losing[ref])).principals
        accounts.setdefault(ref.region, set()).update(
            found for name in leaving if (found := account_of(name)) and found != owner
        )
    regions = [region for region, found in accounts.items() if found]
    clients.open("ec2", regions)
    clients.paced(read.SNAPSHOT_PERMISSIONS).open("ec2", regions)
    listed, failed = each(regions, lambda region: _list_unused_snapshots(clients, region, accounts[region]))

    def with_alone(ref: KeyRef, one: SharedUnderKey) -> SharedUnderKey:
        if ref.region in failed:
            return replace(one, unread=(*one.unread, _text(failed[ref.region], "DescribeSnapshots")))
        return _with_permissions(clients, ref, one, listed.get(ref.region, ()))

    return {ref: with_alone(ref, one) for ref, one in shared.items()}


def _list_unused_snapshots(clients: Clients, region: str, accounts: set[str]) -> tuple[Snapshot, ...]:
    """The snapshots that are shared with one of the accounts, and that no image uses."""
    ec2 = clients.ec2(region)
    found = read.snapshots_restorable_by(ec2, accounts)
    if not found:
        return ()
    used = {one for image in read.images(ec2, [], ["self"]) for one in image.snapshot_ids}
    return tuple(one for one in found if one.snapshot_id not in used)


def _with_permissions(
    clients: Clients, ref: KeyRef, one: SharedUnderKey, listed: tuple[Snapshot, ...]
) -> SharedUnderKey:
    under = [
        snapshot.snapshot_id
        for snapshot in listed
        if not snapshot.kms_key_id or ref.key_arn in snapshot.key_arns
    ]
    operation = read.SNAPSHOT_PERMISSIONS

    def permissions(snapshot_id: str) -> Sharing:
        return read.permissions(clients.paced(operation).ec2(ref.region), operation, snapshot_id, _GONE)

    done, failed = each(under, permissions)
    unread = (_text(exception, operation) for exception in failed.values())
    return replace(one, snapshots=done, unread=tuple(dict.fromkeys((*one.unread, *unread))))


def with_resources(
    clients: Clients,
    wanted: GrantOptions,
    caller: Caller,
    losing: Mapping[KeyRef, PolicyConsumers],
    shared: Mapping[KeyRef, SharedUnderKey],
) -> dict[KeyRef, SharedUnderKey]:
    """``shared`` with what the accounts that lose access have under each key."""
    leaving = {
        ref: _accounts(losing[ref] - one.needed(losing[ref]), caller.account_id)
        for ref, one in shared.items()
    }
    if not any(leaving.values()):
        return dict(shared)
    sts_region = preferred_region(clients, sorted({ref.region for ref in shared}))
    found = read_consumer_resources(clients, caller, wanted.consumer_role, leaving, sts_region)
    return {ref: replace(one, consumers=found[ref]) for ref, one in shared.items()}


def _accounts(consumers: PolicyConsumers, owner: str) -> frozenset[str]:
    found = {account_of(one) for one in consumers.principals} - {None, owner}
    return frozenset(one for one in found if one)
