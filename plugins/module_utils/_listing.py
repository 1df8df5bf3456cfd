# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists and numbers in messages: the first of many with the number of the others, and numbers with nouns."""

from __future__ import annotations

from collections.abc import Sequence


def join_texts(texts: Sequence[str], most: int = 4) -> str:
    """Return the first ``most`` texts as a list: ``a, b and 3 more``."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return f"{', '.join(texts[:most])}{more}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where needed: ``1 image``, ``1,005 images``."""
    return f"{number:,} {noun if number == 1 else _plural(noun)}"


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("ch") else f"{noun}s"


def ordinal(number: int) -> str:
    """Return a number as a rank: ``2nd``, ``11th``."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"
