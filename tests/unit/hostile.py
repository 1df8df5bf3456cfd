# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that no option expects, and options with such values in every place."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from tests.unit.distribution import examples as distribution
from tests.unit.examples import CONSUMER, ORG, OWNER, SOURCE_ID, UNIT
from tests.unit.step_results import consumer_copy_result, copy_result, grant_result, share_result

ROCKET, FAMILY = "\U0001f680", "\U0001f468\u200d\U0001f469\u200d\U0001f467"
TEXTS = (
    "",
    " ",
    "\t\n",
    "\0",
    "a\0b",
    "a\nb",
    "a\r\nb",
    "-",
    "/",
    "../../etc/passwd",
    "%s%n{0}{x.__class__}",
    "$(id)`id`;id|id",
    "True",
    "yes",
    "no",
    "None",
    "null",
    "~",
    "0123",
    "1e3",
    "0x10",
    "-1",
    "10%",
    "-10%",
    "nan",
    "inf",
    "['x']",
    "[",
    "{",
    "}",
    '["012345678901"]',
    '{"eu-west-1": "ami-0123456789abcdef0"}',
    "{'eu-west-1': null}",
    "a=b c=d",
    "012345678901,123456789012",
    "012345678901\n123456789012",
    "{{ 7 * 7 }}",
    "{{ lookup('pipe', 'id') }}",
    "{% raw %}",
    "{# #}",
    "<script>alert(1)</script>",
    "\x1b[31mred\x1b[0m",
    "\x07\x08\x7f\x9b",
    "\u202eidem",
    "\u2028\u2029\ufeff\u00a0",
    ROCKET,
    FAMILY * 40,
    "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10\uff11",
    "\u0660\u0661",
    "=1+1",
    "x" * 600,
    "'" * 5_000,
    "9" * 5_000,
    "(" * 300,
    "(a+)+$",
    f" {SOURCE_ID} ",
    f"{SOURCE_ID}\n",
    SOURCE_ID.upper(),
    "ami-",
    "eu-west-1",
    "eu-west-1 ",
    "EU-WEST-1",
    "eu_west_1.example.com/",
    "snap-0123456789abcdef0",
    "all",
    "*",
    "012345678901",
    "arn:aws:iam::012345678901:root",
    "arn:aws:kms:eu-west-1:111122223333:key/1234",
    ":::::",
)
NUMBERS = (
    0,
    1,
    -1,
    0o123,
    2**31,
    2**63,
    -(2**63),
    10**30,
    12345678901,
    123456789012,
    0.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    True,
    False,
)
NESTED: tuple[Any, ...] = (
    None,
    [],
    {},
    [[]],
    [{}],
    [None],
    [""],
    [" "],
    [0],
    [True],
    [["a"]],
    [{"a": 1}],
    ["a"] * 300,
    list(range(300)),
    {"": ""},
    {" ": None},
    {"a": None},
    {"a": []},
    {"a": [None]},
    {"a": {}},
    {"eu-west-1": None},
    {"eu-west-1": ""},
    {"eu-west-1": 1},
    {"eu-west-1": [SOURCE_ID]},
    {"eu-west-1": {"012345678901": SOURCE_ID}},
    {"eu-west-1": {"012345678901": None}},
    {"eu-west-1": SOURCE_ID, "eu-west-1 ": SOURCE_ID},
    {"a": {"b": {"c": [{"d": [1, "x", None]}]}}},
    {f"key{number}": "x" for number in range(300)},
    {"x" * 2_000: "y" * 2_000},
    {"\0": "\0"},
    {ROCKET: ROCKET},
    {"{{ a }}": "{{ b }}"},
    {"account_id": None, "region": None, "image_id": None},
    [{"account_id": None, "region": None, "image_id": None}],
    [{"account_id": "", "region": "", "image_id": ""}],
    [{"account_id": [], "region": {}, "image_id": 0}],
    [{"account_id": CONSUMER, "region": "eu-west-1", "image_id": SOURCE_ID}] * 2,
    {"results": None},
    {"results": [None]},
    {"results": "x"},
    {"failed": True, "msg": None},
    {"failures": [{}]},
)
VALUES = (*TEXTS, *NUMBERS, *NESTED)


IMAGES = {"eu-west-1": SOURCE_ID, "us-east-1": "ami-0fedcba9876543210"}
IN_ACCOUNTS = [{"account_id": CONSUMER, "region": "eu-west-1", "image_id": SOURCE_ID}]
_CONSUMERS = {"account_ids": [CONSUMER], "org_arns": [ORG], "org_unit_arns": [UNIT]}
_ROLE = {"consumer_role_name": "golden", "external_id": "secret"}
_NETWORK = {
    "subnet_ids": {"eu-west-1": "subnet-0123456789abcdef0", "us-east-1": "subnet-0fedcba9876543210"},
    "security_group_ids": {"eu-west-1": ["sg-0123456789abcdef0"]},
}
_KEYS = {"eu-west-1": "alias/golden", "us-east-1": "alias/golden"}


def valid() -> dict[str, list[dict[str, Any]]]:
    """Options of each module, as users set them."""
    return {
        "ami_cleanup": [
            {
                "regions": ["eu-west-1"],
                "family_tag": "family",
                "family_name_pattern": "^(golden-.*)-[0-9]+$",
                "keep_latest": 2,
                "max_age_days": 90,
                "unused_for_days": 30,
                "states": ["available"],
                "protect_tags": ["keep=true", "hold"],
                "deprecate_after_days": 30,
                "deregister_after_days": 90,
                "max_deletions": "50%",
                "max_calls_per_second": 2.5,
                "max_processes": 2,
                "include_shared": True,
                "trust_usage_reports": True,
                "tombstone_path": "{tmp}/tombstones.jsonl",
                "tombstone_s3_uri": "s3://golden/tombstones",
                "tombstone_s3_bucket_owner": CONSUMER,
                "tombstone_ssm_path": "/golden/tombstones",
                "prices": {"default": 0.05, "eu-west-1": "0.06"},
                "currency": "EUR",
                "report_path": "{tmp}/c.json",
                "report_dir": "{tmp}/cleanup",
                "return_report": True,
                **_ROLE,
            }
        ],
        "ami_copy_regions": [
            {
                "source_image_id": SOURCE_ID,
                "source_region": "us-east-1",
                "regions": ["eu-west-1"],
                "best_effort_regions": ["eu-west-1"],
                "name": "golden-{region}",
                "description": "Golden",
                "tags": {"a": "b"},
                "snapshot_tags": {"a": "b"},
                "completion_duration_minutes": 60,
                "encrypted": True,
                "kms_key_id": "alias/golden",
                "kms_key_ids": {"eu-west-1": "alias/golden"},
                "consumer_account_ids": [CONSUMER],
                "wait_timeout": 60,
            },
            {
                "source_filters": {"name": "golden-*"},
                "source_owners": ["self", OWNER],
                "source_region": "us-east-1",
                "regions": ["eu-west-1", "us-east-1"],
            },
            {"source_images": IMAGES, "regions": ["eu-west-1"], "account_ids": [CONSUMER], **_ROLE},
            {
                "copy_result": copy_result({"eu-west-1": SOURCE_ID}),
                "share_result": share_result(),
                "regions": ["eu-west-1"],
                "account_ids": [CONSUMER],
                **_ROLE,
            },
        ],
        "ami_instance_refresh": [
            {
                "images": IMAGES,
                "account_ids": [CONSUMER],
                **_ROLE,
                "auto_scaling_groups": ["web"],
                "min_healthy_percentage": 90,
                "max_healthy_percentage": 110,
                "instance_warmup": 60,
                "bake_time": 60,
                "alarms": ["errors"],
                "auto_rollback": False,
                "skip_matching": False,
                "scale_in_protected_instances": "refresh",
                "standby_instances": "terminate",
                "max_groups": 3,
                "max_concurrent_groups": 2,
                "wait_timeout": 90,
            },
            {"images": IN_ACCOUNTS, "account_ids": [CONSUMER], **_ROLE, "auto_scaling_groups": ["web"]},
        ],
        "ami_kms_grant": [
            {
                "images": IMAGES,
                **_CONSUMERS,
                **_ROLE,
                "principals": [f"arn:aws:iam::{CONSUMER}:role/deploy"],
                "operations": ["Decrypt"],
                "access_method": "auto",
                "auto_scaling": True,
                "auto_scaling_roles": ["AWSServiceRoleForAutoScaling_web"],
                "purge_grants": True,
            },
            {
                "kms_key_ids": _KEYS,
                "state": "absent",
                "account_ids": [CONSUMER],
                "org_ids": ["o-a1b2c3d4e5"],
                "org_unit_ids": ["ou-ab12-11111111"],
                "unshared_image_ids": [SOURCE_ID],
                "unshared_snapshot_ids": ["snap-00000001"],
                "max_calls_per_second": 5,
            },
            {
                "copy_result": copy_result({"eu-west-1": SOURCE_ID}),
                "grant_result": grant_result(),
                "share_result": share_result(),
                "consumer_copy_result": consumer_copy_result({CONSUMER: "pending"}),
                "account_ids": [CONSUMER],
                "best_effort_consumers": True,
            },
        ],
        "ami_launch_probe": [
            {"images": IMAGES, "account_ids": [CONSUMER], **_ROLE, **_NETWORK, "instance_type": "t3.micro"},
            {"images": IN_ACCOUNTS, "account_ids": [CONSUMER], **_ROLE, **_NETWORK, "wait_timeout": 9},
        ],
        "ami_publish": [
            {
                "images": IMAGES,
                "account_ids": [CONSUMER],
                **_ROLE,
                "parameter": "/golden/web",
                "tier": "Advanced",
                "publish_share": [CONSUMER, ORG, UNIT],
                "publish_share_external": True,
                "publish_share_purge": True,
                "allow_empty_purge": True,
                "parameter_tags": {"a": "b"},
                "launch_templates": ["web", "lt-0123456789abcdef0"],
                "launch_template_base_version": "latest",
                "wait_timeout": 5,
            },
            {
                "copy_result": copy_result({"eu-west-1": SOURCE_ID}),
                "share_result": share_result(),
                "consumer_copy_result": {"images": IN_ACCOUNTS},
                "verify_result": {"verified_regions": ["eu-west-1"], "results": []},
                **_ROLE,
                "parameter": "/golden/web",
            },
            {
                "parameter": "/golden/web",
                "source_image_id": SOURCE_ID,
                "source_region": "us-east-1",
                "regions": ["eu-west-1"],
            },
            {"parameter": "/golden/web", "images": IMAGES, "publish_share": [CONSUMER], "state": "absent"},
        ],
        "ami_recall": [
            {
                "source_image_id": SOURCE_ID,
                "source_region": "us-east-1",
                "regions": ["eu-west-1"],
                "parameter": "/golden/web",
                "launch_templates": ["web", "lt-0123456789abcdef0"],
                "launch_template_base_version": "latest",
                "previous_source_image_id": "ami-0fedcba9876543210",
                "account_ids": [CONSUMER],
                **_ROLE,
                "require_shared": False,
                "require_usable_key": False,
                "wait_timeout": 5,
                "tombstone_s3_uri": "s3://golden/tombstones",
                "tombstone_s3_bucket_owner": CONSUMER,
                "level": "block",
                "withdraw_only": True,
                "block_method": "disable",
                "accept_breaking": [CONSUMER, "all"],
                "withdrawal_result": {
                    "images": [{"changed": True, "image_id": SOURCE_ID, "region": "eu-west-1"}],
                    "results": [{"changed": True}],
                },
                "adoption_result": {
                    "account_id": CONSUMER,
                    "accounts": [{"account_id": CONSUMER, "unread_regions": ["eu-west-1"]}],
                    "denied": [{"image_id": SOURCE_ID}],
                    "depth": "launches",
                    "regions": ["eu-west-1"],
                    "releases": [{"images": [{"image_id": SOURCE_ID, "region": "eu-west-1"}]}],
                    "uses": [
                        {
                            "account_id": CONSUMER,
                            "denied_by": [SOURCE_ID],
                            "image_id": SOURCE_ID,
                            "kind": "launch_template",
                            "names": ["web (lt-0123456789abcdef0) version 1"],
                            "number": 1,
                            "origin": {
                                "evidence": "ancestry",
                                "image_id": SOURCE_ID,
                                "region": "us-east-1",
                            },
                            "region": "eu-west-1",
                        }
                    ],
                },
                "block_consumer_copies": True,
            },
            {
                "state": "absent",
                "source_image_id": SOURCE_ID,
                "source_region": "us-east-1",
                "tombstone_path": "{tmp}/recalls.jsonl",
            },
        ],
        "ami_restore": [
            {
                "images": [f"eu-west-1/{SOURCE_ID}"],
                "tombstone_path": "{tmp}/tombstones.jsonl",
                "tombstone_s3_uri": "s3://golden/tombstones",
                "tombstone_s3_bucket_owner": CONSUMER,
                "tombstone_ssm_path": "/golden/tombstones",
                "max_calls_per_second": 5,
            },
            {"images": IN_ACCOUNTS, "restore_permissions": False},
        ],
        "ami_share": [
            {
                "images": IMAGES,
                **_CONSUMERS,
                "purge_launch_permissions": True,
                "shared_tags": {"version": "1"},
                "source_image_id": SOURCE_ID,
                "source_region": "us-east-1",
            },
            {"snapshots": {"eu-west-1": ["snap-0123456789abcdef0"]}, "state": "absent", **_CONSUMERS},
            {
                "image_id": SOURCE_ID,
                "region": "eu-west-1",
                "group": "all",
                "allow_public": True,
                "state": "absent",
                "snapshot_ids": ["snap-0123456789abcdef0"],
            },
            {
                "copy_result": copy_result({"eu-west-1": SOURCE_ID}),
                "grant_results": [grant_result()],
                "share_result": share_result(),
                "consumer_copy_result": consumer_copy_result({CONSUMER: "pending"}),
                "account_ids": [CONSUMER],
                "best_effort_consumers": True,
            },
        ],
        "ami_adoption": [
            {
                "family_tag": "golden-family",
                "family_name_pattern": "golden-(web|db)-.*",
                "family_watermark": f"{OWNER}:golden-web",
                "families": ["web"],
                "depth": "launches",
                "account_ids": [CONSUMER],
                **_ROLE,
                "regions": ["eu-west-1"],
                "owner_tags": ["Owner"],
                "max_age_days": 90,
                "max_releases_behind": 2,
                "deny_images": [SOURCE_ID],
                "fail_on": "medium",
                "max_calls_per_second": 5,
                "max_processes": 2,
                "report_path": "{tmp}/a.json",
                "report_dir": "{tmp}/adoption",
                "return_report": True,
                "account_names": {CONSUMER: "web"},
            },
            {"family_by_source": True, "account_ids": [CONSUMER]},
            {
                "family_by_source": True,
                "depth": "config",
                "config_aggregator": "organization",
                "config_aggregator_region": "eu-west-1",
                "config_aggregator_account_id": CONSUMER,
                **_ROLE,
            },
        ],
        "ami_share_audit": [
            {
                "regions": ["eu-west-1"],
                "allowed_account_ids": [CONSUMER],
                "allowed_org_arns": [ORG],
                "allowed_org_unit_arns": [UNIT],
                "rules": [{"name_pattern": "golden-*", "tags": {"a": "b"}, **_CONSUMERS}],
                "fail_on": "high",
                "max_calls_per_second": 5,
                "max_processes": 2,
                "report_path": "{tmp}/a.json",
                "report_dir": "{tmp}/audit",
                "report_s3_uri": "s3://golden-reports/audit/",
                "report_s3_bucket_owner": CONSUMER,
                "return_report": True,
                "account_names": {CONSUMER: "web"},
            }
        ],
        "ami_share_diagnose": [
            {"images": IMAGES, "account_ids": [CONSUMER], **_ROLE, **_NETWORK, "instance_type": "t3.micro"},
            {
                "images": IN_ACCOUNTS,
                "account_ids": [CONSUMER],
                "fail_on": "unknown",
                "parameter": "/golden/web",
            },
        ],
        "ami_shared_info": [
            {
                "executable_users": ["self", "all"],
                "owners": [OWNER, "amazon"],
                "image_ids": [SOURCE_ID],
                "filters": {"name": ["golden-*"], "is-public": True},
                "regions": ["eu-west-1"],
            }
        ],
        "ami_verify": [
            {
                "images": IN_ACCOUNTS,
                "account_ids": [CONSUMER],
                **_ROLE,
                **_NETWORK,
                "level": "launched",
                "wait_timeout": 9,
                "parameter": "/golden/web",
                "publish_uncertain": [CONSUMER],
                "host_account_id": CONSUMER,
                "max_processes": 2,
                "report_path": "{tmp}/v.json",
                "report_dir": "{tmp}/verification",
                "report_s3_uri": "s3://golden-reports/verification/",
                "report_s3_bucket_owner": CONSUMER,
                "return_report": True,
                "account_names": {CONSUMER: "web"},
            },
            {
                "account_ids": [CONSUMER],
                **_ROLE,
                "instance_type": "t3.micro",
                "copy_result": copy_result({"us-east-1": SOURCE_ID}),
                "share_result": share_result(),
                "consumer_copy_result": {"images": IN_ACCOUNTS},
                "grant_results": [grant_result()],
            },
        ],
        "distribution_check": [
            {
                "copy": {
                    "source_image_id": SOURCE_ID,
                    "source_region": "us-east-1",
                    "regions": ["eu-west-1"],
                    "tags": {"a": "b"},
                    "kms_key_id": "alias/golden",
                },
                "share": {**_CONSUMERS, "shared_tags": {"version": "1"}},
                "grant": {**_CONSUMERS, **_ROLE, "principals": [f"arn:aws:iam::{CONSUMER}:role/deploy"]},
                "publish": {
                    **_ROLE,
                    "parameter": "/golden/web",
                    "parameter_tags": {"a": "b"},
                    "launch_templates": ["web"],
                    "launch_template_base_version": "latest",
                },
                "verify": {
                    **_ROLE,
                    **_NETWORK,
                    "account_ids": [CONSUMER],
                    "level": "launched",
                    "instance_type": "t3.micro",
                },
                "consumer_copy": {**_ROLE, "account_ids": [CONSUMER], "regions": ["eu-west-1"]},
                "unshare_after_copy": True,
            },
            {
                "report": {
                    "report_path": "{tmp}/d.json",
                    "report_s3_uri": "s3://golden-reports/web/",
                    "report_s3_bucket_owner": CONSUMER,
                    "account_names": {CONSUMER: "web"},
                },
            },
        ],
        "distribution_report": [
            {
                "report_path": "{tmp}/d.json",
                "copy_results": [distribution.copied("eu-west-1")],
                "source_image_id": "ami-0123456789abcdef0",
                "source_parameter": "/golden/base",
                "source_filters": {"name": ["golden-*"]},
                "source_region": "eu-west-1",
                "check_results": [{"failed": True, "failures": [{"action": "report_dir", "message": "No."}]}],
                "grant_results": [{"results": [], "failures": []}],
                "share_result": distribution.shared("eu-west-1"),
                "unshare_result": distribution.shared("eu-west-1"),
                "consumer_copy_result": distribution.copied("eu-west-1"),
                "verify_result": distribution.verification(
                    {
                        "account_id": "222222222222",
                        "findings": [
                            {"code": "no_key", "message": "No.", "remedy": "Ask.", "severity": "high"}
                        ],
                        "image_id": "ami-0123456789abcdef0",
                        "level": None,
                        "reached": False,
                        "region": "eu-west-1",
                    },
                    level="authorized",
                ),
                "publish_result": {"results": [], "failures": [distribution.failure("eu-west-1")]},
            },
            {
                "report_dir": "{tmp}/reports",
                "report_s3_uri": "s3://golden-reports/web/",
                "report_s3_bucket_owner": CONSUMER,
                "copy_results": [distribution.copied("eu-west-1")],
                "share_result": distribution.shared("eu-west-1"),
            },
        ],
        "monitoring_verify": [
            {
                "topic_arn": "arn:aws:sns:eu-west-1:111122223333:golden-images-sharing",
                "topic_policy": {"Statement": [{"Sid": "Owner", "Effect": "Allow"}]},
                "subscriptions": [{"protocol": "sms", "endpoint": "+1 555 0100"}],
                "purge_subscriptions": True,
                "log_group_name": "aws-cloudtrail-logs",
                "metric_namespace": "Custom/EC2",
                "metric_filters": [
                    {"name": "sharing", "metric": "Sharing", "pattern": "{ $.eventName = * }"}
                ],
                "alarm_name": "AMI sharing",
                "alarm": {"Threshold": 0, "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:x"]},
                "queue_name": "golden-images",
                "queue_policy": {"Statement": []},
                "rule_name": "golden-images-sharing",
                "event_pattern": {"source": ["aws.ec2"]},
                "targets": [{"id": "topic", "arn": "arn:aws:sns:eu-west-1:111122223333:x"}],
            }
        ],
    }


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all values within options, the outermost first."""
    items = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, item in items:
        yield (*at, key)
        yield from paths(item, (*at, key))


def replaced(options: Mapping[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The options with another value in that place."""
    changed = copy.deepcopy(dict(options))
    place: Any = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


def removed(options: Mapping[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """The options without the value in that place."""
    changed = copy.deepcopy(dict(options))
    place: Any = changed
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return changed
