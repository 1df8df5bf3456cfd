# SPDX-License-Identifier: GPL-3.0-or-later

"""How a cleanup waits for usage reports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts
from ansible_collections.golden.images.plugins.module_utils._cleanup import wait
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef

from tests.unit.cleanup.examples import REGION
from tests.unit.clock import Clock

REFS = [ImageRef(REGION, f"ami-{number:02}") for number in range(11)]


class Ec2:
    """Has each image's report pending until a moment; denies the images of ``denied``."""

    def __init__(self, clock: Clock, until: float, denied: str = "") -> None:
        self._clock, self._until, self._denied = clock, until, denied
        self.batches: list[list[str]] = []

    def get_paginator(self, _name: str) -> Ec2:
        return self

    def paginate(self, **request: Any) -> Iterable[dict[str, Any]]:
        # Botocore shape DescribeImageUsageReportsRequest, Filters.
        assert request["Filters"] == [{"Name": "state", "Values": ["pending"]}]
        ids = request["ImageIds"]
        self.batches.append(ids)
        if self._denied in ids:
            raise ValueError("denied")
        pending = [] if self._clock.now >= self._until else [{"ImageId": one} for one in ids]
        return [{"ImageUsageReports": pending}]


def waited(monkeypatch: pytest.MonkeyPatch, until: float, refs: list[ImageRef], denied: str = "") -> Any:
    """The seconds that were waited, and how many images each call was about."""
    clock = Clock.of(monkeypatch, attempts)
    started = clock.now
    ec2 = Ec2(clock, started + until, denied)
    clients: Any = type("Clients", (), {"ec2": staticmethod(lambda _region: ec2)})()
    wait.wait_for_reports(clients, refs)
    return clock.now - started, sorted(len(one) for one in ec2.batches)


def test_reports_are_asked_for_in_batches_until_all_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waited(monkeypatch, 0, []) == (0, [])
    assert waited(monkeypatch, 0, REFS) == (0, [1, 10])
    assert waited(monkeypatch, 40, REFS) == (45, [1] * 4 + [10] * 4)


def test_after_fifteen_minutes_the_rest_is_left_to_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waited(monkeypatch, 10_000, REFS[:1]) == (900, [1] * 61)


def test_what_cannot_be_read_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waited(monkeypatch, 20, REFS, denied="ami-10") == (30, [1, 10, 10, 10])
