# SPDX-License-Identifier: GPL-3.0-or-later

"""Users with nothing but a documented policy run what it is for, and ministack enforces the policy.

The actions are judged, for all resources: ministack gives few calls the ARN of their resource, and
evaluates those of EC2 and CloudWatch for others than AWS. It lacks calls without which some policies cannot
be judged, all of them in ``test_differences.MISSING``: cleanup and consumer-usage (DescribeImageReferences,
DescribeLockedSnapshots, DisableImage), restore (the Recycle Bin), diagnose and consumer-verify
(GetImageBlockPublicAccessState, GetAllowedImagesSettings), consumer-copy and consumer-launch (CopyImage, and
keys of other accounts).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..integration.playbook import CHECKOUT, MODULES, Ansible, Run
from .conftest import CONSUMER, HOME, STRANGER, UNDELIVERED, Ministack

LOG_GROUP = "aws-cloudtrail-logs"


@pytest.fixture
def user(ministack: Ministack, tmp_path: Path) -> Callable[..., Ansible]:
    """Ansible with the credentials of a user that has only these policies of docs/iam."""

    def with_policies(*names: str) -> Ansible:
        iam = ministack.client("iam")
        iam.create_user(UserName="user")
        for name in names:
            iam.put_user_policy(UserName="user", PolicyName=name, PolicyDocument=_policy(name))
        key = iam.create_access_key(UserName="user")["AccessKey"]
        return Ansible(ministack.environment(key["AccessKeyId"], key["SecretAccessKey"]), tmp_path)

    return with_policies


def _policy(name: str) -> str:
    policy = json.loads((CHECKOUT / f"docs/iam/{name}.json").read_text(encoding="utf-8"))
    policy["Statement"] = [{**one, "Resource": "*"} for one in policy["Statement"]]
    return json.dumps(policy)


def _module(ansible: Ansible, module: str, **arguments: Any) -> Run:
    return ansible.tasks([{"name": module, MODULES + module: arguments}])


def test_share(ministack: Ministack, user: Callable[..., Ansible]) -> None:
    image_id = ministack.image()
    share = {"images": {HOME: image_id}, "account_ids": [CONSUMER], "share_snapshots": False}
    run = _module(user("share"), "ami_share", shared_tags={"version": "1"}, **share)
    assert run.code == 0, run.text
    assert ministack.launch_permissions(image_id) == [{"UserId": CONSUMER}]


def test_publish(ministack: Ministack, user: Callable[..., Ansible]) -> None:
    old, new = ministack.image("golden-web-1"), ministack.image("golden-web-2")
    ministack.client("ec2").create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData={"ImageId": old, "InstanceType": "t3.micro"}
    )
    publish = {"images": {HOME: new}, "launch_templates": ["web"], "require_shared": False}
    run = _module(user("publish"), "ami_publish", parameter="/golden/web", **publish)
    assert run.code == 0, run.text
    assert ministack.client("ssm").get_parameter(Name="/golden/web")["Parameter"]["Value"] == new


def test_grants(ministack: Ministack, user: Callable[..., Ansible]) -> None:
    kms = ministack.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    grant = {"kms_key_ids": {HOME: key}, "account_ids": [CONSUMER], "access_method": "grant"}
    ansible = user("distribute-encrypted")
    run = _module(ansible, "ami_kms_grant", **grant)
    assert run.code == 0, run.text
    assert len(kms.list_grants(KeyId=key)["Grants"]) == 1


def _shared(ministack: Ministack) -> str:
    image_id = ministack.image()
    ministack.client("ec2").modify_image_attribute(
        ImageId=image_id, LaunchPermission={"Add": [{"UserId": CONSUMER}, {"UserId": STRANGER}]}
    )
    return image_id


def test_audit_changes_nothing(ministack: Ministack, user: Callable[..., Ansible]) -> None:
    image_id = _shared(ministack)
    ansible = user("audit")
    allowed = {"regions": [HOME], "allowed_account_ids": [CONSUMER], "check_keys": False}
    run = _module(ansible, "ami_share_audit", **allowed)
    found = run.task("ami_share_audit").result
    assert {one["code"] for one in found["findings"]} == {"unknown_account"}, run.text
    unshare = {"images": {HOME: image_id}, "account_ids": [STRANGER], "share_snapshots": False}
    denied = _module(ansible, "ami_share", state="absent", **unshare)
    assert [code for _region, code in denied.task("ami_share").codes] == ["UnauthorizedOperation"]
    assert len(ministack.launch_permissions(image_id)) == 2


def test_remediate(ministack: Ministack, user: Callable[..., Ansible]) -> None:
    image_id = _shared(ministack)
    variables = {
        "audit_regions": [HOME],
        "audit_allowed_account_ids": [CONSUMER],
        "audit_check_keys": False,
        "remediate_finding_codes": ["unknown_account"],
    }
    run = user("audit", "remediate").run("golden.images.remediate_ami_sharing", variables)
    assert run.code == 0, run.text
    assert ministack.launch_permissions(image_id) == [{"UserId": CONSUMER}]


def test_monitor(ministack: Ministack, user: Callable[..., Ansible]) -> None:
    ministack.start_trail(LOG_GROUP)
    variables = {
        "monitor_regions": [HOME],
        "monitor_log_group_name": LOG_GROUP,
        "monitor_queue_name": "golden-images-sharing",
        "monitor_subscriptions": [{"protocol": "email", "endpoint": "security@example.org"}],
    }
    run = user("monitor").run("golden.images.monitor_ami_sharing", variables)
    message = run.task("Fail if a region failed").result["msg"]
    assert message.startswith(UNDELIVERED)
    assert message.count("\n") == 2
    (rule,) = ministack.client("events").list_rules()["Rules"]
    assert rule["Name"] == "golden-images-sharing"


def test_lookup(ministack: Ministack, user: Callable[..., Ansible]) -> None:
    image_id = ministack.image("golden-web-1")
    ministack.client("ssm").put_parameter(Name="/golden/web", Value=image_id, Type="String")
    ansible = user("lookup")
    found = "{{ lookup('golden.images.ami', 'golden-web-1', region='us-east-1') }}"
    named = "{{ lookup('golden.images.ami', parameter='/golden/web', region='us-east-1') }}"
    run = ansible.tasks([{"name": "look up", "ansible.builtin.debug": {"msg": [found, named]}}])
    assert run.code == 0, run.text
    assert run.task("look up").result["msg"] == [image_id, image_id]


def test_inventory(ministack: Ministack, user: Callable[..., Ansible]) -> None:
    organizations = ministack.client("organizations")
    (root,) = organizations.list_roots()["Roots"]
    unit = organizations.create_organizational_unit(ParentId=root["Id"], Name="prod")["OrganizationalUnit"]
    made = organizations.create_account(AccountName="web", Email="web@example.com")["CreateAccountStatus"]
    organizations.move_account(
        AccountId=made["AccountId"], SourceParentId=root["Id"], DestinationParentId=unit["Id"]
    )
    ansible = user("inventory")
    source = ansible.folder / "golden_accounts.yml"
    source.write_text("plugin: golden.images.accounts\n", encoding="utf-8")
    play = ansible.write_play([{"name": "show", "ansible.builtin.debug": {"msg": "{{ groups['ou_prod'] }}"}}])
    run = ansible.run(play, None, "--inventory", str(source))
    assert run.code == 0, run.text
    assert run.task("show").result["msg"] == [made["AccountId"]]
