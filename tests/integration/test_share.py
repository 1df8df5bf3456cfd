# SPDX-License-Identifier: GPL-3.0-or-later

"""ami_share and its playbooks: the requested permissions are applied, and no others are changed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed
from .attached import Attached
from .fixture import HOME, OWNER, STRANGER, UNIT, Fixture
from .in_process import Modules
from .playbook import MODULES, Ansible, Run, prediction_error

AWAY = "eu-west-1"
DISKS = [{"device_name": "/dev/xvda", "size": 8}, {"device_name": "/dev/sdb", "size": 20}]


@pytest.fixture
def images(fixture: Fixture) -> dict[str, str]:
    """The golden image in HOME, and one in another region that is already shared with sandbox."""
    sharing = {"accounts": ["sandbox"], "snapshot_accounts": ["sandbox"]}
    spec = {"account": OWNER, "region": AWAY, "devices": DISKS, "sharing": sharing}
    return {HOME: fixture.image_id, AWAY: fixture.add_images({"away": spec})["away"]}


def _share(name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, MODULES + "ami_share": arguments}


def _assert_shared(
    aws: SimulatedAws, images: dict[str, str], region: str, launch: set[str], volumes: set[str]
) -> None:
    seen = observed.sharing(aws, OWNER, region, images[region])
    assert seen == (launch, [volumes, volumes])


def _warnings(run: Run) -> str:
    return " ".join(run.text.split())


@pytest.mark.quick
def test_the_playbook_adds_permissions_and_removes_none(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, images: dict[str, str]
) -> None:
    named = fixture.account_ids("web-prod", "sandbox")
    variables = {
        "share_images": images,
        "share_account_ids": named,
        "share_org_unit_arns": [fixture.unit_arn(UNIT)],
        "share_shared_tags": {"version": "2026.11"},
    }
    planned = ansible.run("golden.images.share_ami", variables, "--check", "--diff")
    assert planned.code == 0, planned.text
    assert observed.changes(aws, refused=True) == []

    done = ansible.run("golden.images.share_ami", variables, "--diff")
    assert done.code == 0, done.text
    assert done.actions == planned.actions == observed.changes(aws)
    assert (planned.facts["share_status"], done.facts["share_status"]) == ("planned", "shared")
    assert (
        done.task("Share the images in each region").result["diff"]
        == (planned.task("Share the images in each region").result["diff"])
    )
    for region in images:
        _assert_shared(aws, images, region, {*named, fixture.unit_arn(UNIT)}, set(named))
    seen = observed.image(aws, "web-prod", AWAY, images[AWAY])
    assert observed.tags(seen) == {"ec2:SharedTag/version": "2026.11"}
    # Sandbox already had the permission in one of the regions.
    added = [call.parameters for call in aws.calls(action="ModifyImageAttribute", region=AWAY)]
    assert fixture.account_ids("sandbox")[0] not in str(added)

    aws.clear_calls()
    repeated = ansible.run("golden.images.share_ami", variables)
    assert (repeated.code, repeated.changed, observed.changes(aws, refused=True)) == (0, [], [])


@pytest.mark.quick
def test_exactly_the_named_accounts_then_no_account_then_public(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, images: dict[str, str]
) -> None:
    for region in images:
        ec2 = aws.client("ec2", OWNER, region)
        ec2.disable_image_block_public_access()
    (web,) = fixture.account_ids("web-prod")
    exact = {"images": images, "account_ids": [web], "purge_launch_permissions": True}
    private = {"images": images, "purge_launch_permissions": True, "allow_empty_purge": True}
    public = {"images": images, "group": "all", "allow_public": True}
    aws.clear_calls()
    run = ansible.tasks(
        [
            _share("exactly one", **exact),
            _share("exactly one again", **exact),
            _share("private", **private),
            _share("private again", **private),
            _share("public", **public),
            _share("public again", **public),
        ]
    )
    assert run.code == 0, run.text
    assert run.changed == ["exactly one", "private", "public"]
    for task, launch in (("exactly one", [web]), ("private", []), ("public", [])):
        groups = run.task(task).result["launch_permissions"]
        assert [account for group in groups for account in group["account_ids"]] == launch
        assert any(group["public"] for group in groups) is (task == "public")
        assert all(group["regions"] == sorted(images) for group in groups)
    assert observed.changes(aws) == run.actions
    for region in images:
        _assert_shared(aws, images, region, {"all"}, {"all"})
    assert observed.launch(aws, STRANGER, AWAY, images[AWAY]) in ("pending", "running")
    assert observed.copy(aws, STRANGER, AWAY, images[AWAY]).startswith("ami-")


@pytest.mark.nightly
def test_without_its_snapshots_an_image_can_be_launched_and_not_copied(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    accounts = fixture.account_ids("web-prod")
    run, task = ansible.module(
        "ami_share", image_id=fixture.image_id, region=HOME, account_ids=accounts, share_snapshots=False
    )
    assert run.code == 0, run.text
    assert [action["action"] for action in task.result["actions"]] == ["ModifyImageAttribute"]
    assert observed.launch(aws, "web-prod", HOME, fixture.image_id) in ("pending", "running")
    assert observed.copy(aws, "web-prod", HOME, fixture.image_id) == "InvalidRequest"


@pytest.mark.nightly
def test_a_thousand_accounts_take_one_call_for_an_image_and_two_for_a_snapshot(
    aws: SimulatedAws, ansible: Ansible, images: dict[str, str]
) -> None:
    # Sandbox is one of them in one of the regions, where one less is added.
    accounts = [f"{number:012}" for number in range(555555555555 - 999, 555555555555 + 1)]
    run, task = ansible.module("ami_share", images=images, account_ids=accounts)
    assert run.code == 0, run.text
    calls = Counter((change.region, change.action) for change in observed.changes(aws))
    assert calls == {
        (region, action): number
        for region in images
        for action, number in (("ModifyImageAttribute", 1), ("ModifySnapshotAttribute", 4))
    }
    assert sum(action.get("count", 1) for action in task.result["actions"]) == sum(calls.values())
    for region in images:
        _assert_shared(aws, images, region, set(accounts), set(accounts))


@pytest.mark.nightly
def test_a_purge_replaces_more_accounts_than_the_quota_has_room_for(
    aws: SimulatedAws, ansible: Ansible, fixture: Fixture
) -> None:
    old, new = ([f"{first + number:012}" for number in range(800)] for first in (300_000, 600_000))
    image = {"image_id": fixture.image_id, "region": HOME}
    purge = {**image, "account_ids": [*old[:100], *new], "purge_launch_permissions": True}
    run = ansible.tasks([_share("old", **image, account_ids=old), _share("new", **purge)])
    assert run.code == 0, run.text
    assert observed.changes(aws) == run.actions
    named = {*purge["account_ids"]}
    assert observed.sharing(aws, OWNER, HOME, fixture.image_id) == (named, [named, named])
    again = ansible.tasks([_share("new again", **purge)])
    assert (again.code, again.changed) == (0, [])


@pytest.mark.nightly
def test_missing_requirements_are_reported(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, images: dict[str, str]
) -> None:
    (owner,) = fixture.account_ids(OWNER)
    (web,) = fixture.account_ids("web-prod")
    at_home = {"image_id": images[HOME], "region": HOME}
    run = ansible.tasks([_share("only an organization", **at_home, org_arns=[fixture.org_arn])])
    assert run.code == 0, run.text
    assert "can launch the image, not copy it" in _warnings(run)
    assert observed.launch(aws, "sandbox", HOME, images[HOME]) in ("pending", "running")
    assert observed.copy(aws, "sandbox", HOME, images[HOME]) == "InvalidRequest"
    assert observed.launch(aws, STRANGER, HOME, images[HOME]) == "AuthFailure"

    run = ansible.tasks([_share("the owner as well", **at_home, account_ids=[owner, web])])
    assert run.code == 0, run.text
    assert f"{owner} owns the images and needs no permission: skipped" in _warnings(run)
    _assert_shared(aws, images, HOME, {web, fixture.org_arn}, {web})


def test_in_a_batch_that_aws_rejects_the_valid_entries_are_applied_and_the_invalid_one_is_named(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    bad, *good = sorted(fixture.account_ids("web-prod", "web-staging", "sandbox"))
    # For each snapshot and the image: all three are rejected, then the first alone, and not the others.
    for action, goes_well in (
        ("ModifySnapshotAttribute", 0),
        ("ModifySnapshotAttribute", 3),
        ("ModifyImageAttribute", 0),
    ):
        refusal = {"code": "InvalidAMIAttributeItemValue", "status": 400}
        aws.add_fault("error", action=action, after=goes_well, times=2, **refusal)
    variables = {"share_images": {HOME: fixture.image_id}, "share_account_ids": [bad, *good]}
    run = ansible.run("golden.images.share_ami", variables)
    task = run.task("Share the images in each region")
    assert run.code != 0
    assert {*task.codes} == {(HOME, "consumer_rejected")}
    assert f"AWS rejected {bad}" in task.result["msg"]
    assert not [account for account in good if account in task.result["msg"]]
    assert run.facts["share_status"] == "incomplete"
    (result,) = run.facts["share_results"]
    (permitted,) = run.facts["share_permissions"]["launch_permissions"]
    (of_snapshots,) = run.facts["share_permissions"]["volume_permissions"]
    assert (permitted["account_ids"], permitted["regions"]) == (sorted(good), [HOME])
    assert of_snapshots["account_ids"] == sorted(good)
    assert of_snapshots["snapshots"] == {HOME: result["snapshot_ids"]}
    assert len(result["snapshot_ids"]) == 2
    assert "Incomplete: 0 of 1 image shared with all accounts." in run.text
    assert observed.changes(aws) == run.actions
    launch, volumes = observed.sharing(aws, OWNER, HOME, fixture.image_id)
    assert (launch, volumes) == ({*good}, [{*good}, {*good}])


def test_a_region_that_fails_hides_no_other_regions_success(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, images: dict[str, str]
) -> None:
    refusal = {"code": "UnauthorizedOperation", "message": "You are not authorized", "status": 403}
    aws.add_fault("error", action="ModifyImageAttribute", region=AWAY, **refusal)
    (web,) = fixture.account_ids("web-prod")
    variables = {"share_images": images, "share_account_ids": [web]}
    failed = ansible.run("golden.images.share_ami", variables)
    task = failed.task("Share the images in each region")
    assert failed.code != 0
    assert task.codes == [(AWAY, "UnauthorizedOperation")]
    assert "Allow ec2:ModifyImageAttribute in the IAM policy" in task.result["msg"]
    assert [result["region"] for result in task.result["results"]] == [HOME]
    assert failed.facts["share_status"] == "incomplete"
    assert failed.facts["share_results"] == task.result["results"]
    assert failed.facts["share_failures"] == task.result["failures"]
    assert observed.changes(aws) == failed.actions
    _assert_shared(aws, images, HOME, {web}, {web})

    aws.clear_calls()
    rerun = ansible.run("golden.images.share_ami", variables)
    assert rerun.code == 0, rerun.text
    assert (rerun.facts["share_status"], rerun.facts["share_failures"]) == ("shared", [])
    assert prediction_error(rerun.actions, observed.changes(aws)) == ""
    assert [(change.action, change.region) for change in rerun.actions] == [("ModifyImageAttribute", AWAY)]
    _assert_shared(
        aws, images, AWAY, {web, *fixture.account_ids("sandbox")}, {web, *fixture.account_ids("sandbox")}
    )


def test_a_user_who_may_only_read_hears_of_all_missing_actions(
    aws: SimulatedAws, fixture: Fixture, tmp_path: Path
) -> None:
    reads = ["ec2:Describe*", "ec2:Get*", "sts:GetCallerIdentity"]
    statement = {"Effect": "Allow", "Action": reads, "Resource": "*"}
    user = Attached(aws, fixture, tmp_path, [{"Version": "2012-10-17", "Statement": [statement]}])
    run, task = Modules(user.ansible).module(
        "ami_share",
        images={HOME: fixture.image_id},
        account_ids=fixture.account_ids("web-prod"),
        shared_tags={"version": "1"},
    )
    assert run.code != 0
    denied = {failure["remedy"].split()[1] for failure in task.result["failures"]}
    assert denied == {"ec2:CreateTags", "ec2:ModifyImageAttribute", "ec2:ModifySnapshotAttribute"}
    assert "docs/iam/README.md#sharing has a policy with all actions" in task.result["msg"]
    assert observed.changes(aws) == []


PUBLIC = {"group": "all", "allow_public": True}


def _open_regions(aws: SimulatedAws, images: dict[str, str]) -> None:
    for region in images:
        aws.client("ec2", OWNER, region).disable_image_block_public_access()
    aws.clear_calls()


@pytest.mark.nightly
def test_a_watermarked_image_is_refused_before_anything_is_public(
    aws: SimulatedAws, ansible: Ansible, images: dict[str, str]
) -> None:
    """EC2 User Guide, "Use AMI watermarks to track and identify AMIs"."""
    aws.client("ec2", OWNER, AWAY).attach_image_watermark(ImageId=images[AWAY], WatermarkName="approved")
    _open_regions(aws, images)
    run, task = ansible.module("ami_share", images=images, **PUBLIC)
    assert run.code != 0
    (failure,) = task.result["failures"]
    assert (failure["region"], failure["error_code"]) == (AWAY, "watermark")
    assert "111111111111:approved" in failure["message"]
    assert observed.changes(aws, refused=True) == []


@pytest.mark.quick
def test_a_refused_image_leaves_no_snapshot_public(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, images: dict[str, str]
) -> None:
    """Beyond 5 public images in a region (iterative/studio-selfhosted#90), which no read tells before."""
    sharing = {"public": True}
    spec = {"account": OWNER, "region": AWAY, "devices": DISKS, "sharing": sharing}
    fixture.add_images({f"public-{number}": {**spec, "name": f"public-{number}"} for number in range(5)})
    _open_regions(aws, images)
    run, task = modules.module("ami_share", images=images, **PUBLIC)
    assert run.code != 0
    (failure,) = task.result["failures"]
    assert (failure["region"], failure["error_code"]) == (AWAY, "ResourceLimitExceeded")
    assert [one["region"] for one in task.result["results"]] == [HOME]
    sandbox = set(fixture.account_ids("sandbox"))
    _assert_shared(aws, images, AWAY, sandbox, sandbox)
    _assert_shared(aws, images, HOME, {"all"}, {"all"})


def test_what_was_opened_before_a_refused_snapshot_is_private_again(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, images: dict[str, str]
) -> None:
    _open_regions(aws, images)
    second = observed.snapshot_ids(observed.image(aws, OWNER, AWAY, images[AWAY]))[1]
    refused = {"kind": "error", "action": "ModifySnapshotAttribute", "region": AWAY, "after": 1}
    aws.add_fault(**refused, code="OperationNotPermitted", message="Refused for good.", status=400)
    run, task = modules.module("ami_share", images=images, **PUBLIC)
    assert run.code != 0
    (failure,) = task.result["failures"]
    assert (failure["region"], failure["error_code"]) == (AWAY, "OperationNotPermitted")
    assert f"{images[AWAY]}" in failure["remedy"]
    assert "private again" in failure["remedy"]
    assert second not in failure["remedy"]
    assert [one["region"] for one in task.result["results"]] == [HOME]
    sandbox = set(fixture.account_ids("sandbox"))
    _assert_shared(aws, images, AWAY, sandbox, sandbox)
    assert observed.changes(aws) == run.actions


@pytest.mark.nightly
def test_what_cannot_be_made_private_again_is_named(
    aws: SimulatedAws, ansible: Ansible, images: dict[str, str]
) -> None:
    _open_regions(aws, images)
    first = observed.snapshot_ids(observed.image(aws, OWNER, AWAY, images[AWAY]))[0]
    refused = {"kind": "error", "action": "ModifySnapshotAttribute", "region": AWAY, "after": 1, "times": 0}
    aws.add_fault(**refused, code="OperationNotPermitted", message="Refused for good.", status=400)
    run, task = ansible.module("ami_share", images=images, **PUBLIC)
    assert run.code != 0
    left = [one for one in task.result["failures"] if one["error_code"] == "still_public"]
    (failure,) = left
    assert first in failure["message"]
    assert f"--snapshot-id {first}" in failure["remedy"]
    assert "--group-names all" in failure["remedy"]
