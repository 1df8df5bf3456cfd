# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of the property tests, and clients with scripted responses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.unit.wire import Wire

# A shared machine can stall for longer than any useful deadline. The examples are the
# same each time, so that failures can be reproduced. New ones: pytest --hypothesis-profile=default
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
    """An EC2 client. At the end of the test, its whole script must have been used."""
    with Wire("ec2").spoken() as wire:
        yield wire


@pytest.fixture
def sts() -> Iterator[Wire]:
    """An STS client, as above."""
    with Wire("sts").spoken() as wire:
        yield wire
