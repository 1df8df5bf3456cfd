# SPDX-License-Identifier: GPL-3.0-or-later

"""How many calls a distribution makes in a region: AWS limits them, and each costs a round trip."""

from __future__ import annotations

from collections import Counter

import pytest

from simulated_aws.client import SimulatedAws

from .encrypted import ALIAS, DISTRIBUTE, EncryptedFixture
from .fixture import HOME
from .playbook import Ansible

pytestmark = pytest.mark.nightly

REGION = "eu-west-1"
COPY_SECONDS = 6


@pytest.fixture
def fixture(aws: SimulatedAws) -> EncryptedFixture:
    """The fixture of the encrypted image."""
    return EncryptedFixture(aws)


def test_a_copy_is_not_read_more_often_than_its_progress_asks_for_and_a_repeat_reads_once(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible
) -> None:
    variables = {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": [REGION],
        "distribute_kms_key_id": ALIAS,
        "distribute_account_ids": fixture.account_ids("web-prod", "web-staging"),
        "distribute_kms_access_method": "grant",
    }
    aws.update_settings(copy_seconds=COPY_SECONDS)
    aws.clear_calls()
    first = ansible.run(DISTRIBUTE, variables)
    assert first.code == 0, first.text
    made = _made(aws)
    # Each read of a pending copy is one of the image and one of its snapshots' progress.
    assert made["DescribeSnapshots pending"] <= 6
    assert made["DescribeImages by ID"] <= 6 + 2
    assert made["CreateGrant"] == 2

    aws.clear_calls()
    again = ansible.run(DISTRIBUTE, variables)
    assert (again.code, again.changed) == (0, []), again.text
    snapshots = len(aws.description()["images"][fixture.name]["snapshot_ids"])
    assert _made(aws) == {
        "DescribeImages": 1,
        "DescribeImages by ID": 1,
        "DescribeSnapshots": 1,
        "DescribeImageAttribute": 1,
        "DescribeSnapshotAttribute": snapshots,
        # The copy and the grants look the key up; sharing does not read it again.
        "DescribeKey": 2,
        "ListGrants": 1,
    }


def _made(aws: SimulatedAws) -> Counter[str]:
    """The EC2 and KMS calls in the region, by action; reads that poll a copy under names of their own."""
    made: Counter[str] = Counter()
    for call in aws.calls():
        if call.region == REGION and call.service != "sts":
            by_id = " by ID" if "ImageId.1" in call.parameters else ""
            pending = " pending" if "pending" in call.parameters.values() else ""
            made[f"{call.action}{by_id}{pending}"] += 1
    return made
