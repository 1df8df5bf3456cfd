# SPDX-License-Identifier: GPL-3.0-or-later

"""playbooks/rollback_ami.yml: every region goes back to its copy of an earlier image, or none does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed, publishing
from .encrypted import await_matched
from .fixture import HOME, OWNER, Fixture
from .in_process import Modules
from .playbook import Ansible, kill
from .publishing import AWAY, CONSUMER, EVERYWHERE, PARAMETER, REGIONS, TEMPLATE

PLAYBOOK = "golden.images.rollback_ami"
TASK = "Publish the earlier image in each region"


@pytest.fixture
def releases(aws: SimulatedAws, fixture: Fixture, modules: Modules) -> list[dict[str, str]]:
    """Two images, published one after the other in two accounts; the second is in the newest version."""
    publishing.with_role(fixture)
    images = [publishing.golden_images(fixture, release) for release in ("2026.10", "2026.11")]
    publishing.add_templates(aws, images[0])
    options = {"launch_templates": [TEMPLATE], **publishing.in_consumers(fixture)}
    run = modules.tasks(
        [publishing.publish(one[HOME], images=one, source_image_id=one[HOME], **options) for one in images]
    )
    assert run.code == 0, run.text
    assert publishing.values(aws) == [images[1][region] for _, region in EVERYWHERE]
    aws.clear_calls()
    return images


def variables(fixture: Fixture, source_image_id: str) -> dict[str, Any]:
    """The variables of the playbook."""
    options = {f"rollback_{name}": value for name, value in publishing.in_consumers(fixture).items()}
    return {
        "rollback_parameter": PARAMETER,
        "rollback_regions": REGIONS,
        "rollback_source_image_id": source_image_id,
        "rollback_launch_templates": [TEMPLATE],
        **options,
    }


@pytest.mark.quick
def test_all_regions_go_back_and_forth_or_none_does(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, releases: list[dict[str, str]]
) -> None:
    first, second = releases
    check = ansible.run(PLAYBOOK, variables(fixture, first[HOME]), "--check", "--diff")
    assert check.code == 0, check.text
    assert publishing.written(aws, refused=True) == []
    done = ansible.run(PLAYBOOK, variables(fixture, first[HOME]), "--diff")
    assert done.code == 0, done.text
    assert publishing.planned(check) == publishing.planned(done) == publishing.written(aws)
    assert done.task(TASK).result["diff"] == check.task(TASK).result["diff"]
    assert {one["region"]: one["image_id"] for one in done.task(TASK).result["images"]} == first
    for account, region in EVERYWHERE:
        assert publishing.launched(aws, account, region) == first[region]
        assert publishing.default_of(aws, account, region)["ImageId"] == first[region]
        assert publishing.value(aws, account, region, f":source-{first[HOME]}") == first[region]
        assert publishing.value(aws, account, region, f":source-{second[HOME]}") == second[region]

    aws.clear_calls()
    again = ansible.run(PLAYBOOK, variables(fixture, first[HOME]))
    assert (again.code, again.changed, publishing.written(aws, refused=True)) == (0, [], []), again.text

    # A region whose copy no longer exists is named before any region is changed. At home, the label is not
    # needed: the source itself was published there.
    publishing.deregister(aws, AWAY, second[AWAY])
    for region in REGIONS:
        consumer = aws.client("ssm", CONSUMER, region)
        labels = [f"source-{second[HOME]}"]
        consumer.unlabel_parameter_version(Name=PARAMETER, ParameterVersion=2, Labels=labels)
    aws.clear_calls()
    run = ansible.run(PLAYBOOK, variables(fixture, second[HOME]))
    account, owner = fixture.account_ids(CONSUMER, OWNER)
    failures = run.task(TASK).result["failures"]
    assert sorted((one["account_id"], one["region"], one["error_code"]) for one in failures) == [
        (account, AWAY, "label_not_found"),
        (owner, AWAY, "image_not_found"),
    ]
    assert "This task changed nothing." in run.text
    assert publishing.written(aws, refused=True) == []
    assert publishing.values(aws) == [first[region] for _, region in EVERYWHERE]

    # Accounts with own copies do not need the owner's image to be shared; a survey sends text.
    permission = {"Remove": [{"UserId": account}]}
    aws.client("ec2", OWNER, HOME).modify_image_attribute(ImageId=second[HOME], LaunchPermission=permission)
    alone = {"rollback_parameter": PARAMETER, "rollback_regions": HOME, "rollback_require_shared": "false"}
    run = ansible.run(PLAYBOOK, {**alone, "rollback_source_image_id": second[HOME]})
    assert run.code == 0, run.text
    assert publishing.value(aws, OWNER, HOME) == second[HOME]


@pytest.mark.nightly
def test_an_image_that_was_promoted_and_its_copies_are_published_and_found_as_one(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    """Without source_image_id: the image of the home region is itself a copy, of the one that was built."""

    def copied(region: str, image_id: str) -> str:
        ec2 = aws.client("ec2", OWNER, region)
        copy = ec2.copy_image(Name=f"golden-{region}", SourceImageId=image_id, SourceRegion=HOME)["ImageId"]
        ec2.get_waiter("image_available").wait(ImageIds=[copy])
        return str(copy)

    built = fixture.image_id
    promoted = copied(HOME, built)
    images = {HOME: promoted, AWAY: copied(AWAY, promoted)}
    later = publishing.golden_images(fixture, "2026.12")
    tasks = [
        publishing.publish("First", images=images, require_shared=False),
        publishing.publish("Later", images=later, source_image_id=later[HOME], require_shared=False),
    ]
    run = ansible.tasks(tasks)
    assert run.code == 0, run.text
    labels = {f"source-{promoted}", f"source-{later[HOME]}"}
    assert [publishing.labels(aws, region) for region in REGIONS] == [labels, labels]

    # As it is after the image was published in its region alone: nothing shows then that it has copies.
    ssm = aws.client("ssm", OWNER, HOME)
    ssm.label_parameter_version(Name=PARAMETER, ParameterVersion=1, Labels=[f"source-{built}"])
    ssm.unlabel_parameter_version(Name=PARAMETER, ParameterVersion=1, Labels=[f"source-{promoted}"])
    alone = {"rollback_parameter": PARAMETER, "rollback_regions": REGIONS, "rollback_require_shared": False}
    run = ansible.run(PLAYBOOK, {**alone, "rollback_source_image_id": promoted})
    assert run.code == 0, run.text
    for region in REGIONS:
        assert publishing.value(aws, OWNER, region) == images[region]
        assert publishing.value(aws, OWNER, region, f":source-{promoted}") == images[region]
    run = ansible.run(PLAYBOOK, {**alone, "rollback_source_image_id": built})
    failures = run.task(TASK).result["failures"]
    assert [(one["region"], one["error_code"]) for one in failures] == [(AWAY, "label_not_found")]


@pytest.mark.nightly
@pytest.mark.parametrize("action", ["UnlabelParameterVersion", "PutParameter"])
def test_a_rerun_completes_a_rollback_that_was_killed_while_no_version_had_its_label(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, releases: list[dict[str, str]], action: str
) -> None:
    first, second = releases
    # The image to go back to is in the oldest of as many versions as AWS keeps.
    publishing.fill_up(aws, HOME, second[HOME], count=98)
    owner = aws.account_id(OWNER)
    aws.add_fault("freeze", action=action, region=HOME, account_id=owner, when="after", times=0)
    killed = ansible.start(PLAYBOOK, variables(fixture, first[HOME]))
    await_matched(aws, 1)
    kill(killed)
    aws.clear_faults()
    assert f"source-{first[HOME]}" not in publishing.labels(aws, HOME)

    rerun = ansible.run(PLAYBOOK, variables(fixture, first[HOME]))
    assert rerun.code == 0, rerun.text
    for account, region in EVERYWHERE:
        assert publishing.value(aws, account, region) == first[region]
        assert publishing.value(aws, account, region, f":source-{first[HOME]}") == first[region]


@pytest.mark.nightly
def test_a_cleanup_keeps_the_images_that_a_rollback_needs(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    def release(name: str, age_days: int) -> dict[str, str]:
        tags = {"family": "web"}
        return publishing.golden_images(fixture, name, sharing={}, age_days=age_days, tags=tags)

    unpublished, first, second = release("2026.09", 90), release("2026.10", 60), release("2026.11", 30)
    published = [
        publishing.publish(one[HOME], images=one, source_image_id=one[HOME], require_shared=False)
        for one in (first, second)
    ]
    run = ansible.tasks(published)
    assert run.code == 0, run.text
    policy = {
        "cleanup_regions": REGIONS,
        "cleanup_family_tag": "family",
        "cleanup_deregister_after_days": 0,
        "cleanup_max_deletions": "100%",
        "cleanup_tombstone_path": str(Path(ansible.folder, "tombstones.jsonl")),
    }
    # What cannot be read counts as in use.
    denied = {"code": "AccessDeniedException", "message": "No.", "status": 400}
    aws.add_fault("error", action="GetParameterHistory", times=0, **denied)
    run = ansible.run("golden.images.cleanup_amis", policy)
    assert (run.code, run.facts["cleanup_deregistered"]) == (2, []), run.text
    aws.clear_faults()

    run = ansible.run("golden.images.cleanup_amis", policy)
    assert run.code == 0, run.text
    for region in REGIONS:
        left = {one["ImageId"] for one in observed.own_images(aws, OWNER, region)}
        assert {first[region], second[region]} <= left
        assert unpublished[region] not in left
    alone = {"rollback_parameter": PARAMETER, "rollback_regions": REGIONS, "rollback_require_shared": False}
    run = ansible.run(PLAYBOOK, {**alone, "rollback_source_image_id": first[HOME]})
    assert run.code == 0, run.text
    assert [publishing.value(aws, OWNER, region) for region in REGIONS] == [first[one] for one in REGIONS]
