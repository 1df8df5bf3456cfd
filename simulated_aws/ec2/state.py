# SPDX-License-Identifier: GPL-3.0-or-later
"""What the simulated EC2 remembers about images and snapshots.

moto keeps these in one backend per account and Region, so an image is unknown to everyone but its owner,
and a first look at an account costs the time to make it a network. Here one Region holds everybody's.
"""

from __future__ import annotations

import itertools
import secrets
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar

SERIALS = itertools.count(1)
"""Numbers images and snapshots in the order of their making."""

LOCK = threading.RLock()
"""Held by every action while it reads or changes what is below, never while it writes its answer."""


class StateReason(NamedTuple):
    """Why an image or snapshot is in its state (botocore shape StateReason)."""

    code: str
    message: str


class Grantee(NamedTuple):
    """One entry of a permission: `kind` is a member name of botocore's LaunchPermission, such as UserId."""

    kind: str
    value: str


EVERYONE = Grantee("Group", "all")
LAUNCH_REPORTED_AFTER = timedelta(hours=24)
"""The delay of a launch's report (botocore shape Image, LastLaunchedTime)."""
VOLUME_OF_COPIES = "vol-ffffffff"
"""What a copied snapshot names as its volume (botocore operation CopySnapshot)."""


@dataclass(slots=True)
class Work:
    """Something that takes time: what is being copied, from when, for how many seconds, and how it ends."""

    started: datetime
    seconds: float
    failure: StateReason | None = None

    def done(self, now: datetime) -> bool:
        """Whether the time is over."""
        return now >= self.started + timedelta(seconds=self.seconds)

    def percent(self, now: datetime) -> int:
        """How much is done, 0 to 99 while it runs."""
        if self.seconds <= 0:
            return 99
        return max(0, min(99, int(100 * (now - self.started).total_seconds() / self.seconds)))


@dataclass(frozen=True, slots=True)
class Lock:
    """A snapshot's lock (botocore shape LockedSnapshotsInfo); `cool_off_hours` are of compliance mode."""

    mode: str
    created: datetime
    expires: datetime
    days: int
    cool_off_hours: int = 0

    @property
    def cool_off_ends(self) -> datetime:
        """From when on nobody can take the lock away in compliance mode."""
        return self.created + timedelta(hours=self.cool_off_hours)

    def state(self, now: datetime) -> str:
        """Its LockState."""
        if now >= self.expires:
            return "expired"
        cooling = self.mode == "compliance" and now < self.cool_off_ends
        return "compliance-cooloff" if cooling else self.mode


@dataclass(slots=True)
class Snapshot:
    """An EBS snapshot; `kms_key_id` is the ARN of its key, None when it isn't encrypted. Sizes are in GiB.

    The names are moto's, whose volumes are made from these.
    """

    id: str
    owner_id: str
    region: str
    volume_size: int
    volume_id: str
    description: str
    start_time: datetime
    kms_key_id: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    permissions: dict[Grantee, None] = field(default_factory=dict)
    state: str = "completed"
    state_message: str | None = None
    work: Work | None = None
    completion_minutes: int | None = None
    storage_tier: str = "standard"
    lock: Lock | None = None
    serial: int = field(default_factory=SERIALS.__next__)

    @property
    def encrypted(self) -> bool:
        """Whether it is encrypted at all."""
        return self.kms_key_id is not None

    def settle(self, now: datetime) -> None:
        """Finish the work whose time is over."""
        if self.work and self.work.done(now):
            failure, self.work = self.work.failure, None
            self.state = "error" if failure else "completed"
            self.state_message = failure.message if failure else None


@dataclass(frozen=True, slots=True)
class Device:
    """One block device of an image: backed by a snapshot, blank, or a `virtual_name` of an instance store."""

    device_name: str
    snapshot_id: str | None = None
    volume_size: int | None = None
    volume_type: str = "gp3"
    delete_on_termination: bool = True
    iops: int | None = None
    throughput: int | None = None
    encrypted: bool = False
    virtual_name: str | None = None


@dataclass(slots=True)
class Image:
    """An AMI. Its devices name snapshots of the same Region and owner."""

    id: str
    owner_id: str
    region: str
    name: str
    creation_date: datetime
    devices: tuple[Device, ...]
    description: str | None = None
    architecture: str = "x86_64"
    root_device_name: str = "/dev/xvda"
    virtualization_type: str = "hvm"
    ena_support: bool = True
    sriov_net_support: str | None = "simple"
    boot_mode: str | None = None
    tpm_support: str | None = None
    imds_support: str | None = None
    platform: str | None = None
    kernel_id: str | None = None
    ramdisk_id: str | None = None
    product_codes: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    permissions: dict[Grantee, None] = field(default_factory=dict)
    state: str = "available"
    state_reason: StateReason | None = None
    source_image_id: str | None = None
    source_image_region: str | None = None
    source_instance_id: str | None = None
    deprecation_time: datetime | None = None
    deregistration_protection: str = "disabled"
    protected_until: datetime | None = None
    visible_from: datetime | None = None
    launches: list[datetime] = field(default_factory=list)
    work: Work | None = None
    serial: int = field(default_factory=SERIALS.__next__)

    @property
    def public(self) -> bool:
        """Whether everyone may launch it."""
        return EVERYONE in self.permissions

    @property
    def snapshot_ids(self) -> list[str]:
        """The ids of its snapshots, in the order of its devices."""
        return [device.snapshot_id for device in self.devices if device.snapshot_id]

    def last_launched(self, now: datetime) -> datetime | None:
        """The last launch that is reported by now."""
        return max((one for one in self.launches if one + LAUNCH_REPORTED_AFTER <= now), default=None)

    def settle(self, now: datetime) -> None:
        """Finish the work whose time is over."""
        if self.work and self.work.done(now):
            self.state_reason, self.work = self.work.failure, None
            self.state = "failed" if self.state_reason else "available"


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """A rule of the Recycle Bin; `resource_type` and the tags are as the service `rbin` knows them.

    A rule with `tags` is for what has one of them, one without for all that has none of `excluded`.
    """

    id: str
    resource_type: str
    days: int
    description: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()
    serial: int = field(default_factory=SERIALS.__next__)


Resource = TypeVar("Resource", Image, Snapshot)


@dataclass(frozen=True, slots=True)
class Binned(Generic[Resource]):
    """An image or a snapshot in the Recycle Bin, with all that it had, and until when."""

    resource: Resource
    entered: datetime
    exits: datetime

    @property
    def serial(self) -> int:
        """Its place among others of its kind."""
        return self.resource.serial


@dataclass
class Region:
    """Everybody's images and snapshots in one Region, oldest first."""

    images: dict[str, Image] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    deregistered: dict[str, str] = field(default_factory=dict)
    """Id of a deregistered image to its former owner."""
    binned_images: dict[str, Binned[Image]] = field(default_factory=dict)
    binned_snapshots: dict[str, Binned[Snapshot]] = field(default_factory=dict)


class TokenUse(NamedTuple):
    """What a client token was used for, and the image that came of it."""

    fingerprint: str
    image_id: str


class LaunchUse(NamedTuple):
    """What the client token of a launch was used for, and moto's reservation that came of it."""

    fingerprint: str
    reservation: Any


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Who used an image, as far as it was known when the report was asked for.

    `resource_types` are as asked for; `uses` maps account and resource type to a count.
    """

    id: str
    image_id: str
    created: datetime
    available_from: datetime
    resource_types: tuple[dict[str, Any], ...]
    account_ids: tuple[str, ...]
    tags: dict[str, str]
    uses: dict[tuple[str, str], int]
    serial: int = field(default_factory=SERIALS.__next__)


@dataclass
class AccountRegion:
    """What one account has set in one Region."""

    image_block_public_access: str = "block-new-sharing"
    """On by default (EC2 User Guide, Understand block public access for AMIs)."""
    snapshot_block_public_access: str = "unblocked"
    encryption_by_default: bool = False
    default_kms_key_id: str | None = None
    """ARN of the account's own choice, None for the AWS managed key."""
    client_tokens: dict[str, TokenUse] = field(default_factory=dict)
    usage_reports: dict[str, UsageReport] = field(default_factory=dict)
    usage_report_tokens: dict[str, str] = field(default_factory=dict)
    """Client token to the report that it made."""
    launch_tokens: dict[str, LaunchUse] = field(default_factory=dict)
    allowed_images_state: str = "disabled"
    image_criteria: list[dict[str, Any]] = field(default_factory=list)
    """Under boto3's names (botocore shape ImageCriterion)."""
    retention_rules: dict[str, RetentionRule] = field(default_factory=dict)
    """The Recycle Bin's, by their ids."""


_regions: dict[str, Region] = defaultdict(Region)
_account_regions: dict[tuple[str, str], AccountRegion] = defaultdict(AccountRegion)


def region(name: str) -> Region:
    """The images and snapshots of a Region."""
    return _regions[name]


def account_region(account_id: str, region_name: str) -> AccountRegion:
    """The settings of an account in a Region."""
    return _account_regions[account_id, region_name]


def reset() -> None:
    """Forget everything."""
    with LOCK:
        _regions.clear()
        _account_regions.clear()


def now() -> datetime:
    """The present moment; the one clock of the simulated EC2."""
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """An id as EC2 makes them: `ami-` or `snap-` and 17 hexadecimal digits."""
    return f"{prefix}-0{secrets.token_hex(8)}"
