# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads until an account sees what was shared with it a moment ago.

EC2 is eventually consistent for each caller, and states no bound (EC2 Developer Guide, "Eventual consistency
in the Amazon EC2 API"): that the owner reads a permission says nothing of the view of another account.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import TypeVar

from ..model import Image
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
    """Look again for what an account did not see, until it sees all of it, for at most ``VISIBLE_WITHIN``.

    ``look`` returns those of the items that the account sees by now. Its errors are not caught.
    """
    seen: dict[Item, Seen] = {}
    numbers = attempts(VISIBLE_WITHIN, _PAUSE)
    next(numbers)
    while len(seen) < len(invisible) and next(numbers, None):
        seen.update(look(tuple(one for one in invisible if one not in seen)))
    return seen


def images_once_visible(
    look: Callable[[Item], Image | None], invisible: Collection[Item]
) -> dict[Item, Image]:
    """The images that an account comes to see in time. One that cannot be read is not among them."""

    def look_at_all(items: tuple[Item, ...]) -> dict[Item, Image]:
        found: dict[Item, Image] = {}
        for item in items:
            with suppress(*AWS_ERRORS):
                found.update({item: image} if (image := look(item)) else {})
        return found

    return until_visible(look_at_all, invisible)
