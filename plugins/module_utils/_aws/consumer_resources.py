# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what accounts that would lose access to a key have under it, with their consumer roles.

A launch of a shared image encrypts the volumes under the default key of the launching account, unless the
launch names a key (EC2 User Guide, "Use encryption with EBS-backed AMIs"). Volumes of launches that name the
owner's key need it whenever an instance with them starts, and snapshots of such volumes are under the same
key, in whatever way they were made: by hand, by Data Lifecycle Manager or AWS Backup, or with an image. An
image is under the keys of its snapshots, so images are not read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._fanout import map_parallel
from .._keys.needed import ConsumerResources
from .._model import ConsumerRole, KeyRef, Target
from . import errors, read
from .accounts import AssumedAccounts
from .clients import Clients
from .managed_resources import hides_managed
from .read import Caller

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_NO_ROLE = "consumer_role_name is not set."
# Refused to the role; the other reads may be allowed.
_DENIED = "UnauthorizedOperation"
_ByKey = Mapping[str, tuple[str, ...]]


@dataclass
class _Region:
    """What an account has in a region: by key, what may be under any key, and why something was not read."""

    by_key: dict[str, tuple[str, ...]] = field(default_factory=dict)
    of_unknown_key: tuple[str, ...] = ()
    unread: dict[str, None] = field(default_factory=dict)

    def under(self, key_arn: str) -> tuple[str, ...]:
        """Return the resources that are or may be under the key."""
        return (*self.by_key.get(key_arn, ()), *self.of_unknown_key)


def read_consumer_resources(
    clients: Clients,
    caller: Caller,
    role: ConsumerRole | None,
    accounts: Mapping[KeyRef, Collection[str]],
    sts_region: str,
) -> dict[KeyRef, ConsumerResources]:
    """Return the volumes and snapshots under each key in the accounts that ``accounts`` names for it.

    Each account and region is read once, whatever the number of keys. Nothing is read without a role. What
    cannot be read is in ``unseen``.
    """
    if role is None:
        return {
            ref: ConsumerResources(unseen=dict.fromkeys(sorted(accounts[ref]), _NO_ROLE)) for ref in accounts
        }
    regions_of: dict[str, dict[str, None]] = {}
    for ref, account_ids in accounts.items():
        for account_id in sorted(account_ids):
            regions_of.setdefault(account_id, {})[ref.region] = None
    consumers = AssumedAccounts(clients, caller, role, sts_region)
    consumers.open("ec2", {ref.region for ref, account_ids in accounts.items() if account_ids})

    def read_account(account_id: str) -> dict[str, _Region]:
        with consumers.as_account(account_id) as consumer:
            return _read_account(consumer, account_id, regions_of[account_id])

    done, failed = map_parallel(regions_of, read_account)
    for account_id, exception in failed.items():
        done[account_id] = {
            region: _Region(unread={_text(account_id, region, exception, "DescribeVolumes"): None})
            for region in regions_of[account_id]
        }
    return {
        ref: _under(ref, {account_id: done[account_id][ref.region] for account_id in sorted(accounts[ref])})
        for ref in accounts
    }


def _read_account(consumer: Clients, account_id: str, regions: Iterable[str]) -> dict[str, _Region]:
    """Return what one account has, by region. A region that it has not enabled does not stop the others."""
    regions_by_name: dict[str, _Region] = {}
    for name in regions:
        regions_by_name[name] = region = _Region()
        for operation, reader in _READS.items():
            try:
                reader(consumer.ec2(name), region)
            except errors.AWS_ERRORS as exception:
                region.unread[_text(account_id, name, exception, operation)] = None
                if not _is_denied(exception):
                    break
    return regions_by_name


def _is_denied(exception: Exception) -> bool:
    return isinstance(exception, errors.ClientError) and errors.code_of(exception) == _DENIED


def _volumes(ec2: EC2Client, region: _Region) -> None:
    """Read the volumes, and note if the installed botocore cannot read all."""
    _add(region, read.volumes_by_key(ec2))
    hidden = hides_managed(ec2, "DescribeVolumes")
    region.unread.update({hidden: None} if hidden else {})


def _snapshots(ec2: EC2Client, region: _Region) -> None:
    _add(region, read.snapshots_by_key(ec2))


def _binned_snapshots(ec2: EC2Client, region: _Region) -> None:
    """Read the snapshots in the Recycle Bin, whose keys AWS does not return.

    Images there need their snapshots to be restored (EBS User Guide, "Considerations for Recycle Bin").
    """
    region.of_unknown_key += read.binned_snapshot_ids(ec2)


def _binned_volumes(ec2: EC2Client, region: _Region) -> None:
    """Read the volumes in the Recycle Bin, whose keys AWS does not return.

    Each botocore without the operation lacks the parameter that ``_volumes`` needs, too.
    """
    if hasattr(ec2, "list_volumes_in_recycle_bin"):
        region.of_unknown_key += read.binned_volume_ids(ec2)


_READS: Mapping[str, Callable[[Any, _Region], None]] = {
    "DescribeVolumes": _volumes,
    "DescribeSnapshots": _snapshots,
    "ListSnapshotsInRecycleBin": _binned_snapshots,
    "ListVolumesInRecycleBin": _binned_volumes,
}


def _add(region: _Region, resources: _ByKey) -> None:
    for key_arn, ids in resources.items():
        region.by_key[key_arn] = (*region.by_key.get(key_arn, ()), *ids)


def _under(ref: KeyRef, regions: Mapping[str, _Region]) -> ConsumerResources:
    by_account = {account_id: region.under(ref.key_arn) for account_id, region in regions.items()}
    unseen = {account_id: " ".join(region.unread) for account_id, region in regions.items() if region.unread}
    return ConsumerResources(by_account, unseen)


def _text(account_id: str, region: str, exception: Exception, operation: str) -> str:
    return errors.failure(exception, Target(account_id, region), operation).text()
