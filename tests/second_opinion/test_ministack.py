# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules and roles against ministack: an emulator of AWS whose authors do not know this collection.

Where it differs from AWS is in ``test_differences.py``.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from ..integration.playbook import CHECKOUT, MODULES, Ansible, Run
from .conftest import CONSUMER, HOME, OWNER, STRANGER, UNDELIVERED, Ministack

CONSUMER_ROOT = f"arn:aws:iam::{CONSUMER}:root"
LOG_GROUP = "aws-cloudtrail-logs"


def _run(ansible: Ansible, *tasks: dict[str, Any], options: tuple[str, ...] = ()) -> Run:
    run = ansible.tasks(tasks, *options)
    assert run.code == 0, run.text
    return run


def _task(name: str, module: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, MODULES + module: arguments}


def _changed(run: Run) -> dict[str, bool]:
    return {task.name: task.changed for task in run.tasks}


def test_share_and_unshare(ministack: Ministack, ansible: Ansible) -> None:
    image_id = ministack.image(tags={"role": "web"})
    share = {"images": {HOME: image_id}, "account_ids": [CONSUMER], "share_snapshots": False}
    first = _run(
        ansible,
        {**_task("plan", "ami_share", **share), "check_mode": True},
        _task("share", "ami_share", shared_tags={"version": "1"}, **share),
        _task("share again", "ami_share", shared_tags={"version": "1"}, **share),
    )
    assert _changed(first) == {"plan": True, "share": True, "share again": False}
    assert ministack.launch_permissions(image_id) == [{"UserId": CONSUMER}]
    reads = _task("read", "ami_shared_info", regions=[HOME], owners=[OWNER], check_key_access=False)
    consumer = Ansible(ministack.environment(CONSUMER), ansible.folder)
    (seen,) = _run(consumer, reads).task("read").result["results"]
    assert seen["image_id"] == image_id
    second = _run(
        ansible,
        _task("unshare", "ami_share", state="absent", **share),
        _task("unshare again", "ami_share", state="absent", **share),
    )
    assert _changed(second) == {"unshare": True, "unshare again": False}
    assert ministack.launch_permissions(image_id) == []
    assert _run(consumer, reads).task("read").result["results"] == []


def test_publish(ministack: Ministack, ansible: Ansible) -> None:
    ec2, ssm = ministack.client("ec2"), ministack.client("ssm")
    old, new = ministack.image("golden-web-1"), ministack.image("golden-web-2")
    ec2.create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData={"ImageId": old, "InstanceType": "t3.micro"}
    )
    publish = {
        "images": {HOME: new},
        "parameter": "/golden/web",
        "launch_templates": ["web"],
        "require_shared": False,
    }
    run = _run(
        ansible,
        {**_task("plan", "ami_publish", **publish), "check_mode": True},
        _task("publish", "ami_publish", **publish),
        _task("publish again", "ami_publish", **publish),
    )
    assert _changed(run) == {"plan": True, "publish": True, "publish again": False}
    assert ssm.get_parameter(Name="/golden/web")["Parameter"]["Value"] == new
    versions = ec2.describe_launch_template_versions(LaunchTemplateName="web", Versions=["$Default"])
    (data,) = [one["LaunchTemplateData"] for one in versions["LaunchTemplateVersions"]]
    assert data == {"ImageId": new, "InstanceType": "t3.micro"}


def test_key_grants(ministack: Ministack, ansible: Ansible) -> None:
    kms = ministack.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    grant = {"kms_key_ids": {HOME: key}, "account_ids": [CONSUMER], "access_method": "grant"}
    first = _run(
        ansible,
        {**_task("plan", "ami_kms_grant", **grant), "check_mode": True},
        _task("grant", "ami_kms_grant", **grant),
        _task("grant again", "ami_kms_grant", **grant),
    )
    assert _changed(first) == {"plan": True, "grant": True, "grant again": False}
    (granted,) = kms.list_grants(KeyId=key)["Grants"]
    assert granted["GranteePrincipal"] == CONSUMER_ROOT
    second = _run(
        ansible,
        _task("revoke", "ami_kms_grant", state="absent", **grant),
        _task("revoke again", "ami_kms_grant", state="absent", **grant),
    )
    assert _changed(second) == {"revoke": True, "revoke again": False}
    assert kms.list_grants(KeyId=key)["Grants"] == []


def test_key_policy(ministack: Ministack, ansible: Ansible) -> None:
    kms = ministack.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]

    def statements() -> list[dict[str, Any]]:
        policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        return list(policy["Statement"])

    (default,) = statements()
    allow = {"kms_key_ids": {HOME: key}, "account_ids": [CONSUMER], "access_method": "key_policy"}
    first = _run(
        ansible,
        _task("allow", "ami_kms_grant", **allow),
        _task("allow again", "ami_kms_grant", **allow),
    )
    assert _changed(first) == {"allow": True, "allow again": False}
    assert default in statements()
    assert CONSUMER in json.dumps(statements())
    second = _run(ansible, _task("revoke", "ami_kms_grant", state="absent", **allow))
    assert _changed(second) == {"revoke": True}
    assert statements() == [default]


def test_audit_and_remediate(ministack: Ministack, ansible: Ansible) -> None:
    image_id = ministack.image()
    ministack.client("ec2").modify_image_attribute(
        ImageId=image_id, LaunchPermission={"Add": [{"UserId": CONSUMER}, {"UserId": STRANGER}]}
    )
    allowed = {"regions": [HOME], "allowed_account_ids": [CONSUMER], "check_keys": False}
    _, audit = ansible.module("ami_share_audit", **allowed)
    assert {finding["code"] for finding in audit.result["findings"]} == {"unknown_account"}
    variables = {
        **{f"audit_{name}": value for name, value in allowed.items()},
        "remediate_finding_codes": ["unknown_account"],
    }
    playbook = "golden.images.remediate_ami_sharing"
    done = ansible.run(playbook, variables)
    assert done.code == 0, done.text
    assert ministack.launch_permissions(image_id) == [{"UserId": CONSUMER}]
    again = ansible.run(playbook, variables)
    assert (again.code, again.changed) == (0, []), again.text


def test_monitor(ministack: Ministack, ansible: Ansible) -> None:
    ministack.start_trail(LOG_GROUP)
    variables = {
        "monitor_regions": [HOME],
        "monitor_log_group_name": LOG_GROUP,
        "monitor_queue_name": "golden-images-sharing",
        "monitor_subscriptions": [{"protocol": "email", "endpoint": "security@example.org"}],
    }
    playbook = "golden.images.monitor_ami_sharing"
    done = ansible.run(playbook, variables)
    message = done.task("Fail if a region failed").result["msg"]
    assert message.startswith(UNDELIVERED)
    assert message.count("\n") == 2
    filters = ministack.client("logs").describe_metric_filters(logGroupName=LOG_GROUP)["metricFilters"]
    assert len(filters) == 2
    (alarm,) = ministack.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarm["AlarmName"] == "UnauthorizedAMISharing"
    (rule,) = ministack.client("events").list_rules()["Rules"]
    assert rule["Name"] == "golden-images-sharing"
    alone = {name: value for name, value in variables.items() if name != "monitor_log_group_name"}
    again = ansible.run(playbook, alone)
    assert (again.code, again.changed) == (0, []), again.text
    gone = ansible.run(playbook, {**variables, "monitor_state": "absent"})
    assert gone.code == 0, gone.text
    assert ministack.client("events").list_rules()["Rules"] == []
    assert ministack.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert ministack.client("sns").list_topics()["Topics"] == []


def test_inventory(ministack: Ministack, ansible: Ansible) -> None:
    organizations = ministack.client("organizations")
    (root,) = organizations.list_roots()["Roots"]
    unit = organizations.create_organizational_unit(ParentId=root["Id"], Name="workloads")
    made = organizations.create_account(AccountName="web-prod", Email="web@example.org")
    member = made["CreateAccountStatus"]["AccountId"]
    organizations.move_account(
        AccountId=member, SourceParentId=root["Id"], DestinationParentId=unit["OrganizationalUnit"]["Id"]
    )
    path = ansible.folder / "golden_accounts.yml"
    path.write_text(yaml.safe_dump({"plugin": "golden.images.accounts"}), encoding="utf-8")
    done = subprocess.run(
        ["ansible-inventory", "-i", str(path), "--list"],
        cwd=ansible.folder,
        env={**ansible.environment, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # ansible-inventory marks untrusted text.
    listed = json.loads(done.stdout, object_hook=lambda content: content.get("__ansible_unsafe", content))
    hosts = listed["_meta"]["hostvars"]
    assert {one["account_id"] for one in hosts.values()} == {OWNER, member}


@pytest.fixture
def key(ministack: Ministack) -> dict[str, str]:
    """The access key of a user that has only the policy for a distribution.

    It is for all resources here: ministack does not give CreateTags the ARN of an image or snapshot.
    """
    iam = ministack.client("iam")
    iam.create_user(UserName="user")
    policy = json.loads((CHECKOUT / "docs/iam/distribute.json").read_text(encoding="utf-8"))
    policy["Statement"] = [{**one, "Resource": "*"} for one in policy["Statement"]]
    iam.put_user_policy(UserName="user", PolicyName="distribute", PolicyDocument=json.dumps(policy))
    made: dict[str, str] = iam.create_access_key(UserName="user")["AccessKey"]
    return made


def test_the_documented_policy_is_enough_to_share(
    ministack: Ministack, key: dict[str, str], tmp_path: Path
) -> None:
    image_id = ministack.image()
    user = Ansible(ministack.environment(key["AccessKeyId"], key["SecretAccessKey"]), tmp_path)
    share = {"images": {HOME: image_id}, "account_ids": [CONSUMER], "share_snapshots": False}
    _run(user, _task("share", "ami_share", shared_tags={"version": "1"}, **share))
    assert ministack.launch_permissions(image_id) == [{"UserId": CONSUMER}]


@pytest.mark.parametrize(
    ("keys", "allowed"),
    [
        (["role"], True),
        (["role", "ec2:SharedTag/version"], True),
        (["golden.images:source"], False),
        (["Golden.Images:Source"], False),
        (["role", "golden.images:cleanup-disabled"], False),
    ],
    ids=str,
)
def test_the_documented_policy_protects_own_tags(
    ministack: Ministack, key: dict[str, str], keys: list[str], allowed: bool
) -> None:
    image_id = ministack.image()
    ec2 = ministack.client("ec2", key["AccessKeyId"], key["SecretAccessKey"])
    call = {"Resources": [image_id], "Tags": [{"Key": one, "Value": "1"} for one in keys]}
    if allowed:
        ec2.create_tags(**call)
    else:
        with pytest.raises(ClientError, match="not authorized"):
            ec2.create_tags(**call)


def test_the_documented_policy_allows_no_deletion(ministack: Ministack, key: dict[str, str]) -> None:
    image_id = ministack.image()
    ec2 = ministack.client("ec2", key["AccessKeyId"], key["SecretAccessKey"])
    with pytest.raises(ClientError, match="not authorized"):
        ec2.deregister_image(ImageId=image_id)
