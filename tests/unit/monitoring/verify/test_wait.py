# SPDX-License-Identifier: GPL-3.0-or-later

"""How monitoring_verify waits until AWS returns a change."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify import wait
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.read_trails import TrailReads
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.state import (
    MonitoringState,
    Resource,
)

from tests.unit.clock import Clock

from .examples import AS_WANTED, QUEUE, RULE, TRAIL, wanted

START = Clock().now
SEEN = MonitoringState(AS_WANTED, (), (TRAIL,))
CLIENTS: Any = None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.of(monkeypatch, wait)


def lagging(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, until: dict[Resource, float], *failures: Failure
) -> list[list[str]]:
    """AWS has these resources only after so many seconds. The kinds of each read."""
    reads = []

    def read(_clients: object, _wanted: object, kinds: Collection[str]) -> MonitoringState:
        reads.append(sorted(kinds))
        now = clock.now - START
        found = {one: found if now >= until.get(one, 0) else None for one, found in AS_WANTED.items()}
        return MonitoringState({one: found[one] for one in found if one.kind in kinds}, failures)

    def read_trails(_clients: object, _wanted: object) -> TrailReads:
        reads.append(["trails"])
        return TrailReads((TRAIL,))

    monkeypatch.setattr(wait, "read", read)
    monkeypatch.setattr(wait, "read_trails", read_trails)
    return reads


def test_all_is_as_it_should_be(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    reads = lagging(monkeypatch, clock, {})
    assert wait.read_until_settled(CLIENTS, wanted()) == SEEN
    assert (len(reads), clock.now) == (2, START)


def test_only_what_differs_is_read_again(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    reads = lagging(monkeypatch, clock, {RULE: 3, QUEUE: 60})
    assert wait.read_until_settled(CLIENTS, wanted()) == SEEN
    assert reads[0] == ["trails"]
    assert reads[2:4] == [["queue", "rule"], ["queue", "rule"]]
    assert {*map(tuple, reads[4:])} == {("queue",)}
    assert clock.now == START + 60


@pytest.mark.parametrize(
    ("resources", "seconds"), [((RULE,), 10), ((QUEUE,), 70), ((QUEUE, RULE), 10)], ids=str
)
def test_the_wait_ends(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, resources: tuple[Resource, ...], seconds: int
) -> None:
    lagging(monkeypatch, clock, dict.fromkeys(resources, 1e9))
    seen = wait.read_until_settled(CLIENTS, wanted())
    assert {one for one, found in seen.resources.items() if found is None} == {*resources}
    assert clock.now == START + seconds


def test_a_failed_read_ends_it(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    failure = Failure("No.", "", "x", "DescribeAlarms")
    reads = lagging(monkeypatch, clock, {RULE: 1e9}, failure)
    assert wait.read_until_settled(CLIENTS, wanted()).failures == (failure,)
    assert len(reads) == 2


def test_so_does_a_failed_read_of_trails(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    failure = Failure("No.", "", "x", "DescribeTrails")
    reads = lagging(monkeypatch, clock, {RULE: 1e9})
    monkeypatch.setattr(wait, "read_trails", lambda _clients, _wanted: TrailReads(None, (failure,)))
    seen = wait.read_until_settled(CLIENTS, wanted())
    assert (seen.trails, seen.failures, len(reads)) == (None, (failure,), 1)
