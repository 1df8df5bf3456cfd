# SPDX-License-Identifier: GPL-3.0-or-later

"""The IAM policies: complete, as narrow as AWS supports, within its limits, and up to date in docs/iam."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checks import iam, responses
from checks.iam import documents, policies
from checks.iam.permissions import ALARM, ALL, BUCKET, OWNER, PERMISSIONS, REPORTS
from checks.iam.policies import KEY_STATEMENT, POLICIES, TRUST
from checks.iam.statements import MANAGED_POLICY_LIMIT, TRUST_POLICY_LIMIT, Policy, Statement, size
from checks.paths import CHECKOUT
from simulated_aws.iam import policies as evaluation
from simulated_aws.iam import principals

# Actions, resource types and condition keys of the Service Authorization Reference, as of 2026-10.
REFERENCE: dict[str, dict[str, Any]] = json.loads(
    (CHECKOUT / "checks" / "iam" / "reference.json").read_text(encoding="utf-8")
)
# What a policy of its own allows, whichever package needs it.
ELSEWHERE = {"sts:AssumeRole", "sts:GetCallerIdentity"}
# Without it, a region that may be missing is called, and its answer decides (caller.identify_in_regions).
OPTIONAL = {"ec2:DescribeRegions"}
# Rooms of all capabilities.
SHARED = {"aws", "modules", "runner"}
STATEMENTS = [(policy, one) for policy in POLICIES for one in policy.statements]


def _name(value: Any) -> str:
    return getattr(value, "name", None) or getattr(value, "sid", None) or str(value)


@pytest.fixture(scope="module")
def called() -> dict[str, list[str]]:
    """Package to the operations that it calls."""
    return responses.operations(CHECKOUT)


def test_every_operation_is_declared_and_used(called: dict[str, list[str]]) -> None:
    operations = {one for needed in called.values() for one in needed}
    assert operations - PERMISSIONS.keys() == set()
    used = {one for policy in POLICIES for one in policy.operations}
    free = {name for name, one in PERMISSIONS.items() if not one.actions}
    assert PERMISSIONS.keys() - used == free


def test_examples_name_the_buckets_of_the_policies() -> None:
    """Both work together as they are."""
    pages = (
        CHECKOUT / "README.md",
        *(CHECKOUT / "docs").rglob("*.md"),
        CHECKOUT / "awx/variables.example.yml",
    )
    texts = [path.read_text(encoding="utf-8") for path in pages]
    assert {name for text in texts for name in re.findall(r"s3://([a-z0-9.-]+)/", text)} == {BUCKET, REPORTS}


def test_every_room_has_policies_for_all_of_its_operations(called: dict[str, list[str]]) -> None:
    missing = {
        package: sorted(set(needed) - ELSEWHERE - OPTIONAL - _allowed(package))
        for package, needed in called.items()
        if package not in SHARED
    }
    assert {package: found for package, found in missing.items() if found} == {}


def _allowed(package: str) -> set[str]:
    return {one for policy in POLICIES if package in policy.packages for one in policy.operations}


def test_resource_types_are_those_of_the_actions() -> None:
    for name, permission in PERMISSIONS.items():
        for action in permission.actions:
            service = action.partition(":")[0]
            own = [one for one in permission.resource_types if one.startswith(f"{service}:")]
            assert own == [*permission.resource_types], name
            types = {f"{service}:{one}" for one in REFERENCE[action]["resources"]}
            assert set(own) <= types, name
            # Only reads are allowed for all resources of a type.
            assert own or not REFERENCE[action]["required"] or _reads(action), name
            required = {f"{service}:{one}" for one in REFERENCE[action]["required"]}
            assert not own or required <= set(own), name


def _reads(action: str) -> bool:
    return REFERENCE[action]["access"] in ("List", "Read")


def test_only_reads_are_allowed_for_all_resources() -> None:
    for policy, statement in STATEMENTS:
        place = f"{policy.name}: {statement.sid}"
        if statement.arns == [ALL]:
            others = [action for action in statement.actions if not _reads(action)]
            # It supports no resources (Service Authorization Reference): a condition limits what it shares.
            assert others in ([], ["ram:CreateResourceShare"]), place
            assert not others or "ram:RequestedResourceType" in str(statement.condition), place
        else:
            services = {one.split(":")[2] for one in statement.arns}
            actions = ("iam" if one == "sts:AssumeRole" else one for one in statement.actions)
            assert services == {one.partition(":")[0] for one in actions}, place


def test_condition_keys_are_those_of_the_actions() -> None:
    for policy, statement in STATEMENTS:
        keys = {key for of_operator in statement.condition.values() for key in of_operator}
        # A global key, which every request of a service for the caller has (IAM User Guide, aws:CalledVia).
        for key in keys - {"aws:CalledVia"}:
            name = f"{key.rpartition('/')[0]}/${{TagKey}}" if "/" in key else key
            for action in statement.actions:
                known = REFERENCE[action]["conditions"] + [
                    one for of_type in REFERENCE[action]["resources"].values() for one in of_type
                ]
                assert name in known, f"{policy.name}: {statement.sid}: {action}"


@pytest.mark.parametrize("policy", POLICIES, ids=_name)
def test_a_policy_is_valid_and_within_the_limit(policy: Policy) -> None:
    assert size(policy.document()) <= MANAGED_POLICY_LIMIT
    assert len({one.sid for one in policy.statements}) == len(policy.statements)
    assert all(one.sid.isalnum() for one in policy.statements)
    evaluation.read(json.dumps(policy.document()), of_resource=False)


def test_resource_based_policies_are_valid_and_within_the_limit() -> None:
    assert size(TRUST) <= TRUST_POLICY_LIMIT
    evaluation.read(json.dumps({"Version": "2012-10-17", "Statement": [KEY_STATEMENT]}), of_resource=True)
    evaluation.read(json.dumps(TRUST), of_resource=True)
    assert TRUST["Statement"][0]["Condition"]["StringEquals"].keys() == {"sts:ExternalId"}


def test_the_failure_for_a_key_of_another_account_names_the_file_of_the_statement() -> None:
    source = (CHECKOUT / "plugins/module_utils/_kms_grant/checks.py").read_text(encoding="utf-8")
    assert f"docs/iam/{documents.KEY_FILE}" in source


MARKS = ("golden.images:source", "Golden.Images:Source", "golden.images:cleanup-disabled")
CLEANUP_MARKS = (
    "golden.images:cleanup-disabled",
    "golden.images:cleanup-image-ids",
    "golden.images:restoring",
)


def _may_tag(policy: Policy, action: str, key: str, create_action: str | None = None) -> bool:
    context: dict[str, Any] = {
        "aws:calledvia": lambda: None,
        "aws:resourcetag/": lambda: None,
        "aws:tagkeys": lambda: (key,),
        "ec2:createaction": lambda: create_action,
    }
    request = evaluation.Request(
        principals.root(OWNER), f"ec2:{action}", "arn:aws:ec2:eu-west-1::image/ami-1", context
    )
    statements = evaluation.read(json.dumps(policy.document()), of_resource=False)
    return evaluation.evaluate_identity(statements, request).allows


def _tagging() -> Iterator[tuple[str, str, str]]:
    for policy in POLICIES:
        for action in ("CreateTags", "DeleteTags"):
            for key in (*MARKS, *CLEANUP_MARKS):
                if _may_tag(policy, action, key):
                    yield policy.name, action, key


def test_only_cleanup_and_restore_set_marks_of_existing_images_and_only_their_own() -> None:
    found = set(_tagging())
    assert {policy for policy, _, _ in found} == {"cleanup", "restore"}
    assert {key for _, _, key in found} == set(CLEANUP_MARKS)


def test_marks_of_copies_are_set_while_they_are_created() -> None:
    may = {one.name for one in POLICIES if _may_tag(one, "CreateTags", MARKS[0], "CopyImage")}
    assert may == {"consumer-copy", "distribute"}
    assert not any(_may_tag(one, "CreateTags", MARKS[0], "CreateImage") for one in POLICIES)


def test_only_own_copies_are_deleted_by_a_distribution() -> None:
    for policy in (policies.DISTRIBUTE, policies.CONSUMER_COPY):
        for one in policy.statements:
            if {"ec2:DeregisterImage", "ec2:DeleteSnapshot"} & set(one.actions):
                assert one.condition == {"Null": {"aws:ResourceTag/golden.images:source": "false"}}


def test_any_alarm_may_be_read_and_only_that_of_the_role_changed() -> None:
    def may(action: str, alarm: str) -> bool:
        arn = f"arn:aws:cloudwatch:eu-west-1:{OWNER}:alarm:{alarm}"
        request = evaluation.Request(principals.root(OWNER), f"cloudwatch:{action}", arn, {})
        statements = evaluation.read(json.dumps(policies.MONITOR.document()), of_resource=False)
        return evaluation.evaluate_identity(statements, request).allows

    # A request by name can be about all alarms.
    assert may("DescribeAlarms", "*")
    assert may("PutMetricAlarm", ALARM)
    assert not may("PutMetricAlarm", "other")
    assert not may("DeleteAlarms", "*")


def test_statements_of_different_kinds_of_resources_are_refused() -> None:
    mixed = Statement("Mixed", "a test", ("ec2:DescribeImages", "ec2:CopyImage"))
    with pytest.raises(ValueError, match="Mixed: some of the actions support no resources"):
        mixed.document()


def test_an_action_can_be_left_out() -> None:
    first, second = (Statement(sid, "a test", ("ec2:CopyImage", "ec2:CreateTags")) for sid in "ab")
    policy = Policy("p", "P", "a test", (first, second))
    left = policy.without(first, "ec2:CopyImage")["Statement"]
    assert [one["Action"] for one in left] == [["ec2:CreateTags"], ["ec2:CopyImage", "ec2:CreateTags"]]
    only = Policy("p", "P", "a test", (Statement("a", "a test", ("ec2:CopyImage",)), second))
    assert [one["Sid"] for one in only.without(only.statements[0], "ec2:CopyImage")["Statement"]] == ["b"]


def test_files_that_are_not_up_to_date_are_found_and_written(tmp_path: Path) -> None:
    assert iam.outdated(tmp_path) == sorted(path.as_posix() for path in iam.files())
    iam.write(tmp_path)
    assert iam.outdated(tmp_path) == []
    folder = tmp_path / iam.FOLDER
    (folder / "audit.json").write_text("{}", encoding="utf-8")
    (folder / "other.json").write_text("{}", encoding="utf-8")
    (tmp_path / iam.TERRAFORM / "owner" / "other.tf.json").write_text("{}", encoding="utf-8")
    assert iam.outdated(tmp_path) == [
        "bootstrap/terraform/owner/other.tf.json",
        "docs/iam/audit.json",
        "docs/iam/other.json",
    ]
    iam.write(tmp_path)
    assert iam.outdated(tmp_path) == []


def test_the_index_names_what_is_lost_without_an_optional_statement() -> None:
    index = documents.files()[documents.INDEX]
    sections = dict(section.split("\n", 1) for section in index.split("\n## ")[1:])
    for policy, statement in STATEMENTS:
        rows = sections[policy.title].splitlines()
        (row,) = (one for one in rows if one.startswith(f"| `{statement.sid}` |"))
        assert row.endswith(f"| {statement.without} |")
