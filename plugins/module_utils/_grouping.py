# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Group names in results by what they have in common, so that each is listed once.

A thousand accounts have the permissions of each image in each region: listed for each, they would be a
megabyte, and AWX drops larger events.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)
Detail = TypeVar("Detail", bound=Hashable)
Place = TypeVar("Place", bound=Hashable)


def group_in_common(
    items: Iterable[tuple[Name, Detail, Place]],
) -> list[tuple[list[Name], Detail, tuple[Place, ...]]]:
    """Return the names together that have a detail in the same places in common, in their order."""
    places: dict[tuple[Name, Detail], list[Place]] = {}
    for name, detail, place in items:
        places.setdefault((name, detail), []).append(place)
    names: dict[tuple[Detail, tuple[Place, ...]], list[Name]] = {}
    for (name, detail), found in places.items():
        names.setdefault((detail, tuple(found)), []).append(name)
    return [(named, detail, found) for (detail, found), named in names.items()]
