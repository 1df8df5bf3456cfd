# SPDX-License-Identifier: GPL-3.0-or-later

"""The first run of README.md works with the roles and keys of ``bootstrap``, and with nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from simulated_aws import client
from simulated_aws.client import SimulatedAws

from . import encrypted, observed
from .fixture import HOME, OWNER
from .playbook import CHECKOUT, Ansible
from .templates import BOOTSTRAP

DISTRIBUTE = "golden.images.distribute_ami"
# The accounts and regions of README.md.
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
CONSUMERS = ("web", "data")
ENGINEER, MANAGEMENT = "engineer", "management"
ASSUME = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}],
}
_FIXTURE = Path(client.__file__).parent / "fixtures" / "first_day.yml"
DOCUMENT: dict[str, Any] = {
    **yaml.safe_load(_FIXTURE.read_text(encoding="utf-8")),
    "users": {ENGINEER: {"accounts": [OWNER], "policy": ASSUME}},
}


def bootstrap(aws: SimulatedAws, **of_consumers: str) -> Any:
    """Create roles and keys as docs/first-day.md does; return the described fixture.

    ``of_consumers`` are further parameters of the roles in the consumer accounts.
    """
    described = aws.load_fixture(DOCUMENT)
    owner_id = aws.account_id(OWNER)
    engineer = described["users"][ENGINEER][OWNER]["arn"]
    unit = described["organization"]["units"]["workloads"]["id"]
    deploy(aws, OWNER, "owner-role.json", TrustedPrincipalArns=engineer, EncryptedImages="true")
    for region in REGIONS:
        deploy(aws, OWNER, "owner-key.json", region)
    given = {"OwnerAccountId": owner_id, "OrganizationalUnitIds": unit, "PublishInAccounts": "true"}
    deploy(aws, MANAGEMENT, "consumer-roles.json", **given, **of_consumers)
    return described


def deploy(aws: SimulatedAws, account: str, template: str, region: str = HOME, **parameters: str) -> None:
    """Create a stack, as the administrator of an account."""
    cloudformation = aws.client("cloudformation", account, region)
    name = template.removesuffix(".json")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=(BOOTSTRAP / "cloudformation" / template).read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack


def as_role(aws: SimulatedAws, described: Any, folder: Path) -> Ansible:
    """Ansible with a session of the owner's role, which the engineer has assumed."""
    user = described["users"][ENGINEER][OWNER]
    sts = boto3.client(
        "sts",
        region_name=HOME,
        endpoint_url=aws.url,
        aws_access_key_id=user["access_key_id"],
        aws_secret_access_key=user["secret_access_key"],
    )
    role = f"arn:aws:iam::{aws.account_id(OWNER)}:role/golden-images"
    made = sts.assume_role(RoleArn=role, RoleSessionName="first-run")["Credentials"]
    session = {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["SessionToken"],
    }
    return Ansible({**aws.environment(OWNER), **session}, folder)


def variables(source: str) -> dict[str, Any]:
    """my-vars.yml of README.md, with this source."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^```yaml\n# my-vars.yml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return {**yaml.safe_load(found[1]), "distribute_source_image_id": source}


def encrypted_source(aws: SimulatedAws, described: Any) -> str:
    """An image under the key of the template."""
    ec2 = aws.client("ec2", OWNER, HOME)
    plain = described["images"]["golden-web-1"]["image_id"]
    made = ec2.copy_image(
        SourceImageId=plain, SourceRegion=HOME, Name="golden", Encrypted=True, KmsKeyId="alias/golden"
    )
    return str(made["ImageId"])


@pytest.mark.quick
def test_the_first_run_of_the_readme_needs_nothing_but_the_templates(
    aws: SimulatedAws, tmp_path: Path
) -> None:
    described = bootstrap(aws)
    given = variables(encrypted_source(aws, described))
    assert set(given["distribute_regions"]) == {*REGIONS}
    assert given["distribute_account_ids"] == [aws.account_id(name) for name in CONSUMERS]
    ansible = as_role(aws, described, tmp_path)
    aws.clear_calls()
    aws.update_settings(record_authorizations=True)

    planned = ansible.run(DISTRIBUTE, given, "--check", "--diff")
    assert planned.code == 0, planned.text
    assert observed.changes(aws) == []

    run = ansible.run(DISTRIBUTE, given, "--diff")
    assert run.code == 0, run.text
    denied = {one.action for one in aws.authorizations() if not one.allowed}
    assert denied == set()
    images = run.facts["distribute_images"]
    assert images.keys() == {*REGIONS}
    for region, image_id in images.items():
        for account in (OWNER, *CONSUMERS):
            published = aws.client("ssm", account, region).get_parameter(Name="/golden/web")
            assert published["Parameter"]["Value"] == image_id
        assert encrypted.launched(aws, "web", region, image_id) == "running"


def check(ansible: Ansible, given: dict[str, Any]) -> tuple[int, str]:
    """Run the check of the accounts with the credentials of ``ansible``; return its exit code and output."""
    file = ansible.folder / "my-vars.yml"
    file.write_text(yaml.safe_dump(given), encoding="utf-8")
    script = CHECKOUT / "bootstrap" / "check_accounts.py"
    done = subprocess.run(
        [sys.executable, script, file],
        env=ansible.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=ansible.timeout,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_the_check_finds_nothing_missing_with_the_roles_of_the_templates(
    aws: SimulatedAws, tmp_path: Path
) -> None:
    described = bootstrap(aws)
    ansible = as_role(aws, described, tmp_path)
    aws.clear_calls()
    code, text = check(ansible, variables("ami-0123456789abcdef0"))
    assert (code, text) == (
        0,
        """\
Owner 111122223333, as golden-images

Distribute           ok
DistributeEncrypted  ok
Publish              ok
Diagnose             ok
AssumeConsumerRoles  ok
Regions              ok
Keys                 ok

Consumer accounts, as golden-consumer

Account       Assume  ConsumerVerify  ConsumerLaunch  Publish  Regions
012345678901  ok      ok              ok              ok       ok
123456789012  ok      ok              ok              ok       ok

Nothing is missing.
""",
    )
    assert observed.changes(aws, refused=True) == []


def test_the_check_says_what_is_missing_and_in_which_accounts(aws: SimulatedAws, tmp_path: Path) -> None:
    described = bootstrap(aws)
    ansible = as_role(aws, described, tmp_path)
    detach(aws, OWNER, "golden-images", "Diagnose")
    detach(aws, "web", "golden-consumer", "ConsumerLaunch")
    data = aws.client("iam", "data")
    trust = data.get_role(RoleName="golden-consumer")["Role"]["AssumeRolePolicyDocument"]
    changed = json.dumps(trust).replace('"golden-images"', '"another"')
    data.update_assume_role_policy(RoleName="golden-consumer", PolicyDocument=changed)
    aws.client("kms", OWNER, "eu-west-1").delete_alias(AliasName="alias/golden")
    code, text = check(ansible, variables("ami-0123456789abcdef0"))
    assert code == 1
    assert "\nDiagnose             missing\n" in text
    assert "\nKeys                 missing\n" in text
    assert "\n012345678901  ok       ok              missing         ok       ok\n" in text
    assert "\n123456789012  missing  unknown         unknown         unknown  unknown\n" in text
    found = text.partition("What is missing or unknown, and where\n\n")[2]
    assert "012345678901\n  ConsumerLaunch: not allowed: kms:CreateGrant, kms:Decrypt" in found
    assert "123456789012\n  golden-consumer could not be assumed: " in found
    assert "111122223333\n  Diagnose: not allowed: " in found
    assert "\n  eu-west-1: alias/golden: NotFoundException: " in found
    assert found.count("111122223333\n") == 1
    assert all(len(line) <= 80 for line in found.splitlines() if " " in line.strip()), found


@pytest.mark.parametrize(
    ("name", "is_trusted"),
    [pytest.param("golden-*", True, marks=pytest.mark.nightly), ("golden-image", False)],
)
def test_the_consumers_role_can_be_assumed_by_the_named_roles_of_the_owner_only(
    aws: SimulatedAws, tmp_path: Path, name: str, is_trusted: bool
) -> None:
    ansible = as_role(aws, bootstrap(aws, OwnerRoleName=name), tmp_path)
    code, text = check(ansible, variables("ami-0123456789abcdef0"))
    assert code == (0 if is_trusted else 1)
    assert ("\n012345678901  missing  unknown" in text) is not is_trusted
    assert ("OwnerRoleName=golden-images." in text) is not is_trusted


def test_what_the_check_cannot_simulate_is_unknown(aws: SimulatedAws, tmp_path: Path) -> None:
    described = bootstrap(aws)
    ansible = as_role(aws, described, tmp_path)
    detach(aws, OWNER, "golden-images", "CheckAccounts")
    code, text = check(ansible, variables("ami-0123456789abcdef0"))
    assert code == 1
    assert "\nDistributeEncrypted  unknown\n" in text
    assert "is not authorized to perform: iam:SimulatePrincipalPolicy" in " ".join(text.split())


def detach(aws: SimulatedAws, account: str, role: str, policy: str) -> None:
    """Take a policy of the template away from a role."""
    iam = aws.client("iam", account)
    (arn,) = [
        one["PolicyArn"]
        for one in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        if one["PolicyName"].endswith(f"-{policy}")
    ]
    iam.detach_role_policy(RoleName=role, PolicyArn=arn)
