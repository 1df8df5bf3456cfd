# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image families, the latest images of each, and what images inherit from deregistered ones."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from .._model import ImageRef
from .._tags import MAX_KEY, OWN_TAG_PREFIX
from .managed import is_managed
from .stages import parse_time, render_time
from .state import OwnImage

# Tags of images whose origin was deregistered. One of the first three is written. It keeps what gave the
# origin its family: the value of a tag, whose key follows the colon, a name, or the image at the end of the
# chain. Each run applies its own options to it: the name of a family alone would put the image into the
# families of policies that never selected its origin. The last is the creation date of the first image of the
# chain of copies.
ORIGIN_TAG_PREFIX = OWN_TAG_PREFIX + "origin-tag:"
ORIGIN_NAME_TAG = OWN_TAG_PREFIX + "origin-name"
ORIGIN_IMAGE_TAG = OWN_TAG_PREFIX + "origin-image"
ORIGIN_CREATED_TAG = OWN_TAG_PREFIX + "origin-created"

# The longest key of a tag whose value is a family.
LONGEST_KEY = MAX_KEY - len(ORIGIN_TAG_PREFIX)

Images = Mapping[ImageRef, OwnImage]

_Rank = tuple[bool, bool, bool, datetime, ImageRef]
_UNDATED = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class FamilyBy:
    """The options that form families; the first of them that gives an image a family decides.

    ``tag`` is the key of a tag whose value is the family. ``name_pattern`` must match an image's whole name;
    its first group is the family, or the pattern itself if it has no group. With ``source``, images that come
    from the same image are a family: copies of it, and images created from instances of it.
    """

    tag: str | None = None
    name_pattern: re.Pattern[str] | None = None
    source: bool = False


class _Family(NamedTuple):
    """A family, with the tag that keeps it for an image whose origin is deregistered."""

    name: str
    key: str
    value: str


def find_families(images: Images, by: FamilyBy, managed: Collection[ImageRef]) -> dict[ImageRef, str]:
    """Return the family of each image that has one; a copy has that of its source if it has no own.

    Images that another AWS service manages, such as those of ``managed``, have none: they are neither retired
    nor the latest of a family.
    """
    family_of = {}
    for ref, own in images.items():
        family = None if ref in managed or is_managed(own) else _find_family(images, ref, by)
        if family is not None:
            family_of[ref] = family.name
    return family_of


def find_family_of_name(by: FamilyBy, name: str) -> str | None:
    """Return the family of an image of which only the name is known, such as a deregistered one."""
    family = _match_family(by, None, name)
    return None if family is None else family.name


def warn_of_unmatched_options(images: Images, by: FamilyBy) -> Iterator[str]:
    """Yield a warning for each option that gives no image a family: it may be mistyped."""
    pairs = [pair for own in images.values() for pair in _list_tags_and_names(own, by)]
    if by.tag is not None and not any(value for value, _name in pairs):
        yield f"family_tag: no image in these regions has the tag {by.tag}."
    pattern = by.name_pattern
    names = (name for _value, name in pairs if name is not None)
    if pattern is not None and not any(pattern.fullmatch(name) for name in names):
        yield (
            f"family_name_pattern: '{pattern.pattern}' matches no image in these regions. It is a regular "
            "expression, and must match the whole name."
        )


def list_inherited_tags(
    images: Images, family_of: Mapping[ImageRef, str], by: FamilyBy, deregistering: Collection[ImageRef]
) -> dict[ImageRef, dict[str, str]]:
    """Return the tags for images that stay, which keep what only deregistered origins show today.

    An example, with families by tag::

        ami-1 (tag family=web, created in May) <- ami-2 (a copy of it) <- ami-3 (a copy of ami-2)

    All three belong to ``web``, and their origin was created in May, but only ami-1 shows that. If ami-1 is
    deregistered, ami-2 and ami-3 get both as tags. If only ami-2 is, ami-3 alone gets them: without ami-2
    nothing leads from it to ami-1.
    """
    tags_by_image = {}
    for ref in family_of:
        if ref in deregistering:
            continue
        tags: dict[str, str] = {}
        from_origin = _find_family(images, ref, by) if _find_own_family(images[ref], by) is None else None
        if from_origin is not None and _has_any(_follow_origins(images, ref, by), deregistering):
            tags[from_origin.key] = from_origin.value
        date = find_origin_date(images, ref)
        if date is not None and _has_any(_follow_copies(images, ref), deregistering):
            tags[ORIGIN_CREATED_TAG] = render_time(date)
        if tags:
            tags_by_image[ref] = tags
    return tags_by_image


def block_until_tagged(
    images: Images,
    family_of: Mapping[ImageRef, str],
    by: FamilyBy,
    deregistering: Collection[ImageRef],
    written: Collection[tuple[ImageRef, str, str]],
) -> dict[ImageRef, str]:
    """Return why images cannot be deregistered yet: a copy lacks tags that it inherits from them.

    ``written`` are tags that were written since the images were read: image, key and value. In the example of
    ``list_inherited_tags``, ami-1 is blocked until ami-2 and ami-3 have all of their tags. If ami-2 will be
    deregistered as well, the tags of ami-3 alone block both.
    """
    reasons: dict[ImageRef, str] = {}
    for ref, tags in list_inherited_tags(images, family_of, by, deregistering).items():
        present = images[ref].image.tags
        if all(present.get(key) == value or (ref, key, value) in written for key, value in tags.items()):
            continue
        reason = f"{ref} comes from it and still lacks the tags that it inherits from it."
        chain = (*_follow_origins(images, ref, by), *_follow_copies(images, ref))
        reasons.update((link, reason) for link in chain if link in deregistering)
    return reasons


def find_origin_date(images: Images, ref: ImageRef) -> datetime | None:
    """Return the creation date of the first image in the chain of copies.

    For an image that is not a copy, that is its own creation date. If a part of the chain has been
    deregistered, the date comes from the tag of the first image that is left. None without date or tag.
    """
    *_copies, first = (link for link in _follow_copies(images, ref) if link in images)
    own = images[first]
    source_is_gone = own.source is not None and own.source not in images
    return parse_time(own.image.tags.get(ORIGIN_CREATED_TAG, "")) if source_is_gone else own.created


def find_latest(images: Images, family_of: Mapping[ImageRef, str], count: int) -> frozenset[ImageRef]:
    """Return the ``count`` latest images of each family in each region, by either of two dates.

    Images that can be launched come before others. A copy made late of an old image is not newer than a copy
    made early of a new image. So the latest by the image's own date and the latest by the date of its origin
    are both kept. An image whose origin's date is not known comes last by the latter. An image without a
    creation date is kept anyway, so it comes last of all and takes the place of no other.
    """
    groups: dict[tuple[str, str], list[ImageRef]] = defaultdict(list)
    for ref, family in family_of.items():
        groups[ref.region, family].append(ref)
    latest_images: set[ImageRef] = set()
    for members in groups.values():
        for rank in (_rank_by_creation, _rank_by_origin):
            latest_images.update(sorted(members, key=partial(rank, images), reverse=True)[:count])
    return frozenset(latest_images)


def _rank_by_creation(images: Images, ref: ImageRef) -> _Rank:
    own = images[ref]
    return own.created is not None, _is_launchable(own), True, own.created or _UNDATED, ref


def _rank_by_origin(images: Images, ref: ImageRef) -> _Rank:
    own, date = images[ref], find_origin_date(images, ref)
    moment = date or own.created or _UNDATED
    return own.created is not None, _is_launchable(own), date is not None, moment, ref


def _is_launchable(own: OwnImage) -> bool:
    return own.image.state == "available"


def _has_any(chain: Iterable[ImageRef], refs: Collection[ImageRef]) -> bool:
    return any(link in refs for link in chain)


def _find_family(images: Images, ref: ImageRef, by: FamilyBy) -> _Family | None:
    """Return the family of the first image in the chain that has one, else that of its end by source."""
    chain = _follow_origins(images, ref, by)
    for link in chain:
        family = _find_own_family(images[link], by) if link in images else None
        if family is not None:
            return family
    return _find_source_family(images, chain) if by.source else None


def _find_own_family(own: OwnImage, by: FamilyBy) -> _Family | None:
    """Return the family by the image's own tag and name, or else by those that it inherited."""
    matches = (_match_family(by, value, name) for value, name in _list_tags_and_names(own, by))
    return next((family for family in matches if family is not None), None)


def _list_tags_and_names(own: OwnImage, by: FamilyBy) -> tuple[tuple[str | None, str | None], ...]:
    """Return the value of the tag ``by.tag`` and the name of the image, then the inherited ones.

    None stands for one that it does not have.
    """
    tags, key = own.image.tags, by.tag or ""
    return (tags.get(key), own.image.name), (tags.get(ORIGIN_TAG_PREFIX + key), tags.get(ORIGIN_NAME_TAG))


def _match_family(by: FamilyBy, value: str | None, name: str | None) -> _Family | None:
    """Return the family of an image with this value of the tag ``by.tag`` and this name."""
    if by.tag is not None and value:
        return _Family(value, ORIGIN_TAG_PREFIX + by.tag, value)
    if by.name_pattern is None or name is None:
        return None
    match = by.name_pattern.fullmatch(name)
    if match is None:
        return None
    family = match[1] if match.re.groups and match[1] else match.re.pattern
    return _Family(family, ORIGIN_NAME_TAG, name)


def _find_source_family(images: Images, chain: list[ImageRef]) -> _Family:
    """Return the family of the chain's end, or the inherited one if a part of the chain is deregistered."""
    end, last = chain[-1], [link for link in chain if link in images][-1]
    inherited = images[last].image.tags.get(ORIGIN_IMAGE_TAG) if end != last else None
    family = inherited or str(end)
    return _Family(family, ORIGIN_IMAGE_TAG, family)


def _follow_copies(images: Images, ref: ImageRef) -> list[ImageRef]:
    """Return the chain of copies: the image, its source, the source of that, and so on."""
    return _follow(images, ref, lambda own: own.source)


def _follow_origins(images: Images, ref: ImageRef, by: FamilyBy) -> list[ImageRef]:
    """Return the image and the images that it can get its family from.

    By source, these include the images of the instances that it was created from.
    """
    return _follow(images, ref, lambda own: own.source or own.base if by.source else own.source)


def _follow(images: Images, ref: ImageRef, origin: Callable[[OwnImage], ImageRef | None]) -> list[ImageRef]:
    """Return the image, its origin, the origin of that, and so on.

    The last one may not be among the images.
    """
    chain = [ref]
    while chain[-1] in images:
        earlier = origin(images[chain[-1]])
        if earlier is None or earlier in chain:
            break
        chain.append(earlier)
    return chain
