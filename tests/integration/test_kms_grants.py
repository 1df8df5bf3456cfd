# SPDX-License-Identifier: GPL-3.0-or-later

"""Grants: each is created once, also with many or after an interruption, and ami_share checks them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import encrypted
from .encrypted import EXTERNAL_ID, ROLE, USE, EncryptedFixture, root, steps
from .fixture import HOME, OWNER
from .in_process import Modules
from .playbook import CHECKOUT, MODULES, Ansible, kill

AWAY = "eu-west-1"
NO_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


@pytest.fixture
def fixture(aws: SimulatedAws) -> EncryptedFixture:
    """The fixture of the encrypted image."""
    return EncryptedFixture(aws)


@pytest.fixture
def keys(fixture: EncryptedFixture) -> dict[str, str]:
    """The keys of two regions."""
    return {region: fixture.key(region) for region in (HOME, AWAY)}


@pytest.mark.nightly
def test_more_grants_than_a_page_holds_are_made_once_and_within_the_request_rates(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, keys: dict[str, str]
) -> None:
    accounts = {f"consumer-{number:03}": f"7{number:011}" for number in range(110)}
    fixture.add(accounts=accounts)
    many = {"kms_key_ids": keys, "account_ids": list(accounts.values())}
    # Few enough requests a second that a slow machine exceeds them as well.
    aws.update_settings(request_rate_factor=0.2)

    run = steps(ansible, {"open": ("ami_kms_grant", many), "open again": ("ami_kms_grant", many)})

    assert run.code == 0, run.text
    assert run.changed == ["open"], run.text
    assert [one["count"] for one in run.task("open").result["actions"]] == [len(accounts)] * 2
    for key in keys.values():
        assert encrypted.grantees(aws, key) == sorted(root(account) for account in accounts.values())
    made = [call for call in aws.calls(action="CreateGrant") if call.status == 200]
    assert len(made) == 2 * len(accounts)
    # KMS throttled the requests, and listing took more than one page.
    assert any(call.error_code == "ThrottlingException" for call in aws.calls(action="CreateGrant"))
    assert any("Marker" in call.parameters for call in aws.calls(action="ListGrants"))


@pytest.mark.quick
def test_a_rerun_after_a_kill_makes_no_duplicate_grants(
    aws: SimulatedAws,
    fixture: EncryptedFixture,
    ansible: Ansible,
    modules: Modules,
    keys: dict[str, str],
) -> None:
    accounts = fixture.account_ids("web-prod", "web-staging")
    opened = {
        "kms_key_ids": keys,
        "account_ids": accounts,
        "org_unit_arns": [fixture.unit_arn()],
        "auto_scaling": True,
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
    }
    play = ansible.write_play([{"name": "open", MODULES + "ami_kms_grant": opened}])
    # AWS does it, and the response is lost.
    for fault, number in (
        ({"action": "CreateGrant", "account_id": aws.account_id(OWNER), "after": 1}, 4),
        ({"action": "PutKeyPolicy"}, 2),
        ({"action": "CreateGrant", "account_id": accounts[0]}, 1),
    ):
        aws.add_fault("freeze", when="after", times=0, **fault)
        process = ansible.start(play)
        encrypted.await_matched(aws, number)
        kill(process)
        aws.clear_faults()

    run = steps(modules, {"open": ("ami_kms_grant", opened), "again": ("ami_kms_grant", opened)})

    assert run.code == 0, run.text
    assert not run.task("again").changed
    path = "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    expected = [arn for one in accounts for arn in (root(one), f"arn:aws:iam::{one}:role/{path}")]
    for key in keys.values():
        assert encrypted.grantees(aws, key) == sorted(expected)
        policy = encrypted.key_policy(aws, key)
        assert [policy.count(f'"{sid}"') for sid in ("GoldenImagesUnits", "GoldenImagesUnitsGrants")] == [
            1,
            1,
        ]


def test_sharing_warns_about_accounts_that_cannot_use_the_key(
    aws: SimulatedAws, fixture: EncryptedFixture, modules: Modules
) -> None:
    web, staging = fixture.account_ids("web-prod", "web-staging")
    kms = aws.client("kms", OWNER, HOME)
    # A sufficient grant made outside of this collection counts as well.
    kms.create_grant(KeyId=fixture.key(HOME), GranteePrincipal=root(web), Operations=USE)
    kms.create_grant(KeyId=fixture.key(HOME), GranteePrincipal=root(staging), Operations=["DescribeKey"])
    # A grant to a service has no GranteePrincipal (botocore shape GrantListEntry).
    kms.create_grant(
        KeyId=fixture.key(HOME),
        GranteeServicePrincipal="ec2.amazonaws.com",
        RetiringServicePrincipal="ec2.amazonaws.com",
        Constraints={"SourceArn": f"arn:aws:ec2:{HOME}:{web}:instance/i-0123456789abcdef0"},
        Operations=USE,
    )
    image = {"images": {HOME: fixture.image_id}}
    both = {**image, "account_ids": [web, staging]}
    unit = {**image, "org_unit_arns": [fixture.unit_arn()]}
    run = steps(
        modules,
        {
            "accounts": ("ami_share", both),
            "a unit": ("ami_share", unit),
            "open": ("ami_kms_grant", {**image, "account_ids": [staging], "org_arns": [fixture.org_arn]}),
            "accounts again": ("ami_share", both),
            "the unit again": ("ami_share", unit),
            "a stranger": ("ami_share", {**image, "account_ids": fixture.account_ids("partner")}),
        },
    )
    assert run.code == 0, run.text
    said = {name: encrypted.warnings(run, name) for name in ("accounts", "a unit")}
    assert f"{staging} cannot use the key of {fixture.image_id}" in said["accounts"]
    assert web not in said["accounts"]
    assert f"{fixture.unit_arn()} cannot use the key of {fixture.image_id}" in said["a unit"]
    for name in ("accounts again", "the unit again"):
        assert "cannot use the key" not in encrypted.warnings(run, name)
    for account in ("web-prod", "web-staging"):
        assert encrypted.launched(aws, account, HOME, fixture.image_id) == "running"


@pytest.mark.quick
def test_no_secret_is_on_the_screen(aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible) -> None:
    secret = fixture.environment(OWNER)["AWS_SECRET_ACCESS_KEY"]
    credentials = {
        "access_key": fixture.environment(OWNER)["AWS_ACCESS_KEY_ID"],
        "secret_key": secret,
        "endpoint_url": aws.url,
        "region": HOME,
    }
    tasks = [
        {
            "name": "distribute",
            "ansible.builtin.include_role": {"name": "golden.images.distribute"},
            "vars": {
                "distribute_source_image_id": fixture.image_id,
                "distribute_source_region": HOME,
                "distribute_regions": [AWAY],
                "distribute_kms_key_id": encrypted.ALIAS,
                "distribute_account_ids": fixture.account_ids(account),
                "distribute_auto_scaling": True,
                "distribute_consumer_role_name": ROLE,
                "distribute_external_id": external_id,
            },
        }
        # The second one's role asks for another external ID: refusals are silent, too.
        for account, external_id in (("web-staging", EXTERNAL_ID), ("web-prod", f"not-{EXTERNAL_ID}"))
    ]
    run = ansible.tasks(
        tasks,
        "-vvvv",
        "--diff",
        environment={
            **NO_CREDENTIALS,
            "ANSIBLE_STDOUT_CALLBACK": "default",
            # From ansible-core 2.21 on, what a module was given is shown on request only.
            "ANSIBLE_INJECT_INVOCATION": "true",
        },
        module_defaults={"group/golden.images.aws": credentials},
    )
    assert run.code != 0
    assert "AccessDenied" in run.stdout
    sessions = [call for call in aws.calls(action="CreateGrant") if call.account_id != aws.account_id(OWNER)]
    assert [call.status for call in sessions] == [200]
    # -vvvv really shows what the modules were given.
    assert credentials["access_key"] in run.stdout
    # The external ID is also the collection's name, with a hyphen: what surrounds it says which it is.
    for hidden in (secret, f"external_id: {EXTERNAL_ID}", f'"{EXTERNAL_ID}"', f"not-{EXTERNAL_ID}"):
        assert hidden not in run.text
    # What AWS's temporary credentials look like: IAM User Guide, "Unique identifiers".
    for hidden in ("ASIA", "SessionToken", "SecretAccessKey", "FQoGZXIvYXdzE"):
        assert hidden not in run.text


@pytest.mark.nightly
def test_check_mode_predicts_the_consumers_own_grants(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, keys: dict[str, str]
) -> None:
    opened: dict[str, Any] = {
        "kms_key_ids": keys,
        "account_ids": fixture.account_ids("web-prod", "data-prod"),
        "org_arns": [fixture.org_arn],
        "auto_scaling": True,
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
    }
    task = {"name": "open", MODULES + "ami_kms_grant": opened}
    run = ansible.tasks([{**task, "name": "plan", "check_mode": True}, task])
    assert run.code == 0, run.text

    def calls(name: str) -> list[tuple[str, str, str]]:
        made = run.task(name).result["actions"]
        return sorted(
            (one["action"], one["region"], one["resource"])
            for one in made
            for _number in range(one.get("count", 1))
        )

    assert calls("plan") == calls("open")
    assert sorted(tuple(change) for change in encrypted.changes(aws)) == calls("open")


def test_key_of_another_account(aws: SimulatedAws, fixture: EncryptedFixture, modules: Modules) -> None:
    """KMS API Reference, CreateGrant and ListGrants: cross-account use."""
    owner, web = fixture.account_ids(OWNER, "web-prod")
    built = fixture.add(kms_keys={"central": {"account": "sandbox", "regions": [HOME]}})
    key = built["kms_keys"]["central"][HOME]
    central = aws.client("kms", "sandbox", HOME)
    describe = {"Sid": "Use", "Action": ["kms:DescribeKey"]}
    allow = {"Effect": "Allow", "Principal": {"AWS": root(owner)}, "Resource": "*"}
    policy = json.loads(central.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    policy["Statement"].append({**allow, **describe})
    central.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    opened = {"kms_key_ids": {HOME: key}, "account_ids": [web]}
    refused, task = modules.module("ami_kms_grant", **opened)
    assert refused.code != 0
    (failure,) = task.result["failures"]
    assert (failure["error_code"], task.result["changed"]) == ("not_owner", False)
    alone, _task = modules.module("ami_kms_grant", kms_key_ids={HOME: key}, account_ids=[owner])
    assert alone.code == 0, alone.text

    assert "docs/iam/key-policy-statement.json" in failure["remedy"]
    statement = (CHECKOUT / "docs/iam/key-policy-statement.json").read_text("utf-8")
    policy["Statement"].append(json.loads(statement.replace("111122223333", owner)))
    central.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    run = steps(
        modules,
        {
            "open": ("ami_kms_grant", opened),
            "again": ("ami_kms_grant", opened),
            "close": ("ami_kms_grant", {**opened, "state": "absent"}),
        },
    )
    assert run.code == 0, run.text
    assert run.changed == ["open", "close"]
    made = [call for call in aws.calls(action="CreateGrant") if call.status == 200]
    assert [call.parameters["Name"].split(":")[0] for call in made] == [f"golden-images-of-{owner}"]
    assert central.list_grants(KeyId=key)["Grants"] == []
