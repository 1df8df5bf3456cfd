# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of images: their family and version, the order in which people count, and numbers with nouns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

# A version starts at a digit, after a separator and perhaps a "v": golden-web-2026.11.1, golden_web_v3.
_VERSION = re.compile(r"(?P<family>.*?[^\W\d_].*?)[-_. /]+v?(?P<version>\d.*)")
_NUMBERS = re.compile(r"(\d+)")

NaturalKey: TypeAlias = "tuple[tuple[int, int, str], ...]"
"""A sort key in which numbers are compared as numbers."""


def natural(text: str) -> NaturalKey:
    """A sort key that puts 2026.8 before 2026.10."""
    return tuple(
        (0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part)
        for part in _NUMBERS.split(text)
        if part
    )


def image_order(image: Mapping[str, Any]) -> tuple[str, NaturalKey, str]:
    """A sort key for the images of a report: by region, and there by name."""
    return image["region"], natural(str(image["name"] or "")), image["image_id"]


def family_of(name: str) -> str:
    """The name of an image without its version: ``golden-web`` of ``golden-web-2026.11.1``."""
    found = _VERSION.fullmatch(name)
    return found["family"] if found else name


def version_of(name: str) -> str:
    """The version in the name of an image: ``2026.11.1`` of ``golden-web-2026.11.1``; empty without one."""
    found = _VERSION.fullmatch(name)
    return found["version"] if found else ""


def count(number: int, noun: str) -> str:
    """A number with its noun, in the plural where needed: ``1 image``, ``1,005 images``."""
    return f"{number:,} {noun if number == 1 else _plural(noun)}"


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("ch") else f"{noun}s"
