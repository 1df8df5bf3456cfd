# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of a page: wide and narrow, light and dark, and as it prints."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from zlib import crc32

from tests.integration.browser import Browser

WIDE, NARROW = (1400, 900), (400, 800)
# A longer picture cannot be looked at.
_MOST_PIXELS = 5000
_DRAWN = "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
_SHEET = re.compile(rb"/Type\s*/Page\b")


@dataclass(frozen=True)
class Seen:
    """The height of a page when wide and narrow, in pixels; how many of them do not fit the narrow window's
    width; on how many sheets of paper it prints; and the seconds until the wide page was loaded and drawn.
    """

    height: int
    narrow_height: int
    overflow: int
    sheets: int
    seconds: float


# So wide that the matrix of an audit of eight regions fits, for README.md.
_SUMMARY = 1320
_END_OF_FIRST_PICTURE = "Math.ceil(document.querySelector('#picture-1').getBoundingClientRect().bottom) + 16"


_TITLES = """
[...document.querySelectorAll('#findings h2, .picture h2')].slice(0, 2)
  .map((title) => title.firstElementChild.textContent).join(', ')
"""


def summary(page: Path) -> bytes:
    """A picture of a page from its beginning to the end of its first picture, which also tells its titles.

    By these, a test finds a picture that the page no longer looks like.
    """
    with tempfile.TemporaryDirectory() as profile, Browser(Path(profile)) as browser:
        browser.resize(_SUMMARY, WIDE[1])
        browser.prefer("light")
        browser.open(page.as_uri())
        picture = browser.screenshot(browser.run(_END_OF_FIRST_PICTURE))
        return described(picture, browser.run(_TITLES))


def described(picture: bytes, text: str) -> bytes:
    """A PNG with a text as its description (Portable Network Graphics, 11.3.3.2: tEXt)."""
    chunk = b"tEXtDescription\0" + text.encode("latin-1")
    end_of_header = 8 + 12 + 13
    return (
        picture[:end_of_header]
        + (len(chunk) - 4).to_bytes(4, "big")
        + chunk
        + crc32(chunk).to_bytes(4, "big")
        + picture[end_of_header:]
    )


def description(picture: bytes) -> str:
    """The description of a PNG that ``described`` returned."""
    start = picture.index(b"tEXtDescription\0")
    length = int.from_bytes(picture[start - 4 : start], "big")
    return picture[start + 4 : start + 4 + length].partition(b"\0")[2].decode("latin-1")


def photograph(page: Path, target: Path) -> Seen:
    """Write pictures and a PDF of a page; their paths begin with ``target``."""
    with tempfile.TemporaryDirectory() as profile, Browser(Path(profile)) as browser:
        browser.resize(*WIDE)
        started = monotonic()
        browser.open(page.as_uri())
        browser.run(_DRAWN)
        seconds = monotonic() - started
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
    return Seen(heights[0], heights[1], overflow, len(_SHEET.findall(printed)), seconds)
