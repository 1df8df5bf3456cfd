# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.pictures [FOLDER]``: real reports on a realistic estate, and pictures of their pages."""

from __future__ import annotations

import sys
from pathlib import Path

from .camera import photograph
from .runs import reports

_FOLDER = Path(__file__).parents[2] / ".cache" / "pictures"


def main() -> int:
    """Write the pages and the pictures of them into the folder, and print what can be counted."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    pages = reports(folder)
    print(f"{'page':16}{'KiB':>7}{'px high':>9}{'at 400':>8}{'too wide px':>13}{'paper':>7}")
    for name, page in pages.items():
        seen = photograph(page, folder / name)
        print(
            f"{name:16}{page.stat().st_size // 1024:7}{seen.height:9}{seen.narrow_height:8}"
            f"{seen.overflow:13}{seen.sheets:7}"
        )
    print(f"The pictures are in {folder}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
