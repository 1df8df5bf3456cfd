# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the KMS keys of snapshots to delete: this collection's grants, and who may need them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from .._arns import account_of, parse
from .._aws import read
from .._aws.caller import preferred_region
from .._aws.clients import Clients
from .._aws.consumer_resources import read_consumer_resources
from .._aws.errors import ClientError
from .._fanout import map_parallel
from .._keys.grants import is_own_by_issuer
from .._keys.needed import ConsumerResources
from .._model import Grant, ImageRef, KeyRef, Sharing, SnapshotRef
from . import read_usage
from .grants import list_snapshots_under
from .inspect_images import open_for_permissions
from .options import CleanupOptions
from .state import CleanupState, Evidence, KeyUsage, OwnImage, SnapshotUsage

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


def read_key_usage(
    clients: Clients, state: CleanupState, staying: Mapping[KeyRef, tuple[OwnImage, ...]]
) -> dict[KeyRef, KeyUsage]:
    """Return the usage of each key; ``staying`` are the images under it that stay.

    If something cannot be read, the result says so, and no snapshot under the key is deleted.
    """
    if not staying:
        return {}
    regions = {ref.region for ref in staying}
    clients.open("kms", regions)
    open_for_permissions(clients, regions)

    def read_key(ref: KeyRef) -> KeyUsage:
        owner = parse(ref.key_arn).account_id
        all_grants = read.grants(clients.kms(ref.region), ref.key_arn)
        grants = tuple(grant for grant in all_grants if is_own_by_issuer(grant, owner))
        if not grants:
            return KeyUsage()
        sharing = {own.image.image_id: _read_sharing(clients, state, ref.region, own) for own in staying[ref]}
        return KeyUsage(
            grants, sharing, snapshots=_read_snapshot_sharing(clients, state, ref, staying[ref], grants)
        )

    usages, failed = map_parallel(staying, read_key)
    return {
        **usages,
        **{ref: KeyUsage(unread=(_to_evidence(ref, exception),)) for ref, exception in failed.items()},
    }


def _to_evidence(ref: KeyRef, exception: Exception) -> Evidence:
    problem = read_usage.to_evidence(exception, "ListGrants")
    return replace(problem, detail=f"{ref.key_arn}: {problem.detail}")


def read_resources(
    clients: Clients, options: CleanupOptions, state: CleanupState, accounts: Mapping[KeyRef, frozenset[str]]
) -> dict[KeyRef, ConsumerResources]:
    """Return what these accounts have under each key, as far as a consumer role can read it."""
    if not accounts:
        return {}
    caller = read.Caller(state.account_id, state.partition)
    sts_region = preferred_region(clients, sorted(state.regions))
    return read_consumer_resources(clients, caller, options.consumer_role, accounts, sts_region)


def _read_snapshot_sharing(
    clients: Clients,
    state: CleanupState,
    ref: KeyRef,
    staying: Iterable[OwnImage],
    grants: Iterable[Grant],
) -> dict[str, Sharing]:
    """Return the sharing of the snapshots under a key that no staying image has.

    Snapshots stay shared when their image is deregistered. Of those whose permissions were not read before,
    one call lists which are shared with an account that has a grant.
    """
    of_images = {snapshot_id for own in staying for snapshot_id in own.image.snapshot_ids}
    snapshot_ids = list_snapshots_under(state.regions[ref.region], ref.key_arn) - of_images
    usages = {
        snapshot_id: state.snapshot_usage.get(SnapshotRef(ref.region, snapshot_id))
        for snapshot_id in snapshot_ids
    }
    sharing_by_id = {
        snapshot_id: usage.sharing for snapshot_id, usage in usages.items() if usage and not usage.unread
    }
    accounts = {account for grant in grants if (account := account_of(grant.grantee))} - {state.account_id}
    if accounts and snapshot_ids - sharing_by_id.keys():
        ec2 = clients.rate_limited("DescribeSnapshotAttribute").ec2(ref.region)
        shared_ids = {snapshot.snapshot_id for snapshot in read.snapshots_restorable_by(ec2, accounts)}
        for snapshot_id in sorted((shared_ids & snapshot_ids) - sharing_by_id.keys()):
            sharing_by_id[snapshot_id] = read_usage.read_snapshot_usage(ec2, snapshot_id).sharing
    return sharing_by_id


def _read_sharing(clients: Clients, state: CleanupState, region: str, own: OwnImage) -> Sharing:
    """Return all that the image and its snapshots are shared with.

    What was read before is not read again. The final state has permissions of the plan, which do not count.
    """
    known = None if state.is_final else state.usage.get(ImageRef(region, own.image.image_id))
    if known is not None and not known.unread:
        shared = known.sharing
    else:
        shared = _read_launch_permissions(clients.rate_limited("DescribeImageAttribute").ec2(region), own)
    ec2 = clients.rate_limited("DescribeSnapshotAttribute").ec2(region)
    for snapshot_id in own.image.snapshot_ids:
        usage = state.snapshot_usage.get(SnapshotRef(region, snapshot_id), SnapshotUsage(unread="not read"))
        if usage.unread or state.is_final:
            usage = read_usage.read_snapshot_usage(ec2, snapshot_id)
        shared |= usage.sharing
    return shared


def _read_launch_permissions(ec2: EC2Client, own: OwnImage) -> Sharing:
    """Return the launch permissions of an image; none if it was deregistered since it was listed."""
    try:
        return read_usage.read_launch_permissions(ec2, own)
    except ClientError as exception:
        if not read.is_gone(ec2, own.image.image_id, exception):
            raise
    return Sharing()
