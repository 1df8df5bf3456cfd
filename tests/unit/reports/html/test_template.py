# SPDX-License-Identifier: GPL-3.0-or-later

"""The template of a page."""

from __future__ import annotations

import re

from ..examples import PAGE_FILES

PAGE = PAGE_FILES["page.html.j2"]


def test_only_the_style_and_the_script_are_not_escaped() -> None:
    assert re.findall(r"(\w+) \| safe", PAGE) == ["style", "script"]
    assert "autoescape" not in PAGE
    assert "Markup" not in PAGE


def test_each_id_occurs_once() -> None:
    ids = re.findall(r' id="([\w-]+)"', PAGE)
    assert "filter" in ids
    assert len(ids) == len(set(ids))


def test_links_lead_to_sections_of_the_page() -> None:
    targets = set(re.findall(r'href="#([\w-]+)"', PAGE))
    assert targets
    assert targets <= set(re.findall(r'id="([\w-]+)"', PAGE))
