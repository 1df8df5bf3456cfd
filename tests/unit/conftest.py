# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of the property tests, and clients with scripted responses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils import _fanout as fanout
from hypothesis import HealthCheck, settings

from tests.unit.wire import Wire

# A shared machine can stall for longer than any useful deadline. The examples for a change are the same
# each time, so that failures can be reproduced; `make nightly` has new ones, and says how to reproduce one.
EXAMPLES = {"test": 10, "ci": 40, "nightly": 1000}
for _target, _examples in EXAMPLES.items():
    settings.register_profile(
        _target,
        max_examples=_examples,
        deadline=None,
        derandomize=_target != "nightly",
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("test")


@pytest.fixture
def ec2() -> Iterator[Wire]:
    """An EC2 client. At the end of the test, its whole script must have been used."""
    with Wire("ec2").spoken() as wire:
        yield wire


@pytest.fixture
def sts() -> Iterator[Wire]:
    """An STS client, as above."""
    with Wire("sts").spoken() as wire:
        yield wire


@pytest.fixture
def grace_periods(monkeypatch: pytest.MonkeyPatch) -> Callable[[ModuleType], list[float]]:
    """Records how long each fan-out of a module waits for optional items after all others."""

    def record(module: ModuleType) -> list[float]:
        recorded: list[float] = []

        def map_parallel(items: Any, work: Any, *, optional: Collection[Any], grace_period: float) -> Any:
            recorded.append(grace_period)
            return fanout.map_parallel(items, work, optional=optional, grace_period=grace_period)

        monkeypatch.setattr(module, "map_parallel", map_parallel)
        return recorded

    return record
