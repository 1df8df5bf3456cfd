# SPDX-License-Identifier: GPL-3.0-or-later

"""The role audit: a report in all its forms, whatever could be read, and a failure only after it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulated_aws.client import SimulatedAws

from . import observed
from .encrypted import USE, EncryptedFixture, root
from .fixture import HOME, OWNER, STRANGER
from .playbook import CHECKOUT, Ansible, Run

FQCN, PATH = "golden.images.audit_ami_sharing", CHECKOUT / "playbooks" / "audit_ami_sharing.yml"
AWAY, DENIED = "eu-west-1", "ap-southeast-2"
ALLOWED, NO_KEY = "web-prod", "sandbox"
FILES = {"report.csv", "report.html", "report.json", "report.sarif"}
DISK = {"device_name": "/dev/xvda", "size": 8}
REFUSAL = {"code": "UnauthorizedOperation", "message": "You are not authorized.", "status": 403}


@pytest.fixture
def fixture(aws: SimulatedAws) -> EncryptedFixture:
    """The fixture of the encrypted image."""
    return EncryptedFixture(aws)


@pytest.fixture
def ids(aws: SimulatedAws, fixture: EncryptedFixture) -> dict[str, str]:
    """A public image, one of a stranger, one with a public snapshot, and one whose key an account lacks."""

    def image(*accounts: str, region: str = AWAY, **changes: Any) -> dict[str, Any]:
        return {
            "account": OWNER,
            "region": region,
            "devices": [DISK],
            "sharing": {"accounts": list(accounts)},
            **changes,
        }

    found = fixture.add_images(
        {
            "partners-1": image(STRANGER, tags={"audience": "partners"}),
            "public": image(),
            "strange": image(STRANGER),
            "volume-public": image(ALLOWED),
            "denied": image(region=DENIED),
        }
    )
    ec2 = aws.client("ec2", OWNER, AWAY)
    ec2.disable_image_block_public_access()
    ec2.disable_snapshot_block_public_access()
    ec2.modify_image_attribute(ImageId=found["public"], LaunchPermission={"Add": [{"Group": "all"}]})
    (snapshot,) = observed.snapshot_ids(observed.image(aws, OWNER, AWAY, found["volume-public"]))
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot,
        Attribute="createVolumePermission",
        OperationType="add",
        GroupNames=["all"],
    )
    allowed, no_key = fixture.account_ids(ALLOWED, NO_KEY)
    _share(aws, HOME, fixture.image_id, allowed, no_key)
    aws.client("kms", OWNER, HOME).create_grant(
        KeyId=fixture.key(HOME), GranteePrincipal=root(allowed), Operations=USE
    )
    aws.clear_calls()
    return {**found, "golden": fixture.image_id, "snapshot": snapshot}


@pytest.fixture
def variables(fixture: EncryptedFixture, tmp_path: Path) -> dict[str, Any]:
    """The variables of the playbook as a file of variables has them."""
    (stranger,) = fixture.account_ids(STRANGER)
    return {
        "audit_regions": [HOME, AWAY, DENIED],
        "audit_allowed_account_ids": fixture.account_ids(ALLOWED, NO_KEY),
        "audit_allowed_org_unit_arns": [fixture.unit_arn()],
        "audit_rules": [{"tags": {"audience": "partners"}, "account_ids": [stranger]}],
        "audit_report_dir": str(tmp_path / "audit"),
    }


def _share(aws: SimulatedAws, region: str, image_id: str, *account_ids: str) -> None:
    permissions = {"Add": [{"UserId": one} for one in account_ids]}
    aws.client("ec2", OWNER, region).modify_image_attribute(ImageId=image_id, LaunchPermission=permissions)


def _report(ansible: Ansible) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ansible.folder / "audit" / "report.json").read_text("utf-8"))
    return content


def _codes(run: Run) -> list[tuple[str, str, str | None]]:
    return [(one["code"], one["resource"], one["principal"]) for one in run.facts["audit_findings"]]


def _files(ansible: Ansible) -> dict[str, int]:
    """When each file of the report was written."""
    return {path.name: path.stat().st_mtime_ns for path in (ansible.folder / "audit").iterdir()}


@pytest.mark.per_python
@pytest.mark.quick
@pytest.mark.ansible_13
@pytest.mark.oldest_boto
def test_a_report_says_who_can_use_what_and_what_has_changed(
    aws: SimulatedAws,
    fixture: EncryptedFixture,
    ansible: Ansible,
    ids: dict[str, str],
    variables: dict[str, Any],
) -> None:
    allowed, no_key, stranger = fixture.account_ids(ALLOWED, NO_KEY, STRANGER)
    nowhere = str(ansible.folder / "no" / "such" / "place")
    missing = ansible.run(FQCN, {**variables, "audit_report_dir": nowhere})
    assert missing.code != 0
    assert "there is no directory" in missing.tasks[-1].result["msg"]
    assert aws.calls() == []

    planned = ansible.run(FQCN, variables, "--check")
    assert planned.code == 0, planned.text
    assert not (ansible.folder / "audit").exists()
    assert [name.rsplit(" : ")[-1] for name in planned.changed] == ["Audit who can use the images"]

    first = ansible.run(PATH, variables)
    assert first.code == 0, first.text
    assert set(_files(ansible)) == FILES
    expected = [
        ("missing_key_access", fixture.key(HOME), no_key),
        ("public", ids["public"], "all"),
        ("snapshot_public", ids["snapshot"], "all"),
        ("unknown_account", ids["strange"], stranger),
    ]
    assert sorted(_codes(first), key=str) == expected
    assert first.facts["audit_status"] == "findings"
    assert first.facts["audit_report"]["counts"] == {"high": 3, "medium": 1, "low": 0}
    _is_in_all_forms(ansible, first, ids, {"allowed": allowed, "no_key": no_key, "stranger": stranger})

    # As a survey sends them.
    text = {
        **variables,
        "audit_regions": f"{HOME}\n{AWAY}\r\n{DENIED}\n",
        "audit_allowed_account_ids": f"{allowed}, {no_key}",
        "audit_allowed_org_arns": "",
        "audit_allowed_org_unit_arns": f"{fixture.unit_arn()}\n",
        "audit_rules": yaml.safe_dump(variables["audit_rules"]),
        "audit_fail_on": "",
        "audit_check_snapshots": "true",
        "audit_check_keys": "true",
    }
    written = _files(ansible)
    second = ansible.run(FQCN, text)
    assert second.code == 0, second.text
    assert second.changed == []
    assert _files(ansible) == written
    assert _codes(second) == _codes(first)

    _share(aws, AWAY, ids["partners-1"], allowed)
    _share(aws, AWAY, ids["public"], stranger)
    aws.client("ec2", OWNER, AWAY).reset_image_attribute(ImageId=ids["strange"], Attribute="launchPermission")
    third = ansible.run(FQCN, {**variables, "audit_fail_on": "high"})
    assert third.code != 0
    failed = third.tasks[-1]
    assert failed.status == "failed"
    assert f"Every AWS account can launch {ids['public']}" in failed.result["msg"]
    assert "which cannot use its key" not in failed.result["msg"]
    assert third.facts["audit_status"] == "findings"
    told = _report(ansible)["changes"]
    assert told["added"] == [
        f"{AWAY}: {ids['public']} (public) is shared with the account {stranger}. (unknown_account)",
        f"{AWAY}: {ids['partners-1']} (partners-1) is now shared with {allowed}.",
    ]
    assert told["removed"] == [
        f"{AWAY}: {ids['strange']} (strange) is shared with the account {stranger}. (unknown_account)"
    ]
    page = (ansible.folder / "audit" / "report.html").read_text("utf-8")
    assert all(sentence in page for one in told["added"] for sentence in one.split(" (")[:1])


def _is_in_all_forms(ansible: Ansible, run: Run, ids: dict[str, str], accounts: dict[str, str]) -> None:
    """Every form says what was found: the JSON all of it, the CSV who has what, SARIF the findings."""
    folder = ansible.folder / "audit"
    content = _report(ansible)
    assert {key: value for key, value in content.items() if key in run.facts["audit_report"]} == (
        run.facts["audit_report"]
    )
    assert content["changes"] is None
    with (folder / "report.csv").open(encoding="utf-8", newline="") as stream:
        rows = {
            (row["Image"], row["Principal"]): (
                row["Allowed"],
                row["Launch permission"],
                row["Snapshots"],
                row["Keys"],
            )
            for row in csv.DictReader(stream)
        }
    assert rows == {
        (ids["denied"], ""): ("", "", "", ""),
        (ids["golden"], accounts["allowed"]): ("true", "yes", "none", "yes"),
        (ids["golden"], accounts["no_key"]): ("true", "yes", "none", "no"),
        (ids["partners-1"], accounts["stranger"]): ("true", "yes", "none", "not_needed"),
        (ids["public"], "all"): ("false", "yes", "none", "not_needed"),
        (ids["strange"], accounts["stranger"]): ("false", "yes", "none", "not_needed"),
        (ids["volume-public"], "all"): ("false", "no", "all", "not_needed"),
        (ids["volume-public"], accounts["allowed"]): ("true", "yes", "none", "not_needed"),
    }
    (scan,) = json.loads((folder / "report.sarif").read_text("utf-8"))["runs"]
    found = {(one["ruleId"], one["properties"]["resource"]) for one in scan["results"]}
    assert found == {(code, resource) for code, resource, _principal in _codes(run)}
    page = (folder / "report.html").read_text("utf-8")
    assert all(image_id in page for image_id in ids.values())


def test_what_could_not_be_read_is_reported_and_fails(
    aws: SimulatedAws, ansible: Ansible, ids: dict[str, str], variables: dict[str, Any]
) -> None:
    aws.add_fault("error", action="DescribeImages", region=DENIED, times=0, **REFUSAL)
    run = ansible.run(FQCN, variables)
    assert run.code != 0
    assert "Allow ec2:DescribeImages" in run.tasks[-1].result["msg"]
    assert set(_files(ansible)) == FILES
    content = _report(ansible)
    assert content["status"] == run.facts["audit_status"] == "incomplete"
    assert [(one["region"], one["error_code"]) for one in content["failures"]] == [
        (DENIED, "UnauthorizedOperation")
    ]
    assert {region: seen["read"] for region, seen in content["regions"].items()} == {
        DENIED: False,
        AWAY: True,
        HOME: True,
    }
    assert {"public", "region_unreadable"} < {one["code"] for one in content["findings"]}
    assert {one["image_id"] for one in content["images"]} == {
        image_id for label, image_id in ids.items() if label not in ("denied", "snapshot")
    }

    # Without any results the report says so, and not that all that was found before is gone.
    aws.add_fault("error", action="DescribeRegions", times=0, **REFUSAL)
    nothing = ansible.run(FQCN, variables)
    assert nothing.code != 0
    assert "Allow ec2:DescribeRegions" in nothing.tasks[-1].result["msg"]
    content = _report(ansible)
    assert (content["status"], content["images"]) == ("incomplete", [])
    assert [one["code"] for one in content["findings"]] == ["account_unreadable"]
    assert content["changes"]["removed"] == []
    assert "Allow ec2:DescribeRegions" in content["summary"]


@pytest.mark.nightly
@pytest.mark.usefixtures("ids")
def test_the_page_has_the_names_of_accounts_of_the_inventory(
    ansible: Ansible, fixture: EncryptedFixture, variables: dict[str, Any]
) -> None:
    allowed, no_key, stranger = fixture.account_ids(ALLOWED, NO_KEY, STRANGER)
    hosts = {
        one: {"account_id": one, "account_name": name} for one, name in ((allowed, "web"), (no_key, "sand"))
    }
    # Hosts of other kinds, whose variables are none of an account, or cannot be evaluated.
    hosts |= {
        "bastion": {"account_id": "{{ missing }}", "account_name": "bastion"},
        "mail": {"account_id": allowed, "account_name": "{{ missing }}"},
    }
    inventory = ansible.folder / "accounts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": {"localhost": {}, **hosts}}}), encoding="utf-8")
    named = {**variables, "audit_account_names": json.dumps({no_key: "sandbox", stranger: "stranger"})}
    run = ansible.run(FQCN, named, "-i", str(inventory))
    assert run.code == 0, run.text
    page = (ansible.folder / "audit" / "report.html").read_text("utf-8")
    # The variable goes before the inventory.
    assert f"sandbox ({no_key})" in page
    assert f"web ({allowed})" in page
    assert f"stranger ({stranger}) is not allowed, but can use strange" in page

    refused = ansible.run(FQCN, {**variables, "audit_account_names": "web"})
    assert refused.code != 0
