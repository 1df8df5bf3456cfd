# SPDX-License-Identifier: GPL-3.0-or-later

"""Which version of each family is the newest in each region."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.module_utils._reports.document import Cell, Grid, Mark
from ansible_collections.golden.images.plugins.module_utils._reports.drift import Version, compare_versions

A, B, C = "ap-south-1", "eu-west-1", "us-east-1"


def versions(family: str, **regions: list[str]) -> list[Version]:
    places = {"a": A, "b": B, "c": C}
    return [
        Version(family, places[region], version, f"2026-{version.split('.')[1]:0>2}-01")
        for region, found in regions.items()
        for version in found
    ]


def cells(grid: Grid | None, family: str) -> list[tuple[str, Mark, str]]:
    assert grid is not None
    (row,) = (row for name, row in grid.rows if name == family)
    return [(cell.text, cell.mark, cell.detail) for cell in row if isinstance(cell, Cell)]


def test_regions_that_are_behind() -> None:
    every = ["2026.8", "2026.9", "2026.10"]
    grid = compare_versions(versions("web", a=every, b=["2026.8"], c=["2026.9", "2026.10"]))
    assert cells(grid, "web") == [
        ("2026.10", Mark.FULL, ""),
        ("2026.8", Mark.BROKEN, "2 behind"),
        ("2026.10", Mark.PARTIAL, "1 missing"),
    ]
    assert grid is not None
    assert grid.columns == (A, B, C)
    assert {*grid.legend} == {Mark.FULL, Mark.BROKEN, Mark.PARTIAL}
    (row,) = (row for _name, row in grid.rows)
    assert row[1] is not None
    assert row[1].title == "2026.8, of 3 versions. 2 missing: 2026.10, 2026.9."
    assert row[1].since == "2026-08-01"


def test_a_region_without_the_family() -> None:
    grid = compare_versions([*versions("web", a=["2026.8"]), *versions("data", a=["2026.1"], b=["2026.1"])])
    assert cells(grid, "web") == [("2026.8", Mark.FULL, ""), ("none", Mark.UNREADABLE, "")]


def test_a_version_of_one_region_is_not_missing_in_the_others_unless_it_is_the_newest() -> None:
    usual = ["2026.8", "2026.10"]
    grid = compare_versions(versions("web", a=[*usual, "2026.9"], b=usual, c=usual))
    assert {mark for _text, mark, _detail in cells(grid, "web")} == {Mark.FULL}
    grid = compare_versions(versions("web", a=[*usual, "2026.11"], b=usual, c=usual))
    assert [detail for _text, _mark, detail in cells(grid, "web")] == ["", "1 behind", "1 behind"]


def test_a_pre_release_is_behind_its_release() -> None:
    both = ["1.2.0-rc1", "1.2.0"]
    grid = compare_versions(versions("web", a=both, b=both[:1], c=both[1:]))
    assert cells(grid, "web") == [
        ("1.2.0", Mark.FULL, ""),
        ("1.2.0-rc1", Mark.BROKEN, "1 behind"),
        ("1.2.0", Mark.PARTIAL, "1 missing"),
    ]


def test_two_spellings_of_a_version_are_not_behind_each_other() -> None:
    grid = compare_versions([Version("web", A, "2026.11.1", ""), Version("web", B, "2026-11-01", "")])
    assert [mark for _text, mark, _detail in cells(grid, "web")] == [Mark.PARTIAL, Mark.PARTIAL]


def test_families_with_drift_are_first() -> None:
    same = {"a": ["2026.1"], "b": ["2026.1"]}
    grid = compare_versions(
        [*versions("app", **same), *versions("web", a=["2026.1", "2026.2"], b=["2026.1"])]
    )
    assert grid is not None
    assert [family for family, _cells in grid.rows] == ["web", "app"]


def test_no_picture_without_versions_or_for_a_single_region() -> None:
    assert compare_versions([]) is None
    assert compare_versions(versions("web", a=["2026.8"])) is None
    assert compare_versions([Version("web", A, "", ""), Version("web", B, "", "")]) is None
