# SPDX-License-Identifier: GPL-3.0-or-later

"""The account that owns an image and those that would launch it, as their calls answer."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, cast

from ansible_collections.golden.images.plugins.modules import ami_share_diagnose
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

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
    """The clients of all accounts; the answers are those of the account of the credentials, the owner.

    ``accounts`` answer as those whose role can be assumed. ``regions`` are other answers of the owner in some
    regions. ``opened`` are the services whose clients were created, with their regions, and
    ``refused`` the accounts whose role was tried in vain.
    """

    def __init__(self, **answers: Any) -> None:
        super().__init__(**answers)
        self.regions: dict[str, Answers] = {}
        self.opened: list[tuple[str, tuple[str, ...]]] = []
        self.refused: list[str] = []
        self._given = self.credentials()

    def open(self, service: str, regions: Any) -> None:
        self.opened.append((service, tuple(sorted(set(regions)))))

    def credentials(self) -> Credentials:
        return Credentials(OWNER, "not-a-secret")

    def role_credentials(self, role_arn: str, _external_id: str | None, _region: str) -> Credentials:
        return Credentials(role_arn.split(":")[4], "not-a-secret")

    def with_credentials(self, credentials: Credentials) -> Accounts:
        found = copy.copy(self)
        found._given = credentials
        return found

    def client(self, service: str, region: str) -> Any:
        client = super().client(service, region)
        client._make_api_call = lambda operation, request: self._account(region)._answer(
            client, operation, request
        )
        return client

    def _account(self, region: str) -> Answers:
        account_id = self._given.get_frozen_credentials().access_key
        if account_id == OWNER:
            return self.regions.get(region, self)
        if account_id not in self.accounts:
            self.refused.append(account_id)
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "AssumeRole")
        return self.accounts[account_id]


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
