# SPDX-License-Identifier: GPL-3.0-or-later

"""The script of a page, which writes text and sends no requests."""

from __future__ import annotations

import re

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports.document import Bars, Cell, Grid, Mark
from ansible_collections.golden.images.plugins.module_utils._reports.html.drawing import draw_bars, draw_grid

from ..examples import PAGE_FILES

PAGE, SCRIPT = PAGE_FILES["page.html.j2"], PAGE_FILES["page.js"]


@pytest.mark.parametrize(
    "api",
    [
        *("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("),
        *("fetch(", "XMLHttpRequest", "WebSocket", "sendBeacon", "import(", "localStorage", "cookie"),
    ],
)
def test_the_script_does_not_use(api: str) -> None:
    assert api not in SCRIPT


def test_no_text_in_it_ends_the_script_element() -> None:
    assert "</" not in SCRIPT
    assert "<!--" not in SCRIPT


def test_the_page_has_the_elements_that_it_needs() -> None:
    ids = set(re.findall(r"getElementById\('(\w+)'\)", SCRIPT))
    assert ids
    assert {f'id="{name}"' for name in ids} <= set(re.findall(r'id="\w+"', PAGE))
    (fields,) = re.findall(r"fields = \[([^\]]+)\]", SCRIPT)
    for field in re.findall(r"'(\w+)'", fields):
        assert f'name="{field}"' in PAGE
    for attribute in re.findall(r"hasAttribute\('([\w-]+)'\)", SCRIPT):
        assert attribute in PAGE


def test_a_box_has_its_region_where_the_script_reads_it() -> None:
    """As the first part of the title or the last one before a colon: only such pictures are about regions."""
    assert "title.startsWith(`${one}, `) || title.includes(`, ${one}: `)" in SCRIPT

    def has_region(title: str) -> bool:
        return title.startswith("eu-west-1, ") or ", eu-west-1: " in title

    cell = Cell("1", Mark.FULL, "One: in eu-west-1, two.")
    for grid, has_regions in (
        (Grid("Versions", ("eu-west-1",), (("golden-web", (cell,)),), {}), True),
        (Grid("Versions", ("eu-west-1",), (("app: web", (cell,)),), {}), True),
        (Grid("Steps", ("copied",), (("eu-west-1", (cell,)),), {}), True),
        (Grid("Stages", ("2026-12-01",), (("golden-eu-west-1", (cell,)),), {}), False),
    ):
        (box,) = [shape for shape in draw_grid(grid, "").shapes if shape.kind == "rect"]
        assert has_region(box.title) is has_regions
    (bar,) = [
        shape
        for shape in draw_bars(
            Bars("Cost", (("golden-eu-west-1", {Mark.FULL: 1.0}),), {Mark.FULL: "Kept."}, "EUR")
        ).shapes
        if shape.kind == "rect"
    ]
    assert not has_region(bar.title)
