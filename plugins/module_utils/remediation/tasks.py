# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The removals as options of ``ami_share`` and ``ami_kms_grant``, in as few tasks as possible.

A task takes one image, or one key, of each region. It is refused as a whole if one of them cannot be read, so
a task for several regions also has the same options ``per_region``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Any, TypeVar

from ..model import PUBLIC, Sharing
from .plan import Removal
from .state import Audited, Place, sharing_of

Same = TypeVar("Same", bound=Hashable)
Options = dict[str, Any]


def unshare_tasks(removals: Iterable[Removal], audited: Audited) -> list[Options]:
    """Options for ``ami_share``: images with their snapshots, then other snapshots."""
    leaving = {place: sharing_of(names) for place, names in _leaving(removals).items()}
    volumes = {place: sharing for place, sharing in leaving.items() if place.kind == "snapshot"}
    of_image: dict[Place, tuple[Sharing, bool]] = {}
    for place, sharing in leaving.items():
        if place.kind == "image":
            snapshots = audited.images[place].snapshots
            named = sharing.accounts_only()
            # Only if all of them lose every snapshot, too: some may need one for another image.
            together = bool(named) and all(not named - volumes.get(one, Sharing()) for one in snapshots)
            of_image[place] = sharing, together
            volumes |= {one: volumes[one] - named for one in snapshots if together}
    # Unshared through the first image that uses it: ami_share takes snapshots by image.
    of_snapshots: dict[tuple[Place, Sharing], list[str]] = {}
    unused: dict[tuple[Place, Sharing], list[str]] = {}
    for place, sharing in volumes.items():
        if sharing and place not in audited.users:
            unused.setdefault((Place(place.region, ""), sharing), []).append(place.resource)
        elif sharing:
            of_snapshots.setdefault((audited.users[place][0], sharing), []).append(place.resource)
    return [
        *(_task(places, partial(_of_images, *same)) for places, same in _grouped(of_image.items())),
        *(
            _task(places, partial(_of_snapshots, sharing, of_snapshots))
            for places, sharing in _grouped(of_snapshots)
        ),
        *(_task(places, partial(_of_unused, sharing, unused)) for places, sharing in _grouped(unused)),
    ]


def revoke_tasks(removals: Iterable[Removal], audited: Audited) -> list[Options]:
    """Options for ``ami_kms_grant``, with the images under the keys that are unshared in the same run."""
    leaving = _leaving(removals)
    unshared = frozenset(leaving)
    keys = {place: frozenset(names) for place, names in leaving.items() if place.kind == "key"}
    images = {key: _unshared_under(key, unshared, audited) for key in keys}
    return [_task(places, partial(_of_keys, names, images)) for places, names in _grouped(keys.items())]


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


def _task(places: list[Place], options: Callable[[list[Place]], Options]) -> Options:
    parts = [{**options([one]), "per_region": []} for one in places]
    return {**options(places), "per_region": parts if len(parts) > 1 else []}


def _of_images(sharing: Sharing, share_snapshots: bool, places: list[Place]) -> Options:
    return {
        "images": dict(places),
        "account_ids": sorted(sharing.account_ids),
        "org_arns": sorted(sharing.org_arns),
        "org_unit_arns": sorted(sharing.org_unit_arns),
        "group": PUBLIC if sharing.public else None,
        "share_snapshots": share_snapshots,
        "snapshot_ids": [],
        "snapshots": {},
    }


def _of_snapshots(
    sharing: Sharing, ids: dict[tuple[Place, Sharing], list[str]], places: list[Place]
) -> Options:
    snapshot_ids = [one for place in places for one in ids[place, sharing]]
    return {**_of_images(sharing, True, places), "snapshot_ids": snapshot_ids}


def _of_unused(sharing: Sharing, ids: dict[tuple[Place, Sharing], list[str]], places: list[Place]) -> Options:
    return {**_of_images(sharing, True, []), "snapshots": {one.region: ids[one, sharing] for one in places}}


def _of_keys(names: frozenset[str], images: dict[Place, list[str]], places: list[Place]) -> Options:
    return {
        "kms_key_ids": dict(places),
        "account_ids": sorted(one for one in names if one.isdigit()),
        "principals": sorted(one for one in names if one.startswith("arn:")),
        "org_ids": sorted(one for one in names if one.startswith("o-")),
        "org_unit_ids": sorted(one for one in names if one.startswith("ou-")),
        "unshared_image_ids": [image_id for place in places for image_id in images[place]],
    }
