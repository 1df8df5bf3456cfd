# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases of image families, what uses images in each account and region, and where nothing was read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .._cleanup.state import UsageReport
from .._failures import Failure
from .._model import ImageRef, Target, Watermark

USAGE_REPORTS, CONFIG, INSTANCES, LAUNCHES = "usage_reports", "config", "instances", "launches"
DEPTHS = (USAGE_REPORTS, CONFIG, INSTANCES, LAUNCHES)
"""How deep the use of images is read: counts by AWS, instances that AWS Config has recorded, instances, or
what launches will take, too."""
WITHOUT_ROLES = (USAGE_REPORTS, CONFIG)
"""The depths that ask nothing in the accounts themselves, and do not show all use."""

ASSUME_ROLE = "AssumeRole"
"""The action of a failure to assume a role, after which nothing of the account can be read."""
READ_INSTANCES = "DescribeInstanceImageMetadata"
"""The operation that every account and region is read with, whatever the depth."""

INSTANCE = "instance"
"""Kind of uses that are instances. All others are launches to come, such as launch templates."""
REPORTED, REPORTED_INSTANCE = "reported_use", "reported_instance"
REPORTED_TEMPLATE, REPORTED_RECIPE = "reported_launch_template", "reported_recipe"
"""Kinds of uses in a usage report, which only counts them. The first one is of a type that AWS added."""
OF_SOME_VERSION = (REPORTED_TEMPLATE, REPORTED_RECIPE)
"""Kinds of uses of which only some version names the image: nothing tells whether launches take that one."""

# How far a used image is known.
OF_RELEASE = "release"
"""It is an image of a release, a copy of one, or was made from one."""
UNKNOWN_RELEASE = "unknown_release"
"""It belongs or belonged to the owner, who does not have it any more: it may be of any family."""
UNKNOWN_ORIGIN = "unknown_origin"
"""It is the account's own, or somebody shares it, and where it comes from cannot be told."""
OTHER = "other"
"""It is of no family that the task is about."""

ANCESTRY, WATERMARK, TAG = "ancestry", "watermark", "tag"
"""What shows where an image comes from: what AWS recorded of each step, a watermark, or only a tag."""

# EC2 User Guide, "Use AMI ancestry to trace the origin of an AMI": aliases of verified providers.
_VENDORS = ("amazon", "aws-marketplace")


def name_no_use(depth: str | None) -> str:
    """Return the status of what was read without any use, if the depth shows all use."""
    return "unreported" if depth in WITHOUT_ROLES else "unused"


@dataclass(frozen=True)
class Release:
    """A release of a family: all copies of one image.

    ``ref`` is the image at the end of the chain of copies, which may be deregistered. ``created`` is its
    creation, None if AWS reports no date. ``images`` are the owner's images that still exist. ``withdrawn``
    is why none of these should be launched: ``recalled``, ``deprecated``, ``disabled`` or ``deregistered``,
    else empty. ``severity`` is the highest one that Amazon Inspector reports, such as ``CRITICAL``; None if
    it has not scanned the images or found nothing.
    """

    family: str
    ref: ImageRef
    name: str
    created: datetime | None
    images: tuple[ImageRef, ...] = ()
    withdrawn: str = ""
    severity: str | None = None

    @property
    def label(self) -> str:
        """Return the name with the image, for a message."""
        return f"{self.name} ({self.ref.image_id})" if self.name else str(self.ref)


@dataclass(frozen=True)
class Catalog:
    """What the owner's images are.

    ``releases`` are those of all families, the newest of each first. ``release_of`` has every image of them,
    also the deregistered ones that copies name as their source. ``own`` are all images of the owner, of any
    family. ``withdrawn`` says why an image should not be launched. ``denied`` are the owner's images, of any
    family, that the task denies, with their copies and what was made from them, and the IDs that deny them.
    ``unread`` are the owner's regions whose images could not be read. Usage reports are ``limited_to`` these
    regions, if there are any.
    """

    account_id: str
    releases: tuple[Release, ...] = ()
    release_of: Mapping[ImageRef, Release] = field(default_factory=dict)
    own: frozenset[ImageRef] = frozenset()
    withdrawn: Mapping[ImageRef, str] = field(default_factory=dict)
    denied: Mapping[ImageRef, tuple[str, ...]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    limited_to: tuple[str, ...] = ()

    def newer(self, release: Release) -> tuple[Release, ...]:
        """Return the releases of the family that are newer and can be launched, the newest first."""
        return tuple(
            other
            for other in self.releases
            if other.family == release.family and not other.withdrawn and _is_newer(other, release)
        )

    def replacements(self, release: Release) -> tuple[Release, ...]:
        """Return the releases that a use can change to, the newest first: older ones if it is withdrawn."""
        return self.newer(release) or tuple(
            other
            for other in self.releases
            if release.withdrawn and other.family == release.family and not other.withdrawn
        )

    def lacks_order(self, release: Release) -> bool:
        """Whether the release has no date, and others of its family, so that any can be the newest."""
        return release.created is None and any(
            other.family == release.family and other.ref != release.ref and not other.withdrawn
            for other in self.releases
        )

    @property
    def families(self) -> tuple[str, ...]:
        """Return the names of the families."""
        return tuple(sorted({release.family for release in self.releases}))

    @property
    def regions(self) -> tuple[str, ...]:
        """Return the regions with an image that AWS can make a usage report of."""
        return tuple(sorted({ref.region for ref in self.reported}))

    @property
    def reported(self) -> tuple[ImageRef, ...]:
        """Return the images that usage reports are read of: those of all releases, and denied ones.

        Those of the newest release of a family are first.
        """
        of_releases = [ref for release in self.releases for ref in release.images]
        refs = dict.fromkeys((*of_releases, *sorted(self.denied)))
        return tuple(ref for ref in refs if not self.limited_to or ref.region in self.limited_to)


def _is_newer(one: Release, other: Release) -> bool:
    """Whether a release is newer than another; one without a date is older than all others."""
    if one.created is None or one.ref == other.ref:
        return False
    return other.created is None or one.created > other.created


@dataclass(frozen=True)
class UsedImage:
    """An image that an account uses, as far as the account can see it (botocore shape ``ImageMetadata``).

    Everything but ``ref`` is empty or None if it is not known. ``state`` can be ``deregistered``. ``alias``
    is the owner alias, such as ``amazon``.
    """

    ref: ImageRef
    owner_id: str = ""
    name: str = ""
    created: datetime | None = None
    state: str = ""
    deprecated: datetime | None = None
    watermarks: tuple[Watermark, ...] = ()
    alias: str = ""
    is_public: bool = False

    def is_of_vendor(self, account_ids: Collection[str]) -> bool:
        """Whether it cannot be a copy of a release: it is Amazon's, of the Marketplace, or public.

        One that any of ``account_ids`` owns can be one. A private image can, too, whoever owns it, and that
        of a backup vault.
        """
        return self.alias in _VENDORS or (self.is_public and self.owner_id not in account_ids)


@dataclass(frozen=True)
class ImageUse:
    """The uses of one kind of one image in an account and a region.

    ``number`` is how many there are; ``names`` are their IDs or names as far as AWS reports them. ``owners``
    are the values of the tags that name who is responsible. ``oldest`` is the first launch, None if it is not
    known.
    """

    kind: str
    image: UsedImage
    number: int
    names: tuple[str, ...] = ()
    oldest: datetime | None = None
    owners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Origin:
    """The image that an account's own image comes from, the last one known, and what shows that."""

    ref: ImageRef
    evidence: str


@dataclass(frozen=True)
class Use:
    """A use with the release that its image is of. ``standing`` says how far that is known.

    ``chain`` is the image and what it was copied or made from, as far as the account sees it. ``origin`` is
    None if the account does not own the image, and if nothing shows what it comes from.
    """

    use: ImageUse
    standing: str
    release: Release | None = None
    chain: tuple[ImageRef, ...] = ()
    origin: Origin | None = None


@dataclass(frozen=True)
class Look:
    """What was read in an account and a region. ``failures`` are reads that failed, so that uses may lack."""

    uses: tuple[Use, ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Source:
    """An account in a region, or an organization, that an aggregator of AWS Config takes data from.

    ``status`` is ``SUCCEEDED``, ``FAILED`` or ``OUTDATED``, or ``unknown`` if AWS returns none. ``error`` is
    why it failed.
    """

    status: str
    error: str = ""


@dataclass(frozen=True)
class RecordedInstance:
    """An instance of an image that AWS Config has recorded, and when it was ``captured`` last."""

    target: Target
    image: ImageRef
    instance_id: str
    launched: datetime | None = None
    captured: datetime | None = None
    owners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recorded:
    """What an aggregator of AWS Config has of accounts and regions.

    ``sources`` is where it takes data from, and ``organizations`` are the IDs of those whose accounts
    are sources.
    ``numbers`` counts the instances of all images, ``instances`` are those of the images that were asked for.
    """

    aggregator: str
    sources: Mapping[Target, Source] = field(default_factory=dict)
    organizations: tuple[tuple[str, Source], ...] = ()
    numbers: Mapping[Target, int] = field(default_factory=dict)
    instances: tuple[RecordedInstance, ...] = ()


@dataclass(frozen=True)
class AdoptionState:
    """The releases, and what every account uses in every region at the time ``now``.

    ``looks`` has each account and region that the task looked at. ``unread`` are those that it could not look
    at, with the reason. ``reports`` are the usage reports of the owner's images, ``recorded`` is what AWS
    Config has, if they are read, and ``report_failures`` is why they do not show all use.
    """

    now: datetime
    catalog: Catalog
    looks: Mapping[Target, Look] = field(default_factory=dict)
    unread: Mapping[Target, Failure] = field(default_factory=dict)
    reports: Mapping[ImageRef, UsageReport] = field(default_factory=dict)
    recorded: Recorded | None = None
    report_failures: tuple[Failure, ...] = ()
