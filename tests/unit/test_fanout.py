# SPDX-License-Identifier: GPL-3.0-or-later

"""Parallel work on items: every result, every failure, and a limited wait for optional items."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Collection, Iterator
from contextvars import ContextVar
from time import monotonic, sleep

import pytest
from ansible_collections.golden.images.plugins.module_utils import _fanout as fanout
from ansible_collections.golden.images.plugins.module_utils._fanout import (
    MAX_THREADS,
    DidNotAnswer,
    map_parallel,
    round_robin,
    side_by_side,
)

ACCOUNT: ContextVar[str] = ContextVar("account")


@pytest.fixture
def stuck() -> Iterator[threading.Event]:
    """An event that is set when the test ends, so that work that waits for it hangs until then."""
    event = threading.Event()
    yield event
    event.set()


def test_results_by_item() -> None:
    assert map_parallel(["a", "bb"], len) == ({"a": 1, "bb": 2}, {})


def test_no_items() -> None:
    assert map_parallel([], len) == ({}, {})


def test_a_result_may_be_none() -> None:
    assert map_parallel(["a"], lambda _item: None) == ({"a": None}, {})


def test_a_duplicate_item_is_worked_on_once() -> None:
    calls: list[str] = []
    map_parallel(["a", "a"], calls.append)
    assert calls == ["a"]


def test_the_failure_of_one_item_does_not_stop_the_others() -> None:
    def work(item: int) -> float:
        return 1 / item

    done, failed = map_parallel([0, 1, 2], work)
    assert done == {1: 1.0, 2: 0.5}
    assert [(item, type(exception)) for item, exception in failed.items()] == [(0, ZeroDivisionError)]


@pytest.mark.parametrize("exception", [SystemExit("end"), KeyboardInterrupt()])
@pytest.mark.parametrize("optional", [(), (0, 1, 2, 3)], ids=["required", "optional"])
def test_an_exception_that_ends_a_program_is_raised_and_no_further_work_starts(
    exception: BaseException, optional: Collection[int]
) -> None:
    started: list[int] = []
    raised_here = threading.Event()
    before = threading.enumerate()

    def work(item: int) -> None:
        started.append(item)
        if item == 0:
            raise exception
        raised_here.wait()

    with pytest.raises(type(exception)) as raised:
        map_parallel([0, 1, 2, 3], work, optional=optional, threads=1)
    raised_here.set()
    for thread in set(threading.enumerate()) - {*before}:
        thread.join()
    assert raised.value is exception
    # The thread may have taken the next item before it was stopped.
    assert started in ([0], [0, 1])


def test_more_items_than_threads() -> None:
    threads: set[int] = set()

    def work(item: int) -> int:
        threads.add(threading.get_ident())
        return item * 2

    items = range(MAX_THREADS * 5)
    done, failed = map_parallel(items, work)
    assert done == {item: item * 2 for item in items}
    assert not failed
    assert len(threads) <= MAX_THREADS


def test_items_are_worked_on_in_parallel() -> None:
    together = threading.Barrier(8, timeout=5)
    done, failed = map_parallel(range(8), lambda _item: together.wait() >= 0)
    assert len(done) == 8
    assert not failed


def test_an_optional_item_that_ends_has_a_result() -> None:
    assert map_parallel(["a", "b"], len, optional={"b"}) == ({"a": 1, "b": 1}, {})


def test_the_failure_of_an_optional_item_is_returned() -> None:
    done, failed = map_parallel([0, 1], lambda item: 1 / item, optional={0})
    assert done == {1: 1.0}
    assert isinstance(failed[0], ZeroDivisionError)


@pytest.mark.parametrize("items", [["slow", "quick"], ["slow"]], ids=["among others", "alone"])
def test_an_optional_item_that_hangs_fails(stuck: threading.Event, items: list[str]) -> None:
    started = monotonic()
    done, failed = map_parallel(
        items, lambda item: item == "quick" or stuck.wait(), optional={"slow"}, grace_period=0.05
    )
    assert monotonic() - started < 2
    assert done == dict.fromkeys(set(items) - {"slow"}, True)
    assert [(item, type(exception)) for item, exception in failed.items()] == [("slow", DidNotAnswer)]


def test_the_grace_period_starts_when_the_required_items_have_ended() -> None:
    optional_is_done = threading.Event()

    def work(item: str) -> str:
        if item == "optional":
            sleep(0.3)
            optional_is_done.set()
        else:
            optional_is_done.wait(5)
        return item

    done, failed = map_parallel(["optional", "required"], work, optional={"optional"}, grace_period=0.2)
    assert set(done) == {"optional", "required"}
    assert not failed


def test_an_optional_item_that_ends_within_the_grace_period_has_a_result() -> None:
    required_is_done = threading.Event()

    def work(item: str) -> str:
        if item == "required":
            required_is_done.set()
        else:
            required_is_done.wait(5)
        return item

    done, _failed = map_parallel(["optional", "required"], work, optional={"optional"}, grace_period=5)
    assert set(done) == {"optional", "required"}


def test_required_items_start_before_optional_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "MAX_THREADS", 1)
    started: list[str] = []
    map_parallel(["o1", "r1", "o2", "r2"], started.append, optional={"o1", "o2"})
    assert started == ["r1", "r2", "o1", "o2"]


@pytest.mark.parametrize("required", [("r",), ()], ids=["after a required one", "alone"])
def test_queued_optional_items_do_not_start_after_the_grace_period(
    monkeypatch: pytest.MonkeyPatch, stuck: threading.Event, required: tuple[str, ...]
) -> None:
    monkeypatch.setattr(fanout, "MAX_THREADS", 1)
    started: list[str] = []
    threads: set[threading.Thread] = set()

    def work(item: str) -> None:
        threads.add(threading.current_thread())
        started.append(item)
        if item not in required:
            stuck.wait()

    _done, failed = map_parallel(
        [*required, "o1", "o2", "o3"], work, optional={"o1", "o2", "o3"}, grace_period=0.05
    )
    assert {item: type(exception) for item, exception in failed.items()} == dict.fromkeys(
        ["o1", "o2", "o3"], DidNotAnswer
    )
    stuck.set()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
    assert started == [*required, "o1"]


def test_queued_optional_items_have_the_grace_period_from_their_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fanout, "MAX_THREADS", 2)
    optional = {f"o{number}" for number in range(8)}
    done, failed = map_parallel(
        [*optional, "r"], lambda _item: sleep(0.2), optional=optional, grace_period=0.5
    )
    assert (set(done), failed) == ({*optional, "r"}, {})


def test_optional_items_that_hang_do_not_block_required_ones(
    monkeypatch: pytest.MonkeyPatch, stuck: threading.Event
) -> None:
    monkeypatch.setattr(fanout, "MAX_THREADS", 2)
    optional = {f"o{number}" for number in range(5)}
    required = {f"r{number}" for number in range(5)}
    done, failed = map_parallel(
        [*optional, *required],
        lambda item: item in required or stuck.wait(),
        optional=optional,
        grace_period=0.05,
    )
    assert set(done) == required
    assert set(failed) == optional


def test_work_starts_before_the_iterator_ends() -> None:
    started = threading.Event()

    def items() -> Iterator[str]:
        yield "first"
        assert started.wait(5)
        yield "second"

    def work(item: str) -> str:
        started.set()
        return item

    assert map_parallel(items(), work)[0] == {"first": "first", "second": "second"}


def test_work_may_change_the_collection_of_items() -> None:
    left = dict.fromkeys(range(200))
    done, _failed = map_parallel(left, left.pop)
    assert list(done) == list(range(200))
    assert left == {}


def test_no_further_work_starts_after_the_iterator_raised() -> None:
    started: list[int] = []
    release = threading.Event()

    def items() -> Iterator[int]:
        yield from range(5)
        raise LookupError

    def work(item: int) -> None:
        started.append(item)
        release.wait(5)

    with pytest.raises(LookupError):
        map_parallel(items(), work, threads=1)
    release.set()
    assert started in ([], [0])


def test_no_further_work_starts_after_the_wait_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ansible interrupts a task whose time is over with an exception of the main thread."""

    class Interrupted(BaseException):
        pass

    class Results(queue.SimpleQueue):  # type: ignore[type-arg]
        def get(self, **_limit: object) -> object:
            raise Interrupted

    started: list[int] = []
    release = threading.Event()

    def work(item: int) -> None:
        started.append(item)
        release.wait(5)

    queues = iter([queue.SimpleQueue(), Results()])
    monkeypatch.setattr(fanout.queue, "SimpleQueue", lambda: next(queues))
    with pytest.raises(Interrupted):
        map_parallel(range(9), work, threads=1)
    release.set()
    sleep(0.05)
    assert started == [0]


def test_the_number_of_threads_is_limited() -> None:
    threads: set[int] = set()

    def work(_item: int) -> None:
        threads.add(threading.get_ident())
        sleep(0.001)

    done, _failed = map_parallel(range(50), work, threads=3)
    assert len(done) == 50
    assert len(threads) <= 3


def test_threads_end_with_the_work() -> None:
    threads: set[threading.Thread] = set()
    map_parallel(range(20), lambda _item: threads.add(threading.current_thread()), threads=4)
    assert threads
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_threads_are_switched_rarely_until_the_work_ends() -> None:
    before = sys.getswitchinterval()
    found, failed = map_parallel(["a"], lambda _item: sys.getswitchinterval())
    assert (found, failed) == ({"a": pytest.approx(0.1)}, {})
    with pytest.raises(ZeroDivisionError):
        map_parallel((1 // item for item in [0]), len)
    assert sys.getswitchinterval() == before


def test_what_is_waited_for_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "REMINDER_INTERVAL", 0.01)
    reminded = threading.Event()
    open_items: list[Collection[str]] = []

    def remind(items: Collection[str]) -> None:
        open_items.append(items)
        reminded.set()

    def work(item: str) -> bool:
        return item == "quick" or reminded.wait(5)

    done, failed = map_parallel(["quick", "slow"], work, while_waiting=remind)
    assert (done, failed) == ({"quick": True, "slow": True}, {})
    assert open_items[-1] == {"slow"}


def test_reports_do_not_extend_the_grace_period(
    monkeypatch: pytest.MonkeyPatch, stuck: threading.Event
) -> None:
    monkeypatch.setattr(fanout, "REMINDER_INTERVAL", 0.01)
    _done, failed = map_parallel(
        ["slow"],
        lambda _item: stuck.wait(),
        optional=["slow"],
        grace_period=0.1,
        while_waiting=lambda _items: None,
    )
    assert isinstance(failed["slow"], DidNotAnswer)


def test_round_robin() -> None:
    assert round_robin([["a1", "a2", "a3"], ["b1"], [], ["c1", "c2"]]) == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert round_robin([]) == []


@pytest.mark.parametrize("threads", [None, 1, 2])
def test_side_by_side_returns_in_the_order_of_the_works(threads: int | None) -> None:
    assert side_by_side([lambda: 1, lambda: 2, lambda: 3], threads) == [1, 2, 3]
    assert side_by_side([], threads) == []


@pytest.mark.parametrize("threads", [None, 1, 2])
def test_side_by_side_raises_the_first_exception_in_the_order_of_the_works(threads: int | None) -> None:
    second_failed = threading.Event()

    def first() -> None:
        if threads != 1:
            second_failed.wait(5)
        raise KeyError("first")

    def second() -> None:
        second_failed.set()
        raise ValueError("second")

    with pytest.raises(KeyError, match="first"):
        side_by_side([first, second], threads)


def test_side_by_side_calls_all_works_at_the_same_time() -> None:
    barrier = threading.Barrier(3, timeout=5)
    assert sorted(side_by_side([barrier.wait] * 3)) == [0, 1, 2]


@pytest.mark.parametrize("threads", [None, 1, 2])
def test_side_by_side_keeps_the_context_of_the_caller(threads: int | None) -> None:
    token = ACCOUNT.set("caller")
    try:
        assert side_by_side([ACCOUNT.get] * 3, threads) == ["caller"] * 3
    finally:
        ACCOUNT.reset(token)
