# SPDX-License-Identifier: GPL-3.0-or-later

"""A block beside an undo, other recalls, other images and denied calls: nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._plan import Performed
from ansible_collections.golden.images.plugins.module_utils._recall import flow as recall_flow
from ansible_collections.golden.images.plugins.module_utils._recall import write_access

from simulated_aws.client import SimulatedAws

from . import observed
from .fixture import HOME, OWNER, Fixture
from .in_process import Modules
from .publishing import AWAY, CONSUMER, PARAMETER
from .recalling import RECALLED_TAG, Recall, access, codes, recall_tags, release, share_volumes

BLOCK = {"level": "block", "accept_breaking": ["all"]}
UNDO = {"state": "absent"}


class Block(Recall):
    """A shared release, and recalls of it by the module alone."""

    def __init__(self, aws: SimulatedAws, fixture: Fixture, modules: Modules) -> None:
        self.aws, self.images = aws, release(aws, fixture, "2026.11")
        super().__init__(modules, self.images, tombstone_s3_uri="s3://recalls/golden")
        (self.consumer,) = fixture.account_ids(CONSUMER)
        share_volumes(aws, fixture, self.images)
        aws.client("s3", OWNER, HOME).create_bucket(Bucket="recalls")
        self.before = self.access()

    def access(self) -> Any:
        """Who can use the images."""
        return access(self.aws, self.images)

    @property
    def record(self) -> dict[str, Any]:
        """The tombstone in the bucket."""
        s3 = self.aws.client("s3", OWNER, HOME)
        (item,) = s3.list_objects_v2(Bucket="recalls")["Contents"]
        found: dict[str, Any] = json.loads(s3.get_object(Bucket="recalls", Key=item["Key"])["Body"].read())
        return found

    @property
    def is_blocked(self) -> bool:
        """Whether nobody has permissions."""
        return all(not launch and not any(volumes) for _state, launch, volumes in self.access().values())


@pytest.fixture
def block(aws: SimulatedAws, fixture: Fixture, modules: Modules) -> Block:
    return Block(aws, fixture, modules)


def once(
    monkeypatch: pytest.MonkeyPatch, method: str, run: Callable[[], Any], *, after: bool = False
) -> None:
    """Run something once, before or after the next call of a method of a recall's work."""
    original, pending = getattr(recall_flow._Work, method), [run]

    def call(self: Any, *given: Any) -> Any:
        now = [pending.pop()] if pending else []
        if not after:
            [item() for item in now]
        answer = original(self, *given)
        if after:
            [item() for item in now]
        return answer

    monkeypatch.setattr(recall_flow._Work, method, call)


def deny(monkeypatch: pytest.MonkeyPatch, module: Any, operation: str) -> None:
    """Deny an operation."""
    original = module.perform_all

    def perform(ec2: Any, actions: Any) -> Performed:
        if actions and actions[0].operation == operation:
            target = actions[0].target
            failure = Failure.at(target, operation, "UnauthorizedOperation", "Denied.", "Allow it.")
            return Performed(failures=(failure,))
        done: Performed = original(ec2, actions)
        return done

    monkeypatch.setattr(module, "perform_all", perform)


def test_an_undo_before_images_are_blocked_stops_the_block(
    block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    undone: list[Any] = []
    once(monkeypatch, "_move", lambda: undone.append(block(**UNDO)))
    done = block(**BLOCK)
    assert ("msg" in undone[0], codes(done)) == (False, ["concurrent_change"])
    assert (block.access(), block.record["taken_back_at"] is None) == (block.before, False)


def test_an_undo_that_has_read_before_images_are_blocked_cannot_complete(
    block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "msg" not in block()
    once(monkeypatch, "_move", lambda: block(**BLOCK))
    assert codes(block(**UNDO)) == ["concurrent_change"]
    assert block.is_blocked
    assert "msg" not in block(**UNDO)
    assert (block.access(), recall_tags(block.aws, block.images)) == (block.before, [None, None])


def test_an_undo_that_ends_while_images_are_blocked_can_be_repeated(
    block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    undone: list[Any] = []
    # It has found all permissions: none was removed yet.
    once(monkeypatch, "_change_access", lambda: undone.append(block(**UNDO)))
    done = block(**BLOCK)
    assert ("msg" in undone[0], codes(done)) == (False, ["concurrent_change"])
    assert (block.is_blocked, block.record["taken_back_at"]) == (True, None)
    assert "msg" not in block(**UNDO)
    assert block.access() == block.before


def test_an_image_without_the_tag_is_not_blocked(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as denied:
        deny(denied, recall_flow, "CreateTags")
        done = block(**BLOCK)
    assert {*codes(done)} == {"UnauthorizedOperation"}
    assert "not blocked" in done["failures"][0]["remedy"]
    assert block.access() == block.before
    assert "msg" not in block(**BLOCK)
    shared = block.run("ami_share", images=block.images, account_ids=[block.consumer])
    assert ({*codes(shared)}, block.is_blocked) == ({"image_recalled"}, True)


def test_a_snapshot_that_another_image_has_keeps_its_permissions(block: Block) -> None:
    ec2 = block.aws.client("ec2", OWNER, HOME)
    (snapshot,) = observed.snapshot_ids(observed.image(block.aws, OWNER, HOME, block.images[HOME]))
    device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}
    good = ec2.register_image(
        Name="good-2026.10",
        Architecture="x86_64",
        RootDeviceName="/dev/xvda",
        VirtualizationType="hvm",
        BlockDeviceMappings=[device],
    )["ImageId"]
    done = block(**BLOCK)
    assert "msg" not in done
    (warning,) = [text for text in block.warnings if snapshot in text]
    assert good in warning
    assert observed.volume_permissions(block.aws, OWNER, HOME, snapshot) == {block.consumer}
    assert [launch for _state, launch, _volumes in block.access().values()] == [set(), set()]
    assert "msg" not in block(**UNDO)
    assert block.access() == block.before


def test_an_image_that_the_recall_could_not_disable_is_not_enabled_by_it(
    block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as denied:
        deny(denied, write_access, "DisableImage")
        assert {*codes(block(**BLOCK, block_method="disable"))} == {"UnauthorizedOperation"}
    assert {item["disabled"] for item in block.record["blocked"]} == {False}
    assert "msg" not in block(**BLOCK)
    block.aws.client("ec2", OWNER, AWAY).disable_image(ImageId=block.images[AWAY])
    done = block(**UNDO)
    assert (codes(done), block.access()[AWAY][0]) == (["image_not_available"], "disabled")


def test_a_recall_stays_open_for_an_image_that_cannot_be_opened_yet(block: Block) -> None:
    assert "msg" not in block(**BLOCK)
    ec2 = block.aws.client("ec2", OWNER, AWAY)
    ec2.disable_image(ImageId=block.images[AWAY])
    done = block(**UNDO)
    assert (codes(done), block.access()[HOME]) == (["image_not_available"], block.before[HOME])
    (shown,) = ec2.describe_images(ImageIds=[block.images[AWAY]], IncludeDisabled=True)["Images"]
    assert RECALLED_TAG in [tag["Key"] for tag in shown["Tags"]]
    assert recall_tags(block.aws, {HOME: block.images[HOME]}) == [None]
    ec2.enable_image(ImageId=block.images[AWAY])
    assert "msg" not in block(**UNDO)
    assert (block.access(), recall_tags(block.aws, block.images)) == (block.before, [None, None])


def test_the_tag_of_another_recall_stays(block: Block) -> None:
    of_copy = {"source_image_id": block.images[AWAY], "source_region": AWAY}
    assert "msg" not in block(**BLOCK, **of_copy)
    ec2 = block.aws.client("ec2", OWNER, AWAY)
    tag = {"Key": RECALLED_TAG, "Value": "2026-11-30T00:00:00Z"}
    ec2.create_tags(Resources=[block.images[AWAY]], Tags=[tag])
    assert "msg" not in block()
    assert "msg" not in block(**UNDO)
    assert [text for text in block.warnings if block.images[AWAY] in text and "another recall" in text]
    assert [bool(tag) for tag in recall_tags(block.aws, block.images)] == [
        region == AWAY for region in block.images
    ]


def test_a_release_without_an_earlier_image_is_blocked_all_the_same(block: Block) -> None:
    ssm = block.aws.client("ssm", OWNER, HOME)
    ssm.put_parameter(Name=PARAMETER, Value=block.images[HOME], DataType="aws:ec2:image", Type="String")
    given = {"parameter": PARAMETER, "regions": [HOME]}
    refused = block(**given, **{**BLOCK, "level": "withdraw", "accept_breaking": []})
    assert (codes(refused), refused["changed"], "images" in refused) == (["no_earlier_image"], False, False)
    done = block(**given, **BLOCK)
    assert (codes(done), done["changed"], block.access()[HOME][1]) == (["no_earlier_image"], True, set())
