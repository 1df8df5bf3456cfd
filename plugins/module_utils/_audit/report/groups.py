# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups of an audit's findings that have something in common, each with a sentence that sums it up."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from ..._listing import count
from ..._model import PUBLIC
from ..._reports.document import Group, Item
from ..._reports.groups import group_items
from ..._reports.naming import parse_family
from ..causes import MEANINGS, SAME_IMAGES, cause_of, urgency
from .commands import CHECK_NOTE

Names: TypeAlias = "Mapping[tuple[str | None, str | None], str]"
"""Names of images, by region and image ID."""

Resource: TypeAlias = "tuple[str | None, str | None]"
"""A region, and an image in it, or a snapshot that no image uses."""


def group_findings(
    items: Iterable[Item],
    images: Iterable[Mapping[str, Any]],
    command: Callable[[Sequence[Item]], str] = lambda _items: "",
    command_note: Callable[[Sequence[Item]], str] = lambda _items: CHECK_NOTE,
) -> tuple[Group, ...]:
    """Return the groups of findings that have something in common.

    ``images`` are those of the report, ``command`` that of a group, and
    ``command_note`` about it.

    Principals that are not allowed are one group if they can use the same images: an image that is shared
    with hundreds of them was shared once. ``group_by_cause`` joins groups that are small and many.
    """
    listed = tuple(items)
    names = {(image["region"], image["image_id"]): str(image["name"] or "") for image in images}
    usable = same_resources((_holder(item), _resource(item)) for item in listed if item.code in SAME_IMAGES)

    def common_feature(item: Item) -> Hashable:
        if item.code in SAME_IMAGES:
            return usable[_holder(item)]
        return (
            parse_family(names.get((item.region, item.image_id), "")) if cause_of(item.code).title else None
        )

    def title(alike: Sequence[Item]) -> str:
        return _title(alike, names)

    return group_items(
        listed,
        MEANINGS,
        common_feature,
        title,
        names,
        urgency,
        command=command,
        command_note=command_note,
    )


def same_resources(used: Iterable[tuple[Hashable, Resource]]) -> dict[Hashable, frozenset[Resource]]:
    """Return what each holder can use, from pairs of a holder and a resource.

    Equal sets are one object: thousands of findings are grouped by them, and comparing each set with another
    would take minutes.
    """
    resources: dict[Hashable, set[Resource]] = {}
    for holder, resource in used:
        resources.setdefault(holder, set()).add(resource)
    known: dict[frozenset[Resource], frozenset[Resource]] = {}
    by_holder: dict[Hashable, frozenset[Resource]] = {}
    for holder, used_by_holder in resources.items():
        same = frozenset(used_by_holder)
        by_holder[holder] = known.setdefault(same, same)
    return by_holder


def _holder(item: Item) -> Hashable:
    """Return the principal of a finding, once for each group that the finding can be in."""
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
    sentence = text.format(who=who, resources=listed, can=can, **verbs)
    return sentence if len(resources) == 1 else _plural(sentence)


def _text(item: Item) -> str:
    """Return the sentence for findings of this kind; empty if there is none."""
    cause = cause_of(item.code)
    if not item.image_id:
        return cause.title_of_unused
    return cause.title if item.resource == item.image_id else cause.title_of_snapshots or cause.title


def _noun(code: str, principals: Iterable[str | None]) -> str:
    accounts = all(str(principal).isdigit() for principal in principals)
    return cause_of(code).noun or ("account" if accounts else "principal")


def _images(resources: set[Resource], names: Names) -> str:
    """Return the images in words: ``32 golden-data images in 8 regions``, or the name of the only one."""
    if len(resources) == 1:
        (resource,) = resources
        return f"{names.get(resource) or resource[1]} {_where(resources)}"
    families = {parse_family(names.get(resource, "")) for resource in resources}
    if len(families) == 1:
        return f"{len(resources):,} {next(iter(families))} images {_where(resources)}".replace("  ", " ")
    return f"{count(len(resources), 'image')} of {len(families)} families {_where(resources)}"


def _snapshots(resources: set[Resource]) -> str:
    """Return snapshots that no image uses, in words."""
    if len(resources) == 1:
        ((_region, snapshot_id),) = resources
        return f"{snapshot_id} {_where(resources)}, which no image uses"
    return f"{len(resources):,} snapshots {_where(resources)} that no image uses"


def _where(resources: set[Resource]) -> str:
    regions = {region for region, _resource in resources}
    return f"in {count(len(regions), 'region')}" if len(regions) > 1 else f"in {next(iter(regions))}"


def _plural(text: str) -> str:
    """Return the sentence about several images."""
    for singular, plural in ((" it or its ", " them or their "), (" its ", " their "), (" it.", " them.")):
        text = text.replace(singular, plural)
    return text
