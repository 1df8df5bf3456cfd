# SPDX-License-Identifier: GPL-3.0-or-later

"""Work on many items at once: every result, every failure, and nobody waits for the optional."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from time import monotonic, sleep

import pytest
from ansible_collections.golden.images.plugins.module_utils import fanout
from ansible_collections.golden.images.plugins.module_utils.fanout import MAX_THREADS, DidNotAnswer, each


@pytest.fixture
def stuck() -> Iterator[threading.Event]:
    """Work that waits for this does not answer while the test runs, and ends with it."""
    event = threading.Event()
    yield event
    event.set()


def test_results_by_item() -> None:
    assert each(["a", "bb"], len) == ({"a": 1, "bb": 2}, {})


def test_nothing_to_do() -> None:
    assert each([], len) == ({}, {})


def test_a_result_may_be_none() -> None:
    assert each(["a"], lambda _item: None) == ({"a": None}, {})


def test_an_item_named_twice_is_worked_on_once() -> None:
    calls: list[str] = []
    each(["a", "a"], calls.append)
    assert calls == ["a"]


def test_a_failure_is_its_items_and_stops_no_other() -> None:
    def work(item: int) -> float:
        return 1 / item

    done, failed = each([0, 1, 2], work)
    assert done == {1: 1.0, 2: 0.5}
    assert [(item, type(exception)) for item, exception in failed.items()] == [(0, ZeroDivisionError)]


def test_more_items_than_threads() -> None:
    threads: set[int] = set()

    def work(item: int) -> int:
        threads.add(threading.get_ident())
        return item * 2

    items = range(MAX_THREADS * 5)
    done, failed = each(items, work)
    assert done == {item: item * 2 for item in items}
    assert not failed
    assert len(threads) <= MAX_THREADS


def test_items_are_worked_on_at_the_same_time() -> None:
    together = threading.Barrier(8, timeout=5)
    done, failed = each(range(8), lambda _item: together.wait() >= 0)
    assert len(done) == 8
    assert not failed


def test_an_optional_item_that_answers_is_done_like_any_other() -> None:
    assert each(["a", "b"], len, optional={"b"}) == ({"a": 1, "b": 1}, {})


def test_an_optional_items_failure_is_reported() -> None:
    done, failed = each([0, 1], lambda item: 1 / item, optional={0})
    assert done == {1: 1.0}
    assert isinstance(failed[0], ZeroDivisionError)


@pytest.mark.parametrize("items", [["slow", "quick"], ["slow"]], ids=["among others", "alone"])
def test_an_optional_item_that_does_not_answer_is_given_up(stuck: threading.Event, items: list[str]) -> None:
    started = monotonic()
    done, failed = each(
        items, lambda item: item == "quick" or stuck.wait(), optional={"slow"}, grace_period=0.05
    )
    assert monotonic() - started < 2
    assert done == dict.fromkeys(set(items) - {"slow"}, True)
    assert [(item, type(exception)) for item, exception in failed.items()] == [("slow", DidNotAnswer)]


def test_patience_begins_when_the_required_items_are_finished() -> None:
    optional_is_done = threading.Event()

    def work(item: str) -> str:
        if item == "optional":
            sleep(0.3)
            optional_is_done.set()
        else:
            optional_is_done.wait(5)
        return item

    done, failed = each(["optional", "required"], work, optional={"optional"}, grace_period=0.2)
    assert set(done) == {"optional", "required"}
    assert not failed


def test_an_optional_item_gets_its_patience() -> None:
    required_is_done = threading.Event()

    def work(item: str) -> str:
        if item == "required":
            required_is_done.set()
        else:
            required_is_done.wait(5)
        return item

    done, _failed = each(["optional", "required"], work, optional={"optional"}, grace_period=5)
    assert set(done) == {"optional", "required"}


def test_required_items_are_begun_before_optional_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "MAX_THREADS", 1)
    begun: list[str] = []
    each(["o1", "r1", "o2", "r2"], begun.append, optional={"o1", "o2"})
    assert begun == ["r1", "r2", "o1", "o2"]


@pytest.mark.parametrize("required", [("r",), ()], ids=["after a required one", "alone"])
def test_optional_items_in_the_queue_are_not_begun_after_giving_up(
    monkeypatch: pytest.MonkeyPatch, stuck: threading.Event, required: tuple[str, ...]
) -> None:
    monkeypatch.setattr(fanout, "MAX_THREADS", 1)
    begun: list[str] = []
    threads: set[threading.Thread] = set()

    def work(item: str) -> None:
        threads.add(threading.current_thread())
        begun.append(item)
        if item not in required:
            stuck.wait()

    _done, failed = each([*required, "o1", "o2", "o3"], work, optional={"o1", "o2", "o3"}, grace_period=0.05)
    assert {item: type(exception) for item, exception in failed.items()} == dict.fromkeys(
        ["o1", "o2", "o3"], DidNotAnswer
    )
    stuck.set()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
    assert begun == [*required, "o1"]


def test_stuck_optional_items_take_no_thread_from_the_required(
    monkeypatch: pytest.MonkeyPatch, stuck: threading.Event
) -> None:
    monkeypatch.setattr(fanout, "MAX_THREADS", 2)
    optional = {f"o{number}" for number in range(5)}
    required = {f"r{number}" for number in range(5)}
    done, failed = each(
        [*optional, *required],
        lambda item: item in required or stuck.wait(),
        optional=optional,
        grace_period=0.05,
    )
    assert set(done) == required
    assert set(failed) == optional


def test_work_begins_while_items_are_still_being_named() -> None:
    begun = threading.Event()

    def items() -> Iterator[str]:
        yield "first"
        assert begun.wait(5)
        yield "second"

    def work(item: str) -> str:
        begun.set()
        return item

    assert each(items(), work)[0] == {"first": "first", "second": "second"}


def test_work_may_change_what_the_items_are_read_from() -> None:
    left = dict.fromkeys(range(200))
    done, _failed = each(left, left.pop)
    assert list(done) == list(range(200))
    assert left == {}


def test_when_items_cannot_be_named_nothing_more_is_begun() -> None:
    begun: list[int] = []
    go_on = threading.Event()

    def items() -> Iterator[int]:
        yield from range(5)
        raise LookupError

    def work(item: int) -> None:
        begun.append(item)
        go_on.wait(5)

    with pytest.raises(LookupError):
        each(items(), work, threads=1)
    go_on.set()
    assert begun in ([], [0])


def test_no_more_threads_than_asked_for() -> None:
    threads: set[int] = set()

    def work(_item: int) -> None:
        threads.add(threading.get_ident())
        sleep(0.001)

    done, _failed = each(range(50), work, threads=3)
    assert len(done) == 50
    assert len(threads) <= 3


def test_threads_end_with_the_work() -> None:
    threads: set[threading.Thread] = set()
    each(range(20), lambda _item: threads.add(threading.current_thread()), threads=4)
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_threads_that_wait_for_their_turn_do_not_keep_asking_for_it() -> None:
    before = sys.getswitchinterval()
    try:
        each(["a"], len)
        assert sys.getswitchinterval() == pytest.approx(0.1)
    finally:
        sys.setswitchinterval(before)
