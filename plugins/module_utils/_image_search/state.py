# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lookup plugin ``ami`` searches for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Search:
    """One image of a region: the newest with a name and tags, or the one with an ID.

    ``name`` can contain the wildcards ``*`` and ``?``. ``image_id`` excludes all others but ``owners``, and
    ``parameter`` is the Systems Manager parameter that has the ID.
    """

    name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    architecture: str | None = None
    owners: tuple[str, ...] = ("self",)
    image_id: str | None = None
    parameter: str | None = None

    def describe(self) -> str:
        """Return the search in the words of an error message."""
        if self.image_id:
            source = f" of the parameter {self.parameter}" if self.parameter else ""
            return f"{self.image_id}{source}"
        parts = [f"the name '{self.name}'" if self.name else ""]
        parts += [f"the tag {key}={value}" for key, value in sorted(self.tags.items())]
        parts += [f"the architecture {self.architecture}" if self.architecture else ""]
        return f"an image with {' and '.join(part for part in parts if part)}"
