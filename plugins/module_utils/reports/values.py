# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How values look as text in every form."""

from __future__ import annotations

import unicodedata
from typing import Any

# Line ends and tabs are laid out; all other control and format characters are not to be seen, and may make a
# text look like another one: they turn it around (U+202E), say, or end it (U+0000). Joiners make up emoji.
_LAID_OUT = frozenset("\t\n\r\u200c\u200d")
# The ids of images, snapshots and accounts and times are shorter (ami- and 17 digits, say), ARNs are longer.
_SHORT = 28
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def text_of(value: Any, yes: str = "yes", no: str = "no") -> str:
    """A cell's value as text; nothing is empty, and a list is its texts with commas between."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return yes if value else no
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(text_of(one, yes, no) for one in value)
    return str(value)


def is_number(value: Any) -> bool:
    """Whether a value is a number, which truth values are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def wrapping(value: Any) -> str:
    """How a cell's text may be broken into lines, as a class of the page's style.

    An id or a name stays ``whole``, an ARN is ``broken-up``, and ``prose`` is given room.
    """
    text = text_of(value)
    if len(text) <= _SHORT:
        return "whole" if text else ""
    return "broken-up" if any(len(word) > _SHORT for word in text.split()) else "prose"


def visible(text: str) -> str:
    """The text with every character that cannot be seen, and could deceive, written as its code point."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"\u27e8U+{ord(one):04X}\u27e9"
        if one not in _LAID_OUT and unicodedata.category(one) in _UNSEEN
        else one
        for one in text
    )
