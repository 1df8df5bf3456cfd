# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cleanup has read: own images, their snapshots, and the evidence that they are in use.

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

# Kinds of evidence that proves no use: what could not be read, and what AWS does not show, such as the use of
# a shared image without a usage report that counts.
UNREADABLE, UNPROVEN = "unreadable", "unproven"
# The kind of evidence that is a pending copy of the image.
COPY = "running_copy"

# A parameter of any region can name images of all regions. Not GetParameter: it reads the parameters that
# launch templates name, and a launch template launches in its own region only.
_READ_PARAMETERS = ("DescribeParameters", "GetParameters", "GetParameterHistory")


@dataclass(frozen=True)
class OwnImage:
    """An image that the account owns, with the attributes that ``Image`` does not have.

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
        """The image that this one is a copy of."""
        if self.image.source_image_id and self.image.source_region:
            return ImageRef(self.image.source_region, self.image.source_image_id)
        return None

    @property
    def snapshot_sizes(self) -> Mapping[str, int]:
        """Snapshot ID to the size, in GiB, of the volume that is created from it.

        Snapshots hold changed blocks only: each takes up this much at most. Empty volumes have no snapshot.
        """
        volumes = [mapping.get("Ebs", {}) for mapping in self.described.get("BlockDeviceMappings", ())]
        return {one["SnapshotId"]: one.get("VolumeSize", 0) for one in volumes if "SnapshotId" in one}

    @property
    def size_gib(self) -> int:
        """The maximum size of all its snapshots together."""
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


@dataclass(frozen=True)
class Evidence:
    """One reason to treat an image as used: what was found, and where.

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
        """A sentence about something that could not be read."""
        return f"{self.subject} could not be read: {self.detail}"

    @property
    def label(self) -> str:
        """What uses the image, for a message."""
        return f"{self.kind.replace('_', ' ')} {self.subject}"

    def to_dict(self) -> dict[str, str]:
        """The evidence as the module returns it."""
        return {"detail": self.detail, "kind": self.kind, "subject": self.subject}

    def with_region(self, region: str) -> Evidence:
        """The same evidence for an image of another region than the one it was found in."""
        return replace(self, detail=f"{self.detail} in {region}".strip())


def unreadable(subject: str, reason: str, remedy: str = "") -> Evidence:
    """Evidence for something that could not be read (access denied, throttled): counts as use."""
    return Evidence(UNREADABLE, subject, reason, firm=False, remedy=remedy)


def unread(problem: Failure) -> Evidence:
    """Evidence for a read that failed."""
    return unreadable(problem.action, f"{problem.error_code}: {problem.message}", problem.remedy)


def gone(image_id: str) -> Evidence:
    """Evidence that an image was deregistered since it was listed: this run leaves it alone."""
    return Evidence("gone", image_id, "deregistered since it was listed")


def unproven(subject: str, reason: str) -> Evidence:
    """Evidence for a use that nothing can rule out although every read succeeded: counts as use."""
    return Evidence(UNPROVEN, subject, reason, firm=False)


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
    """What the bulk reads of one region return.

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
        """Snapshot ID to the own images that it is part of."""
        found: dict[str, tuple[str, ...]] = {}
        for own in self.images:
            for snapshot_id in own.image.snapshot_ids:
                found[snapshot_id] = (*found.get(snapshot_id, ()), own.image.image_id)
        return found


@dataclass(frozen=True)
class UsageReport:
    """A report on the use of an image by other accounts (botocore shape ``ImageUsageReport``).

    ``account_ids`` are the accounts that the report is limited to; empty if it covers all.
    ``template_versions`` is how many versions of each launch template it covers. ``used_by`` maps account
    IDs to the number of their resources that use the image.
    """

    state: str
    created: datetime
    report_id: str = ""
    resource_types: frozenset[str] = frozenset()
    account_ids: frozenset[str] = frozenset()
    template_versions: int = 20
    used_by: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageUsage:
    """What was read of one image alone, because no bulk read found a use of it.

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
class KeyUsage:
    """What was read of a KMS key that encrypts snapshots to delete.

    ``grants`` are those that this collection created. ``sharing`` maps the images under the key that stay to
    all that they or their snapshots are shared with, ``snapshots`` the other snapshots under the key to what
    they are shared with, as far as that includes a grantee's account. ``unread`` is what could not be read of
    all this.
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
    """What was read of Image Builder in one region; ``unread`` is what could not be read.

    Without policies, builds are not read.
    """

    policies: tuple[LifecyclePolicy, ...] = ()
    builds: tuple[ImageBuild, ...] = ()
    unread: Evidence | None = None


@dataclass(frozen=True)
class LateUses:
    """What is read of a region only if images there are to be disabled or deregistered.

    ``uses`` maps image IDs to evidence. ``unread`` is what could not be read: it blocks both stages.
    """

    uses: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)
    unread: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class CleanupState:
    """Everything that was read of the account, at the moment ``now``.

    That is every region in bulk, and the rest as far as the plan depends on it (``next_reads``).
    ``image_builder`` and ``late_uses`` map the regions that were read for that to what was read there.
    ``is_final`` is whether it was read right before the destructive actions: only new usage reports count
    then.
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

    @cached_property
    def images(self) -> Mapping[ImageRef, OwnImage]:
        """Every own image of every region."""
        return {
            ImageRef(region, own.image.image_id): own
            for region in sorted(self.regions)
            for own in self.regions[region].images
        }

    @cached_property
    def image_ids(self) -> frozenset[str]:
        """The IDs of the own images of all regions."""
        return frozenset(ref.image_id for ref in self.images)

    @cached_property
    def running_copies(self) -> Mapping[ImageRef, tuple[Evidence, ...]]:
        """The pending copies of each image that has any.

        A finished copy no longer needs its source (EC2 User Guide, "How Amazon EC2 AMI copy works").
        """
        copies: dict[ImageRef, tuple[Evidence, ...]] = {}
        for ref, own in self.images.items():
            if own.source and own.image.state == "pending":
                copy = Evidence(COPY, ref.image_id, ref.region)
                copies[own.source] = (*copies.get(own.source, ()), copy)
        return copies

    @cached_property
    def named_elsewhere(self) -> Mapping[str, tuple[Evidence, ...]]:
        """Image ID to its uses in regions that have no such image: a parameter can list all regions."""
        found: dict[str, tuple[Evidence, ...]] = {}
        for region in sorted(self.regions):
            for image_id, evidence in self.regions[region].uses.items():
                if ImageRef(region, image_id) not in self.images:
                    found[image_id] = (
                        *found.get(image_id, ()),
                        *(one.with_region(region) for one in evidence),
                    )
        return found

    @cached_property
    def named(self) -> Mapping[str, Mapping[str, tuple[Evidence, ...]]]:
        """Region to image ID to its uses, in the region or elsewhere, whether or not the image exists."""
        return {
            region: {**self.named_elsewhere, **region_state.uses}
            for region, region_state in self.regions.items()
        }

    def unread_of(self, region: str) -> tuple[Evidence, ...]:
        """What could not be read and may use images of the region: all of it there, parameters anywhere."""
        elsewhere = (
            one.with_region(other)
            for other in sorted(self.regions)
            if other != region
            for one in self.regions[other].unread
            if one.subject in _READ_PARAMETERS
        )
        return (*self.regions[region].unread, *elsewhere)

    def deletions_unread_of(self, region: str) -> tuple[Evidence, ...]:
        """What could not be read and stops deletions in the region: unknown uses of images count, too."""
        return (*self.unread_of(region), *self.regions[region].deletions_unread)

    def target(self, region: str) -> Target:
        """A region of the account, as plans name it."""
        return Target(self.account_id, region)
