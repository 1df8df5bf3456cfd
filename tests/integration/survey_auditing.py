# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs of the roles that audit, remediate and monitor who can use images, and report who does."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from simulated_aws.client import SimulatedAws

from . import encrypted, observed, trail
from .encrypted import EXTERNAL_ID, ROLE, USE, EncryptedFixture
from .fixture import HOME, OWNER, STRANGER
from .playbook import Run
from .recording import aggregate, record
from .survey import AWAY, DISK, Builders, Job, assert_reported, reporting
from .survey_sharing import share_with

LOG_GROUP = "aws-cloudtrail-logs"
# An account by the list of accounts, and one by a rule for the image.
ALLOWED, BY_RULE, LEFT = "web-prod", "data-dev", "sandbox"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def _allowlist(role: str, fixture: EncryptedFixture) -> dict[str, Any]:
    """The variables that allow each kind of principal."""
    allowed, by_rule = fixture.account_ids(ALLOWED, BY_RULE)
    values = {
        "allowed_account_ids": [allowed],
        "allowed_org_arns": [fixture.org_arn],
        "allowed_org_unit_arns": [fixture.unit_arn()],
        "rules": [{"name_pattern": "golden-*", "account_ids": [by_rule], "public": False}],
    }
    return {f"{role}_{name}": value for name, value in values.items()}


def _permitted(fixture: EncryptedFixture) -> set[str]:
    return {*fixture.account_ids(ALLOWED, BY_RULE), fixture.org_arn, fixture.unit_arn()}


def _audit(aws: SimulatedAws, folder: Path) -> Job:
    fixture = EncryptedFixture(aws)
    share_with(aws, fixture.image_id, *_permitted(fixture))
    values = {
        "audit_regions": [HOME, AWAY],
        **_allowlist("audit", fixture),
        "audit_fail_on": "low",
        "audit_check_snapshots": False,
        "audit_check_keys": False,
        "audit_check_parameters": True,
        "audit_max_calls_per_second": 100,
        "audit_max_processes": 2,
        **reporting(aws, folder, "audit"),
    }

    def check(run: Run) -> None:
        assert run.facts["audit_status"] == "clean"
        report = assert_reported(aws, folder, "audit")
        assert sorted(report["regions"]) == [AWAY, HOME]
        assert [one["image_id"] for one in report["images"]] == [fixture.image_id]
        assert aws.calls(action="DescribeSnapshotAttribute") == aws.calls(service="kms") == []

    return Job("golden.images.audit_ami_sharing", values, check, fixture)


def _remediate(aws: SimulatedAws, _folder: Path) -> Job:
    """One finding of one image is remediated, others stay."""
    fixture = EncryptedFixture(aws)
    (stranger,) = fixture.account_ids(STRANGER)
    image = {"account": OWNER, "region": HOME, "devices": [DISK], "sharing": {"accounts": [STRANGER]}}
    (other,) = fixture.add_images({"other": image}).values()
    unknown_unit = fixture.unit_arn("workloads/nonprod")
    share_with(aws, fixture.image_id, stranger, unknown_unit, *_permitted(fixture))
    values = {
        "remediate_finding_codes": ["unknown_account"],
        "remediate_images": [fixture.image_id],
        "remediate_regions": [HOME, AWAY],
        **_allowlist("remediate", fixture),
        "remediate_check_keys": False,
        "remediate_max_calls_per_second": 100,
        "remediate_max_processes": 2,
        "remediate_max_removals": 1,
    }

    def check(run: Run) -> None:
        assert run.facts["remediate_remaining"] == []
        assert {call.region for call in aws.calls(service="ec2")} == {HOME, AWAY}
        permitted = observed.launch_permissions(aws, OWNER, HOME, fixture.image_id)
        assert permitted == {*_permitted(fixture), unknown_unit}
        assert observed.launch_permissions(aws, OWNER, HOME, other) == {stranger}
        assert aws.calls(service="kms") == []

    return Job("golden.images.remediate_ami_sharing", values, check, fixture)


def _remediate_keys(aws: SimulatedAws, _folder: Path, in_use: bool) -> Job:
    """No access is allowed, and an account has a volume under the key, which is read, or not."""
    fixture = EncryptedFixture(aws)
    (left,) = fixture.account_ids(LEFT)
    key = fixture.key(HOME)
    aws.client("kms", OWNER, HOME).create_grant(
        KeyId=key, GranteePrincipal=encrypted.root(left), Operations=USE, Name=f"golden-images:{left}"
    )
    volume = aws.client("ec2", LEFT, HOME).create_volume(
        AvailabilityZone=f"{HOME}a", Size=8, Encrypted=True, KmsKeyId=key
    )["VolumeId"]
    values = {
        "remediate_finding_codes": ["grant_without_share"],
        "remediate_regions": [HOME],
        "remediate_allow_empty_allowlist": True,
        "remediate_consumer_role_name": ROLE,
        "remediate_external_id": EXTERNAL_ID,
        **({"remediate_revoke_in_use": True} if in_use else {}),
    }

    def check(run: Run) -> None:
        named, unseen = run.facts["remediate_dependents"], run.facts["remediate_unseen_accounts"]
        if in_use:
            assert (named, unseen) == (None, None)
        else:
            assert [(one["account_id"], one["resource_ids"]) for one in named] == [(left, [volume])]
            assert unseen == []
        assert f"golden-images:{left}" not in [one.get("Name") for one in encrypted.grants(aws, key)]

    return Job("golden.images.remediate_ami_sharing", values, check, fixture, (EXTERNAL_ID,))


def _monitor(aws: SimulatedAws, _folder: Path) -> Job:
    fixture = EncryptedFixture(aws)
    aws.client("logs", OWNER, HOME).create_log_group(logGroupName=LOG_GROUP)
    trail.start(aws, OWNER, HOME, LOG_GROUP)
    for region in (HOME, AWAY):
        sns = aws.client("sns", OWNER, region)
        topic = sns.create_topic(Name="notified")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="former@example.org")
    # As many as an event pattern has room for.
    keys = [f"{KEY[:-2]}{number}" for number in range(10, 17)]
    values = {
        "monitor_regions": [HOME, AWAY],
        "monitor_log_group_name": LOG_GROUP,
        "monitor_log_group_regions": [HOME],
        "monitor_metric_namespace": "Images",
        "monitor_alarm_name": "shared",
        "monitor_rule_name": "changed",
        "monitor_topic_name": "notified",
        "monitor_queue_name": "sharing-events",
        "monitor_subscriptions": [{"protocol": "email", "endpoint": "security@example.org"}],
        "monitor_purge_subscriptions": True,
        "monitor_kms_key_arns": [*keys, *keys],
        "monitor_excluded_principal_arns": ["arn:aws:iam::111122223333:role/golden"],
    }

    def check(_run: Run) -> None:
        for region in (HOME, AWAY):
            (topic,) = aws.client("sns", OWNER, region).list_topics()["Topics"]
            assert topic["TopicArn"].endswith(":notified")
            subscribed = aws.client("sns", OWNER, region).list_subscriptions()["Subscriptions"]
            assert [one["Endpoint"] for one in subscribed] == ["security@example.org"]
            (queue,) = aws.client("sqs", OWNER, region).list_queues()["QueueUrls"]
            assert queue.endswith("/sharing-events")
            (rule,) = aws.client("events", OWNER, region).list_rules()["Rules"]
            assert rule["Name"] == "changed"
            detail = json.loads(rule["EventPattern"])["detail"]
            if region == HOME:
                assert detail["$or"][1]["resources"] == {"ARN": keys}
            else:
                assert detail["eventSource"] == ["ec2.amazonaws.com"]
        alarms = {
            region: aws.client("cloudwatch", OWNER, region).describe_alarms()["MetricAlarms"]
            for region in (HOME, AWAY)
        }
        assert [(one["AlarmName"], one["Namespace"]) for one in alarms[HOME]] == [("shared", "Images")]
        assert alarms[AWAY] == []
        filters = aws.client("logs", OWNER, HOME).describe_metric_filters(logGroupName=LOG_GROUP)
        assert len(filters["metricFilters"]) == 2

    return Job("golden.images.monitor_ami_sharing", values, check, fixture)


def _stop_monitoring(aws: SimulatedAws, _folder: Path) -> Job:
    fixture = EncryptedFixture(aws)
    for name in ("golden-images-sharing", "of-others"):
        aws.client("sns", OWNER, HOME).create_topic(Name=name)
    values = {
        "monitor_regions": [HOME],
        "monitor_log_group_name": LOG_GROUP,
        "monitor_state": "absent",
    }

    def check(_run: Run) -> None:
        (topic,) = aws.client("sns", OWNER, HOME).list_topics()["Topics"]
        assert topic["TopicArn"].endswith(":of-others")

    return Job("golden.images.monitor_ami_sharing", values, check, fixture)


def _adoption(aws: SimulatedAws, folder: Path) -> Job:
    fixture = EncryptedFixture(aws)
    image = {"account": OWNER, "devices": [DISK], "sharing": {"accounts": [ALLOWED]}}
    watermark = f"{aws.account_id(OWNER)}:golden"
    made = {
        "web-1": {**image, "region": HOME, "tags": {"family": "web"}, "age_days": 60},
        "web-2": {**image, "region": HOME, "tags": {"family": "web"}, "age_days": 30},
        "db-1": {**image, "region": HOME, "tags": {"family": "db"}},
        "other-1": {**image, "region": AWAY},
    }
    image_ids = fixture.add_images(made)
    (account_id,) = fixture.account_ids(ALLOWED)
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Owner", "Value": "payments"}]}]
    ec2 = aws.client("ec2", ALLOWED, HOME)
    for name in ("web-1", "db-1"):
        ec2.run_instances(
            ImageId=image_ids[name],
            InstanceType="t3.micro",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=tags,
        )
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": image_ids["web-1"]})
    values = {
        "adoption_family_tag": "family",
        "adoption_family_name_pattern": "(other)-.*",
        "adoption_family_by_source": True,
        "adoption_family_watermark": watermark,
        "adoption_families": ["web"],
        "adoption_depth": "launches",
        "adoption_account_ids": [account_id],
        "adoption_consumer_role_name": ROLE,
        "adoption_external_id": EXTERNAL_ID,
        "adoption_regions": [HOME],
        "adoption_owner_tags": ["Owner"],
        "adoption_max_age_days": 45,
        "adoption_max_releases_behind": 0,
        "adoption_deny_images": [image_ids["other-1"]],
        "adoption_fail_on": "high",
        "adoption_max_calls_per_second": 100,
        "adoption_max_processes": 2,
        **reporting(aws, folder, "adoption"),
    }

    def check(run: Run) -> None:
        assert run.facts["adoption_status"] == "behind"
        report = assert_reported(aws, folder, "adoption")
        assert {release["name"] for release in report["releases"]} == {"web-1", "web-2"}
        assert [use["kind"] for use in report["uses"]] == ["instance", "launch_template"]
        assert report["uses"][0]["owners"] == ["Owner=payments"]
        assert report["scope"]["regions"] == [HOME]
        assert {finding["code"] for finding in report["findings"]} == {
            "release_too_far_behind",
            "release_too_old",
        }

    return Job("golden.images.report_adoption", values, check, fixture, secrets=(EXTERNAL_ID,))


def _recorded_adoption(aws: SimulatedAws, _folder: Path) -> Job:
    fixture = EncryptedFixture(aws)
    image = {"account": OWNER, "region": HOME, "devices": [DISK], "sharing": {"accounts": [ALLOWED]}}
    image_id = fixture.add_images({"web-1": {**image, "tags": {"family": "web"}}})["web-1"]
    (account_id,) = fixture.account_ids(ALLOWED)
    aws.client("ec2", ALLOWED, HOME).run_instances(
        ImageId=image_id, InstanceType="t3.micro", MinCount=1, MaxCount=1
    )
    record(aws, ALLOWED)
    aggregate(aws, "audit", ALLOWED, [ALLOWED])
    values = {
        "adoption_family_tag": "family",
        "adoption_depth": "config",
        "adoption_config_aggregator": "audit",
        "adoption_config_aggregator_region": HOME,
        "adoption_config_aggregator_account_id": account_id,
        "adoption_consumer_role_name": ROLE,
        "adoption_external_id": EXTERNAL_ID,
        "adoption_regions": [HOME],
    }

    def check(run: Run) -> None:
        assert run.facts["adoption_status"] == "current"
        assert [each["account_id"] for each in run.facts["adoption_accounts"]] == [account_id]

    return Job("golden.images.report_adoption", values, check, fixture, secrets=(EXTERNAL_ID,))


ADOPTION: Builders = {"all": _adoption, "config": _recorded_adoption}
AUDIT: Builders = {"all": _audit}
MONITOR: Builders = {"all": _monitor, "absent": _stop_monitoring}
REMEDIATE: Builders = {
    "images": _remediate,
    "keys": partial(_remediate_keys, in_use=False),
    "keys in use": partial(_remediate_keys, in_use=True),
}
