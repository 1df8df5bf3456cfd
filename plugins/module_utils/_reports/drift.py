# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The picture of the drift between regions: the newest version of each family in each region."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from .._listing import count
from .document import Cell, Grid, Mark
from .naming import natural_key, version_order

_LEGEND = {
    Mark.FULL: "Has all versions of the family.",
    Mark.PARTIAL: "Has the newest version, and lacks older ones.",
    Mark.BROKEN: "Behind: lacks versions that are newer than its own.",
    Mark.UNREADABLE: "Has no image of the family.",
}
_MOST_NAMED = 6


@dataclass(frozen=True)
class Version:
    """A version of a family in a region; ``created`` is the time of its image (ISO 8601), or empty."""

    family: str
    region: str
    version: str
    created: str


def compare_versions(versions: Iterable[Version]) -> Grid | None:
    """Return the picture of families by regions; None for fewer than two regions."""
    families: dict[str, dict[str, dict[str, Version]]] = {}
    for version in versions:
        if version.version:
            held = families.setdefault(version.family, {}).setdefault(version.region, {})
            earlier = held.get(version.version, version)
            held[version.version] = max(earlier, version, key=lambda other: other.created)
    regions = sorted({region for by_region in families.values() for region in by_region})
    # A family with one version everywhere has no drift; one in a single region was never distributed.
    if len(regions) < 2:
        return None
    rows = [(family, _cells(by_region, regions)) for family, by_region in families.items()]
    rows.sort(key=lambda row: (-sum(cell.mark is Mark.BROKEN for cell in row[1]), natural_key(row[0])))
    used = {cell.mark for _family, cells in rows for cell in cells}
    return Grid(
        title="Newest version of each family by region",
        columns=tuple(regions),
        rows=tuple((family, tuple(cells)) for family, cells in rows),
        legend={mark: meaning for mark, meaning in _LEGEND.items() if mark in used},
    )


def _cells(by_region: dict[str, dict[str, Version]], regions: Iterable[str]) -> list[Cell]:
    """Return the cells of a family."""
    regions_with = Counter(version for held in by_region.values() for version in held)
    everywhere = sorted(regions_with, key=version_order)
    # A version that most regions never had, such as that of a test, is not missing anywhere.
    usual = {version for version, number in regions_with.items() if 2 * number >= len(by_region)}
    return [_cell(by_region.get(region, {}), everywhere, usual) for region in regions]


def _cell(held: dict[str, Version], everywhere: list[str], usual: set[str]) -> Cell:
    if not held:
        return Cell("none", Mark.UNREADABLE, f"no image; the newest version elsewhere is {everywhere[-1]}.")
    newest = max(held, key=version_order)
    newer = [version for version in everywhere if version_order(version) > version_order(newest)]
    expected = {*usual, *newer}
    missing = [version for version in everywhere if version not in held and version in expected]
    title = f"{newest}, of {count(len(everywhere), 'version')}."
    if missing:
        more = " \u2026" if len(missing) > _MOST_NAMED else ""
        title += f" {len(missing)} missing: {', '.join(missing[::-1][:_MOST_NAMED])}{more}."
    detail = f"{len(newer)} behind" if newer else f"{len(missing)} missing" if missing else ""
    mark = Mark.BROKEN if newer else Mark.PARTIAL if missing else Mark.FULL
    return Cell(newest, mark, title, detail=detail, since=held[newest].created)
