# SPDX-License-Identifier: GPL-3.0-or-later

"""The role cleanup: its plan, its report on success and failure, and accurate outcomes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed
from .convergence import changing_calls
from .fixture import HOME, OWNER, Fixture
from .in_process import Modules
from .playbook import Ansible, Change, Run, version_of

FQCN = "golden.images.cleanup_amis"
AWAY = "eu-west-1"
DISKS = [{"device_name": "/dev/xvda", "size": 8}, {"device_name": "/dev/sdb", "size": 20}]
FORMS = {"report.csv", "report.html", "report.json", "report.sarif"}
SECRET = "s3cret-word"


@pytest.fixture
def images(aws: SimulatedAws, fixture: Fixture) -> dict[str, str]:
    """Images by name: a new and an old one of a family in each region, and one that an instance uses."""
    ages = {(HOME, "new"): 1, (HOME, "old"): 100, (HOME, "run"): 90, (AWAY, "away"): 1, (AWAY, "gone"): 200}
    common = {"account": OWNER, "devices": DISKS, "tags": {"family": "web"}}
    added = fixture.add_images(
        {f"web-{name}": {**common, "region": region, "age_days": age} for (region, name), age in ages.items()}
    )
    found = {name.removeprefix("web-"): image_id for name, image_id in added.items()}
    aws.client("ec2", OWNER, HOME).run_instances(ImageId=found["run"], MinCount=1, MaxCount=1)
    aws.clear_calls()
    return found


@pytest.fixture
def policy(ansible: Ansible) -> dict[str, Any]:
    """Deregister all unused images immediately, except for the latest of each family."""
    return {
        "cleanup_regions": [HOME, AWAY],
        "cleanup_family_tag": "family",
        "cleanup_deregister_after_days": 0,
        "cleanup_max_deletions": "50%",
        "cleanup_tombstone_path": str(ansible.folder / "tombstones.jsonl"),
        "cleanup_report_dir": str(ansible.folder / "cleanup"),
    }


def _report(ansible: Ansible, *folders: str) -> dict[str, Any]:
    folder = Path(ansible.folder, "cleanup", *folders)
    assert {file.name for file in folder.iterdir() if file.is_file()} == FORMS
    content: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return content


def _calls(run: Run) -> list[Any]:
    """The calls that a run made, or would make, without the files of its report."""
    actions = run.task("Retire the images").result["actions"]
    return [action for action in actions if action["action"] != "write"]


def _outcomes(report: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {one["image_id"]: (one["decision"], one["outcome"]) for one in report["images"]}


def _deregistered(run: Run) -> set[str]:
    return {one["image_id"] for one in run.facts["cleanup_deregistered"]}


def test_the_check_mode_of_the_role_is_not_always_that_of_the_command_line(
    aws: SimulatedAws, ansible: Ansible, images: dict[str, str], policy: dict[str, Any]
) -> None:
    role = {"role": "golden.images.cleanup"}
    planned = ansible.tasks([], roles=[{**role, "check_mode": True}], vars=policy)
    assert (planned.code, planned.facts["cleanup_status"]) == (0, "planned"), planned.text
    assert changing_calls(aws) == []
    assert _outcomes(_report(ansible, "plan"))[images["gone"]] == ("deregister", "planned")
    assert not (ansible.folder / "cleanup" / "report.json").exists()

    done = ansible.tasks([], "--check", roles=[{**role, "check_mode": False}], vars=policy)
    assert (done.code, done.facts["cleanup_status"]) == (0, "done"), done.text
    assert [one["ImageId"] for one in observed.own_images(aws, OWNER, AWAY)] == [images["away"]]
    assert _outcomes(_report(ansible))[images["gone"]] == ("deregister", "done")


@pytest.mark.quick
def test_a_run_performs_the_plan_that_check_mode_reports(
    aws: SimulatedAws, ansible: Ansible, images: dict[str, str], policy: dict[str, Any]
) -> None:
    # As an AWX survey sends them.
    policy |= {
        "cleanup_regions": f"{HOME}, {AWAY}",
        "cleanup_family_name_pattern": "",
        "cleanup_family_by_source": "false",
        "cleanup_keep_latest": "",
        "cleanup_max_age_days": "30",
        "cleanup_unused_for_days": "",
        "cleanup_states": "available,\ndisabled",
        "cleanup_protect_tags": "legal=hold, environment",
        "cleanup_deprecate_after_days": "",
        "cleanup_disable_after_days": "",
        "cleanup_deregister_after_days": "0",
        "cleanup_include_shared": "true",
        "cleanup_revoke_grants": "false",
        "cleanup_consumer_role_name": "",
        "cleanup_external_id": "",
        "cleanup_tombstone_s3_uri": "",
        "cleanup_prices": f"{HOME}: 0.05\ndefault: 0.10",
        "cleanup_currency": "EUR",
    }
    kept, deregistered = ("keep", "no_action"), ("old", "gone")
    unchanged = dict.fromkeys((images[name] for name in ("new", "run", "away")), kept)

    planned = ansible.run(FQCN, policy, "--check", "--diff")
    assert planned.code == 0, planned.text
    assert changing_calls(aws) == []
    plan = _report(ansible, "plan")
    assert not (ansible.folder / "cleanup" / "report.json").exists()
    assert _outcomes(plan) == unchanged | {images[name]: ("deregister", "planned") for name in deregistered}
    assert (plan["status"], planned.facts["cleanup_status"], _deregistered(planned)) == ("planned",) * 2 + (
        set(),
    )
    page = (ansible.folder / "cleanup" / "plan" / "report.html").read_text(encoding="utf-8")
    assert "Image cleanup plan" in page
    assert plan["summary"] == (
        "This is a plan, nothing was changed: 2 of 5 images would be deregistered, which would free at most "
        "56 GiB (4.20 EUR a month)."
    )

    done = ansible.run(FQCN, policy)
    assert done.code == 0, done.text
    report = _report(ansible)
    assert _outcomes(report) == unchanged | {images[name]: ("deregister", "done") for name in deregistered}
    assert (report["status"], report["totals"]["freed_monthly_cost"]) == ("done", 4.2)
    assert _deregistered(done) == {images[name] for name in deregistered}
    assert done.facts["cleanup_results"] == report["images"]
    assert _calls(done) == _calls(planned)
    for region, name in ((HOME, "old"), (AWAY, "gone")):
        assert images[name] not in {one["ImageId"] for one in observed.own_images(aws, OWNER, region)}
    (run,) = [one for one in report["images"] if one["image_id"] == images["run"]]
    assert [one["kind"] for one in run["evidence"]] == ["instance"]

    aws.clear_calls()
    again = ansible.run(FQCN, {**policy, "cleanup_currency": ""})
    assert (again.code, changing_calls(aws)) == (0, []), again.text
    assert again.changed == ["golden.images.cleanup : Retire the images"]
    assert _outcomes(_report(ansible)) == unchanged
    assert _report(ansible)["summary"] == "Nothing was done to 3 images."
    assert _report(ansible)["currency"] == "USD"
    assert _report(ansible)["changes"]["removed"] == []


@pytest.mark.nightly
def test_images_that_are_only_marked_are_not_called_untouched(
    aws: SimulatedAws, ansible: Ansible, images: dict[str, str], policy: dict[str, Any]
) -> None:
    """Every sentence is held against the calls that changed something."""
    waits = {name: value for name, value in policy.items() if name != "cleanup_deregister_after_days"}
    waits["cleanup_deprecate_after_days"] = 30
    planned = ansible.run(FQCN, waits, "--check")
    assert (planned.code, changing_calls(aws)) == (0, []), planned.text
    sentences = ("no stage would be applied to 5 images", "2 images would be tagged with the dates of stages")
    for sentence in sentences:
        assert sentence in _report(ansible, "plan")["summary"]

    marked = ansible.run(FQCN, waits)
    assert (marked.code, marked.facts["cleanup_status"]) == (0, "done"), marked.text
    changes = observed.changes(aws)
    assert {one.action for one in changes} == {"CreateTags"}
    assert {one.resource for one in changes} == {images["old"], images["gone"]}
    expected = "No stage was applied to 5 images. 2 images were tagged with the dates of stages."
    assert _report(ansible)["summary"] == expected
    assert expected in " ".join(marked.text.split())

    aws.clear_calls()
    again = ansible.run(FQCN, waits)
    assert (again.code, changing_calls(aws)) == (0, []), again.text
    assert _report(ansible)["summary"] == "Nothing was done to 5 images."


@pytest.mark.quick
def test_nothing_is_changed_above_the_limit_or_with_an_invalid_option(
    aws: SimulatedAws, ansible: Ansible, images: dict[str, str], policy: dict[str, Any]
) -> None:
    refused = ansible.run(FQCN, {**policy, "cleanup_max_deletions": "1"})
    assert refused.code != 0
    report = _report(ansible)
    assert (report["status"], report["images"]) == ("refused", [])
    assert "2 of 5 images would be disabled or deregistered" in report["summary"]
    assert report["totals"]["freed_gib"] == 0
    message = refused.task("Fail if the cleanup or its report failed").result["msg"]
    assert "2 of 5 images would be disabled or deregistered" in message
    assert (refused.facts["cleanup_status"], _deregistered(refused)) == ("refused", set())

    bad = ansible.run(FQCN, {**policy, "cleanup_prices": "ireland: cheap"})
    assert bad.code != 0
    assert "cleanup_prices: 'ireland': must be a number (got 'cheap')." in bad.text
    assert not [task for task in bad.tasks if task.name.endswith("Retire the images")]
    # What was meant to protect images is not ignored.
    role = {"include_role": {"name": "golden.images.cleanup"}}
    unclear: dict[str, dict[str, str]] = {
        "cleanup_protect_tag: the role has no such variable.": {"cleanup_protect_tag": "legal"},
        "protect_tags: 'legal: hold' can be a key and a value, or a key.": {
            "cleanup_protect_tags": "legal: hold"
        },
        "the item 'legal # hold' is ambiguous.": {"cleanup_protect_tags": "legal # hold"},
    }
    ignored = ansible.tasks(
        [
            {
                "name": problem,
                "block": [{**role, "vars": {**policy, **meant}}],
                "rescue": [{"name": "go on", "meta": "noop"}],
            }
            for problem, meant in unclear.items()
        ]
    )
    refusals = [str(task.result.get("msg")) for task in ignored.tasks if task.status == "failed"]
    assert [problem for problem in unclear if not any(problem in text for text in refusals)] == [], refusals
    assert changing_calls(aws) == []
    left = {one["ImageId"] for one in observed.own_images(aws, OWNER, HOME)}
    assert left >= {images["new"], images["old"], images["run"]}


def test_a_failed_region_is_not_done_and_the_others_are_completed(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, images: dict[str, str], policy: dict[str, Any]
) -> None:
    fixture.add(roles={"golden": {"accounts": ["sandbox"], "trusts": [OWNER], "external_id": SECRET}})
    permissions = {"Add": [{"UserId": aws.account_id("sandbox")}]}
    aws.client("ec2", OWNER, HOME).modify_image_attribute(ImageId=images["old"], LaunchPermission=permissions)
    aws.clear_calls()
    policy |= {
        "cleanup_include_shared": True,
        "cleanup_consumer_role_name": "golden",
        "cleanup_external_id": SECRET,
        "cleanup_prices": {"default": 0.05},
    }
    fault = {"code": "OperationNotPermitted", "message": "Not now.", "status": 400}
    aws.add_fault("error", action="DeregisterImage", region=AWAY, times=0, **fault)
    run = ansible.run(FQCN, policy, "-vvv")
    assert run.code != 0
    assert SECRET not in run.text
    assert SECRET not in "".join(
        file.read_text(encoding="utf-8") for file in (ansible.folder / "cleanup").iterdir()
    )
    report = _report(ansible)
    assert report["status"] == "incomplete"
    assert _outcomes(report)[images["old"]] == ("deregister", "done")
    assert _outcomes(report)[images["gone"]] == ("deregister", "not_done")
    assert _deregistered(run) == {images["old"]}
    assert {region: one["freed_gib"] for region, one in report["regions"].items()} == {HOME: 28, AWAY: 0}
    assert [(one["region"], one["error_code"]) for one in report["failures"]] == [
        (AWAY, "OperationNotPermitted")
    ]
    assert (
        "Not now (OperationNotPermitted)."
        in run.task("Fail if the cleanup or its report failed").result["msg"]
    )
    assert Change("DeregisterImage", HOME, images["old"]) in observed.changes(aws)


@pytest.mark.usefixtures("images")
def test_what_could_not_be_read_makes_the_cleanup_incomplete_and_fails_it_unless_told_otherwise(
    aws: SimulatedAws, ansible: Ansible, policy: dict[str, Any]
) -> None:
    policy |= {"cleanup_disable_after_days": 30}
    denied = {"code": "UnauthorizedOperation", "message": "No.", "status": 403}
    aws.add_fault("error", action="DescribeFleets", region=AWAY, times=0, **denied)
    checked = ansible.run(FQCN, policy, "--check")
    assert (checked.code != 0, checked.facts["cleanup_status"]) == (True, "incomplete")
    assert changing_calls(aws) == []
    place = f"{AWAY} in account {aws.account_id(OWNER)}"
    expected = (
        f"{place}: DescribeFleets could not be read, so images or snapshots are kept that could otherwise be "
        "retired"
    )
    assert expected in checked.task("Fail if the cleanup or its report failed").result["msg"]
    plan = _report(ansible, "plan")
    assert (plan["status"], plan["failures"]) == ("incomplete", [])
    assert [(one["region"], one["action"]) for one in plan["unreadable"]] == [(AWAY, "DescribeFleets")]
    assert plan["summary"] == (
        f"Incomplete, because these reads failed: DescribeFleets in {AWAY}. This is a plan, nothing was "
        "changed: no stage would be applied to 5 images. 1 image would be tagged with the dates of stages."
    )
    page = (ansible.folder / "cleanup" / "plan" / "report.html").read_text(encoding="utf-8")
    assert "Image cleanup plan" in page
    assert "Not readable" in page

    failed = ansible.run(FQCN, policy)
    quiet = ansible.run(FQCN, {**policy, "cleanup_fail_on": "none"})
    assert (failed.code != 0, quiet.code) == (True, 0), quiet.text
    for run in (failed, quiet):
        assert run.facts["cleanup_status"] == "incomplete"
        assert f"{place}: DescribeFleets could not be read" in " ".join(run.text.split())
    # The clock of the image in the other region runs, whether or not the task fails.
    assert observed.changes(aws)[0].action == "CreateTags"
    assert _report(ansible)["status"] == "incomplete"


@pytest.mark.nightly
@pytest.mark.oldest_boto
def test_nothing_is_retired_with_a_botocore_that_cannot_read_what_services_hide(
    aws: SimulatedAws, ansible: Ansible, images: dict[str, str], policy: dict[str, Any]
) -> None:
    run = ansible.run(FQCN, policy)
    retired = {one.resource for one in observed.changes(aws, refused=True) if one.action == "DeregisterImage"}
    seen = (run.code != 0, run.facts["cleanup_status"], retired)
    if version_of("botocore") >= (1, 42, 94):
        assert seen == (False, "done", {images["old"], images["gone"]}), run.text
    else:
        assert seen == (True, "incomplete", set()), run.text
        assert changing_calls(aws) == []
        assert "botocore 1.42.94 or newer is required" in " ".join(run.text.split())


@pytest.mark.parametrize(
    "action",
    [
        pytest.param("ListImagesInRecycleBin", marks=pytest.mark.nightly),
        pytest.param("DescribeLockedSnapshots", marks=pytest.mark.nightly),
        pytest.param("DescribeSnapshotTierStatus", marks=pytest.mark.nightly),
        "DescribeSnapshots",
    ],
)
def test_what_only_deletions_need_does_not_stop_images_from_being_disabled(
    aws: SimulatedAws, ansible: Ansible, images: dict[str, str], policy: dict[str, Any], action: str
) -> None:
    policy |= {"cleanup_regions": [HOME], "cleanup_disable_after_days": 0, "cleanup_fail_on": "none"}
    missing = {"code": "InvalidAction", "message": "Not valid for this web service.", "status": 400}
    aws.add_fault("error", action=action, times=0, **missing)
    run = ansible.run(FQCN, policy)
    assert (run.code, run.facts["cleanup_status"]) == (0, "incomplete"), run.text
    assert _outcomes(_report(ansible))[images["old"]] == ("disable", "done")
    assert {one.action for one in observed.changes(aws)} == {"DisableImage", "CreateTags"}
    aws.clear_faults()
    aws.clear_calls()
    run = ansible.run(FQCN, policy)
    assert (run.code, run.facts["cleanup_status"]) == (0, "done"), run.text
    assert _deregistered(run) == {images["old"]}


@pytest.mark.nightly
@pytest.mark.parametrize("restored", [False, True], ids=["is being archived", "was restored"])
def test_an_image_is_kept_if_its_snapshot_is_being_archived_or_was_restored_lately(
    aws: SimulatedAws, ansible: Ansible, images: dict[str, str], policy: dict[str, Any], restored: bool
) -> None:
    ec2 = aws.client("ec2", OWNER, HOME)
    (image,) = ec2.describe_images(ImageIds=[images["old"]])["Images"]
    snapshot_id = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    ec2.disable_image(ImageId=images["old"])
    aws.update_settings(archival_seconds=0 if restored else 3600)
    ec2.modify_snapshot_tier(SnapshotId=snapshot_id, StorageTier="archive")
    if restored:
        ec2.restore_snapshot_tier(SnapshotId=snapshot_id, PermanentRestore=True)
    run = ansible.run(FQCN, {**policy, "cleanup_regions": [HOME]})
    assert (run.code, _deregistered(run)) == (0, set()), run.text
    assert f"{snapshot_id} is archived, is being archived, or was restored" in json.dumps(_report(ansible))


@pytest.mark.nightly
def test_an_account_keeps_its_grant_until_what_it_has_under_the_key_is_gone(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any]
) -> None:
    aws.update_settings(new_grant_age_seconds=24 * 3600)
    disk = {"device_name": "/dev/xvda", "size": 8, "kms_key": "golden", "encrypted": True}
    common = {"account": OWNER, "region": HOME, "devices": [disk], "tags": {"family": "web"}}
    running, unread, unused = fixture.account_ids("sandbox", "web-prod", "web-staging")
    role: dict[str, Any] = {"trusts": [OWNER], "external_id": SECRET}
    built = fixture.add(
        roles={"golden": {**role, "accounts": ["sandbox", "web-staging"]}},
        kms_keys={"golden": {"account": OWNER, "regions": [HOME]}},
        images={f"web-{days}": {**common, "age_days": days} for days in (300, 200, 1)},
    )
    key = built["kms_keys"]["golden"][HOME]
    oldest, old, _new = (built["images"][f"web-{days}"]["image_id"] for days in (300, 200, 1))
    run, granted = ansible.module(
        "ami_kms_grant", kms_key_ids={HOME: key}, account_ids=[running, unread, unused]
    )
    assert (run.code, granted.result["actions"][0]["count"]) == (0, 3), run.text
    owner, consumer = aws.client("ec2", OWNER, HOME), aws.client("ec2", "sandbox", HOME)
    permission = [{"UserId": running}]
    owner.modify_image_attribute(ImageId=oldest, LaunchPermission={"Add": permission})
    instance = consumer.run_instances(
        ImageId=oldest,
        MinCount=1,
        MaxCount=1,
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "KmsKeyId": key}}],
        # EC2 hides its volume unless it is asked for.
        Operator={"Principal": "eks.amazonaws.com"},
    )["Instances"][0]
    (volume,) = (mapping["Ebs"]["VolumeId"] for mapping in instance["BlockDeviceMappings"])
    instance = instance["InstanceId"]
    assert consumer.describe_volumes()["Volumes"] == []
    backup = consumer.create_snapshot(VolumeId=volume)["SnapshotId"]
    consumer.stop_instances(InstanceIds=[instance])
    owner.modify_image_attribute(ImageId=oldest, LaunchPermission={"Remove": permission})
    policy |= {
        "cleanup_keep_latest": 2,
        "cleanup_revoke_grants": True,
        "cleanup_consumer_role_name": "golden",
        "cleanup_external_id": SECRET,
    }

    planned = ansible.run(FQCN, policy, "--check")
    done = ansible.run(FQCN, policy)
    for run in (planned, done):
        assert run.code != 0
        unreadable = run.facts["cleanup_report"]["unreadable"]
        assert [one["account_id"] for one in unreadable] == [unread]
        assert _calls(run) == []
        (message,) = [one["message"] for one in unreadable]
        assert f"The grants of {unread} on {key} may be needed" in message
        assert f"sts:AssumeRole on resource: arn:aws:iam::{unread}:role/golden" in message
    assert _grantees(aws, key) == sorted([running, unread, unused])
    assert _deregistered(done) == set()

    fixture.add(roles={"golden": {**role, "accounts": ["web-prod"]}})
    planned = ansible.run(FQCN, policy, "--check")
    done = ansible.run(FQCN, policy)
    assert (done.code, _deregistered(done)) == (0, {oldest}), done.text
    assert _calls(planned) == _calls(done)
    assert planned.facts["cleanup_report"]["kms_keys"] == done.facts["cleanup_report"]["kms_keys"]
    assert _grantees(aws, key) == [running]
    (found,) = _report(ansible)["kms_keys"]
    resources = {one["principal"]: one["resource_ids"] for one in found["kept_access"]}
    assert resources == {running: [backup, volume]}
    assert found["unseen_accounts"] == []
    shown = " ".join(done.text.split())
    assert f"The grants of {running} on {key} are kept: It has volumes or snapshots under the key" in shown
    page = (ansible.folder / "cleanup" / "report.html").read_text(encoding="utf-8")
    assert "KMS grants kept" in page
    assert SECRET not in done.text

    consumer.terminate_instances(InstanceIds=[instance])
    consumer.delete_snapshot(SnapshotId=backup)
    done = ansible.run(FQCN, {**policy, "cleanup_keep_latest": 1})
    assert done.code == 0, done.text
    assert {one["image_id"] for one in done.facts["cleanup_deregistered"]} == {old}
    assert (_grantees(aws, key), _report(ansible)["kms_keys"][0]["kept_access"]) == ([], [])


@pytest.mark.nightly
def test_an_account_keeps_its_grant_for_a_shared_snapshot_without_an_image(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any]
) -> None:
    """DeregisterImage leaves snapshots, and their permissions, unless it deletes them, too."""
    aws.update_settings(new_grant_age_seconds=24 * 3600)
    disk = {"device_name": "/dev/xvda", "size": 8, "kms_key": "golden", "encrypted": True}
    common = {"account": OWNER, "region": HOME, "devices": [disk], "tags": {"family": "web"}}
    account, other = fixture.account_ids("sandbox", "web-prod")
    built = fixture.add(
        roles={"golden": {"accounts": ["sandbox", "web-prod"], "trusts": [OWNER]}},
        kms_keys={"golden": {"account": OWNER, "regions": [HOME]}},
        images={f"web-{days}": {**common, "age_days": days} for days in (300, 200, 1)},
    )
    key = built["kms_keys"]["golden"][HOME]
    oldest, old, _new = (built["images"][f"web-{days}"]["image_id"] for days in (300, 200, 1))
    ansible.module("ami_kms_grant", kms_key_ids={HOME: key}, account_ids=[account, other])
    owner = aws.client("ec2", OWNER, HOME)
    (snapshot,) = observed.snapshot_ids(observed.image(aws, OWNER, HOME, oldest))
    owner.modify_snapshot_attribute(
        SnapshotId=snapshot,
        Attribute="createVolumePermission",
        CreateVolumePermission={"Add": [{"UserId": account}]},
    )
    owner.deregister_image(ImageId=oldest)
    policy |= {"cleanup_revoke_grants": True, "cleanup_consumer_role_name": "golden"}
    done = ansible.run(FQCN, {**policy, "cleanup_regions": [HOME]})
    assert (done.code, _deregistered(done)) == (0, {old}), done.text
    assert _grantees(aws, key) == [account]


@pytest.mark.nightly
def test_what_is_in_a_recycle_bin_may_be_under_any_key(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any]
) -> None:
    aws.update_settings(new_grant_age_seconds=24 * 3600)
    disk = {"device_name": "/dev/xvda", "size": 8, "kms_key": "golden", "encrypted": True}
    common = {"account": OWNER, "region": HOME, "devices": [disk], "tags": {"family": "web"}}
    built = fixture.add(
        roles={"golden": {"accounts": ["sandbox"], "trusts": [OWNER]}},
        kms_keys={"golden": {"account": OWNER, "regions": [HOME]}},
        images={f"web-{days}": {**common, "age_days": days} for days in (200, 1)},
    )
    key = built["kms_keys"]["golden"][HOME]
    account = aws.account_id("sandbox")
    ansible.module("ami_kms_grant", kms_key_ids={HOME: key}, account_ids=[account])
    ec2, period = (
        aws.client("ec2", "sandbox", HOME),
        {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"},
    )
    for resource_type in ("EBS_VOLUME", "EBS_SNAPSHOT"):
        aws.client("rbin", "sandbox", HOME).create_rule(ResourceType=resource_type, RetentionPeriod=period)
    volume = ec2.create_volume(AvailabilityZone=f"{HOME}a", Size=8, Encrypted=True, KmsKeyId=key)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.delete_volume(VolumeId=volume)
    ec2.delete_snapshot(SnapshotId=snapshot)
    policy |= {"cleanup_revoke_grants": True, "cleanup_consumer_role_name": "golden"}
    done = ansible.run(FQCN, {**policy, "cleanup_regions": [HOME]})
    assert done.code == 0, done.text
    assert _grantees(aws, key) == [account]
    ((kept,),) = [one["kept_access"] for one in _report(ansible)["kms_keys"]]
    assert kept["resource_ids"] == sorted([snapshot, volume])


def test_without_a_consumer_role_grants_are_kept_and_the_report_says_what_was_not_seen(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, modules: Modules, policy: dict[str, Any]
) -> None:
    aws.update_settings(new_grant_age_seconds=24 * 3600)
    disk = {"device_name": "/dev/xvda", "size": 8, "kms_key": "golden", "encrypted": True}
    common = {"account": OWNER, "region": HOME, "devices": [disk], "tags": {"family": "web"}}
    built = fixture.add(
        kms_keys={"golden": {"account": OWNER, "regions": [HOME]}},
        images={f"web-{days}": {**common, "age_days": days} for days in (200, 1)},
    )
    key = built["kms_keys"]["golden"][HOME]
    account = aws.account_id("sandbox")
    run, _granted = modules.module("ami_kms_grant", kms_key_ids={HOME: key}, account_ids=[account])
    assert run.code == 0, run.text
    done = ansible.run(FQCN, {**policy, "cleanup_revoke_grants": True})
    assert done.code == 0, done.text
    assert _grantees(aws, key) == [account]
    (found,) = _report(ansible)["kms_keys"]
    assert [one["principal"] for one in found["kept_access"]] == [account]
    assert found["unseen_accounts"] == [{"account_id": account, "reason": "consumer_role_name is not set."}]


def _grantees(aws: SimulatedAws, key: str) -> list[str]:
    grants = aws.client("kms", OWNER, HOME).list_grants(KeyId=key)["Grants"]
    return sorted(one["GranteePrincipal"].split(":")[4] for one in grants)
