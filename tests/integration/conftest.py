# SPDX-License-Identifier: GPL-3.0-or-later

"""One simulated AWS per test process, reset for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulated_aws.client import SimulatedAws
from simulated_aws.http.record import RecordedCall

from .fixture import OWNER, Fixture
from .in_process import Modules
from .playbook import Ansible

pytest.register_assert_rewrite(
    *(f"{__package__}.survey{rest}" for rest in ("", "_auditing", "_cleanup", "_distribute", "_sharing"))
)


@pytest.fixture(scope="session")
def simulated_aws() -> Iterator[SimulatedAws]:
    """The simulated AWS of this process."""
    with SimulatedAws.start() as aws:
        yield aws


@pytest.fixture
def aws(simulated_aws: SimulatedAws) -> Iterator[SimulatedAws]:
    """An empty simulated AWS. At the end, no call of the collection may have searched public snapshots."""
    simulated_aws.reset()
    yield simulated_aws
    assert [call for call in simulated_aws.calls(action="DescribeSnapshots") if _is_unscoped(call)] == []


def _is_unscoped(call: RecordedCall) -> bool:
    """Whether it lists all public snapshots, too (botocore operation DescribeSnapshots)."""
    scopes = ("Owner.", "RestorableBy.", "SnapshotId.")
    return "golden.images" in call.user_agent and not any(name.startswith(scopes) for name in call.parameters)


@pytest.fixture
def fixture(aws: SimulatedAws) -> Fixture:
    """The fixture of most tests, loaded."""
    return Fixture(aws)


@pytest.fixture
def ansible(fixture: Fixture, tmp_path: Path) -> Ansible:
    """Ansible with the credentials of the image's owner."""
    return Ansible(fixture.environment(OWNER), tmp_path)


@pytest.fixture
def modules(ansible: Ansible) -> Modules:
    """The collection's modules with the same credentials, in this process."""
    return Modules(ansible)
