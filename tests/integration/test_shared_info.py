# SPDX-License-Identifier: GPL-3.0-or-later

"""ami_shared_info: all images that others share with an account, in all regions, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import encrypted, observed
from .fixture import HOME, OWNER, STRANGER, UNIT, Fixture
from .playbook import MODULES, Ansible, Run

AWAY, FAR = "eu-west-1", "ap-southeast-2"
ME = "web-prod"
MISSING = "ami-00000000000000000"
_EVERYTHING = ["CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey*", "ReEncrypt*"]


@pytest.fixture
def ids(aws: SimulatedAws, fixture: Fixture) -> dict[str, str]:
    """Images shared in every way, by label."""
    (me,) = fixture.account_ids(ME)

    def key(*operations: str, **changes: Any) -> dict[str, Any]:
        owner = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
        (account,) = fixture.account_ids(OWNER)
        owner["Principal"] = {"AWS": encrypted.root(account)}
        consumer = {
            "Effect": "Allow",
            "Action": [f"kms:{operation}" for operation in operations],
            "Resource": "*",
            "Principal": {"AWS": encrypted.root(me)},
        }
        statements = [owner, consumer] if operations else [owner]
        policy = {"Version": "2012-10-17", "Statement": statements}
        return {"account": OWNER, "regions": [AWAY], "policy": policy, **changes}

    def image(region: str = HOME, kms_key: str | None = None, **changes: Any) -> dict[str, Any]:
        disk = {"device_name": "/dev/xvda", "size": 8}
        device = {**disk, "encrypted": True, "kms_key": kms_key} if kms_key else disk
        return {"account": OWNER, "region": region, "devices": [device], **changes}

    direct = {"accounts": [ME]}
    readable = {"accounts": [ME], "snapshot_accounts": [ME]}
    # EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot": CreateGrant for services.
    through_ec2 = key(*_EVERYTHING[1:])
    through_ec2["policy"]["Statement"].append(
        {
            **key("CreateGrant")["policy"]["Statement"][1],
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        }
    )
    keys = {"open": _EVERYTHING, "half": ["CreateGrant", "Decrypt"], "blind": ["DescribeKey"], "shut": []}
    built = fixture.add(
        organization=None,
        kms_keys={
            **{name: key(*operations) for name, operations in keys.items()},
            "off": key(*_EVERYTHING, state="Disabled"),
            "services": through_ec2,
        },
        images={
            "direct": image(sharing=direct, tags={"ec2:SharedTag/version": "7", "secret": "x"}),
            "far": image(FAR, sharing=direct, architecture="arm64"),
            **{name: image(AWAY, name, sharing=readable) for name in (*keys, "off", "services")},
            "hidden": image(AWAY, "open", sharing=direct),
            "public": image(sharing={"public": True}),
            "golden-look-alike": image(account=STRANGER, sharing={"public": True}),
            "unshared": image(),
            "others": image(sharing={"accounts": ["sandbox"]}),
            "own": image(account=ME, sharing={"accounts": ["sandbox"]}),
        },
    )
    found = {label: str(described["image_id"]) for label, described in built["images"].items()}
    owner = aws.client("ec2", OWNER, HOME)
    for label, arns in (
        ("by-org", {"OrganizationArn": fixture.org_arn}),
        ("by-unit", {"OrganizationalUnitArn": fixture.unit_arn(UNIT)}),
        ("own-by-org", {"OrganizationArn": fixture.org_arn}),
    ):
        account = ME if label == "own-by-org" else OWNER
        found[label] = fixture.add_images({label: image(account=account)})[label]
        aws.client("ec2", account, HOME).modify_image_attribute(
            ImageId=found[label], LaunchPermission={"Add": [arns]}
        )
    soon = datetime.now(UTC) + timedelta(days=30)
    owner.enable_image_deprecation(ImageId=found["by-org"], DeprecateAt=soon)
    aws.clear_calls()
    return found


@pytest.fixture
def as_me(fixture: Fixture, tmp_path: Path) -> Ansible:
    return Ansible(fixture.environment(ME), tmp_path)


def look(ansible: Ansible, tasks: dict[str, dict[str, Any]], *options: str) -> Run:
    """Run the module with these arguments, by the tasks' names."""
    return ansible.tasks(
        [
            {
                "name": name,
                MODULES + "ami_shared_info": arguments,
                "ignore_errors": True,
                "check_mode": name.endswith("check mode"),
            }
            for name, arguments in tasks.items()
        ],
        *options,
    )


def labels(run: Run, task: str, ids: dict[str, str]) -> list[str]:
    by_id = {image_id: label for label, image_id in ids.items()}
    return sorted(by_id.get(item["image_id"], item["name"]) for item in run.task(task).result["results"])


def by_label(run: Run, task: str, ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    by_id = {image_id: label for label, image_id in ids.items()}
    return {by_id[item["image_id"]]: item for item in run.task(task).result["results"]}


SHARED = ["blind", "by-org", "by-unit", "direct", "far", "half", "hidden", "off", "open", "services", "shut"]


@pytest.mark.quick
def test_all_that_others_share_and_nothing_else(
    aws: SimulatedAws, fixture: Fixture, as_me: Ansible, ids: dict[str, str]
) -> None:
    me, owner, stranger = fixture.account_ids(ME, OWNER, STRANGER)
    run = look(
        as_me,
        {
            "everything": {},
            "of an owner without images": {"owners": [stranger], "regions": [HOME, AWAY]},
            "filtered": {
                "owners": [owner],
                "filters": {"architecture": ["arm64"], "name": "f*"},
                "regions": [HOME, FAR],
            },
            "by tag": {"filters": {"tag:ec2:SharedTag/version": 7}, "regions": [HOME]},
            "public": {
                "executable_users": ["all"],
                "owners": [owner],
                "filters": {"is-public": True},
                "regions": [HOME, AWAY],
            },
            "by id": {"image_ids": [ids["far"], MISSING, ids["own"]], "check_key_access": False},
            "without keys": {"regions": [AWAY], "check_key_access": False},
        },
    )
    assert run.code == 0, run.text
    assert run.changed == []
    assert labels(run, "everything", ids) == SHARED
    assert labels(run, "of an owner without images", ids) == []
    assert labels(run, "filtered", ids) == ["far"]
    assert labels(run, "by tag", ids) == ["direct"]
    assert labels(run, "public", ids) == ["public"]
    assert labels(run, "by id", ids) == ["far"]
    warned = run.task("by id").result["warnings"]
    assert [one for one in warned if MISSING in one]
    assert [one for one in warned if ids["own"] in one]
    assert {item["key_access"] for item in run.task("without keys").result["results"]} == {"unknown"}

    everything = run.task("everything").result
    assert everything["account_id"] == me
    opted_in = aws.client("ec2", ME, HOME).describe_regions()["Regions"]
    assert everything["regions"] == sorted(region["RegionName"] for region in opted_in)
    assert run.task("public").result["regions"] == [AWAY, HOME]

    images = by_label(run, "everything", ids)
    direct = images["direct"]
    seen = observed.image(aws, ME, HOME, ids["direct"])
    assert (direct["owner_id"], direct["region"], direct["name"]) == (owner, HOME, seen["Name"])
    assert direct["tags"] == {"ec2:SharedTag/version": "7"}
    assert direct["creation_date"] == seen["CreationDate"]
    assert direct["age_days"] == 0
    assert direct["snapshot_ids"] == observed.snapshot_ids(seen)
    assert images["far"]["architecture"] == "arm64"
    assert images["by-org"]["deprecation_time"]
    assert not images["by-org"]["deprecated"]
    # Only reads and dry runs were requested, and none of them created a grant.
    asked = {call.action for call in aws.calls(account_id=me) if call.service != "kms"}
    assert asked == {"DescribeImages", "DescribeRegions", "DescribeSnapshots", "GetCallerIdentity"}
    tried = [call for call in aws.calls(service="kms", account_id=me) if call.action != "DescribeKey"]
    assert {call.action for call in tried} == {
        *("CreateGrant", "Decrypt", "GenerateDataKeyWithoutPlaintext", "ReEncrypt")
    }
    assert all(call.parameters["DryRun"] is True for call in tried)

    # key_access predicts the result of a launch.
    assert {label: images[label]["key_access"] for label in SHARED} == {
        **dict.fromkeys(("by-org", "by-unit", "direct", "far"), "not_needed"),
        **dict.fromkeys(("blind", "half", "hidden", "services", "shut"), "unknown"),
        "off": "no",
        "open": "yes",
    }
    for label in ("open", "services", "direct"):
        region = HOME if label == "direct" else AWAY
        assert encrypted.launched(aws, ME, region, ids[label]) == "running"
    for label in ("blind", "shut", "off"):
        assert encrypted.launched(aws, ME, AWAY, ids[label]) == encrypted.NO_KEY
    assert "Disabled" in images["off"]["key_access_reason"]
    assert "Decrypt" in images["shut"]["key_access_reason"]
    assert "snap-" in images["hidden"]["key_access_reason"]
    (key,) = images["shut"]["kms_key_arns"]
    assert key in images["shut"]["key_access_reason"]
    assert images["hidden"]["kms_key_arns"] == []


@pytest.mark.nightly
def test_a_region_that_cannot_be_read_fails_and_hides_no_other(
    aws: SimulatedAws, as_me: Ansible, ids: dict[str, str]
) -> None:
    refusal = {"code": "UnauthorizedOperation", "message": "You are not authorized", "status": 403}
    aws.add_fault("error", action="DescribeImages", region=FAR, times=0, **refusal)
    run = look(
        as_me,
        {
            "look": {"regions": [HOME, FAR]},
            "look in check mode": {"regions": [HOME, FAR]},
            "nowhere": {"regions": ["eu-west-9", "me-south-1"]},
            "public without owners": {"executable_users": ["all"], "filters": {"name": "golden-*"}},
            "numbers": {"owners": [12345678901]},
        },
    )
    for failed in (run.task("look"), run.task("look in check mode")):
        assert failed.status == "failed"
        assert failed.codes == [(FAR, "UnauthorizedOperation")]
        assert "Allow ec2:DescribeImages" in failed.result["msg"]
        assert failed.result["regions"] == [HOME]
        assert labels(run, failed.name, ids) == ["by-org", "by-unit", "direct"]
    assert "eu-west-9" in run.task("nowhere").result["msg"]
    assert "not opted in to 'me-south-1'" in run.task("nowhere").result["msg"]
    assert "required if executable_users" in run.task("public without owners").result["msg"]
    assert "in double quotes" in run.task("numbers").result["msg"]
