# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one function for many items in parallel.

No other file of this collection's modules starts threads for its work; ``processes`` starts processes.
"""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from contextvars import copy_context
from functools import partial
from itertools import chain, zip_longest
from time import monotonic
from typing import Any, TypeAlias, TypeVar

Item = TypeVar("Item", bound=Hashable)
Result = TypeVar("Result")
# An item with its result, or with the exception that its work has raised.
_Finished: TypeAlias = tuple[Item, Result | None, BaseException | None]

# Threads mostly wait for AWS. More of them only cost memory.
MAX_THREADS = 64

# By default each thread that waits for the interpreter lock requests it 200 times a second, which adds half
# as much CPU time again with a hundred threads. A thread releases the lock by itself long before this.
_SWITCH_INTERVAL = 0.1

# Seconds that optional items are waited for once all others are finished, by default.
GRACE_PERIOD = 10.0
# The same for items that change something: AWS may still make a change that is not waited for. Many changes
# take longer in a far region, and some are repeated for a while (``aws.write.perform``).
CHANGE_GRACE_PERIOD = 60.0


# Seconds between lines of progress.
REMINDER_INTERVAL = 10.0


class _End:
    """Mark of the end of the queue."""


_END = _End()


class DidNotAnswer(Exception):
    """An optional item was not finished within the grace period after all other items."""


@contextlib.contextmanager
def _switch_rarely() -> Iterator[None]:
    """Switch threads rarely until the work ends. Ansible's own process, of an inventory, goes on after it."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@_switch_rarely()
def map_parallel(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    *,
    optional: Collection[Item] = (),
    grace_period: float = GRACE_PERIOD,
    threads: int | None = None,
    while_waiting: Callable[[Collection[Item]], None] | None = None,
) -> tuple[dict[Item, Result], dict[Item, Exception]]:
    """Call ``work`` for every item in parallel, and return the results and the exceptions, by item.

    An exception of one item is a value in the second mapping and does not stop the others. ``items`` can be a
    slow iterator: work starts with its first item. If the iterator raises, no further work starts, and the
    exception is raised; so is one of an item that is no ``Exception``, such as ``SystemExit``.

    Once all other items are finished, the ``optional`` ones get ``grace_period`` more seconds. The period
    starts anew whenever a thread starts a further optional item. Items that are not finished by then fail
    with ``DidNotAnswer``. The threads (``threads``, by default ``MAX_THREADS``) are daemons, so that such an
    item cannot keep the process from ending.

    Every ``REMINDER_INTERVAL`` seconds without a finished item, ``while_waiting`` gets the open ones.
    """
    waiting: queue.SimpleQueue[Item | _End] = queue.SimpleQueue()
    finished: queue.SimpleQueue[_Finished[Item, Result]] = queue.SimpleQueue()
    # Required items first, so that optional ones do not take their threads. A collection is copied, because
    # the work may change it.
    lazily = isinstance(items, Iterator) and not optional
    ordered = items if lazily else sorted(dict.fromkeys(items), key=lambda item: item in optional)
    max_threads, started = threads or MAX_THREADS, 0
    ordered_items: dict[Item, None] = {}
    try:
        for item in ordered:
            if item in ordered_items:
                continue
            ordered_items[item] = None
            waiting.put(item)
            if started < max_threads:
                started += 1
                threading.Thread(target=_run_worker, args=(waiting, work, finished), daemon=True).start()
    except BaseException:
        _stop(waiting)
        raise
    waiting.put(_END)

    done: dict[Item, Result] = {}
    failed: dict[Item, Exception] = {}
    open_items, may_fail = set(ordered_items), frozenset(optional)
    deadline: float | None = None
    while open_items:
        # With as many open items as threads, the thread that was done last has just started one of them.
        if (deadline is None or len(open_items) >= started) and open_items <= may_fail:
            deadline = monotonic() + grace_period
        remind = partial(while_waiting, frozenset(open_items)) if while_waiting else None
        try:
            item, result, exception = _next_finished(finished, deadline, remind)
        except queue.Empty:
            failed.update((item, DidNotAnswer()) for item in open_items)
            _stop(waiting)
            break
        except BaseException:
            _stop(waiting)
            raise
        open_items.discard(item)
        if exception is None:
            done[item] = result  # type: ignore[assignment]
        else:
            failed[item] = exception
    # In the order of the items, so that two runs return the same.
    return (
        {item: done[item] for item in ordered_items if item in done},
        {item: failed[item] for item in ordered_items if item in failed},
    )


def _next_finished(
    finished: queue.SimpleQueue[_Finished[Item, Result]],
    deadline: float | None,
    remind: Callable[[], None] | None,
) -> tuple[Item, Result | None, Exception | None]:
    """Return the next finished item with its result or its exception.

    Raises:
        queue.Empty: none was finished before the deadline.
        BaseException: that of an item, if it is no ``Exception``.
    """
    while True:
        left = None if deadline is None else max(0.0, deadline - monotonic())
        reminds = remind is not None and (left is None or left > REMINDER_INTERVAL)
        try:
            item, result, exception = finished.get(timeout=REMINDER_INTERVAL if reminds else left)
        except queue.Empty:
            if remind is None or not reminds:
                raise
            remind()
            continue
        if exception is None or isinstance(exception, Exception):
            return item, result, exception
        raise exception


def _stop(waiting: queue.SimpleQueue[Item | _End]) -> None:
    """Empty the queue, so that no failed item is worked on later, and end its threads."""
    with contextlib.suppress(queue.Empty):
        while True:
            waiting.get_nowait()
    waiting.put(_END)


def _run_worker(
    waiting: queue.SimpleQueue[Item | _End],
    work: Callable[[Item], Result],
    finished: queue.SimpleQueue[_Finished[Item, Result]],
) -> None:
    while True:
        item = waiting.get()
        if isinstance(item, _End):
            # Ends the next thread.
            waiting.put(item)
            return
        try:
            finished.put((item, work(item), None))
        except BaseException as exception:  # noqa: BLE001  (not swallowed: it is the item's outcome)
            finished.put((item, None, exception))


def side_by_side(works: Sequence[Callable[[], Any]], threads: int | None = None) -> list[Any]:
    """Return what each work returns, in their order, while so many are called at the same time.

    By default, all of them are. Each has the context variables of the caller, such as the account of a
    request (``aws.accounts.AssumedAccounts``), which a thread does not get by itself.

    Raises:
        Exception: that of the first work that raised one, once all have ended.
    """
    count = len(works) if threads is None else min(threads, len(works))
    if count <= 1:
        return [work() for work in works]
    contexts = [copy_context() for _work in works]

    def call(number: int) -> Any:
        return contexts[number].run(works[number])

    done, failed = map_parallel(range(len(works)), call, threads=count)
    for exception in failed.values():
        raise exception
    return list(done.values())


def round_robin(parts: Iterable[Iterable[Item]]) -> list[Item]:
    """Return the first item of each part, then the second of each, and so on, without None."""
    rounds = zip_longest(*parts)
    return [item for item in chain.from_iterable(rounds) if item is not None]
