# SPDX-License-Identifier: GPL-3.0-or-later

"""Attempts for a limited time: when they are made, and what counts in the end."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts as module
from ansible_collections.golden.images.plugins.module_utils._aws.attempts import attempts, repeat_until

from tests.unit.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock.of(monkeypatch, module)
    clock.now = 0.0
    return clock


@pytest.mark.parametrize(
    ("seconds", "longest_pause", "times"),
    [
        pytest.param(5.0, None, [0.0, 2.0, 4.0, 5.0], id="equal pauses, and the last attempt in time"),
        pytest.param(4.0, None, [0.0, 2.0, 4.0], id="no second attempt when the time is over"),
        pytest.param(20.0, 5.0, [0.0, 2.0, 6.0, 11.0, 16.0, 20.0], id="growing pauses up to the longest"),
        pytest.param(0.0, None, [0.0], id="one attempt"),
    ],
)
def test_the_times_of_attempts(
    clock: Clock, seconds: float, longest_pause: float | None, times: list[float]
) -> None:
    made = [(number, clock.now) for number in attempts(seconds, 2.0, longest_pause)]
    assert made == list(enumerate(times, 1))


def test_attempts_that_take_longer_than_the_time_are_the_last(clock: Clock) -> None:
    numbers = []
    for number in attempts(10.0, 2.0):
        clock.now += 9.0
        numbers.append(number)
    assert numbers == [1, 2]


@pytest.mark.parametrize(
    ("enough", "result", "now"),
    [
        pytest.param(1, 1, 0.0, id="at once"),
        pytest.param(3, 3, 4.0, id="later"),
        pytest.param(99, 4, 5.0, id="never: the last result"),
    ],
)
def test_a_call_is_repeated_until_its_result_is_enough(
    clock: Clock, enough: int, result: int, now: float
) -> None:
    calls = iter(range(1, 99))
    assert repeat_until(lambda: next(calls), lambda number: number >= enough, 5.0, 2.0) == result
    assert clock.now == now


def test_the_pauses_between_calls_can_grow(clock: Clock) -> None:
    times: list[float] = []
    repeat_until(lambda: times.append(clock.now), lambda _result: False, 10.0, 1.0, 4.0)
    assert times == [0.0, 1.0, 3.0, 7.0, 10.0]
