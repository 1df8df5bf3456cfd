# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m checks.site FOLDER or --links: build the site of the documentation, or request its links."""

from __future__ import annotations

import sys
from pathlib import Path

from checks.commands import CheckError
from checks.site import build, check_links

try:
    if sys.argv[1] == "--links":
        check_links()
    else:
        build(Path(sys.argv[1]).resolve())
except CheckError as error:
    sys.exit(f"✗ {error}")
