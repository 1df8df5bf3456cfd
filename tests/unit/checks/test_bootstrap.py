# SPDX-License-Identifier: GPL-3.0-or-later

"""The templates in ``bootstrap`` create the roles with the policies of docs/iam, under the user's names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from checks.iam import permissions
from checks.iam.bootstrap import CHECK_OWNER, ENCRYPTED, KEY_POLICIES
from checks.iam.policies import (
    ASSUME_ROLES,
    CONSUMER_AUTO_SCALING,
    CONSUMER_COPY,
    CONSUMER_LAUNCH,
    CONSUMER_USAGE,
    CONSUMER_VERIFY,
    CONSUMER_VOLUMES,
    DIAGNOSE,
    DISTRIBUTE,
    DISTRIBUTE_ENCRYPTED,
    PUBLISH,
    TRUST,
    UPLOAD_REPORTS,
)
from checks.iam.statements import MANAGED_POLICY_LIMIT, TRUST_POLICY_LIMIT, Policy, size
from tests.integration.templates import BOOTSTRAP, Module, Stack, declarations, references

OWNER, CONSUMER = "123456789012", "210987654321"
# IAM and STS quotas: managed policies attached to a role, by default.
POLICIES_OF_A_ROLE = 10
TRUSTED = f"arn:aws:iam::{OWNER}:role/ci"
OF_OWNER = (DISTRIBUTE, PUBLISH, DIAGNOSE, ASSUME_ROLES, CHECK_OWNER)
OF_CONSUMER = (CONSUMER_VERIFY, CONSUMER_LAUNCH)
OPTIONAL = {
    "PublishInAccounts": PUBLISH,
    "CopyIntoAccounts": CONSUMER_COPY,
    "AutoScaling": CONSUMER_AUTO_SCALING,
    "ReadUsage": CONSUMER_USAGE,
    "ReadVolumes": CONSUMER_VOLUMES,
}
FILES = sorted(path.relative_to(BOOTSTRAP).as_posix() for path in BOOTSTRAP.rglob("*.json"))


def own(document: Any) -> Any:
    """A document of docs/iam after the replacement of names that its index asks for."""
    text = json.dumps(document)
    for name, value in (
        (permissions.OWNER, OWNER),
        (f"role/{permissions.CONSUMER_ROLE}", "role/images-reader"),
        ("role/golden-images", "role/images-writer"),
        (permissions.REPORTS, "my-reports"),
        (f"parameter/{permissions.PARAMETERS}/", "parameter/platform/images/"),
        (f'"{permissions.EXTERNAL_ID}"', '"a1b2"'),
    ):
        text = text.replace(name, value)
    return json.loads(text)


def documents(*of: Policy) -> list[Any]:
    return [own(policy.document()) for policy in of]


def owner_stack(**parameters: str) -> Stack:
    names = {
        "RoleName": "images-writer",
        "ConsumerRoleName": "images-reader",
        "ParameterPath": "platform/images",
    }
    return Stack(
        "owner-role.json", {"TrustedPrincipalArns": f"{TRUSTED},{TRUSTED}2", **names, **parameters}, OWNER
    )


def consumer_stack(**parameters: str) -> Stack:
    names = {"ConsumerRoleName": "images-reader", "ParameterPath": "platform/images", "ExternalId": "a1b2"}
    owner = {"OwnerAccountId": OWNER, "OwnerRoleName": "images-writer"}
    return Stack("consumer-role.json", {**owner, **names, **parameters}, CONSUMER)


def owner_module(**variables: Any) -> Module:
    names = {
        "role_name": "images-writer",
        "consumer_role_name": "images-reader",
        "parameter_path": "platform/images",
    }
    return Module("owner", {"trusted_principal_arns": [TRUSTED], **names, **variables}, OWNER)


def consumer_module(**variables: Any) -> Module:
    names = {"consumer_role_name": "images-reader", "parameter_path": "platform/images"}
    owner = {"owner_account_id": OWNER, "owner_role_name": "images-writer"}
    given = {**owner, "external_id": "a1b2", **names, **variables}
    return Module("consumer", given, CONSUMER)


def test_the_owners_role_has_the_policies_of_a_distribution() -> None:
    assert [*owner_stack().policies().values()] == documents(*OF_OWNER)
    assert [*owner_module().policies().values()] == documents(*OF_OWNER)


def test_the_owners_role_writes_reports_only_into_a_named_bucket() -> None:
    policies = documents(*OF_OWNER, UPLOAD_REPORTS)
    assert [*owner_stack(ReportsBucket="my-reports").policies().values()] == policies
    assert [*owner_module(reports_bucket="my-reports").policies().values()] == policies


def test_the_owners_role_gets_permissions_for_keys_only_if_images_are_encrypted() -> None:
    policies = documents(*OF_OWNER, ENCRYPTED)
    assert "kms:PutKeyPolicy" not in json.dumps(policies)
    assert [*owner_stack(EncryptedImages="true").policies().values()] == policies
    assert [*owner_module(encrypted_images=True).policies().values()] == policies


def test_the_owners_role_may_replace_key_policies_only_if_that_is_chosen() -> None:
    policies = documents(*OF_OWNER, ENCRYPTED, KEY_POLICIES)
    given = {"EncryptedImages": "true", "KeyPolicies": "true"}
    assert [*owner_stack(**given).policies().values()] == policies
    assert [*owner_module(encrypted_images=True, key_policies=True).policies().values()] == policies
    statements = {one["Sid"] for document in policies[-2:] for one in document["Statement"]}
    assert statements == {one.sid for one in DISTRIBUTE_ENCRYPTED.statements}


def test_the_owners_role_trusts_whom_the_user_names() -> None:
    (role,) = owner_stack().of_type("IAM::Role").values()
    trust = role["AssumeRolePolicyDocument"]
    assert [one["Principal"] for one in trust["Statement"]] == [{"AWS": [TRUSTED, f"{TRUSTED}2"]}]
    assert [one["Principal"] for one in owner_module().trust["Statement"]] == [{"AWS": [TRUSTED]}]


def test_the_consumers_role_has_the_policies_of_a_verification() -> None:
    assert [*consumer_stack().policies().values()] == documents(*OF_CONSUMER)
    assert [*consumer_module().policies().values()] == documents(*OF_CONSUMER)


@pytest.mark.parametrize("parameter", OPTIONAL)
def test_the_consumers_role_gets_further_policies_only_if_they_are_chosen(parameter: str) -> None:
    policies = documents(*OF_CONSUMER, OPTIONAL[parameter])
    assert [*consumer_stack(**{parameter: "true"}).policies().values()] == policies
    variable = {"CopyIntoAccounts": "copy_into_accounts", "AutoScaling": "auto_scaling"}
    variable |= {"PublishInAccounts": "publish_in_accounts"}
    variable |= {"ReadUsage": "read_usage", "ReadVolumes": "read_volumes"}
    assert [*consumer_module(**{variable[parameter]: True}).policies().values()] == policies


def test_the_consumers_role_trusts_the_owners_role_that_passes_the_external_id() -> None:
    expected = own(TRUST)
    expected["Statement"][0]["Condition"]["ArnLike"] = {
        "aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/images-writer"
    }
    (role,) = consumer_stack().of_type("IAM::Role").values()
    assert role["RoleName"] == "images-reader"
    assert role["AssumeRolePolicyDocument"] == expected
    assert consumer_module().trust == expected


def test_every_policy_is_attached_to_the_role() -> None:
    owner = owner_stack(ReportsBucket="my-reports", EncryptedImages="true", KeyPolicies="true")
    for stack in (owner, consumer_stack(**dict.fromkeys(OPTIONAL, "true"))):
        policies = stack.of_type("IAM::ManagedPolicy")
        assert [one["Roles"] for one in policies.values()] == [[{"Ref": "Role"}]] * len(policies)
        assert len(policies) <= POLICIES_OF_A_ROLE


def test_policies_are_within_the_limits_with_the_longest_names() -> None:
    names = {"ConsumerRoleName": "r" * 64, "ParameterPath": "p" * 200}
    stacks = (
        owner_stack(**names, ReportsBucket="b" * 63, EncryptedImages="true", KeyPolicies="true"),
        consumer_stack(**names, **dict.fromkeys(OPTIONAL, "true")),
    )
    for stack in stacks:
        assert max(map(size, stack.policies().values())) <= MANAGED_POLICY_LIMIT
        (role,) = stack.of_type("IAM::Role").values()
        assert size(role["AssumeRolePolicyDocument"]) <= TRUST_POLICY_LIMIT


def test_the_stack_set_creates_the_consumers_role_with_all_of_its_parameters() -> None:
    given = {"OwnerAccountId": OWNER, "OrganizationalUnitIds": "ou-ab12-11111111,ou-ab12-22222222"}
    (made,) = Stack("consumer-roles.json", given, CONSUMER).of_type("CloudFormation::StackSet").values()
    template = json.loads((BOOTSTRAP / "cloudformation/consumer-role.json").read_text(encoding="utf-8"))
    assert json.loads(made["TemplateBody"]) == template
    assert {one["ParameterKey"] for one in made["Parameters"]} == template["Parameters"].keys()
    assert made["PermissionModel"] == "SERVICE_MANAGED"
    (group,) = made["StackInstancesGroup"]
    units = ["ou-ab12-11111111", "ou-ab12-22222222"]
    assert group == {"DeploymentTargets": {"OrganizationalUnitIds": units}, "Regions": ["us-east-1"]}


def test_a_key_and_its_alias_stay_if_the_stack_is_deleted() -> None:
    stack = Stack("owner-key.json", {"KeyAlias": "images"}, OWNER)
    (alias,) = stack.of_type("KMS::Alias").values()
    assert alias["AliasName"] == "alias/images"
    for one in stack.template["Resources"].values():
        assert (one["DeletionPolicy"], one["UpdateReplacePolicy"]) == ("Retain", "Retain")
    keys = owner_module().document["resource"]["aws_kms_key"]
    assert [one["lifecycle"] for one in keys.values()] == [{"prevent_destroy": True}]


@pytest.mark.parametrize("file", FILES)
def test_no_name_is_left_that_users_would_have_to_replace(file: str) -> None:
    template = json.loads((BOOTSTRAP / file).read_text(encoding="utf-8"))
    parts = [template.get(part, {}) for part in ("Resources", "locals", "resource")]
    # The template of another file, and held there.
    parts[0].get("Roles", {}).get("Properties", {}).pop("TemplateBody", None)
    text = json.dumps(parts)
    for name in (permissions.OWNER, permissions.CONSUMER_ROLE, permissions.REPORTS, "arn:aws:"):
        assert name not in text
    assert f'"{permissions.EXTERNAL_ID}"' not in text
    assert f"parameter/{permissions.PARAMETERS}/" not in text


@pytest.mark.parametrize("module", [owner_module(), consumer_module()], ids=["owner", "consumer"])
def test_a_module_refers_to_all_that_it_declares_and_to_nothing_else(module: Module) -> None:
    document = module.document
    declared = declarations(document)
    assert references(document) - declared == set()
    ends = {"aws_iam_role_policy_attachment", "aws_kms_alias"}
    assert {one for one in declared - references(document) if one.split(".")[0] not in ends} == set()
