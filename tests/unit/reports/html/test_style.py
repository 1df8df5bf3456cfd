# SPDX-License-Identifier: GPL-3.0-or-later

"""The style sheet of a page."""

from __future__ import annotations

import re

import pytest
from ansible_collections.golden.images.plugins.module_utils.reports.document import SEVERITIES, Mark
from ansible_collections.golden.images.plugins.module_utils.reports.html.style import style

PRINTED = {".changes li": 4}


@pytest.mark.parametrize("columns", [0, 1, 500])
def test_the_width_of_the_matrix_is_that_of_its_columns(columns: int) -> None:
    assert style(columns, PRINTED).endswith(
        f".matrix {{ width: calc(var(--first) + {columns} * 1.7rem); }}\n",
    )
    assert (
        style(columns, PRINTED).partition(".matrix { width")[0]
        == style(7, PRINTED).partition(".matrix { width")[0]
    )


def test_every_mark_and_severity_has_a_style() -> None:
    for name in (*Mark, *SEVERITIES):
        assert re.search(rf"\.{name}\b", style(1, PRINTED)), name


def test_the_style_sheet_loads_nothing() -> None:
    assert "url(" not in style(1, PRINTED)
    assert "@import" not in style(1, PRINTED)
    assert "</" not in style(1, PRINTED)


def test_every_color_is_defined() -> None:
    used = set(re.findall(r"var\((--\w+)\)", style(1, PRINTED)))
    assert used
    assert used <= set(re.findall(r"(--\w+):", style(1, PRINTED)))


def test_it_has_a_dark_and_a_printed_version() -> None:
    assert "@media (prefers-color-scheme: dark)" in style(1, PRINTED)
    assert "@media print" in style(1, PRINTED)


def test_further_elements_are_not_printed() -> None:
    assert "body:not(.all) .changes li:nth-child(n+5 of li:not([hidden]))" in style(1, PRINTED)
