# SPDX-License-Identifier: GPL-3.0-or-later

"""ami_share_diagnose: each problem has its code, and its remedy, applied, lets the account launch."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

from . import encrypted, observed
from .encrypted import EXTERNAL_ID, NO_KEY, ROLE, USE, EncryptedFixture, root, steps
from .fixture import HOME, OWNER, STRANGER
from .playbook import MODULES, Ansible, Run

DISK = {"device_name": "/dev/xvda", "size": 8}
TWO = [DISK, {"device_name": "/dev/sdb", "size": 20}]
AS_CONSUMER = {"consumer_role_name": ROLE, "external_id": EXTERNAL_ID}
DEV, MEMBER, OUTSIDE, HIDING = "data-dev", "data-prod", STRANGER, "web-staging"
ACCOUNTS = (DEV, "sandbox", MEMBER, OUTSIDE, HIDING)
NOT_FOUND, NO_PERMISSION = "InvalidAMIID.NotFound", "AuthFailure"
# Each image in a region of its own, so that one task can look at all of them.
GOLDEN, ALONE, HALF, HIDDEN, UNIT = HOME, "us-east-2", "us-west-2", "eu-west-1", "eu-central-1"
DISABLED, OLD, PUBLIC, WRONG, EBS, OFF = (
    *("ap-southeast-2", "ap-northeast-1", "sa-east-1", "us-west-1", "ca-central-1", "eu-west-2"),
)


class Problem(NamedTuple):
    """The findings of an account about a region's image, and how its launch ends, before any fix.

    ``left`` are the finding codes after the fix.
    """

    region: str
    account: str
    code: str
    can_launch: str
    level: str | None
    launch: str
    left: tuple[str, ...] = ()


PROBLEMS = {
    "not shared": Problem(ALONE, DEV, "not_shared", "no", None, NO_PERMISSION),
    "shared without key": Problem(GOLDEN, DEV, "missing_key_access", "no", "authorized", NO_KEY),
    "a key without CreateGrant": Problem(
        GOLDEN, "sandbox", "missing_create_grant", "no", "authorized", NO_KEY
    ),
    "a unit without key": Problem(
        GOLDEN, MEMBER, "missing_key_access", "no", "authorized", NO_KEY, ("shared_through_organization",)
    ),
    "without the second snapshot": Problem(
        HALF, DEV, "missing_volume_permission", "yes", "authorized", "running"
    ),
    "hidden by Allowed AMIs": Problem(HIDDEN, HIDING, "hidden_by_allowed_images", "no", None, NOT_FOUND),
    "through a unit only": Problem(
        UNIT, MEMBER, "shared_through_organization", "yes", "authorized", "running"
    ),
    "outside of the unit": Problem(UNIT, OUTSIDE, "outside_organization", "no", None, NO_PERMISSION),
    "disabled": Problem(DISABLED, DEV, "image_disabled", "no", None, NO_PERMISSION),
    "deprecated": Problem(OLD, DEV, "image_deprecated", "yes", "authorized", "running"),
    "public": Problem(PUBLIC, DEV, "public", "yes", "authorized", "running"),
    "in another region": Problem(WRONG, DEV, "wrong_region", "no", None, NOT_FOUND),
    "under the default key": Problem(EBS, DEV, "default_key", "no", "authorized", NO_KEY),
    "under a disabled key": Problem(OFF, DEV, "key_not_enabled", "no", "authorized", NO_KEY),
}


class World:
    """An image in each region, each with its problem, made with plain boto3."""

    def __init__(self, aws: SimulatedAws, fixture: EncryptedFixture) -> None:
        self.aws, self.fixture = aws, fixture
        readers = {"sharing": {"accounts": [DEV], "snapshot_accounts": [DEV]}}
        regions = {HALF: [DEV], HIDDEN: [HIDING], DISABLED: [DEV], OLD: [DEV]}
        built = fixture.add(
            kms_keys={
                "off": {"account": OWNER, "regions": [OFF]},
                "new": {"account": OWNER, "regions": [EBS], "alias": encrypted.ALIAS},
            },
            images={
                region: {
                    "account": OWNER,
                    "region": region,
                    "devices": TWO,
                    "sharing": {"accounts": shared_with, "snapshot_accounts": shared_with},
                }
                for region, shared_with in {ALONE: [], UNIT: [], PUBLIC: [], **regions}.items()
            }
            | {
                EBS: {
                    "account": OWNER,
                    "region": EBS,
                    "devices": [{**DISK, "encrypted": True}],
                    **readers,
                },
                OFF: {
                    "account": OWNER,
                    "region": OFF,
                    "devices": [{**DISK, "encrypted": True, "kms_key": "off"}],
                    **readers,
                },
            },
        )
        found = {region: image["image_id"] for region, image in built["images"].items()}
        self.images = {GOLDEN: fixture.image_id, **found, WRONG: found[ALONE]}
        self.off = built["kms_keys"]["off"][OFF]
        self._make_problems()

    def ec2(self, region: str, account: str = OWNER) -> Any:
        return self.aws.client("ec2", account, region)

    def kms(self, region: str) -> Any:
        return self.aws.client("kms", OWNER, region)

    def ids(self, *accounts: str) -> list[str]:
        return self.fixture.account_ids(*accounts)

    def snapshots(self, region: str) -> list[str]:
        return observed.snapshot_ids(observed.image(self.aws, OWNER, region, self.images[region]))

    def _make_problems(self) -> None:
        self._share(GOLDEN, *self._users(DEV, "sandbox"), {"OrganizationalUnitArn": self.fixture.unit_arn()})
        for snapshot in self.snapshots(GOLDEN):
            self.ec2(GOLDEN).modify_snapshot_attribute(
                SnapshotId=snapshot,
                Attribute="createVolumePermission",
                OperationType="add",
                UserIds=self.ids(DEV, "sandbox"),
            )
        self.kms(GOLDEN).create_grant(
            KeyId=self.fixture.key(GOLDEN),
            GranteePrincipal=root(*self.ids("sandbox")),
            Operations=[operation for operation in USE if operation != "CreateGrant"],
        )
        self.ec2(HALF).modify_snapshot_attribute(
            SnapshotId=self.snapshots(HALF)[1],
            Attribute="createVolumePermission",
            OperationType="remove",
            UserIds=self.ids(DEV),
        )
        hiding = self.ec2(HIDDEN, HIDING)
        criteria = [{"ImageProviders": self.ids(OUTSIDE)}, {"ImageNames": ["web-*"]}]
        hiding.replace_image_criteria_in_allowed_images_settings(ImageCriteria=criteria)
        hiding.enable_allowed_images_settings(AllowedImagesSettingsState="enabled")
        self._share(UNIT, {"OrganizationalUnitArn": self.fixture.unit_arn()})
        self.ec2(DISABLED).disable_image(ImageId=self.images[DISABLED])
        self.ec2(OLD).enable_image_deprecation(
            ImageId=self.images[OLD], DeprecateAt=datetime.now(UTC) - timedelta(seconds=30)
        )
        self.ec2(PUBLIC).disable_image_block_public_access()
        self._share(PUBLIC, {"Group": "all"})
        self.ec2(PUBLIC).enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
        self.kms(OFF).create_grant(KeyId=self.off, GranteePrincipal=root(*self.ids(DEV)), Operations=USE)
        self.kms(OFF).disable_key(KeyId=self.off)

    def _users(self, *accounts: str) -> list[dict[str, str]]:
        return [{"UserId": account_id} for account_id in self.ids(*accounts)]

    def _share(self, region: str, *entries: dict[str, str]) -> None:
        self.ec2(region).modify_image_attribute(
            ImageId=self.images[region], LaunchPermission={"Add": list(entries)}
        )

    def fix_by_aws(self) -> None:
        """The fixes that no module of this collection makes."""
        hiding = self.ec2(HIDDEN, HIDING)
        criteria = hiding.get_allowed_images_settings()["ImageCriteria"]
        criteria.append({"ImageProviders": self.ids(OWNER)})
        hiding.replace_image_criteria_in_allowed_images_settings(ImageCriteria=criteria)
        self.ec2(DISABLED).enable_image(ImageId=self.images[DISABLED])
        self.ec2(OLD).disable_image_deprecation(ImageId=self.images[OLD])
        self.kms(OFF).enable_key(KeyId=self.off)

    def remedies(self) -> dict[str, tuple[str, Mapping[str, Any]]]:
        """The fixes that the remedies describe and modules of this collection make."""
        by_name = (ALONE, HALF, DISABLED, PUBLIC)
        images = self.images
        return {
            "share with the account": (
                "ami_share",
                {"images": {region: images[region] for region in by_name}, "account_ids": self.ids(DEV)},
            ),
            "unshare the public image": (
                "ami_share",
                {"images": {PUBLIC: images[PUBLIC]}, "group": "all", "state": "absent"},
            ),
            "share by name": (
                "ami_share",
                {"images": {UNIT: images[UNIT]}, "account_ids": self.ids(MEMBER, OUTSIDE)},
            ),
            "open the key": (
                "ami_kms_grant",
                {
                    "images": {GOLDEN: images[GOLDEN]},
                    "account_ids": self.ids(DEV, "sandbox"),
                    "org_unit_arns": [self.fixture.unit_arn()],
                },
            ),
            "copy to the region": ("ami_copy_regions", self._copy(ALONE, WRONG)),
            "copy under another key": (
                "ami_copy_regions",
                self._copy(EBS, EBS, kms_key_id=encrypted.ALIAS, reencrypt_source=True),
            ),
        }

    def _copy(self, source: str, region: str, **more: Any) -> dict[str, Any]:
        return {
            "source_image_id": self.images[source],
            "source_region": source,
            "regions": [region],
            "name": "copy",
            **more,
        }


@pytest.fixture
def fixture(aws: SimulatedAws) -> EncryptedFixture:
    """The fixture of the encrypted image."""
    return EncryptedFixture(aws)


@pytest.fixture
def world(aws: SimulatedAws, fixture: EncryptedFixture) -> World:
    """An image with its problem in each region."""
    return World(aws, fixture)


def _diagnosis(world: World, **changes: Any) -> dict[str, Any]:
    return {"images": world.images, "account_ids": world.ids(*ACCOUNTS), **AS_CONSUMER, **changes}


def _of(run: Run, task: str, world: World, problem: Problem) -> dict[str, Any]:
    """What a task says of a problem's image and account."""
    found: dict[str, Any]
    (account_id,) = world.ids(problem.account)
    (found,) = [
        one
        for one in run.task(task).result["results"]
        if (one["region"], one["account_id"]) == (problem.region, account_id)
    ]
    return found


def _codes(found: Mapping[str, Any]) -> list[str]:
    return sorted(finding["code"] for finding in found["findings"])


@pytest.mark.nightly
def test_every_problem_has_its_code_and_its_remedy_works(
    aws: SimulatedAws, ansible: Ansible, world: World
) -> None:
    aws.clear_calls()
    diagnose = {"name": "diagnose", MODULES + "ami_share_diagnose": _diagnosis(world)}
    few = _diagnosis(world, images={region: world.images[region] for region in (GOLDEN, HIDDEN)})
    check = {"name": "check", MODULES + "ami_share_diagnose": few, "check_mode": True}
    run = ansible.tasks([diagnose, check])
    assert run.code == 0, run.text[-3000:]
    assert encrypted.changes(aws) == []
    dry_runs = [call for call in aws.calls() if call.action in ("CreateGrant", "RunInstances")]
    assert dry_runs
    assert all(str(call.parameters["DryRun"]).lower() == "true" for call in dry_runs)
    results = run.task("diagnose").result["results"]
    assert run.task("check").result["results"] == [
        one for one in results if one["region"] in (GOLDEN, HIDDEN)
    ]
    for name, problem in PROBLEMS.items():
        found = _of(run, "diagnose", world, problem)
        assert problem.code in _codes(found), (name, found)
        assert (found["can_launch"], found["level"]) == (problem.can_launch, problem.level), (name, found)
        state = encrypted.launched(aws, problem.account, problem.region, world.images[problem.region])
        assert state == problem.launch, name
    assert not observed.copy(aws, DEV, HALF, world.images[HALF]).startswith("ami-")

    world.fix_by_aws()
    fixed = steps(ansible, world.remedies())
    assert [task.name for task in fixed.tasks if task.status != "ok"] == [], fixed.text[-3000:]
    for task, region in (("copy to the region", WRONG), ("copy under another key", EBS)):
        world.images[region] = fixed.task(task).result["images"][region]
    copies = {region: world.images[region] for region in (WRONG, EBS)}
    again = steps(
        ansible,
        {
            "share the copies": ("ami_share", {"images": copies, "account_ids": world.ids(DEV)}),
            "open the copies": ("ami_kms_grant", {"images": copies, "account_ids": world.ids(DEV)}),
            "diagnose": ("ami_share_diagnose", _diagnosis(world)),
        },
    )
    assert [task.name for task in again.tasks if task.status != "ok"] == [], again.text[-3000:]
    for name, problem in PROBLEMS.items():
        found = _of(again, "diagnose", world, problem)
        assert (found["can_launch"], found["level"]) == ("yes", "authorized"), (name, found)
        assert _codes(found) == sorted(problem.left), (name, found)
        state = encrypted.launched(aws, problem.account, problem.region, world.images[problem.region])
        assert state == "running", name
    assert observed.copy(aws, DEV, HALF, world.images[HALF]).startswith("ami-")


def _role(aws: SimulatedAws, account: str, name: str, *statements: Mapping[str, Any]) -> None:
    """A role of an account that trusts the owner, with these and no other rights."""
    iam = aws.client("iam", account)
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": aws.account_id(OWNER)}}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))
    _allow(aws, account, name, *statements)


def _allow(aws: SimulatedAws, account: str, name: str, *statements: Mapping[str, Any]) -> None:
    aws.client("iam", account).put_role_policy(
        RoleName=name, PolicyName="own", PolicyDocument=_policy(*statements)
    )


def _policy(*statements: Mapping[str, Any]) -> str:
    allowing = [{"Effect": "Allow", "Resource": "*", **one} for one in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": [_without_resource(one) for one in allowing]})


def _without_resource(statement: Mapping[str, Any]) -> dict[str, Any]:
    """A trust policy names no resource."""
    return {
        key: value for key, value in statement.items() if key != "Resource" or "Principal" not in statement
    }


def _launched_by(aws: SimulatedAws, account: str, role: str, region: str, image_id: str) -> str:
    """How an instance ends up that a role of an account launches."""
    arn = f"arn:aws:iam::{aws.account_id(account)}:role/{role}"
    session = aws.client("sts", OWNER).assume_role(RoleArn=arn, RoleSessionName="launch")["Credentials"]
    ec2 = boto3.client(
        "ec2",
        endpoint_url=aws.url,
        region_name=region,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
        config=Config(proxies={}),
    )
    try:
        (instance,) = ec2.run_instances(
            ImageId=image_id, MinCount=1, MaxCount=1, MetadataOptions={"HttpTokens": "required"}
        )["Instances"]
    except ClientError as refused:
        return str(refused.response["Error"]["Code"])
    return encrypted.state(ec2, instance["InstanceId"])


@pytest.mark.nightly
def test_a_region_that_an_account_has_not_opted_in_to_hides_no_other(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible
) -> None:
    """STS gives no credentials of this account in that region (botocore shape RegionDisabledException)."""
    optional, always = "af-south-1", "eu-west-2"
    shared = {"account": OWNER, "devices": TWO, "sharing": {"accounts": [DEV], "snapshot_accounts": [DEV]}}
    images = fixture.add_images({region: {**shared, "region": region} for region in (optional, always)})
    (dev,) = fixture.account_ids(DEV)
    aws.update_settings(not_opted_in_regions_by_account={dev: [optional]})
    run = ansible.tasks(
        [{MODULES + "ami_share_diagnose": {"images": images, "account_ids": [dev], **AS_CONSUMER}}]
    )
    found = {one["region"]: one for one in run.tasks[-1].result["results"]}
    assert found[always]["can_launch"] == "yes", run.text[-3000:]
    assert found[optional]["can_launch"] != "yes"
    assert [call.region for call in aws.calls(action="AssumeRole")] == [always]


@pytest.mark.nightly
def test_criteria_of_allowed_images_are_evaluated_and_unknown_ones_are_not_certain(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible
) -> None:
    """(botocore shape ImageCriterion: ImageWatermarks and ScanResultCondition.)"""
    (dev,) = fixture.account_ids(DEV)
    criteria: dict[str, dict[str, Any]] = {
        "us-west-1": {"ImageWatermarks": [{"WatermarkKey": f"{dev}:approved"}]},
        "us-west-2": {"ScanResultCondition": {"MaximumSeverityLabel": "high"}},
        # Only AWS knows which images these are.
        "eu-west-1": {"ImageProviders": ["aws-backup-vault"]},
    }
    sharing = {"accounts": [DEV], "snapshot_accounts": [DEV]}
    common = {"account": OWNER, "devices": [DISK], "sharing": sharing, "watermarks": ["approved"]}
    scan = {"days": 1, "severity": "critical"}
    images = fixture.add_images({one: {**common, "region": one, "scan": scan} for one in criteria})
    for region, criterion in criteria.items():
        ec2 = aws.client("ec2", DEV, region)
        ec2.replace_image_criteria_in_allowed_images_settings(ImageCriteria=[criterion])
        ec2.enable_allowed_images_settings(AllowedImagesSettingsState="enabled")
    arguments = {"images": images, "account_ids": [dev], **AS_CONSUMER}
    run = ansible.tasks([{MODULES + "ami_share_diagnose": arguments}])
    found = {
        one["region"]: {item["code"]: item["blocks_launch"] for item in one["findings"]}
        for one in run.tasks[-1].result["results"]
    }
    assert found == {
        "us-west-1": {"hidden_by_allowed_images": "blocking"},
        "us-west-2": {"hidden_by_allowed_images": "blocking"},
        "eu-west-1": {"hidden_by_allowed_images": "unknown", "not_visible": "blocking"},
    }, run.text[-3000:]


LOOK = {"Action": ["ec2:Describe*", "ec2:Get*"]}
LAUNCH = {"Action": "ec2:*"}
USE_KEYS = {"Action": [f"kms:{operation}" for operation in USE]}
ONLY_FOR_AWS = {
    "Action": "kms:CreateGrant",
    "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
}
THROUGH_EC2 = {"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}}
ONLY_IMDSV2 = {
    "Effect": "Deny",
    "Action": "ec2:RunInstances",
    "Resource": "arn:aws:ec2:*:*:instance/*",
    "Condition": {"StringNotEquals": {"ec2:MetadataHttpTokens": "required"}},
}
SIMULATE = {"Action": "iam:SimulatePrincipalPolicy"}
USE_WITHOUT_GRANTS = {"Action": [f"kms:{one}" for one in USE if one != "CreateGrant"]}


@pytest.mark.nightly
def test_denials_of_the_account_itself_are_found_and_fixed(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible
) -> None:
    (dev,) = fixture.account_ids(DEV)
    ec2, kms = aws.client("ec2", OWNER, HOME), aws.client("kms", OWNER, HOME)
    ec2.modify_image_attribute(ImageId=fixture.image_id, LaunchPermission={"Add": [{"UserId": dev}]})
    kms.create_grant(KeyId=fixture.key(HOME), GranteePrincipal=root(dev), Operations=USE)
    _role(aws, DEV, "looking", LOOK, USE_KEYS)
    _role(aws, DEV, "launching", LAUNCH)
    _role(aws, DEV, "bound", LAUNCH, USE_WITHOUT_GRANTS, ONLY_FOR_AWS)
    _role(aws, DEV, "through-ec2", LAUNCH, {**USE_KEYS, "Condition": THROUGH_EC2}, ONLY_IMDSV2)
    _role(aws, DEV, "forbidden", LAUNCH, USE_KEYS, {**USE_KEYS, "Effect": "Deny"})
    subnets = aws.client("ec2", DEV, HOME).describe_subnets()["Subnets"]
    diagnose = {"images": {HOME: fixture.image_id}, "account_ids": [dev]}

    def tasks(*roles: str, **more: Any) -> dict[str, tuple[str, Mapping[str, Any]]]:
        return {
            role: ("ami_share_diagnose", {**diagnose, "consumer_role_name": role, **more}) for role in roles
        }

    run = steps(
        ansible,
        {
            **tasks("looking", fail_on="unknown"),
            **tasks("launching", subnet_ids={HOME: {dev: subnets[0]["SubnetId"]}}),
            **tasks("bound", "through-ec2", "forbidden"),
            "no such subnet": (
                "ami_share_diagnose",
                {**diagnose, "consumer_role_name": "bound", "subnet_ids": {HOME: "subnet-0123456789abcdef0"}},
            ),
            "only the owner": ("ami_share_diagnose", diagnose),
        },
    )
    found = {task.name: task.result["results"][0] for task in run.tasks}
    told = {name: (_codes(one)[:1], one["can_launch"], one["level"]) for name, one in found.items()}
    assert told == {
        "looking": (["launch_denied"], "no", "visible"),
        "launching": (["direct_key_use_denied"], "unknown", "authorized"),
        "through-ec2": (["direct_key_use_denied"], "unknown", "authorized"),
        "forbidden": (["key_access_denied"], "no", "authorized"),
        "bound": (["create_grant_denied"], "unknown", "authorized"),
        "no such subnet": (["create_grant_denied"], "unknown", "visible"),
        "only the owner": (["missing_volume_permission"], "yes", None),
    }
    assert "dry_run_inconclusive" in _codes(found["no such subnet"])
    assert [task.name for task in run.tasks if task.status == "failed"] == ["looking"]
    assert run.task("looking").codes == [(HOME, "launch_denied")]
    assert _launched_by(aws, DEV, "looking", HOME, fixture.image_id) == "UnauthorizedOperation"
    assert _launched_by(aws, DEV, "launching", HOME, fixture.image_id) == NO_KEY
    assert _launched_by(aws, DEV, "forbidden", HOME, fixture.image_id) == NO_KEY
    # The dry run could not tell; through EC2 it may.
    for role in ("bound", "through-ec2"):
        assert _launched_by(aws, DEV, role, HOME, fixture.image_id) == "running"

    assert {name: one["key_use"] for name, one in found.items()} == {
        "looking": "proven",
        **dict.fromkeys(["launching", "through-ec2", "bound", "no such subnet"], "uncertain"),
        "forbidden": "refused",
        "only the owner": None,
    }
    assert found["looking"]["principal"] == f"arn:aws:iam::{dev}:role/looking"

    # IAM settles what KMS refuses in direct calls.
    _allow(aws, DEV, "launching", LAUNCH, SIMULATE)
    _allow(aws, DEV, "bound", LAUNCH, USE_WITHOUT_GRANTS, ONLY_FOR_AWS, SIMULATE)
    _allow(aws, DEV, "through-ec2", LAUNCH, {**USE_KEYS, "Condition": THROUGH_EC2}, ONLY_IMDSV2, SIMULATE)
    asked = steps(ansible, tasks("launching", "bound", "through-ec2"))
    settled = {task.name: task.result["results"][0] for task in asked.tasks}
    assert {name: (_codes(one)[:1], one["can_launch"], one["key_use"]) for name, one in settled.items()} == {
        "launching": (["key_use_denied"], "no", "refused"),
        "bound": (["missing_volume_permission"], "yes", "proven"),
        "through-ec2": (["missing_volume_permission"], "yes", "proven"),
    }

    for role in ("looking", "launching"):
        _allow(aws, DEV, role, LAUNCH, USE_KEYS)
    again = steps(ansible, tasks("looking", "launching"))
    for role in ("looking", "launching"):
        (one,) = again.task(role).result["results"]
        assert (one["can_launch"], one["level"], one["key_use"]) == ("yes", "authorized", "proven")
        assert _launched_by(aws, DEV, role, HOME, fixture.image_id) == "running"


AWAY = "eu-west-1"


def test_what_cannot_be_asked_is_a_finding_and_a_failure_and_hides_nothing(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible
) -> None:
    ids = fixture.add_images(
        {region: {"account": OWNER, "region": region, "devices": TWO} for region in (AWAY, "us-west-2")}
    )
    images = {HOME: fixture.image_id, **ids}
    accounts = fixture.account_ids(DEV, "web-staging", "outsider")
    denied = {"kind": "error", "code": "UnauthorizedOperation", "status": 403, "message": "No.", "times": 0}
    for where in (
        {"action": "DescribeImages", "account_id": accounts[1], "region": AWAY},
        {"action": "DescribeImageAttribute", "account_id": aws.account_id(OWNER), "region": "us-west-2"},
    ):
        aws.add_fault(**denied, **where)
    aws.clear_calls()

    variables = {
        "diagnose_images": images,
        "diagnose_account_ids": accounts,
        "diagnose_consumer_role_name": ROLE,
        "diagnose_external_id": EXTERNAL_ID,
    }
    run = ansible.run("golden.images.diagnose_ami", variables, "--check")

    assert run.code != 0
    result = run.task("Diagnose as the owner and the consumers").result
    assert len(result["results"]) == len(images) * len(accounts)
    codes = {(one["account_id"], one["region"]): _codes(one) for one in result["results"]}
    outside = [codes[accounts[2], region] for region in images]
    assert all("consumer_unreadable" in one for one in outside)
    assert "consumer_unreadable" in codes[accounts[1], AWAY]
    assert "not_shared" in codes[accounts[1], AWAY]
    assert codes[accounts[0], AWAY] == ["not_shared"]
    assert "owner_unreadable" in codes[accounts[0], "us-west-2"]
    failed = sorted((one["account_id"], one["region"], one["action"]) for one in result["failures"])
    assert failed == sorted(
        [
            *((accounts[2], region, "AssumeRole") for region in images),
            (accounts[1], AWAY, "DescribeImages"),
            (aws.account_id(OWNER), "us-west-2", "DescribeImageAttribute"),
        ]
    )
    shown = " ".join(run.task("Show the result").result["text"].split())
    assert "not_shared" in shown
    # A role that may not be assumed is not tried again for each region.
    refused = [call for call in aws.calls(action="AssumeRole") if call.status != 200]
    assert len(refused) == 1


def test_an_unreadable_key_is_unknown_also_to_its_owner_and_fails_the_role(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible
) -> None:
    owner, dev = fixture.account_ids(OWNER, DEV)
    ec2, kms = aws.client("ec2", OWNER, HOME), aws.client("kms", OWNER, HOME)
    ec2.modify_image_attribute(ImageId=fixture.image_id, LaunchPermission={"Add": [{"UserId": dev}]})
    kms.create_grant(KeyId=fixture.key(HOME), GranteePrincipal=root(dev), Operations=USE)
    aws.add_fault(
        kind="error",
        code="AccessDeniedException",
        status=400,
        message="No.",
        times=0,
        action="DescribeKey",
        account_id=owner,
    )
    variables = {
        "diagnose_images": {HOME: fixture.image_id},
        "diagnose_account_ids": [owner, dev],
        "diagnose_consumer_role_name": ROLE,
        "diagnose_external_id": EXTERNAL_ID,
    }
    run = ansible.run("golden.images.diagnose_ami", variables)
    assert run.code != 0
    result = run.task("Diagnose as the owner and the consumers").result
    found = {one["account_id"]: one for one in result["results"]}
    assert (_codes(found[owner]), found[owner]["can_launch"]) == (["key_unreadable"], "unknown")
    # Its dry runs show what the owner cannot read.
    assert ("key_unreadable" in _codes(found[dev]), found[dev]["can_launch"]) == (False, "yes")
    (failure,) = result["failures"]
    assert (failure["account_id"], failure["action"]) == (owner, "DescribeKey")
    assert run.facts["diagnose_status"] == "incomplete"


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A directory for temporary files, with a short name: paths of Ansible's sockets are limited."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.per_python
@pytest.mark.quick
@pytest.mark.oldest_boto
def test_no_secret_is_on_the_screen_or_in_a_file(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, temporary: Path
) -> None:
    secret = fixture.environment(OWNER)["AWS_SECRET_ACCESS_KEY"]
    diagnose = {
        "images": {HOME: fixture.image_id},
        "account_ids": fixture.account_ids(DEV, "sandbox"),
        **AS_CONSUMER,
    }
    run = ansible.tasks(
        [
            {"name": "diagnose", MODULES + "ami_share_diagnose": diagnose},
            {
                "name": "refused",
                MODULES + "ami_share_diagnose": {**diagnose, "external_id": f"not-{EXTERNAL_ID}"},
                "ignore_errors": True,
            },
        ],
        "-vvvv",
        "--diff",
        environment={
            "ANSIBLE_STDOUT_CALLBACK": "default",
            "ANSIBLE_INJECT_INVOCATION": "true",
            "ANSIBLE_LOCAL_TEMP": str(temporary),
            "ANSIBLE_REMOTE_TEMP": str(temporary),
            "ANSIBLE_LOG_PATH": str(ansible.folder / "log"),
            "TMPDIR": str(temporary),
        },
    )
    assert run.code == 0, run.text[-3000:]
    assumed = [call.status for call in aws.calls(action="AssumeRole")]
    assert assumed == [200, 200, 403, 403]
    paths = [*ansible.folder.rglob("*"), *temporary.rglob("*")]
    files = [path.read_text(errors="replace") for path in paths if path.is_file()]
    assert len(files) > 1
    written = [text for text in files if not text.startswith("- hosts:")]
    text = "\n".join([run.text, *written])
    assert '"consumer_role_name": "golden-consumer"' in text
    for hidden in (secret, f'"{EXTERNAL_ID}"', f"not-{EXTERNAL_ID}"):
        assert hidden not in text
    # What AWS's temporary credentials look like: IAM User Guide, "Unique identifiers".
    for hidden in ("ASIA", "SessionToken", "SecretAccessKey", "FQoGZXIvYXdzE"):
        assert hidden not in text
