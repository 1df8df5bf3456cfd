# SPDX-License-Identifier: GPL-3.0-or-later

"""The IAM policies in the documentation suffice, and do not allow their principals to forge tags."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

from . import observed
from .fixture import CONSUMERS, HOME, OWNER, Fixture
from .playbook import CHECKOUT, Ansible

AWAY = "eu-west-1"
USER = "user"
MARKS = (
    "golden.images:source",
    "golden.images:cleanup-disabled",
    "golden.images:cleanup-image-ids",
    # aws:ResourceTag ignores the case of keys.
    "Golden.Images:Source",
)
DISKS = [{"device_name": "/dev/xvda", "size": 8}]


class Documented:
    """A user of the owner's account that has only the documented policy."""

    def __init__(self, fixture: Fixture, folder: Path, *statements: dict[str, Any]) -> None:
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        described = fixture.add(users={USER: {"accounts": [OWNER], "policy": policy}})
        made = described["users"][USER][OWNER]
        environment = {
            **fixture.environment(OWNER),
            "AWS_ACCESS_KEY_ID": made["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": made["secret_access_key"],
        }
        self.ansible = Ansible(environment, folder)
        self._environment = environment

    def ec2(self, region: str) -> Any:
        """An EC2 client with the user's credentials."""
        return boto3.client(
            "ec2",
            region_name=region,
            endpoint_url=self._environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=self._environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self._environment["AWS_SECRET_ACCESS_KEY"],
        )


def _statements(document: str) -> Iterator[dict[str, Any]]:
    """The statements of the policies in a document."""
    text = (CHECKOUT / document).read_text(encoding="utf-8")
    for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL):
        yield from json.loads(block).get("Statement", ())


def _denied(call: Callable[..., Any], **parameters: Any) -> bool:
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"] == "UnauthorizedOperation"
    return False


def test_a_distribution_cannot_forge_the_marks_of_its_copies(
    aws: SimulatedAws, fixture: Fixture, tmp_path: Path
) -> None:
    user = Documented(fixture, tmp_path, *_statements("README.md"))
    done = user.ansible.run(
        "golden.images.distribute_ami",
        {
            "distribute_source_image_id": fixture.image_id,
            "distribute_source_region": HOME,
            "distribute_regions": [HOME, AWAY],
            "distribute_account_ids": fixture.account_ids(*CONSUMERS),
            "distribute_tags": {"role": "web"},
            "distribute_shared_tags": {"version": "2026.11"},
        },
    )
    assert done.code == 0, done.text
    made = done.facts["distribute_images"][AWAY]
    retagged, _ = user.ansible.module(
        "ami_copy_regions",
        source_image_id=fixture.image_id,
        source_region=HOME,
        regions=[AWAY],
        tags={"role": "database"},
    )
    assert retagged.code == 0, retagged.text
    assert observed.image(aws, OWNER, AWAY, made)["Tags"]

    home, away = user.ec2(HOME), user.ec2(AWAY)
    snapshots = observed.snapshot_ids(observed.image(aws, OWNER, HOME, fixture.image_id))
    for resource in (fixture.image_id, *snapshots):
        for mark in MARKS:
            tags = [{"Key": "role", "Value": "web"}, {"Key": mark, "Value": f"{HOME}/{fixture.image_id}"}]
            assert _denied(home.create_tags, Resources=[resource], Tags=tags)
    assert _denied(home.deregister_image, ImageId=fixture.image_id)
    assert _denied(home.delete_snapshot, SnapshotId=snapshots[0])
    assert _denied(away.delete_tags, Resources=[made], Tags=[{"Key": MARKS[0]}])
    away.deregister_image(ImageId=made)


def test_a_cleanup_needs_no_tags_but_its_own(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> None:
    retiring = {
        "Effect": "Allow",
        "Action": [
            *("ec2:DeregisterImage", "ec2:DeleteSnapshot", "ec2:Describe*", "ec2:List*"),
            *("autoscaling:Describe*", "imagebuilder:*", "rbin:*", "ssm:Describe*", "ssm:Get*"),
        ],
        "Resource": "*",
    }
    tagging = [one for one in _statements("docs/cleanup.md") if one["Sid"] == "SetTagsOfCleanup"]
    images = fixture.add_images(
        {
            name: {"account": OWNER, "region": HOME, "name": name, "age_days": days, "devices": DISKS}
            for name, days in (("web-1", 90), ("web-2", 60), ("web-3", 1))
        }
    )
    old = images["web-1"]
    (snapshot,) = observed.snapshot_ids(observed.image(aws, OWNER, HOME, old))
    user = Documented(fixture, tmp_path, *tagging, retiring)

    run, done = user.ansible.module(
        "ami_cleanup",
        regions=[HOME],
        family_name_pattern="(web)-.*",
        keep_latest=2,
        max_deletions=10,
        deregister_after_days=0,
        tombstone_path=str(tmp_path / "tombstones"),
    )

    assert run.code == 0, run.text
    assert [one["action"] for one in done.result["actions"]] == ["CreateTags", "DeregisterImage"]
    assert snapshot not in _own_snapshots(aws)
    ec2 = user.ec2(HOME)
    ec2.create_tags(Resources=[images["web-3"]], Tags=[{"Key": "golden.images:restoring", "Value": ""}])
    for key in ("golden.images:source", "Name"):
        assert _denied(ec2.create_tags, Resources=[images["web-3"]], Tags=[{"Key": key, "Value": "1"}])
    assert _denied(ec2.delete_tags, Resources=[images["web-3"]])


def _own_snapshots(aws: SimulatedAws) -> set[str]:
    found = aws.client("ec2", OWNER, HOME).describe_snapshots(OwnerIds=["self"])["Snapshots"]
    return {one["SnapshotId"] for one in found}
