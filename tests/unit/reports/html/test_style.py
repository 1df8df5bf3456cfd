# SPDX-License-Identifier: GPL-3.0-or-later

"""The style sheet of a page."""

from __future__ import annotations

import re

from ansible_collections.golden.images.plugins.module_utils._reports.document import SEVERITIES, Mark
from ansible_collections.golden.images.plugins.module_utils._reports.html.render import render_html

from ..examples import PAGE_FILES, document

_PAGE = render_html(document(), "2026-11-24T12:00:00+00:00", PAGE_FILES)
STYLE = _PAGE.partition("<style>")[2].partition("</style>")[0]


def test_every_mark_and_severity_has_a_style() -> None:
    for name in (*Mark, *SEVERITIES):
        assert re.search(rf"\.{name}\b", STYLE), name


def test_the_style_sheet_loads_nothing() -> None:
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert "</" not in STYLE


def test_every_color_is_defined() -> None:
    used = set(re.findall(r"var\((--\w+)\)", STYLE))
    assert used
    assert used <= set(re.findall(r"(--\w+):", STYLE))
