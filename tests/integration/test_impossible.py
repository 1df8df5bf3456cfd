# SPDX-License-Identifier: GPL-3.0-or-later

"""Each playbook and role refuses what its variables alone show to be impossible, before it changes anything.

Each case is an inventory host with its own variables, so that one process tries all cases of a playbook.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.golden.images.plugins.action.role_variables import load_variables, parse_yaml

from simulated_aws.client import SimulatedAws

from .fixture import HOME, OWNER, Fixture
from .playbook import CHECKOUT, Ansible, failures_by_host, listed_by_host

IMAGE = "ami-0123456789abcdef0"
ACCOUNT, OTHER_ACCOUNT = "012345678901", "222222222222"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SCALING_ROLE = (
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling_web"
)
ORG = "arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5"
EBS_DISK = {"device_name": "/dev/sda1", "size": 8, "encrypted": True}
# The playbooks that change most. A unit test refuses impossible values of every option of every module.
IN_CI = {"cleanup_amis", "distribute_ami"}
# Words of Python, Jinja and XML, which say nothing to a user.
FOREIGN = (
    "' object",
    "<class",
    "Unable to parse response",
    "Traceback",
    "No first item",
    "{'",
    "['",
    "has no attribute",
    "is undefined",
    "NoneType",
)
# The options that have another name than the variable without the role's prefix.
OTHER_OPTIONS = {
    "distribute_kms_access_method": "access_method",
    "distribute_kms_principals": "principals",
    "distribute_purge_access": "purge_launch_permissions",
    "distribute_verify_instance_type": "instance_type",
    "distribute_verify_security_group_ids": "security_group_ids",
    "distribute_verify_subnet_ids": "subnet_ids",
    "restore_permissions": "restore_permissions",
}


@dataclass(frozen=True)
class Case:
    """One impossible value; ``also`` are further variables of the case.

    ``shown`` is how the message shows the value, by default the value as it is written. ``stage`` is what
    refuses it: the role's argument specification, a module's, the module itself, or, before it reads, what
    writes its report. One stage finds all problems at once, so that a host can have several cases of one
    stage. What the first task of a role refuses is of the stage ``reader`` (``_staged``).
    """

    variable: str
    value: Any
    shown: str | None = None
    also: Mapping[str, Any] | None = None
    stage: str = "module"

    @property
    def variables(self) -> dict[str, Any]:
        return {**(self.also or {}), self.variable: self.value}

    @property
    def text(self) -> str:
        if self.shown is not None:
            return self.shown
        return self.value if isinstance(self.value, str) else json.dumps(self.value)

    @property
    def name(self) -> str:
        """The variable, if the role refuses it, and else the module's option."""
        if self.stage in ("reader", "role"):
            return self.variable
        return OTHER_OPTIONS.get(self.variable, self.variable.partition("_")[2])

    def is_named(self, text: str) -> bool:
        return re.search(rf"\b{self.name}\b", text) is not None


BASE: dict[str, dict[str, Any]] = {
    "distribute_ami": {
        "distribute_source_image_id": "IMAGE",
        "distribute_source_region": HOME,
        "distribute_regions": ["eu-west-1", "us-west-2"],
        "distribute_account_ids": [ACCOUNT],
    },
    "audit_ami_sharing": {},
    "report_adoption": {"adoption_family_tag": "family", "adoption_account_ids": [ACCOUNT]},
    "cleanup_amis": {
        "cleanup_family_tag": "family",
        "cleanup_deprecate_after_days": 30,
    },
    "remediate_ami_sharing": {
        "remediate_allowed_account_ids": [ACCOUNT],
        "remediate_finding_codes": ["public"],
    },
    "monitor_ami_sharing": {"monitor_regions": ["eu-west-1"], "monitor_log_group_name": "trail"},
    "verify_ami": {"verify_images": {"eu-west-1": IMAGE}, "verify_account_ids": [ACCOUNT]},
    "diagnose_ami": {"diagnose_images": {"eu-west-1": IMAGE}, "diagnose_account_ids": [ACCOUNT]},
    "publish_ami": {"publish_images": {"eu-west-1": IMAGE}, "publish_parameter": "/golden/web"},
    "recall_ami": {
        "recall_source_image_id": IMAGE,
        "recall_source_region": "eu-west-1",
        "recall_parameter": "/golden/web",
        "recall_tombstone_s3_uri": "s3://golden/tombstones",
    },
    "refresh_instances": {
        "refresh_images": {"eu-west-1": IMAGE},
        "refresh_account_ids": [ACCOUNT],
        "refresh_consumer_role_name": "golden-consumer",
        "refresh_auto_scaling_groups": ["web"],
    },
    "restore_ami": {"restore_images": {"eu-west-1": IMAGE}, "restore_permissions": False},
    "rollback_ami": {
        "rollback_parameter": "/golden/web",
        "rollback_regions": ["eu-west-1"],
        "rollback_source_image_id": IMAGE,
    },
    "share_ami": {"share_images": {"eu-west-1": IMAGE}, "share_account_ids": [ACCOUNT]},
    "unshare_ami": {"unshare_images": {"eu-west-1": IMAGE}, "unshare_account_ids": [ACCOUNT]},
}


def _accounts(variable: str) -> list[Case]:
    return [
        Case(variable, [12345678901], "12345678901"),
        Case(variable, ["12345"], "'12345'"),
        Case(variable, [ACCOUNT, ""], "item 2 is empty"),
        Case(variable, [ACCOUNT, None], "item 2 is empty"),
        Case(variable, [[ACCOUNT]], f'["{ACCOUNT}"]'),
        Case(variable, [{"id": ACCOUNT}], f'{{"id": "{ACCOUNT}"}}'),
        Case(variable, "web-prod", "'web-prod'"),
        Case(variable, {"id": ACCOUNT}, "", stage="role"),
    ]


def _organizations(prefix: str) -> list[Case]:
    return [
        Case(f"{prefix}org_arns", ["o-a1b2c3d4e5"], "'o-a1b2c3d4e5'"),
        Case(f"{prefix}org_arns", [ORG, " "], "item 2 is empty"),
        Case(f"{prefix}org_arns", [{"arn": ORG}], f'{{"arn": "{ORG}"}}'),
        Case(f"{prefix}org_unit_arns", [ORG], ORG),
        Case(f"{prefix}org_unit_arns", [None], "item 1 is empty"),
    ]


def _images(variable: str, of_no_type: str = "module") -> list[Case]:
    return [
        Case(variable, {}, "no images"),
        Case(variable, {"eu-west-1": "golden"}, "'golden'"),
        Case(variable, {"eu-west-1": 7}, "7 is not"),
        Case(variable, {"eu-west-1": ""}, "''"),
        Case(variable, {"eu-west-1": None}, "null"),
        Case(variable, {"eu-west-1": [IMAGE]}, f'["{IMAGE}"]'),
        Case(variable, {"": IMAGE}, "''"),
        Case(variable, {"EU west": IMAGE}, "'EU west'"),
        Case(variable, 7, "7", stage=of_no_type),
        Case(variable, [7], "7", stage=of_no_type),
        Case(variable, "golden", "golden", stage=of_no_type),
    ]


def _role(prefix: str, **also: Any) -> list[Case]:
    name = f"{prefix}consumer_role_name"
    return [
        Case(name, "../x", "'../x'", also),
        Case(name, "golden role", "'golden role'", also),
        Case(name, f"arn:aws:iam::{ACCOUNT}:role/golden", None, also),
        Case(name, "x" * 65, "x" * 65, also),
        Case(f"{prefix}external_id", "a b", "", {name: "golden", **also}),
    ]


def _regions(variable: str, **also: Any) -> list[Case]:
    return [
        Case(variable, ["EU west"], "'EU west'", also),
        Case(variable, ["eu-west-1", ""], "item 2 is empty", also),
        Case(variable, ["eu-west-1", None], "item 2 is empty", also),
        Case(variable, [["eu-west-1"]], '["eu-west-1"]', also),
        Case(variable, {"eu-west-1": IMAGE}, "", also, stage="role"),
    ]


def _network(prefix: str, **also: Any) -> list[Case]:
    return [
        Case(f"{prefix}subnet_ids", {"eu-west-1": "subnet-x"}, "'subnet-x'", also),
        Case(f"{prefix}subnet_ids", {"eu-west-1": {"1": "subnet-12345678"}}, "'1'", also),
        Case(f"{prefix}subnet_ids", ["subnet-12345678"], '["subnet-12345678"]', also, stage="types"),
        Case(f"{prefix}security_group_ids", {"eu-west-1": ["sg-x"]}, "'sg-x'", also),
        Case(f"{prefix}security_group_ids", ["sg-12345678"], '["sg-12345678"]', also, stage="types"),
        Case(f"{prefix}instance_type", "../x", "'../x'", also),
    ]


def _tombstones(prefix: str) -> list[Case]:
    return [
        Case(f"{prefix}tombstone_s3_uri", "http://bucket/folder", "'http://bucket/folder'"),
        Case(f"{prefix}tombstone_s3_uri", "s3://B", "'s3://B'"),
        Case(f"{prefix}tombstone_s3_uri", "s3://bucket/" + "x" * 1000, "x" * 100),
        Case(f"{prefix}tombstone_s3_uri", "s3://192.168.5.4/x", "'s3://192.168.5.4/x'"),
        Case(f"{prefix}tombstone_ssm_path", "golden", "'golden'"),
        Case(f"{prefix}tombstone_ssm_path", "/golden//x", "'/golden//x'"),
        Case(f"{prefix}tombstone_ssm_path", "/aws/golden", "'/aws/golden'"),
        Case(f"{prefix}tombstone_ssm_path", "/ssm/golden", "'/ssm/golden'"),
        Case(f"{prefix}tombstone_ssm_path", "/1" * 14),
        Case(f"{prefix}tombstone_ssm_path", "/" + "x" * 930, "x" * 100),
    ]


def _rules(variable: str) -> list[Case]:
    return [
        Case(variable, [{"account_ids": [ACCOUNT]}], ""),
        Case(variable, [{"name_pattern": "x", "account_ids": ["1"]}], "'1'"),
        Case(variable, [{"name_pattern": "x", "accounts": ["1"]}], "accounts", stage="types"),
        Case(variable, ["web-*"], "web-*", stage="types"),
        Case(variable, "web-*", "web-*", stage="types"),
        Case(variable, {"name_pattern": "web-*"}, "", stage="types"),
        Case(variable, "[a", "[a", stage="types"),
    ]


REGIONS = {"distribute_regions": ["eu-west-1", "us-west-2"]}
BY_AWS = {"share_images": {HOME: "IMAGE"}}
COPYING = {**REGIONS, "distribute_copy_into_accounts": True, "distribute_consumer_role_name": "golden"}
NO_SOURCE = {
    "distribute_source_filters": {},
    "distribute_source_parameter": "",
    "distribute_packer_manifest": "",
}
CASES: dict[str, list[Case]] = {
    "distribute_ami": [
        *_accounts("distribute_account_ids"),
        *_organizations("distribute_"),
        *_role("distribute_"),
        *_regions("distribute_regions"),
        Case("distribute_regions", [], ""),
        Case("distribute_regions", ["eu-west-1", "us-west-2", "eu-west-1"], "eu-west-1", stage="aws"),
        Case("distribute_best_effort_regions", ["eu-west-3"], "eu-west-3"),
        Case("distribute_source_region", "", ""),
        Case("distribute_source_region", "EU west", "'EU west'"),
        Case("distribute_source_image_id", "golden", "'golden'"),
        Case("distribute_source_image_id", "", "no source is set", NO_SOURCE),
        Case("distribute_source_filters", {"name": "golden-*"}, '{"name": "golden-*"}', stage="sources"),
        Case("distribute_source_parameter", "/golden/web", stage="sources"),
        Case("distribute_packer_manifest", "packer-manifest.json", stage="sources"),
        Case("distribute_packer_build", "web", also={"distribute_packer_manifest": ""}, stage="sources"),
        Case("distribute_output_files", ["images.txt"], "images.txt does not end with", stage="sources"),
        Case("distribute_output_files", ["/nowhere/images.env"], "/nowhere/images.env", stage="sources"),
        Case(
            "distribute_packer_manifest",
            "/nowhere/manifest.json",
            "/nowhere/manifest.json: No such file",
            {"distribute_source_image_id": "", "distribute_source_filters": {}},
            stage="sources",
        ),
        Case(
            "distribute_source_parameter",
            "golden web",
            None,
            {"distribute_source_image_id": "", "distribute_source_filters": {}},
        ),
        Case(
            "distribute_source_parameter",
            f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/golden/web",
            "its ARN names eu-west-1",
            {"distribute_source_image_id": "", "distribute_source_filters": {}},
        ),
        Case(
            "distribute_publish_parameter",
            "/golden/web",
            "/golden/web is also source_parameter",
            {
                "distribute_source_image_id": "",
                "distribute_source_filters": {},
                "distribute_source_parameter": "/golden/web",
                "distribute_kms_key_id": "alias/golden",
                "distribute_reencrypt_source": True,
                "distribute_regions": [HOME],
            },
        ),
        Case(
            "distribute_source_parameter",
            "/golden/missing",
            f"/golden/missing in {HOME} does not exist",
            {"distribute_source_image_id": "", "distribute_source_filters": {}},
            stage="aws",
        ),
        Case(
            "distribute_source_filters",
            ["name"],
            '["name"]',
            {"distribute_source_image_id": ""},
            stage="types",
        ),
        Case(
            "distribute_source_filters",
            "golden-*",
            "golden-*",
            {"distribute_source_image_id": ""},
            stage="types",
        ),
        Case(
            "distribute_source_filters",
            {"tag:version": 1.10},
            "1.1, perhaps not as it was written",
            {"distribute_source_image_id": ""},
        ),
        Case(
            "distribute_source_owners",
            [],
            "",
            {"distribute_source_image_id": "", "distribute_source_filters": {"name": "golden-*"}},
        ),
        Case("distribute_name", "a{b}", "a{b}", stage="name"),
        Case("distribute_name", "x", "3 to 128", stage="name"),
        Case("distribute_tags", ["role"], '["role"]', stage="types"),
        Case("distribute_tags", "role", "role", stage="types"),
        Case("distribute_tags", {"role": ["web"]}, "role"),
        Case("distribute_tags", {"aws:role": "web"}, "'aws:role'"),
        Case("distribute_tags", {"golden.images:source": "web"}, "'golden.images:source'"),
        Case("distribute_tags", {"x" * 129: "web"}, "x" * 100),
        Case("distribute_tags", {"a\x01b": "web"}, "'a⟨U+0001⟩b' has a control character"),
        Case("distribute_shared_tags", {"x" * 120: "web"}, "x" * 100),
        Case("distribute_shared_tags", {"role": "a\x01b"}, "'role' has a control character", stage="tags"),
        Case("distribute_shared_tags", [1], "[1]", stage="types"),
        Case(
            "distribute_shared_tags",
            {f"shared{one}": "x" for one in range(20)},
            "61 tags",
            {"distribute_tags": {f"tag{one}": "x" for one in range(40)}},
            stage="tags",
        ),
        # Together with the two tags that the source has.
        Case(
            "distribute_shared_tags",
            {f"shared{one}": "x" for one in range(49)},
            "51 tags",
            {"distribute_tags": {}, "distribute_regions": [HOME]},
            stage="tags",
        ),
        # The source is used unchanged in its region, and an image under aws/ebs cannot be shared.
        Case(
            "distribute_reencrypt_source",
            False,
            "under the AWS managed key",
            {"distribute_source_image_id": "EBS", "distribute_regions": [HOME]},
            stage="ebs",
        ),
        Case("distribute_kms_key_id", "alias/aws/ebs"),
        Case("distribute_kms_key_id", "golden key", "'golden key'", REGIONS),
        Case("distribute_kms_key_id", KEY, KEY, {"distribute_kms_key_ids": {}, **REGIONS}),
        Case("distribute_kms_key_ids", {"eu-west-1": "alias/"}, "'alias/'", REGIONS),
        Case("distribute_kms_key_ids", {"eu-west-3": "alias/golden"}, "'eu-west-3'", REGIONS),
        Case("distribute_kms_key_ids", ["alias/golden"], '["alias/golden"]', stage="types"),
        Case("distribute_kms_key_ids", {"eu-west-1": ["alias/golden"]}, '["alias/golden"]'),
        Case("distribute_kms_key_ids", "alias/golden", "alias/golden", stage="types"),
        Case("distribute_kms_access_method", "policy", "policy", stage="role"),
        Case("distribute_kms_access_method", "grant", "", {"distribute_org_arns": [ORG]}),
        Case(
            "distribute_kms_principals", [f"arn:aws:iam::{ACCOUNT}:role/*"], f"arn:aws:iam::{ACCOUNT}:role/*"
        ),
        Case("distribute_kms_principals", ["*"], "'*'"),
        Case("distribute_kms_principals", [f"arn:aws:iam::{ACCOUNT}:role/{'x' * 230}/web"], "x" * 100),
        Case("distribute_kms_principals", [""], "item 1 is empty"),
        Case("distribute_auto_scaling", True, "", {"distribute_consumer_role_name": ""}),
        Case("distribute_auto_scaling_roles", [SCALING_ROLE], SCALING_ROLE),
        Case("distribute_auto_scaling_roles", [], "must contain at least one role"),
        Case(
            "distribute_purge_access",
            True,
            "",
            {"distribute_account_ids": [], "distribute_org_arns": [], "distribute_org_unit_arns": []},
        ),
        Case("distribute_copy_into_accounts", True, "", {"distribute_consumer_role_name": ""}),
        Case("distribute_consumer_kms_key_id", "alias/ golden", "'alias/ golden'", COPYING),
        Case("distribute_consumer_kms_key_id", "alias/aws/ebs", None, COPYING),
        Case("distribute_unshare_after_copy", True, "", {"distribute_copy_into_accounts": False}),
        Case("distribute_verify_level", "fast", "fast", stage="role"),
        Case(
            "distribute_verify_subnet_ids",
            {},
            "no subnet",
            {
                "distribute_account_ids": [ACCOUNT],
                "distribute_consumer_role_name": "golden",
                "distribute_verify_level": "launched",
                **REGIONS,
            },
        ),
        *_network(
            "distribute_verify_",
            distribute_verify_level="authorized",
            distribute_consumer_role_name="golden",
        ),
        Case("distribute_publish_parameter", "/aws/golden"),
        Case("distribute_publish_parameter", "golden web"),
        Case("distribute_publish_parameter", "/a//b"),
        Case("distribute_publish_parameter", "/" + "x" * 1000, "x" * 100),
        Case("distribute_launch_templates", ["web"], "web", {"distribute_publish_parameter": ""}),
        Case("distribute_launch_templates", [None], "item 1", {"distribute_publish_parameter": "/g/w"}),
        Case("distribute_launch_templates", ["a:b"], "'a:b'", {"distribute_publish_parameter": "/g/w"}),
        Case("distribute_launch_template_base_version", "newest", stage="types"),
        Case(
            "distribute_parameter_tags",
            {"team,web": ""},
            '{"team,web": ""}',
            {"distribute_publish_parameter": "/g/w"},
        ),
        Case(
            "distribute_launch_templates",
            ["golden-web"],
            "golden-web does not exist",
            {"distribute_publish_parameter": "/golden/web"},
            stage="publish",
        ),
        Case("distribute_purge_access", True, "", {"distribute_account_ids": ["OWNER"]}, stage="purge"),
        Case("distribute_verify_level", "visible", f"will be verified: {ACCOUNT}", stage="planned"),
        Case("distribute_copy_wait_timeout", 0, "0"),
        Case("distribute_copy_wait_timeout", -5, "-5"),
        Case("distribute_copy_wait_timeout", "soon", "soon", stage="role"),
        Case("distribute_report_path", "/nowhere/at/all.json", "/nowhere/at"),
        Case("distribute_report_path", "/tmp", "/tmp is a directory"),
    ],
    "report_adoption": [
        *_accounts("adoption_account_ids"),
        *_regions("adoption_regions"),
        *_role("adoption_"),
        Case(
            "adoption_family_tag",
            "",
            "nothing says which images are a family",
            {"adoption_family_name_pattern": "", "adoption_family_watermark": ""},
        ),
        Case("adoption_family_name_pattern", "("),
        Case("adoption_family_watermark", "golden-web", "'golden-web'"),
        Case("adoption_families", [""], "item 1 is empty"),
        Case("adoption_depth", "deep", stage="role"),
        Case("adoption_owner_tags", [""], "item 1 is empty"),
        Case("adoption_max_age_days", -1),
        Case("adoption_max_releases_behind", "few", stage="types"),
        Case("adoption_deny_images", ["ami-1"], "'ami-1'"),
        Case("adoption_fail_on", "some", stage="role"),
        Case("adoption_max_calls_per_second", 0),
        Case("adoption_report_dir", "/nowhere/at/all", "no directory /nowhere.", stage="report"),
    ],
    "audit_ami_sharing": [
        *_accounts("audit_allowed_account_ids"),
        *_organizations("audit_allowed_"),
        *_regions("audit_regions"),
        *_rules("audit_rules"),
        Case("audit_fail_on", "some", stage="role"),
        Case("audit_check_keys", "perhaps", stage="role"),
        Case("audit_max_calls_per_second", 0),
        Case("audit_report_dir", "/nowhere/at/all", "no directory /nowhere.", stage="report"),
    ],
    "cleanup_amis": [
        *_regions("cleanup_regions"),
        *_tombstones("cleanup_"),
        *_role("cleanup_", cleanup_include_shared=True),
        Case("cleanup_family_tag", "", "", {"cleanup_family_name_pattern": ""}),
        Case("cleanup_family_name_pattern", "("),
        Case("cleanup_keep_latest", -1),
        Case("cleanup_keep_latest", "few", stage="types"),
        Case("cleanup_max_age_days", "-1"),
        Case("cleanup_max_age_days", "1w", stage="types"),
        Case("cleanup_unused_for_days", 40000),
        Case("cleanup_states", ["gone"], "gone", stage="types"),
        Case("cleanup_states", [None], "", stage="types"),
        Case("cleanup_protect_tags", ["=x"], "'=x'"),
        Case("cleanup_protect_tags", [""], "item 1 is empty"),
        Case("cleanup_deprecate_after_days", "", "", {"cleanup_deregister_after_days": ""}),
        Case("cleanup_deregister_after_days", -2, None, {"cleanup_tombstone_path": "/tmp/tombstones.jsonl"}),
        Case(
            "cleanup_tombstone_path",
            "",
            "",
            {
                "cleanup_deregister_after_days": 30,
                "cleanup_tombstone_s3_uri": "",
                "cleanup_tombstone_ssm_path": "",
            },
        ),
        Case("cleanup_tombstone_path", "/nowhere/at/all.jsonl", "/nowhere/at", stage="place"),
        Case("cleanup_tombstone_path", "/tmp", "/tmp is a directory", stage="place"),
        Case("cleanup_max_deletions", "half"),
        Case("cleanup_max_deletions", "101%"),
        Case("cleanup_max_deletions", -1),
        Case("cleanup_max_calls_per_second", "-1"),
        Case("cleanup_max_calls_per_second", "fast", stage="types"),
        Case("cleanup_consumer_role_name", "golden", ""),
        Case("cleanup_trust_usage_reports", True, "", {"cleanup_include_shared": False}),
        Case("cleanup_prices", {"us-east-1": "cheap"}, "cheap", stage="report"),
        Case("cleanup_prices", ["x"], '["x"]', stage="report types"),
        Case("cleanup_prices", "cheap", "cheap", stage="report types"),
        Case("cleanup_report_dir", "/nowhere/at/all", "no directory /nowhere.", stage="report"),
    ],
    "remediate_ami_sharing": [
        *_accounts("remediate_allowed_account_ids"),
        *_organizations("remediate_allowed_"),
        *_regions("remediate_regions"),
        *_rules("remediate_rules"),
        *_role("remediate_"),
        Case(
            "remediate_allow_empty_allowlist",
            False,
            "",
            {
                "remediate_allowed_account_ids": [],
                "remediate_allowed_org_arns": [],
                "remediate_allowed_org_unit_arns": [],
                "remediate_rules": [],
            },
        ),
        Case("remediate_finding_codes", [], "", {"remediate_images": []}, stage="plan"),
        Case("remediate_finding_codes", [""], "item 1 is empty", stage="plan"),
        Case("remediate_finding_codes", ["publik"], "(got 'publik')"),
        Case("remediate_finding_codes", ["public", "key_unreadable"], "item 2: must be one of"),
        Case("remediate_images", ["golden"], "'golden'", stage="plan"),
        Case("remediate_images", 7, "7", stage="plan"),
        Case("remediate_images", {"eu-west-1": "golden"}, "'golden'", stage="plan"),
        Case("remediate_images", [{"image_id": IMAGE}], f'"{IMAGE}"', stage="plan"),
        Case("remediate_max_removals", -1, stage="plan"),
        Case("remediate_max_removals", "all", stage="role"),
    ],
    "monitor_ami_sharing": [
        *_regions("monitor_regions"),
        *_regions("monitor_log_group_regions"),
        Case("monitor_regions", [], ""),
        Case("monitor_log_group_regions", ["us-west-2"], "us-west-2", {"monitor_regions": ["eu-west-1"]}),
        Case("monitor_log_group_name", "a b"),
        Case("monitor_state", "gone", stage="role"),
        Case("monitor_metric_namespace", "AWS/EC2"),
        Case("monitor_metric_namespace", ":x"),
        Case("monitor_metric_namespace", "Größe"),
        Case("monitor_alarm_name", "x" * 256, "x" * 100),
        Case("monitor_alarm_name", "a\tb", "b'"),
        Case("monitor_rule_name", "a b"),
        Case("monitor_topic_name", "a b"),
        Case("monitor_topic_name", "arn:aws:sns:eu-west-1:111122223333:golden"),
        Case("monitor_topic_name", "x" * 257, "x" * 100),
        Case("monitor_topic_name", "golden.fifo"),
        Case("monitor_queue_name", "a/b"),
        Case("monitor_queue_name", "golden.fifo"),
        Case("monitor_subscriptions", [{"protocol": "email"}], '{"protocol": "email"}'),
        Case("monitor_subscriptions", [{"protocol": "pigeon", "endpoint": "x"}], "pigeon"),
        Case("monitor_subscriptions", ["me@example.com"], "me@example.com"),
        Case("monitor_subscriptions", [{"protocol": "email", "endpoint": "no mail"}], "'no mail'"),
        Case("monitor_subscriptions", [{"protocol": "https", "endpoint": "http://x"}], "'http://x'"),
        Case("monitor_subscriptions", [{"protocol": "lambda", "endpoint": "x"}], "'x'"),
        Case("monitor_subscriptions", [{"protocol": "email", "endpoint": ["me@x"]}], '["me@x"]'),
        Case("monitor_subscriptions", [{"protocol": "firehose", "endpoint": "x"}], "'firehose'"),
        Case("monitor_subscriptions", [{"protocol": "email", "endpoint": "me@x", "via": "x"}], "via"),
        Case("monitor_subscriptions", 7, "7"),
        Case("monitor_kms_key_arns", ["alias/golden"], "'alias/golden'"),
        Case("monitor_kms_key_arns", [None], "item 1 is empty"),
        Case(
            "monitor_kms_key_arns",
            [f"{KEY[:-2]}{number:02}" for number in range(15)],
            f'["{KEY[:-2]}00',
            stage="pattern",
        ),
    ],
    "verify_ami": [
        *_accounts("verify_account_ids"),
        *_images("verify_images"),
        *_role("verify_"),
        *_network("verify_", verify_consumer_role_name="golden"),
        Case("verify_account_ids", [], ""),
        Case("verify_level", "fast", stage="role"),
        Case(
            "verify_subnet_ids",
            {},
            "no subnet",
            {
                "verify_images": {"eu-west-1": IMAGE},
                "verify_account_ids": [ACCOUNT],
                "verify_level": "launched",
            },
        ),
        Case("verify_wait_timeout", 0, None, {"verify_level": "launched"}),
        Case("verify_wait_timeout", "soon", stage="role"),
        Case("verify_report_path", "/nowhere/at/all.json", "/nowhere/at", stage="report"),
        Case("verify_report_dir", "/nowhere/at/all", "no directory /nowhere.", stage="report"),
    ],
    "diagnose_ami": [
        *_accounts("diagnose_account_ids"),
        *_images("diagnose_images"),
        *_role("diagnose_"),
        *_network("diagnose_"),
        Case("diagnose_account_ids", [], ""),
        Case("diagnose_fail_on", "some", stage="role"),
    ],
    "publish_ami": [
        *_accounts("publish_account_ids"),
        *_images("publish_images"),
        *_role("publish_", publish_account_ids=[ACCOUNT]),
        Case("publish_images", [{"region": "eu-west-1", "image_id": IMAGE}], "account_id"),
        Case("publish_parameter", "a b"),
        Case("publish_parameter", "/aws/golden"),
        Case("publish_parameter", "/" + "x" * 1000, "x" * 100),
        Case("publish_parameter", ""),
        Case("publish_launch_templates", ["w"], "'w'"),
        Case("publish_launch_templates", ["web", None], "item 2 is empty"),
        Case("publish_launch_template_base_version", "$Latest", stage="types"),
        Case("publish_parameter_tags", {"team,web": ""}, '{"team,web": ""}'),
        Case("publish_source_image_id", "golden"),
        Case("publish_source_region", "EU west", "'EU west'", {"publish_source_image_id": IMAGE}),
        Case("publish_require_shared", "perhaps", stage="types"),
    ],
    "recall_ami": [
        *_accounts("recall_account_ids"),
        *_regions("recall_regions"),
        *_role("recall_", recall_account_ids=[ACCOUNT]),
        Case("recall_state", "gone", stage="role"),
        Case("recall_source_image_id", "golden"),
        Case("recall_source_region", "golden"),
        Case("recall_parameter", "a b"),
        Case("recall_parameter", "", "", {"recall_launch_templates": ["web"]}),
        Case("recall_launch_templates", [""], "item 1 is empty"),
        Case("recall_launch_template_base_version", "newest", stage="types"),
        Case("recall_previous_source_image_id", "golden"),
        Case("recall_previous_source_image_id", IMAGE, IMAGE),
        Case("recall_require_shared", "perhaps", stage="types"),
        Case("recall_tombstone_s3_uri", "golden", "'golden'"),
        Case("recall_tombstone_s3_uri", "", ""),
        Case("recall_tombstone_s3_bucket_owner", "golden"),
    ],
    "refresh_instances": [
        *_accounts("refresh_account_ids"),
        *_images("refresh_images"),
        *_role("refresh_"),
        Case("refresh_account_ids", [], ""),
        Case("refresh_auto_scaling_groups", [], ""),
        Case("refresh_auto_scaling_groups", [""], "item 1 is empty"),
        Case("refresh_auto_scaling_groups", ["x" * 256], "x" * 100),
        Case("refresh_max_groups", 0),
        Case("refresh_max_concurrent_groups", 0),
        Case("refresh_min_healthy_percentage", 101),
        Case("refresh_max_healthy_percentage", 250),
        Case("refresh_instance_warmup", -1),
        Case("refresh_bake_time", 172801),
        Case("refresh_alarms", [str(number) for number in range(11)], "11"),
        Case("refresh_auto_rollback", "perhaps", stage="types"),
        Case("refresh_skip_matching", "perhaps", stage="types"),
        Case("refresh_scale_in_protected_instances", "wait", stage="types"),
        Case("refresh_standby_instances", "wait", stage="types"),
        Case("refresh_wait_timeout", 0),
    ],
    "restore_ami": [
        *[case for case in _images("restore_images") if case.value != {"eu-west-1": None}],
        *_tombstones("restore_"),
        Case(
            "restore_permissions",
            True,
            "",
            {"restore_tombstone_s3_uri": "", "restore_tombstone_ssm_path": ""},
        ),
        Case("restore_permissions", "perhaps", stage="role"),
        Case("restore_allow_public", "perhaps", stage="role"),
        Case("restore_max_calls_per_second", 0),
    ],
    "rollback_ami": [
        *_accounts("rollback_account_ids"),
        *_regions("rollback_regions"),
        *_role("rollback_", rollback_account_ids=[ACCOUNT]),
        Case("rollback_parameter", "a b"),
        Case("rollback_parameter", "/ssm/golden"),
        Case("rollback_parameter", "/" + "x" * 1000, "x" * 100),
        Case("rollback_parameter", ""),
        Case("rollback_regions", [], ""),
        Case("rollback_source_image_id", "golden"),
        Case("rollback_source_image_id", "", ""),
        Case("rollback_launch_templates", [""], "item 1 is empty"),
        Case("rollback_launch_template_base_version", "newest", stage="types"),
        Case("rollback_require_shared", "perhaps", stage="types"),
    ],
    "share_ami": [
        *_accounts("share_account_ids"),
        *_organizations("share_"),
        *_images("share_images", "types"),
        Case("share_account_ids", [], "nobody to share", stage="role"),
        Case(
            "share_purge_launch_permissions",
            True,
            "",
            {"share_account_ids": ["OWNER"], **BY_AWS},
            stage="aws",
        ),
        Case("share_shared_tags", {"x" * 120: "web"}, "x" * 100),
        Case("share_shared_tags", {"role": "a\x01b"}, "'role' has a control character"),
        Case("share_shared_tags", ["x"], '["x"]', stage="types"),
        Case(
            "share_purge_launch_permissions",
            True,
            "",
            {"share_account_ids": [], "share_shared_tags": {"version": "1"}},
        ),
        Case("share_snapshots", "perhaps", stage="role"),
    ],
    "unshare_ami": [
        *_accounts("unshare_account_ids"),
        # They are checked with the images that the audit has found.
        *[replace(case, stage="plan") for case in _organizations("unshare_")],
        *_regions("unshare_regions", unshare_images={}, unshare_name_patterns=["web"]),
        *_role("unshare_"),
        Case("unshare_account_ids", [], "", {"unshare_org_arns": [], "unshare_org_unit_arns": []}),
        Case("unshare_images", {}, "no images", {"unshare_all_images": ""}),
        Case("unshare_images", ["golden"], "'golden'", stage="plan"),
        Case("unshare_images", 7, "7", stage="plan"),
        Case("unshare_images", {"eu-west-1": "golden"}, "'golden'", stage="plan"),
        Case("unshare_images", {"eu-west-1": None}, "null is not a valid", stage="plan"),
        Case("unshare_images", [{"image_id": IMAGE}], f'"{IMAGE}"', stage="plan"),
        Case("unshare_all_images", True, "excludes images", stage="plan"),
        Case("unshare_all_images", "perhaps", stage="role"),
    ],
}


def _staged(playbook: str, cases: list[Case]) -> list[Case]:
    """The cases of a playbook that runs a role: what the role's first task refuses has its stage."""
    (play,) = yaml.safe_load((CHECKOUT / "playbooks" / f"{playbook}.yml").read_text(encoding="utf-8"))
    role = play["roles"][0]["role"].rpartition(".")[2]
    variables = load_variables(str(CHECKOUT / "roles" / role))

    def is_refused(case: Case) -> bool:
        given = json.dumps(BASE[playbook] | case.variables).replace('"OWNER"', f'"{ACCOUNT}"')
        _values, failures, _warnings = variables.read(json.loads(given), (), parse_yaml)
        return bool(failures)

    return [replace(case, stage="reader") if is_refused(case) else case for case in cases]


@dataclass
class Host:
    """An inventory host: cases whose values can be refused at once, and its variables."""

    stage: str
    variables: dict[str, Any] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)

    def takes(self, case: Case) -> bool:
        """Whether the case can be added without changing the others."""
        return (
            self.stage == case.stage != "alone"
            and not self.variables.keys() & {case.variable}
            and all(self.variables.get(name, value) == value for name, value in (case.also or {}).items())
        )


def packed(cases: Iterable[Case]) -> dict[str, Host]:
    """Host names to hosts, as few as the cases allow."""
    hosts: list[Host] = []
    for case in cases:
        host = next((one for one in hosts if one.takes(case)), None)
        if host is None:
            hosts.append(host := Host(case.stage))
        host.variables.update(case.variables)
        host.cases.append(case)
    return {f"host{number:02}": host for number, host in enumerate(hosts)}


@pytest.mark.parametrize(
    "playbook",
    [name if name in IN_CI else pytest.param(name, marks=pytest.mark.nightly) for name in sorted(CASES)],
)
def test_impossible_values_are_refused_before_the_first_change(
    playbook: str, aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    hosts = packed(_staged(playbook, CASES[playbook]))
    under_ebs = fixture.add_images({"aws/ebs": {"account": OWNER, "region": HOME, "devices": [EBS_DISK]}})
    ids = {
        '"IMAGE"': f'"{fixture.image_id}"',
        '"EBS"': f'"{under_ebs["aws/ebs"]}"',
        '"OWNER"': f'"{aws.account_id(OWNER)}"',
    }
    inventory = {name: {**BASE[playbook], **host.variables} for name, host in hosts.items()}
    path = _inventory(inventory, ids, ansible.folder)
    run = ansible.run(_on_all_hosts(playbook, ansible.folder), None, "-i", path)
    failed, listed = failures_by_host(run), listed_by_host(run)
    wrong = [
        f"{name} {case.variable}: {json.dumps(case.value)[:80]}: {reason}"
        for name, host in hosts.items()
        for case in host.cases
        if (reason := _wrong(case, failed.get(name, []), listed.get(name, [])))
    ]
    assert not wrong, "\n".join(wrong)
    assert [(call.action, call.region) for call in aws.calls() if is_change(call.action)] == []


def test_every_playbook_has_cases() -> None:
    assert set(CASES) == set(BASE) == {path.stem for path in (CHECKOUT / "playbooks").glob("*.yml")}


def is_change(action: str) -> bool:
    """Whether an operation of AWS can change something."""
    return not action.startswith(("Describe", "Get", "List", "AssumeRole", "Simulate"))


def _wrong(case: Case, messages: list[str], listed: list[str]) -> str:
    """What is wrong with the failures of a case; empty if nothing is. A message has a few of those listed."""
    if len(messages) != 1:
        return f"{len(messages)} failures: {messages}"
    shown = (*messages[0].splitlines(), *listed)
    lines = [line for line in shown if case.is_named(line) and case.text in line]
    message = lines[0] if lines else messages[0]
    # Ansible writes the message about a role's argument specification.
    foreign = [word for word in FOREIGN if word in message and case.stage != "role"]
    missing = [
        *([] if case.is_named(message) else [case.name]),
        *([] if case.text in message else [case.text]),
    ]
    long = len(message) > 500
    return f"{missing=} {foreign=} {long=}: {message}" if missing or foreign or long else ""


def _on_all_hosts(playbook: str, folder: Path) -> Path:
    plays = yaml.safe_load((CHECKOUT / "playbooks" / f"{playbook}.yml").read_text(encoding="utf-8"))
    path = folder / f"{playbook}.yml"
    # The role alone: each host has variables of its own.
    alone = [
        {**play, "hosts": "all", "roles": [{"role": play["roles"][0]["role"]}], "tasks": []} for play in plays
    ]
    path.write_text(yaml.safe_dump(alone), encoding="utf-8")
    return path


def _inventory(hosts: Mapping[str, Mapping[str, Any]], ids: Mapping[str, str], folder: Path) -> str:
    text = json.dumps({"all": {"hosts": hosts}})
    for placeholder, value in ids.items():
        text = text.replace(placeholder, value)
    path = folder / "hosts.yml"
    path.write_text(text, encoding="utf-8")
    return str(path)
