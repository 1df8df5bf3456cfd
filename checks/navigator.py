# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of ansible-navigator, apart from the checkout's: see requirements/navigator.in."""

from __future__ import annotations

from checks.apart import Apart
from checks.oldest_boto import link_collection
from checks.paths import CHECKOUT

ENVIRONMENT = Apart(CHECKOUT / ".venv" / "navigator", link_collection)
