# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings of an audit, grouped by cause: each group with a sentence that sums it up."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from ...model import PUBLIC
from ...reports.document import Group, Item
from ...reports.groups import grouped
from ...reports.naming import count, family_of
from ..findings import MEANINGS

Names: TypeAlias = "Mapping[tuple[str | None, str | None], str]"
"""The names of images, by region and image ID."""

# In the sentences, {who} are the principals and {images} the images.
_OF_IMAGES = {
    "default_key": "{images}: no other account can use the AWS managed key.",
    "key_not_enabled": "{images}: shared, but the key is not enabled.",
    "key_of_other_account": "{images}: shared under a key of another account.",
    "missing_key_access": "{who} {lacks} the key of {images}.",
    "public": "{images}: public, so every AWS account can launch it.",
    "shared_but_disabled": "{images}: disabled, but other accounts can still use it or its snapshots.",
    "snapshot_public": "{images}: every AWS account can read its snapshots.",
    "snapshot_public_blocked": "{images}: only block public access hides its public snapshots.",
    "snapshot_wider_than_image": "{who} can read the snapshots of {images}, but may not launch it.",
    "unknown_account": "{who} is not allowed, but can use {images}.",
    "unknown_organization": "{who} is not allowed, but can use {images}.",
    "unknown_organizational_unit": "{who} is not allowed, but can use {images}.",
}
_BY_PRINCIPAL = frozenset({"unknown_account", "unknown_organization", "unknown_organizational_unit"})


def causes(items: Iterable[Item], images: Iterable[Mapping[str, Any]]) -> tuple[Group, ...]:
    """The findings by cause. ``images`` are those of the report."""
    names = {(image["region"], image["image_id"]): str(image["name"] or "") for image in images}

    def cause(item: Item) -> Hashable:
        if item.code in _BY_PRINCIPAL:
            return item.principal
        return family_of(names.get((item.region, item.image_id), "")) if item.code in _OF_IMAGES else None

    def title(alike: Sequence[Item]) -> str:
        return _title(alike, names)

    return grouped(items, MEANINGS, cause, title, names)


def _title(items: Sequence[Item], names: Names) -> str:
    text = _OF_IMAGES.get(items[0].code)
    if text is None:
        return ""
    principals = sorted({item.principal for item in items if item.principal not in (None, PUBLIC)})
    images = {(item.region, item.image_id) for item in items}
    some = "some of " if len(items) < len(principals) * len(images) else ""
    singular = len(principals) == 1
    who = str(principals[0]) if singular else count(len(principals), "account")
    if not all(str(one).isdigit() for one in principals) and not singular:
        who = count(len(principals), "principal")
    found = text.format(who=who, lacks="lacks" if singular else "lack", images=some + _images(images, names))
    return found if len(images) == 1 else _plural(found)


def _images(places: set[tuple[str | None, str | None]], names: Names) -> str:
    """The images in words: ``32 golden-data images in 8 regions``, or the name of the only one."""
    regions = {region for region, _image_id in places}
    where = f"in {count(len(regions), 'region')}" if len(regions) > 1 else f"in {next(iter(regions))}"
    if len(places) == 1:
        (place,) = places
        return f"{names.get(place) or place[1]} {where}"
    families = {family_of(names.get(place, "")) for place in places}
    if len(families) == 1:
        return f"{len(places):,} {next(iter(families))} images {where}".replace("  ", " ")
    return f"{count(len(places), 'image')} of {len(families)} families {where}"


def _plural(text: str) -> str:
    """The sentence about several images."""
    for singular, plural in ((" it or its ", " them or their "), (" its ", " their "), (" it.", " them.")):
        text = text.replace(singular, plural)
    return text
