# SPDX-License-Identifier: GPL-3.0-or-later

"""One simulated AWS per test process, reset for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulated_aws.client import SimulatedAws

from .fixture import OWNER, Fixture
from .playbook import Ansible


@pytest.fixture(scope="session")
def simulated_aws() -> Iterator[SimulatedAws]:
    """The simulated AWS of this process."""
    with SimulatedAws.start() as aws:
        yield aws


@pytest.fixture
def aws(simulated_aws: SimulatedAws) -> SimulatedAws:
    """An empty simulated AWS."""
    simulated_aws.reset()
    return simulated_aws


@pytest.fixture
def fixture(aws: SimulatedAws) -> Fixture:
    """The fixture of most tests, loaded."""
    return Fixture(aws)


@pytest.fixture
def ansible(fixture: Fixture, tmp_path: Path) -> Ansible:
    """Ansible with the credentials of the image's owner."""
    return Ansible(fixture.environment(OWNER), tmp_path)
