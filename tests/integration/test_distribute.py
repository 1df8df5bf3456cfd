# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook distribute_ami.yml without failures: check mode, real run, result, rerun."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed
from .fixture import CONSUMERS, HOME, OWNER, STRANGER, UNIT, Fixture
from .playbook import CHECKOUT, Ansible, prediction_error

FQCN = "golden.images.distribute_ami"
REGIONS = [HOME, "eu-west-1", "us-west-2"]


@pytest.fixture
def variables(fixture: Fixture) -> dict[str, Any]:
    """A distribution to two other regions, two accounts and an organizational unit."""
    return {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": REGIONS,
        "distribute_account_ids": fixture.account_ids(*CONSUMERS),
        "distribute_org_unit_arns": [fixture.unit_arn(UNIT)],
        "distribute_tags": {"role": "web"},
        "distribute_shared_tags": {"version": "2026.11"},
        "distribute_report_path": "report.json",
    }


@pytest.mark.per_python
@pytest.mark.quick
@pytest.mark.ansible_13
@pytest.mark.oldest_boto
def test_a_run_does_what_check_mode_predicts_and_a_rerun_nothing(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    aws.update_settings(copy_seconds=2)
    report = ansible.folder / "report.json"
    variables["distribute_report_path"] = str(report)

    planned = ansible.run(FQCN, variables, "--check", "--diff")
    assert planned.code == 0, planned.text
    assert observed.changes(aws, refused=True) == []
    assert not report.exists()
    assert planned.facts["distribute_images"] == {
        HOME: fixture.image_id,
        "eu-west-1": None,
        "us-west-2": None,
    }

    aws.clear_calls()
    done = ansible.run(FQCN, variables, "--diff")
    assert done.code == 0, done.text
    assert prediction_error(planned.actions, done.actions) == ""
    assert observed.changes(aws) == done.actions
    images = done.facts["distribute_images"]
    assert sorted(images) == sorted(REGIONS)
    for region, image_id in images.items():
        _assert_distributed(aws, fixture, region, image_id)
    written = json.loads(report.read_text(encoding="utf-8"))
    assert written["status"] == "distributed"
    assert written["regions"] == done.facts["distribute_results"]
    assert {entry["region"]: entry["image_id"] for entry in written["regions"]} == images

    before = (report.stat().st_mtime_ns, report.read_bytes())
    aws.clear_calls()
    repeated = ansible.run(FQCN, variables, "--diff")
    assert (repeated.code, repeated.changed, repeated.actions) == (0, [], [])
    assert observed.changes(aws, refused=True) == []
    assert repeated.facts["distribute_images"] == images
    assert (report.stat().st_mtime_ns, report.read_bytes()) == before


@pytest.mark.nightly
def test_an_encrypted_volume_that_is_created_empty_needs_no_key(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    """(botocore shape EbsBlockDevice: Encrypted can be set for a new volume, KmsKeyId only in a launch.)"""
    (root, _data) = observed.snapshot_ids(observed.image(aws, OWNER, HOME, fixture.image_id))
    scratch = {"DeviceName": "/dev/sdc", "Ebs": {"VolumeSize": 5, "Encrypted": True}}
    registered = aws.client("ec2", OWNER, HOME).register_image(
        Name="golden-with-scratch-disk",
        Architecture="x86_64",
        RootDeviceName="/dev/xvda",
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": root}}, scratch],
    )
    variables |= {
        "distribute_source_image_id": registered["ImageId"],
        "distribute_report_path": str(ansible.folder / "report.json"),
    }
    done = ansible.run(FQCN, variables)
    assert done.code == 0, done.text
    images = done.facts["distribute_images"]
    for region, image_id in images.items():
        consumer = CONSUMERS[0]
        shown = observed.image(aws, consumer, region, image_id)
        disks = {one["DeviceName"]: one["Ebs"] for one in shown["BlockDeviceMappings"]}
        assert (disks["/dev/xvda"]["Encrypted"], disks["/dev/sdc"]["Encrypted"]) == (False, True)
        assert "SnapshotId" not in disks["/dev/sdc"]
        assert observed.launch(aws, consumer, region, image_id) in ("pending", "running")

    aws.clear_calls()
    rerun = ansible.run(FQCN, variables)
    assert (rerun.code, rerun.changed, observed.changes(aws, refused=True)) == (0, [], []), rerun.text
    assert rerun.facts["distribute_images"] == images


@pytest.mark.nightly
def test_copies_that_are_pending_again_after_they_were_available(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    """(hashicorp/packer#2659; EC2 Developer Guide, "Eventual consistency".)"""
    aws.update_settings(image_settles_after_seconds=12)
    variables["distribute_report_path"] = str(ansible.folder / "report.json")
    done = ansible.run(FQCN, variables)
    assert done.code == 0, done.text
    aws.update_settings(image_settles_after_seconds=0)
    for region, image_id in done.facts["distribute_images"].items():
        _assert_distributed(aws, fixture, region, image_id)


def _assert_distributed(aws: SimulatedAws, fixture: Fixture, region: str, image_id: str) -> None:
    shown = observed.image(aws, OWNER, region, image_id)
    assert shown["State"] == "available"
    assert len(observed.own_images(aws, OWNER, region)) == 1
    if region != HOME:
        assert (shown["SourceImageId"], shown["SourceImageRegion"]) == (fixture.image_id, HOME)
        assert shown["Name"] == f"{fixture.name}-{fixture.image_id}"
        assert observed.tags(shown)["role"] == "web"
    accounts = set(fixture.account_ids(*CONSUMERS))
    launch, volumes = observed.sharing(aws, OWNER, region, image_id)
    assert launch == accounts | {fixture.unit_arn(UNIT)}
    assert volumes == [accounts, accounts]
    for consumer in CONSUMERS:
        seen = observed.image(aws, consumer, region, image_id)
        assert observed.tags(seen) == {"ec2:SharedTag/version": "2026.11"}
        assert observed.launch(aws, consumer, region, image_id) in ("pending", "running")
        assert observed.copy(aws, consumer, region, image_id).startswith("ami-")
    # Included by the organizational unit: can launch, but not copy, which requires the snapshots.
    assert observed.launch(aws, "data-prod", region, image_id) in ("pending", "running")
    assert observed.copy(aws, "data-prod", region, image_id) == "InvalidRequest"
    assert observed.launch(aws, STRANGER, region, image_id) == "AuthFailure"
    assert observed.copy(aws, STRANGER, region, image_id) == "InvalidAMIID.NotFound"


@pytest.mark.nightly
def test_purge_without_sharing_snapshots_removes_access_to_them(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    kept, lost = CONSUMERS
    shared = ansible.run(FQCN, variables)
    assert shared.code == 0, shared.text
    images = shared.facts["distribute_images"]
    named, unnamed = (set(fixture.account_ids(one)) for one in (kept, lost))
    unit = fixture.unit_arn(UNIT)
    variables |= {
        "distribute_account_ids": [*named],
        "distribute_share_snapshots": False,
        "distribute_purge_access": True,
    }
    planned = ansible.run(FQCN, variables, "--check", "--diff")
    assert planned.code == 0, planned.text
    for region, image_id in images.items():
        launch, volumes = observed.sharing(aws, OWNER, region, image_id)
        assert (launch, volumes) == ({*named, *unnamed, unit}, [named | unnamed] * len(volumes))

    aws.clear_calls()
    purged = ansible.run(FQCN, variables, "--diff")
    assert purged.code == 0, purged.text
    assert planned.actions == purged.actions == observed.changes(aws)
    assert planned.facts["distribute_results"] == purged.facts["distribute_results"]
    for region, image_id in images.items():
        launch, volumes = observed.sharing(aws, OWNER, region, image_id)
        assert (launch, volumes) == ({*named, unit}, [named] * len(volumes))
        assert observed.copy(aws, lost, region, image_id) == "InvalidAMIID.NotFound"
        assert observed.copy(aws, kept, region, image_id).startswith("ami-")

    aws.clear_calls()
    repeated = ansible.run(FQCN, variables)
    assert (repeated.code, repeated.changed, observed.changes(aws, refused=True)) == (0, [], [])


@pytest.mark.per_python
@pytest.mark.quick
def test_the_diff_shows_images_and_permissions_of_every_region(
    fixture: Fixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    run = ansible.run(FQCN, variables, "--check", "--diff")
    copied = run.task("Plan the copies").result["diff"]
    assert copied["state_before"][HOME] == copied["state_after"][HOME]
    assert copied["state_before"]["eu-west-1"] == {}
    assert copied["state_after"]["eu-west-1"]["image_id"] == "(known after apply)"
    shared = run.task("Share the copies").result["diff"]
    assert {*shared["state_before"]["images"]} == {*REGIONS}
    assert shared["state_before"]["launch_permissions"] == []
    (after,) = shared["state_after"]["launch_permissions"]
    assert after["account_ids"] == sorted(fixture.account_ids(*CONSUMERS))
    assert after["org_unit_arns"] == [fixture.unit_arn(UNIT)]
    assert after["regions"] == sorted(REGIONS)


@pytest.mark.per_python
@pytest.mark.quick
def test_by_path_and_with_an_inventory_that_lists_localhost(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    inventory = ansible.folder / "hosts.yml"
    inventory.write_text("all: {hosts: {localhost: {}}}\n", encoding="utf-8")
    variables |= {"distribute_regions": [HOME, "eu-west-1"], "distribute_report_path": ""}
    run = ansible.run(CHECKOUT / "playbooks" / "distribute_ami.yml", variables, "-i", str(inventory))
    assert run.code == 0, run.text
    assert observed.changes(aws) == run.actions
    assert sorted(run.facts["distribute_images"]) == ["eu-west-1", HOME]


@pytest.mark.nightly
def test_facts_are_reset_for_a_second_distribution_in_the_same_play(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    database = {"account": OWNER, "region": HOME, "devices": [{"device_name": "/dev/xvda", "size": 8}]}
    other = fixture.add_images({"golden-db": database})["golden-db"]
    first = {**variables, "distribute_regions": ["eu-west-1"], "distribute_report_path": ""}
    second = {**first, "distribute_source_image_id": other, "distribute_regions": ["eu-north-1"]}
    roles = [
        {
            "name": "Distribute",
            "ansible.builtin.include_role": {"name": "golden.images.distribute"},
            "vars": values,
        }
        for values in (first, second)
    ]
    facts = {
        "name": "Images of the last",
        "ansible.builtin.set_fact": {"last": "{{ distribute_images }}", "all": "{{ distribute_results }}"},
    }
    run = ansible.tasks([*roles, facts])
    assert run.code == 0, run.text
    assert list(run.facts["last"]) == ["eu-north-1"]
    assert [entry["region"] for entry in run.facts["all"]] == ["eu-north-1"]
    assert observed.attempts(aws, "CopyImage") == ["eu-north-1", "eu-west-1"]


def test_each_host_of_a_play_keeps_the_order_of_its_steps(
    ansible: Ansible, variables: dict[str, Any]
) -> None:
    """Ansible runs an include of several hosts at once: a host with fewer steps must not set the order."""
    hosts = {
        "fewer": {"distribute_publish_parameter": "/golden/fewer"},
        "more": {"distribute_publish_parameter": "/golden/more", "distribute_purge_access": True},
    }
    common = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        **{name: value for name, value in variables.items() if name != "distribute_report_path"},
    }
    inventory, play = ansible.folder / "hosts.json", ansible.folder / "play.yml"
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}), encoding="utf-8")
    role = {"hosts": "all", "gather_facts": False, "roles": ["golden.images.distribute"]}
    play.write_text(json.dumps([role]), encoding="utf-8")
    default = {"ANSIBLE_STDOUT_CALLBACK": "default"}
    run = ansible.run(play, None, "-i", str(inventory), "--check", environment=default)
    done = _tasks_of_host(run.stdout, "more")
    steps = (
        "Plan the copies",
        "Check that purging leaves a consumer",
        "Check where the image will be published",
        "Share the copies",
        "Publish the verified images",
    )
    assert run.code == 0, run.text
    assert [name for name in done if name in steps] == list(steps)


def _tasks_of_host(stdout: str, host: str) -> list[str]:
    """The names of the tasks that ran on a host, without their roles, in their order."""
    found, name = [], ""
    for line in stdout.splitlines():
        if line.startswith("TASK ["):
            name = line.removeprefix("TASK [").rpartition("]")[0].rpartition(" : ")[2]
        elif re.match(rf"(ok|changed|fatal): \[{host}\]", line):
            found.append(name)
    return found
