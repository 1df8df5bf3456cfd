# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths in the checkout."""

from __future__ import annotations

import sys
from pathlib import Path

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
CHECKOUT = Path(__file__).resolve().parent.parent
SCRIPTS = Path(sys.prefix) / "bin"
SITE_COLLECTIONS = Path(sys.prefix) / "lib" / f"python{VERSION}" / "site-packages" / "ansible_collections"
