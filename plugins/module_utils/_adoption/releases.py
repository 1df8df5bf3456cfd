# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Forms releases from the owner's images: all copies of one image are a release of its family."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from .._cleanup.families import ORIGIN_CREATED_TAG, FamilyBy, find_families
from .._cleanup.stages import parse_time
from .._cleanup.state import OwnImage
from .._model import ImageRef
from .._tags import RECALLED_TAG, SOURCE_TAG
from .state import ANCESTRY, TAG, Catalog, Origin, Release

RECALLED, DEPRECATED, DISABLED, DEREGISTERED = "recalled", "deprecated", "disabled", "deregistered"
# The states of images that are or were a release (botocore enum ImageState); others never could be launched.
_STATES = ("available", "disabled")
# The severities of Amazon Inspector, the worst first (Inspector API Reference, Severity).
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNTRIAGED")
_UNDATED = datetime.min.replace(tzinfo=UTC)

Images = Mapping[ImageRef, OwnImage]


@dataclass(frozen=True)
class FamilyOptions:
    """What gives an image its family: the cleanup's options, or else a watermark; ``names`` limits them.

    Without ``names``, all families are meant. The family of images with the watermark is its key.
    """

    by: FamilyBy
    watermark: str | None = None
    names: Collection[str] = ()

    def includes(self, family: str) -> bool:
        """Whether the family is one of those that are meant."""
        return not self.names or family in self.names


def list_sources(images: Images, options: FamilyOptions) -> tuple[ImageRef, ...]:
    """Return the sources of the families' images that are not among the images: gone, or somebody else's."""
    ends = (follow_copies(images, ref)[-1] for ref, _family in _list_families(images, options))
    return tuple(dict.fromkeys(end for end in ends if end not in images))


def build_catalog(
    account_id: str,
    images: Images,
    options: FamilyOptions,
    now: datetime,
    foreign: Collection[ImageRef] = (),
    deny_images: Collection[str] = (),
) -> Catalog:
    """Return the releases of the families in the owner's images of all regions.

    ``foreign`` are sources that other accounts own. Copies of such an image are one release, but the image
    itself is none: any account can use it without the owner. ``deny_images`` are IDs of any images.
    """
    groups: dict[tuple[str, ImageRef], list[ImageRef]] = defaultdict(list)
    chains: dict[ImageRef, list[ImageRef]] = {}
    for ref, family in _list_families(images, options):
        if images[ref].image.state in _STATES:
            chains[ref] = follow_copies(images, ref)
            groups[family, chains[ref][-1]].append(ref)
    withdrawn = {
        ref: reason for ref, own in images.items() if (reason := find_withdrawal(own, now)) is not None
    }
    releases = [
        _build_release(images, family, root, refs, withdrawn, foreign)
        for (family, root), refs in groups.items()
    ]
    by_root = {(release.family, release.ref): release for release in releases}
    release_of: dict[ImageRef, Release] = {}
    for (family, root), refs in groups.items():
        for ref in refs:
            # A link of a chain can also be an image of another family, which then decides.
            links = (link for link in chains[ref] if link not in images and link not in foreign)
            release_of.update(dict.fromkeys(links, by_root[family, root]))
            release_of[ref] = by_root[family, root]
    return Catalog(
        account_id,
        tuple(sorted(releases, key=_rank, reverse=True)),
        release_of,
        frozenset(images),
        withdrawn,
        find_denied(images, deny_images),
    )


def find_denied(images: Images, image_ids: Iterable[str]) -> dict[ImageRef, tuple[str, ...]]:
    """Return the owner's images that have these IDs, their copies, and what was made from one of them.

    Each has the IDs that it is denied by.
    """
    denied: dict[ImageRef, tuple[str, ...]] = {}
    for image_id in image_ids:
        for ref in _find_derived(images, image_id):
            denied[ref] = (*denied.get(ref, ()), image_id)
    return denied


def _find_derived(images: Images, image_id: str) -> Iterator[ImageRef]:
    chains = {ref: follow_copies(images, ref) for ref in images}
    roots = {
        chains[ref][-1]
        for ref, own in images.items()
        if any(link.image_id == image_id for link in chains[ref])
        or any(mark.source_image_id == image_id for mark in own.image.watermarks)
    }

    def is_made_from_denied(ref: ImageRef) -> bool:
        base = images[ref].base if ref in images else None
        return base is not None and (base.image_id == image_id or chains.get(base, [base])[-1] in roots)

    others = {chain[-1] for chain in chains.values()} - roots
    while made := {ref for ref in others if is_made_from_denied(ref)}:
        roots |= made
        others -= made
    yield from (ref for ref, chain in chains.items() if chain[-1] in roots)


def find_withdrawal(own: OwnImage, now: datetime) -> str | None:
    """Return why an image should not be launched; None if nothing says so."""
    if RECALLED_TAG in own.image.tags:
        return RECALLED
    if own.image.state == "disabled":
        return DISABLED
    deprecation = parse_time(own.image.deprecation_time or "")
    return DEPRECATED if deprecation is not None and deprecation <= now else None


def find_origin(own: OwnImage, with_instances: bool) -> ImageRef | None:
    """Return the image that this one is a copy of, or ``with_instances`` the one that it was made from.

    AWS may not have recorded the source of an old copy: the tag of this collection's copies has it, too. Who
    owns the image can change the tag: it counts only where AWS recorded nothing.
    """
    if own.source is not None or own.base is not None:
        return own.source or (own.base if with_instances else None)
    region, _slash, image_id = own.image.tags.get(SOURCE_TAG, "").partition("/")
    return ImageRef(region, image_id) if region and image_id else None


def find_source(own: OwnImage) -> Origin | None:
    """Return the image that this one is a copy of, or was made from, and whether only the tag says so."""
    ref = find_origin(own, with_instances=True)
    is_recorded = own.source is not None or own.base is not None
    return None if ref is None else Origin(ref, ANCESTRY if is_recorded else TAG)


def follow_copies(images: Images, ref: ImageRef) -> list[ImageRef]:
    """Return the image, its source, the source of that, and so on. The last one may not exist any more."""
    chain = [ref]
    while chain[-1] in images:
        source = find_origin(images[chain[-1]], with_instances=False)
        if source is None or source in chain:
            break
        chain.append(source)
    return chain


def worst_severity(severities: Iterable[str | None]) -> str | None:
    """Return the worst of Inspector's severities; None without one. An unknown one is the worst."""
    named = {severity.upper() for severity in severities if severity}
    return min(
        named,
        key=lambda severity: SEVERITIES.index(severity) if severity in SEVERITIES else -1,
        default=None,
    )


def _list_families(images: Images, options: FamilyOptions) -> Iterator[tuple[ImageRef, str]]:
    family_of = find_families(images, options.by, ())
    for ref, own in images.items():
        family = family_of.get(ref) or _find_watermark(own, options.watermark)
        if family is not None and options.includes(family):
            yield ref, family


def _find_watermark(own: OwnImage, key: str | None) -> str | None:
    return key if key is not None and any(mark.key == key for mark in own.image.watermarks) else None


def _build_release(
    images: Images,
    family: str,
    root: ImageRef,
    refs: Sequence[ImageRef],
    withdrawn: Mapping[ImageRef, str],
    foreign: Collection[ImageRef],
) -> Release:
    named = [root, *refs] if root in images else refs
    # A recall is one of the release. The other reasons can be those of single images.
    is_recalled = any(withdrawn.get(ref) == RECALLED for ref in named)
    reasons = [withdrawn.get(ref, "") for ref in refs]
    scans = [images[ref].image.scan for ref in refs]
    return Release(
        family=family,
        ref=root,
        name=images[named[0]].image.name,
        created=_find_creation(images, root, refs, foreign),
        images=tuple(sorted(refs)),
        withdrawn=RECALLED if is_recalled else reasons[0] if all(reasons) else "",
        severity=worst_severity(scan.highest_severity for scan in scans if scan is not None),
    )


def _find_creation(
    images: Images, root: ImageRef, refs: Sequence[ImageRef], foreign: Collection[ImageRef]
) -> datetime | None:
    """Return when a release was created; None if its first image is gone and nothing has its date.

    The date of a late copy would make an old release the newest one. A release that is copied from the image
    of another owner begins with the copy.
    """
    if root in images:
        return images[root].created
    if root in foreign:
        dates = [images[ref].created for ref in refs]
    else:
        copies = [images[ref].image for ref in refs]
        dates = [parse_time(copy.tags.get(ORIGIN_CREATED_TAG, "")) for copy in copies]
        dates += [
            mark.source_created
            for copy in copies
            for mark in copy.watermarks
            if ImageRef(mark.source_region, mark.source_image_id) == root
        ]
    return min((date for date in dates if date is not None), default=None)


def _rank(release: Release) -> tuple[str, datetime, ImageRef]:
    return release.family, release.created or _UNDATED, release.ref
