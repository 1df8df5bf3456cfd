# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read until an account sees what was shared with it a moment ago.

EC2 is eventually consistent for each caller, and states no bound (EC2 Developer Guide, "Eventual consistency
in the Amazon EC2 API"): what the owner reads says nothing about what another account reads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import TypeVar

from .._model import Image
from .attempts import attempts
from .errors import AWS_ERRORS

Item = TypeVar("Item")
Seen = TypeVar("Seen")

# Seconds that an account is given to see what is shared with it.
VISIBLE_WITHIN = 30.0
_PAUSE = 2.0


def until_visible(
    look: Callable[[tuple[Item, ...]], Mapping[Item, Seen]], invisible: Collection[Item]
) -> dict[Item, Seen]:
    """Look again for the invisible items, until the account sees all or ``VISIBLE_WITHIN`` is over.

    ``look`` returns the items that the account sees now. Its errors are not caught.
    """
    seen: dict[Item, Seen] = {}
    numbers = attempts(VISIBLE_WITHIN, _PAUSE)
    next(numbers)
    while len(seen) < len(invisible) and next(numbers, None):
        seen.update(look(tuple(item for item in invisible if item not in seen)))
    return seen


def images_once_visible(
    look: Callable[[Item], Image | None], invisible: Collection[Item]
) -> dict[Item, Image]:
    """Return the images that an account sees in time, without those that cannot be read."""

    def look_at_all(items: tuple[Item, ...]) -> dict[Item, Image]:
        images: dict[Item, Image] = {}
        for item in items:
            with suppress(*AWS_ERRORS):
                images.update({item: image} if (image := look(item)) else {})
        return images

    return until_visible(look_at_all, invisible)
