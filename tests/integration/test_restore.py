# SPDX-License-Identifier: GPL-3.0-or-later

"""Retired images are restored with their former permissions, and nothing else of them changes."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed
from .convergence import changing_calls
from .fixture import CONSUMERS, HOME, OWNER, Fixture
from .in_process import Modules
from .playbook import Ansible, kill

FQCN = "golden.images.restore_ami"
TASK = "Restore the images in each region"
AWAY = "eu-west-1"
DISKS = [{"device_name": "/dev/xvda", "size": 8}, {"device_name": "/dev/sdb", "size": 20}]
EVERY_VERSION = {"OptionName": "version-depth", "OptionValues": ["10000"]}
REPORTED = [
    {"ResourceType": "ec2:Instance"},
    {"ResourceType": "ec2:LaunchTemplate", "ResourceTypeOptions": [EVERY_VERSION]},
    {"ResourceType": "imagebuilder:ImageRecipe"},
    {"ResourceType": "imagebuilder:ContainerRecipe"},
]
_TIMEOUT = 60


class Retired:
    """Images of one family in two regions; the old ones are shared. Their former and current state."""

    def __init__(self, aws: SimulatedAws, fixture: Fixture, ansible: Ansible) -> None:
        self._aws, self._ansible = aws, ansible
        common = {"account": OWNER, "devices": DISKS, "tags": {"family": "web"}}
        made = fixture.add_images(
            {
                f"{name}-{region}": {**common, "region": region, "age_days": age}
                for region in (HOME, AWAY)
                for name, age in (("new", 1), ("old", 100))
            }
        )
        self.images = {region: made[f"old-{region}"] for region in (HOME, AWAY)}
        self.tombstones = ansible.folder / "retired.jsonl"
        first, second = fixture.account_ids(*CONSUMERS)
        launch = [{"UserId": first}, {"UserId": second}, {"OrganizationalUnitArn": fixture.unit_arn()}]
        for region, image_id in self.images.items():
            ec2 = aws.client("ec2", OWNER, region)
            ec2.modify_image_attribute(ImageId=image_id, LaunchPermission={"Add": launch})
            # It proves to the cleanup that no other account uses the image.
            ec2.create_image_usage_report(ImageId=image_id, ResourceTypes=REPORTED)
            one, _other = observed.snapshot_ids(observed.image(aws, OWNER, region, image_id))
            volume = {"Add": [{"UserId": second}]}
            ec2.modify_snapshot_attribute(
                SnapshotId=one, Attribute="createVolumePermission", CreateVolumePermission=volume
            )
        self.before = self.now()

    def now(self) -> dict[str, Any]:
        """State, tags, deprecation and sharing of each image."""
        found = {}
        for region, image_id in self.images.items():
            shown = observed.image(self._aws, OWNER, region, image_id)
            about = (shown["State"], observed.tags(shown), shown.get("DeprecationTime"))
            marks = [
                observed.snapshot_tags(self._aws, OWNER, region, one) for one in observed.snapshot_ids(shown)
            ]
            found[region] = (*about, marks, observed.sharing(self._aws, OWNER, region, image_id))
        return found

    def policy(self, **clocks: int) -> dict[str, Any]:
        """To retire the old images by these clocks."""
        return {
            "regions": [HOME, AWAY],
            "family_tag": "family",
            "max_deletions": "100%",
            "include_shared": True,
            "trust_usage_reports": True,
            "tombstone_path": str(self.tombstones),
            **clocks,
        }

    def retire(self, *policies: dict[str, Any]) -> None:
        """Clean up by one policy after the other."""
        run = self._ansible.tasks([{"golden.images.ami_cleanup": policy} for policy in policies])
        assert run.code == 0, run.text

    def variables(self, **changes: Any) -> dict[str, Any]:
        return {"restore_images": self.images, "restore_tombstone_path": str(self.tombstones), **changes}


@pytest.fixture
def retired(aws: SimulatedAws, fixture: Fixture, modules: Modules) -> Retired:
    return Retired(aws, fixture, modules)


def _retain(aws: SimulatedAws) -> None:
    for region in (HOME, AWAY):
        for kind in ("EC2_IMAGE", "EBS_SNAPSHOT"):
            period = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
            aws.client("rbin", OWNER, region).create_rule(ResourceType=kind, RetentionPeriod=period)


@pytest.mark.quick
def test_disabled_images_are_restored_as_they_were_also_after_a_kill(
    aws: SimulatedAws, ansible: Ansible, retired: Retired
) -> None:
    deprecating = retired.policy(deprecate_after_days=0)
    retired.retire(deprecating, {**deprecating, "disable_after_days": 0})
    assert observed.own_images(aws, OWNER, HOME)[0]["State"] == "disabled"
    assert "DeprecationTime" in observed.own_images(aws, OWNER, HOME)[0]
    # A disabled image keeps its snapshots' permissions; these were removed outside of this collection.
    one, _other = observed.snapshot_ids(observed.own_images(aws, OWNER, HOME)[0])
    aws.client("ec2", OWNER, HOME).reset_snapshot_attribute(
        SnapshotId=one, Attribute="createVolumePermission"
    )
    # Killed when the images can be launched, but only by their owner.
    aws.add_fault("freeze", action="ModifyImageAttribute", when="before", times=0)
    process = ansible.start(FQCN, retired.variables())
    deadline = time.monotonic() + _TIMEOUT
    while aws.faults()[0]["matched"] < 2:
        assert time.monotonic() < deadline, "the call to freeze was never made"
        time.sleep(0.1)
    kill(process)
    aws.clear_faults()
    assert [one[0] for one in retired.now().values()] == ["available", "available"]
    assert retired.now() != retired.before

    # The next cleanup keeps the images, which are not used and whose stage is undone.
    aws.clear_calls()
    retired.retire({**deprecating, "disable_after_days": 0})
    assert [call.action for call in aws.calls() if call.action == "DisableImage"] == []
    assert len(retired.tombstones.read_text(encoding="utf-8").splitlines()) == len(retired.images)

    rerun = ansible.run(FQCN, retired.variables())
    assert rerun.code == 0, rerun.text
    assert retired.now() == retired.before

    # An account unshared after that stays unshared; a survey sends text.
    permission = {"Remove": [{"UserId": aws.account_id(CONSUMERS[0])}]}
    aws.client("ec2", OWNER, HOME).modify_image_attribute(
        ImageId=retired.images[HOME], LaunchPermission=permission
    )
    aws.clear_calls()
    listed = ", ".join(f"{region}/{image_id}" for region, image_id in retired.images.items())
    again = ansible.run(FQCN, retired.variables(restore_images=listed))
    assert (again.code, again.changed, changing_calls(aws)) == (0, [], []), again.text


@pytest.mark.quick
def test_deregistered_images_are_restored_from_the_recycle_bin_snapshots_first(
    aws: SimulatedAws, ansible: Ansible, retired: Retired
) -> None:
    _retain(aws)
    # One goes through a stage that removes its permissions, the other does not.
    disabling = {**retired.policy(disable_after_days=0), "regions": [HOME]}
    deregistering = retired.policy(disable_after_days=0, deregister_after_days=0)
    retired.retire(disabling, deregistering)
    for region, image_id in retired.images.items():
        assert image_id not in [one["ImageId"] for one in observed.own_images(aws, OWNER, region)]
    aws.clear_calls()

    check = ansible.run(FQCN, retired.variables(), "--check", "--diff")
    assert check.code == 0, check.text
    assert changing_calls(aws) == []
    done = ansible.run(FQCN, retired.variables(), "--diff")
    assert done.code == 0, done.text
    planned, performed = check.task(TASK).result, done.task(TASK).result
    assert (performed["actions"], performed["results"]) == (planned["actions"], planned["results"])
    assert performed["diff"] == planned["diff"]
    assert retired.now() == retired.before
    order = [call.action for call in aws.calls(region=HOME) if call.action.startswith("Restore")]
    assert order == [*["RestoreSnapshotFromRecycleBin"] * 2, "RestoreImageFromRecycleBin"]


def _make_public(aws: SimulatedAws, retired: Retired) -> None:
    for region, image_id in retired.images.items():
        ec2 = aws.client("ec2", OWNER, region)
        ec2.disable_image_block_public_access()
        ec2.modify_image_attribute(ImageId=image_id, LaunchPermission={"Add": [{"Group": "all"}]})
        for one in observed.snapshot_ids(observed.image(aws, OWNER, region, image_id)):
            ec2.modify_snapshot_attribute(SnapshotId=one, OperationType="add", GroupNames=["all"])


def _public(aws: SimulatedAws, region: str) -> list[str]:
    """The images of the family and their snapshots that are public."""
    own = (
        one
        for one in aws.world()
        if (one["kind"], one["region"]) in (("image", region), ("snapshot", region))
    )
    return [one["name"] for one in own if one["public"] and not one.get("image_name", "").startswith("other")]


def test_a_refused_public_permission_leaves_no_snapshot_public(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, retired: Retired
) -> None:
    """Beyond 5 public images in a region (iterative/studio-selfhosted#90), which no read tells before."""
    _make_public(aws, retired)
    retired.retire(retired.policy(disable_after_days=0))
    for region in (HOME, AWAY):
        ec2 = aws.client("ec2", OWNER, region)
        for one in observed.own_snapshots(aws, OWNER, region):
            # Disabling keeps them.
            ec2.modify_snapshot_attribute(SnapshotId=one, OperationType="remove", GroupNames=["all"])
    spec = {"account": OWNER, "region": AWAY, "devices": DISKS, "sharing": {"public": True}}
    fixture.add_images({f"other-{number}": spec for number in range(5)})
    run = ansible.run(FQCN, retired.variables(restore_allow_public=True))
    assert run.code != 0
    (failure,) = run.task(TASK).result["failures"]
    assert (failure["region"], failure["error_code"]) == (AWAY, "ResourceLimitExceeded")
    assert (_public(aws, AWAY), len(_public(aws, HOME))) == ([], 3)


@pytest.mark.nightly
def test_what_comes_public_out_of_the_recycle_bin_is_closed_if_its_image_does_not(
    aws: SimulatedAws, ansible: Ansible, retired: Retired
) -> None:
    _retain(aws)
    # A copy's snapshots name it, so that they are found without a tombstone. The cleanup would write none: it
    # keeps images whose snapshots are public.
    for region, image_id in retired.images.items():
        ec2 = aws.client("ec2", OWNER, region)
        copy = ec2.copy_image(Name="copy", SourceImageId=image_id, SourceRegion=region)["ImageId"]
        retired.images[region] = copy
    _make_public(aws, retired)
    for region, image_id in retired.images.items():
        aws.client("ec2", OWNER, region).deregister_image(ImageId=image_id, DeleteAssociatedSnapshots=True)
    refused = {"kind": "error", "action": "RestoreImageFromRecycleBin", "region": AWAY, "times": 0}
    aws.add_fault(**refused, code="OperationNotPermitted", message="Refused for good.", status=400)
    variables = {"restore_images": retired.images, "restore_permissions": False, "restore_allow_public": True}
    run = ansible.run(FQCN, variables)
    assert run.code != 0
    (failure,) = run.task(TASK).result["failures"]
    assert (failure["region"], failure["error_code"]) == (AWAY, "OperationNotPermitted")
    assert "private again" in failure["remedy"]
    assert (_public(aws, AWAY), len(_public(aws, HOME))) == ([], 3)
    aws.clear_faults()
    rerun = ansible.run(FQCN, variables)
    assert rerun.code == 0, rerun.text
    # The image comes back as it was; what was closed is for a person to open.
    assert _public(aws, AWAY) == [retired.images[AWAY]]


@pytest.mark.nightly
def test_an_image_without_room_for_the_tag_of_a_restore_is_refused_before_anything_changes(
    aws: SimulatedAws, ansible: Ansible, retired: Retired
) -> None:
    """(botocore operation CreateTags: "Each resource can have a maximum of 50 tags".)"""
    _retain(aws)
    ec2, image_id = aws.client("ec2", OWNER, HOME), retired.images[HOME]
    # With the tag of the family and that of the stage, 50.
    more = [{"Key": f"tag-{number}", "Value": ""} for number in range(48)]
    ec2.create_tags(Resources=[image_id], Tags=more)
    state, tags, *others = retired.now()[HOME]
    variables = retired.variables(restore_images={HOME: image_id})
    for stages in ({"disable_after_days": 0}, {"disable_after_days": 0, "deregister_after_days": 0}):
        retired.retire({**retired.policy(**stages), "regions": [HOME]})
        aws.clear_calls()
        for flags in (["--check"], []):
            run = ansible.run(FQCN, variables, *flags)
            assert run.task(TASK).codes == [(HOME, "too_many_tags")]
            assert f"{image_id} has 50 tags" in run.task(TASK).result["msg"]
        assert changing_calls(aws) == []

    assert image_id in {one["ImageId"] for one in ec2.list_images_in_recycle_bin()["Images"]}
    ec2.delete_tags(Resources=[image_id], Tags=[{"Key": "tag-0"}])
    done = ansible.run(FQCN, variables)
    assert done.code == 0, done.text
    del tags["tag-0"]
    assert retired.now()[HOME] == (state, tags, *others)


@pytest.mark.nightly
def test_a_call_whose_answer_is_lost_is_done(aws: SimulatedAws, ansible: Ansible, retired: Retired) -> None:
    deprecating = retired.policy(deprecate_after_days=0)
    retired.retire(deprecating, {**deprecating, "disable_after_days": 0})
    _retain(aws)
    retired.retire(retired.policy(disable_after_days=0, deregister_after_days=0))
    for action in (
        "RestoreSnapshotFromRecycleBin",
        "RestoreImageFromRecycleBin",
        "EnableImage",
        "DisableImageDeprecation",
        "ModifyImageAttribute",
        "DeleteTags",
    ):
        aws.add_fault("drop", action=action, when="after", times=1)
    run = ansible.run(FQCN, retired.variables())
    assert run.code == 0, run.text
    assert [one["action"] for one in aws.faults() if not one["matched"]] == []
    assert retired.now() == retired.before


@pytest.mark.nightly
def test_a_deprecation_is_undone_after_the_image_was_used_again(
    aws: SimulatedAws, ansible: Ansible, retired: Retired
) -> None:
    later = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=200)
    aws.client("ec2", OWNER, AWAY).enable_image_deprecation(ImageId=retired.images[AWAY], DeprecateAt=later)
    retired.before = retired.now()
    policy = retired.policy(deprecate_after_days=0)
    retired.retire(policy)
    protected = {**policy, "protect_tags": ["family"]}
    retired.retire(protected)
    stages = [key for one in retired.now().values() for key in one[1] if key.endswith("-deprecated")]
    assert stages == []
    run = ansible.run(FQCN, {"restore_images": retired.images, "restore_permissions": False})
    assert run.code == 0, run.text
    assert retired.now() == retired.before


def test_what_cannot_be_restored_is_reported_before_anything_changes(
    aws: SimulatedAws, modules: Modules, retired: Retired
) -> None:
    ec2 = aws.client("ec2", OWNER, HOME)
    retired.retire(retired.policy(disable_after_days=0))
    ec2.deregister_image(ImageId=retired.images[HOME])
    aws.clear_calls()
    changed = modules.folder / "changed.jsonl"
    # A closed account is named, and all other accounts have the image again.
    tombstone = _lost(retired, AWAY)
    tombstone["launch_permissions"]["account_ids"].append("closed")
    changed.write_text(f"{json.dumps(tombstone)}\n{{half", encoding="utf-8")
    away = {AWAY: retired.images[AWAY]}
    attempts: dict[str, dict[str, Any]] = {
        "gone": {"images": retired.images, "tombstone_path": str(retired.tombstones)},
        "closed": {"images": away, "tombstone_path": str(changed)},
    }
    run = modules.tasks(
        [
            {"name": name, "golden.images.ami_restore": arguments, "ignore_errors": True}
            for name, arguments in attempts.items()
        ]
    )
    tasks = {name: run.task(name) for name in attempts}
    assert {name: task.codes for name, task in tasks.items()} == {
        "gone": [(HOME, "image_lost")],
        "closed": [(AWAY, "consumer_rejected")],
    }
    assert [name for name, task in tasks.items() if task.changed] == ["closed"]
    assert all(one["snapshot_id"] in tasks["gone"].result["msg"] for one in _lost(retired, HOME)["snapshots"])
    assert "This task changed nothing." in tasks["gone"].result["msg"]
    assert "AWS rejected closed" in tasks["closed"].result["msg"]
    assert "Line 2" in " ".join(run.text.split())
    assert {call.region for call in aws.calls(action="EnableImage")} == {AWAY}
    assert observed.sharing(aws, OWNER, AWAY, away[AWAY]) == retired.before[AWAY][-1]
    # The image of the task that names the closed account is restored.
    (restored,) = tasks["closed"].result["results"]
    assert (restored["image_id"], restored["previous_state"]) == (away[AWAY], "disabled")
    given = sorted(aws.account_id(one) for one in CONSUMERS)
    assert restored["launch_permissions"]["account_ids"] == given


@pytest.mark.nightly
def test_an_image_whose_snapshot_is_being_archived_is_not_enabled(
    aws: SimulatedAws, ansible: Ansible, retired: Retired
) -> None:
    """It could be launched only until the archival is complete, which takes hours."""
    retired.retire(retired.policy(disable_after_days=0))
    aws.update_settings(archival_seconds=3600)
    ec2 = aws.client("ec2", OWNER, HOME)
    snapshot = _lost(retired, HOME)["snapshots"][0]["snapshot_id"]
    ec2.modify_snapshot_tier(SnapshotId=snapshot)
    run, refused = ansible.module(
        "ami_restore", images=retired.images, tombstone_path=str(retired.tombstones)
    )
    assert refused.codes == [(HOME, "snapshot_archived")], run.text
    assert f"{snapshot} is archived, or being archived." in refused.result["msg"]
    assert aws.calls(action="EnableImage") == []


def _lost(retired: Retired, region: str) -> dict[str, Any]:
    """The tombstone of a region's image."""
    lines = Path(retired.tombstones).read_text(encoding="utf-8").splitlines()
    (found,) = (one for one in map(json.loads, lines) if one["region"] == region)
    return dict(found)


@pytest.mark.nightly
def test_a_bucket_that_another_account_has_by_now_is_neither_written_nor_read(
    aws: SimulatedAws, ansible: Ansible, retired: Retired
) -> None:
    """S3 User Guide, "Verifying bucket ownership with bucket owner condition"."""
    theirs, bucket = CONSUMERS[0], "golden-tombstones"
    s3 = aws.client("s3", theirs, HOME)
    s3.create_bucket(Bucket=bucket)
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{aws.account_id(OWNER)}:root"},
        "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    policy = {**retired.policy(disable_after_days=0), "region": HOME, "tombstone_s3_uri": f"s3://{bucket}"}
    del policy["tombstone_path"]
    run, refused = ansible.module("ami_cleanup", **policy)
    assert run.code != 0
    assert set(refused.codes) == {(HOME, "AccessDenied")}
    assert "tombstone_s3_bucket_owner" in run.text
    assert (s3.list_objects_v2(Bucket=bucket)["KeyCount"], retired.now()) == (0, retired.before)

    # Its name is known: it is meant.
    owner = {"tombstone_s3_bucket_owner": aws.account_id(theirs)}
    retired.retire({**policy, **owner})
    assert _states(aws, retired) == {"disabled"}
    variables = {"restore_images": retired.images, "restore_tombstone_s3_uri": f"s3://{bucket}"}
    run = ansible.run(FQCN, variables)
    assert run.code != 0
    assert "tombstone_s3_bucket_owner" in run.text
    assert _states(aws, retired) == {"disabled"}
    run = ansible.run(FQCN, {**variables, **{f"restore_{name}": value for name, value in owner.items()}})
    assert run.code == 0, run.text
    assert retired.now() == retired.before


def _states(aws: SimulatedAws, retired: Retired) -> set[str]:
    shown = (one for region in retired.images for one in observed.own_images(aws, OWNER, region))
    return {one["State"] for one in shown if one["ImageId"] in retired.images.values()}
