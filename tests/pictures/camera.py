# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of a page: wide and narrow, light and dark, and as it prints."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.integration.browser import Browser

WIDE, NARROW = (1400, 900), (400, 800)
# A longer picture cannot be looked at.
_MOST_PIXELS = 5000
_SHEET = re.compile(rb"/Type\s*/Page\b")


@dataclass(frozen=True)
class Seen:
    """The height of a page when wide and narrow, in pixels; how many of them do not fit the narrow window's
    width; and on how many sheets of paper it prints.
    """

    height: int
    narrow_height: int
    overflow: int
    sheets: int


# So wide that the matrix of an audit of eight regions fits, for README.md.
_SUMMARY = 1320
_END_OF_FIRST_PICTURE = "Math.ceil(document.querySelector('#picture-1').getBoundingClientRect().bottom) + 16"


def summary(page: Path) -> bytes:
    """A picture of a page from its beginning to the end of its first picture."""
    with tempfile.TemporaryDirectory() as profile, Browser(Path(profile)) as browser:
        browser.resize(_SUMMARY, WIDE[1])
        browser.prefer("light")
        browser.open(page.as_uri())
        return browser.screenshot(browser.run(_END_OF_FIRST_PICTURE))


def photograph(page: Path, target: Path) -> Seen:
    """Write pictures and a PDF of a page; their paths begin with ``target``."""
    with tempfile.TemporaryDirectory() as profile, Browser(Path(profile)) as browser:
        heights = []
        for (width, height), label in ((WIDE, "wide"), (NARROW, "narrow")):
            browser.resize(width, height)
            for scheme in ("light", "dark"):
                browser.prefer(scheme)
                browser.open(page.as_uri())
                picture = browser.screenshot(_MOST_PIXELS)
                Path(f"{target}-{label}-{scheme}.png").write_bytes(picture)
                Path(f"{target}-{label}-{scheme}-first.png").write_bytes(browser.screenshot(height))
            heights.append(browser.run("document.documentElement.scrollHeight"))
        overflow = browser.run("document.documentElement.scrollWidth - innerWidth")
        browser.prefer("light")
        browser.open(page.as_uri())
        printed = browser.pdf()
    Path(f"{target}.pdf").write_bytes(printed)
    return Seen(heights[0], heights[1], overflow, len(_SHEET.findall(printed)))
