# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The removals as options of ``ami_share`` and ``ami_kms_grant``, in as few tasks as possible.

A task takes one image, or one key, of each region. It is refused as a whole if one of them cannot be read, so
a task for several regions also has the same options ``per_region``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, TypeVar

from ..model import PUBLIC, Sharing
from .plan import Removal
from .state import Audited, Place, sharing_of

Same = TypeVar("Same", bound=Hashable)
Options = dict[str, Any]


def unshare_tasks(removals: Iterable[Removal], audited: Audited) -> list[Options]:
    """Options for ``ami_share``: images with their snapshots, then other snapshots."""
    leaving = {place: sharing_of(names) for place, names in _leaving(removals).items()}
    snapshots = {place: sharing for place, sharing in leaving.items() if place.kind == "snapshot"}
    images: dict[Place, tuple[Sharing, bool]] = {}
    for place, sharing in leaving.items():
        if place.kind == "image":
            own, accounts = audited.images[place].snapshots, sharing.accounts_only()
            # Only if all of them lose every snapshot, too: some may need one for another image.
            with_snapshots = bool(accounts) and all(
                not accounts - snapshots.get(one, Sharing()) for one in own
            )
            if with_snapshots:
                # Done with this image: neither by a task of their own nor with a later image.
                snapshots |= {one: snapshots[one] - accounts for one in own}
            images[place] = sharing, with_snapshots
    by_image: dict[tuple[Place, Sharing], list[str]] = {}
    without_image: dict[tuple[Place, Sharing], list[str]] = {}
    for place, sharing in snapshots.items():
        if sharing and place in audited.users:
            # Through the first image that uses it: ami_share takes snapshots by image.
            by_image.setdefault((audited.users[place][0], sharing), []).append(place.resource)
        elif sharing:
            without_image.setdefault((Place(place.region, ""), sharing), []).append(place.resource)

    def of_snapshots(sharing: Sharing, places: list[Place]) -> Options:
        snapshot_ids = [one for place in places for one in by_image[place, sharing]]
        return {**_of_images((sharing, True), places), "snapshot_ids": snapshot_ids}

    def of_unused(sharing: Sharing, places: list[Place]) -> Options:
        ids = {place.region: without_image[place, sharing] for place in places}
        return {**_of_images((sharing, True), []), "snapshots": ids}

    return [
        *_tasks(images.items(), _of_images),
        *_tasks(by_image, of_snapshots),
        *_tasks(without_image, of_unused),
    ]


def revoke_tasks(removals: Iterable[Removal], audited: Audited) -> list[Options]:
    """Options for ``ami_kms_grant``, with the images under the keys that are unshared in the same run."""
    leaving = _leaving(removals)
    unshared = frozenset(leaving)
    keys = {place: frozenset(names) for place, names in leaving.items() if place.kind == "key"}

    def of_keys(names: frozenset[str], places: list[Place]) -> Options:
        image_ids = [one for key in places for one in _unshared_under(key, unshared, audited)]
        return {**_of_keys(names, places), "unshared_image_ids": image_ids}

    return list(_tasks(keys.items(), of_keys))


def _unshared_under(key: Place, unshared: frozenset[Place], audited: Audited) -> list[str]:
    """The images under a key that are unshared, or of which a snapshot is."""
    return [
        place.resource
        for place in audited.users.get(key, ())
        if unshared & {place, *audited.images[place].snapshots}
    ]


def _leaving(removals: Iterable[Removal]) -> dict[Place, list[str]]:
    leaving: dict[Place, list[str]] = {}
    for item in removals:
        leaving.setdefault(item.place, []).append(item.principal)
    return leaving


def _grouped(entries: Iterable[tuple[Place, Same]]) -> list[tuple[list[Place], Same]]:
    """Groups of places with the same options, with at most one place of each region."""
    groups: dict[tuple[int, Same], list[Place]] = {}
    number: Counter[tuple[str, Same]] = Counter()
    for place, same in entries:
        groups.setdefault((number[place.region, same], same), []).append(place)
        number[place.region, same] += 1
    return [(places, same) for (_number, same), places in groups.items()]


def _tasks(
    entries: Iterable[tuple[Place, Same]], options: Callable[[Same, list[Place]], Options]
) -> Iterator[Options]:
    """The options of as few tasks as possible, with those for each region if a task is for several."""
    for places, same in _grouped(entries):
        parts = [{**options(same, [one]), "per_region": []} for one in places]
        yield {**options(same, places), "per_region": parts if len(parts) > 1 else []}


def _of_images(same: tuple[Sharing, bool], places: list[Place]) -> Options:
    sharing, with_snapshots = same
    return {
        "images": dict(places),
        "account_ids": sorted(sharing.account_ids),
        "org_arns": sorted(sharing.org_arns),
        "org_unit_arns": sorted(sharing.org_unit_arns),
        "group": PUBLIC if sharing.public else None,
        "share_snapshots": with_snapshots,
        "snapshot_ids": [],
        "snapshots": {},
    }


def _of_keys(names: frozenset[str], places: list[Place]) -> Options:
    return {
        "kms_key_ids": dict(places),
        "account_ids": sorted(one for one in names if one.isdigit()),
        "principals": sorted(one for one in names if one.startswith("arn:")),
        "org_ids": sorted(one for one in names if one.startswith("o-")),
        "org_unit_ids": sorted(one for one in names if one.startswith("ou-")),
    }
