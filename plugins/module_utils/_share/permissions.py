# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Permissions in results: consumers that have images or snapshots in common are listed together, once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from .._grouping import group_in_common
from .._model import Sharing

Resource = TypeVar("Resource", bound=Hashable)
CONSUMERS = ("account_ids", "org_arns", "org_unit_arns")
"""The keys of a group that have consumers."""


def describe_permissions(states: Mapping[str, Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the permissions of the images and snapshots in these states by region, as a plan has them."""
    launch = {region: Sharing.read(state["launch_permissions"]) for region, state in states.items()}
    volumes = {
        (region, snapshot_id): Sharing.read(permissions)
        for region, state in states.items()
        for snapshot_id, permissions in state["volume_permissions"].items()
    }
    return {
        "launch_permissions": [
            {**sharing.to_dict(), "regions": list(regions)} for sharing, regions in _group(launch)
        ],
        "volume_permissions": [
            {
                "account_ids": sorted(sharing.account_ids),
                "public": sharing.public,
                "snapshots": _by_region(snapshots),
            }
            for sharing, snapshots in _group(volumes)
        ],
    }


def permissions_in(region: str, groups: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the launch permissions of the image in a region, from ``launch_permissions`` of a result."""
    here = [group for group in groups if region in group["regions"]]
    return {
        **{kind: sorted({name for group in here for name in group.get(kind, ())}) for kind in CONSUMERS},
        "public": any(group.get("public") for group in here),
    }


def _group(sharings: Mapping[Resource, Sharing]) -> Iterator[tuple[Sharing, tuple[Resource, ...]]]:
    """Yield the consumers that have the same resources in common, with these resources."""
    groups = group_in_common(
        (consumer, None, resource)
        for resource, sharing in sharings.items()
        for entry in sharing.to_entries()
        for consumer in entry.items()
    )
    for consumers, _detail, resources in groups:
        yield Sharing.of_entries([{kind: name} for kind, name in consumers]), resources


def _by_region(snapshots: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    by_region: dict[str, list[str]] = {}
    for region, snapshot_id in snapshots:
        by_region.setdefault(region, []).append(snapshot_id)
    return by_region
