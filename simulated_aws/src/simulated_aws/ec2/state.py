# SPDX-License-Identifier: GPL-3.0-or-later
"""What the simulated EC2 stores: images, snapshots, and the settings of accounts.

moto stores images in one backend per account and Region: other accounts don't find them, and the first access
to an account waits for the creation of its VPC. Here a Region stores the images of all accounts.
"""

from __future__ import annotations

import itertools
import secrets
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar

SERIALS = itertools.count(1)
"""Numbers images and snapshots in the order of creation."""

LOCK = threading.RLock()
"""Every action holds it while it reads or changes the state below, not while it writes its response."""


class StateReason(NamedTuple):
    """Why an image or snapshot is in its state (botocore shape StateReason)."""

    code: str
    message: str


class Grantee(NamedTuple):
    """An entry of a permission: `kind` is a member of botocore's shape LaunchPermission, such as UserId."""

    kind: str
    value: str


PUBLIC = Grantee("Group", "all")
LAUNCH_REPORTED_AFTER = timedelta(hours=24)
"""Delay until a launch is reported (botocore shape Image, LastLaunchedTime)."""
LONGEST_PUBLIC_DEPRECATION = timedelta(days=730)
"""Two years from the creation of a public image (botocore shape EnableImageDeprecationRequest)."""
VOLUME_OF_COPIES = "vol-ffffffff"
"""VolumeId of a copied snapshot (botocore operation CopySnapshot)."""


@dataclass(slots=True)
class Work:
    """A copy in progress: start, duration in seconds, and the failure that it ends with, if any."""

    started: datetime
    seconds: float
    failure: StateReason | None = None

    def done(self, now: datetime) -> bool:
        """Whether it has ended."""
        return now >= self.started + timedelta(seconds=self.seconds)

    def percent(self, now: datetime) -> int:
        """Progress in percent, 0 to 99."""
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
        """The end of the cooling-off period: a lock in compliance mode can't be removed after it."""
        return self.created + timedelta(hours=self.cool_off_hours)

    def state(self, now: datetime) -> str:
        """Its LockState."""
        if now >= self.expires:
            return "expired"
        cooling = self.mode == "compliance" and now < self.cool_off_ends
        return "compliance-cooloff" if cooling else self.mode


@dataclass(slots=True)
class Snapshot:
    """An EBS snapshot; `kms_key_id` is the ARN of its key, None if unencrypted. Sizes are in GiB.

    `associated_keys` are the ARNs of additional keys, each of which gives access to its data by itself.

    The attributes have moto's names, because moto creates volumes from snapshots.
    """

    id: str
    owner_id: str
    region: str
    volume_size: int
    volume_id: str
    description: str
    start_time: datetime
    kms_key_id: str | None = None
    associated_keys: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    permissions: dict[Grantee, None] = field(default_factory=dict)
    former_permissions: Any = None
    """What reads of the permissions return for a while (`permissions.FormerPermissions`)."""
    former_grantees: Any = None
    """The permissions that other accounts have for a while, in the same form."""
    state: str = "completed"
    state_message: str | None = None
    work: Work | None = None
    completed: datetime | None = None
    """The end of a copy; a snapshot that is no copy is completed from its start."""
    completion_minutes: int | None = None
    storage_tier: str = "standard"
    archival: Work | None = None
    """The last archival; the snapshot is used as before until it is done."""
    restore_started: datetime | None = None
    """The start of the last restore since the last archival."""
    restore_expires: datetime | None = None
    """The end of the temporary restore of an archived snapshot."""
    lock: Lock | None = None
    serial: int = field(default_factory=SERIALS.__next__)

    @property
    def encrypted(self) -> bool:
        """Whether it has a key."""
        return self.kms_key_id is not None

    def current_tier(self, now: datetime) -> str:
        """Its StorageTier: standard for a temporarily restored snapshot, which its archive copy outlives.

        Also standard while it is being archived. (EBS User Guide, Archive an Amazon EBS snapshot, View
        archived snapshots.)
        """
        restored = self.restore_expires is not None and now < self.restore_expires
        return "standard" if restored or self.is_archiving(now) else self.storage_tier

    def is_archiving(self, now: datetime) -> bool:
        """Whether its archival is in progress."""
        return self.archival is not None and not self.archival.done(now)

    def settle(self, now: datetime) -> None:
        """Set the final state if the copy has ended."""
        if self.work and self.work.done(now):
            failure, ended = self.work.failure, self.work.started + timedelta(seconds=self.work.seconds)
            self.work = None
            self.state = "error" if failure else "completed"
            self.completed = None if failure else ended
            self.state_message = failure.message if failure else None


@dataclass(frozen=True, slots=True)
class Device:
    """A block device of an image: from a snapshot, empty, or an instance store volume (`virtual_name`)."""

    device_name: str
    snapshot_id: str | None = None
    volume_size: int | None = None
    volume_type: str = "gp3"
    delete_on_termination: bool = True
    iops: int | None = None
    throughput: int | None = None
    encrypted: bool = False
    virtual_name: str | None = None


@dataclass(frozen=True, slots=True)
class Watermark:
    """A watermark of an image, which says where it was first attached (botocore shape ImageWatermark).

    `key` is `account-id:name`, `source_created` the creation of that image, `created` of the watermark.
    """

    key: str
    source_image_id: str
    source_region: str
    source_created: datetime
    created: datetime


@dataclass(frozen=True, slots=True)
class ScanResults:
    """What Amazon Inspector found in an image (botocore shape ScanResults).

    `fixes_since` maps severities to the time since when a fix is available for one of its findings.
    """

    scanned: datetime
    highest_severity: str | None = None
    fixes_since: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class Image:
    """An AMI. The snapshots of its devices have the same Region and owner."""

    id: str
    owner_id: str
    region: str
    name: str
    creation_date: datetime
    devices: tuple[Device, ...]
    description: str | None = None
    architecture: str = "x86_64"
    root_device_name: str = "/dev/xvda"
    root_device_type: str = "ebs"
    virtualization_type: str = "hvm"
    ena_support: bool = True
    sriov_net_support: str | None = "simple"
    boot_mode: str | None = None
    tpm_support: str | None = None
    imds_support: str | None = None
    platform: str | None = None
    platform_details: str = "Linux/UNIX"
    """That of its billing code (EC2 User Guide, AMI billing information fields)."""
    kernel_id: str | None = None
    ramdisk_id: str | None = None
    product_codes: tuple[str, ...] = ()
    supported_types: tuple[str, ...] = ()
    unsupported_types: tuple[str, ...] = ()
    watermarks: tuple[Watermark, ...] = ()
    scan: ScanResults | None = None
    """Amazon Inspector is not simulated: only fixtures have results."""
    tags: dict[str, str] = field(default_factory=dict)
    permissions: dict[Grantee, None] = field(default_factory=dict)
    former_permissions: Any = None
    """What reads of the permissions return for a while (`permissions.FormerPermissions`)."""
    former_grantees: Any = None
    """The permissions that other accounts have for a while, in the same form."""
    state: str = "available"
    state_reason: StateReason | None = None
    source_image_id: str | None = None
    source_image_region: str | None = None
    source_instance_id: str | None = None
    deprecation_time: datetime | None = None
    deregistration_protection: str = "disabled"
    protected_until: datetime | None = None
    visible_from: datetime | None = None
    settled_from: datetime | None = None
    """The end of the time in which EC2 takes the available image for pending; None before its first read."""
    launches: list[datetime] = field(default_factory=list)
    work: Work | None = None
    serial: int = field(default_factory=SERIALS.__next__)

    @property
    def public(self) -> bool:
        """Whether it is public."""
        return PUBLIC in self.permissions

    @property
    def snapshot_ids(self) -> list[str]:
        """The IDs of its snapshots, in the order of its devices."""
        return [device.snapshot_id for device in self.devices if device.snapshot_id]

    def last_launched(self, now: datetime) -> datetime | None:
        """The last launch that has been reported."""
        return max((one for one in self.launches if one + LAUNCH_REPORTED_AFTER <= now), default=None)

    def current_state(self, now: datetime) -> str:
        """The state that EC2 returns and acts on, which for a while may be an earlier one."""
        unsettled = self.settled_from is not None and now < self.settled_from
        return "pending" if unsettled and self.state == "available" else self.state

    def settle(self, now: datetime) -> None:
        """Set the final state if the copy has ended."""
        if self.work and self.work.done(now):
            self.state_reason, self.work = self.work.failure, None
            self.state = "failed" if self.state_reason else "available"


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """A retention rule of the Recycle Bin; `resource_type` as in the API of `rbin`.

    With `tags` it applies to resources with one of them, otherwise to all resources with none of `excluded`.
    """

    id: str
    resource_type: str
    days: int
    description: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()
    serial: int = field(default_factory=SERIALS.__next__)


@dataclass(slots=True)
class ImageTask:
    """A task that stores or exports an image (`kind`); it needs the snapshots until it has `ended`."""

    id: str
    kind: str
    image_id: str
    snapshot_ids: tuple[str, ...]
    bucket: str
    object_key: str
    work: Work
    ended: bool = False
    failed: bool = False
    serial: int = field(default_factory=SERIALS.__next__)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe of Image Builder and the image that it names; `resource_type` as in usage reports."""

    arn: str
    resource_type: str
    image_id: str
    created: datetime


@dataclass(frozen=True, slots=True)
class ImageBuild:
    """A build version of Image Builder: its tags, and the AMIs that it distributed."""

    arn: str
    name: str
    version: str
    created: datetime
    tags: dict[str, str]
    images: list[Image] = field(default_factory=list)


Resource = TypeVar("Resource", Image, Snapshot)


@dataclass(frozen=True, slots=True)
class BinnedVolume:
    """A volume of moto in the Recycle Bin, its owner, when it entered, and when it will be deleted."""

    volume: Any
    owner_id: str
    entered: datetime
    exits: datetime
    serial: int


@dataclass(frozen=True, slots=True)
class Binned(Generic[Resource]):
    """An image or snapshot in the Recycle Bin, when it entered, and when it will be deleted."""

    resource: Resource
    entered: datetime
    exits: datetime

    @property
    def serial(self) -> int:
        """The serial number of the resource."""
        return self.resource.serial


class Deregistered(NamedTuple):
    """The former owner of a deregistered image, when it was deregistered, and the snapshots that it used.

    Instances of it still show the image.
    """

    owner_id: str
    moment: datetime
    snapshot_ids: tuple[str, ...]
    image: Image


@dataclass
class Region:
    """The images and snapshots of all accounts in a Region, oldest first."""

    images: dict[str, Image] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    deregistered: dict[str, Deregistered] = field(default_factory=dict)
    """Deregistered images by ID."""
    binned_images: dict[str, Binned[Image]] = field(default_factory=dict)
    binned_snapshots: dict[str, Binned[Snapshot]] = field(default_factory=dict)
    binned_volumes: dict[str, BinnedVolume] = field(default_factory=dict)


class TokenUse(NamedTuple):
    """The request of a client token, and the image that it created."""

    fingerprint: str
    image_id: str


class LaunchUse(NamedTuple):
    """The request of a launch's client token, and the reservation that it created in moto."""

    fingerprint: str
    reservation: Any


class TemplateUse(NamedTuple):
    """The request of a launch template version's client token, and the version's number."""

    fingerprint: str
    version: int


@dataclass(frozen=True, slots=True)
class UsageReport:
    """An image usage report.

    `resource_types` are as in the request; `uses` maps account and resource type to a count. `fails` is
    whether AWS can't create it.
    """

    id: str
    image_id: str
    created: datetime
    available_from: datetime
    resource_types: tuple[dict[str, Any], ...]
    account_ids: tuple[str, ...]
    tags: dict[str, str]
    uses: dict[tuple[str, str], int]
    fails: bool = False
    serial: int = field(default_factory=SERIALS.__next__)


@dataclass(frozen=True)
class CapacityReservation:
    """Capacity for instances of one type and platform; it never runs out here."""

    id: str
    instance_type: str
    platform: str
    count: int


@dataclass
class AccountRegion:
    """Settings and other data of an account in a Region."""

    image_block_public_access: str = "block-new-sharing"
    """On by default (EC2 User Guide, Understand block public access for AMIs)."""
    snapshot_block_public_access: str = "unblocked"
    public_access_managed_by: str = "account"
    """Whether a declarative policy sets both (botocore shape ManagedBy)."""
    encryption_by_default: bool = False
    default_kms_key_id: str | None = None
    """ARN of the account's default key; None for the AWS managed key."""
    client_tokens: dict[str, TokenUse] = field(default_factory=dict)
    usage_reports: dict[str, UsageReport] = field(default_factory=dict)
    usage_report_tokens: dict[str, str] = field(default_factory=dict)
    """Client token to the ID of its report."""
    launch_tokens: dict[str, LaunchUse] = field(default_factory=dict)
    template_tokens: dict[str, TemplateUse] = field(default_factory=dict)
    allowed_images_state: str = "disabled"
    image_criteria: list[dict[str, Any]] = field(default_factory=list)
    """With boto3's names (botocore shape ImageCriterion)."""
    capacity_reservations: dict[str, CapacityReservation] = field(default_factory=dict)
    retention_rules: dict[str, RetentionRule] = field(default_factory=dict)
    """Rules of the Recycle Bin by ID."""
    image_tasks: list[ImageTask] = field(default_factory=list)
    recipes: dict[str, Recipe] = field(default_factory=dict)
    """Recipes of Image Builder by ARN."""
    image_builds: dict[str, ImageBuild] = field(default_factory=dict)
    """Build versions of Image Builder by ARN."""
    lifecycle_policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Lifecycle policies of Image Builder by ARN, with boto3's names (botocore shape LifecyclePolicy)."""
    image_users: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    """Resources of services that launch images, by kind and ID, each with the members that are shown."""
    starts_with_default_vpc: bool = True
    """Whether the account has the default VPC before it changes its VPCs; many organizations delete it."""
    subnet_zones: tuple[str, ...] = ()
    """Availability Zones of the subnets with which the account starts in another VPC than the default one."""


_regions: dict[str, Region] = defaultdict(Region)
_account_regions: dict[tuple[str, str], AccountRegion] = defaultdict(AccountRegion)


def region(name: str) -> Region:
    """The images and snapshots of a Region."""
    return _regions[name]


def all_regions() -> list[Region]:
    """All Regions in which there was an image or a snapshot."""
    return list(_regions.values())


def account_region(account_id: str, region_name: str) -> AccountRegion:
    """The settings of an account in a Region."""
    return _account_regions[account_id, region_name]


def account_regions() -> list[tuple[str, str, AccountRegion]]:
    """Account, Region and settings, of all accounts with settings or resources in a Region."""
    return [(account_id, name, one) for (account_id, name), one in list(_account_regions.items())]


def accounts_in(region_name: str) -> set[str]:
    """The accounts with settings or resources in a Region."""
    return {account_id for account_id, name, _settings in account_regions() if name == region_name}


def reset() -> None:
    """Delete everything."""
    with LOCK:
        _regions.clear()
        _account_regions.clear()


def now() -> datetime:
    """The current time; the only clock of the simulated EC2."""
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """A new ID: `prefix`, a hyphen and 17 hexadecimal digits."""
    return f"{prefix}-0{secrets.token_hex(8)}"
