# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings of an audit, grouped by cause: each group with a sentence that sums it up."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from ...listing import count
from ...model import PUBLIC
from ...reports.document import Group, Item
from ...reports.groups import grouped
from ...reports.naming import family_of
from ..findings import BY_PRINCIPAL, MEANINGS, Resource, same_resources, urgency

Names: TypeAlias = "Mapping[tuple[str | None, str | None], str]"
"""The names of images, by region and image ID."""

# In the sentences, {who} are the principals and {resources} the images.
_OF_IMAGES = {
    "default_key": "{resources}: no other account can use the AWS managed key.",
    "key_not_enabled": "{resources}: shared, but the key is not enabled.",
    "key_of_other_account": "{resources}: shared under a key of another account.",
    "missing_key_access": "{who} {lacks} the key of {resources}.",
    "public": "{resources}: public, so every AWS account can launch it.",
    "shared_but_disabled": "{resources}: disabled, but other accounts can still use it or its snapshots.",
    "snapshot_public": "{resources}: every AWS account can read its snapshots.",
    "snapshot_public_blocked": "{resources}: only block public access hides its public snapshots.",
    "snapshot_wider_than_image": "{who} can read the snapshots of {resources}, but may not launch it.",
    "unknown_account": "{who} {is} not allowed, but {can} use {resources}.",
    "unknown_organization": "{who} {is} not allowed, but {can} use {resources}.",
    "unknown_organizational_unit": "{who} {is} not allowed, but {can} use {resources}.",
}
# For snapshots of these images, where the sentence differs.
_OF_THEIR_SNAPSHOTS = {
    "unknown_account": "{who} {is} not allowed, but {can} read the snapshots of {resources}.",
}
# For snapshots that no image uses.
_OF_UNUSED_SNAPSHOTS = {
    "snapshot_public": "{resources}: public, so every AWS account can read it.",
    "snapshot_public_blocked": "{resources}: public, and only block public access hides it.",
    "unknown_account": "{who} {is} not allowed, but {can} read {resources}.",
}
_NOUNS = {
    "unknown_organization": "organization",
    "unknown_organizational_unit": "organizational unit",
}


def causes(items: Iterable[Item], images: Iterable[Mapping[str, Any]]) -> tuple[Group, ...]:
    """The findings by cause. ``images`` are those of the report.

    Principals that are not allowed are one cause if they can use the same images: an image that is shared
    with hundreds of them was shared once. ``by_cause`` joins causes that are small and many.
    """
    listed = tuple(items)
    names = {(image["region"], image["image_id"]): str(image["name"] or "") for image in images}
    usable = same_resources((_holder(item), _resource(item)) for item in listed if item.code in BY_PRINCIPAL)

    def cause(item: Item) -> Hashable:
        if item.code in BY_PRINCIPAL:
            return usable[_holder(item)]
        return family_of(names.get((item.region, item.image_id), "")) if item.code in _OF_IMAGES else None

    def title(alike: Sequence[Item]) -> str:
        return _title(alike, names)

    return grouped(listed, MEANINGS, cause, title, names, urgency)


def _holder(item: Item) -> Hashable:
    """The principal of a finding, once for each group that the finding can be in."""
    return item.code, item.remedy, item.principal


def _resource(item: Item) -> Resource:
    return item.region, item.image_id or item.resource


def _title(items: Sequence[Item], names: Names) -> str:
    first = items[0]
    text = _text(first)
    if not text:
        return ""
    principals = sorted({item.principal for item in items if item.principal not in (None, PUBLIC)})
    resources = {_resource(item) for item in items}
    some = "some of " if len(items) < len(principals) * len(resources) else ""
    singular = len(principals) == 1
    who = str(principals[0]) if singular else count(len(principals), _noun(first.code, principals))
    listed = some + (_images(resources, names) if first.image_id else _snapshots(resources))
    verbs = {"lacks": "lacks", "is": "is"} if singular else {"lacks": "lack", "is": "are"}
    can = "each can" if some and not singular else "can"
    found = text.format(who=who, resources=listed, can=can, **verbs)
    return found if len(resources) == 1 else _plural(found)


def _text(item: Item) -> str:
    """The sentence for findings like this one, empty if there is none."""
    if not item.image_id:
        return _OF_UNUSED_SNAPSHOTS.get(item.code, "")
    text = _OF_IMAGES.get(item.code, "")
    return text if item.resource == item.image_id else _OF_THEIR_SNAPSHOTS.get(item.code, text)


def _noun(code: str, principals: Iterable[str | None]) -> str:
    accounts = all(str(one).isdigit() for one in principals)
    return _NOUNS.get(code, "account" if accounts else "principal")


def _images(resources: set[Resource], names: Names) -> str:
    """The images in words: ``32 golden-data images in 8 regions``, or the name of the only one."""
    if len(resources) == 1:
        (resource,) = resources
        return f"{names.get(resource) or resource[1]} {_where(resources)}"
    families = {family_of(names.get(resource, "")) for resource in resources}
    if len(families) == 1:
        return f"{len(resources):,} {next(iter(families))} images {_where(resources)}".replace("  ", " ")
    return f"{count(len(resources), 'image')} of {len(families)} families {_where(resources)}"


def _snapshots(resources: set[Resource]) -> str:
    """Snapshots that no image uses, in words."""
    if len(resources) == 1:
        ((_region, snapshot_id),) = resources
        return f"{snapshot_id} {_where(resources)}, which no image uses"
    return f"{len(resources):,} snapshots {_where(resources)} that no image uses"


def _where(resources: set[Resource]) -> str:
    regions = {region for region, _resource in resources}
    return f"in {count(len(regions), 'region')}" if len(regions) > 1 else f"in {next(iter(regions))}"


def _plural(text: str) -> str:
    """The sentence about several images."""
    for singular, plural in ((" it or its ", " them or their "), (" its ", " their "), (" it.", " them.")):
        text = text.replace(singular, plural)
    return text
