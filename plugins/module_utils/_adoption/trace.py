# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the release that a used image is of: one of the owner's images, or an account's own made from one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from .._cleanup.families import find_family_of_name
from .._model import ImageRef, Watermark
from .releases import DEREGISTERED, FamilyOptions
from .state import (
    ANCESTRY,
    OF_RELEASE,
    OTHER,
    TAG,
    UNKNOWN_ORIGIN,
    UNKNOWN_RELEASE,
    WATERMARK,
    Catalog,
    ImageUse,
    Origin,
    Release,
    Use,
    UsedImage,
)

Origins: TypeAlias = Mapping[ImageRef, "ImageRef | None"]
"""What the images that an account sees were copied or made from.

It is None for images of vendors, which end the search. Those are missing that another account shares, and the
account's own of which AWS has recorded no source.
"""

_UNDATED = datetime.min.replace(tzinfo=UTC)


def trace(
    use: ImageUse,
    account_id: str,
    catalog: Catalog,
    origins: Origins,
    families: FamilyOptions,
    account_ids: Collection[str] = (),
    tagged: Collection[ImageRef] = (),
) -> Use:
    """Return a use with the release of its image.

    What cannot be told is said: an image that is not known is never one of the current release. A private
    one of another account is not known either, nor a public one of ``account_ids``: it can be their copy.
    ``tagged`` are the images whose origin only their tag tells.
    """
    chain = tuple(follow(use.image.ref, origins))
    standing, release = _find_release(
        use.image, {account_id, *account_ids}, chain, catalog, origins, families
    )
    is_own = use.image.owner_id == account_id != catalog.account_id
    origin = _find_own_origin(use.image, chain, catalog, tagged) if is_own else None
    return Use(use, standing, release, chain, origin)


def _find_own_origin(
    image: UsedImage, chain: Sequence[ImageRef], catalog: Catalog, tagged: Collection[ImageRef]
) -> Origin | None:
    """Return where an account's own image comes from, by the best evidence.

    What AWS recorded decides before a watermark, even if nothing is known of that image: a fix that the owner
    has built from an instance of a release keeps the watermark of the release, and so do copies of the fix.
    """
    *own, end = chain
    if own and not any(link in tagged for link in own):
        return Origin(end, ANCESTRY)
    for _mark, ref in _list_marks(image):
        if ref in catalog.own or ref in catalog.release_of:
            return Origin(ref, WATERMARK)
    return Origin(end, TAG) if own else None


def _list_marks(image: UsedImage) -> list[tuple[Watermark, ImageRef]]:
    """Return the watermarks with the images that they were attached to, that of the newest image first."""
    marks = sorted(image.watermarks, key=lambda mark: mark.source_created or _UNDATED, reverse=True)
    return [(mark, ImageRef(mark.source_region, mark.source_image_id)) for mark in marks]


def _find_release(
    image: UsedImage,
    account_ids: Collection[str],
    chain: Sequence[ImageRef],
    catalog: Catalog,
    origins: Origins,
    families: FamilyOptions,
) -> tuple[str, Release | None]:
    known = next((link for link in chain if _is_of_release(link, image, catalog)), None)
    if known is not None:
        return OF_RELEASE, catalog.release_of[known]
    # The owner's image of another family stays one, whatever watermark it has from its base.
    if any(link in catalog.own for link in chain):
        return OTHER, None
    release = _find_by_watermark(image, catalog, families) or _find_by_name(image, catalog, families)
    if release is not None:
        return OF_RELEASE, release
    if image.owner_id == catalog.account_id:
        return UNKNOWN_RELEASE, None
    # Otherwise, the end was not read, or its source is in a circle.
    ends_at_vendor = origins.get(chain[-1], chain[-1]) is None
    return (OTHER if ends_at_vendor or image.is_of_vendor(account_ids) else UNKNOWN_ORIGIN), None


def _is_of_release(link: ImageRef, image: UsedImage, catalog: Catalog) -> bool:
    """Whether a link of an image's chain is of a release.

    A source that the owner does not have, such as a deregistered one, may have been somebody else's. It only
    counts if the account uses it itself, and it is the owner's or nothing shows whose.
    """
    if link not in catalog.release_of:
        return False
    return link in catalog.own or (link == image.ref and image.owner_id in (catalog.account_id, ""))


def follow(ref: ImageRef, origins: Origins) -> Iterator[ImageRef]:
    """Yield the image, the one that it comes from, the origin of that, and so on."""
    seen: set[ImageRef] = set()
    link: ImageRef | None = ref
    while link is not None and link not in seen:
        yield link
        seen.add(link)
        link = origins.get(link)


def list_untraced(
    uses: Iterable[ImageUse], account_id: str, catalog: Catalog, origins: Origins
) -> tuple[ImageRef, ...]:
    """Return the images to read next: those that may be the account's own, and what these were made from."""
    refs: dict[ImageRef, None] = {}
    for use in uses:
        end = list(follow(use.image.ref, origins))[-1]
        may_be_own = use.image.owner_id in (account_id, "") or end != use.image.ref
        if may_be_own and end not in origins and end not in catalog.own:
            refs[end] = None
    return tuple(refs)


def _find_by_watermark(image: UsedImage, catalog: Catalog, families: FamilyOptions) -> Release | None:
    """Return the release that a watermark was attached to, the newest of several.

    A watermark stays on copies and on images that are made from instances. Without its image, which is
    deregistered, only the watermark of the family tells that it is of the family.
    """
    sources = _list_marks(image)
    for _mark, ref in sources:
        if ref in catalog.release_of:
            return catalog.release_of[ref]
    for mark, ref in sources:
        if mark.key == families.watermark and families.includes(mark.key):
            return Release(mark.key, ref, image.name, mark.source_created, withdrawn=DEREGISTERED)
    return None


def _find_by_name(image: UsedImage, catalog: Catalog, families: FamilyOptions) -> Release | None:
    """Return the release that an image of the owner was, which is deregistered, by its name."""
    if image.owner_id != catalog.account_id or image.ref in catalog.own:
        return None
    family = find_family_of_name(families.by, image.name)
    if family is None or not families.includes(family):
        return None
    return Release(family, image.ref, image.name, image.created, withdrawn=DEREGISTERED)
