# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity-based policies for actions on images and snapshots.

(Service Authorization Reference, Actions, resources, and condition keys for Amazon EC2.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

ARNS = ["arn:aws:ec2:*::image/*", "arn:aws:ec2:*::snapshot/*"]
COPYING = {"StringEquals": {"ec2:CreateAction": "CopyImage"}}
IMAGE = {"account": "owner", "region": "us-east-1", "devices": [{"device_name": "/dev/xvda", "size": 8}]}


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedAws]:
    with SimulatedAws.start() as started:
        yield started


class Owner:
    """An account with two images; one has the tag `mark`."""

    def __init__(self, aws: SimulatedAws) -> None:
        self._aws = aws
        made = self._load(images={"plain": IMAGE, "marked": {**IMAGE, "tags": {"mark": "1"}}})["images"]
        self.plain, self.marked = (str(made[one]["image_id"]) for one in ("plain", "marked"))
        self.admin = aws.client("ec2", "owner")

    def user(self, *statements: dict[str, Any]) -> Any:
        """An EC2 client of a new user with these statements."""
        allowed = [{"Effect": "Allow", "Resource": ARNS, **one} for one in statements]
        policy = {"Version": "2012-10-17", "Statement": allowed}
        made = self._load(users={"user": {"accounts": ["owner"], "policy": policy}})["users"]["user"]["owner"]
        return boto3.client(
            "ec2",
            region_name="us-east-1",
            endpoint_url=self._aws.environment("owner")["AWS_ENDPOINT_URL"],
            aws_access_key_id=made["access_key_id"],
            aws_secret_access_key=made["secret_access_key"],
        )

    def snapshots_of(self, image_id: str) -> list[str]:
        (image,) = self.admin.describe_images(ImageIds=[image_id])["Images"]
        return [one["Ebs"]["SnapshotId"] for one in image["BlockDeviceMappings"]]

    def _load(self, **parts: Any) -> Any:
        return self._aws.load_fixture({"accounts": {"owner": "111111111111"}, **parts})


@pytest.fixture
def owner(server: SimulatedAws) -> Owner:
    server.reset()
    return Owner(server)


def denied(call: Callable[[], Any]) -> str:
    """The message of a call that is denied."""
    with pytest.raises(ClientError) as error:
        call()
    assert error.value.response["Error"]["Code"] == "UnauthorizedOperation"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return str(error.value.response["Error"]["Message"])


def copy(ec2: Any, source: str, *tagged: str) -> str:
    specifications = [{"ResourceType": kind, "Tags": [{"Key": "mark", "Value": "2"}]} for kind in tagged]
    parameters = {"TagSpecifications": specifications} if specifications else {}
    made = ec2.copy_image(Name="copy", SourceImageId=source, SourceRegion="us-east-1", **parameters)
    return str(made["ImageId"])


def test_tags_of_a_copy_need_create_tags_for_copy_image(owner: Owner) -> None:
    """EC2 User Guide, Grant permission to tag Amazon EC2 resources during creation."""
    ec2 = owner.user({"Action": "ec2:CopyImage"}, {"Action": "ec2:CreateTags", "Condition": COPYING})

    made = copy(ec2, owner.plain, "image", "snapshot")

    (image,) = owner.admin.describe_images(ImageIds=[made])["Images"]
    assert image["Tags"] == [{"Key": "mark", "Value": "2"}]
    message = denied(lambda: ec2.create_tags(Resources=[made], Tags=[{"Key": "mark", "Value": "3"}]))
    assert f"ec2:CreateTags on resource: arn:aws:ec2:us-east-1::image/{made}" in message


def test_without_create_tags_a_copy_can_have_no_tags(owner: Owner) -> None:
    ec2 = owner.user({"Action": "ec2:CopyImage"})
    assert "ec2:CreateTags on resource" in denied(lambda: copy(ec2, owner.plain, "snapshot"))
    assert copy(ec2, owner.plain).startswith("ami-")


def test_without_copy_image_nothing_can_be_copied(owner: Owner) -> None:
    ec2 = owner.user({"Action": "ec2:CreateTags"})
    assert "ec2:CopyImage on resource" in denied(lambda: copy(ec2, owner.plain))


def test_keys_of_tags_can_be_limited(owner: Owner) -> None:
    others = {"ForAllValues:StringNotLike": {"aws:TagKeys": "mark*"}, "Null": {"aws:TagKeys": "false"}}
    ec2 = owner.user({"Action": ["ec2:CreateTags", "ec2:DeleteTags"], "Condition": others})
    (snapshot,) = owner.snapshots_of(owner.marked)

    ec2.create_tags(Resources=[owner.marked, snapshot], Tags=[{"Key": "Name", "Value": "web"}])
    ec2.delete_tags(Resources=[owner.marked], Tags=[{"Key": "Name"}])

    both = [{"Key": "Name", "Value": "web"}, {"Key": "mark", "Value": "1"}]
    denied(lambda: ec2.create_tags(Resources=[owner.plain], Tags=both))
    denied(lambda: ec2.delete_tags(Resources=[owner.marked], Tags=[{"Key": "mark"}]))
    # Without tags in the request, DeleteTags deletes all (botocore shape DeleteTagsRequest, Tags).
    denied(lambda: ec2.delete_tags(Resources=[owner.marked]))


def test_deleting_can_depend_on_a_tag(owner: Owner) -> None:
    marked = {"Null": {"aws:ResourceTag/mark": "false"}}
    ec2 = owner.user({"Action": ["ec2:DeregisterImage", "ec2:DeleteSnapshot"], "Condition": marked})
    plain, kept = (owner.snapshots_of(one)[0] for one in (owner.plain, owner.marked))

    denied(lambda: ec2.deregister_image(ImageId=owner.plain))
    denied(lambda: ec2.deregister_image(ImageId="ami-0123456789abcdef0"))
    denied(lambda: ec2.delete_snapshot(SnapshotId=plain))
    # botocore shape SnapshotReturnCodes: the image is deregistered all the same.
    done = ec2.deregister_image(ImageId=owner.marked, DeleteAssociatedSnapshots=True)
    assert done["DeleteSnapshotResults"] == [{"SnapshotId": kept, "ReturnCode": "missing-permissions"}]
    owner.admin.create_tags(Resources=[kept], Tags=[{"Key": "mark", "Value": "1"}])
    ec2.delete_snapshot(SnapshotId=kept)


@pytest.mark.parametrize(
    ("effect", "why"),
    [("Allow", "because no identity-based policy allows"), ("Deny", "with an explicit deny")],
)
def test_sharing_needs_permission(owner: Owner, effect: str, why: str) -> None:
    (snapshot,) = owner.snapshots_of(owner.plain)
    elsewhere = [one.replace("*::", "eu-west-1::") for one in ARNS] if effect == "Allow" else ARNS
    ec2 = owner.user(
        {"Action": "ec2:*"} if effect == "Deny" else {"Action": "ec2:Copy*"},
        {"Effect": effect, "Action": "ec2:Modify*", "Resource": elsewhere},
    )
    to = [{"UserId": "222222222222"}]

    assert why in denied(
        lambda: ec2.modify_image_attribute(ImageId=owner.plain, LaunchPermission={"Add": to})
    )
    assert why in denied(
        lambda: ec2.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission={"Add": to})
    )
    owner.admin.modify_image_attribute(ImageId=owner.plain, LaunchPermission={"Add": to})


def test_a_dry_run_is_denied_too(owner: Owner) -> None:
    """botocore shape DeregisterImageRequest, DryRun."""
    ec2 = owner.user({"Action": "ec2:DeleteSnapshot"})
    denied(lambda: ec2.deregister_image(ImageId=owner.plain, DryRun=True))
    with pytest.raises(ClientError) as allowed:
        owner.admin.deregister_image(ImageId=owner.plain, DryRun=True)
    assert allowed.value.response["Error"]["Code"] == "DryRunOperation"
