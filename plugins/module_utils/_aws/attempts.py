# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attempts for a limited time, until AWS has done or shows something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic, sleep
from typing import TypeVar

Result = TypeVar("Result")


def attempts(seconds: float, pause: float, longest_pause: float | None = None) -> Iterator[int]:
    """Yield attempts by number: the first at once, others after pauses, the last when ``seconds`` are over.

    The first pause takes ``pause`` seconds. Each pause doubles the one before, up to ``longest_pause``.
    Without ``longest_pause``, all take the same time.
    """
    deadline, number = monotonic() + seconds, 1
    yield number
    while (left := deadline - monotonic()) > 0:
        sleep(min(pause, left))
        number += 1
        yield number
        pause = min(2 * pause, longest_pause or pause)


def repeat_until(
    call: Callable[[], Result],
    is_enough: Callable[[Result], bool],
    seconds: float,
    pause: float,
    longest_pause: float | None = None,
) -> Result:
    """Return the first result of ``call`` that is enough, else the last one (see ``attempts``)."""
    numbers = attempts(seconds, pause, longest_pause)
    next(numbers)
    result = call()
    while not is_enough(result) and next(numbers, None):
        result = call()
    return result
