# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The levels of a verification."""

from __future__ import annotations

PROOFS = {
    "visible": "the account sees the image",
    "authorized": "a dry run succeeds, and the role can use the keys",
    "launched": "an instance runs",
}
"""The proof of each level, the lowest first."""
LEVELS = tuple(PROOFS)
