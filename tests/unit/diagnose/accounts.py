# SPDX-License-Identifier: GPL-3.0-or-later

"""The account that owns an image and those that would launch it, as their calls answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ansible_collections.golden.images.plugins.modules import ami_share_diagnose

from tests.unit.aws.test_read import ARN, metadata
from tests.unit.cleanup.aws_answers import Answers
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID
from tests.unit.flow_run import FlowRun

EU, US = "eu-west-1", "us-east-1"
OTHER_ID = "ami-0fedcba9876543210"
NOT_FOUND = "InvalidAMIID.NotFound"
ACCEPTED = "DryRunOperation"
SHARED = {"LaunchPermissions": [{"UserId": CONSUMER}]}
PUBLIC = [{"Group": "all"}]
KEY_DRY_RUNS = ("create_grant", "decrypt", "generate_data_key_without_plaintext", "re_encrypt")


class Accounts(Answers):
    """The clients of all accounts.

    ``regions`` are other answers of the owner in some regions. ``opened`` are the services whose clients were
    created, with their regions.
    """

    def __init__(self, **answers: Any) -> None:
        super().__init__(**answers)
        self.regions: dict[str, Answers] = {}
        self.opened: list[tuple[str, tuple[str, ...]]] = []

    def open(self, service: str, regions: Any) -> None:
        self.opened.append((service, tuple(sorted(set(regions)))))

    def _account(self, region: str) -> Answers:
        found = super()._account(region)
        return self.regions.get(region, self) if found is self else found


def shown(*, encrypted: bool = False, **members: Any) -> dict[str, Any]:
    """The image as DescribeImages returns it."""
    disk = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-1", "Encrypted": encrypted}}
    plain = {
        "ImageId": SOURCE_ID,
        "OwnerId": OWNER,
        "State": "available",
        "Architecture": "arm64",
        "BlockDeviceMappings": [disk],
    }
    return {"Images": [{**plain, **members}]}


def key_policy(request: Mapping[str, Any]) -> Any:
    """The answer to GetKeyPolicy for a key that is not shared through AWS RAM."""
    return {"Policy": '{"Statement": []}'} if request["PolicyName"] == "default" else "NotFoundException"


def grant(**members: Any) -> dict[str, Any]:
    """A list of one grant to the account, which is all that a launch needs."""
    operations = ["CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey"]
    needed = [*operations, "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"]
    one = {"GrantId": "g", "GranteePrincipal": f"arn:aws:iam::{CONSUMER}:root", "Operations": needed}
    return {"Grants": [{**one, **members}]}


def under(arn: str = ARN, **members: Any) -> dict[str, Any]:
    """The image's snapshot as DescribeSnapshots returns it, under this key."""
    return {"Snapshots": [{"SnapshotId": "snap-1", "State": "completed", "KmsKeyId": arn, **members}]}


def owner(**answers: Any) -> Accounts:
    """The owner of an image that is shared with the account, as is its snapshot. No role can be assumed."""
    given = {
        "describe_images": shown(),
        "describe_image_attribute": SHARED,
        "describe_snapshot_attribute": {"CreateVolumePermissions": [{"UserId": CONSUMER}]},
    }
    return Accounts(**{**given, **answers})


def encrypted(**answers: Any) -> Accounts:
    """The same for an encrypted image, whose key the account may use."""
    given = {
        "describe_images": shown(encrypted=True),
        "describe_snapshots": under(),
        "describe_key": metadata(),
        "list_grants": grant(),
        "get_key_policy": key_policy,
    }
    return owner(**{**given, **answers})


def consumer(of_owner: Accounts, account_id: str = CONSUMER, **answers: Any) -> Answers:
    """An account that sees the owner's image, and whose dry runs succeed."""
    given = {
        "describe_images": of_owner.answers["describe_images"],
        "run_instances": ACCEPTED,
        "describe_key": metadata(),
        **dict.fromkeys(KEY_DRY_RUNS, "DryRunOperationException"),
    }
    of_owner.accounts[account_id] = Answers(**{**given, **answers})
    return of_owner.accounts[account_id]


def run(aws: Accounts, check_mode: bool = False, **options: Any) -> FlowRun:
    """A run of ``ami_share_diagnose``, by default for the image in one region and one account."""
    given = {
        "images": {EU: SOURCE_ID},
        "account_ids": [CONSUMER],
        "consumer_role_name": "golden",
        **options,
    }
    return FlowRun(ami_share_diagnose.FLOW, given, aws, check_mode)


def diagnosed(aws: Accounts, **options: Any) -> dict[str, Any]:
    """The only result of a run."""
    (found,) = run(aws, **options).results
    return cast("dict[str, Any]", found)


def failures(found: FlowRun) -> list[tuple[str, str | None, str]]:
    """Operation, region and error code of each failure."""
    return [(one.action, one.region, one.error_code) for one in found.plan.failures]


def called(account: Answers, method: str) -> list[Mapping[str, Any]]:
    """The requests of this method."""
    return [request for name, request in account.calls if name == method]
