# SPDX-License-Identifier: GPL-3.0-or-later

"""Consumers own copies under their own keys and no longer need the owner's image and key."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import encrypted, observed
from .encrypted import ALIAS, DISTRIBUTE, EXTERNAL_ID, ROLE, EncryptedFixture, await_matched, root, steps
from .fixture import HOME, OWNER
from .in_process import Modules
from .playbook import MODULES, Ansible, kill, prediction_error
from .publishing import PARAMETER, value

REGIONS = ("eu-west-1", "us-west-2")
CONSUMERS = ("data-prod", "web-staging")
THEIRS = "alias/theirs"
_TIMEOUT = 120
PLACES = [(account, region) for account in CONSUMERS for region in REGIONS]


@pytest.fixture
def fixture(aws: SimulatedAws) -> EncryptedFixture:
    """The fixture of the encrypted image, whose consumers have keys of their own."""
    built = EncryptedFixture(aws)
    keys = {
        f"of {name}": {"account": name, "regions": [HOME, *REGIONS], "alias": THEIRS} for name in CONSUMERS
    }
    built.add(kms_keys=keys)
    return built


@pytest.fixture
def variables(fixture: EncryptedFixture) -> dict[str, Any]:
    """A distribution to two regions, and into two accounts in each."""
    return {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": list(REGIONS),
        "distribute_kms_key_id": ALIAS,
        "distribute_account_ids": fixture.account_ids(*CONSUMERS),
        "distribute_consumer_role_name": ROLE,
        "distribute_external_id": EXTERNAL_ID,
        "distribute_copy_into_accounts": True,
        "distribute_consumer_kms_key_id": THEIRS,
        "distribute_tags": {"Release": "2026.11"},
    }


def _copies(aws: SimulatedAws, facts: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """The image of each consumer in each region, from the role's result facts."""
    names = {aws.account_id(name): name for name in CONSUMERS}
    return {
        (names[one["account_id"]], one["region"]): one["image_id"]
        for one in facts["distribute_consumer_images"]
    }


def _assert_own_copies(aws: SimulatedAws, copies: Mapping[tuple[str, str], str]) -> None:
    """Each consumer has one image in each region, under its own key, which it can launch."""
    assert sorted(copies) == PLACES
    for (account, region), image_id in copies.items():
        (image,) = observed.own_images(aws, account, region)
        assert (image["ImageId"], image["State"]) == (image_id, "available")
        assert len(observed.snapshot_ids(image)) == 2
        assert observed.own_snapshots(aws, account, region) == sorted(observed.snapshot_ids(image))
        key = aws.client("kms", account, region).describe_key(KeyId=THEIRS)["KeyMetadata"]["Arn"]
        assert encrypted.keys_of(aws, account, region, image_id) == {key}
        assert observed.tags(image)["Release"] == "2026.11"
        assert encrypted.launched(aws, account, region, image_id) == "running"


@pytest.mark.nightly
def test_names_that_are_too_long_for_the_consumers_copies_are_refused_before_the_first_copy(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    variables["distribute_name"] = f"{'n' * 100}-{{source_name}}"
    refused = ansible.run(DISTRIBUTE, variables)
    assert refused.code != 0
    for region in REGIONS:
        assert region in refused.task("Validate options with the planned copies").result["msg"]
    assert ": name: the copies in the accounts would have a name of" in refused.text
    assert encrypted.changes(aws, refused=True) == []


@pytest.mark.quick
def test_consumers_own_their_copies_and_the_access_for_copying_is_revoked(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    aws.update_settings(copy_seconds=1)
    planned = ansible.run(DISTRIBUTE, variables, "--check", "--diff")
    assert planned.code == 0, planned.text
    assert encrypted.changes(aws, refused=True) == []
    copies = planned.facts["distribute_consumer_images"]
    assert sorted((one["account_id"], one["region"], one["image_id"]) for one in copies) == sorted(
        (aws.account_id(account), region, None) for account, region in PLACES
    )

    shared = ansible.run(DISTRIBUTE, variables)
    assert shared.code == 0, shared.text
    assert prediction_error(planned.actions, shared.actions) == ""
    assert encrypted.changes(aws) == shared.actions
    assert EXTERNAL_ID not in shared.text
    copies = _copies(aws, shared.facts)
    _assert_own_copies(aws, copies)
    images = shared.facts["distribute_images"]
    made_from = {
        observed.tags(observed.image(aws, *place, copies[place]))["golden.images:source"] for place in PLACES
    }
    assert made_from == {f"{region}/{images[region]}" for region in REGIONS}

    # All copies are found again. No consumer is left to share with, and a purge must still succeed.
    aws.clear_calls()
    variables |= {"distribute_unshare_after_copy": True, "distribute_purge_access": True}
    planned = ansible.run(DISTRIBUTE, variables, "--check")
    assert planned.code == 0, planned.text
    assert encrypted.changes(aws, refused=True) == []
    revoked = ansible.run(DISTRIBUTE, variables)
    assert revoked.code == 0, revoked.text
    assert prediction_error(planned.actions, revoked.actions) == ""
    assert {change.action for change in revoked.actions} == {
        *("ModifyImageAttribute", "ModifySnapshotAttribute", "RevokeGrant"),
    }
    for region in REGIONS:
        assert observed.sharing(aws, OWNER, region, images[region]) == (set(), [set(), set()])
        assert encrypted.grantees(aws, fixture.key(region)) == []
        for account in CONSUMERS:
            assert encrypted.launched(aws, account, region, images[region]) == "AuthFailure"
    _assert_own_copies(aws, _copies(aws, revoked.facts))

    aws.clear_calls()
    repeated = ansible.run(DISTRIBUTE, variables)
    assert (repeated.code, repeated.changed) == (0, []), repeated.text
    assert encrypted.changes(aws, refused=True) == []
    assert _copies(aws, repeated.facts) == copies


@pytest.mark.nightly
def test_the_owner_may_be_one_of_the_accounts_and_keeps_the_images(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, tmp_path: Path
) -> None:
    disk = {"device_name": "/dev/xvda", "size": 8}
    plain = {"account": OWNER, "region": HOME, "devices": [disk]}
    report, (region, consumer) = tmp_path / "report.json", (REGIONS[0], CONSUMERS[1])
    accounts = fixture.account_ids(OWNER, consumer)
    roles = {"consumer_role_name": ROLE, "external_id": EXTERNAL_ID}
    variables = {
        "distribute_source_image_id": fixture.add_images({"plain": plain})["plain"],
        "distribute_source_region": HOME,
        "distribute_regions": [region],
        "distribute_account_ids": accounts,
        **{f"distribute_{name}": value for name, value in roles.items()},
        "distribute_copy_into_accounts": True,
        "distribute_verify_level": "visible",
        "distribute_publish_parameter": PARAMETER,
        "distribute_report_path": str(report),
    }
    planned = ansible.run(DISTRIBUTE, variables, "--check")
    assert planned.code == 0, planned.text
    done = ansible.run(DISTRIBUTE, variables)
    assert done.code == 0, done.text
    written = json.loads(report.read_text(encoding="utf-8"))
    assert [one["account_id"] for one in written["published"]] == sorted(accounts)
    copies = {one["account_id"]: one["image_id"] for one in written["consumer_images"]}
    assert copies[accounts[0]] == done.facts["distribute_images"][region]
    for account, image_id in zip((OWNER, consumer), map(copies.get, accounts), strict=True):
        (image,) = observed.own_images(aws, account, region)
        assert (image["ImageId"], value(aws, account, region)) == (image_id, image_id)

    # As a later job publishes what the report lists.
    listed = [one for one in written["regions"] if one["shared"]] + written["consumer_images"]
    options = {"parameter": PARAMETER, "images": listed, "account_ids": accounts, **roles}
    run, task = ansible.module("ami_publish", **options, source_image_id=written["source_image_id"])
    assert (run.code, task.changed) == (0, False), run.text


def test_key_access_that_failed_is_reported_after_other_access_was_revoked(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    consumer = aws.account_id(CONSUMERS[0])
    refused = {"code": "InvalidArnException", "message": "ARN does not refer to a valid principal"}
    aws.add_fault("error", action="CreateGrant", account_id=consumer, times=0, status=400, **refused)
    variables |= {"distribute_auto_scaling": True, "distribute_unshare_after_copy": True}

    failed = ansible.run(DISTRIBUTE, variables)

    assert failed.code != 0
    _assert_own_copies(aws, _copies(aws, failed.facts))
    report = failed.task("distribute : Write the distribution report").result["report"]
    assert report["status"] == "partial"
    assert {(one["action"], one["account_id"]) for one in report["failures"]} == {("CreateGrant", consumer)}


@pytest.mark.nightly
@pytest.mark.oldest_boto
def test_a_copy_is_repeated_until_a_new_grant_can_be_used(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible
) -> None:
    """A grant that is listed may not be usable yet (KMS Developer Guide, Using a grant token)."""
    aws.update_settings(grant_usable_after_seconds=3600)
    name = CONSUMERS[0]
    consumer = aws.account_id(name)
    image = {"images": {HOME: fixture.image_id}, "account_ids": [consumer]}
    copying = {
        "source_images": {HOME: fixture.image_id},
        "regions": [HOME],
        "account_ids": [consumer],
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
        "kms_key_id": THEIRS,
    }
    modules = {"ami_share": image, "ami_kms_grant": image, "ami_copy_regions": copying}
    play = ansible.write_play([{MODULES + module: options} for module, options in modules.items()])
    run = ansible.start(play)
    deadline = time.monotonic() + _TIMEOUT
    # Any failed copy is replaced once.
    while len([call for call in aws.calls(action="CopyImage") if call.status == 200]) < 2:
        assert time.monotonic() < deadline, "the copies were not started"
        time.sleep(0.2)
    aws.update_settings(grant_usable_after_seconds=0)
    stdout, _stderr = run.communicate(timeout=_TIMEOUT)
    assert run.returncode == 0, stdout
    copies = aws.calls(action="CopyImage")
    assert len({call.parameters["ClientToken"] for call in copies}) == len(copies) == 3
    (left,) = observed.own_images(aws, name, HOME)
    assert left["State"] == "available"
    assert observed.own_snapshots(aws, name, HOME) == sorted(observed.snapshot_ids(left))


@pytest.mark.nightly
def test_an_image_of_the_marketplace_is_refused_before_the_first_copy(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    """(CopyImage: Images from AWS Marketplace cannot be copied to another AWS account.)"""
    disk = {"device_name": "/dev/xvda", "size": 8}
    coded = {"account": OWNER, "region": HOME, "devices": [disk], "product_codes": ["abc123"]}
    variables["distribute_source_image_id"] = fixture.add_images({"coded": coded})["coded"]
    refused = ansible.run(DISTRIBUTE, variables)
    assert refused.code != 0
    failed = refused.task("Plan the copies")
    assert {code for _region, code in failed.codes} == {"product_code"}
    assert "abc123" in failed.result["msg"]
    assert encrypted.changes(aws, refused=True) == []


@pytest.mark.parametrize("action", ["DescribeImages", pytest.param("CopyImage", marks=pytest.mark.nightly)])
def test_no_access_is_revoked_from_an_account_whose_copies_are_not_all_seen(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any], action: str
) -> None:
    account = CONSUMERS[0]
    variables |= {
        "distribute_best_effort_regions": [REGIONS[1]],
        "distribute_unshare_after_copy": True,
        "distribute_purge_access": True,
    }
    refusal = {
        "region": REGIONS[1],
        "account_id": aws.account_id(account),
        "code": "UnauthorizedOperation",
        "status": 403,
    }
    aws.add_fault("error", action=action, times=0, **refusal)
    run = ansible.run(DISTRIBUTE, variables)
    aws.clear_faults()
    assert run.code == 0, run.text
    for region, image_id in run.facts["distribute_images"].items():
        launch, _volumes = observed.sharing(aws, OWNER, region, image_id)
        assert aws.account_id(account) in launch, run.text


@pytest.mark.nightly
def test_accounts_keep_access_in_a_best_effort_region_until_they_own_copies_there(
    aws: SimulatedAws,
    fixture: EncryptedFixture,
    ansible: Ansible,
    variables: dict[str, Any],
    tmp_path: Path,
) -> None:
    good, bad = REGIONS
    consumers = {aws.account_id(account) for account in CONSUMERS}
    shared = ansible.run(DISTRIBUTE, {**variables, "distribute_copy_into_accounts": False})
    assert shared.code == 0, shared.text
    images = shared.facts["distribute_images"]

    report = tmp_path / "report.json"
    variables |= {
        "distribute_best_effort_regions": [bad],
        "distribute_report_path": str(report),
        "distribute_unshare_after_copy": True,
        "distribute_verify_level": "authorized",
    }
    aws.add_fault("error", action="ListGrants", region=bad, times=0, code="AccessDeniedException", status=400)
    planned = ansible.run(DISTRIBUTE, variables, "--check")
    assert planned.code == 0, planned.text
    run = ansible.run(DISTRIBUTE, variables)
    assert run.code == 0, run.text
    assert [region for _account, region in _copies(aws, run.facts)] == [good, good]
    assert list(run.facts["distribute_images"]) == [good]
    written = json.loads(report.read_text(encoding="utf-8"))
    failures = [(one["region"], one["action"], one["error_code"]) for one in written["failures"]]
    assert (written["status"], failures) == ("partial", [(bad, "ListGrants", "AccessDeniedException")])
    aws.clear_faults()
    assert observed.launch_permissions(aws, OWNER, good, images[good]) == set()
    assert observed.launch_permissions(aws, OWNER, bad, images[bad]) == consumers
    assert encrypted.grantees(aws, fixture.key(bad)) == sorted(map(root, consumers))

    # A copy in a best-effort region is not waited for.
    rerun = ansible.run(DISTRIBUTE, {**variables, "distribute_best_effort_regions": []})
    assert rerun.code == 0, rerun.text
    _assert_own_copies(aws, _copies(aws, rerun.facts))
    assert observed.launch_permissions(aws, OWNER, bad, images[bad]) == set()
    assert encrypted.grantees(aws, fixture.key(bad)) == []


@pytest.mark.nightly
def test_a_rerun_after_a_kill_completes_the_copies_and_revokes_access(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    # A survey sends text.
    variables |= {
        "distribute_account_ids": ", ".join(variables["distribute_account_ids"]),
        "distribute_copy_into_accounts": "true",
        "distribute_unshare_after_copy": "true",
    }
    # After two copies of the owner, AWS starts a consumer's copy, and the response is lost.
    aws.add_fault("freeze", action="CopyImage", when="after", after=len(REGIONS) + 1, times=0)
    # Nothing reads the output until the run is killed: it must fit into the pipe.
    short = {"ANSIBLE_STDOUT_CALLBACK": "default"}
    killed = ansible.start(DISTRIBUTE, variables, environment=short)
    await_matched(aws, len(REGIONS) + 2)
    kill(killed)
    aws.clear_faults()

    rerun = ansible.run(DISTRIBUTE, variables)
    assert rerun.code == 0, rerun.text
    _assert_own_copies(aws, _copies(aws, rerun.facts))
    images = rerun.facts["distribute_images"]
    for region in REGIONS:
        assert observed.sharing(aws, OWNER, region, images[region]) == (set(), [set(), set()])
        assert encrypted.grantees(aws, fixture.key(region)) == []


def test_accounts_that_lack_a_permission_are_named_before_anything_is_copied(
    aws: SimulatedAws, fixture: EncryptedFixture, modules: Modules
) -> None:
    no_image, no_snapshot, no_key, too_little, fine = (
        "data-prod",
        "web-staging",
        "web-prod",
        "data-dev",
        "sandbox",
    )
    names = (no_image, no_snapshot, no_key, too_little, fine)
    ids = dict(zip(names, fixture.account_ids(*names), strict=True))
    fixture.add(
        kms_keys={f"{name}'s": {"account": name, "regions": [HOME], "alias": "alias/more"} for name in names}
    )
    owner, kms = aws.client("ec2", OWNER, HOME), aws.client("kms", OWNER, HOME)
    first, second = observed.snapshot_ids(observed.image(aws, OWNER, HOME, fixture.image_id))
    snapshots = {first: [*ids.values()], second: [ids[one] for one in names if one != no_snapshot]}
    owner.modify_image_attribute(
        ImageId=fixture.image_id, OperationType="add", UserIds=[ids[one] for one in names if one != no_image]
    )
    for snapshot_id, users in snapshots.items():
        owner.modify_snapshot_attribute(
            SnapshotId=snapshot_id, Attribute="createVolumePermission", OperationType="add", UserIds=users
        )
    for name, operations in ((no_image, encrypted.USE), (no_snapshot, encrypted.USE), (fine, encrypted.USE)):
        kms.create_grant(KeyId=fixture.key(HOME), GranteePrincipal=root(ids[name]), Operations=operations)
    kms.create_grant(
        KeyId=fixture.key(HOME),
        GranteePrincipal=root(ids[too_little]),
        Operations=["DescribeKey", "CreateGrant"],
    )
    copying = {
        "source_image_id": fixture.image_id,
        "source_region": HOME,
        "regions": [HOME],
        "account_ids": [*ids.values()],
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
        "kms_key_id": "alias/more",
    }
    aws.clear_calls()
    run = steps(
        modules,
        {
            "all": ("ami_copy_regions", copying),
            "one": ("ami_copy_regions", {**copying, "account_ids": [ids[fine]]}),
            "again": ("ami_copy_regions", {**copying, "account_ids": [ids[fine]]}),
            "without a role": (
                "ami_copy_regions",
                {key: value for key, value in copying.items() if key != "consumer_role_name"},
            ),
        },
    )
    refused = run.task("all").result
    missing = {(one["account_id"], one["error_code"]): one for one in refused["failures"]}
    assert sorted(missing) == sorted(
        [
            (ids[no_image], "missing_launch_permission"),
            (ids[no_snapshot], "missing_volume_permission"),
            (ids[no_key], "missing_key_access"),
            (ids[too_little], "missing_key_access"),
        ]
    )
    texts = {
        code: failure["message"] for (account, code), failure in missing.items() if account != ids[no_key]
    }
    assert fixture.image_id in texts["missing_launch_permission"]
    assert second in texts["missing_volume_permission"]
    assert first not in texts["missing_volume_permission"]
    assert "Decrypt" in texts["missing_key_access"]
    assert all("ami_share" in one["remedy"] or "ami_kms_grant" in one["remedy"] for one in missing.values())
    assert refused["msg"].endswith("This task changed nothing.")

    assert (run.task("one").status, run.task("again").changed) == ("ok", False), run.text
    ((action, _region, _resource),) = observed.changes(aws)
    assert action == "CopyImage"
    (copy,) = run.task("again").result["images"]
    assert copy == {
        "account_id": ids[fine],
        "region": HOME,
        "image_id": run.task("one").result["images"][0]["image_id"],
    }
    assert encrypted.launched(aws, fine, HOME, copy["image_id"]) == "running"
    assert {code for _region, code in run.task("without a role").codes} == {"missing_consumer_role"}
