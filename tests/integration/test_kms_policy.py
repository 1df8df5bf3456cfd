# SPDX-License-Identifier: GPL-3.0-or-later

"""Key policies: consumers are added and removed there, and everything that other people wrote stays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import encrypted
from .encrypted import NO_KEY, ROLE, EncryptedFixture, root, steps
from .fixture import HOME, OWNER
from .in_process import Modules
from .playbook import MODULES, Ansible

UNIT_OF_CONSUMER = "workloads/nonprod"


@pytest.fixture
def fixture(aws: SimulatedAws) -> EncryptedFixture:
    """The fixture of the encrypted image."""
    return EncryptedFixture(aws)


def _statement(sid: str, account_id: str) -> str:
    """A statement as no program writes it."""
    return (
        f'{{ "Sid":"{sid}" ,\n\t"Effect" : "Allow",\r\n   "Principal": {{"AWS" :["{root(account_id)}" ]}},\n'
        '  "Action":[ "kms:DescribeKey","kms:ListGrants"  ], "Resource":"*"}'
    )


@pytest.fixture
def foreign(aws: SimulatedAws, fixture: EncryptedFixture) -> list[str]:
    """Other people's text in the policy of the key, in its pieces."""
    owner, auditor = fixture.account_ids(OWNER, "management")
    administrators = (
        f'{{"Effect":"Allow","Sid" : "Enable IAM","Principal":{{"AWS":"{root(owner)}"}},'
        '\n "Action":"kms:*","Resource":"*" }'
    )
    audit = _statement("Audit \\u00e9t\\u00e9", auditor)
    head, tail = '{\n  "Id" :"ours",   "Version":"2012-10-17"  ,\t"Statement" :', "\n}\n"
    text = f"{head} [ {administrators}\n ,\n\n{audit} ] {tail}"
    encrypted.put_key_policy(aws, fixture.key(HOME), text)
    return [head, administrators, audit, tail]


def _own(policy: str) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = json.loads(policy)["Statement"]
    return [one for one in statements if one.get("Sid", "").startswith("GoldenImages")]


@pytest.mark.nightly
@pytest.mark.usefixtures("foreign")
def test_planned_statements_are_found_in_a_policy_that_code_writes(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible
) -> None:
    """In another order and form (docs/encrypted-images.md, "Keys and key policies owned by Terraform …")."""
    key = fixture.key(HOME)
    opened = {
        "kms_key_ids": {HOME: key},
        "org_arns": [fixture.org_arn],
        "org_unit_arns": [fixture.unit_arn()],
    }
    task = {"name": "open", MODULES + "ami_kms_grant": opened}
    planned = ansible.tasks([{**task, "check_mode": True}]).task("open").result
    policy = json.loads(encrypted.key_policy(aws, key))
    policy["Statement"] = [*reversed(planned["policy_statements"][0]["statements"]), *policy["Statement"]]
    encrypted.put_key_policy(aws, key, json.dumps(policy, indent=2))
    aws.clear_calls()
    run = ansible.tasks([task])
    assert (run.code, run.changed) == (0, []), run.text
    assert encrypted.changes(aws) == []


@pytest.mark.quick
def test_consumers_are_added_and_removed_in_own_statements(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, modules: Modules, foreign: list[str]
) -> None:
    key, (web, staging) = fixture.key(HOME), fixture.account_ids("web-prod", "web-staging")
    image = {HOME: fixture.image_id}
    all_consumers = {
        "images": image,
        "access_method": "key_policy",
        "account_ids": [web],
        "principals": [fixture.role("sandbox")],
        "org_unit_arns": [fixture.unit_arn(UNIT_OF_CONSUMER)],
    }
    others = aws.client("kms", OWNER, HOME).create_grant(
        KeyId=key, GranteePrincipal=root(web), Operations=["DescribeKey"], Name="other-tool"
    )["GrantId"]
    share = {
        "images": image,
        "account_ids": fixture.account_ids("web-prod", "web-staging", "data-dev", "data-prod"),
    }
    aws.clear_calls()
    run = steps(
        ansible,
        {
            "open": ("ami_kms_grant", all_consumers),
            "open again": ("ami_kms_grant", all_consumers),
            "a grant as well": ("ami_kms_grant", {"images": image, "account_ids": [staging]}),
            "share": ("ami_share", share),
        },
        "--diff",
    )
    assert run.code == 0, run.text
    assert run.changed == ["open", "a grant as well", "share"], run.text
    assert [call.action for call in aws.calls(service="kms", action="PutKeyPolicy")] == ["PutKeyPolicy"]
    assert run.task("open").result["diff"]["state_before"]["policy_statements"] == [
        {"kms_key_arns": [key], "statements": []}
    ]
    policy = encrypted.key_policy(aws, key)
    assert [piece for piece in foreign if piece not in policy] == []
    assert encrypted.sids(_own(policy)) == [
        "GoldenImagesAccounts",
        "GoldenImagesAccountsGrants",
        "GoldenImagesUnits",
        "GoldenImagesUnitsGrants",
    ]
    for account in ("web-prod", "web-staging", "data-dev"):
        assert encrypted.launched(aws, account, HOME, fixture.image_id) == "running", account
    assert encrypted.launched(aws, "data-prod", HOME, fixture.image_id) == NO_KEY

    run = steps(
        modules,
        {
            "an organization": ("ami_kms_grant", {"images": image, "org_arns": [fixture.org_arn]}),
            "the unit leaves": (
                "ami_kms_grant",
                {"images": image, "state": "absent", "org_unit_arns": all_consumers["org_unit_arns"]},
            ),
            "only the organization": (
                "ami_kms_grant",
                {"images": image, "org_arns": [fixture.org_arn], "purge_grants": True},
            ),
        },
    )
    assert run.code == 0, run.text
    (left,) = run.task("the unit leaves").result["policy_statements"]
    assert encrypted.sids(left["statements"]) == [
        "GoldenImagesAccounts",
        "GoldenImagesAccountsGrants",
        "GoldenImagesOrganizations",
        "GoldenImagesOrganizationsGrants",
    ]
    policy = encrypted.key_policy(aws, key)
    assert [piece for piece in foreign if piece not in policy] == []
    assert encrypted.sids(_own(policy)) == ["GoldenImagesOrganizations", "GoldenImagesOrganizationsGrants"]
    # A grant of another tool survives every purge.
    assert [grant["GrantId"] for grant in encrypted.grants(aws, key)] == [others]
    assert encrypted.launched(aws, "data-prod", HOME, fixture.image_id) == "running"

    closed = {"images": image, "state": "absent", "org_arns": [fixture.org_arn], "account_ids": [web]}
    run, task = modules.module("ami_kms_grant", **closed)
    assert [(action["action"], action["resource"]) for action in task.result["actions"]] == [
        ("PutKeyPolicy", key)
    ], run.text
    policy = encrypted.key_policy(aws, key)
    assert [piece for piece in foreign if piece not in policy] == []
    assert _own(policy) == []
    assert [grant["GrantId"] for grant in encrypted.grants(aws, key)] == [others]
    assert encrypted.launched(aws, "data-prod", HOME, fixture.image_id) == NO_KEY


@pytest.mark.oldest_boto
def test_a_statement_that_is_added_concurrently_survives(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, foreign: list[str]
) -> None:
    key = fixture.key(HOME)
    late = _statement("Late", aws.account_id("partner"))
    # The policy is read to plan, and again right before it is written; the change comes in between.
    aws.add_fault("freeze", action="GetKeyPolicy", after=1)
    play = ansible.write_play(
        [
            {
                "name": "open",
                MODULES + "ami_kms_grant": {
                    "images": {HOME: fixture.image_id},
                    "org_arns": [fixture.org_arn],
                },
            }
        ]
    )
    process = ansible.start(play)
    encrypted.await_matched(aws, 2)
    head, administrators, audit, tail = foreign
    encrypted.put_key_policy(aws, key, f"{head} [ {administrators}\n ,\n\n{audit},{late} ] {tail}")
    aws.clear_faults()
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stdout + stderr
    policy = encrypted.key_policy(aws, key)
    assert [piece for piece in [*foreign, late] if piece not in policy] == []
    assert encrypted.sids(_own(policy)) == ["GoldenImagesOrganizations", "GoldenImagesOrganizationsGrants"]


def test_a_role_that_was_deleted_is_reported_and_does_not_get_its_access_back_by_its_name(
    aws: SimulatedAws, fixture: EncryptedFixture, modules: Modules
) -> None:
    key, role = fixture.key(HOME), fixture.role("web-staging")
    opened = {"images": {HOME: fixture.image_id}, "principals": [role]}
    first, _task = modules.module("ami_kms_grant", **opened)
    assert first.code == 0, first.text
    iam = aws.client("iam", "web-staging")
    document = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    (policy,) = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    iam.delete_role_policy(RoleName=ROLE, PolicyName=policy)
    iam.delete_role(RoleName=ROLE)
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(document))
    (stale,) = encrypted.grants(aws, key)
    assert stale["GranteePrincipal"].startswith("AROA")

    run = steps(
        modules,
        {
            "see it": ("ami_kms_grant", {"images": {HOME: fixture.image_id}}),
            "open again": ("ami_kms_grant", opened),
            "purge": ("ami_kms_grant", {**opened, "purge_grants": True}),
        },
    )
    assert run.code == 0, run.text
    assert run.changed == ["open again", "purge"]
    for task in ("see it", "open again"):
        said = encrypted.warnings(run, task)
        assert stale["GrantId"] in said
        assert stale["GranteePrincipal"] in said
    assert encrypted.grantees(aws, key) == [role]


@pytest.mark.nightly
def test_a_purge_keeps_the_grant_of_a_new_role(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible
) -> None:
    key, role = fixture.key(HOME), fixture.role("web-staging")
    aws.update_settings(new_grantee_by_unique_id_seconds=3600)
    opened = {"images": {HOME: fixture.image_id}, "principals": [role], "purge_grants": True}
    run = steps(ansible, {"open": ("ami_kms_grant", opened), "again": ("ami_kms_grant", opened)})
    assert run.code == 0, run.text
    assert len(encrypted.grants(aws, key)) == 1
    aws.update_settings(new_grantee_by_unique_id_seconds=0)
    assert encrypted.grantees(aws, key) == [role]
    absent, _task = ansible.module("ami_kms_grant", **{**opened, "purge_grants": False, "state": "absent"})
    assert absent.code == 0, absent.text
    assert encrypted.grants(aws, key) == []


@pytest.mark.nightly
def test_a_deleted_role_in_a_key_policy_blocks_no_other_consumer(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible
) -> None:
    image = {HOME: fixture.image_id}
    by_policy = {"images": image, "access_method": "key_policy"}
    role = {**by_policy, "principals": [fixture.role("web-staging")]}
    first, _task = ansible.module("ami_kms_grant", **role)
    assert first.code == 0, first.text
    iam = aws.client("iam", "web-staging")
    (policy,) = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    iam.delete_role_policy(RoleName=ROLE, PolicyName=policy)
    iam.delete_role(RoleName=ROLE)
    (gone,) = _own(encrypted.key_policy(aws, fixture.key(HOME)))[0]["Principal"]["AWS"]
    assert gone.startswith("AROA")

    web = fixture.account_ids("web-prod")
    run, task = ansible.module("ami_kms_grant", **by_policy, account_ids=web)
    assert run.code == 0, run.text
    assert gone in encrypted.warnings(run, task.name)
    (named, _grants) = _own(encrypted.key_policy(aws, fixture.key(HOME)))
    assert named["Principal"]["AWS"] == web
