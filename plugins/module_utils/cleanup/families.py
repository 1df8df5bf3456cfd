# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images belong together, and which of a family are its latest."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ..model import ImageRef
from ..tags import MARK_PREFIX, MAX_VALUE
from .stages import parse, stamp
from .state import OwnImage

# What an image has from one that is deregistered: its family, and when the first of its sources was made.
FAMILY_MARK = MARK_PREFIX + "origin-family"
ORIGIN_CREATED_MARK = MARK_PREFIX + "origin-created"

Images = Mapping[ImageRef, OwnImage]


@dataclass(frozen=True)
class FamilyBy:
    """What makes images a family; the first that says something of an image decides.

    ``tag`` is a key whose value names the family. ``name_pattern`` must match a whole name; its first group
    names the family, or the pattern itself if it has none. By ``source`` images are a family that come from
    the same image, as copies of it or made of instances of it.
    """

    tag: str | None = None
    name_pattern: re.Pattern[str] | None = None
    source: bool = False


def families(images: Images, by: FamilyBy) -> dict[ImageRef, str]:
    """The family of each image that has one. A copy that has none of its own follows its source."""
    found = {}
    for ref in images:
        family = _family(images, ref, by)
        if family is not None:
            # As much of it as a tag can keep.
            found[ref] = family[:MAX_VALUE]
    return found


def bequeathed(
    images: Images, of: Mapping[ImageRef, str], by: FamilyBy, going: Collection[ImageRef]
) -> dict[ImageRef, dict[str, str]]:
    """Images that stay, and as tags what would be lost about them with those that are ``going``."""
    found = {}
    for ref, family in of.items():
        tags = {}
        if _own_family(images[ref], by) is None and _any_going(_origins(images, ref, by), going):
            tags[FAMILY_MARK] = family
        date = born(images, ref)
        if date is not None and _any_going(_sources(images, ref), going):
            tags[ORIGIN_CREATED_MARK] = stamp(date)
        if tags and ref not in going:
            found[ref] = tags
    return found


def untold(
    images: Images,
    of: Mapping[ImageRef, str],
    by: FamilyBy,
    going: Collection[ImageRef],
    told: Collection[tuple[ImageRef, str, str]],
) -> dict[ImageRef, ImageRef]:
    """Images that are ``going``, each with one that would lose by it what its tags do not tell yet.

    ``told`` are tags that were written since the images were read: image, key and value.
    """
    found: dict[ImageRef, ImageRef] = {}
    for ref, tags in bequeathed(images, of, by, going).items():
        has = images[ref].image.tags
        if any(has.get(key) != value and (ref, key, value) not in told for key, value in tags.items()):
            line = (*_origins(images, ref, by), *_sources(images, ref))
            found.update((one, ref) for one in line if one in going)
    return found


def _any_going(line: Collection[ImageRef], going: Collection[ImageRef]) -> bool:
    return any(one in going for one in line)


def born(images: Images, ref: ImageRef) -> datetime | None:
    """When the image was made that this one is a copy of; None if that is gone and nothing tells."""
    *_nearer, first = (one for one in _sources(images, ref) if one in images)
    own = images[first]
    gone = own.source is not None and own.source not in images
    return parse(own.image.tags.get(ORIGIN_CREATED_MARK, "")) if gone else own.created


def latest(images: Images, of: Mapping[ImageRef, str], count: int) -> frozenset[ImageRef]:
    """The ``count`` latest images of each family in each region.

    Images that can be launched come before others. Latest is what was made last; but a copy made late of an
    old image is not newer than one made early of a new image. So the latest by the date of the image and the
    latest by the date of its source are both kept; a copy of whose source nothing is known comes last there.
    """
    groups: dict[tuple[str, str], list[ImageRef]] = defaultdict(list)
    for ref, family in of.items():
        groups[ref.region, family].append(ref)
    kept: set[ImageRef] = set()
    for members in groups.values():
        for rank in (_made, _born):
            kept.update(sorted(members, key=partial(rank, images), reverse=True)[:count])
    return frozenset(kept)


def _made(images: Images, ref: ImageRef) -> tuple[bool, bool, datetime, ImageRef]:
    return _launchable(images[ref]), True, images[ref].created, ref


def _born(images: Images, ref: ImageRef) -> tuple[bool, bool, datetime, ImageRef]:
    date = born(images, ref)
    return _launchable(images[ref]), date is not None, date or images[ref].created, ref


def _launchable(own: OwnImage) -> bool:
    return own.image.state == "available"


def _family(images: Images, ref: ImageRef, by: FamilyBy) -> str | None:
    origins = _origins(images, ref, by)
    for one in origins:
        family = _own_family(images[one], by) if one in images else None
        if family is not None:
            return family
    return str(origins[-1]) if by.source else None


def _sources(images: Images, ref: ImageRef) -> list[ImageRef]:
    """The image, what it is a copy of, what that is a copy of…"""
    return _line(images, ref, lambda own: own.source)


def _origins(images: Images, ref: ImageRef, by: FamilyBy) -> list[ImageRef]:
    """The image and those that it has its family from: its sources, or all that it is made from."""
    return _line(images, ref, lambda own: own.source or own.base if by.source else own.source)


def _own_family(own: OwnImage, by: FamilyBy) -> str | None:
    if by.tag is not None and own.image.tags.get(by.tag):
        return own.image.tags[by.tag]
    match = by.name_pattern.fullmatch(own.image.name) if by.name_pattern else None
    if match and by.name_pattern:
        return match[1] if match.re.groups and match[1] else by.name_pattern.pattern
    return own.image.tags.get(FAMILY_MARK)


def _line(images: Images, ref: ImageRef, origin: Callable[[OwnImage], ImageRef | None]) -> list[ImageRef]:
    """The image, what it comes from, what that comes from…; the last one may be unknown."""
    line = [ref]
    while line[-1] in images:
        earlier = origin(images[line[-1]])
        if earlier is None or earlier in line:
            break
        line.append(earlier)
    return line
