# SPDX-License-Identifier: GPL-3.0-or-later
"""The pytest plugin: the fixture `simulated_aws`, in every pytest of an environment with this package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .client import SimulatedAws


@pytest.fixture(scope="session")
def simulated_aws_process() -> Iterator[SimulatedAws]:
    """A simulated AWS in a process of its own, which the tests of a session share."""
    # It imports boto3, which takes longer than a session that does not use the fixture should wait.
    from .client import SimulatedAws  # noqa: PLC0415

    with SimulatedAws.start() as aws:
        yield aws


@pytest.fixture
def simulated_aws(simulated_aws_process: SimulatedAws) -> SimulatedAws:
    """An empty simulated AWS: without accounts until the test loads a fixture document."""
    simulated_aws_process.reset()
    return simulated_aws_process
