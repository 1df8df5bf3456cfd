# SPDX-License-Identifier: GPL-3.0-or-later

"""The style sheet of a page."""

from __future__ import annotations

import re

from ansible_collections.golden.images.plugins.module_utils.reports.document import SEVERITIES, Mark
from ansible_collections.golden.images.plugins.module_utils.reports.html.style import style

PRINTED = {".changes li": 4}


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
