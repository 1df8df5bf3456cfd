# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of policy documents (IAM User Guide, Grammar of the IAM JSON policy language)."""

from __future__ import annotations

from typing import Any


def as_list(value: Any) -> list[Any]:
    """The items of a list; the grammar lets a single one stand without it."""
    return value if isinstance(value, list) else [value]
