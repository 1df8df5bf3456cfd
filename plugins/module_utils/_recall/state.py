# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state that a recall is planned for: the images of the release, and what names them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from .._failures import Failure
from .._model import Image, ImageRef, KeyState, Sharing, SnapshotRef, Target
from .._publish.options import PublishOptions
from .._publish.state import TargetState, label_for
from .._share.state import Shared
from .._tags import RECALLED_TAG, SOURCE_TAG
from .record import Access, Pointer, PointerKey, Record, Stored


@dataclass(frozen=True)
class Release:
    """The owner's images of the release, and all others of the owner that are tagged as recalled.

    ``refs`` are also those that other accounts own, such as the source of a promoted image, and those that
    are deregistered by now, if the record of the recall has them. ``owned`` are those of all regions that the
    owner has, or had when the record was written. What accounts have made from the image of somebody else,
    such as a public one that the release was copied from, does not come from the release.
    """

    refs: frozenset[ImageRef] = frozenset()
    images: Mapping[ImageRef, Image] = field(default_factory=dict)
    recalled: frozenset[ImageRef] = frozenset()
    owned: frozenset[ImageRef] = frozenset()

    @property
    def labels(self) -> frozenset[str]:
        """Return the labels that versions of a parameter have with images of the release."""
        return frozenset(label_for(ref.image_id) for ref in self.refs)

    def includes(self, ref: ImageRef, image: Image | None) -> bool:
        """Whether an image is of the release; ``image`` is the view of an account, which may own it."""
        if ref in self.refs:
            return True
        return image is not None and find_source(image) in self.refs

    def is_recalled(self, ref: ImageRef, image: Image | None) -> bool:
        """Whether an image is of the release, or tagged as recalled."""
        is_tagged = ref in self.recalled or (image is not None and RECALLED_TAG in image.tags)
        return is_tagged or self.includes(ref, image)


@dataclass(frozen=True)
class Left:
    """A pointer that is not moved, and why; ``image_id`` is what it names, None if it does not exist."""

    key: PointerKey
    name: str
    image_id: str | None
    reason: str


@dataclass(frozen=True)
class Unit:
    """Pointers of one target that get one image, ``state.image_id``, as ``options`` publish it.

    ``options`` name the launch templates that move, and those that only must fit the image because they
    follow the parameter. ``settled`` are pointers that an earlier run has moved. ``failures`` are why the
    target stays as it is, ``left_failures`` why single pointers of it stay that name the release.
    ``consumers`` are those with whom the owner's parameter is shared, if it moves.
    """

    target: Target
    options: PublishOptions
    state: TargetState
    pointers: tuple[Pointer, ...] = ()
    settled: tuple[Pointer, ...] = ()
    left: tuple[Left, ...] = ()
    failures: tuple[Failure, ...] = ()
    left_failures: tuple[Failure, ...] = ()
    consumers: Sharing = field(default_factory=Sharing)

    @property
    def names_release(self) -> bool:
        """Whether something names the release, or did before an earlier run."""
        return bool(self.pointers or self.settled or self.left_failures)


@dataclass(frozen=True)
class ImageKeys:
    """The keys of an image, as read. ``failure`` is why they are not known.

    ``unproven`` is why they do not show alone who can use the image; empty if they do.
    """

    keys: tuple[KeyState, ...] = ()
    unproven: str = ""
    failure: Failure | None = None


@dataclass(frozen=True)
class RecallState:
    """The state of a recall. ``now`` is the time of the run, as tags have it.

    ``stored`` is the record that was found. ``access`` are the images to block, or to open again, with their
    permissions. ``copies`` are those of consumers, which were read without their snapshots, or could not be.
    ``others`` are snapshots of the owner's images that an image outside the release has, too, each with that
    image. ``keys`` are those of encrypted earlier images. ``unread`` are the failures of what could not be
    read. ``warnings`` are about the release.
    """

    account_id: str
    partition: str
    now: str
    release: Release = field(default_factory=Release)
    units: tuple[Unit, ...] = ()
    stored: Stored = field(default_factory=Stored)
    access: Mapping[ImageRef, Shared] = field(default_factory=dict)
    copies: frozenset[ImageRef] = frozenset()
    others: Mapping[SnapshotRef, str] = field(default_factory=dict)
    keys: Mapping[ImageRef, ImageKeys] = field(default_factory=dict)
    unread: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    place: str = ""

    @property
    def record(self) -> Record | None:
        """Return the record that was found."""
        return self.stored.record

    @property
    def to_open(self) -> tuple[Access, ...]:
        """Return what the recall took from images, without those that could not be read.

        An image of a consumer that was not disabled has lost nothing.
        """
        if self.record is None or self.record.taken_back_at:
            return ()
        unread = {(failure.account_id, failure.region) for failure in self.unread}
        return tuple(
            taken
            for taken in self.record.blocked
            if (taken.disabled or taken.account_id == self.account_id)
            and (taken.ref in self.access or (taken.account_id, taken.ref.region) not in unread)
        )

    @property
    def blocked_copies(self) -> dict[ImageRef, str]:
        """Return the images of consumers that the recall has disabled, or was about to, by account."""
        return {taken.ref: taken.account_id for taken in self.to_open if taken.account_id != self.account_id}


def find_source(image: Image) -> ImageRef | None:
    """Return the source of a copy, by the tag of this collection or else as AWS records it; None of others.

    An image that was built from an instance of the release, such as a fix, is no copy (``read.image_of``).
    """
    region, _slash, image_id = image.tags.get(SOURCE_TAG, "").rpartition("/")
    if not (region and image_id):
        region, image_id = image.source_region or "", image.source_image_id or ""
    return ImageRef(region, image_id) if region and image_id else None


def find_release(
    account_id: str,
    source: ImageRef,
    itself: Image | None,
    images: Mapping[ImageRef, Image],
    recorded: Collection[ImageRef] = (),
) -> Release:
    """Return the release of a source: the image itself, its copies among ``images``, and copies of copies.

    ``images`` are the owner's images that may be copies, or are recalled. ``itself`` is the source, None if
    it is not visible. ``recorded`` are the images of an earlier run, which may be deregistered by now.
    """
    refs = {source, *recorded}
    while more := {ref for ref, image in images.items() if find_source(image) in refs} - refs:
        refs |= more
    own = {ref: images[ref] for ref in sorted(refs & images.keys())}
    if itself is not None and itself.owner_id == account_id:
        own = {source: itself, **own}
    recalled = frozenset(ref for ref, image in images.items() if RECALLED_TAG in image.tags)
    return Release(frozenset(refs), own, recalled, frozenset({*own, *recorded}))


def without_recall(state: TargetState) -> TargetState:
    """Return a target whose images are not tagged as recalled: the state after a recall is taken back."""

    def untag(image: Image) -> Image:
        return replace(image, tags={key: text for key, text in image.tags.items() if key != RECALLED_TAG})

    named = {image_id: untag(image) for image_id, image in state.named.items()}
    return replace(state, image=untag(state.image) if state.image else None, named=named)
