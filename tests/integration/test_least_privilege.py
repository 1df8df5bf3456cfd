# SPDX-License-Identifier: GPL-3.0-or-later

"""Each policy in docs/iam is enough for its runs, and each of its actions is needed in one of them.

Runs with only the required statements come first, and must succeed without what the index says is lost. Runs
with all statements follow, and must use each action: without it, the policy would deny one of their requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from checks.iam import policies
from checks.iam.permissions import PLAN_ROLE, REPORTS
from checks.iam.statements import Policy
from simulated_aws.client import SimulatedAws

from . import encrypted, observed, probing, publishing, refreshing, trail
from .attached import Attached, unneeded
from .encrypted import ALIAS, EXTERNAL_ID, ROLE, EncryptedFixture, root
from .fixture import CONSUMERS, HOME, OWNER, STRANGER, Fixture
from .in_process import Modules
from .launching import LAUNCHERS
from .playbook import MODULES, Ansible, Run, listed_by_host
from .recording import aggregate, record

AWAY = "eu-west-1"
DISTRIBUTE = "golden.images.distribute_ami"
CONSUMER = "web-prod"
# This account's own volumes are under its key aws/ebs.
LAUNCHING = "sandbox"
AS_CONSUMER = {"consumer_role_name": ROLE, "external_id": EXTERNAL_ID}
DISK = {"device_name": "/dev/xvda", "size": 8}
BUCKET, PATH = "golden-images-tombstones", "/golden-images/tombstones"
ONE = {"MinCount": 1, "MaxCount": 1}

Start = Callable[..., Attached]


@pytest.fixture
def protected(aws: SimulatedAws) -> EncryptedFixture:
    """The fixture of the encrypted image."""
    return EncryptedFixture(aws)


# amazon.aws.aws_caller_info asks for it, and goes on without it.
IGNORED = {"iam:ListAccountAliases"}


def ok(run: Run) -> Run:
    assert run.code == 0, run.text
    return run


def run_tasks(user: Attached, *tasks: tuple[str, Mapping[str, Any]]) -> Run:
    """Run modules one after the other."""
    return ok(
        Modules(user.ansible).tasks(
            [{"name": name, MODULES + name: dict(arguments)} for name, arguments in tasks]
        )
    )


def assert_least(aws: SimulatedAws, user: Attached, policy: Policy, principal: str = "") -> None:
    """Nothing that the principal asked was denied, and it needed each action of the policy."""
    needless = unneeded(policy, user.asked(principal), aws.account_id(OWNER))
    assert (user.denied(principal) - IGNORED, needless) == (set(), [])


def test_distribution(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> None:
    policy = policies.DISTRIBUTE
    user = Attached(aws, fixture, tmp_path, [policy.required()])
    base = {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": [HOME, AWAY],
        "distribute_account_ids": fixture.account_ids(*CONSUMERS),
        "distribute_tags": {"role": "web"},
    }
    ok(user.ansible.run(DISTRIBUTE, base))
    assert user.denied() == set()

    user.change(policy.document())
    # The failed copy is replaced.
    aws.update_settings(copy_failures=[{"region": "us-west-2"}])
    shared = {"distribute_shared_tags": {"version": "2026.11"}}
    ok(user.ansible.run(DISTRIBUTE, {**base, **shared, "distribute_regions": [HOME, "us-west-2"]}))
    copying = {"source_region": HOME, "regions": [AWAY], "tags": {"owner": "web"}}
    aws.client("ssm", OWNER, HOME).put_parameter(Name="/golden/web", Value=fixture.image_id, Type="String")
    run_tasks(
        user,
        ("ami_copy_regions", {**copying, "source_parameter": "/golden/web", "purge_tags": True}),
        # All enabled regions are only planned.
        ("ami_copy_regions", {**copying, "source_image_id": fixture.image_id}),
    )
    assert_least(aws, user, policy)
    _assert_no_mark_can_be_forged(aws, user, fixture.image_id)


def test_upload_of_reports(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> None:
    policy = policies.UPLOAD_REPORTS
    aws.client("s3", OWNER, HOME).create_bucket(Bucket=REPORTS)
    report = {"copy_results": [], "report_dir": str(tmp_path), "report_s3_uri": f"s3://{REPORTS}/web"}
    upload = ("distribution_report", report)
    user = Attached(aws, fixture, tmp_path, [policy.required()])
    run_tasks(user, upload)
    assert user.denied() == {"s3:ListBucket"}
    user.change(policy.document())
    run_tasks(user, upload)
    assert_least(aws, user, policy)


MARKS = (
    "golden.images:source",
    "golden.images:cleanup-disabled",
    "golden.images:cleanup-image-ids",
    # aws:ResourceTag ignores the case of keys.
    "Golden.Images:Source",
)


def _assert_no_mark_can_be_forged(aws: SimulatedAws, user: Attached, image_id: str) -> None:
    ec2, away = user.client("ec2"), user.client("ec2", AWAY)
    snapshots = observed.snapshot_ids(observed.image(aws, OWNER, HOME, image_id))
    for resource in (image_id, *snapshots):
        for mark in MARKS:
            tags = [{"Key": "role", "Value": "web"}, {"Key": mark, "Value": f"{HOME}/{image_id}"}]
            assert _refused(ec2.create_tags, Resources=[resource], Tags=tags)
    assert _refused(ec2.deregister_image, ImageId=image_id)
    assert _refused(ec2.delete_snapshot, SnapshotId=snapshots[0])
    (made,) = observed.own_images(aws, OWNER, AWAY)
    assert _refused(away.delete_tags, Resources=[made["ImageId"]], Tags=[{"Key": MARKS[0]}])
    away.deregister_image(ImageId=made["ImageId"])


def _refused(call: Callable[..., Any], **parameters: Any) -> bool:
    return encrypted.refusal(call, **parameters) == "UnauthorizedOperation"


def test_distribution_of_encrypted_images(
    aws: SimulatedAws, protected: EncryptedFixture, tmp_path: Path
) -> None:
    policy, plain = policies.DISTRIBUTE_ENCRYPTED, policies.DISTRIBUTE
    user = Attached(aws, protected, tmp_path, [plain.required(), policy.required()])
    base = {
        "distribute_source_image_id": protected.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": [AWAY],
        "distribute_account_ids": protected.account_ids(CONSUMER),
        "distribute_kms_key_id": ALIAS,
    }
    ok(user.ansible.run(DISTRIBUTE, base))

    user.change(plain.document(), policy.document())
    aws.client("ec2", OWNER, "us-west-2").modify_ebs_default_kms_key_id(KmsKeyId=protected.key("us-west-2"))
    more = {
        "distribute_account_ids": protected.account_ids("web-staging"),
        "distribute_org_unit_arns": [protected.unit_arn()],
        "distribute_purge_access": True,
    }
    ok(user.ansible.run(DISTRIBUTE, {**base, **more}))
    run_tasks(
        user,
        (
            "ami_copy_regions",
            {
                "source_image_id": protected.image_id,
                "source_region": HOME,
                "regions": ["us-west-2"],
                "allow_default_key": True,
            },
        ),
    )
    assert_least(aws, user, policy)
    assert encrypted.grantees(aws, protected.key(AWAY)) == [root(aws.account_id("web-staging"))]


@pytest.mark.nightly
def test_planning_a_distribution(aws: SimulatedAws, protected: EncryptedFixture, tmp_path: Path) -> None:
    policy = policies.PLAN_DISTRIBUTE
    user = Attached(aws, protected, tmp_path, [policy.required()])
    (plain,) = protected.add_images({"plain": {"account": OWNER, "region": HOME, "devices": [DISK]}}).values()
    base = {
        "distribute_source_region": HOME,
        "distribute_regions": [HOME, AWAY],
        "distribute_account_ids": protected.account_ids(CONSUMER),
    }
    ok(user.ansible.run(DISTRIBUTE, {**base, "distribute_source_image_id": plain}, "--check"))
    assert user.denied() == set()

    everything = {
        **base,
        "distribute_source_image_id": protected.image_id,
        "distribute_kms_key_id": ALIAS,
        "distribute_publish_parameter": publishing.PARAMETER,
        "distribute_parameter_tags": {"team": "web"},
        "distribute_launch_templates": [publishing.TEMPLATE],
        "distribute_publish_share": [protected.org_arn],
    }
    publishing.enable_sharing(aws)
    by_parameter = {**base, "distribute_source_parameter": "/golden/built"}
    publishing.add_templates(aws, dict.fromkeys(publishing.REGIONS, plain))
    aws.client("ssm", OWNER, HOME).put_parameter(Name="/golden/built", Value=plain, Type="String")
    owner = Ansible(protected.environment(OWNER), tmp_path)
    aws.clear_calls()
    user.change(policy.document())
    ok(user.ansible.run(DISTRIBUTE, everything, "--check"))
    ok(user.ansible.run(DISTRIBUTE, by_parameter, "--check"))
    by_policy = {**everything, "distribute_kms_access_method": "key_policy"}
    ok(user.ansible.run(DISTRIBUTE, by_policy, "--check"))
    assert observed.changes(aws, refused=True) == []
    # What a distribution has done is read by the next plan.
    ok(owner.run(DISTRIBUTE, everything))
    ok(user.ansible.run(DISTRIBUTE, everything, "--check"))
    assert_least(aws, user, policy)


@pytest.mark.nightly
def test_planning_in_consumer_accounts(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> None:
    policy, assume = policies.CONSUMER_PLAN, policies.ASSUME_PLAN_ROLES
    images = publishing.golden_images(fixture, "2026.11", {})
    publishing.add_templates(aws, images, HibernationOptions={"Configured": True})
    user = Attached(aws, fixture, tmp_path, [policies.PLAN_DISTRIBUTE.document(), assume.document()])
    trusted = {"accounts": [CONSUMER], "trusts": [OWNER], "external_id": EXTERNAL_ID}
    fixture.add(roles={ROLE: trusted})
    user.give_role([CONSUMER], policy.document(), name=PLAN_ROLE)
    everything = {
        "distribute_source_image_id": images[HOME],
        "distribute_source_region": HOME,
        "distribute_regions": [HOME, AWAY],
        "distribute_account_ids": fixture.account_ids(CONSUMER),
        "distribute_consumer_role_name": PLAN_ROLE,
        "distribute_external_id": EXTERNAL_ID,
        "distribute_verify_level": "visible",
        "distribute_publish_parameter": publishing.PARAMETER,
        "distribute_parameter_tags": {"team": "web"},
        "distribute_launch_templates": [publishing.TEMPLATE],
    }
    # In one region, an earlier image is shared and published.
    earlier = publishing.golden_images(fixture, "2026.10", age_days=30)
    aws.client("ssm", CONSUMER, AWAY).put_parameter(
        Name=publishing.PARAMETER, Value=earlier[AWAY], Type="String", DataType="aws:ec2:image"
    )
    aws.clear_calls()
    ok(user.ansible.run(DISTRIBUTE, everything, "--check"))
    assert observed.changes(aws) == []
    assert_least(aws, user, assume)
    assert_least(aws, user, policy, f"role/{PLAN_ROLE}")

    # What runs in a plan cannot act as the role of the distribution.
    refused = user.ansible.run(DISTRIBUTE, {**everything, "distribute_consumer_role_name": ROLE}, "--check")
    assert refused.code != 0
    assert user.denied() == {"sts:AssumeRole"}


def test_sharing(aws: SimulatedAws, protected: EncryptedFixture, tmp_path: Path) -> None:
    policy = policies.SHARE
    (plain,) = protected.add_images({"plain": {"account": OWNER, "region": HOME, "devices": [DISK]}}).values()
    user = Attached(aws, protected, tmp_path, [policy.required()])
    to = {"images": {HOME: protected.image_id}, "account_ids": protected.account_ids(CONSUMER)}
    degraded = run_tasks(user, ("ami_share", to))
    assert "kms:" in degraded.text

    user.change(policy.document())
    run_tasks(user, ("ami_share", {**to, "shared_tags": {"version": "1"}}))
    ec2 = aws.client("ec2", OWNER, HOME)
    ec2.disable_image_block_public_access()
    ec2.disable_snapshot_block_public_access()
    run_tasks(
        user,
        ("ami_share", {"images": {HOME: plain}, "group": "all", "allow_public": True}),
        (
            "ami_share",
            {
                "images": {HOME: protected.image_id},
                "account_ids": protected.account_ids(CONSUMER),
                "state": "absent",
            },
        ),
    )
    assert_least(aws, user, policy)


def test_publishing(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> None:
    policy = policies.PUBLISH
    publishing.with_role(fixture)
    old, new = (publishing.golden_images(fixture, release) for release in ("2026.10", "2026.11"))
    publishing.add_templates(aws, old, HibernationOptions={"Configured": True})
    for account, region in publishing.EVERYWHERE:
        aws.client("ec2", account, region).enable_ebs_encryption_by_default()
    publishing.fill_up(aws, HOME, old[HOME], f"source-{old[HOME]}")
    user = Attached(aws, fixture, tmp_path, [policy.required(), policies.ASSUME_ROLES.document()])
    user.give_role([CONSUMER], policy.document())
    away = {"images": {AWAY: old[AWAY]}, "source_image_id": old[HOME], "parameter": publishing.PARAMETER}
    ok(Modules(user.ansible).tasks([publishing.publish("Publish", **away)]))
    user.change(policy.document(), policies.ASSUME_ROLES.document())
    task = publishing.publish(
        "Publish",
        images=new,
        source_image_id=new[HOME],
        parameter_tags={"team": "web"},
        launch_templates=[publishing.TEMPLATE],
        **publishing.in_consumers(fixture),
    )
    ok(user.ansible.tasks([task]))
    assert_least(aws, user, policies.ASSUME_ROLES)
    assert_least(aws, user, policy)
    assert user.denied(f"role/{ROLE}") == set()


def test_sharing_parameters(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> None:
    policy = policies.SHARE_PARAMETERS
    publishing.enable_sharing(aws)
    images = publishing.golden_images(fixture, "2026.11")
    user = Attached(aws, fixture, tmp_path, [policies.PUBLISH.document(), policy.document()])
    modules = Modules(user.ansible)
    task = publishing.publish("Publish", images=images, source_image_id=images[HOME])
    (name,) = (one for one in task if one != "name")
    for consumer in (fixture.org_arn, *fixture.account_ids(CONSUMER)):
        ok(modules.tasks([{**task, name: {**task[name], "publish_share": [consumer]}}]))
    purge = {"publish_share_purge": True, "allow_empty_purge": True}
    ok(modules.tasks([{**task, name: {**task[name], **purge}}]))
    assert_least(aws, user, policy)
    # Neither a parameter beyond those of the policies, nor another share.
    ram, ssm = user.client("ram"), aws.client("ssm", OWNER)
    ssm.put_parameter(Name="/other", Value=images[HOME], Type="String", Tier="Advanced")
    other = f"arn:aws:ssm:{HOME}:{aws.account_id(OWNER)}:parameter/other"
    refusal = encrypted.refusal(ram.create_resource_share, name="golden-images-x", resourceArns=[other])
    assert refusal == "AccessDeniedException"
    made = aws.client("ram", OWNER).create_resource_share(name="other")["resourceShare"]["resourceShareArn"]
    principals = fixture.account_ids(CONSUMER)
    for change in (ram.associate_resource_share, ram.disassociate_resource_share):
        refusal = encrypted.refusal(change, resourceShareArn=made, principals=principals)
        assert refusal == "AccessDeniedException"
    assert encrypted.refusal(ram.delete_resource_share, resourceShareArn=made) == "AccessDeniedException"


def test_auditing(aws: SimulatedAws, protected: EncryptedFixture, tmp_path: Path) -> None:
    user = Attached(aws, protected, tmp_path, [policies.AUDIT.document()])
    # A parameter that somebody has who is not allowed.
    value = {"Type": "String", "Value": protected.image_id, "Tier": "Advanced"}
    aws.client("ssm", OWNER, HOME).put_parameter(Name=publishing.PARAMETER, **value)
    publishing.add_share(aws, HOME, protected.account_ids(CONSUMER))
    aws.clear_calls()
    found = run_tasks(user, ("ami_share_audit", {"check_parameters": True}))
    codes = {one["code"] for one in found.task("ami_share_audit").result["findings"]}
    assert ("unknown_parameter_consumer" in codes, "parameters_unreadable" in codes) == (True, False)
    assert_least(aws, user, policies.AUDIT)
    assert observed.changes(aws, refused=True) == []


def add_launches(aws: SimulatedAws, account: str, first: str, latest: str) -> None:
    """A parameter with two versions, launch templates that resolve these, and an Auto Scaling group."""
    ec2, ssm = aws.client("ec2", account, HOME), aws.client("ssm", account, HOME)
    for value in (first, latest):
        ssm.put_parameter(Name="/golden/web", Type="String", Value=value, Overwrite=True)
    for number, selector in enumerate(("/golden/web:1", "/golden/web")):
        ec2.create_launch_template(
            LaunchTemplateName=f"web-{number}", LaunchTemplateData={"ImageId": f"resolve:ssm:{selector}"}
        )
    aws.client("autoscaling", account, HOME).create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=0,
        MaxSize=0,
        AvailabilityZones=[f"{HOME}a"],
        LaunchTemplate={"LaunchTemplateName": "web-1", "Version": "1"},
    )


def test_adoption(aws: SimulatedAws, protected: EncryptedFixture, tmp_path: Path) -> None:
    policy, consumer = policies.ADOPTION, policies.CONSUMER_ADOPTION
    image = {"account": OWNER, "region": HOME, "devices": [DISK], "tags": {"family": "web"}}
    image["sharing"] = {"accounts": [LAUNCHING], "snapshot_accounts": [LAUNCHING]}
    image_id = protected.add_images({"web-1": image})["web-1"]
    ec2 = aws.client("ec2", LAUNCHING, HOME)
    copy_id = ec2.copy_image(SourceImageId=image_id, SourceRegion=HOME, Name="mine")["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[copy_id], WaiterConfig={"Delay": 1})
    ec2.run_instances(ImageId=copy_id, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    add_launches(aws, LAUNCHING, copy_id, image_id)
    add_launches(aws, OWNER, image_id, image_id)
    user = Attached(aws, protected, tmp_path, [policy.document(), policies.ASSUME_ROLES.document()])
    user.give_role([LAUNCHING], consumer.document())
    options = {
        "family_tag": "family",
        "depth": "launches",
        "account_ids": protected.account_ids(LAUNCHING, OWNER),
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
    }
    run = run_tasks(user, ("ami_adoption", options))
    assert {one["status"] for one in run.task("ami_adoption").result["accounts"]} == {"current"}
    run_tasks(user, ("ami_adoption", {**options, "depth": "usage_reports"}))
    assert_least(aws, user, policy)
    assert_least(aws, user, consumer, f"role/{ROLE}")
    assert {call.action for call in observed.changes(aws, refused=True)} == {"CreateImageUsageReport"}


def test_adoption_by_an_aggregator(aws: SimulatedAws, protected: EncryptedFixture, tmp_path: Path) -> None:
    image = {"account": OWNER, "region": HOME, "devices": [DISK], "tags": {"family": "web"}}
    image_id = protected.add_images({"web-1": image})["web-1"]
    aws.client("ec2", OWNER, HOME).run_instances(
        ImageId=image_id, InstanceType="t3.micro", MinCount=1, MaxCount=1
    )
    record(aws, OWNER)
    aggregate(aws, "organization", OWNER, [OWNER])
    aws.clear_calls()
    user = Attached(aws, protected, tmp_path, [policies.ADOPTION.document(), policies.AGGREGATOR.document()])
    options = {
        "family_tag": "family",
        "depth": "config",
        "config_aggregator": "organization",
        "regions": [HOME],
    }
    run = run_tasks(user, ("ami_adoption", options))
    assert {one["status"] for one in run.task("ami_adoption").result["accounts"]} == {"current"}
    assert_least(aws, user, policies.AGGREGATOR)
    assert observed.changes(aws, refused=True) == []


def test_remediation(aws: SimulatedAws, protected: EncryptedFixture, tmp_path: Path) -> None:
    policy = policies.REMEDIATE
    publishing.enable_sharing(aws)
    publishing.add_parameter(aws, HOME, protected.image_id)
    publishing.add_share(aws, HOME, protected.account_ids(CONSUMER))
    admin = Modules(Ansible(protected.environment(OWNER), tmp_path))
    accounts = protected.account_ids(CONSUMER, STRANGER)
    key = {"kms_key_ids": {HOME: protected.key(HOME)}}
    images = {"images": {HOME: protected.image_id}}
    ok(
        admin.tasks(
            [
                {MODULES + "ami_kms_grant": {**key, "account_ids": accounts[:1]}},
                {
                    MODULES + "ami_kms_grant": {
                        **key,
                        "account_ids": accounts[1:],
                        "access_method": "key_policy",
                    }
                },
                {MODULES + "ami_share": {**images, "account_ids": accounts}},
            ]
        )
    )
    user = Attached(aws, protected, tmp_path, [policy.required()])
    playbook = "golden.images.remediate_ami_sharing"
    variables = {"remediate_regions": [HOME], "remediate_allow_empty_allowlist": True}
    # With keys, it also revokes what the accounts then no longer need.
    unsharing = {"remediate_finding_codes": ["unknown_account"], "remediate_check_keys": False}
    ok(user.ansible.run(playbook, {**variables, **unsharing}))
    user.change(policy.document())
    codes = ["grant_without_share", "statement_without_share", "unknown_parameter_consumer"]
    ok(user.ansible.run(playbook, {**variables, "remediate_finding_codes": codes}))
    assert publishing.principals(aws) == {}
    assert_least(aws, user, policy)
    assert observed.sharing(aws, OWNER, HOME, protected.image_id) == (set(), [set(), set()])
    assert encrypted.grantees(aws, protected.key(HOME)) == []


def _family(fixture: Fixture, region: str, prefix: str, *days: int, **more: Any) -> dict[int, str]:
    """Images of one family by their age in days."""
    spec = {"account": OWNER, "region": region, "devices": [DISK], "tags": {"family": prefix}, **more}
    made = fixture.add_images({f"{prefix}-{age}": {**spec, "age_days": age} for age in days})
    return {age: made[f"{prefix}-{age}"] for age in days}


def _cleanup(**changes: Any) -> tuple[str, dict[str, Any]]:
    return "ami_cleanup", {
        "regions": [HOME],
        "region": HOME,
        "family_tag": "family",
        "max_deletions": "100%",
        "deregister_after_days": 0,
        **changes,
    }


def _retain(aws: SimulatedAws) -> None:
    for kind in ("EC2_IMAGE", "EBS_SNAPSHOT"):
        period = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
        aws.client("rbin", OWNER, HOME).create_rule(
            ResourceType=kind, RetentionPeriod=period, ResourceTags=[], ExcludeResourceTags=[]
        )


def _used(aws: SimulatedAws, account: str, image_id: str) -> None:
    """A launch template that resolves a parameter, and an Auto Scaling group."""
    ssm, ec2 = aws.client("ssm", account, HOME), aws.client("ec2", account, HOME)
    for value in ("ami-0123456789abcdef0", image_id):
        ssm.put_parameter(Name="/web/image", Value=value, Type="String", Overwrite=True)
    ssm.label_parameter_version(Name="/web/image", ParameterVersion=1, Labels=["old"])
    ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={"ImageId": "resolve:ssm:/web/image:1", "InstanceType": "t3.micro"},
    )
    ec2.create_launch_template(
        LaunchTemplateName="group", LaunchTemplateData={"ImageId": image_id, "InstanceType": "t3.micro"}
    )
    aws.client("autoscaling", account, HOME).create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=0,
        MaxSize=0,
        AvailabilityZones=[f"{HOME}a"],
        LaunchTemplate={"LaunchTemplateName": "group"},
    )


def test_cleanup(aws: SimulatedAws, protected: EncryptedFixture, tmp_path: Path) -> None:
    policy = policies.CLEANUP
    web = _family(protected, HOME, "web", 100, 60, 1)
    user = Attached(aws, protected, tmp_path, [policy.required()])
    path = {"tombstone_path": str(tmp_path / "tombstones.jsonl")}
    # The dates of stages are removed from images that are kept again.
    deprecating = {**path, "deprecate_after_days": 0, "deregister_after_days": 400}
    run_tasks(user, _cleanup(**deprecating), _cleanup(**deprecating, keep_latest=3))
    for launch in LAUNCHERS.values():
        launch(aws, web[1])
    # Without the late reads, no image is disabled or deregistered.
    run_tasks(user, _cleanup(**path, fail_on="none"))
    assert {web[100], web[60], web[1]} <= {one["ImageId"] for one in observed.own_images(aws, OWNER, HOME)}
    user.change(policy.document())
    run_tasks(user, _cleanup(**path, disable_after_days=0, deregister_after_days=400), _cleanup(**path))
    left = {one["ImageId"] for one in observed.own_images(aws, OWNER, HOME)}
    assert web[1] in left
    assert not left & {web[100], web[60]}

    used = _family(protected, HOME, "used", 300, 200, 1)
    _used(aws, OWNER, used[300])
    builder = {"account": OWNER, "region": HOME, "version": "1.2.0/1", "name": "built"}
    _family(protected, HOME, "built", 50, 1, built_by=builder)
    key, theirs = _shared(aws, protected)
    _lifecycle_policy(aws)
    _retain(aws)
    aws.client("s3", OWNER, HOME).create_bucket(Bucket=BUCKET)
    user.change(policy.document(), policies.ASSUME_ROLES.document())
    user.give_role([CONSUMER], policies.CONSUMER_USAGE.document(), policies.CONSUMER_VOLUMES.document())
    _used(aws, CONSUMER, used[300])
    everything = {
        "include_shared": True,
        "trust_usage_reports": True,
        "revoke_grants": True,
        "tombstone_s3_uri": f"s3://{BUCKET}/web",
        "tombstone_ssm_path": PATH,
    }
    run_tasks(user, _cleanup(**everything), _cleanup(**everything, **AS_CONSUMER))
    assert theirs not in {one["ImageId"] for one in observed.own_images(aws, OWNER, HOME)}
    assert encrypted.grantees(aws, key) == []
    assert_least(aws, user, policy)
    assert_least(aws, user, policies.CONSUMER_USAGE, f"role/{ROLE}")
    assert_least(aws, user, policies.CONSUMER_VOLUMES, f"role/{ROLE}")


def _shared(aws: SimulatedAws, fixture: Fixture) -> tuple[str, str]:
    """A key with a grant to a consumer, and the only image under it, which is shared with the consumer."""
    disk = {**DISK, "encrypted": True, "kms_key": "theirs"}
    image = {"account": OWNER, "region": HOME, "tags": {"family": "theirs"}}
    sharing = {"accounts": [CONSUMER], "snapshot_accounts": [CONSUMER]}
    made = fixture.add(
        kms_keys={"theirs": {"account": OWNER, "regions": [HOME]}},
        images={
            "theirs-90": {**image, "devices": [disk], "age_days": 90, "sharing": sharing},
            "theirs-1": {**image, "devices": [DISK], "age_days": 1},
        },
    )
    key = str(made["kms_keys"]["theirs"][HOME])
    aws.update_settings(new_grant_age_seconds=24 * 3600)
    account_id = aws.account_id(CONSUMER)
    aws.client("kms", OWNER, HOME).create_grant(
        KeyId=key,
        GranteePrincipal=root(account_id),
        Operations=encrypted.USE,
        Name=f"golden-images:{account_id}",
    )
    return key, str(made["images"]["theirs-90"]["image_id"])


def _lifecycle_policy(aws: SimulatedAws) -> None:
    aws.client("imagebuilder", OWNER, HOME).create_lifecycle_policy(
        name="web",
        executionRole="lifecycle",
        resourceType="AMI_IMAGE",
        policyDetails=[
            {
                "action": {"type": "DELETE", "includeResources": {"amis": True}},
                "filter": {"type": "AGE", "value": 30, "unit": "DAYS"},
            }
        ],
        resourceSelection={"tagMap": {"never": "set"}},
    )


def test_recall(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> None:
    policy = policies.RECALL
    publishing.with_role(fixture)
    shared = {"accounts": [CONSUMER], "snapshot_accounts": [CONSUMER]}
    old = publishing.encrypted_images(fixture, "2026.10")
    new = publishing.golden_images(fixture, "2026.11", shared)
    publishing.add_templates(aws, new)
    aws.client("s3", OWNER, HOME).create_bucket(Bucket=BUCKET)
    user = Attached(aws, fixture, tmp_path, [policies.PUBLISH.document(), policies.ASSUME_ROLES.document()])
    user.give_role([CONSUMER], policies.PUBLISH.document())
    in_consumers = publishing.in_consumers(fixture)
    tasks = [
        publishing.publish(one[HOME], images=one, source_image_id=one[HOME], tier="Advanced", **in_consumers)
        for one in (old, new)
    ]
    ok(Modules(user.ansible).tasks(tasks))
    release = {"source_image_id": new[HOME], "source_region": HOME, "regions": [HOME], "region": HOME}
    recall = {**release, "parameter": publishing.PARAMETER, "launch_templates": [publishing.TEMPLATE]}
    local = {"tombstone_path": str(tmp_path / "recalls.jsonl")}
    stored = {"tombstone_s3_uri": f"s3://{BUCKET}/web"}
    user.change(policy.required(), policies.PUBLISH.document(), policies.ASSUME_ROLES.document())
    taken_back = {"state": "absent", **release, **in_consumers}
    alone = {**recall, **local, "require_shared": False, "require_usable_key": False}
    run_tasks(user, ("ami_recall", alone), ("ami_recall", {**taken_back, **local}))
    user.change(policy.document(), policies.PUBLISH.document(), policies.ASSUME_ROLES.document())
    run_tasks(
        user, ("ami_recall", {**recall, **in_consumers, **stored}), ("ami_recall", {**taken_back, **stored})
    )
    assert publishing.value(aws, CONSUMER, HOME) == new[HOME]
    blocked = {**release, **stored, "level": "block", "accept_breaking": ["all"]}
    run_tasks(
        user,
        ("ami_recall", blocked),
        ("ami_recall", {**blocked, "block_method": "disable"}),
        ("ami_recall", {**taken_back, **stored}),
    )
    assert_least(aws, user, policy)
    assert user.denied(f"role/{ROLE}") == set()
    # The tag of a source, which makes an image a copy, cannot be set.
    tag = {"Key": MARKS[0], "Value": "x"}
    assert _refused(user.client("ec2").create_tags, Resources=[new[HOME]], Tags=[tag])


def test_blocked_copies(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> None:
    policy = policies.CONSUMER_RECALL
    shared = {"accounts": [CONSUMER], "snapshot_accounts": [CONSUMER]}
    release = publishing.golden_images(fixture, "2026.11", shared)
    ec2 = aws.client("ec2", CONSUMER, HOME)
    copy = ec2.copy_image(SourceImageId=release[HOME], SourceRegion=HOME, Name="mine")["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[copy], WaiterConfig={"Delay": 1})
    ec2.run_instances(ImageId=copy, InstanceType="t3.micro", **ONE)
    (partner,) = fixture.account_ids(STRANGER)
    ec2.modify_image_attribute(ImageId=copy, LaunchPermission={"Add": [{"UserId": partner}]})
    owner = [policies.RECALL.document(), policies.ASSUME_ROLES.document()]
    user = Attached(aws, fixture, tmp_path, owner)
    reading = policies.CONSUMER_ADOPTION.document()
    user.give_role([CONSUMER], reading, policy.required())
    given = {
        "source_image_id": release[HOME],
        "source_region": HOME,
        "regions": [HOME],
        "level": "block",
        "block_consumer_copies": True,
        "accept_breaking": "all",
        "tombstone_path": str(tmp_path / "recalls.jsonl"),
        **publishing.in_consumers(fixture),
    }
    variables = {f"recall_{name}": value for name, value in given.items()}
    ok(user.ansible.run("golden.images.recall_ami", variables))
    assert user.denied(f"role/{ROLE}") == set()
    user.give_role([CONSUMER], reading, policy.document())
    ok(user.ansible.run("golden.images.recall_ami", {**variables, "recall_state": "absent"}))
    assert observed.launch_permissions(aws, CONSUMER, HOME, copy) == {partner}
    assert_least(aws, user, policy, f"role/{ROLE}")
    assert user.denied() == set()


def test_instance_refreshes(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> None:
    policy = policies.CONSUMER_REFRESH
    old, new = refreshing.releases(fixture)
    ssm = aws.client("ssm", CONSUMER, HOME)
    ssm.put_parameter(Name="/golden/web", Value=new[HOME], Type="String")
    refreshing.add_template(aws, CONSUMER, HOME, old[HOME], new[HOME])
    refreshing.add_template(aws, CONSUMER, HOME, old[HOME], "resolve:ssm:/golden/web", name="parameter")
    refreshing.add_group(aws, CONSUMER, HOME, "web", "1")
    refreshing.add_group(aws, CONSUMER, HOME, "parameter", "1", "$Default", template="parameter")
    user = Attached(aws, fixture, tmp_path, [policies.LOOKUP.document(), policies.ASSUME_ROLES.document()])
    user.give_role([CONSUMER], policy.required())
    options = {
        "images": {HOME: new[HOME]},
        "account_ids": fixture.account_ids(CONSUMER),
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
    }
    run_tasks(user, ("ami_instance_refresh", {**options, "auto_scaling_groups": ["web"]}))
    user.give_role([CONSUMER], policy.document())
    run_tasks(user, ("ami_instance_refresh", {**options, "auto_scaling_groups": ["parameter", "web"]}))
    assert_least(aws, user, policy, f"role/{ROLE}")
    assert refreshing.images_of(aws, CONSUMER, HOME, "parameter") == {new[HOME]: 2}


def test_restore(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> None:
    policy = policies.RESTORE
    ec2 = aws.client("ec2", OWNER, HOME)
    ec2.disable_image_block_public_access()
    ec2.disable_snapshot_block_public_access()
    images = _family(fixture, HOME, "web", 100, 90, 80, 1)
    first, snapshot, public = (
        observed.snapshot_ids(observed.image(aws, OWNER, HOME, images[age]))[0] for age in (100, 90, 80)
    )
    ec2.modify_image_attribute(ImageId=images[80], LaunchPermission={"Add": [{"Group": "all"}]})
    ec2.modify_image_attribute(
        ImageId=images[90], LaunchPermission={"Add": [{"UserId": aws.account_id(CONSUMER)}]}
    )
    ec2.modify_snapshot_attribute(
        SnapshotId=public,
        Attribute="createVolumePermission",
        CreateVolumePermission={"Add": [{"Group": "all"}]},
    )
    ec2.modify_snapshot_attribute(
        SnapshotId=first,
        Attribute="createVolumePermission",
        CreateVolumePermission={"Add": [{"UserId": aws.account_id(CONSUMER)}]},
    )
    # A later date than that of the cleanup.
    ec2.enable_image_deprecation(ImageId=images[90], DeprecateAt=datetime.now(UTC) + timedelta(days=200))
    for image_id in images.values():
        ec2.create_image_usage_report(ImageId=image_id, ResourceTypes=REPORTED)
    _retain(aws)
    aws.client("s3", OWNER, HOME).create_bucket(Bucket=BUCKET)
    admin = Modules(Ansible(fixture.environment(OWNER), tmp_path))
    common = {"include_shared": True, "trust_usage_reports": True, "deregister_after_days": 400}
    stored = {"tombstone_s3_uri": f"s3://{BUCKET}/web", "tombstone_ssm_path": PATH}
    local = {"tombstone_path": str(tmp_path / "tombstones.jsonl")}
    stages = {"deprecate_after_days": 0, "disable_after_days": 0}
    ok(
        admin.tasks(
            [
                {MODULES + name: arguments}
                for name, arguments in (
                    _cleanup(**common, deprecate_after_days=0, **local),
                    _cleanup(**common, **stages, **local, **stored),
                )
            ]
        )
    )
    states = {one["ImageId"]: one["State"] for one in observed.own_images(aws, OWNER, HOME)}
    assert [states[images[age]] for age in (100, 90, 80)] == ["disabled"] * 3
    # Disabling keeps these permissions; they were removed by other means.
    ec2.reset_snapshot_attribute(SnapshotId=first, Attribute="createVolumePermission")
    user = Attached(aws, fixture, tmp_path, [policy.required()])
    run_tasks(user, ("ami_restore", {"images": {HOME: images[100]}, **local}))
    assert observed.volume_permissions(aws, OWNER, HOME, first) == {aws.account_id(CONSUMER)}
    ec2.deregister_image(ImageId=images[90])
    ec2.delete_snapshot(SnapshotId=snapshot)
    # Disabled by other means, it gets a mark while its permissions are missing.
    ec2.delete_tags(Resources=[images[80]], Tags=[{"Key": "golden.images:cleanup-disabled"}])
    user.change(policy.document())
    run_tasks(
        user,
        # Deregistered by other means, it may have been public.
        ("ami_restore", {"images": {HOME: images[90]}, "region": HOME, "allow_public": True, **stored}),
        ("ami_restore", {"images": {HOME: images[80]}, "allow_public": True, **local}),
        ("ami_restore", {"images": {HOME: images[80]}, "region": HOME, "tombstone_ssm_path": PATH}),
    )
    assert_least(aws, user, policy)


REPORTED = [
    {"ResourceType": "ec2:Instance"},
    {
        "ResourceType": "ec2:LaunchTemplate",
        "ResourceTypeOptions": [{"OptionName": "version-depth", "OptionValues": ["10000"]}],
    },
    {"ResourceType": "imagebuilder:ImageRecipe"},
    {"ResourceType": "imagebuilder:ContainerRecipe"},
]


def test_verification(aws: SimulatedAws, protected: EncryptedFixture, tmp_path: Path) -> None:
    policy, consumer, launch = policies.DIAGNOSE, policies.CONSUMER_VERIFY, policies.CONSUMER_LAUNCH
    publishing.enable_sharing(aws)
    admin = Modules(Ansible(protected.environment(OWNER), tmp_path))
    to = {"images": {HOME: protected.image_id}, "account_ids": protected.account_ids(LAUNCHING)}
    ok(admin.tasks([{MODULES + "ami_kms_grant": to}, {MODULES + "ami_share": to}]))
    assuming = policies.ASSUME_ROLES.document()
    user = Attached(aws, protected, tmp_path, [policy.required(), assuming])
    user.give_role([LAUNCHING], consumer.required(), launch.document())
    options = {
        "images": {HOME: protected.image_id},
        "account_ids": protected.account_ids(LAUNCHING),
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
    }
    run_tasks(user, ("ami_verify", options))
    user.change(policy.document(), assuming)
    user.give_role([LAUNCHING], consumer.document(), launch.document())
    # Without a default VPC, subnets are read.
    probing.replace_default_vpc(aws, LAUNCHING, HOME)
    run_tasks(user, ("ami_verify", options))
    launched = {
        "level": "launched",
        "subnet_ids": probing.subnet_ids(aws, [LAUNCHING], HOME),
    }
    run_tasks(user, ("ami_verify", {**options, **launched}))
    # A role that may use keys through EC2 only asks IAM about itself.
    through_ec2 = launch.document()
    for statement in through_ec2["Statement"]:
        statement["Condition"] = {"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}}
    user.give_role([LAUNCHING], consumer.document(), through_ec2)
    run_tasks(user, ("ami_verify", options))
    hidden = protected.add_images({"hidden": {"account": OWNER, "region": HOME, "devices": [DISK]}})["hidden"]
    run_tasks(
        user,
        ("ami_share_diagnose", {**to, "images": {HOME: _public(aws, protected)}}),
        # The settings for Allowed AMIs are read where an account does not see an image.
        ("ami_share_diagnose", {**to, "images": {HOME: hidden}, **AS_CONSUMER}),
    )
    # The tier is read of a parameter that nobody has.
    publishing.add_parameter(aws, HOME, protected.image_id)
    run_tasks(user, ("ami_share_diagnose", {**to, **AS_CONSUMER, "parameter": publishing.PARAMETER}))
    publishing.add_share(aws, HOME, protected.account_ids(LAUNCHING))
    run_tasks(user, ("ami_verify", {**options, "parameter": publishing.PARAMETER}))
    assert_least(aws, user, policy)
    # The policy of the account's key aws/ebs allows the role to use it, so no policy of the role has to.
    asked = user.asked(f"role/{ROLE}")
    assert unneeded(launch, asked, aws.account_id(OWNER)) == []
    needed = unneeded(consumer, asked, aws.account_id(OWNER))
    assert needed == ["ReadOwnSide ec2:DescribeRegions", "ReadOwnSide ec2:DescribeSnapshots"]
    own = Attached(aws, protected, tmp_path, [consumer.document(), launch.document()], LAUNCHING)
    run_tasks(own, ("ami_shared_info", {}))
    needed = unneeded(consumer, own.asked(), aws.account_id(OWNER))
    assert not [one for one in needed if one.startswith("ReadOwnSide")]
    assert own.denied() == set()


def _public(aws: SimulatedAws, fixture: Fixture) -> str:
    """A public image with public snapshots."""
    (image_id,) = fixture.add_images(
        {"public": {"account": OWNER, "region": HOME, "devices": [DISK]}}
    ).values()
    ec2 = aws.client("ec2", OWNER, HOME)
    ec2.disable_image_block_public_access()
    public = {"Add": [{"Group": "all"}]}
    ec2.modify_image_attribute(ImageId=image_id, LaunchPermission=public)
    ec2.disable_snapshot_block_public_access()
    (image,) = ec2.describe_images(ImageIds=[image_id])["Images"]
    for device in image["BlockDeviceMappings"]:
        ec2.modify_snapshot_attribute(SnapshotId=device["Ebs"]["SnapshotId"], CreateVolumePermission=public)
    return image_id


def test_copies_into_accounts(aws: SimulatedAws, protected: EncryptedFixture, tmp_path: Path) -> None:
    consumer, role = policies.CONSUMER_COPY, f"role/{ROLE}"
    theirs = "alias/theirs"
    key = {"account": CONSUMER, "regions": [AWAY]}
    protected.add(kms_keys={"theirs": {**key, "alias": theirs}, "others": {**key, "alias": "alias/others"}})
    (plain,) = protected.add_images({"plain": {"account": OWNER, "region": HOME, "devices": [DISK]}}).values()
    user = Attached(
        aws,
        protected,
        tmp_path,
        [
            one.document()
            for one in (policies.DISTRIBUTE, policies.DISTRIBUTE_ENCRYPTED, policies.ASSUME_ROLES)
        ],
    )
    user.give_role([CONSUMER], consumer.required())
    base = {
        "distribute_source_image_id": plain,
        "distribute_source_region": HOME,
        "distribute_regions": [AWAY],
        "distribute_account_ids": protected.account_ids(CONSUMER),
        "distribute_consumer_role_name": ROLE,
        "distribute_external_id": EXTERNAL_ID,
        "distribute_copy_into_accounts": True,
    }
    ok(user.ansible.run(DISTRIBUTE, base))
    assert user.denied(role) == set()
    user.give_role([CONSUMER], consumer.document())
    more = {
        "distribute_source_image_id": protected.image_id,
        "distribute_kms_key_id": ALIAS,
        "distribute_consumer_kms_key_id": theirs,
        "distribute_tags": {"release": "1"},
    }
    done = ok(user.ansible.run(DISTRIBUTE, {**base, **more}))
    copying = {
        "source_images": {AWAY: done.facts["distribute_images"][AWAY]},
        "regions": [AWAY],
        "account_ids": protected.account_ids(CONSUMER),
        "tags": {"release": "2"},
        **AS_CONSUMER,
    }
    # A copy that fails is replaced, at the latest by the next run.
    aws.update_settings(copy_failures=[{"region": AWAY}])
    failing = {**copying, "kms_key_id": "alias/others"}
    steps = {"retag": {**copying, "kms_key_id": theirs}, "fail": failing, "replace": failing}
    run = encrypted.steps(
        Modules(user.ansible), {name: ("ami_copy_regions", arguments) for name, arguments in steps.items()}
    )
    assert {name: run.task(name).status for name in ("retag", "replace")} == {"retag": "ok", "replace": "ok"}
    assert_least(aws, user, consumer, role)


def test_auto_scaling_and_volumes(aws: SimulatedAws, protected: EncryptedFixture, tmp_path: Path) -> None:
    user = Attached(
        aws,
        protected,
        tmp_path,
        [
            one.document()
            for one in (policies.DISTRIBUTE, policies.DISTRIBUTE_ENCRYPTED, policies.ASSUME_ROLES)
        ],
    )
    scaling, volumes, role = policies.CONSUMER_AUTO_SCALING, policies.CONSUMER_VOLUMES, f"role/{ROLE}"
    user.give_role([CONSUMER], scaling.document(), volumes.document())
    key = {"kms_key_ids": {HOME: protected.key(HOME)}, "account_ids": protected.account_ids(CONSUMER)}
    run_tasks(
        user,
        ("ami_kms_grant", {**key, "auto_scaling": True, **AS_CONSUMER}),
        ("ami_kms_grant", {**key, "state": "absent", **AS_CONSUMER}),
    )
    assert_least(aws, user, scaling, role)
    assert_least(aws, user, volumes, role)
    # The role may grant access to no other principal.
    stranger = {"GranteePrincipal": root(aws.account_id(STRANGER)), "Operations": ["Decrypt"]}
    session = user.client("sts").assume_role(
        RoleArn=protected.role(CONSUMER), RoleSessionName="test", ExternalId=EXTERNAL_ID
    )["Credentials"]
    refused = encrypted.refusal(
        user.client("kms", HOME, session).create_grant, KeyId=protected.key(HOME), **stranger
    )
    assert refused == "AccessDeniedException"


@pytest.mark.nightly
def test_monitoring(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> None:
    policy = policies.MONITOR
    aws.client("logs", OWNER, HOME).create_log_group(logGroupName="aws-cloudtrail-logs")
    started = trail.start(aws, OWNER, HOME, "aws-cloudtrail-logs")
    aws.client("cloudtrail", OWNER, HOME).put_event_selectors(
        TrailName=started, EventSelectors=[{"ReadWriteType": "WriteOnly"}]
    )
    user = Attached(aws, fixture, tmp_path, [policy.required()])
    email = {"protocol": "email", "endpoint": "security@example.org"}
    variables = {
        "monitor_regions": [HOME],
        "monitor_log_group_name": "aws-cloudtrail-logs",
        "monitor_subscriptions": [email],
    }
    playbook = "golden.images.monitor_ami_sharing"
    ok(user.ansible.run(playbook, variables))
    user.change(policy.document(), policies.RULEBOOK.document())
    variables |= {
        "monitor_queue_name": "golden-images-sharing",
        "monitor_subscriptions": [{**email, "endpoint": "audit@example.org"}],
        "monitor_purge_subscriptions": True,
    }
    ok(user.ansible.run(playbook, variables))
    # The calls of amazon.aws.aws_sqs_queue.
    sqs = user.client("sqs")
    url = sqs.get_queue_url(QueueName="golden-images-sharing")["QueueUrl"]
    aws.client("sqs", OWNER, HOME).send_message(QueueUrl=url, MessageBody="{}")
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    ok(user.ansible.run(playbook, {**variables, "monitor_state": "absent"}))
    assert_least(aws, user, policy)
    assert_least(aws, user, policies.RULEBOOK)


def test_inventory(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> None:
    policy = policies.INVENTORY
    user = Attached(aws, fixture, tmp_path, [policy.required()], "management")
    source = tmp_path / "golden_accounts.yml"
    shown = {"ansible.builtin.debug": {"msg": "{{ groups['aws_accounts'] | length }}"}}
    play = user.ansible.write_play([shown])
    for text in ("include_tags: false\n", ""):
        source.write_text(f"plugin: golden.images.accounts\n{text}", encoding="utf-8")
        user.change(policy.document() if not text else policy.required(), account="management")
        run = ok(user.ansible.run(play, None, "--inventory", str(source)))
        # Each account of the fixture but the one outside the organization.
        assert [task.result["msg"] for task in run.tasks] == [7]
    assert_least(aws, user, policy)


def test_lookup(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> None:
    policy = policies.LOOKUP
    user = Attached(aws, fixture, tmp_path, [policy.required()])
    by_name = f"{{{{ lookup('golden.images.ami', '{fixture.name}', region='{HOME}') }}}}"
    ok(user.ansible.tasks([{"ansible.builtin.debug": {"msg": by_name}}]))
    user.change(policy.document())
    aws.client("ssm", OWNER, HOME).put_parameter(Name="/golden/web", Value=fixture.image_id, Type="String")
    disk = {"device_name": "/dev/xvda", "size": 8, "encrypted": True, "kms_key": "web"}
    fixture.add(
        kms_keys={"web": {"account": OWNER, "regions": [HOME]}},
        images={"encrypted": {"account": OWNER, "region": HOME, "name": "encrypted", "devices": [disk]}},
    )
    by_parameter = f"{{{{ lookup('golden.images.ami', parameter='/golden/web', region='{HOME}') }}}}"
    encrypted = f"{{{{ lookup('golden.images.ami', 'encrypted', region='{HOME}') }}}}"
    ok(user.ansible.tasks([{"ansible.builtin.debug": {"msg": [by_parameter, encrypted]}}]))
    assert_least(aws, user, policy)


def test_without_a_required_action_a_run_fails_and_names_it(
    aws: SimulatedAws, fixture: Fixture, tmp_path: Path
) -> None:
    policy = policies.DISTRIBUTE
    tagging = next(one for one in policy.statements if one.sid == "TagNewCopies")
    sharing = next(one for one in policy.statements if one.sid == "CopyAndShare")
    user = Attached(aws, fixture, tmp_path, [policy.without(tagging, "ec2:CreateTags")])
    options = {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": [AWAY],
        "distribute_account_ids": fixture.account_ids(CONSUMER),
    }
    removed: Sequence[tuple[dict[str, Any], str]] = (
        (policy.without(tagging, "ec2:CreateTags"), "ec2:CreateTags"),
        (policy.without(sharing, "ec2:ModifySnapshotAttribute"), "ec2:ModifySnapshotAttribute"),
    )
    for document, action in removed:
        user.change(document)
        run = user.ansible.run(DISTRIBUTE, options)
        assert run.code != 0
        # Each failure that a task lists, with its remedy.
        assert any(f"Allow {action} in " in one for one in listed_by_host(run)["localhost"]), run.text
