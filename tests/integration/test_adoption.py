# SPDX-License-Identifier: GPL-3.0-or-later

"""The role adoption: who uses which release, what could not be read, and its report in all forms."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed
from .encrypted import EXTERNAL_ID, ROLE, EncryptedFixture
from .fixture import HOME, OWNER
from .in_process import Modules
from .playbook import Ansible
from .recording import aggregate, record

FQCN = "golden.images.report_adoption"
AWAY = "eu-west-1"
CURRENT, BEHIND, COPYING = "sandbox", "web-staging", "web-prod"
DISKS = [{"device_name": "/dev/xvda", "size": 8}]


@pytest.fixture
def encrypted(aws: SimulatedAws) -> EncryptedFixture:
    return EncryptedFixture(aws)


@pytest.fixture
def ansible(encrypted: EncryptedFixture, tmp_path: Path) -> Ansible:
    return Ansible(encrypted.environment(OWNER), tmp_path)


def launch(aws: SimulatedAws, account: str, image_id: str, region: str = HOME, **request: Any) -> str:
    """The ID of an instance."""
    answer = aws.client("ec2", account, region).run_instances(
        ImageId=image_id, InstanceType="t3.micro", MinCount=1, MaxCount=1, **request
    )
    found: str = answer["Instances"][0]["InstanceId"]
    return found


@pytest.fixture
def images(encrypted: EncryptedFixture) -> dict[str, str]:
    """Two releases in one region, shared with all accounts."""
    image = {
        "account": OWNER,
        "region": HOME,
        "devices": DISKS,
        "tags": {"family": "web"},
        "sharing": {"accounts": [CURRENT, BEHIND, COPYING], "snapshot_accounts": [BEHIND, COPYING]},
    }
    return encrypted.add_images(
        {
            "web-1": {**image, "age_days": 60},
            "web-2": {**image, "age_days": 30},
        }
    )


@pytest.fixture
def variables(encrypted: EncryptedFixture, tmp_path: Path) -> dict[str, Any]:
    return {
        "adoption_family_tag": "family",
        "adoption_account_ids": encrypted.account_ids(CURRENT, BEHIND, COPYING),
        "adoption_consumer_role_name": ROLE,
        "adoption_external_id": EXTERNAL_ID,
        "adoption_owner_tags": ["Owner"],
        "adoption_report_dir": str(tmp_path / "adoption"),
    }


def rows(folder: Path) -> list[dict[str, str]]:
    """The rows of the CSV."""
    with Path(folder, "adoption", "report.csv").open(encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


def test_accounts_behind_are_found_wherever_their_image_comes_from(
    aws: SimulatedAws,
    encrypted: EncryptedFixture,
    ansible: Ansible,
    images: dict[str, str],
    variables: dict[str, Any],
    tmp_path: Path,
) -> None:
    current, behind, copying = encrypted.account_ids(CURRENT, BEHIND, COPYING)
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Owner", "Value": "payments"}]}]
    launch(aws, CURRENT, images["web-2"])
    late = launch(aws, BEHIND, images["web-1"], TagSpecifications=tags)
    consumer = aws.client("ec2", COPYING, HOME)
    copy_id = consumer.copy_image(SourceImageId=images["web-1"], SourceRegion=HOME, Name="mine")["ImageId"]
    consumer.get_waiter("image_available").wait(ImageIds=[copy_id], WaiterConfig={"Delay": 1})
    launch(aws, COPYING, copy_id)
    # Neither is visible to the accounts any more.
    owner = aws.client("ec2", OWNER, HOME)
    owner.modify_image_attribute(ImageId=images["web-1"], LaunchPermission={"Remove": [{"UserId": behind}]})
    aws.clear_calls()

    run = ansible.run(FQCN, {**variables, "adoption_max_releases_behind": 0})
    assert run.code == 0, run.text
    assert run.facts["adoption_status"] == "behind"
    found = {each["account_id"]: each for each in run.facts["adoption_accounts"]}
    assert {account: each["status"] for account, each in found.items()} == {
        current: "current",
        behind: "behind",
        copying: "behind",
    }
    assert found[behind]["owners"] == ["Owner=payments"]
    assert found[copying]["worst"]["image_id"] == copy_id
    assert found[copying]["worst"]["release"] == "web-1"
    findings = run.facts["adoption_findings"]
    assert {(each["code"], each["account_id"]) for each in findings} == {
        ("release_too_far_behind", behind),
        ("release_too_far_behind", copying),
    }
    assert observed.changes(aws) == []
    looked_at = [(call.account_id, call.region) for call in aws.calls(action="DescribeInstanceImageMetadata")]
    # Also where the owner has no image: what was launched from a deregistered one still runs.
    assert {(account, region) for account in found for region in (HOME, AWAY)} < set(looked_at)
    assert len(looked_at) == len(set(looked_at))
    assert {(each["Account"], each["Resource"]) for each in rows(tmp_path) if each["Status"] == "behind"} >= {
        (behind, late)
    }
    page = Path(tmp_path, "adoption", "report.html").read_text(encoding="utf-8")
    assert "Accounts behind" in page
    sarif = json.loads(Path(tmp_path, "adoption", "report.sarif").read_text(encoding="utf-8"))
    assert len(sarif["runs"][0]["results"]) == len(findings)


def test_an_account_that_cannot_be_read_is_unreadable_in_every_form(
    encrypted: EncryptedFixture,
    ansible: Ansible,
    images: dict[str, str],
    variables: dict[str, Any],
    tmp_path: Path,
) -> None:
    assert images
    (current,) = encrypted.account_ids(CURRENT)
    dark = "999999999999"
    run = ansible.run(FQCN, {**variables, "adoption_account_ids": [current, dark]})
    assert run.code != 0
    assert run.facts["adoption_status"] == "incomplete"
    statuses = {each["account_id"]: each["status"] for each in run.facts["adoption_accounts"]}
    assert statuses == {current: "unused", dark: "unreadable"}
    assert dark in run.text
    assert {(each["Account"], each["Status"]) for each in rows(tmp_path)} == {(dark, "unreadable")}
    report = json.loads(Path(tmp_path, "adoption", "report.json").read_text(encoding="utf-8"))
    assert report["status"] == "incomplete"
    assert [each["account_id"] for each in report["failures"]] == [dark]
    assert dark in Path(tmp_path, "adoption", "report.sarif").read_text(encoding="utf-8")
    assert dark in Path(tmp_path, "adoption", "report.html").read_text(encoding="utf-8")


@pytest.mark.nightly
def test_a_family_without_images_is_one_error(
    ansible: Ansible, images: dict[str, str], variables: dict[str, Any], aws: SimulatedAws
) -> None:
    assert images
    aws.clear_calls()
    run = ansible.run(FQCN, {**variables, "adoption_families": ["wbe"]})
    assert run.code != 0
    assert "no image of the family wbe" in " ".join(run.text.split())
    assert "Its families are web." in " ".join(run.text.split())
    assert aws.calls(action="DescribeInstanceImageMetadata") == []


@pytest.mark.nightly
def test_usage_reports_need_no_role(
    aws: SimulatedAws,
    encrypted: EncryptedFixture,
    ansible: Ansible,
    images: dict[str, str],
    variables: dict[str, Any],
) -> None:
    behind, current = encrypted.account_ids(BEHIND, CURRENT)
    # Usage reports may miss instances of the last 24 hours; recipes have no such delay.
    for account, image in ((BEHIND, "web-1"), (CURRENT, "web-2")):
        aws.client("imagebuilder", account, HOME).create_image_recipe(
            name="web", semanticVersion="1.0.0", parentImage=images[image]
        )
    reports = {
        "adoption_family_tag": "family",
        "adoption_depth": "usage_reports",
        "adoption_report_dir": variables["adoption_report_dir"],
    }
    planned = ansible.run(FQCN, reports, "--check")
    assert planned.code != 0
    assert "There is no usage report." in " ".join(planned.text.split())
    assert observed.changes(aws) == []
    run = ansible.run(FQCN, reports)
    assert run.code == 0, run.text
    statuses = {each["account_id"]: each["status"] for each in run.facts["adoption_accounts"]}
    # Recipes have versions, of which only some may be built from.
    assert statuses == {behind: "unknown", current: "current"}
    assert len(aws.calls(action="CreateImageUsageReport")) == 2
    assert aws.calls(action="AssumeRole") == []
    # A second run uses the same reports.
    assert ansible.run(FQCN, reports).code == 0
    assert len(aws.calls(action="CreateImageUsageReport")) == 2


def test_an_aggregator_of_config_needs_no_role_in_the_accounts(
    aws: SimulatedAws,
    encrypted: EncryptedFixture,
    ansible: Ansible,
    modules: Modules,
    images: dict[str, str],
    variables: dict[str, Any],
    tmp_path: Path,
) -> None:
    current, behind, silent = encrypted.account_ids(CURRENT, BEHIND, COPYING)
    launch(aws, CURRENT, images["web-2"])
    late = launch(aws, BEHIND, images["web-1"])
    # Its instance is not recorded.
    launch(aws, COPYING, images["web-1"])
    record(aws, CURRENT, BEHIND)
    aggregate(aws, "organization", OWNER, (CURRENT, BEHIND, COPYING))
    aws.clear_calls()
    recorded = {
        "family_tag": "family",
        "depth": "config",
        "config_aggregator": "organization",
        "regions": [HOME],
    }
    given = {f"adoption_{name}": value for name, value in recorded.items()}
    run = ansible.run(FQCN, {**given, "adoption_report_dir": variables["adoption_report_dir"]})
    assert run.code == 0, run.text
    found = {each["account_id"]: each["status"] for each in run.facts["adoption_accounts"]}
    assert found == {current: "current", behind: "behind", silent: "unreported"}
    text = " ".join(run.text.split())
    assert "Instances are as AWS Config has recorded them last." in text
    assert aws.calls(action="AssumeRole") == observed.changes(aws) == []
    assert f"AWS Config has no instance of any image in 1 account ({silent})" in text
    assert late in [each["Resource"] for each in rows(tmp_path)]
    named, task = modules.module("ami_adoption", **recorded, account_ids=[silent, "999999999999"])
    assert named.code != 0
    found = {each["account_id"]: each["status"] for each in task.result["accounts"]}
    assert found == {silent: "unreported", "999999999999": "unreadable"}
    assert "does not show account 999999999999" in named.text
    # The aggregator is in another account.
    aggregate(aws, "audit", CURRENT, (BEHIND,))
    elsewhere = {
        "config_aggregator": "audit",
        "config_aggregator_account_id": current,
        "config_aggregator_region": HOME,
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
    }
    run, task = modules.module("ami_adoption", **{**recorded, **elsewhere})
    assert run.code == 0, run.text
    assert [each["status"] for each in task.result["accounts"]] == ["behind"]
    missing, _task = modules.module("ami_adoption", **{**recorded, "config_aggregator": "other"})
    assert missing.code != 0
    assert "has no aggregator other in" in missing.text


@pytest.mark.nightly
def test_what_the_next_launch_takes(
    aws: SimulatedAws,
    encrypted: EncryptedFixture,
    ansible: Ansible,
    images: dict[str, str],
    variables: dict[str, Any],
) -> None:
    current, behind = encrypted.account_ids(CURRENT, BEHIND)
    for account, image in ((CURRENT, "web-2"), (BEHIND, "web-1")):
        aws.client("ec2", account, HOME).create_launch_template(
            LaunchTemplateName="web", LaunchTemplateData={"ImageId": images[image]}
        )
    two = {**variables, "adoption_account_ids": [current, behind]}
    assert ansible.run(FQCN, two).facts["adoption_status"] == "unused"
    run = ansible.run(FQCN, {**two, "adoption_depth": "launches"})
    assert run.code == 0, run.text
    statuses = {each["account_id"]: each["status"] for each in run.facts["adoption_accounts"]}
    assert statuses == {current: "current", behind: "behind"}


@pytest.mark.nightly
def test_an_old_release_stays_behind_after_the_owner_deregistered_it_in_its_last_region(
    aws: SimulatedAws,
    encrypted: EncryptedFixture,
    ansible: Ansible,
    images: dict[str, str],
    variables: dict[str, Any],
) -> None:
    (behind,) = encrypted.account_ids(BEHIND)
    owner = aws.client("ec2", OWNER, AWAY)
    copy_id = owner.copy_image(SourceImageId=images["web-1"], SourceRegion=HOME, Name="web-1")["ImageId"]
    owner.get_waiter("image_available").wait(ImageIds=[copy_id], WaiterConfig={"Delay": 1})
    owner.modify_image_attribute(ImageId=copy_id, LaunchPermission={"Add": [{"UserId": behind}]})
    launch(aws, BEHIND, copy_id, AWAY)
    owner.deregister_image(ImageId=copy_id)
    aws.client("ec2", OWNER, HOME).deregister_image(ImageId=images["web-1"])
    one = {**variables, "adoption_account_ids": [behind], "adoption_deny_images": [copy_id, images["web-1"]]}
    run = ansible.run(FQCN, one)
    assert run.code == 0, run.text
    assert run.facts["adoption_status"] == "behind"
    assert [each["code"] for each in run.facts["adoption_findings"]] == ["denied_image_used"]


@pytest.mark.nightly
def test_a_copy_of_an_account_that_is_not_listed_is_unknown(
    aws: SimulatedAws,
    encrypted: EncryptedFixture,
    ansible: Ansible,
    images: dict[str, str],
    variables: dict[str, Any],
) -> None:
    current = encrypted.account_ids(CURRENT)
    partner = aws.client("ec2", BEHIND, HOME)
    copy_id = partner.copy_image(SourceImageId=images["web-1"], SourceRegion=HOME, Name="mine")["ImageId"]
    partner.get_waiter("image_available").wait(ImageIds=[copy_id], WaiterConfig={"Delay": 1})
    partner.modify_image_attribute(
        ImageId=copy_id, LaunchPermission={"Add": [{"UserId": each} for each in current]}
    )
    launch(aws, CURRENT, copy_id)
    denied = {"adoption_deny_images": [images["web-1"]], "adoption_fail_on": "high"}
    run = ansible.run(
        FQCN, {**variables, **denied, "adoption_account_ids": current, "adoption_regions": [HOME]}
    )
    assert run.facts["adoption_status"] == "unknown"
    assert run.code != 0
    assert [(each["code"], each["severity"]) for each in run.facts["adoption_findings"]] == [
        ("image_origin_unknown", "high")
    ]
