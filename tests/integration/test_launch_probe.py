# SPDX-License-Identifier: GPL-3.0-or-later

"""ami_launch_probe: real instances prove what accounts can launch, and none of them is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed, probing
from .encrypted import EXTERNAL_ID, ROLE, USE, EncryptedFixture, await_matched, root
from .fixture import HOME, OWNER
from .in_process import Modules
from .playbook import Ansible, kill, prediction_error

AWAY = "eu-west-1"
CAN, NO_KEY, UNSHARED, NO_ROLE = "sandbox", "web-staging", "data-dev", "outsider"


@pytest.fixture
def encrypted(aws: SimulatedAws) -> EncryptedFixture:
    return EncryptedFixture(aws)


@pytest.fixture
def ansible(encrypted: EncryptedFixture, tmp_path: Path) -> Ansible:
    return Ansible(encrypted.environment(OWNER), tmp_path)


@pytest.fixture
def images(aws: SimulatedAws, encrypted: EncryptedFixture) -> dict[str, str]:
    """An encrypted image, shared with three accounts of which one has no key, and a plain one."""
    disks = [{"device_name": "/dev/xvda", "size": 8, "delete_on_termination": False}]
    plain = {"account": OWNER, "region": AWAY, "devices": disks, "architecture": "arm64"}
    sharing = {"accounts": [CAN, NO_KEY, NO_ROLE]}
    images = {HOME: encrypted.image_id, **encrypted.add_images({AWAY: {**plain, "sharing": sharing}})}
    accounts = [{"UserId": one} for one in encrypted.account_ids(CAN, NO_KEY, NO_ROLE)]
    aws.client("ec2", OWNER, HOME).modify_image_attribute(
        ImageId=images[HOME], LaunchPermission={"Add": accounts}
    )
    aws.client("kms", OWNER, HOME).create_grant(
        KeyId=encrypted.key(HOME), GranteePrincipal=root(aws.account_id(CAN)), Operations=USE
    )
    aws.clear_calls()
    return images


def _arguments(aws: SimulatedAws, images: dict[str, str], *accounts: str, **more: Any) -> dict[str, Any]:
    return {
        "images": images,
        "account_ids": [aws.account_id(account) for account in accounts],
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
        "subnet_ids": probing.subnet_ids(aws, accounts, *images),
        **more,
    }


@pytest.mark.nightly
def test_a_long_launch_is_not_silent(aws: SimulatedAws, ansible: Ansible, images: dict[str, str]) -> None:
    aws.update_settings(launch_seconds=12)
    arguments = _arguments(aws, {AWAY: images[AWAY]}, CAN)
    done, task = ansible.module("ami_launch_probe", **arguments)
    assert [one["level"] for one in task.result["results"]] == ["launched"], done.text
    assert f"Launching: 0 of 1 done, 10 s, waits for {aws.account_id(CAN)}" in done.stdout


def test_each_account_gets_as_far_as_its_rights_reach_and_nothing_is_left(
    aws: SimulatedAws, ansible: Ansible, images: dict[str, str]
) -> None:
    # So short that a launch without key access is not repeated.
    arguments = _arguments(aws, images, OWNER, CAN, NO_KEY, UNSHARED, NO_ROLE, wait_timeout=4)
    before = {account: probing.left(aws, account, HOME) for account in (OWNER, CAN, NO_KEY)}
    planned, plan = ansible.module("ami_launch_probe", "--check", **arguments)
    assert planned.code == 0, planned.text
    assert observed.attempts(aws, "RunInstances") == []
    assert "role" in str(plan.result["warnings"])
    assert "is not visible" in str(plan.result["warnings"])

    done, task = ansible.module("ami_launch_probe", **arguments)
    assert done.code != 0
    levels = {(one["account_id"], one["region"]): one["level"] for one in task.result["results"]}
    codes = {
        (one["account_id"], one["region"]): [
            (found["code"], found["severity"], found["error_code"]) for found in one["findings"]
        ]
        for one in task.result["results"]
    }
    owner, can, no_key, unshared, no_role = arguments["account_ids"]
    assert levels == {
        **dict.fromkeys([(owner, HOME), (owner, AWAY), (can, HOME), (can, AWAY)], "launched"),
        (no_key, HOME): "authorized",
        (no_key, AWAY): "launched",
        **dict.fromkeys([(unshared, HOME), (unshared, AWAY), (no_role, HOME), (no_role, AWAY)], None),
    }
    assert codes[no_key, HOME] == [("key_not_usable", "high", "Client.InternalError")]
    assert codes[unshared, HOME] == codes[unshared, AWAY] == [("not_visible", "high", None)]
    assert codes[no_role, HOME] == [("consumer_unreadable", "medium", "AccessDenied")]
    assert {place for place, found in codes.items() if not found} == {
        place for place, level in levels.items() if level == "launched"
    }
    assert "ami_kms_grant" in task.result["msg"]
    assert EXTERNAL_ID not in done.text

    assert prediction_error(planned.actions, done.actions) == ""
    assert done.actions == observed.changes(aws)
    for account, there in before.items():
        assert probing.left(aws, account, HOME) == there
    assert probing.left(aws, OWNER, AWAY) == []
    _assert_harmless(aws, arguments)


def test_a_launch_is_repeated_until_a_new_grant_can_be_used(
    aws: SimulatedAws, encrypted: EncryptedFixture, modules: Modules, images: dict[str, str]
) -> None:
    """A grant that is listed may not be usable yet (KMS Developer Guide, Using a grant token)."""
    aws.update_settings(grant_usable_after_seconds=8)
    there = probing.left(aws, NO_KEY, HOME)
    aws.client("kms", OWNER, HOME).create_grant(
        KeyId=encrypted.key(HOME), GranteePrincipal=root(aws.account_id(NO_KEY)), Operations=USE
    )
    arguments = _arguments(aws, {HOME: images[HOME]}, NO_KEY)
    done, task = modules.module("ami_launch_probe", **arguments)
    assert done.code == 0, done.text
    (result,) = task.result["results"]
    assert (result["level"], result["findings"]) == ("launched", [])
    first, *again = aws.calls(action="RunInstances", account_id=aws.account_id(NO_KEY))
    assert len({call.parameters["ClientToken"] for call in (first, *again)}) == len(again) + 1 > 1
    assert done.actions == observed.changes(aws)
    assert probing.left(aws, NO_KEY, HOME) == there


def _assert_harmless(aws: SimulatedAws, arguments: dict[str, Any]) -> None:
    (call,) = aws.calls(action="RunInstances", region=AWAY, account_id=aws.account_id(CAN))
    parameters = call.parameters
    assert parameters["InstanceType"] == "t4g.nano"
    assert parameters["MetadataOptions.HttpTokens"] == "required"
    assert parameters["InstanceInitiatedShutdownBehavior"] == "terminate"
    assert parameters["NetworkInterface.1.AssociatePublicIpAddress"] == "false"
    assert parameters["NetworkInterface.1.SubnetId"] == arguments["subnet_ids"][AWAY][aws.account_id(CAN)]
    (instance,) = probing.instances(aws, CAN, AWAY)
    assert instance["ImageId"] == arguments["images"][AWAY]
    assert [*observed.tags(instance)] == ["golden.images:probe"]
    assert "PublicIpAddress" not in instance


@pytest.mark.parametrize(
    ("action", "when"),
    [
        pytest.param("RunInstances", "after", id="after the launch, unheard of"),
        pytest.param("DescribeInstances", "before", id="while waiting", marks=pytest.mark.nightly),
        pytest.param("TerminateInstances", "before", id="before the end", marks=pytest.mark.nightly),
    ],
)
def test_after_a_kill_the_first_run_after_the_deadline_leaves_nothing(
    aws: SimulatedAws, ansible: Ansible, modules: Modules, images: dict[str, str], action: str, when: str
) -> None:
    arguments = _arguments(aws, {HOME: images[HOME]}, CAN)
    assert observed.launch(aws, CAN, HOME, images[HOME]) == "pending"
    there = probing.left(aws, CAN, HOME)
    (stranger,) = probing.instances(aws, CAN, HOME)
    # The first DescribeInstances looks for leftovers, the second waits.
    aws.add_fault("freeze", action=action, when=when, after=int(action == "DescribeInstances"), times=0)
    play = ansible.write_play([{"name": "probe", "golden.images.ami_launch_probe": arguments}])
    killed = ansible.start(play)
    await_matched(aws, 1 + int(action == "DescribeInstances"))
    kill(killed)
    aws.clear_faults()
    left = {one["InstanceId"] for one in probing.instances(aws, CAN, HOME, *probing.LIVING)}
    assert len(left) == 2

    # The run that was killed may still be running, as far as the next one can know.
    early, probed = modules.module("ami_launch_probe", **arguments)
    assert early.code == 0, early.text
    assert probed.result["results"][0]["level"] == "launched"
    assert {one["InstanceId"] for one in probing.instances(aws, CAN, HOME, *probing.LIVING)} == left

    probing.pass_deadlines(aws, CAN, HOME)
    rerun, probed = modules.module("ami_launch_probe", **arguments)
    assert rerun.code == 0, rerun.text
    assert probed.result["results"][0]["level"] == "launched"
    living = probing.instances(aws, CAN, HOME, *probing.LIVING)
    assert [one["InstanceId"] for one in living] == [stranger["InstanceId"]]
    ended = [change.resource for change in rerun.actions if change.action == "TerminateInstances"]
    assert left - {stranger["InstanceId"]} <= {*ended}
    assert probing.left(aws, CAN, HOME) == there


def test_what_goes_wrong_meanwhile_leaves_nothing_running(
    aws: SimulatedAws, modules: Modules, images: dict[str, str]
) -> None:
    arguments = _arguments(aws, images, CAN, OWNER, wait_timeout=1)
    there = {account: probing.left(aws, account, HOME) for account in (CAN, OWNER)}
    aws.update_settings(launch_seconds=600)
    refusal = {"code": "InsufficientInstanceCapacity", "message": "None left.", "status": 500}
    aws.add_fault("error", action="RunInstances", region=AWAY, times=0, **refusal)
    aws.add_fault("drop", action="RunInstances", account_id=aws.account_id(OWNER), when="after", times=0)
    run = modules.tasks(
        [
            {
                "name": "probe",
                "golden.images.ami_launch_probe": {
                    **arguments,
                    # So that a lost answer is not asked for again.
                    "aws_config": {"retries": {"total_max_attempts": 1}},
                },
            }
        ]
    )
    task = run.task("probe")
    assert run.code != 0
    found = {(one["account_id"], one["region"]): _reached(one) for one in task.result["results"]}
    can, owner = arguments["account_ids"]
    assert found[can, HOME] == ("authorized", "instance_pending", None)
    assert (
        found[can, AWAY]
        == found[owner, AWAY]
        == (
            "visible",
            "launch_failed",
            "InsufficientInstanceCapacity",
        )
    )
    assert found[owner, HOME] == ("visible", "launch_failed", "ConnectionClosedError")
    for account, before in there.items():
        assert probing.left(aws, account, HOME) == before
        assert len(probing.instances(aws, account, HOME)) == 1


def _reached(result: dict[str, Any]) -> tuple[str | None, str, str | None]:
    (finding,) = result["findings"]
    return result["level"], finding["code"], finding["error_code"]


@pytest.mark.nightly
@pytest.mark.oldest_boto
def test_bad_options_are_refused_before_anything_is_launched(
    aws: SimulatedAws, ansible: Ansible, images: dict[str, str]
) -> None:
    options: dict[str, Any] = {
        "images": images,
        "subnet_ids": {HOME: "sandbox"},
        "security_group_ids": {HOME: ["default"]},
        "wait_timeout": 0,
    }
    run, task = ansible.module("ami_launch_probe", **options, account_ids=[12345678901, aws.account_id(CAN)])
    assert run.code != 0
    # What cannot be read is refused alone: what the other options mean may depend on it.
    assert [failure["action"] for failure in task.result["failures"]] == ["account_ids"]
    run, task = ansible.module("ami_launch_probe", **options, account_ids=[aws.account_id(CAN)])
    assert run.code != 0
    refused = {failure["action"] for failure in task.result["failures"]}
    assert refused == {"subnet_ids", "security_group_ids", "wait_timeout"}
    assert f"no subnet is set for {AWAY}" in task.result["msg"]
    assert aws.calls() == []


@pytest.mark.parametrize(
    "module", [pytest.param("ami_share_diagnose", marks=pytest.mark.nightly), "ami_launch_probe"]
)
def test_what_was_just_shared_is_verified_once_the_account_sees_it(
    aws: SimulatedAws, modules: Modules, images: dict[str, str], module: str
) -> None:
    """The owner reads the permission at once, and the account has it later."""
    aws.update_settings(permissions_reach_accounts_after_seconds=6)
    shown = {AWAY: images[AWAY]}
    account_ids = [aws.account_id(UNSHARED)]
    verified = {f"golden.images.{module}": _arguments(aws, shown, UNSHARED)}
    if module == "ami_share_diagnose":
        verified[f"golden.images.{module}"]["fail_on"] = "blocking"
    run = modules.tasks(
        [{"golden.images.ami_share": {"images": shown, "account_ids": account_ids}}, verified]
    )
    assert run.code == 0, run.text
    answers = [
        one.status
        for one in aws.calls(action="DescribeImages")
        if (one.account_id, one.region) == (account_ids[0], AWAY)
    ]
    assert (answers[0], answers[-1]) == (400, 200)


@pytest.mark.parametrize(
    ("module", "times"),
    [
        pytest.param("ami_share_diagnose", 1, marks=pytest.mark.nightly),
        ("ami_launch_probe", 1),
        pytest.param("ami_launch_probe", 0, marks=pytest.mark.nightly),
    ],
)
def test_a_launch_that_is_refused_for_the_image_is_tried_again_and_then_named(
    aws: SimulatedAws, modules: Modules, images: dict[str, str], module: str, times: int
) -> None:
    """The account sees the image, and RunInstances not yet: no matter of a key."""
    message = f"Not authorized for images: [{images[AWAY]}]"
    aws.add_fault(
        "error", action="RunInstances", code="AuthFailure", message=message, status=400, times=times
    )
    arguments = _arguments(aws, {AWAY: images[AWAY]}, CAN)
    if module == "ami_share_diagnose":
        arguments["fail_on"] = "unknown"
    run, task = modules.module(module, **arguments)
    (result,) = task.result["results"]
    assert (run.code == 0) is (times == 1), run.text
    blocking = [one for one in result["findings"] if one["blocks_launch"] == "blocking"]
    assert [one["code"] for one in blocking] == ([] if times else ["missing_launch_permission"])
    if not times:
        assert result["level"] == "visible"
        assert "No KMS key is the cause" in blocking[0]["remedy"]
