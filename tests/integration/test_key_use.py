# SPDX-License-Identifier: GPL-3.0-or-later

"""The level authorized of an encrypted image: whether the role in each account can use its keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from simulated_aws.client import SimulatedAws

from . import encrypted
from .encrypted import ALIAS, DISTRIBUTE, USE, EncryptedFixture
from .fixture import HOME, OWNER
from .playbook import Ansible

AWAY = "eu-west-1"
REGIONS = (HOME, AWAY)
CAN, CANNOT = "web-prod", "web-staging"
ROLE = "launcher"
PARAMETER = "/golden/web"
LAUNCH = {"Action": ["ec2:*", "ssm:*"]}
USE_KEYS = {"Action": [f"kms:{operation}" for operation in USE]}
SIMULATE = {"Action": "iam:SimulatePrincipalPolicy"}
LATE_FAILURES = "Fail if access or verification failed"
THROUGH_EC2 = {"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}}


@pytest.fixture
def fixture(aws: SimulatedAws) -> EncryptedFixture:
    """Two accounts: the role of one may use keys, and that of the other may only launch."""
    built = EncryptedFixture(aws)
    for account, statements in ((CAN, (LAUNCH, USE_KEYS)), (CANNOT, (LAUNCH,))):
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": aws.account_id(OWNER)}}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        aws.client("iam", account).create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)
        _allow(aws, account, *statements)
    # Refusals are repeated for half a minute only while a grant is new.
    aws.update_settings(new_grant_age_seconds=3600)
    return built


def _allow(aws: SimulatedAws, account: str, *statements: Mapping[str, Any]) -> None:
    allowed = [{"Effect": "Allow", "Resource": "*", **one} for one in statements]
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    aws.client("iam", account).put_role_policy(RoleName=ROLE, PolicyName="own", PolicyDocument=document)


@pytest.fixture
def variables(fixture: EncryptedFixture, tmp_path: Path) -> dict[str, Any]:
    """A distribution that is verified without a launch, and published."""
    return {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": list(REGIONS),
        "distribute_kms_key_id": ALIAS,
        "distribute_account_ids": fixture.account_ids(CAN, CANNOT),
        "distribute_consumer_role_name": ROLE,
        "distribute_verify_level": "authorized",
        "distribute_publish_parameter": PARAMETER,
        "distribute_report_dir": str(tmp_path / "report"),
    }


def _launched_by(aws: SimulatedAws, account: str, images: Mapping[str, str]) -> str:
    """How an instance ends up that the role of an account launches."""
    arn = f"arn:aws:iam::{aws.account_id(account)}:role/{ROLE}"
    session = aws.client("sts", OWNER).assume_role(RoleArn=arn, RoleSessionName="launch")["Credentials"]
    ec2 = boto3.client(
        "ec2",
        endpoint_url=aws.url,
        region_name=HOME,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
        config=Config(proxies={}),
    )
    (instance,) = ec2.run_instances(ImageId=images[HOME], MinCount=1, MaxCount=1)["Instances"]
    return encrypted.state(ec2, instance["InstanceId"])


def _published(aws: SimulatedAws, account: str, region: str) -> bool:
    ssm = aws.client("ssm", account, region)
    return encrypted.refusal(ssm.get_parameter, Name=PARAMETER) != "ParameterNotFound"


def _report(ansible: Ansible) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ansible.folder / "report" / "latest.json").read_text("utf-8"))
    return content


def _everywhere(aws: SimulatedAws) -> dict[tuple[str, str], bool]:
    """Where the image is published: in the accounts of the owner and of both consumers."""
    return {
        (account, region): _published(aws, account, region)
        for account in (OWNER, CAN, CANNOT)
        for region in REGIONS
    }


def test_an_uncertain_account_keeps_the_image_from_being_published_unless_it_is_accepted(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    """A role without any permission for KMS, which may not ask IAM either."""
    (cannot,) = fixture.account_ids(CANNOT)
    setting = f'set publish_uncertain: ["{cannot}"]'
    run = ansible.run(DISTRIBUTE, variables)
    assert run.code != 0
    assert set(_everywhere(aws).values()) == {False}
    text = run.task("distribute : Show the result").result["text"]
    assert text.count("1/2, 1 uncertain") == len(REGIONS)
    assert "direct_key_use_denied" in text
    assert "iam:SimulatePrincipalPolicy" in " ".join(text.split())
    assert "the role launcher in each account" in " ".join(text.split())
    assert setting in run.task(LATE_FAILURES).result["msg"]
    report = _report(ansible)
    assert report["status"] == "partial"
    assert {(one["account_id"], one["reached"], one["uncertain"]) for one in report["verified"]} == {
        (cannot, False, True),
        (aws.account_id(CAN), True, False),
    }
    page = (ansible.folder / "report" / "latest.html").read_text("utf-8")
    assert "set publish_uncertain: " in page
    assert "KMS denies CreateGrant" in page or "KMS denies Decrypt" in page
    # The image itself is distributed, and a launch shows what could not be proven.
    assert sorted(run.facts["distribute_images"]) == sorted(REGIONS)
    images = run.facts["distribute_images"]
    assert _launched_by(aws, CAN, images) == "running"
    assert _launched_by(aws, CANNOT, images) == encrypted.NO_KEY

    accepted = ansible.run(DISTRIBUTE, {**variables, "distribute_publish_uncertain": cannot})
    assert accepted.code == 0, accepted.text
    assert set(_everywhere(aws).values()) == {True}
    report = _report(ansible)
    assert report["status"] == "distributed"
    assert "1/2, 1 uncertain" in accepted.task("distribute : Show the result").result["text"]
    all_accepted = ansible.run(DISTRIBUTE, {**variables, "distribute_publish_uncertain": True})
    assert (all_accepted.code, all_accepted.changed) == (0, []), all_accepted.text


def test_an_account_that_is_known_to_be_refused_fails_the_verification(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    """The role may ask IAM, whose answer no setting overrides; once it is allowed, all is published."""
    (cannot,) = fixture.account_ids(CANNOT)
    _allow(aws, CANNOT, LAUNCH, SIMULATE)
    run = ansible.run(DISTRIBUTE, {**variables, "distribute_publish_uncertain": True})
    assert run.code != 0
    assert set(_everywhere(aws).values()) == {False}
    assert {
        (one["account_id"], one["key_use"], one["level"], one["findings"][0]["code"])
        for one in _report(ansible)["verified"]
        if not one["reached"]
    } == {(cannot, "refused", "visible", "key_use_denied")}

    # Through EC2 only: KMS refuses the dry runs, and IAM settles it.
    _allow(aws, CANNOT, LAUNCH, SIMULATE, {**USE_KEYS, "Condition": THROUGH_EC2})
    again = ansible.run(DISTRIBUTE, variables)
    assert again.code == 0, again.text
    assert set(_everywhere(aws).values()) == {True}
    assert {one["key_use"] for one in _report(ansible)["verified"]} == {"proven"}
    assert _launched_by(aws, CANNOT, again.facts["distribute_images"]) == "running"


def test_a_new_grant_that_is_not_usable_yet_is_waited_for(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    """(botocore operation CreateGrant: eventual consistency.)"""
    aws.update_settings(new_grant_age_seconds=0, grant_usable_after_seconds=12)
    only = {"distribute_account_ids": fixture.account_ids(CAN), "distribute_regions": [HOME]}
    run = ansible.run(DISTRIBUTE, {**variables, **only})
    assert run.code == 0, run.text
    assert {one["key_use"] for one in _report(ansible)["verified"]} == {"proven"}
    assert _published(aws, CAN, HOME)


@pytest.mark.nightly
def test_other_regions_are_published_before_the_run_fails(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    here = {**USE_KEYS, "Resource": f"arn:aws:kms:{HOME}:*:key/*"}
    _allow(aws, CANNOT, LAUNCH, here)
    run = ansible.run(DISTRIBUTE, variables)
    assert run.code != 0
    assert {region for (_account, region), published in _everywhere(aws).items() if published} == {HOME}
    assert f"not published in {AWAY}" in run.task(LATE_FAILURES).result["msg"]
    assert run.task("distribute : Show the result").result["text"].count("yes") == 1


@pytest.mark.nightly
@pytest.mark.parametrize("level", ["none", "visible"])
def test_without_a_proof_the_image_is_published_and_said_to_be_unchecked(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any], level: str
) -> None:
    run = ansible.run(DISTRIBUTE, {**variables, "distribute_verify_level": level})
    assert run.code == 0, run.text
    assert set(_everywhere(aws).values()) == {True}
    assert "Key use not checked." in run.task("distribute : Show the result").result["text"]
    assert "Key use not checked." in (ansible.folder / "report" / "latest.html").read_text("utf-8")


@pytest.mark.quick
def test_a_verification_alone_counts_uncertain_accounts_apart_and_fails_nothing(
    ansible: Ansible, variables: dict[str, Any]
) -> None:
    done = ansible.run(DISTRIBUTE, {**variables, "distribute_verify_level": "none"})
    run = ansible.run(
        "golden.images.verify_ami",
        {
            "verify_images": done.facts["distribute_images"],
            "verify_account_ids": variables["distribute_account_ids"],
            "verify_consumer_role_name": ROLE,
            "verify_report_dir": str(ansible.folder / "verification"),
        },
    )
    assert run.code == 0, run.text
    assert (
        "Verified 2/4, 2 uncertain: 2 accounts in 2 regions."
        in run.task("verify : Show the result").result["text"]
    )
    assert run.facts["verify_failed_regions"] == []
    assert run.facts["verify_uncertain_regions"] == sorted(REGIONS)
    report = json.loads((ansible.folder / "verification" / "report.json").read_text("utf-8"))
    assert report["status"] == "uncertain"
    page = (ansible.folder / "verification" / "report.html").read_text("utf-8")
    assert "Verified 2/4, 2 uncertain" in page
    assert "the role launcher in each account" in page


@pytest.mark.nightly
def test_copies_that_consumers_own_are_proven_with_their_own_keys(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    fixture.add(
        kms_keys={
            f"own-{account}": {"account": account, "regions": [HOME], "alias": "alias/own"}
            for account in (CAN, CANNOT)
        }
    )
    for account in (CAN, CANNOT):
        _allow(aws, account, LAUNCH, {"Action": "kms:*"})
    into = {
        **variables,
        "distribute_regions": [HOME],
        "distribute_copy_into_accounts": True,
        "distribute_consumer_kms_key_id": "alias/own",
        "distribute_verify_level": "none",
    }
    done = ansible.run(DISTRIBUTE, into)
    assert done.code == 0, done.text
    _allow(aws, CANNOT, {"Action": ["ec2:*", "ssm:*", "iam:SimulatePrincipalPolicy", "kms:DescribeKey"]})
    run = ansible.run(
        "golden.images.verify_ami",
        {
            "verify_images": done.facts["distribute_consumer_images"],
            "verify_account_ids": variables["distribute_account_ids"],
            "verify_consumer_role_name": ROLE,
        },
    )
    assert run.code != 0
    assert {one["account_id"]: one["key_use"] for one in run.facts["verify_results"]} == dict(
        zip(fixture.account_ids(CAN, CANNOT), ("proven", "refused"), strict=True)
    )
