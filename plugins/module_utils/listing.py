# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists in messages: the first of many, and how many more there are."""

from __future__ import annotations

from collections.abc import Sequence


def listed(texts: Sequence[str], most: int = 4) -> str:
    """The texts as a list of at most so many: ``a, b and 3 more``."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return f"{', '.join(texts[:most])}{more}"
