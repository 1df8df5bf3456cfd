# SPDX-License-Identifier: GPL-3.0-or-later

"""The fixture with the encrypted golden image, and reads of its grants, key policies and launches."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError

from simulated_aws import client
from simulated_aws.client import SimulatedAws

from . import observed
from .fixture import OWNER, Fixture
from .playbook import MODULES, Ansible, Change, Run

DISTRIBUTE = "golden.images.distribute_ami"
ALIAS = "alias/golden"
ROLE, EXTERNAL_ID = "golden-consumer", "golden-images"
# EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot".
USE = [
    *("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
    *("ReEncryptFrom", "ReEncryptTo"),
]
# EC2 User Guide, "Instance terminates immediately": how a launch ends whose key cannot be used.
NO_KEY = "terminated: Client.InternalError"

_DOCUMENT = Path(client.__file__).parent / "fixtures" / "encrypted_ami.yml"
_RESOURCES = {"CreateGrant": "KeyId", "PutKeyPolicy": "KeyId", "RevokeGrant": "KeyId"}
_TIMEOUT = 60


class EncryptedFixture(Fixture):
    """An image encrypted under its owner's key, such a key in eight regions, and consumer accounts."""

    def __init__(self, aws: SimulatedAws) -> None:
        self._aws = aws
        self._document: dict[str, Any] = yaml.safe_load(_DOCUMENT.read_text(encoding="utf-8"))
        self._description = aws.load_fixture(self._document)

    def key(self, region: str) -> str:
        """The ARN of the owner's key with ``ALIAS``."""
        return str(self._description["kms_keys"]["golden"][region])

    def role(self, account: str) -> str:
        """The ARN of the account's role that trusts the owner."""
        return str(self._description["roles"][ROLE][account])

    @property
    def org_id(self) -> str:
        """The organization's ID."""
        return str(self._description["organization"]["id"])


def changes(aws: SimulatedAws, *, refused: bool = False) -> list[Change]:
    """``observed.changes`` together with the calls to KMS that changed something."""
    of_kms = [
        Change(call.action, call.region, call.parameters.get(_RESOURCES.get(call.action, "")))
        for call in aws.calls(service="kms")
        if not call.action.startswith(("Describe", "Get", "List")) and (refused or call.status == 200)
    ]
    return sorted([*observed.changes(aws, refused=refused), *of_kms], key=str)


def grants(aws: SimulatedAws, key_arn: str) -> list[dict[str, Any]]:
    """All grants of a key of the owner's, in the order they were made."""
    kms = aws.client("kms", OWNER, _region(key_arn))
    pages = kms.get_paginator("list_grants").paginate(KeyId=key_arn)
    return [grant for page in pages for grant in page["Grants"]]


def grantees(aws: SimulatedAws, key_arn: str) -> list[str]:
    """The grantees of a key of the owner, sorted: a double grant shows twice."""
    return sorted(grant["GranteePrincipal"] for grant in grants(aws, key_arn))


def root(account_id: str) -> str:
    """An account as the ARN that grants and policies name it by."""
    return f"arn:aws:iam::{account_id}:root"


def key_policy(aws: SimulatedAws, key_arn: str) -> str:
    """The text of the policy of a key of the owner's."""
    answer = aws.client("kms", OWNER, _region(key_arn)).get_key_policy(KeyId=key_arn, PolicyName="default")
    return str(answer["Policy"])


def put_key_policy(aws: SimulatedAws, key_arn: str, text: str) -> None:
    """Replace the policy of a key of the owner's."""
    kms = aws.client("kms", OWNER, _region(key_arn))
    kms.put_key_policy(KeyId=key_arn, PolicyName="default", Policy=text)


def keys_of(aws: SimulatedAws, account: str, region: str, image_id: str) -> set[str | None]:
    """The keys of an image's snapshots, None for unencrypted ones, as their owner sees them."""
    ids = observed.snapshot_ids(observed.image(aws, account, region, image_id))
    found = aws.client("ec2", account, region).describe_snapshots(SnapshotIds=ids)["Snapshots"]
    return {snapshot.get("KmsKeyId") for snapshot in found}


def launched(aws: SimulatedAws, account: str, region: str, image_id: str) -> str:
    """How an instance ends up that an account launches: ``running``, ``NO_KEY``, or the code of a refusal.

    RunInstances succeeds without access to the key; only the instance's later state tells.
    """
    ec2 = aws.client("ec2", account, region)
    try:
        (instance,) = ec2.run_instances(ImageId=image_id, MinCount=1, MaxCount=1)["Instances"]
    except ClientError as refused:
        return str(refused.response["Error"]["Code"])
    return state(ec2, instance["InstanceId"])


def scaled(aws: SimulatedAws, account: str, region: str, image_id: str, **group: str) -> str:
    """How an instance ends up that an account's Auto Scaling group launches, by its service-linked role.

    ``group`` are further parameters of the group.
    """
    ec2 = aws.client("ec2", account, region)
    name = f"{image_id}-{time.time_ns()}"
    ec2.create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData={"ImageId": image_id, "InstanceType": "t3.micro"}
    )
    aws.client("autoscaling", account, region).create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=1,
        MaxSize=1,
        AvailabilityZones=[f"{region}a"],
        LaunchTemplate={"LaunchTemplateName": name},
        **group,
    )
    filters = [{"Name": "tag:aws:autoscaling:groupName", "Values": [name]}]
    (reservation,) = ec2.describe_instances(Filters=filters)["Reservations"]
    return state(ec2, reservation["Instances"][0]["InstanceId"])


def refusal(call: Any, **parameters: Any) -> str:
    """The code of AWS's refusal of a call; empty if it is answered."""
    try:
        call(**parameters)
    except ClientError as refused:
        return str(refused.response["Error"]["Code"])
    return ""


def steps(ansible: Ansible, tasks: Mapping[str, tuple[str, Mapping[str, Any]]], *options: str) -> Run:
    """Run a play of this collection's modules, by task name, each even if the one before failed."""
    return ansible.tasks(
        [
            {"name": name, MODULES + module: dict(arguments), "ignore_errors": True}
            for name, (module, arguments) in tasks.items()
        ],
        *options,
    )


def warnings(run: Run, task: str) -> str:
    """All warnings of a task as one text."""
    return "\n".join(str(one) for one in run.task(task).result.get("warnings", ()))


def await_matched(aws: SimulatedAws, number: int) -> None:
    """Wait until the first fault has matched so many calls."""
    deadline = time.monotonic() + _TIMEOUT
    while aws.faults()[0]["matched"] < number:
        assert time.monotonic() < deadline, "the call to strike never came"
        time.sleep(0.1)


def sids(statements: Sequence[Mapping[str, Any]]) -> list[str]:
    """The Sids of statements that have one, in their order."""
    return [statement["Sid"] for statement in statements if "Sid" in statement]


def state(ec2: Any, instance_id: str) -> str:
    """The state of an instance, with the code of its reason if there is one."""
    (reservation,) = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
    (instance,) = reservation["Instances"]
    found, reason = instance["State"]["Name"], instance.get("StateReason", {}).get("Code")
    return f"{found}: {reason}" if reason else str(found)


def _region(key_arn: str) -> str:
    return key_arn.split(":")[3]
