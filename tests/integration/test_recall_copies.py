# SPDX-License-Identifier: GPL-3.0-or-later

"""A recall disables images that consumers have made from the release, if asked, and enables them again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import botocore.client
import pytest

from simulated_aws.client import SimulatedAws

from . import publishing, recalling
from .fixture import HOME, OWNER, STRANGER, Fixture
from .in_process import Modules
from .playbook import Ansible
from .publishing import AWAY, CONSUMER, EXTERNAL_ID, REGIONS, ROLE
from .recalling import PLAYBOOK, SOURCE_TAG, access, state

BUILDER = "web-staging"
CONSUMERS = [CONSUMER, BUILDER]
ASSUMED = {"consumer_role_name": ROLE, "external_id": EXTERNAL_ID}
NOWAIT = {"Delay": 1}


class Copies:
    """A release, and what two accounts have made of it: a copy, and an image from an instance."""

    def __init__(self, aws: SimulatedAws, fixture: Fixture) -> None:
        self.aws, self.fixture = aws, fixture
        self.accounts = dict(zip(CONSUMERS, fixture.account_ids(*CONSUMERS), strict=True))
        shared = {"accounts": CONSUMERS, "snapshot_accounts": CONSUMERS}
        self.release = recalling.release(aws, fixture, "2026.11", sharing=shared)
        fixture.add(roles={ROLE: {"accounts": CONSUMERS, "trusts": [OWNER], "external_id": EXTERNAL_ID}})
        ec2 = aws.client("ec2", CONSUMER, HOME)
        self.copy = ec2.copy_image(SourceImageId=self.release[HOME], SourceRegion=HOME, Name="mine")[
            "ImageId"
        ]
        ec2.get_waiter("image_available").wait(ImageIds=[self.copy], WaiterConfig=NOWAIT)
        data = {"ImageId": self.copy, "InstanceType": "t3.micro"}
        ec2.create_launch_template(LaunchTemplateName="own", LaunchTemplateData=data)
        ec2 = aws.client("ec2", BUILDER, AWAY)
        instance = self.launch(BUILDER, AWAY, self.release[AWAY])
        self.built = ec2.create_image(InstanceId=instance, Name="built")["ImageId"]
        ec2.get_waiter("image_available").wait(ImageIds=[self.built], WaiterConfig=NOWAIT)
        self.launch(BUILDER, AWAY, self.built)
        (self.partner,) = fixture.account_ids(STRANGER)
        permission = {"Add": [{"UserId": self.partner}]}
        ec2.modify_image_attribute(ImageId=self.built, LaunchPermission=permission)
        aws.clear_calls()

    def launch(self, account: str, region: str, image_id: str) -> str:
        """The ID of an instance."""
        ec2 = self.aws.client("ec2", account, region)
        made = ec2.run_instances(ImageId=image_id, InstanceType="t3.micro", MinCount=1, MaxCount=1)
        return str(made["Instances"][0]["InstanceId"])

    @property
    def states(self) -> dict[str, tuple[str, set[str]]]:
        """The states of both images of the accounts."""
        return {
            CONSUMER: state(self.aws, CONSUMER, HOME, self.copy),
            BUILDER: state(self.aws, BUILDER, AWAY, self.built),
        }

    @property
    def open(self) -> dict[str, tuple[str, set[str]]]:
        """The states before the recall."""
        return {CONSUMER: ("available", set()), BUILDER: ("available", {self.partner})}


BLOCKED: dict[str, tuple[str, set[str]]] = dict.fromkeys(CONSUMERS, ("disabled", set()))


@pytest.fixture
def copies(aws: SimulatedAws, fixture: Fixture) -> Copies:
    return Copies(aws, fixture)


class Recall(recalling.Recall):
    """Recalls of the release by the module alone, after what uses it was read."""

    def __init__(self, copies: Copies, modules: Modules, folder: Path) -> None:
        self.copies, self._tombstone = copies, folder / "recalls.jsonl"
        super().__init__(modules, copies.release, tombstone_path=str(self._tombstone), **ASSUMED)

    def adoption(self, accounts: Sequence[str] = ()) -> dict[str, Any]:
        """What uses the release in the accounts."""
        return self.run(
            "ami_adoption",
            family_by_source=True,
            deny_images=[self.copies.release[HOME]],
            depth="launches",
            account_ids=[*(accounts or self.copies.accounts.values())],
            regions=[*REGIONS],
            **ASSUMED,
        )

    def block(self, **changes: Any) -> dict[str, Any]:
        """The result of a block of the release and the images of the accounts, whatever it breaks."""
        read = changes.pop("adoption_result", None) or self.adoption()
        given = {"level": "block", "accept_breaking": ["all"], "block_consumer_copies": True, **changes}
        return self(adoption_result=read, **given)

    def undo(self) -> dict[str, Any]:
        """The result of taking the recall back."""
        return self(state="absent")

    @property
    def recorded(self) -> dict[str, bool]:
        """Whether the recall has disabled each image of an account, by the tombstone."""
        last = json.loads(self._tombstone.read_text(encoding="utf-8").splitlines()[-1])
        by_id = {account_id: name for name, account_id in self.copies.accounts.items()}
        return {
            by_id[item["account_id"]]: item["disabled"]
            for item in last["blocked"]
            if item["account_id"] in by_id
        }


@pytest.fixture
def recall(copies: Copies, modules: Modules, tmp_path: Path) -> Recall:
    return Recall(copies, modules, tmp_path)


def failures(done: dict[str, Any]) -> list[tuple[str, str]]:
    """The codes of the failures, and what failed."""
    return [(failure["error_code"], failure["action"]) for failure in done.get("failures", ())]


@pytest.mark.nightly
def test_the_role_disables_them_once_what_breaks_is_confirmed(
    aws: SimulatedAws, copies: Copies, ansible: Ansible, tmp_path: Path
) -> None:
    given = {
        "source_image_id": copies.release[HOME],
        "source_region": HOME,
        "regions": REGIONS,
        "level": "block",
        "account_ids": [*copies.accounts.values()],
        **ASSUMED,
        "tombstone_path": str(tmp_path / "recalls.jsonl"),
    }
    variables = {f"recall_{name}": value for name, value in given.items()}
    before = access(aws, copies.release)
    asked = {**variables, "recall_block_consumer_copies": "true"}
    run = ansible.run(PLAYBOOK, asked)
    codes = [item["error_code"] for item in run.facts["recall_failures"]]
    assert codes == ["launches_would_break", "consumers_not_looked_at"], run.text
    consumers = [item["consumer"] for item in run.facts["recall_breaking"]]
    assert consumers == [copies.accounts[CONSUMER], copies.partner]
    assert (copies.states, access(aws, copies.release)) == (copies.open, before)

    asked["recall_accept_breaking"] = consumers
    check = ansible.run(PLAYBOOK, asked, "--check", "--diff")
    assert (check.code, copies.states) == (0, copies.open), check.text
    for text in (copies.copy, copies.built, "planned"):
        assert text in check.task("Show the result").result["text"]
    assert copies.built in str(check.task("Block the images of the release").result["diff"])

    run = ansible.run(PLAYBOOK, asked)
    assert (run.code, run.facts["recall_status"]) == (0, "blocked"), run.text
    assert copies.states == BLOCKED
    with pytest.raises(botocore.client.ClientError):
        copies.launch(CONSUMER, HOME, copies.copy)
    aws.clear_calls()
    # Also without the option: what is disabled stays.
    for again in (asked, variables):
        run = ansible.run(PLAYBOOK, again)
        assert (run.code, run.changed, publishing.written(aws, refused=True)) == (0, [], []), run.text

    back = ansible.run(PLAYBOOK, {**variables, "recall_state": "absent"})
    assert (back.code, back.facts["recall_status"]) == (0, "taken_back"), back.text
    assert (copies.states, access(aws, copies.release)) == (copies.open, before)


def test_without_the_option_they_are_named_and_stay(recall: Recall) -> None:
    done = recall.block(block_consumer_copies=False)
    assert "msg" not in done
    assert recall.copies.states == recall.copies.open
    (warning,) = [text for text in recall.warnings if "images of their own" in text]
    assert recall.copies.copy in warning
    assert recall.copies.built in warning


def test_what_only_a_tag_calls_a_copy_stays(recall: Recall) -> None:
    copies = recall.copies
    image = {
        "account": CONSUMER,
        "region": HOME,
        "devices": [{"device_name": "/dev/xvda", "size": 8}],
        "tags": {SOURCE_TAG: f"{HOME}/{copies.release[HOME]}"},
    }
    tagged = copies.fixture.add_images({"tagged": image})["tagged"]
    copies.launch(CONSUMER, HOME, tagged)
    assert "msg" not in recall.block()
    assert (copies.states, state(copies.aws, CONSUMER, HOME, tagged)[0]) == (BLOCKED, "available")
    (warning,) = [text for text in recall.warnings if "only a tag" in text]
    assert tagged in warning
    assert copies.copy not in warning


def test_an_account_that_refuses_does_not_stop_the_others(aws: SimulatedAws, recall: Recall) -> None:
    copies, adoption = recall.copies, recall.adoption()
    iam = aws.client("iam", BUILDER)
    deny = {"Effect": "Deny", "Action": "ec2:DisableImage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName=ROLE, PolicyName="deny", PolicyDocument=policy)
    done = recall.block(adoption_result=adoption)
    assert failures(done) == [("UnauthorizedOperation", "DisableImage")]
    (failure,) = done["failures"]
    assert (failure["account_id"], failure["region"]) == (copies.accounts[BUILDER], AWAY)
    assert failure["message"].startswith(f"In account {copies.accounts[BUILDER]}: ")
    assert copies.states == {**BLOCKED, BUILDER: copies.open[BUILDER]}
    assert recall.recorded == {CONSUMER: True, BUILDER: False}
    # Whoever disables it now, it is not the recall.
    iam.delete_role_policy(RoleName=ROLE, PolicyName="deny")
    aws.client("ec2", BUILDER, AWAY).disable_image(ImageId=copies.built)
    done = recall.block()
    left = {item["account_id"]: item["left"] for item in done["blocked"] if item["left"]}
    assert left == {copies.accounts[BUILDER]: "is disabled, not by the recall"}
    assert "msg" not in recall.undo()
    assert copies.states == {CONSUMER: copies.open[CONSUMER], BUILDER: BLOCKED[BUILDER]}


def test_an_account_whose_role_is_refused_does_not_stop_the_others(aws: SimulatedAws, recall: Recall) -> None:
    copies, adoption = recall.copies, recall.adoption()
    iam = aws.client("iam", BUILDER)
    trust = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    deny = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    nobody = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=nobody)
    done = recall.block(adoption_result=adoption)
    assert failures(done) == [("AccessDenied", "AssumeRole")]
    assert copies.states == {**BLOCKED, BUILDER: copies.open[BUILDER]}
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(trust))
    assert "msg" not in recall.block(adoption_result=adoption)
    assert copies.states == BLOCKED

    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=nobody)
    assert failures(recall.undo()) == [("AccessDenied", "AssumeRole")]
    assert copies.states == {**copies.open, BUILDER: BLOCKED[BUILDER]}
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(trust))
    assert "msg" not in recall.undo()
    assert copies.states == copies.open


def test_a_copy_that_was_deregistered_since_is_left_and_named(aws: SimulatedAws, recall: Recall) -> None:
    copies = recall.copies
    assert "msg" not in recall.block()
    aws.client("ec2", CONSUMER, HOME).deregister_image(ImageId=copies.copy)
    done = recall.undo()
    assert "msg" not in done
    left = {item["image_id"]: item["left"] for item in done["blocked"] if item["left"]}
    assert left == {copies.copy: "does not exist any more"}
    assert state(copies.aws, BUILDER, AWAY, copies.built) == copies.open[BUILDER]


def test_an_account_that_was_not_looked_at_keeps_its_copy(recall: Recall) -> None:
    copies = recall.copies
    done = recall.block(adoption_result=recall.adoption([copies.accounts[BUILDER]]))
    assert "msg" not in done
    assert copies.accounts[CONSUMER] not in {item["account_id"] for item in done["blocked"]}
    assert copies.states == {**BLOCKED, CONSUMER: copies.open[CONSUMER]}


class Killed(BaseException):
    """The process was killed."""


# With the method unshare, these are calls in the accounts of the images only.
CHANGES = ("DisableImage", "EnableImage")


def kill_at(monkeypatch: pytest.MonkeyPatch, number: int, is_sent: bool) -> None:
    """Kill the run at one of these calls, before or after it is sent, and at each one after that."""
    original, begun = botocore.client.BaseClient._make_api_call, [0]

    def call(self: Any, operation: str, parameters: Any) -> Any:
        if operation not in CHANGES:
            return original(self, operation, parameters)
        begun[0] += 1
        if begun[0] < number:
            return original(self, operation, parameters)
        if begun[0] == number and is_sent:
            original(self, operation, parameters)
        raise Killed

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)


@pytest.mark.nightly
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("is_sent", [False, True])
@pytest.mark.parametrize("is_completed", [False, True])
def test_a_run_that_is_killed_is_completed_or_taken_back(
    recall: Recall, monkeypatch: pytest.MonkeyPatch, number: int, is_sent: bool, is_completed: bool
) -> None:
    copies, before = recall.copies, access(recall.copies.aws, recall.copies.release)
    adoption = recall.adoption()

    def kill(run: Callable[[], Any]) -> None:
        with monkeypatch.context() as patched:
            kill_at(patched, number, is_sent)
            with pytest.raises(Killed):
                run()

    kill(lambda: recall.block(adoption_result=adoption))
    if is_completed:
        # Nothing has to use the images any more: the tombstone has them.
        assert "msg" not in recall.block(adoption_result={**adoption, "uses": []})
        assert (copies.states, recall.recorded) == (BLOCKED, dict.fromkeys(CONSUMERS, True))
        kill(recall.undo)
    assert "msg" not in recall.undo()
    assert (copies.states, access(copies.aws, copies.release)) == (copies.open, before)
