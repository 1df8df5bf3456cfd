# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many images one run may deregister."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PERCENT = re.compile(r"([0-9]{1,2}|100)\s*%")


@dataclass(frozen=True)
class Limit:
    """At most so many images, or so many percent of those considered."""

    count: int | None = None
    percent: int = 10

    def allows(self, deletions: int, considered: int) -> bool:
        """Whether that many deletions are within the limit; a share of a few images may allow none."""
        if self.count is not None:
            return deletions <= self.count
        return deletions * 100 <= self.percent * considered

    def __str__(self) -> str:
        return str(self.count) if self.count is not None else f"{self.percent}%"


def parse_limit(value: object) -> Limit | None:
    """The limit that ``3``, ``"3"`` or ``"50%"`` stand for; None for anything else."""
    text = str(value).strip()
    if text.isascii() and text.isdigit():
        return Limit(count=int(text))
    match = _PERCENT.fullmatch(text)
    return Limit(percent=int(match[1])) if match else None
