# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m checks.site FOLDER: build the site of the documentation."""

from __future__ import annotations

import sys
from pathlib import Path

from checks.commands import CheckError
from checks.site import build

try:
    build(Path(sys.argv[1]).resolve())
except CheckError as error:
    sys.exit(f"✗ {error}")
