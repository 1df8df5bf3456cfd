# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients whose conversation with AWS is written down, and checked against botocore's models."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.aws.wire import Wire


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
