# SPDX-License-Identifier: GPL-3.0-or-later

"""The guides in docs/moving: their examples run, and what other tools have copied is adopted as they say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulated_aws.client import SimulatedAws

from . import encrypted, observed
from .encrypted import ALIAS, DISTRIBUTE, EncryptedFixture
from .fixture import HOME, OWNER, Fixture
from .playbook import CHECKOUT, Ansible

pytestmark = pytest.mark.nightly

GUIDES = CHECKOUT / "docs" / "moving"
AWAY = "eu-west-1"
_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)


def _example(page: str, heading: str, **replaced: str) -> str:
    """The one block of YAML below a heading of a guide, with other values for its placeholders."""
    _before, _, after = (GUIDES / page).read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    (text,) = _BLOCK.findall(after.partition("\n## ")[0])
    for placeholder, value in replaced.items():
        assert placeholder in text
        text = text.replace(placeholder, value)
    return str(text)


def _variables(page: str, heading: str = "After", **replaced: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(_example(page, heading, **replaced))
    return loaded


def _copy(aws: SimulatedAws, source_id: str, region: str, **parameters: Any) -> str:
    """A copy by another tool, with a name of its own and no tags."""
    ec2 = aws.client("ec2", OWNER, region)
    copied = ec2.copy_image(SourceImageId=source_id, SourceRegion=HOME, Name=f"other-{region}", **parameters)
    ec2.get_waiter("image_available").wait(ImageIds=[copied["ImageId"]])
    return str(copied["ImageId"])


def _launchers(aws: SimulatedAws, region: str, image_id: str) -> set[str]:
    ec2 = aws.client("ec2", OWNER, region)
    found = ec2.describe_image_attribute(ImageId=image_id, Attribute="launchPermission")["LaunchPermissions"]
    return {permission["UserId"] for permission in found}


def test_copies_by_a_loop_with_amazon_aws_are_adopted(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    page, image_id = "from-amazon-aws.md", {"ami-0123456789abcdef0": fixture.image_id}
    before = ansible.folder / "distribute.yml"
    before.write_text(_example(page, "Before", **image_id), encoding="utf-8")
    old = ansible.run(before)
    assert old.code == 0, old.text
    assert len(observed.attempts(aws, "CopyImage")) == 2
    aws.clear_calls()

    variables = _variables(page, **image_id)
    done = ansible.run(DISTRIBUTE, variables)

    assert (done.code, done.changed, observed.changes(aws)) == (0, [], []), done.text
    images = done.facts["distribute_images"]
    copies = {one["item"]: one["image_id"] for one in old.task("Copy").result["results"]}
    assert images == copies
    assert done.task("Show the result").result["text"].count("adopted") == len(
        variables["distribute_regions"]
    )
    for region, image in images.items():
        assert _launchers(aws, region, image) == {*variables["distribute_account_ids"]}


def test_plain_copies_by_packer_are_adopted_and_encrypted_ones_are_not(
    aws: SimulatedAws, tmp_path: Path
) -> None:
    fixture = EncryptedFixture(aws)
    ansible = Ansible(fixture.environment(OWNER), tmp_path)
    variables = _variables("from-packer.md")
    regions = variables["distribute_regions"]
    away = [region for region in regions if region != HOME]
    plain = {region: _copy(aws, fixture.image_id, region, Encrypted=True, KmsKeyId=ALIAS) for region in away}
    adopting = ansible.run(DISTRIBUTE, variables)
    assert adopting.code == 0, adopting.text
    assert adopting.facts["distribute_images"] == {HOME: fixture.image_id, **plain}
    for region in regions:
        key = fixture.key(region)
        assert encrypted.grantees(aws, key) == [
            encrypted.root(one) for one in sorted(variables["distribute_account_ids"])
        ]

    # With encrypt_boot, the image in the build region is a copy of the intermediate image, too.
    intermediate = _copy(aws, fixture.image_id, HOME, Encrypted=True, KmsKeyId=ALIAS)
    final = {region: _copy(aws, intermediate, region, Encrypted=True, KmsKeyId=ALIAS) for region in away}
    built = aws.client("ec2", OWNER, HOME).copy_image(
        SourceImageId=intermediate, SourceRegion=HOME, Name="golden-db-1", Encrypted=True, KmsKeyId=ALIAS
    )["ImageId"]
    aws.client("ec2", OWNER, HOME).deregister_image(ImageId=intermediate)
    aws.clear_calls()
    planned = ansible.run(
        DISTRIBUTE, {**variables, "distribute_source_filters": {"name": "golden-db-1"}}, "--check", "--diff"
    )
    assert planned.code == 0, planned.text
    copies = [change.region for change in planned.actions if change.action == "CopyImage"]
    assert copies == sorted(away)
    assert planned.task("Show the result").result["text"].count("(new)") == len(away)

    existing = _variables("README.md", "Images that cannot be adopted")
    existing["existing_images"] = {HOME: built, **final}
    shared = ansible.run("golden.images.share_ami", existing)
    assert shared.code == 0, shared.text
    for region, image in existing["existing_images"].items():
        assert _launchers(aws, region, image) == {*existing["share_account_ids"]}
    assert observed.attempts(aws, "CopyImage") == []


def test_what_image_builder_distributed_is_adopted_and_published(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    variables = _variables("from-image-builder.md", **{"111122223333": aws.account_id(OWNER)})
    (pattern,) = variables["distribute_source_filters"].values()
    arn = pattern.replace("/*", "/1.0.0/1")
    aws.client("ec2", OWNER, HOME).create_tags(
        Resources=[fixture.image_id], Tags=[{"Key": "Ec2ImageBuilderArn", "Value": arn}]
    )
    copied = _copy(aws, fixture.image_id, AWAY, CopyImageTags=True)
    parameter = variables["distribute_publish_parameter"]
    for region, image in ((HOME, fixture.image_id), (AWAY, copied)):
        aws.client("ssm", OWNER, region).put_parameter(
            Name=parameter, Value=image, Type="String", DataType="aws:ec2:image"
        )
    aws.clear_calls()

    done = ansible.run(DISTRIBUTE, variables)

    assert done.code == 0, done.text
    assert done.facts["distribute_images"] == {HOME: fixture.image_id, AWAY: copied}
    assert observed.attempts(aws, "CopyImage") == []
    for region, image in done.facts["distribute_images"].items():
        assert _launchers(aws, region, image) == {*variables["distribute_account_ids"]}
        published = aws.client("ssm", OWNER, region).get_parameter(
            Name=f"{parameter}:source-{fixture.image_id}"
        )
        assert published["Parameter"]["Value"] == image
