# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps accounts from the level of a verification: the codes of the findings, and what each means."""

from __future__ import annotations

from ..diagnose.checks import MEANINGS as DIAGNOSED
from ..launch_probe.causes import MEANINGS as PROBED
from ..reports import steps

LEVEL_NOT_REACHED = "level_not_reached"
KEY_USE_UNCERTAIN = "key_use_uncertain"
MEANINGS = {
    **DIAGNOSED,
    **PROBED,
    **steps.MEANINGS,
    LEVEL_NOT_REACHED: "The account has not reached the level, and no finding explains why.",
    KEY_USE_UNCERTAIN: (
        "The image was not published in a region, because it is not certain that the role in an account can "
        "use its keys."
    ),
}
"""The meaning of every code in the report of a verification, and in that of a distribution."""
