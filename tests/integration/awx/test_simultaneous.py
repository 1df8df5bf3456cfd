# SPDX-License-Identifier: GPL-3.0-or-later

"""Two jobs of the job template distribute at once, which awx/job_templates.yml allows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from simulated_aws.client import SimulatedAws

from .. import encrypted, observed
from ..encrypted import ALIAS, DISTRIBUTE, EncryptedFixture
from ..fixture import HOME, OWNER
from ..playbook import Ansible, Run

pytestmark = pytest.mark.nightly

AWAY = "eu-west-1"
CONSUMERS = ("web-prod", "web-staging")


class Finished(NamedTuple):
    """A job, and when it ran."""

    run: Run
    started: float
    ended: float


@pytest.fixture
def fixture(aws: SimulatedAws) -> EncryptedFixture:
    """The fixture of the encrypted image."""
    return EncryptedFixture(aws)


def _at_once(
    fixture: EncryptedFixture, folder: Path, releases: Sequence[tuple[str, str]]
) -> tuple[Finished, ...]:
    """Release images to accounts at once: a job for each pair of image and consumer."""

    def release(number: int) -> Finished:
        image_id, consumer = releases[number]
        own = folder / str(number)
        own.mkdir()
        answers = {
            "distribute_source_image_id": image_id,
            "distribute_source_region": HOME,
            "distribute_regions": f"{HOME}\n{AWAY}",
            "distribute_kms_key_id": ALIAS,
            "distribute_account_ids": f'"{fixture.account_ids(consumer)[0]}"',
        }
        started = time.monotonic()
        run = Ansible(fixture.environment(OWNER), own).job(DISTRIBUTE, answers)
        return Finished(run, started, time.monotonic())

    with ThreadPoolExecutor(len(releases)) as threads:
        jobs = tuple(threads.map(release, range(len(releases))))
    assert [job.run.code for job in jobs] == [0] * len(jobs), [job.run.text for job in jobs]
    assert max(job.started for job in jobs) < min(job.ended for job in jobs)
    return jobs


def _copies(aws: SimulatedAws) -> Mapping[str, str]:
    """The source of each copy in the other region."""
    tag = "golden.images:source"
    return {shown["ImageId"]: observed.tags(shown)[tag] for shown in observed.own_images(aws, OWNER, AWAY)}


def _images(jobs: Sequence[Finished]) -> list[dict[str, Any]]:
    return [job.run.artifacts["distribute_artifacts"]["images"] for job in jobs]


def test_two_releases_of_the_same_image_make_one_copy_for_both(
    aws: SimulatedAws, fixture: EncryptedFixture, tmp_path: Path
) -> None:
    jobs = _at_once(fixture, tmp_path, [(fixture.image_id, consumer) for consumer in CONSUMERS])
    (copy,) = _copies(aws)
    assert _images(jobs) == [{HOME: fixture.image_id, AWAY: copy}] * 2
    accounts = fixture.account_ids(*CONSUMERS)
    for region, image_id in ((HOME, fixture.image_id), (AWAY, copy)):
        permissions, of_snapshots = observed.sharing(aws, OWNER, region, image_id)
        assert permissions == {*accounts}
        assert of_snapshots == [{*accounts}] * len(of_snapshots)
        assert encrypted.grantees(aws, fixture.key(region)) == sorted(map(encrypted.root, accounts))


def test_releases_of_other_images_do_not_touch_each_other(
    aws: SimulatedAws, fixture: EncryptedFixture, tmp_path: Path
) -> None:
    ec2 = aws.client("ec2", OWNER, HOME)
    answer = ec2.copy_image(
        Name="golden-batch", SourceImageId=fixture.image_id, SourceRegion=HOME, Encrypted=True, KmsKeyId=ALIAS
    )
    ec2.get_waiter("image_available").wait(ImageIds=[answer["ImageId"]])
    sources = (fixture.image_id, answer["ImageId"])
    jobs = _at_once(fixture, tmp_path, [*zip(sources, CONSUMERS, strict=True)])
    for source, consumer, images in zip(sources, CONSUMERS, _images(jobs), strict=True):
        assert images[HOME] == source
        assert source in _copies(aws)[images[AWAY]]
        for region, image_id in images.items():
            permissions, of_snapshots = observed.sharing(aws, OWNER, region, image_id)
            assert permissions == {*fixture.account_ids(consumer)}
            assert of_snapshots == [permissions] * len(of_snapshots)
    assert len(_copies(aws)) == len(sources)
    for region in (HOME, AWAY):
        both = sorted(map(encrypted.root, fixture.account_ids(*CONSUMERS)))
        assert encrypted.grantees(aws, fixture.key(region)) == both
