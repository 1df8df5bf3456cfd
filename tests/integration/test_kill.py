# SPDX-License-Identifier: GPL-3.0-or-later

"""A rerun completes a distribution that was killed at any time: no copy is made twice or left over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed
from .fixture import CONSUMERS, HOME, OWNER, Fixture
from .playbook import Ansible, kill

FQCN = "golden.images.distribute_ami"
REGIONS = ("eu-west-1", "us-west-2")
# How often each call is made to distribute a two-disk image to two regions and share it there.
CALLS = {"CopyImage": 2, "ModifySnapshotAttribute": 4, "CreateTags": 2, "ModifyImageAttribute": 2}
_TIMEOUT = 60


@pytest.fixture
def variables(fixture: Fixture) -> dict[str, Any]:
    """A distribution to one account in two regions, neither of which is the source's."""
    return {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": list(REGIONS),
        "distribute_account_ids": fixture.account_ids(CONSUMERS[0]),
        "distribute_shared_tags": {"version": "2026.11"},
    }


# A copy of which no run knows the ID, and an image of whose two snapshots one is shared.
IN_CI = {"CopyImage", "ModifySnapshotAttribute"}


def _moments() -> Iterator[Any]:
    first = "before the first CopyImage"
    yield pytest.param("CopyImage", 1, "before", id=first, marks=pytest.mark.nightly)
    for action, number in CALLS.items():
        for nth in range(1, number + 1):
            # AWS did it and the response is lost, which covers a kill before the next call as well.
            marks = [] if nth == 1 and action in IN_CI else [pytest.mark.nightly]
            yield pytest.param(action, nth, "after", id=f"after {action} {nth} of {number}", marks=marks)


@pytest.mark.parametrize(("action", "nth", "when"), list(_moments()))
def test_a_rerun_after_a_kill_completes_the_distribution(
    aws: SimulatedAws,
    fixture: Fixture,
    ansible: Ansible,
    variables: dict[str, Any],
    action: str,
    nth: int,
    when: str,
) -> None:
    aws.add_fault("freeze", action=action, when=when, after=nth - 1, times=0)
    killed = ansible.start(FQCN, variables)
    _await_frozen(aws, nth)
    kill(killed)
    aws.clear_faults()
    ids = {image["ImageId"] for region in REGIONS for image in observed.own_images(aws, OWNER, region)}

    rerun = ansible.run(FQCN, variables)
    assert rerun.code == 0, rerun.text
    _assert_converged(aws, fixture, rerun.facts["distribute_images"])
    assert ids <= set(rerun.facts["distribute_images"].values())


def _await_frozen(aws: SimulatedAws, nth: int) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while aws.faults()[0]["matched"] < nth:
        assert time.monotonic() < deadline, "the call to freeze was never made"
        time.sleep(0.1)


def _assert_converged(aws: SimulatedAws, fixture: Fixture, images: dict[str, str]) -> None:
    consumer = set(fixture.account_ids(CONSUMERS[0]))
    for region in REGIONS:
        (copy,) = observed.own_images(aws, OWNER, region)
        assert (copy["ImageId"], copy["State"]) == (images[region], "available")
        assert observed.own_snapshots(aws, OWNER, region) == sorted(observed.snapshot_ids(copy))
        assert observed.sharing(aws, OWNER, region, copy["ImageId"]) == (consumer, [consumer, consumer])
        assert observed.tags(copy)["ec2:SharedTag/version"] == "2026.11"


@pytest.mark.nightly
def test_a_kill_between_a_failed_copys_replacement_and_its_removal_leaves_nothing_behind(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    aws.update_settings(copy_seconds=1, copy_failures=[{"region": REGIONS[1]}])
    aws.add_fault("freeze", action="DeregisterImage", when="before")
    killed = ansible.start(FQCN, variables)
    _await_frozen(aws, 1)
    kill(killed)
    aws.clear_faults()
    assert len(observed.own_images(aws, OWNER, REGIONS[1])) == 2

    rerun = ansible.run(FQCN, variables)
    assert rerun.code == 0, rerun.text
    _assert_converged(aws, fixture, rerun.facts["distribute_images"])
    assert observed.attempts(aws, "CopyImage") == [REGIONS[0], REGIONS[1], REGIONS[1]]


@pytest.mark.nightly
def test_two_runs_at_the_same_time_make_one_copy_in_each_region(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    # Both have found no copy before the first of their four requests takes effect.
    aws.add_fault("freeze", action="CopyImage", when="before", times=0)
    both = [ansible.start(FQCN, variables) for _ in range(2)]
    _await_frozen(aws, 4)
    aws.clear_faults()
    for process in both:
        stdout, stderr = process.communicate(timeout=_TIMEOUT)
        assert process.returncode == 0, stdout + stderr
    images = {region: observed.own_images(aws, OWNER, region)[0]["ImageId"] for region in REGIONS}
    _assert_converged(aws, fixture, images)
