# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state that a cleanup reads: own images, their snapshots, and the evidence that they are in use.

Only what AWS reports stands here. What follows from it is decided in ``decisions``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from .._failures import Failure
from .._keys.needed import ConsumerResources
from .._model import Grant, Image, ImageRef, KeyRef, Sharing, SnapshotRef, Target

# Kinds of evidence that proves no use: a failed read, and a use that AWS does not show, such as that of a
# shared image without a usage report that counts.
UNREADABLE, UNPROVEN = "unreadable", "unproven"
# The action of a read that failed because the role of an account cannot be assumed.
_ASSUME_ROLE = "AssumeRole"
# The kind of evidence that is a pending copy of the image.
COPY = "running_copy"

# A parameter of any region can name images of all regions. Not GetParameter: it reads the parameters that
# launch templates name, and a launch template launches in its own region only.
_READ_PARAMETERS = ("DescribeParameters", "GetParameters", "GetParameterHistory")


@dataclass(frozen=True)
class OwnImage:
    """An image of the account, with the attributes that ``Image`` lacks.

    ``created`` is None if AWS reports no valid date (it is optional in botocore's shape ``Image``).
    ``base`` is the image of the instance that this image was created from; None for a copy, whose source
    ``image`` names. ``last_launched`` is None if AWS has reported no launch. ``alias`` is the owner alias of
    images that an AWS service owns (``aws-backup-vault``), else empty. ``described`` is the image as
    DescribeImages returns it, ready for JSON.
    """

    image: Image
    created: datetime | None
    base: ImageRef | None = None
    last_launched: datetime | None = None
    protection: str = "disabled"
    alias: str = ""
    described: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def source(self) -> ImageRef | None:
        """Return the image that this image is a copy of."""
        if self.image.source_image_id and self.image.source_region:
            return ImageRef(self.image.source_region, self.image.source_image_id)
        return None

    @property
    def snapshot_sizes(self) -> Mapping[str, int]:
        """Return the size of each snapshot, in GiB: that of the volume that is created from it.

        Snapshots hold changed blocks only: each takes up this much at most. Empty volumes have no snapshot.
        """
        volumes = [mapping.get("Ebs", {}) for mapping in self.described.get("BlockDeviceMappings", ())]
        return {
            volume["SnapshotId"]: volume.get("VolumeSize", 0) for volume in volumes if "SnapshotId" in volume
        }

    @property
    def size_gib(self) -> int:
        """Return the maximum size of all its snapshots together."""
        return sum(self.snapshot_sizes.values())


@dataclass(frozen=True)
class OwnSnapshot:
    """A snapshot that the account owns.

    ``archived`` means that a copy of it is in the archive, is being written to it, or was until lately. One
    that is temporarily restored until ``restored_until`` can be used, and is still archived: deleting it
    deletes both copies. ``copied`` is whether it is a copy of another snapshot. ``locked`` is the state and
    end of its lock, empty if it is not locked. ``kms_key_id`` is the ARN of the key that encrypts it, None if
    it is not encrypted; ``associated_key_arns`` also give access to its data.
    """

    snapshot_id: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    archived: bool = False
    restored_until: datetime | None = None
    copied: bool = False
    locked: str = ""
    kms_key_id: str | None = None
    associated_key_arns: tuple[str, ...] = ()

    @property
    def key_arns(self) -> frozenset[str]:
        """Return the keys that encrypt it, or that are associated with it."""
        return frozenset((*([self.kms_key_id] if self.kms_key_id else []), *self.associated_key_arns))


def name_unread(subject: str) -> str:
    """Return the words for the subject of evidence that could not be read, where its account is not known."""
    return f"{subject} in a consumer account" if subject == _ASSUME_ROLE else subject


@dataclass(frozen=True)
class Evidence:
    """A reason to treat an image as used: what uses it, and where.

    ``firm`` is False for something that is not known: it counts as use in this run, but proves none.
    ``remedy`` is what to do about something that could not be read. ``account_id`` is the consumer's account
    that it was found in, and None in the own one.
    """

    kind: str
    subject: str
    detail: str = ""
    firm: bool = True
    remedy: str = field(default="", compare=False)
    account_id: str | None = field(default=None, compare=False)

    @property
    def could_not_be_read(self) -> str:
        """Return a sentence about something that could not be read."""
        return f"{self.place} could not be read: {self.detail}"

    @property
    def place(self) -> str:
        """Return the operation, the resource or the account that could not be read.

        If the role of an account cannot be assumed, nothing there can be read.
        """
        if self.subject == _ASSUME_ROLE:
            return f"Account {self.account_id}" if self.account_id else "The account"
        return f"Account {self.subject}" if self.subject.isdigit() else self.subject

    @property
    def label(self) -> str:
        """Return what uses the image, for a message."""
        return f"{self.kind.replace('_', ' ')} {self.subject}"

    def to_dict(self) -> dict[str, str]:
        """Return the evidence as the module returns it."""
        return {"detail": self.detail, "kind": self.kind, "subject": self.subject}

    def with_region(self, region: str) -> Evidence:
        """Return the evidence for images of other regions than ``region``, where it was found."""
        return replace(self, detail=f"{self.detail} in {region}".strip())

    @classmethod
    def unreadable(cls, subject: str, reason: str, remedy: str = "") -> Evidence:
        """Return evidence for something that could not be read: it counts as use."""
        return cls(UNREADABLE, subject, reason, firm=False, remedy=remedy)

    @classmethod
    def of_failure(cls, failure: Failure) -> Evidence:
        """Return evidence for a read that failed."""
        return cls.unreadable(failure.action, f"{failure.error_code}: {failure.message}", failure.remedy)

    @classmethod
    def deregistered(cls, image_id: str) -> Evidence:
        """Return evidence that keeps an image that was deregistered since it was listed."""
        return cls("gone", image_id, "deregistered since it was listed")

    @classmethod
    def unproven(cls, subject: str, reason: str) -> Evidence:
        """Return evidence for a use that nothing rules out although all reads succeeded: it counts as use."""
        return cls(UNPROVEN, subject, reason, firm=False)


@dataclass(frozen=True)
class RetentionRule:
    """A Recycle Bin rule (botocore service ``rbin``, shape ``GetRuleResponse``).

    A rule without ``tags`` applies to the whole region, except to resources with one of the tags
    ``excluded``.
    """

    resource_type: str
    days: int
    tags: tuple[tuple[str, str], ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class RegionState:
    """The results of the bulk reads of one region.

    ``uses`` maps image IDs to evidence. ``unread`` is what could not be read in the region: it counts as use
    of every image there. ``deletions_unread`` is what could not be read and only stops deletions: snapshots,
    their locks, and the Recycle Bin. ``snapshot_uses`` maps snapshot IDs to what uses them apart from own
    images. ``binned`` are the images in the Recycle Bin. ``rules_unread`` is why its ``rules`` are not known.
    """

    images: tuple[OwnImage, ...] = ()
    uses: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)
    unread: tuple[Evidence, ...] = ()
    deletions_unread: tuple[Evidence, ...] = ()
    snapshots: Mapping[str, OwnSnapshot] = field(default_factory=dict)
    snapshot_uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[RetentionRule, ...] = ()
    rules_unread: tuple[Evidence, ...] = ()
    binned: frozenset[str] = frozenset()

    @cached_property
    def images_with(self) -> Mapping[str, tuple[str, ...]]:
        """Return the own images that each snapshot is part of."""
        images: dict[str, tuple[str, ...]] = {}
        for own in self.images:
            for snapshot_id in own.image.snapshot_ids:
                images[snapshot_id] = (*images.get(snapshot_id, ()), own.image.image_id)
        return images


@dataclass(frozen=True)
class UsageReport:
    """A report on the use of an image by other accounts (botocore shape ``ImageUsageReport``).

    ``account_ids`` are the accounts that the report is limited to; empty if it covers all.
    ``template_versions`` is how many versions of each launch template it covers. ``used_by`` maps account
    IDs to the number of their resources that use the image, ``used_by_type`` accounts and resource types.
    """

    state: str
    created: datetime
    report_id: str = ""
    resource_types: frozenset[str] = frozenset()
    account_ids: frozenset[str] = frozenset()
    template_versions: int = 20
    used_by: Mapping[str, int] = field(default_factory=dict)
    used_by_type: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageUsage:
    """The usage of one image, which is read if no bulk read finds a use of it.

    ``report`` is the newest usage report. ``consumers`` maps the accounts that were read with the consumer
    role to the uses found there.
    """

    references: tuple[Evidence, ...] = ()
    sharing: Sharing = field(default_factory=Sharing)
    unread: tuple[Evidence, ...] = ()
    report: UsageReport | None = None
    consumers: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class SnapshotUsage:
    """The accounts that can create volumes from a snapshot.

    ``unread`` is the reason why they are not known, empty if they are.
    """

    sharing: Sharing = field(default_factory=Sharing)
    unread: str = ""


@dataclass(frozen=True)
class Permissions:
    """Who can use an image and its snapshots.

    ``unread`` is what could not be read of the image, ``gone`` that it was deregistered since it was listed.
    ``is_enabled`` is whether a disabled image was enabled since then, so that it can be shared and launched.
    """

    image: Sharing = field(default_factory=Sharing)
    snapshots: Mapping[SnapshotRef, SnapshotUsage] = field(default_factory=dict)
    unread: tuple[Evidence, ...] = ()
    gone: tuple[Evidence, ...] = ()
    is_enabled: bool = False

    @property
    def is_known(self) -> bool:
        """Whether all of it was read."""
        return not self.unread and not any(usage.unread for usage in self.snapshots.values())

    def adds_to(self, known: Permissions) -> bool:
        """Whether a principal can use something that it could not use before, or may."""
        return (
            not self.is_known
            or self.is_enabled
            or bool(self.image - known.image)
            or any(
                ref not in known.snapshots or usage.sharing - known.snapshots[ref].sharing
                for ref, usage in self.snapshots.items()
            )
        )


@dataclass(frozen=True)
class KeyUsage:
    """The usage of a KMS key that encrypts snapshots to delete.

    ``grants`` are this collection's. ``sharing`` maps the images under the key that stay to all that they or
    their snapshots are shared with. ``snapshots`` maps other snapshots under the key, if they are shared with
    a grantee's account, to all that they are shared with. ``unread`` is what could not be read of all this.
    """

    grants: tuple[Grant, ...] = ()
    sharing: Mapping[str, Sharing] = field(default_factory=dict)
    unread: tuple[Evidence, ...] = ()
    snapshots: Mapping[str, Sharing] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """A recipe of Image Builder; parts of the version can be ``x``, which stands for any number."""

    name: str
    version: str


@dataclass(frozen=True)
class LifecyclePolicy:
    """An enabled lifecycle policy of Image Builder that applies to AMIs, by recipes or by tags of builds."""

    recipes: tuple[Recipe, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageBuild:
    """A build of Image Builder, with its tags and the own AMIs of all regions that it created.

    ``version`` includes the number of the build, as in ``1.0.0/1``.
    """

    name: str
    version: str
    tags: Mapping[str, str] = field(default_factory=dict)
    images: tuple[ImageRef, ...] = ()


@dataclass(frozen=True)
class ImageBuilder:
    """The policies and builds of Image Builder in one region; ``unread`` is what could not be read.

    Without policies, builds are not read.
    """

    policies: tuple[LifecyclePolicy, ...] = ()
    builds: tuple[ImageBuild, ...] = ()
    unread: Evidence | None = None


@dataclass(frozen=True)
class LateUses:
    """The uses that are read only in regions with images to disable or deregister.

    ``uses`` maps image IDs to evidence. ``unread`` is what could not be read: it blocks both stages.
    """

    uses: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)
    unread: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class CleanupState:
    """The state of the account as it was read at the moment ``now``.

    That is every region in bulk, and the rest as far as the plan depends on it (``find_next_reads``).
    ``image_builder`` and ``late_uses`` map the regions that were read for that to what was read there.
    ``is_final`` is whether it was read right before the destructive actions: only new usage reports count
    then. The permissions of the images to retire are still the ``planned_permissions`` in it: they are read
    again last, image by image.
    """

    account_id: str
    now: datetime
    regions: Mapping[str, RegionState]
    usage: Mapping[ImageRef, ImageUsage] = field(default_factory=dict)
    partition: str = "aws"
    snapshot_usage: Mapping[SnapshotRef, SnapshotUsage] = field(default_factory=dict)
    key_usage: Mapping[KeyRef, KeyUsage] = field(default_factory=dict)
    consumer_resources: Mapping[KeyRef, ConsumerResources] = field(default_factory=dict)
    image_builder: Mapping[str, ImageBuilder] = field(default_factory=dict)
    late_uses: Mapping[str, LateUses] = field(default_factory=dict)
    is_final: bool = False
    planned_permissions: Mapping[ImageRef, Permissions] = field(default_factory=dict)

    @cached_property
    def images(self) -> Mapping[ImageRef, OwnImage]:
        """Return every own image of every region."""
        return {
            ImageRef(region, own.image.image_id): own
            for region in sorted(self.regions)
            for own in self.regions[region].images
        }

    @cached_property
    def image_ids(self) -> frozenset[str]:
        """Return the IDs of the own images of all regions."""
        return frozenset(ref.image_id for ref in self.images)

    @cached_property
    def running_copies(self) -> Mapping[ImageRef, tuple[Evidence, ...]]:
        """Return the pending copies of each image that has any.

        A finished copy no longer needs its source (EC2 User Guide, "How Amazon EC2 AMI copy works").
        """
        copies: dict[ImageRef, tuple[Evidence, ...]] = {}
        for ref, own in self.images.items():
            if own.source and own.image.state == "pending":
                copy = Evidence(COPY, ref.image_id, ref.region)
                copies[own.source] = (*copies.get(own.source, ()), copy)
        return copies

    @cached_property
    def uses_elsewhere(self) -> Mapping[str, tuple[Evidence, ...]]:
        """Return the uses of each image ID in regions without such an image.

        A parameter can name images of all regions.
        """
        uses: dict[str, tuple[Evidence, ...]] = {}
        for region in sorted(self.regions):
            for image_id, evidence in self.regions[region].uses.items():
                if ImageRef(region, image_id) not in self.images:
                    uses[image_id] = (
                        *uses.get(image_id, ()),
                        *(item.with_region(region) for item in evidence),
                    )
        return uses

    @cached_property
    def uses_by_region(self) -> Mapping[str, Mapping[str, tuple[Evidence, ...]]]:
        """Return the uses of each image ID in a region or elsewhere, for existing images and others."""
        return {
            region: {**self.uses_elsewhere, **region_state.uses}
            for region, region_state in self.regions.items()
        }

    def permissions_of(self, ref: ImageRef) -> Permissions | None:
        """Return the permissions of an image and its snapshots; None if not all of them were read."""
        usage, own = self.usage.get(ref), self.images.get(ref)
        if usage is None or own is None:
            return None
        refs = [SnapshotRef(ref.region, snapshot_id) for snapshot_id in own.image.snapshot_ids]
        snapshots = {item: self.snapshot_usage[item] for item in refs if item in self.snapshot_usage}
        permissions = Permissions(usage.sharing, snapshots, usage.unread)
        return permissions if permissions.is_known and len(snapshots) == len({*refs}) else None

    def unread_of(self, region: str) -> tuple[Evidence, ...]:
        """Return the failed reads that may hide uses of the region's images.

        These are all failed reads there, and those of parameters anywhere.
        """
        elsewhere = (
            item.with_region(other)
            for other in sorted(self.regions)
            if other != region
            for item in self.regions[other].unread
            if item.subject in _READ_PARAMETERS
        )
        return (*self.regions[region].unread, *elsewhere)

    def deletions_unread_of(self, region: str) -> tuple[Evidence, ...]:
        """Return the failed reads that stop deletions in the region, unknown uses included."""
        return (*self.unread_of(region), *self.regions[region].deletions_unread)

    def target(self, region: str) -> Target:
        """Return a region of the account, as plans name it."""
        return Target(self.account_id, region)
