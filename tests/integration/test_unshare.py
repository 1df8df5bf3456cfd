# SPDX-License-Identifier: GPL-3.0-or-later

"""The role unshare: an account loses its images, snapshots and keys in one run, and no other account does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import encrypted, observed
from .encrypted import USE, EncryptedFixture, root
from .fixture import HOME, OWNER
from .playbook import Ansible, Run, prediction_error
from .test_remediate import actions

FQCN = "golden.images.unshare_ami"
AWAY = "eu-west-1"
STAYS, LEAVES, IN_UNIT = "web-staging", "sandbox", "web-prod"
SECRET = "word-of-the-role"
UNSHARE = "Unshare images and snapshots"
END = "Fail if access remains or could not be read"
DISK = {"device_name": "/dev/xvda", "size": 8, "encrypted": True, "kms_key": "fleet"}


@pytest.fixture
def owned(aws: SimulatedAws) -> EncryptedFixture:
    return EncryptedFixture(aws)


@pytest.fixture
def ansible(owned: EncryptedFixture, tmp_path: Path) -> Ansible:
    return Ansible(owned.environment(OWNER), tmp_path)


@pytest.fixture
def fleet(aws: SimulatedAws, owned: EncryptedFixture) -> dict[str, Any]:
    """Encrypted images of two families in two regions, under a key each, that three accounts can use.

    One of them has its access through grants, another also through a key policy. The family ``db`` in
    ``HOME`` is also shared with an organizational unit.
    """
    accounts = (STAYS, LEAVES, IN_UNIT)
    sharing = {"accounts": accounts, "snapshot_accounts": accounts}
    image = {"account": OWNER, "devices": [DISK], "sharing": sharing}
    described = owned.add(
        kms_keys={"fleet": {"account": OWNER, "regions": [HOME, AWAY], "alias": "alias/fleet"}},
        images={
            f"{name}-{region}": {**image, "region": region}
            for name in ("web", "db")
            for region in (HOME, AWAY)
        },
    )
    keys = described["kms_keys"]["fleet"]
    for region, key in keys.items():
        kms = aws.client("kms", OWNER, region)
        for account_id in owned.account_ids(*accounts):
            name = f"golden-images:{account_id}"
            kms.create_grant(KeyId=key, GranteePrincipal=root(account_id), Operations=USE, Name=name)
        policy = json.loads(encrypted.key_policy(aws, key))
        policy["Statement"].append(
            {
                "Sid": "GoldenImagesAccounts",
                "Effect": "Allow",
                "Principal": {"AWS": [root(one) for one in owned.account_ids(STAYS, LEAVES)]},
                "Action": [f"kms:{one}" for one in USE if one != "CreateGrant"],
                "Resource": "*",
            }
        )
        encrypted.put_key_policy(aws, key, json.dumps(policy))
    ids = {label: one["image_id"] for label, one in described["images"].items()}
    entries = [{"OrganizationalUnitArn": owned.unit_arn()}]
    aws.client("ec2", OWNER, HOME).modify_image_attribute(
        ImageId=ids[f"db-{HOME}"], LaunchPermission={"Add": entries}
    )
    aws.clear_calls()
    return {"ids": ids, "keys": keys}


def _access(aws: SimulatedAws, fleet: dict[str, Any], account_id: str) -> Iterator[str]:
    """Everything that names an account."""
    for label, image_id in fleet["ids"].items():
        region = label.partition("-")[2]
        launch, volumes = observed.sharing(aws, OWNER, region, image_id)
        for kind, principals in (("launch", launch), *(("volume", one) for one in volumes)):
            if account_id in principals:
                yield f"{kind} {label}"
    for region, key in fleet["keys"].items():
        if root(account_id) in encrypted.grantees(aws, key):
            yield f"grant {region}"
        if account_id in encrypted.key_policy(aws, key):
            yield f"statement {region}"


def _text(run: Run) -> str:
    return " ".join(run.task("Show the result").result["text"].split())


@pytest.mark.quick
def test_an_account_that_leaves_loses_everything_in_one_run(
    aws: SimulatedAws, owned: EncryptedFixture, ansible: Ansible, fleet: dict[str, Any]
) -> None:
    stays, leaves, in_unit = owned.account_ids(STAYS, LEAVES, IN_UNIT)
    before = {account: [*_access(aws, fleet, account)] for account in (stays, leaves, in_unit)}
    assert len(before[leaves]) == 12
    variables: dict[str, Any] = {
        "unshare_account_ids": [leaves],
        "unshare_all_images": True,
        "unshare_revoke_in_use": True,
        # Those of other roles are ignored.
        "share_imges": {},
    }
    aws.clear_calls()
    planned = ansible.run(FQCN, variables, "--check", "--diff")
    assert planned.code == 0, planned.text
    assert encrypted.changes(aws, refused=True) == []
    assert _text(planned).startswith("Check mode: 10 permissions would be removed.")
    assert planned.task(UNSHARE).result["results"][0]["diff"]

    done = ansible.run(FQCN, variables)
    assert done.code == 0, done.text
    assert prediction_error(actions(planned), encrypted.changes(aws)) == ""
    after = {account: [*_access(aws, fleet, account)] for account in (stays, leaves, in_unit)}
    assert after == {**before, leaves: []}
    assert (done.facts["unshare_remaining"], done.facts["unshare_kept_access"]) == ([], [])
    assert {one["principal"] for one in done.facts["unshare_removals"]} == {leaves}
    text = _text(done)
    assert text.startswith("Removed 10 of 10 permissions.")
    assert "an account cannot launch encrypted images again" in text
    (other,) = done.facts["unshare_other_access"]
    assert (other["principal"], other["resources"]) == (
        owned.unit_arn(),
        {HOME: [fleet["ids"][f"db-{HOME}"]]},
    )
    assert f"1 image in 1 region stays shared with {owned.unit_arn()}: if {leaves} is in it" in text
    assert encrypted.launched(aws, STAYS, AWAY, fleet["ids"][f"web-{AWAY}"]) == "running"
    assert encrypted.launched(aws, LEAVES, AWAY, fleet["ids"][f"web-{AWAY}"]) == "AuthFailure"

    aws.clear_calls()
    again = ansible.run(FQCN, variables)
    assert again.code == 0, again.text
    assert (again.changed, encrypted.changes(aws, refused=True)) == ([], [])
    assert _text(again).startswith("No access to remove.")


def test_an_account_keeps_the_key_that_a_unit_may_need(
    aws: SimulatedAws, owned: EncryptedFixture, ansible: Ansible, fleet: dict[str, Any]
) -> None:
    (in_unit,) = owned.account_ids(IN_UNIT)
    running = fleet["ids"][f"db-{HOME}"]
    variables = {"unshare_account_ids": in_unit, "unshare_all_images": "true"}
    done = ansible.run(FQCN, variables)
    assert done.code == 0, done.text
    assert [*_access(aws, fleet, in_unit)] == [f"grant {HOME}"]
    (kept,) = done.facts["unshare_kept_access"]
    assert (kept["principal"], kept["resource"], kept["image_ids"]) == (
        in_unit,
        fleet["keys"][HOME],
        [running],
    )
    assert "the account can still use it" in _text(done)
    # So it is: the account is in the unit.
    assert encrypted.launched(aws, IN_UNIT, HOME, running) == "running"
    assert encrypted.launched(aws, IN_UNIT, AWAY, fleet["ids"][f"db-{AWAY}"]) == "AuthFailure"


def test_only_the_family_is_unshared_and_its_key_stays_for_the_other(
    aws: SimulatedAws, owned: EncryptedFixture, ansible: Ansible, fleet: dict[str, Any]
) -> None:
    (leaves,) = owned.account_ids(LEAVES)
    done = ansible.run(
        FQCN,
        {
            "unshare_account_ids": [leaves],
            "unshare_name_patterns": "web-*",
            "unshare_regions": f"{HOME}, {AWAY}",
        },
    )
    assert done.code == 0, done.text
    left = [*_access(aws, fleet, leaves)]
    assert not [one for one in left if " web-" in one]
    assert len(left) == 8
    assert [one["principal"] for one in done.facts["unshare_kept_access"]] == [leaves, leaves]
    refused = ansible.run(FQCN, {"unshare_account_ids": [leaves], "unshare_name_patterns": "wbe-*"})
    assert refused.code != 0
    assert "name_patterns: no image has a name like 'wbe-*'." in refused.task("Plan removals").result["msg"]


def test_what_the_report_of_an_audit_lists_is_unshared(
    aws: SimulatedAws, owned: EncryptedFixture, ansible: Ansible, fleet: dict[str, Any], tmp_path: Path
) -> None:
    (leaves,) = owned.account_ids(LEAVES)
    folder = tmp_path / "audit"
    ansible.run("golden.images.audit_ami_sharing", {"audit_regions": [AWAY], "audit_report_dir": str(folder)})
    images = f"{{{{ (lookup('ansible.builtin.file', '{folder}/report.json') | from_json).images }}}}"
    done = ansible.run(FQCN, {"unshare_account_ids": [leaves], "unshare_images": images})
    assert done.code == 0, done.text
    assert {one["region"] for one in done.facts["unshare_removals"]} == {AWAY}
    assert [one for one in _access(aws, fleet, leaves) if AWAY in one] == []
    assert len([*_access(aws, fleet, leaves)]) == 6


def test_a_failure_is_completed_by_a_rerun(
    aws: SimulatedAws, owned: EncryptedFixture, ansible: Ansible, fleet: dict[str, Any]
) -> None:
    (leaves,) = owned.account_ids(LEAVES)
    variables = {"unshare_account_ids": [leaves], "unshare_all_images": True, "unshare_revoke_in_use": True}
    refused = {"code": "UnauthorizedOperation", "message": "You are not authorized", "status": 403}
    # Each family is tried in both regions, and again per region.
    aws.add_fault("error", action="ModifyImageAttribute", region=AWAY, times=4, **refused)
    failed = ansible.run(FQCN, variables)
    assert failed.code != 0
    message = failed.task(END).result["msg"]
    assert f"{AWAY} in account {aws.account_id(OWNER)}: You are not authorized" in message
    assert message.endswith("Rerun to complete the remaining removals.")
    left = {(one["region"], one["resource"]) for one in failed.facts["unshare_remaining"]}
    assert left
    assert {region for region, _resource in left} == {AWAY}
    assert not [one for one in _access(aws, fleet, leaves) if HOME in one]
    done = ansible.run(FQCN, variables)
    assert done.code == 0, done.text
    assert [*_access(aws, fleet, leaves)] == []


@pytest.mark.nightly
def test_a_region_that_cannot_be_read_keeps_no_access_elsewhere(
    aws: SimulatedAws, owned: EncryptedFixture, ansible: Ansible, fleet: dict[str, Any]
) -> None:
    (leaves,) = owned.account_ids(LEAVES)
    # The first call is the audit's. Then each family is tried in both regions, and again per region.
    refused = {"code": "UnauthorizedOperation", "message": "You are not authorized", "status": 403}
    aws.add_fault("error", action="DescribeImages", region=AWAY, after=1, times=4, **refused)
    variables = {"unshare_account_ids": [leaves], "unshare_all_images": True, "unshare_revoke_in_use": True}
    failed = ansible.run(FQCN, variables)
    assert failed.code != 0
    assert {one["region"] for one in failed.facts["unshare_remaining"]} == {AWAY}
    assert [one for one in _access(aws, fleet, leaves) if HOME in one] == []


def test_what_stops_working_is_named_before_its_access_goes(
    aws: SimulatedAws, owned: EncryptedFixture, ansible: Ansible, fleet: dict[str, Any]
) -> None:
    (leaves,) = owned.account_ids(LEAVES)
    owned.add(roles={"volumes": {"accounts": [LEAVES], "trusts": [OWNER], "external_id": SECRET}})
    ec2, key = aws.client("ec2", LEAVES, AWAY), fleet["keys"][AWAY]
    launched = ec2.run_instances(ImageId=fleet["ids"][f"web-{AWAY}"], MinCount=1, MaxCount=1)
    instance_id = launched["Instances"][0]["InstanceId"]
    assert encrypted.state(ec2, instance_id) == "running"
    volume = ec2.create_volume(AvailabilityZone=f"{AWAY}a", Size=8, Encrypted=True, KmsKeyId=key)["VolumeId"]
    aws.clear_calls()
    variables = {
        "unshare_account_ids": [leaves],
        "unshare_all_images": True,
        "unshare_regions": [AWAY],
        "unshare_consumer_role_name": "volumes",
        "unshare_external_id": SECRET,
    }
    planned = ansible.run(FQCN, variables, "--check")
    assert encrypted.changes(aws, refused=True) == []
    done = ansible.run(FQCN, variables)
    assert (planned.code, done.code) == (0, 0), planned.text + done.text
    for run in (planned, done):
        (named,) = run.facts["unshare_dependents"]
        assert (named["account_id"], named["resource"]) == (leaves, key)
        assert volume in named["resource_ids"]
        assert named["message"] in _text(run)
        assert SECRET not in run.text
    assert encrypted.state(ec2, instance_id) == "running"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"unshare_account_ids": ["555555555555"]}, "unshare_images: no images are selected."),
        pytest.param(
            {"unshare_all_images": True},
            "unshare_account_ids: no consumer is set.",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            {"unshare_account_ids": ["55555"], "unshare_all_images": True},
            "unshare_account_ids: item 1: '55555'",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            {"unshare_account_ids": ["555555555555"], "unshare_every_image": True},
            "unshare_every_image: the role has no such variable.",
            marks=pytest.mark.nightly,
        ),
        (
            {"unshare_account_ids": ["111111111111"], "unshare_all_images": True},
            "account_ids: 111111111111 owns the images, and always has access.",
        ),
        pytest.param(
            {
                "unshare_account_ids": ["555555555555"],
                "unshare_all_images": True,
                "unshare_name_patterns": "web-*",
            },
            "all_images: excludes images and name_patterns.",
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_what_is_not_clear_is_refused_before_anything_changes(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any], message: str
) -> None:
    run = ansible.run(FQCN, {"unshare_regions": [HOME], **variables})
    assert run.code != 0
    assert message in " ".join(run.text.split())
    assert encrypted.changes(aws, refused=True) == []


def test_a_refusal_of_the_first_read_is_told_once(aws: SimulatedAws, ansible: Ansible) -> None:
    given = {"unshare_account_ids": ["555555555555"], "unshare_all_images": True}
    run = ansible.run(FQCN, {"unshare_regions": ["eu-wset-1"], **given})
    assert [name.rsplit(" : ")[-1] for name in run.failed] == ["Fail if the images could not be read"]
    failed = run.task("Fail if the images could not be read").result
    assert failed["msg"].startswith("regions: there is no region 'eu-wset-1'. Check the spelling.")
    assert "failures" not in failed
    assert encrypted.changes(aws, refused=True) == []


def test_an_image_outside_the_named_regions_is_refused(
    aws: SimulatedAws, owned: EncryptedFixture, ansible: Ansible, fleet: dict[str, Any]
) -> None:
    (leaves,) = owned.account_ids(LEAVES)
    before = list(_access(aws, fleet, leaves))
    image_id = observed.own_images(aws, OWNER, HOME)[0]["ImageId"]
    named = {"unshare_images": {HOME: image_id}, "unshare_regions": [AWAY]}
    run = ansible.run(FQCN, {"unshare_account_ids": [leaves], **named})
    assert run.code != 0
    assert f"images: the audit did not find {image_id}" in " ".join(run.text.split())
    assert list(_access(aws, fleet, leaves)) == before
