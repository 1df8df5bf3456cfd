# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.pictures``: real playbooks on a realistic fixture, pictures of their pages and terminals.

With ``--readme`` it also writes the pictures of README.md into docs/pictures.

With ``--axe`` and the path of axe.min.js, of the npm package axe-core, the pages are also checked for what
keeps people from using them; the exit code is 1 if there is a serious violation.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .accessibility import violations
from .camera import photograph, summary
from .large import NAME, large_page
from .runs import end_of, reports
from .terminal import picture

_CHECKOUT = Path(__file__).parents[2]
_FOLDER = _CHECKOUT / ".cache" / "pictures"
_OF_README = _CHECKOUT / "docs" / "pictures"


def main() -> int:
    """Write the pages and the pictures of them into the directory, and print what can be counted."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures")
    parser.add_argument("folder", nargs="?", type=Path, default=_FOLDER)
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--axe", type=Path, metavar="axe.min.js")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    pages = reports(folder)
    if arguments.readme:
        _write_of_readme(pages["audit"], folder / "distribute.txt")
    pages[NAME] = large_page(folder)
    print(f"{'page':16}{'KiB':>7}{'px high':>9}{'at 400':>8}{'too wide px':>13}{'paper':>7}{'loaded s':>10}")
    for name, page in pages.items():
        seen = photograph(page, folder / name)
        print(
            f"{name:16}{page.stat().st_size // 1024:7}{seen.height:9}{seen.narrow_height:8}"
            f"{seen.overflow:13}{seen.sheets:7}{seen.seconds:10.2f}"
        )
    print(f"The pictures are in {folder}.")
    if arguments.axe is None:
        return 0
    found = [one for page in pages.values() for one in violations(page, arguments.axe)]
    print("\n".join(found) or "axe-core found no serious violation.")
    return 1 if found else 0


def _write_of_readme(audit: Path, screen: Path) -> None:
    """Write the pictures that README.md shows: an audit's page, and the end of a distribution."""
    _OF_README.mkdir(exist_ok=True)
    (_OF_README / "audit.png").write_bytes(summary(audit))
    drawn = picture(end_of(screen.read_text(encoding="utf-8")), "A distribution with verification")
    (_OF_README / "distribute.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
