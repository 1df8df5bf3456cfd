# SPDX-License-Identifier: GPL-3.0-or-later

"""The role remediate: removes only access that is not allowed, shows it before, and keeps to a limit."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import encrypted, observed
from .encrypted import USE, EncryptedFixture, root
from .fixture import HOME, OWNER, STRANGER
from .playbook import Ansible, Change, Run, prediction_error

FQCN = "golden.images.remediate_ami_sharing"
AWAY, FAR = "eu-west-1", "ap-southeast-2"
ALLOWED, LEFT = "web-prod", "sandbox"
DISK = {"device_name": "/dev/xvda", "size": 8}
UNSHARE, PER_REGION = "Unshare images and snapshots", "Retry failed unsharing per region"
END = "Fail if access remains or could not be read"


@pytest.fixture
def protected(aws: SimulatedAws) -> EncryptedFixture:
    """The fixture of the encrypted golden image."""
    return EncryptedFixture(aws)


@pytest.fixture
def ansible(protected: EncryptedFixture, tmp_path: Path) -> Ansible:
    """Ansible with the credentials of the images' owner."""
    return Ansible(protected.environment(OWNER), tmp_path)


@pytest.fixture
def ids(aws: SimulatedAws, protected: EncryptedFixture) -> dict[str, str]:
    """Images by label: the encrypted golden one, one in each of two regions, and a public one.

    All but the last are shared with a stranger and with the allowed account. Both have access to the key by
    this collection's grants and statements, a third account without images by its grant, and the stranger
    also by a grant that others made.
    """
    allowed, stranger, left = protected.account_ids(ALLOWED, STRANGER, LEFT)
    sharing = {"accounts": [ALLOWED, STRANGER], "snapshot_accounts": [ALLOWED, STRANGER]}
    image = {"account": OWNER, "devices": [DISK]}
    found = protected.add_images(
        {
            "away": {**image, "region": AWAY, "sharing": sharing},
            "far": {**image, "region": FAR, "sharing": sharing},
            "public": {**image, "region": HOME},
        }
    )
    ec2, kms = aws.client("ec2", OWNER, HOME), aws.client("kms", OWNER, HOME)
    ec2.disable_image_block_public_access()
    ec2.disable_snapshot_block_public_access()
    entries = [{"UserId": allowed}, {"UserId": stranger}, {"OrganizationalUnitArn": protected.unit_arn()}]
    ec2.modify_image_attribute(ImageId=protected.image_id, LaunchPermission={"Add": entries})
    ec2.modify_image_attribute(ImageId=found["public"], LaunchPermission={"Add": [{"Group": "all"}]})
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot_of(aws, HOME, found["public"]),
        Attribute="createVolumePermission",
        OperationType="add",
        GroupNames=["all"],
    )
    key = protected.key(HOME)
    for account, name in (
        *((one, f"golden-images:{one}") for one in (allowed, stranger, left)),
        (stranger, "theirs"),
    ):
        kms.create_grant(KeyId=key, GranteePrincipal=root(account), Operations=USE, Name=name)
    policy = json.loads(encrypted.key_policy(aws, key))
    own = {
        "Sid": "GoldenImagesAccounts",
        "Effect": "Allow",
        "Principal": {"AWS": [root(allowed), root(stranger)]},
        "Action": [f"kms:{one}" for one in USE if one != "CreateGrant"],
        "Resource": "*",
    }
    policy["Statement"].append(own)
    encrypted.put_key_policy(aws, key, json.dumps(policy))
    aws.clear_calls()
    return {**found, "golden": protected.image_id}


def snapshot_of(aws: SimulatedAws, region: str, image_id: str) -> str:
    """The only snapshot of an image."""
    (found,) = observed.snapshot_ids(observed.image(aws, OWNER, region, image_id))
    return found


def unused_snapshot(aws: SimulatedAws, source_image_id: str, account_ids: list[str]) -> str:
    """The snapshot of a copy in ``AWAY`` that was deregistered, which is shared with these accounts."""
    ec2 = aws.client("ec2", OWNER, AWAY)
    copy = ec2.copy_image(Name="unused", SourceImageId=source_image_id, SourceRegion=AWAY)["ImageId"]
    found = snapshot_of(aws, AWAY, copy)
    ec2.modify_snapshot_attribute(
        SnapshotId=found, Attribute="createVolumePermission", OperationType="add", UserIds=account_ids
    )
    ec2.deregister_image(ImageId=copy)
    aws.clear_calls()
    return found


def actions(run: Run) -> list[Change]:
    """The calls in the results of all loops; in check mode the planned calls."""
    return [
        Change(action["action"], action["region"], action["resource"])
        for task in run.tasks
        for result in task.result.get("results", ())
        for action in result.get("actions", ())
        for _number in range(action.get("count", 1))
    ]


def removals(run: Run) -> set[tuple[str, str, str]]:
    """The planned removals: resource, principal, finding codes."""
    return {
        (item["resource"], item["principal"], ",".join(item["finding_codes"]))
        for item in run.facts["remediate_removals"]
    }


@pytest.mark.quick
def test_only_access_that_is_not_allowed_is_removed_once(
    aws: SimulatedAws, protected: EncryptedFixture, ansible: Ansible, ids: dict[str, str]
) -> None:
    allowed, stranger, left = protected.account_ids(ALLOWED, STRANGER, LEFT)
    key, golden, public = protected.key(HOME), ids["golden"], ids["public"]
    unused = unused_snapshot(aws, ids["away"], [allowed, stranger])
    variables: dict[str, Any] = {
        # The role takes its allowlist from the variables of the role audit.
        "audit_allowed_account_ids": [allowed],
        "audit_regions": [HOME, AWAY, FAR],
        "remediate_finding_codes": [
            "unknown_account",
            "unknown_organizational_unit",
            "public",
            "grant_without_share",
        ],
    }
    expected = {
        *((ids[label], stranger, "unknown_account") for label in ("away", "far", "golden")),
        (snapshot_of(aws, AWAY, ids["away"]), stranger, "unknown_account"),
        (snapshot_of(aws, FAR, ids["far"]), stranger, "unknown_account"),
        (unused, stranger, "unknown_account"),
        (golden, protected.unit_arn(), "unknown_organizational_unit"),
        (public, "all", "public"),
        (key, stranger, "grant_without_share,statement_without_share"),
        (key, left, "grant_without_share"),
    }
    over = ansible.run(FQCN, {**variables, "remediate_max_removals": len(expected) - 1})
    assert over.code != 0
    refusal = over.task("Plan removals").result["msg"]
    limit = f"the plan has {len(expected)} removals, and at most {len(expected) - 1} are allowed: "
    assert f"{limit}1 image from the public (public); " in refusal
    assert re.search(r"; 3 images from [^;]+ \(unknown_account\);.*; and \d+ more\. To see", refusal)
    assert f"set remediate_max_removals to {len(expected)} in check mode" in refusal

    planned = ansible.run(FQCN, variables, "--check", "--diff")
    assert planned.code == 0, planned.text
    assert removals(planned) == expected
    shown = " ".join(planned.task("Show the result").result["text"].split())
    assert shown.startswith(f"Check mode: {len(expected)} permissions would be removed.")
    assert f"{HOME} {public} public planned public" in shown
    assert planned.task(UNSHARE).result["results"][0]["diff"]
    assert encrypted.changes(aws, refused=True) == []

    before = observed.sharing(aws, OWNER, HOME, golden)[1]
    done = ansible.run(FQCN, variables)
    assert done.code == 0, done.text
    assert removals(done) == expected
    assert done.facts["remediate_remaining"] == []
    assert prediction_error(actions(planned), encrypted.changes(aws)) == ""
    # Images of two regions are in one call of the module, with their snapshots.
    results = done.task(UNSHARE).result["results"]
    assert sorted(len({action["region"] for action in one["actions"]}) for one in results) == [1, 1, 1, 2]
    permissions = aws.client("ec2", OWNER, AWAY).describe_snapshot_attribute(
        SnapshotId=unused, Attribute="createVolumePermission"
    )
    assert permissions["CreateVolumePermissions"] == [{"UserId": allowed}]
    for region, label in ((AWAY, "away"), (FAR, "far")):
        assert observed.sharing(aws, OWNER, region, ids[label]) == ({allowed}, [{allowed}])
    assert observed.sharing(aws, OWNER, HOME, golden) == ({allowed}, before)
    # No finding of the snapshot was selected.
    assert observed.sharing(aws, OWNER, HOME, public) == (set(), [{"all"}])
    assert encrypted.grantees(aws, key) == [root(allowed), root(stranger)]
    assert [one["Name"] for one in encrypted.grants(aws, key)] == [f"golden-images:{allowed}", "theirs"]
    assert stranger not in encrypted.key_policy(aws, key)
    assert allowed in encrypted.key_policy(aws, key)

    aws.clear_calls()
    again = ansible.run(FQCN, variables)
    assert again.code == 0, again.text
    assert again.changed == []
    assert encrypted.changes(aws, refused=True) == []


def test_a_play_in_check_mode_does_not_wait_until_access_is_removed(
    aws: SimulatedAws, protected: EncryptedFixture, ansible: Ansible, ids: dict[str, str]
) -> None:
    planned = ansible.tasks(
        [],
        check_mode=True,
        roles=["golden.images.remediate"],
        vars={
            "remediate_allowed_account_ids": protected.account_ids(ALLOWED),
            "remediate_images": {AWAY: ids["away"]},
        },
    )
    assert planned.code == 0, planned.text
    assert ids["away"] in {resource for resource, _principal, _codes in removals(planned)}
    assert planned.task("Show the result").result["text"].startswith("Check mode: ")
    assert [task.name for task in planned.tasks if task.name.endswith("Audit the images again")] == []
    assert encrypted.changes(aws, refused=True) == []


@pytest.mark.nightly
def test_a_failed_image_does_not_stop_the_others_and_single_images_can_be_selected(
    aws: SimulatedAws, protected: EncryptedFixture, ansible: Ansible, ids: dict[str, str]
) -> None:
    allowed, stranger = protected.account_ids(ALLOWED, STRANGER)
    empty = ansible.run(FQCN, {"remediate_finding_codes": ["public"], "remediate_allowed_org_arns": ""})
    assert empty.code != 0
    assert "remediate_allow_empty_allowlist" in empty.text
    assert aws.calls(service="ec2") == []
    unselected = ansible.run(
        FQCN, {"remediate_images": {AWAY: []}, "remediate_allowed_account_ids": [allowed]}, "--check"
    )
    assert "images: 'eu-west-1' has no IDs." in unselected.task("Check what is selected").result["msg"]

    # The first call is the audit's; the next two unshare, in all regions and per region.
    aws.add_fault(
        "error",
        action="DescribeImages",
        region=FAR,
        after=1,
        times=2,
        code="UnauthorizedOperation",
        message="You are not authorized",
        status=403,
    )
    # As an AWX survey sends them.
    variables = {
        "remediate_finding_codes": "unknown_account",
        "remediate_regions": f"{AWAY}\n{FAR}",
        "remediate_allowed_account_ids": f"{allowed}, {allowed}",
        "remediate_rules": "",
        "remediate_images": "",
    }
    failed = ansible.run(FQCN, variables)
    assert failed.code != 0
    assert [bool(one["failures"]) for one in failed.task(UNSHARE).result["results"]] == [True]
    assert [bool(one["failures"]) for one in failed.task(PER_REGION).result["results"]] == [True, False]
    message = failed.task(END).result["msg"]
    assert f"Not confirmed: {FAR}: unshare {ids['far']} (far) from {stranger}" in message
    assert f"{FAR} in account {aws.account_id(OWNER)}: You are not authorized" in message
    assert ids["away"] not in message
    assert {one["region"] for one in failed.facts["remediate_remaining"]} == {FAR}
    assert observed.sharing(aws, OWNER, AWAY, ids["away"]) == ({allowed}, [{allowed}])
    assert stranger in observed.launch_permissions(aws, OWNER, FAR, ids["far"])

    # As the rulebook passes them.
    aws.clear_calls()
    named = [
        {"region": FAR, "snapshot_id": snapshot_of(aws, FAR, ids["far"])},
        {"region": FAR, "image_id": ids["far"]},
    ]
    # Read by the audit, and by ami_share before and after the change; the fourth read, by the verifying
    # audit, fails at first.
    aws.add_fault(
        "error", action="DescribeImageAttribute", region=FAR, after=3, code="RequestLimit", status=400
    )
    run = ansible.run(FQCN, {"remediate_images": named, "remediate_allowed_account_ids": [allowed]})
    assert run.code == 0, run.text
    assert observed.attempts(aws, "DescribeImageAttribute") == [FAR] * 5
    assert observed.sharing(aws, OWNER, FAR, ids["far"]) == ({allowed}, [{allowed}])


@pytest.mark.nightly
def test_an_account_keeps_the_key_that_is_associated_with_an_allowed_image(
    aws: SimulatedAws, protected: EncryptedFixture, ansible: Ansible
) -> None:
    """Another image under that key is unshared, which was shared with the account, too."""
    (account,) = protected.account_ids(ALLOWED)
    ec2, kms = aws.client("ec2", OWNER, HOME), aws.client("kms", OWNER, HOME)
    golden, key = protected.image_id, protected.key(HOME)
    base = ec2.copy_image(
        Name="base-1",
        SourceImageId=golden,
        SourceRegion=HOME,
        Encrypted=True,
        KmsKeyId=kms.create_key()["KeyMetadata"]["Arn"],
    )["ImageId"]
    for snapshot_id in observed.snapshot_ids(observed.image(aws, OWNER, HOME, base)):
        ec2.associate_kms_key_id(SnapshotId=snapshot_id, KmsKeyId=key)
    for image_id in (base, golden):
        ec2.modify_image_attribute(ImageId=image_id, LaunchPermission={"Add": [{"UserId": account}]})
    kms.create_grant(
        KeyId=key, GranteePrincipal=root(account), Operations=USE, Name=f"golden-images:{account}"
    )
    variables = {
        "remediate_rules": [{"name_pattern": "base-*", "account_ids": [account]}],
        "remediate_finding_codes": ["unknown_account"],
        "remediate_regions": [HOME],
    }
    done = ansible.run(FQCN, variables)
    assert done.code == 0, done.text
    assert removals(done) == {(golden, account, "unknown_account")}
    revoke = {"kms_key_ids": {HOME: key}, "account_ids": [account], "state": "absent"}
    run = encrypted.steps(ansible, {"revoke": ("ami_kms_grant", revoke)})
    (kept,) = run.task("revoke").result["kept_access"]
    assert kept["principals"] == [account]
    assert [one["image_ids"] for one in kept["kms_keys"]] == [[base]]
    assert encrypted.launched(aws, ALLOWED, HOME, base) == "running"


@pytest.mark.usefixtures("ids")
def test_what_an_account_has_under_a_key_is_named_before_its_access_goes(
    aws: SimulatedAws, protected: EncryptedFixture, ansible: Ansible
) -> None:
    allowed, stranger, left = protected.account_ids(ALLOWED, STRANGER, LEFT)
    key = protected.key(HOME)
    # The stranger's account has no such role.
    protected.add(roles={"volumes": {"accounts": [LEFT], "trusts": [OWNER], "external_id": "word"}})
    ec2 = aws.client("ec2", LEFT, HOME)
    volume = ec2.create_volume(AvailabilityZone=f"{HOME}a", Size=8, Encrypted=True, KmsKeyId=key)["VolumeId"]
    aws.clear_calls()
    variables: dict[str, Any] = {
        "remediate_allowed_account_ids": [allowed],
        "remediate_regions": [HOME],
        "remediate_finding_codes": ["unknown_account", "unknown_organizational_unit", "grant_without_share"],
        "remediate_consumer_role_name": "volumes",
        "remediate_external_id": "word",
    }
    planned = ansible.run(FQCN, variables, "--check")
    assert encrypted.changes(aws, refused=True) == []
    done = ansible.run(FQCN, variables)
    assert (planned.code, done.code) == (0, 0), planned.text + done.text
    assert prediction_error(actions(planned), encrypted.changes(aws)) == ""
    for run in (planned, done):
        assert (key, left, "grant_without_share") in removals(run)
        assert run.facts["remediate_kept_access"] == []
        (named,) = run.facts["remediate_dependents"]
        assert (named["account_id"], named["resource"], named["resource_ids"]) == (left, key, [volume])
        (unseen,) = run.facts["remediate_unseen_accounts"]
        assert unseen["account_id"] == stranger
        shown = " ".join(run.task("Show the result").result["text"].split())
        assert [one["message"] in shown for one in (named, unseen)] == [True, True]
    assert done.facts["remediate_remaining"] == []
    names = {one["Name"] for one in encrypted.grants(aws, key)}
    assert names == {f"golden-images:{allowed}", "theirs"}


@pytest.mark.nightly
@pytest.mark.usefixtures("ids")
def test_a_removal_that_fails_in_its_only_region_is_retried(
    aws: SimulatedAws, protected: EncryptedFixture, ansible: Ansible
) -> None:
    allowed, stranger = protected.account_ids(ALLOWED, STRANGER)
    for action in ("ModifyImageAttribute", "RevokeGrant"):
        aws.add_fault("error", action=action, code="InternalFailure", status=400)
    variables = {
        "remediate_allowed_account_ids": [allowed],
        "remediate_regions": [HOME],
        "remediate_finding_codes": ["unknown_account", "unknown_organizational_unit", "grant_without_share"],
    }
    run = ansible.run(FQCN, variables)
    assert run.code == 0, run.text
    for name in (UNSHARE, PER_REGION, "Revoke key access", "Retry failed keys per region"):
        failed = [bool(one["failures"]) for one in run.task(name).result["results"]]
        assert failed == [not name.startswith("Retry")], name
    assert run.facts["remediate_remaining"] == []
    assert stranger not in observed.launch_permissions(aws, OWNER, HOME, protected.image_id)
    names = {one["Name"] for one in encrypted.grants(aws, protected.key(HOME))}
    assert names == {f"golden-images:{allowed}", "theirs"}


def test_removals_are_planned_from_an_audit_with_warnings(
    aws: SimulatedAws, protected: EncryptedFixture, ansible: Ansible, ids: dict[str, str]
) -> None:
    (allowed,) = protected.account_ids(ALLOWED)
    action = "GetImageBlockPublicAccessState"
    aws.add_fault("error", action=action, region=AWAY, code="UnauthorizedOperation", status=403)
    variables = {
        "remediate_allowed_account_ids": [allowed],
        "remediate_regions": [AWAY],
        "remediate_finding_codes": ["unknown_account"],
    }
    planned = ansible.run(FQCN, variables, "--check")
    assert planned.code == 0, planned.text
    assert action in "".join(planned.task("Audit who can use the images").result["warnings"])
    assert {resource for resource, *_rest in removals(planned)} == {
        ids["away"],
        snapshot_of(aws, AWAY, ids["away"]),
    }
