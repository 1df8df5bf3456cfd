# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One piece of work on many targets at once: the only threads of this collection's modules."""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from itertools import chain, zip_longest
from time import monotonic
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)
Result = TypeVar("Result")
Read = TypeVar("Read")

# Work is waiting for AWS, not computing: more threads than this only cost memory.
MAX_THREADS = 64

# By default a thread that waits for its turn asks for it 200 times a second: with a hundred of them half as
# much again is computed. Each gives its turn up by itself at its next call, long before this.
_SWITCH_INTERVAL = 0.1


class _End:
    """Stands in the queue after the last item."""


_END = _End()


class DidNotAnswer(Exception):
    """An optional item was still being worked on when everything else had long been done."""


def each(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    *,
    optional: Collection[Item] = (),
    grace_period: float = 10.0,
    threads: int | None = None,
) -> tuple[dict[Item, Result], dict[Item, Exception]]:
    """Do ``work`` on every item, many at a time, and return what was done and what failed, by item.

    An exception of one item is a value in the second mapping and stops no other. Items can be an iterator
    that takes its time: work begins with the first. If it raises, nothing more is begun, and that is raised.

    Once all other items are finished, the ``optional`` ones get ``grace_period`` more seconds. Those that are
    not finished by then fail with ``DidNotAnswer``. The threads (``threads``, by default ``MAX_THREADS``)
    are daemons, so that such an item cannot keep the process from ending.
    """
    sys.setswitchinterval(_SWITCH_INTERVAL)
    waiting: queue.SimpleQueue[Item | _End] = queue.SimpleQueue()
    finished: queue.SimpleQueue[tuple[Item, Result | None, Exception | None]] = queue.SimpleQueue()
    # Required items first: optional ones must not take the threads that these need. What is no iterator is
    # there as a whole, and may be changed by the work.
    lazily = isinstance(items, Iterator) and not optional
    ordered = items if lazily else sorted(dict.fromkeys(items), key=lambda item: item in optional)
    most, started = threads or MAX_THREADS, 0
    given: dict[Item, None] = {}
    try:
        for item in ordered:
            if item in given:
                continue
            given[item] = None
            waiting.put(item)
            if started < most:
                started += 1
                threading.Thread(target=_work_off, args=(waiting, work, finished), daemon=True).start()
    except BaseException:
        _empty(waiting)
        raise
    finally:
        waiting.put(_END)

    done: dict[Item, Result] = {}
    failed: dict[Item, Exception] = {}
    open_items = set(given)
    give_up: float | None = None
    while open_items:
        if give_up is None and open_items <= set(optional):
            give_up = monotonic() + grace_period
        try:
            timeout = None if give_up is None else max(0.0, give_up - monotonic())
            item, result, exception = finished.get(timeout=timeout)
        except queue.Empty:
            failed.update((item, DidNotAnswer()) for item in open_items)
            _empty(waiting)
            waiting.put(_END)
            break
        open_items.discard(item)
        if exception is None:
            done[item] = result  # type: ignore[assignment]
        else:
            failed[item] = exception
    # In the order of the items, not of the answers: the same run twice says the same.
    return (
        {item: done[item] for item in given if item in done},
        {item: failed[item] for item in given if item in failed},
    )


def _empty(waiting: queue.SimpleQueue[Item | _End]) -> None:
    """Leave nothing for the threads to begin: what was said to have failed must not be done later."""
    with contextlib.suppress(queue.Empty):
        while True:
            waiting.get_nowait()


def _work_off(
    waiting: queue.SimpleQueue[Item | _End],
    work: Callable[[Item], Result],
    finished: queue.SimpleQueue[tuple[Item, Result | None, Exception | None]],
) -> None:
    while True:
        item = waiting.get()
        if isinstance(item, _End):
            # For the next thread.
            waiting.put(item)
            return
        try:
            finished.put((item, work(item), None))
        except Exception as exception:  # noqa: BLE001  (not swallowed: it is the item's result)
            finished.put((item, None, exception))


def round_robin(parts: Iterable[Iterable[Read]]) -> list[Read]:
    """The first of each part, then the second of each, and so on."""
    rounds = zip_longest(*parts)
    return [item for item in chain.from_iterable(rounds) if item is not None]
