# SPDX-License-Identifier: GPL-3.0-or-later

"""A recall and its undo in 50 accounts and three regions: killed, denied, with a block, beside the fix."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from boto3.session import Session

from simulated_aws.client import SimulatedAws

from ..chaos.run import Running
from .encrypted import DISTRIBUTE
from .fixture import HOME, OWNER, Fixture
from .playbook import Ansible, Run
from .publishing import EXTERNAL_ID, PARAMETER, ROLE, TEMPLATE
from .recalling import PLAYBOOK, RECALLED_TAG, SOURCE_TAG, Images

REGIONS = (HOME, "eu-west-1", "us-west-2")
ACCOUNTS = {f"team-{number}": f"3{number:011d}" for number in range(50)}
_DISK = {"device_name": "/dev/xvda", "size": 8}
_TIMEOUT = 600

Named = dict[tuple[str, str], str]

pytestmark = pytest.mark.nightly


class Releases:
    """Two releases that are published in all accounts, and the source of a fix."""

    def __init__(self, aws: SimulatedAws, fixture: Fixture, ansible: Ansible, folder: Path) -> None:
        self.aws, self.ansible, self._folder = aws, ansible, folder
        ansible.timeout = _TIMEOUT
        role = {"accounts": [*ACCOUNTS], "trusts": [OWNER], "external_id": EXTERNAL_ID}
        fixture.add(ACCOUNTS, roles={ROLE: role})
        self.consumers = {
            "account_ids": [*ACCOUNTS.values()],
            "consumer_role_name": ROLE,
            "external_id": EXTERNAL_ID,
        }
        self.good, self.bad = (self._release(fixture, name, 30 - age) for age, name in enumerate(("1", "2")))
        self.fix = self._images(fixture, "3", 0, [HOME])[HOME]
        for account in (OWNER, *ACCOUNTS):
            for region in REGIONS:
                self._publish(aws.session(account, region), region)
        assert self.named() == self.everywhere(self.bad)
        aws.clear_calls()

    def _publish(self, session: Session, region: str) -> None:
        """Publish both releases in one target, in far fewer calls than a module makes."""
        ssm, ec2 = session.client("ssm"), session.client("ec2")
        for images in (self.good, self.bad):
            ssm.put_parameter(
                Name=PARAMETER,
                Value=images[region],
                Type="String",
                DataType="aws:ec2:image",
                Overwrite=True,
            )
        data = {"ImageId": self.bad[region], "InstanceType": "t3.micro"}
        ec2.create_launch_template(LaunchTemplateName=TEMPLATE, LaunchTemplateData=data)  # type: ignore[arg-type]

    def _images(self, fixture: Fixture, release: str, age: int, regions: list[str]) -> Images:
        spec = {
            "account": OWNER,
            "devices": [_DISK],
            "name": f"web-{release}",
            "age_days": age,
            "sharing": {"accounts": [*ACCOUNTS]},
        }
        images = {f"{release} {region}": {**spec, "region": region} for region in regions}
        found = fixture.add(ACCOUNTS, images=images)["images"]
        return {region: found[f"{release} {region}"]["image_id"] for region in regions}

    def _release(self, fixture: Fixture, name: str, age: int) -> Images:
        """An image at home, and in the other regions images with the tag that a copy of it has."""
        images = self._images(fixture, name, age, [*REGIONS])
        tag = {"Key": SOURCE_TAG, "Value": f"{HOME}/{images[HOME]}"}
        for region in REGIONS[1:]:
            self.aws.client("ec2", OWNER, region).create_tags(Resources=[images[region]], Tags=[tag])
        return images

    def everywhere(self, images: Images) -> Named:
        """What is named where all pointers name images of a release."""
        targets = [(account_id, region) for account_id in self._account_ids for region in REGIONS]
        return {
            (f"{kind} {account_id}", region): images[region]
            for account_id, region in targets
            for kind in ("parameter", "template")
        }

    @property
    def _account_ids(self) -> list[str]:
        return [self.aws.account_id(OWNER), *ACCOUNTS.values()]

    def named(self) -> Named:
        """What the parameter and the default version of the template name everywhere."""
        found: Named = {}
        for one in self.aws.world():
            if one["kind"] == "parameter" and one["newest"]:
                found[f"parameter {one['account_id']}", one["region"]] = one["value"]
            if one["kind"] == "launch template" and one["name"].startswith(f"{TEMPLATE}:") and one["default"]:
                found[f"template {one['account_id']}", one["region"]] = one["data"]["ImageId"]
        return found

    def recalled(self) -> list[str]:
        """The images that are tagged as recalled, by region."""
        images = (one for one in self.aws.world() if one["kind"] == "image")
        return sorted(one["name"] for one in images if RECALLED_TAG in one["tags"])

    def permissions(self) -> dict[str, list[str]]:
        """Who can launch each image."""
        return {one["name"]: one["permissions"] for one in self.aws.world() if one["kind"] == "image"}

    def start_recall(
        self, environment: dict[str, str] | None = None, **changes: Any
    ) -> subprocess.Popen[str]:
        """Start the recall of the second release."""
        return self.ansible.start(PLAYBOOK, self._recall(**changes), environment=environment)

    def recall(self, **changes: Any) -> Run:
        """Run the recall of the second release to its end."""
        return self.ansible.run(PLAYBOOK, self._recall(**changes))

    def kill_recall(self, action: str, number: int, **changes: Any) -> None:
        """Kill the recall after the n-th call of an action, when the answers to that and later ones lack."""
        self.aws.add_fault("freeze", action=action, when="after", after=number - 1, times=0)
        killed = Running(self.start_recall(**changes))
        _await(lambda: self.aws.faults()[0]["matched"] >= number)
        killed.kill()
        self.aws.clear_faults()
        assert {*self.named().values()} <= {*self.good.values(), *self.bad.values()}

    def _recall(self, **changes: Any) -> dict[str, Any]:
        options = {
            "source_image_id": self.bad[HOME],
            "source_region": HOME,
            "regions": [*REGIONS],
            "parameter": PARAMETER,
            "launch_templates": [TEMPLATE],
            "tombstone_path": str(self._folder / "recalls.jsonl"),
            **self.consumers,
            **changes,
        }
        return {f"recall_{name}": value for name, value in options.items()}

    def distribution(self) -> dict[str, Any]:
        """The variables that publish the fix everywhere."""
        options = {
            "source_image_id": self.fix,
            "source_region": HOME,
            "regions": [*REGIONS],
            "publish_parameter": PARAMETER,
            "launch_templates": [TEMPLATE],
            **self.consumers,
        }
        return {f"distribute_{name}": value for name, value in options.items()}


@pytest.fixture
def releases(aws: SimulatedAws, fixture: Fixture, ansible: Ansible, tmp_path: Path) -> Releases:
    return Releases(aws, fixture, ansible, tmp_path)


KILLS = [("PutParameter", 40), ("CreateLaunchTemplateVersion", 20), ("ModifyLaunchTemplate", 30)]


def test_a_recall_and_its_undo_that_are_killed_again_and_again_end(releases: Releases) -> None:
    before = releases.everywhere(releases.bad)
    for action, number in [("CreateTags", 2), *KILLS]:
        releases.kill_recall(action, number)
    run = releases.recall()
    assert run.code == 0, run.text[-5000:]
    assert releases.named() == releases.everywhere(releases.good)
    assert releases.recalled() == sorted(releases.bad.values())
    assert releases.recall().changed == []
    for action, number in [*KILLS, ("DeleteTags", 2)]:
        releases.kill_recall(action, number, state="absent")
    back = releases.recall(state="absent")
    assert back.code == 0, back.text[-5000:]
    assert releases.named() == before
    assert releases.recalled() == []
    assert releases.recall(state="absent").changed == []


DENIED = [
    *("DescribeImages", "DescribeInstanceTypes", "DescribeLaunchTemplateVersions", "GetParameter"),
    *("GetParameterHistory", "PutParameter", "LabelParameterVersion", "CreateLaunchTemplateVersion"),
    "ModifyLaunchTemplate",
]


def _deny_one_each(aws: SimulatedAws) -> dict[str, str]:
    """Deny each of the actions in an account of its own; the actions by account."""
    denied = dict(zip(ACCOUNTS.values(), DENIED, strict=False))
    for account_id, action in denied.items():
        aws.add_fault("denied", action=action, account_id=account_id, times=0)
    return denied


def _check_refused(run: Run, refused: dict[tuple[str, str], str]) -> None:
    """Check that a run fails once in each account and region that refuses an action, and names that."""
    assert run.facts["recall_status"] == "incomplete", run.text[-5000:]
    failures = run.facts["recall_failures"]
    assert Counter((item["account_id"], item["region"]) for item in failures) == dict.fromkeys(refused, 1)
    for item in failures:
        assert refused[item["account_id"], item["region"]] in item["message"] + item["remedy"]


def _check_others(releases: Releases, expected: Images, left: Collection[str]) -> None:
    """Check that what all but these accounts have names images of a release."""
    wanted, now = releases.everywhere(expected), releases.named()
    others = {key for key in wanted if key[0].partition(" ")[2] not in left}
    assert others
    assert {key: now[key] for key in others} == {key: wanted[key] for key in others}


def test_accounts_that_deny_an_action_each_stop_no_other_one(releases: Releases) -> None:
    aws = releases.aws
    denied = _deny_one_each(aws)
    untagged = releases.bad["us-west-2"]
    owner = aws.account_id(OWNER)
    aws.add_fault("denied", action="CreateTags", account_id=owner, region="us-west-2", times=0)
    refused = {(account_id, region): denied[account_id] for account_id in denied for region in REGIONS}
    _check_refused(releases.recall(), {**refused, (owner, "us-west-2"): "CreateTags"})
    _check_others(releases, releases.good, denied)
    assert releases.recalled() == sorted({*releases.bad.values()} - {untagged})
    aws.clear_faults()
    _complete(releases)
    assert releases.recalled() == sorted(releases.bad.values())

    # Taken back in the same way: a region keeps the tag until all its targets are back.
    _deny_one_each(aws)
    _check_refused(releases.recall(state="absent"), refused)
    _check_others(releases, releases.bad, denied)
    assert releases.recalled() == sorted(releases.bad.values())
    aws.clear_faults()
    aws.add_fault("denied", action="DeleteTags", account_id=owner, region="us-west-2", times=0)
    _check_refused(releases.recall(state="absent"), {(owner, "us-west-2"): "DeleteTags"})
    assert releases.named() == releases.everywhere(releases.bad)
    assert releases.recalled() == [untagged]
    aws.clear_faults()
    run = releases.recall(state="absent")
    assert run.code == 0, run.text[-5000:]
    assert (releases.named(), releases.recalled()) == (releases.everywhere(releases.bad), [])


def test_a_block_names_the_accounts_that_would_break_and_is_taken_back(releases: Releases) -> None:
    aws, before = releases.aws, releases.permissions()
    (using, using_id), (_name, unread_id), *_others = ACCOUNTS.items()
    data: Any = {"ImageId": releases.bad[HOME], "InstanceType": "t3.micro"}
    ec2 = aws.client("ec2", using, HOME)
    ec2.create_launch_template(LaunchTemplateName="not-named", LaunchTemplateData=data)
    aws.add_fault("denied", action="DescribeAutoScalingGroups", account_id=unread_id, times=0)
    run = releases.recall(level="block")
    assert run.facts["recall_status"] == "incomplete", run.text[-5000:]
    assert [item["error_code"] for item in run.facts["recall_failures"]] == [
        "launches_would_break",
        "consumers_not_looked_at",
    ]
    assert {
        item["consumer"]: (item["regions"], item["regions_not_looked_at"])
        for item in run.facts["recall_breaking"]
    } == {using_id: ([HOME], []), unread_id: ([], sorted(REGIONS))}
    assert releases.permissions() == before
    assert releases.named() == releases.everywhere(releases.good)

    aws.clear_faults()
    run = releases.recall(level="block", accept_breaking=[using_id])
    assert (run.code, run.facts["recall_status"]) == (0, "blocked"), run.text[-5000:]
    blocked = {*releases.bad.values()}
    assert releases.permissions() == {name: [] if name in blocked else who for name, who in before.items()}
    run = releases.recall(state="absent")
    assert run.code == 0, run.text[-5000:]
    assert releases.permissions() == before
    assert releases.named() == releases.everywhere(releases.bad)


def test_an_account_whose_role_cannot_be_assumed_stops_no_other_one(releases: Releases) -> None:
    account = next(iter(ACCOUNTS))
    iam = releases.aws.client("iam", account, HOME)
    trust = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    nobody = {**trust, "Statement": [{**trust["Statement"][0], "Effect": "Deny"}]}
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(nobody))
    _recall_without_roles(releases, [ACCOUNTS[account]])
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(trust))
    _complete(releases)


def test_the_owner_is_withdrawn_if_no_role_can_be_assumed(releases: Releases) -> None:
    releases.aws.add_fault("denied", action="AssumeRole", times=0)
    _recall_without_roles(releases, [*ACCOUNTS.values()])
    releases.aws.clear_faults()
    _complete(releases)


def _recall_without_roles(releases: Releases, account_ids: list[str]) -> None:
    """Recall the release, which names these accounts once, and moves the pointers of all others."""
    run = releases.recall()
    assert run.facts["recall_status"] == "incomplete", run.text[-5000:]
    failures = run.facts["recall_failures"]
    assert {(item["account_id"], item["action"]) for item in failures} == {
        (account_id, "AssumeRole") for account_id in account_ids
    }
    _check_others(releases, releases.good, account_ids)
    stay = {name for (key, _), name in releases.named().items() if key.partition(" ")[2] in account_ids}
    assert stay == {*releases.bad.values()}
    assert releases.recalled() == sorted(releases.bad.values())


def _complete(releases: Releases) -> None:
    run = releases.recall()
    assert run.code == 0, run.text[-5000:]
    assert releases.named() == releases.everywhere(releases.good)
    assert releases.recall().changed == []


def _await(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_fix_that_is_published_at_the_same_time_stays(releases: Releases) -> None:
    aws = releases.aws
    aws.add_fault("freeze", action="PutParameter", times=0)

    def has_put(name: str) -> bool:
        return any(name in call.user_agent for call in aws.calls(action="PutParameter"))

    # Each has read everything before the other one changes it.
    environments = [{"AWS_SDK_UA_APP_ID": name} for name in ("distribution", "recall")]
    start = releases.ansible.start
    distribution = Running(start(DISTRIBUTE, releases.distribution(), environment=environments[0]))
    _await(lambda: has_put("distribution"))
    recall = Running(releases.start_recall(environments[1]))
    _await(lambda: has_put("recall"))
    aws.clear_faults()
    runs = [distribution.finish(), recall.finish()]
    assert runs[1].facts["recall_status"] in ("recalled", "incomplete"), runs[1].text[-5000:]
    now, bad = releases.named(), {*releases.bad.values()}
    failures = [item for run in runs for task in run.tasks for item in task.result.get("failures") or ()]
    said = {(item["account_id"], item["region"]) for item in failures}
    assert {item["error_code"] for item in failures} <= {"concurrent_change"}
    good = {*releases.good.values()}
    # What names the earlier image has replaced the fix, or its target failed: both are said.
    assert not {*now.values()} & bad
    assert {(key.partition(" ")[2], region) for (key, region), name in now.items() if name in good} <= said

    again = releases.ansible.run(DISTRIBUTE, releases.distribution())
    assert again.code == 0, again.text[-5000:]
    fix = releases.everywhere(again.facts["distribute_images"])
    assert releases.named() == fix
    run = releases.recall()
    assert run.code == 0, run.text[-5000:]
    assert releases.named() == fix
    assert releases.recalled() == sorted(bad)
    # Nor does the end of the recall bring the bad release back.
    assert releases.recall(state="absent").code == 0
    assert releases.named() == fix
