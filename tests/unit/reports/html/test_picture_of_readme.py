# SPDX-License-Identifier: GPL-3.0-or-later

"""The picture of an audit in README.md shows the titles that the page has."""

from __future__ import annotations

from pathlib import Path

from tests.pictures.camera import description

CHECKOUT = Path(__file__).resolve().parents[4]
PLUGINS = CHECKOUT / "plugins"
SOURCES = (
    *PLUGINS.glob("module_utils/_reports/**/*.py"),
    PLUGINS / "plugin_utils" / "_page" / "page.html.j2",
)


def test_the_titles_in_the_picture_are_those_of_the_page() -> None:
    titles = description((CHECKOUT / "docs" / "pictures" / "audit.png").read_bytes()).split(", ")
    sources = "".join(file.read_text(encoding="utf-8") for file in SOURCES)
    assert len(titles) == 2
    # Where this fails: make pictures README=1
    assert [title for title in titles if title not in sources] == []
