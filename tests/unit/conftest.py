# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of the property tests, and clients whose conversation with AWS is written down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.unit.wire import Wire

# A shared machine may stall for longer than any deadline that would be worth having. The examples are the
# same each time, since what fails must fail again; new ones: pytest --hypothesis-profile=default
settings.register_profile(
    "golden.images",
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("golden.images")


@pytest.fixture
def ec2() -> Iterator[Wire]:
    """An EC2 client; all that the test wrote down must have been said by its end."""
    with Wire("ec2").spoken() as wire:
        yield wire


@pytest.fixture
def sts() -> Iterator[Wire]:
    """An STS client, likewise."""
    with Wire("sts").spoken() as wire:
        yield wire
