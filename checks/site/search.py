# SPDX-License-Identifier: GPL-3.0-or-later
"""The site's search finds pages: it is tried in a browser, since it runs there."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from checks.commands import CheckError, Unfit
from tests.integration.browser import PROGRAM, Browser

# Words that users search for, and a page that has the answer.
WANTED = {"default_key": "docs/encrypted-images.html", "rollback": "docs/publishing.html"}
# The pages that are listed once the search has ended: the theme then shows a number, or that there is none.
_LISTED = """new Promise(resolve => {
  const poll = () => {
    const summary = document.querySelector("#search-results .search-summary");
    if (summary === null || summary.textContent.trim() === "") { setTimeout(poll, 50); return; }
    const links = [...document.querySelectorAll("#search-results ul.search li > a")];
    resolve(links.map(link => new URL(link.href).pathname));
  };
  poll();
})"""


def judge(site: Path, found: Mapping[str, Collection[str]]) -> None:
    """Raise CheckError unless the page that is wanted is among those that each search has found."""
    for word, page in WANTED.items():
        if str(site / page) not in found[word]:
            raise CheckError(f"a search for {word} finds {len(found[word])} pages, and not {page}")


def check(site: Path) -> None:
    """Search in a site that is built.

    Raises:
        CheckError: a search does not find its page.
        Unfit: there is no Chromium.
    """
    if PROGRAM is None:
        raise Unfit(
            "the site is built, but its search, and the page of a report, need Chromium to be tried: "
            "install Debian's package chromium"
        )
    found = {}
    with tempfile.TemporaryDirectory(prefix="golden-images-") as name, Browser(Path(name)) as browser:
        for word in WANTED:
            browser.open(f"{(site / 'search.html').as_uri()}?q={word}")
            found[word] = set(browser.run(_LISTED))
    judge(site, found)
    print("; ".join(f"search for {word}: {len(pages)} pages" for word, pages in found.items()))
