# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of ministack, an AWS emulator by other authors: see requirements/second-opinion.in."""

from __future__ import annotations

import sys
from pathlib import Path

from checks.apart import Apart
from checks.paths import CHECKOUT

ENVIRONMENT = Apart(CHECKOUT / ".venv" / "second-opinion")


def program() -> Path:
    """The program ``ministack``.

    Raises:
        CheckError: the environment could not be set up.
    """
    return ENVIRONMENT.scripts(lambda: sys.executable) / "ministack"
