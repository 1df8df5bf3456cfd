# SPDX-License-Identifier: GPL-3.0-or-later

"""A release whose images have the tag of a recall: no step brings it back, also in check mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed, publishing
from .convergence import changing_calls
from .fixture import HOME, OWNER, STRANGER, Fixture
from .in_process import Modules
from .playbook import MODULES, Ansible, Run
from .publishing import AWAY, CONSUMER, PARAMETER, REGIONS
from .recalling import RECALLED_TAG

DISTRIBUTE, PLAN = "golden.images.distribute_ami", "Plan the copies"
TIME = "2026-12-01T23:40:05Z"
TAG = {"Key": RECALLED_TAG, "Value": TIME}
EVERY_REGION = [(region, "image_recalled") for region in REGIONS]


def recall(aws: SimulatedAws, images: Mapping[str, str]) -> None:
    """Set the tag of a recall on the owner's images, by region."""
    for region, image_id in images.items():
        aws.client("ec2", OWNER, region).create_tags(Resources=[image_id], Tags=[TAG])
    aws.clear_calls()


def distribution(fixture: Fixture, source_image_id: str) -> dict[str, Any]:
    return {
        "distribute_source_image_id": source_image_id,
        "distribute_source_region": HOME,
        "distribute_regions": REGIONS,
        "distribute_account_ids": fixture.account_ids(CONSUMER),
        "distribute_verify_level": "none",
        "distribute_publish_parameter": PARAMETER,
        "distribute_report_path": "report.json",
    }


def refused(run: Run, task: str) -> list[tuple[str | None, str]]:
    """Region and code of each failure of a task that failed."""
    assert run.task(task).status == "failed", run.text
    assert "was recalled at" in run.task(task).result["msg"]
    return sorted(run.task(task).codes)


@pytest.mark.quick
def test_nothing_brings_a_recalled_release_back(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, modules: Modules
) -> None:
    variables = distribution(fixture, fixture.image_id)
    done = ansible.run(DISTRIBUTE, variables)
    assert done.code == 0, done.text
    images = done.facts["distribute_images"]
    later = publishing.golden_images(fixture, "2026.12")
    published = modules.tasks([publishing.publish("Later", images=later, source_image_id=later[HOME])])
    assert published.code == 0, published.text
    recall(aws, images)

    best_effort = {"distribute_best_effort_regions": REGIONS}
    for more, options in ((best_effort, ("--check",)), ({}, ())):
        run = ansible.run(DISTRIBUTE, {**variables, **more}, *options)
        assert run.code == 2
        assert refused(run, PLAN) == [(HOME, "image_recalled")]
    (stranger,) = fixture.account_ids(STRANGER)
    back = {"regions": REGIONS, "source_image_id": fixture.image_id, "require_shared": False}
    consumers = {"account_ids": fixture.account_ids(CONSUMER)}
    tasks = [
        {"name": "Share", MODULES + "ami_share": {"images": images, "account_ids": [stranger]}},
        publishing.publish("Publish", images=images, publish_older=True),
        publishing.publish("Roll back", **back, best_effort_regions=REGIONS),
        {
            "name": "Look up",
            "ansible.builtin.debug": {
                "msg": f"{{{{ query('golden.images.ami', '{images[AWAY]}', region='{AWAY}') }}}}"
            },
        },
    ]
    for options in (("--check",), ()):
        run = ansible.tasks([{**task, "ignore_errors": True} for task in tasks], *options)
        for name in ("Share", "Publish", "Roll back"):
            assert refused(run, name) == sorted(EVERY_REGION)
        assert f"{images[AWAY]} was recalled at {TIME}" in run.task("Look up").result["msg"]
    assert changing_calls(aws) == []
    assert [publishing.value(aws, OWNER, region) for region in REGIONS] == [later[one] for one in REGIONS]

    # Access can still be taken away.
    run = modules.tasks([{MODULES + "ami_share": {"images": images, **consumers, "state": "absent"}}])
    assert run.code == 0, run.text
    assert [publishing.shared_with(aws, region, images[region]) for region in REGIONS] == [set(), set()]


@pytest.mark.parametrize("owner", [OWNER, pytest.param(STRANGER, marks=pytest.mark.nightly)])
def test_a_release_is_not_copied_again_beside_its_recalled_copy(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, owner: str
) -> None:
    """Only the owner of the source sees its tags. The copy has none of them but the user's."""
    spec = {"account": owner, "region": HOME, "devices": [{"device_name": "/dev/xvda", "size": 8}]}
    sharing = {"accounts": [OWNER]} if owner != OWNER else {}
    made = fixture.add_images(
        {"built": {**spec, "name": "built", "tags": {"role": "web"}, "sharing": sharing}}
    )
    if owner != OWNER:
        share_volumes(aws, fixture, made["built"])
    copy = {
        "source_image_id": made["built"],
        "source_region": HOME,
        "regions": [AWAY, "us-west-2"],
        "copy_tags": True,
    }
    first, task = modules.module("ami_copy_regions", **{**copy, "regions": [AWAY]})
    assert first.code == 0, first.text
    (copied,) = task.result["images"].values()
    recall(aws, {AWAY: copied})
    for options in (("--check",), ()):
        run, task = modules.module("ami_copy_regions", *options, **copy)
        assert (run.code, task.codes) == (2, [(AWAY, "image_recalled")])
    assert changing_calls(aws) == []
    assert [one["ImageId"] for one in observed.own_images(aws, OWNER, AWAY)] == [copied]


def share_volumes(aws: SimulatedAws, fixture: Fixture, image_id: str) -> None:
    """Let the owner copy a stranger's image."""
    (account_id,) = fixture.account_ids(OWNER)
    for snapshot_id in observed.snapshot_ids(observed.image(aws, STRANGER, HOME, image_id)):
        aws.client("ec2", STRANGER, HOME).modify_snapshot_attribute(
            SnapshotId=snapshot_id,
            Attribute="createVolumePermission",
            CreateVolumePermission={"Add": [{"UserId": account_id}]},
        )


def test_a_recalled_image_stays_in_the_recycle_bin_until_its_tag_is_deleted(
    aws: SimulatedAws, fixture: Fixture, modules: Modules
) -> None:
    """So does a disabled one."""
    period = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
    aws.client("rbin", OWNER, AWAY).create_rule(ResourceType="EC2_IMAGE", RetentionPeriod=period)
    images = publishing.golden_images(fixture, "2026.11")
    recall(aws, images)
    publishing.disable(aws, HOME, images[HOME])
    publishing.deregister(aws, AWAY, images[AWAY])
    aws.clear_calls()
    tombstones = modules.folder / "retired.jsonl"
    tombstones.touch()
    restore = {
        "images": images,
        "tombstone_path": str(tombstones),
        "restore_permissions": False,
        "allow_public": True,
    }
    for options in (("--check",), ()):
        run, task = modules.module("ami_restore", *options, **restore)
        assert (run.code, sorted(task.codes)) == (2, sorted(EVERY_REGION)), run.text
    assert changing_calls(aws) == []

    for region, image_id in images.items():
        aws.client("ec2", OWNER, region).delete_tags(Resources=[image_id], Tags=[{"Key": TAG["Key"]}])
    run, _task = modules.module("ami_restore", **restore)
    assert run.code == 0, run.text
    assert [observed.image(aws, OWNER, one, images[one])["State"] for one in REGIONS] == ["available"] * 2
