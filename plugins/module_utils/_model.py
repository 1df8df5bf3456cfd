# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS resources and where they are, as frozen values without I/O."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from . import _arns as arns

PUBLIC = "all"
"""Group of all AWS accounts, in launch and volume permissions (botocore enum ``PermissionGroup``)."""

# The smallest instance type by architecture (EC2 User Guide, "Instance types"; t3 does not support i386). All
# but t2 require the Elastic Network Adapter (EC2 User Guide, "Enable enhanced networking with ENA").
SMALLEST_INSTANCE_TYPES = {"arm64": "t4g.nano", "i386": "t2.nano", "x86_64": "t3.nano"}

IMAGE_DATA_TYPE = "aws:ec2:image"
"""Type of parameters that hold an AMI ID (Systems Manager API Reference, PutParameter, DataType)."""
RESOLVE = "resolve:ssm:"
"""Prefix that makes EC2 read the AMI ID of a launch template from a parameter.

EC2 User Guide, "Use a Systems Manager parameter instead of an AMI ID": ``resolve:ssm:NAME[:VERSION|:LABEL]``.
"""

# A policy may deny launches that do not require IMDSv2 (Service Authorization Reference, Amazon EC2:
# ec2:MetadataHttpTokens).
METADATA_OPTIONS = {"HttpTokens": "required"}


@dataclass(frozen=True, order=True)
class Target:
    """One account in one region."""

    account_id: str
    region: str


@dataclass(frozen=True)
class ImagesByTarget:
    """AMI IDs by account and region. An account of None is the one of the credentials in use.

    An ID of None is a copy that does not exist yet.
    """

    images: Mapping[tuple[str | None, str], str | None]

    def targets(self, own_account_id: str) -> dict[Target, str | None]:
        """Return the AMI IDs by target, with ``own_account_id`` for accounts of None."""
        return {
            Target(account_id or own_account_id, region): image_id
            for (account_id, region), image_id in self.images.items()
        }

    @property
    def regions(self) -> tuple[str, ...]:
        """Return the regions of the images, without duplicates."""
        return tuple(dict.fromkeys(region for _account_id, region in self.images))


def used_by(account_id: str, targets: Iterable[Target], account_ids: Collection[str]) -> tuple[Target, ...]:
    """Return the targets whose images an account uses. ``account_ids`` are all accounts that use images.

    In a region with an image of its own, the account uses that image. In other regions, it uses the images of
    accounts that are not in ``account_ids`` or, without such images, all.
    """
    by_region: dict[str, list[Target]] = {}
    for target in targets:
        by_region.setdefault(target.region, []).append(target)
    users = frozenset(account_ids)
    used = []
    for in_region in by_region.values():
        own = [target for target in in_region if target.account_id == account_id]
        used += own or [target for target in in_region if target.account_id not in users] or in_region
    return tuple(used)


def time_of(text: str | None) -> datetime | None:
    """Return a time in EC2's format, ``2026-11-24T19:47:01.000Z``; None if EC2 returned none."""
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True)
class ConsumerRole:
    """IAM role that this account assumes in other accounts. ``repr`` hides the external ID."""

    name: str
    external_id: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Device:
    """One EBS volume of an image.

    ``snapshot_id`` is None while the image is pending, for a planned copy, and for a volume that is created
    empty. ``size_gib`` is None if AWS does not return it.
    """

    name: str
    snapshot_id: str | None
    encrypted: bool
    size_gib: int | None = None


@dataclass(frozen=True)
class Watermark:
    """A watermark of an image (botocore shape ``ImageWatermark``): where and when it was first attached.

    ``source_created`` is the creation of the image that it was attached to, ``created`` its own. Both are
    None, and ``source_image_id`` is empty, if AWS does not return them.
    """

    key: str
    source_region: str
    source_created: datetime | None
    created: datetime | None
    source_image_id: str = ""


@dataclass(frozen=True)
class ScanResults:
    """What Amazon Inspector found in an image (botocore shape ``ScanResults``).

    ``highest_severity`` is None if it found nothing. ``fixes_since`` maps severities, such as ``High``, to
    the time since when a fix of one of its findings is available.
    """

    scanned: datetime | None = None
    highest_severity: str | None = None
    fixes_since: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Image:
    """An AMI as DescribeImages returns it (botocore shape ``Image``). ``root_device`` is a device's name.

    ``allowed`` is whether the Allowed AMIs setting of the calling account allows it (``ImageAllowed``), None
    if AWS does not return that. ``supported_types`` and ``unsupported_types`` are the names and patterns of
    its ``InstanceTypeSpecification``. ``root_device_type`` is ``ebs`` or ``instance-store``.
    ``scan`` is None if Amazon Inspector has not scanned the image. An older botocore returns neither that
    nor ``watermarks``. ``platform`` is its ``PlatformDetails``, such as ``Linux/UNIX``: billing and reserved
    capacity depend on it. ``platform``, ``boot_mode``, ``tpm_support``, ``imds_support`` and
    ``virtualization`` (``hvm`` or ``paravirtual``) are empty if AWS does not return them.
    """

    image_id: str
    name: str
    owner_id: str
    state: str
    devices: tuple[Device, ...] = ()
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    state_reason: str | None = None
    creation_date: str = ""
    source_image_id: str | None = None
    source_region: str | None = None
    product_codes: tuple[str, ...] = ()
    architecture: str = ""
    platform: str = ""
    is_windows: bool = False
    deprecation_time: str | None = None
    allowed: bool | None = None
    root_device: str = ""
    root_device_type: str = ""
    ena_support: bool | None = None
    supported_types: tuple[str, ...] = ()
    unsupported_types: tuple[str, ...] = ()
    watermarks: tuple[Watermark, ...] = ()
    scan: ScanResults | None = None
    boot_mode: str = ""
    tpm_support: str = ""
    imds_support: str = ""
    virtualization: str = ""

    @property
    def encrypted(self) -> bool:
        """Whether any snapshot of the image is encrypted, so that a copy or a launch needs the key.

        A volume without a snapshot is created empty at a launch. The image can say that it is encrypted, but
        not under which key (botocore shape ``EbsBlockDevice``, ``Encrypted`` and ``KmsKeyId``): the account
        that launches has it. CopyImage encrypts snapshots (``CopyImageRequest``, ``Encrypted``). The copy is
        identical otherwise (EC2 User Guide, "How Amazon EC2 AMI copy works"). It is not documented whether
        empty volumes become encrypted, too, and does not matter here.
        """
        # AWS may not list the snapshots of a pending image.
        pending = self.state == "pending"
        return any(device.encrypted and (pending or device.snapshot_id) for device in self.devices)

    @property
    def may_be_shared(self) -> bool:
        """Whether the image can have launch permissions.

        A disabled image has lost them (EC2 User Guide, "Disable an Amazon EC2 AMI"), and a failed image
        cannot get any.
        """
        return self.state not in ("disabled", "failed")

    @cached_property
    def snapshot_ids(self) -> tuple[str, ...]:
        """Return the snapshots of the volumes, without duplicates, in the order of the devices.

        An audit reads them many times for each image.
        """
        return tuple(dict.fromkeys(device.snapshot_id for device in self.devices if device.snapshot_id))

    @property
    def encrypted_snapshots(self) -> tuple[str, ...]:
        """Return the snapshots of the encrypted volumes, without duplicates, in the order of the devices."""
        ids = (device.snapshot_id for device in self.devices if device.encrypted and device.snapshot_id)
        return tuple(dict.fromkeys(ids))

    @property
    def smallest_instance_type(self) -> str | None:
        """Return the smallest instance type of the architecture; None without one that the image allows.

        A type that needs ENA cannot launch an image without it.
        """
        smallest = SMALLEST_INSTANCE_TYPES.get(self.architecture)
        if smallest is None or (self.ena_support is False and not smallest.startswith("t2.")):
            return None
        return smallest if self.allows_type(smallest) else None

    def allows_type(self, instance_type: str) -> bool:
        """Whether the instance type specification of the image allows a type.

        botocore operation ReplaceImageInstanceTypeSpecification: a type must match the supported ones, if
        there are any, and no unsupported one; ``*`` is a wildcard.
        """
        supported = not self.supported_types or matches_type(instance_type, self.supported_types)
        return supported and not matches_type(instance_type, self.unsupported_types)


def matches_type(instance_type: str, patterns: Iterable[str]) -> bool:
    """Whether an instance type matches one of the patterns, in which only ``*`` has a meaning."""
    expressions = (".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns)
    return any(re.fullmatch(expression, instance_type) for expression in expressions)


@dataclass(frozen=True)
class PublicAccessBlock:
    """Block public access of images or snapshots in a region (botocore shape ManagedBy for ``managed_by``).

    ``state`` is ``unblocked``, ``block-new-sharing`` or, of snapshots, ``block-all-sharing``. ``managed_by``
    is None if AWS does not return it.
    """

    state: str
    managed_by: str | None = None

    @property
    def is_on(self) -> bool:
        """Whether new public sharing is refused."""
        return self.state != "unblocked"

    @property
    def by_policy(self) -> bool:
        """Whether a declarative policy of the organization, which the account cannot change, sets it."""
        return self.managed_by == "declarative-policy"

    def __str__(self) -> str:
        return f"{self.state}, set by a declarative policy" if self.by_policy else self.state


@dataclass(frozen=True)
class Snapshot:
    """An EBS snapshot as DescribeSnapshots returns it (botocore shape ``Snapshot``).

    Each of ``associated_key_arns`` gives access to its data independently of its own key (botocore operation
    AssociateKmsKeyId). ``completed`` is its ``CompletionTime``, None if AWS does not return it.
    """

    snapshot_id: str
    state: str
    percent: int
    kms_key_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    associated_key_arns: tuple[str, ...] = ()
    completed: datetime | None = None

    @property
    def key_arns(self) -> frozenset[str]:
        """Return the keys that give access to the data, without the own key if AWS does not return it."""
        return frozenset((*([self.kms_key_id] if self.kms_key_id else []), *self.associated_key_arns))


@dataclass(frozen=True)
class Instance:
    """An EC2 instance as DescribeInstances returns it (botocore shape ``Instance``).

    ``reason_code`` and ``reason`` are the reason for its state (shape ``StateReason``), if AWS returns one.
    """

    instance_id: str
    state: str
    launched_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    reason_code: str | None = None
    reason: str | None = None


ENABLED_STATES = frozenset({"Enabled", "Updating"})
"""States of a key that permit its use (botocore operation UpdatePrimaryRegion, about ``Updating``)."""


@dataclass(frozen=True)
class Key:
    """A KMS key as DescribeKey returns it (botocore shape ``KeyMetadata``).

    If it is not ``described``, the caller may not call DescribeKey, and all but its ARN is assumed.
    """

    arn: str
    state: str = "Enabled"
    spec: str = "SYMMETRIC_DEFAULT"
    usage: str = "ENCRYPT_DECRYPT"
    aws_managed: bool = False
    described: bool = True

    @property
    def account_id(self) -> str:
        """Return the account that owns the key."""
        return arns.parse(self.arn).account_id

    @property
    def is_enabled(self) -> bool:
        """Whether the state of the key permits its use."""
        return self.state in ENABLED_STATES


UNREAD_GRANTEE = "unknown"
"""Grantee of a grant that names none in a member that the installed botocore knows."""


@dataclass(frozen=True)
class Grant:
    """A grant on a KMS key as ListGrants returns it (botocore shape ``GrantListEntry``).

    ``grantee`` is an ARN, the unique ID of a deleted or new role or user, or the name of an AWS service
    (``ec2.amazonaws.com``). ``constrained`` is whether the grant requires an encryption context or a source:
    EBS cannot use it then. ``source_arn`` is the only resource on whose behalf it may be used (shape
    ``GrantConstraints``, ``SourceArn``). ``issuer`` is the root ARN of the account that issued it. ``issuer``
    and ``created`` are None if AWS omits them.
    """

    grant_id: str
    grantee: str
    operations: frozenset[str]
    name: str = ""
    constrained: bool = False
    source_arn: str | None = None
    created: datetime | None = None
    issuer: str | None = None


@dataclass(frozen=True)
class KeyState:
    """A key with its grants and the text of its policy; None if the policy is not needed.

    ``denied`` is the operation that AWS denies on a key of another account.
    """

    key: Key
    grants: tuple[Grant, ...] = ()
    policy: str | None = None
    denied: str | None = None


@dataclass(frozen=True)
class Sharing:
    """Principals that may use an image (LaunchPermission) or a snapshot (CreateVolumePermission).

    Snapshots cannot be shared with organizations or organizational units.
    """

    account_ids: frozenset[str] = frozenset()
    org_arns: frozenset[str] = frozenset()
    org_unit_arns: frozenset[str] = frozenset()
    public: bool = False

    def __or__(self, other: Sharing) -> Sharing:
        return Sharing(
            self.account_ids | other.account_ids,
            self.org_arns | other.org_arns,
            self.org_unit_arns | other.org_unit_arns,
            self.public or other.public,
        )

    def __and__(self, other: Sharing) -> Sharing:
        return Sharing(
            self.account_ids & other.account_ids,
            self.org_arns & other.org_arns,
            self.org_unit_arns & other.org_unit_arns,
            self.public and other.public,
        )

    def __sub__(self, other: Sharing) -> Sharing:
        return Sharing(
            self.account_ids - other.account_ids,
            self.org_arns - other.org_arns,
            self.org_unit_arns - other.org_unit_arns,
            self.public and not other.public,
        )

    def __bool__(self) -> bool:
        return bool(self.account_ids or self.org_arns or self.org_unit_arns or self.public)

    @property
    def entities(self) -> int:
        """Return the number of entries that count towards the quota of an AMI's sharing."""
        return len(self.account_ids) + len(self.org_arns) + len(self.org_unit_arns)

    @property
    def names(self) -> frozenset[str]:
        """Return the account IDs, and the ARNs of organizations and organizational units."""
        return self.account_ids | self.org_arns | self.org_unit_arns

    def without(self, account_id: str) -> Sharing:
        """Return the sharing without this account. An owner needs no permission, and may have one."""
        return self - Sharing(account_ids=frozenset({account_id}))

    def accounts_only(self) -> Sharing:
        """Return the part that applies to snapshots, without organizations (createVolumePermission)."""
        return Sharing(account_ids=self.account_ids, public=self.public)

    @classmethod
    def of_entries(cls, entries: Iterable[Mapping[str, Any]]) -> Sharing:
        """Return the sharing of entries (botocore shapes LaunchPermission, CreateVolumePermission)."""
        permissions = list(entries)

        def values(kind: str) -> frozenset[str]:
            return frozenset(entry[kind] for entry in permissions if kind in entry)

        return cls(
            account_ids=values("UserId"),
            org_arns=values("OrganizationArn"),
            org_unit_arns=values("OrganizationalUnitArn"),
            public=PUBLIC in values("Group"),
        )

    def to_entries(self) -> list[dict[str, str]]:
        """Return the entries of a request (botocore shapes LaunchPermission, CreateVolumePermission)."""
        return [
            *({"UserId": account_id} for account_id in sorted(self.account_ids)),
            *({"OrganizationArn": arn} for arn in sorted(self.org_arns)),
            *({"OrganizationalUnitArn": arn} for arn in sorted(self.org_unit_arns)),
            *([{"Group": PUBLIC}] if self.public else []),
        ]

    @classmethod
    def read(cls, result: Mapping[str, Any]) -> Sharing:
        """Return the sharing that ``to_dict`` returned. That of a snapshot has no organizations.

        Raise ``KeyError`` for anything else.
        """
        return cls(
            frozenset(result["account_ids"]),
            frozenset(result.get("org_arns", ())),
            frozenset(result.get("org_unit_arns", ())),
            result["public"],
        )

    def to_dict(self) -> dict[str, object]:
        """Return the sharing in a stable order, for results and diffs."""
        return {
            "account_ids": sorted(self.account_ids),
            "org_arns": sorted(self.org_arns),
            "org_unit_arns": sorted(self.org_unit_arns),
            "public": self.public,
        }


ByRegion = Mapping[str, Any]
"""Region to a value for every account, or to a mapping of account to value."""


@dataclass(frozen=True)
class Network:
    """Subnets and security groups of targets. AWS uses its defaults where none are set."""

    subnet_ids: ByRegion = field(default_factory=dict)
    security_group_ids: ByRegion = field(default_factory=dict)

    def subnet_id(self, target: Target) -> str | None:
        """Return the target's subnet, None if it is not set."""
        subnet_id: str | None = _value_for(self.subnet_ids, target)
        return subnet_id

    def group_ids(self, target: Target) -> tuple[str, ...]:
        """Return the target's security groups. If empty, AWS uses the default one of the subnet's VPC."""
        return tuple(_value_for(self.security_group_ids, target) or ())


def _value_for(values: ByRegion, target: Target) -> Any:
    value = values.get(target.region)
    return value.get(target.account_id) if isinstance(value, Mapping) else value


class ImageRef(NamedTuple):
    """An image of the account: its region and its ID."""

    region: str
    image_id: str

    def __str__(self) -> str:
        return f"{self.region}/{self.image_id}"


class SnapshotRef(NamedTuple):
    """A snapshot of the account: its region and its ID."""

    region: str
    snapshot_id: str


class KeyRef(NamedTuple):
    """A KMS key of the account: its region and its ARN."""

    region: str
    key_arn: str
