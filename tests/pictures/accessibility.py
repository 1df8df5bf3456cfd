# SPDX-License-Identifier: GPL-3.0-or-later
"""What axe-core finds on a page: wide and narrow, light and dark, with closed and with open parts."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.integration.browser import Browser

from .camera import NARROW, WIDE

_RUN = """
axe.run().then((result) => result.violations
  .filter((one) => ['serious', 'critical'].includes(one.impact))
  .map((one) => `${one.id}: ${one.help}, ${one.nodes.length} times: ${one.nodes[0].html.slice(0, 200)}`))
"""


def violations(page: Path, axe: Path) -> Iterator[str]:
    """The serious and critical violations, each with the page and how it was shown."""
    script = axe.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as profile, Browser(Path(profile)) as browser:
        for size, scheme, unfold in itertools.product((WIDE, NARROW), ("light", "dark"), (False, True)):
            browser.resize(*size)
            browser.prefer(scheme)
            browser.open(page.as_uri())
            if unfold:
                browser.run("document.querySelector('#unfold').click()")
            browser.run(f"{script};true")
            shown = f"{page}, {size[0]} pixels, {scheme}, {'open' if unfold else 'closed'}"
            yield from (f"{shown}: {found}" for found in browser.run(_RUN))
