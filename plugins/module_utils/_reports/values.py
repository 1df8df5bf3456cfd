# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values as text, the same in every format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._wording import escape_invisible

# IDs of images (ami- and 17 digits), snapshots and accounts, and times are shorter, ARNs are longer.
_SHORT = 28
# An account ID that is not a part of an ARN or of another number.
_ACCOUNT = re.compile(r"(?<![\d:/-])\d{12}(?![\d:/-])")


def render_text(value: Any, yes: str = "yes", no: str = "no") -> str:
    """Return a cell's value as text; None is empty, and the items of a list are separated by commas."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return yes if value else no
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(render_text(item, yes, no) for item in value)
    return str(value)


def render_date(time: str | None) -> str:
    """Return the date of a time in ISO 8601; empty without a time."""
    return (time or "")[: len("2026-11-24")]


def is_number(value: Any) -> bool:
    """Whether a value is a number and not a boolean."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def choose_wrapping(value: Any) -> str:
    """Return the class for line breaks in a cell: ``whole`` (names), ``broken-up`` (ARNs) or ``prose``."""
    text = render_text(value)
    if len(text) <= _SHORT:
        return "whole" if text else ""
    return "broken-up" if any(len(word) > _SHORT for word in text.split()) else "prose"


def add_account_names(text: str, names: Mapping[str, str]) -> str:
    """Return the text with the name of each account before its ID: ``web-prod (012345678901)``."""
    if not names:
        return text
    return _ACCOUNT.sub(lambda match: _name_account(match[0], names.get(match[0], "")), text)


def _name_account(account_id: str, name: str) -> str:
    return f"{escape_invisible(name)} ({account_id})" if name else account_id
