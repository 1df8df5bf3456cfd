# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_share`` reads about the keys of encrypted images."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws import caller
from ansible_collections.golden.images.plugins.module_utils.aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils.model import (
    Grant,
    Image,
    Key,
    KeySeen,
    Sharing,
    Snapshot,
)
from ansible_collections.golden.images.plugins.module_utils.share import flow, read_keys
from ansible_collections.golden.images.plugins.module_utils.share import read as share_read
from ansible_collections.golden.images.plugins.module_utils.share.state import Shared

from tests.unit.copy.aws_in_steps import refused
from tests.unit.examples import OWNER, STRANGER, target_in, volumes
from tests.unit.keys.examples import DEFAULT, OTHER, WANTED, key_arn
from tests.unit.keys.policies import consumers as policy_consumers
from tests.unit.keys.policies import opened_to, policy_of
from tests.unit.kms_grant.examples import A, B, made, root
from tests.unit.share.examples import IMAGE, REGION, image_that, wanted, with_accounts

FOREIGN = Key(key_arn("theirs", account_id=STRANGER))
KEYS = {key.arn: key for key in (WANTED, OTHER, DEFAULT, FOREIGN)}


class Reading:
    """Replaces ``aws.read``: an image with a snapshot under each of these keys."""

    def __init__(self, *keys: Key | None, grants: tuple[Grant, ...] = (), **changes: Any) -> None:
        ids = [f"snap-{number}" for number in range(len(keys))]
        self._keys = dict(zip(ids, keys, strict=True))
        self._image = image_that(devices=volumes(*ids, encrypted=any(keys)), **changes)
        self._grants = grants
        self.policy = policy_of()
        self.policy_of_both = ""
        self.associated: tuple[str, ...] = ()
        self.refuse: str | None = None
        self.asked: list[str] = []

    def caller(self, _sts: object) -> Caller:
        return Caller(OWNER, "aws")

    def image(self, _ec2: object, _image_id: str) -> Image:
        return self._image

    settled_image = image

    def launch_permissions(self, _ec2: object, _image_id: str) -> Sharing:
        return Sharing()

    def volume_permissions(self, _ec2: object, _snapshot_id: str) -> Sharing:
        return Sharing()

    def snapshots(self, _ec2: object, snapshot_ids: list[str]) -> tuple[Snapshot, ...]:
        return tuple(
            Snapshot(item, "completed", 100, key.arn if key else None, associated_key_arns=self.associated)
            for item, key in self._keys.items()
            if item in snapshot_ids
        )

    def key(self, _kms: object, key_id: str) -> Key:
        self._note("DescribeKey", key_id)
        return KEYS[key_id]

    def grants(self, _kms: object, key_arn: str) -> tuple[Grant, ...]:
        self._note("ListGrants", key_arn)
        return self._grants

    def key_policy(self, _kms: object, key_arn: str) -> str:
        self._note("GetKeyPolicy", key_arn)
        return self.policy

    def key_policies(self, _kms: object, key_arn: str) -> str:
        self._note("GetKeyPolicy of RAM", key_arn)
        return self.policy_of_both or self.policy

    def _note(self, operation: str, key_id: str) -> None:
        self.asked.append(f"{operation} {key_id.rsplit('/', 1)[1]}")
        if operation == self.refuse:
            raise refused("AccessDeniedException", operation)


class Clients:
    """Records for which services clients were made."""

    default_region = REGION

    def __init__(self) -> None:
        self.opened: list[str] = []

    def open(self, service: str, regions: list[str]) -> None:
        self.opened += [service] if regions else []

    def __getattr__(self, service: str) -> Any:
        return lambda _region: None


def read_with(
    monkeypatch: pytest.MonkeyPatch, reading: Reading, clients: Clients | None = None, **changes: Any
) -> Shared:
    for module in (caller, read_keys, share_read):
        monkeypatch.setattr(module, "read", reading)
    want = wanted(**{"sharing": with_accounts(A), "images": {REGION: IMAGE}, **changes})
    return flow.read_state(clients or Clients(), want).images[target_in(REGION)]  # type: ignore[arg-type]


ALL_OF = [
    "DescribeKey wanted",
    "ListGrants wanted",
    "GetKeyPolicy wanted",
    "GetKeyPolicy of RAM wanted",
]


@pytest.mark.parametrize(
    ("reading", "asked", "keys"),
    [
        pytest.param(Reading(None), [], [], id="not encrypted"),
        pytest.param(Reading(WANTED), ALL_OF, [WANTED], id="no grant: the policy is read"),
        pytest.param(
            Reading(WANTED, grants=(made(root(A)),)),
            ALL_OF[:2],
            [WANTED],
            id="a grant: the policy is not read",
        ),
        pytest.param(
            Reading(WANTED, grants=(made(root(B)),)), ALL_OF, [WANTED], id="another account's grant"
        ),
        pytest.param(
            Reading(WANTED, WANTED, grants=(made(root(A)),)), ALL_OF[:2], [WANTED], id="a key is read once"
        ),
        pytest.param(Reading(DEFAULT), ["DescribeKey aws-ebs"], [DEFAULT], id="aws/ebs"),
        pytest.param(Reading(FOREIGN), ["DescribeKey theirs"], [], id="another account's"),
        pytest.param(
            Reading(WANTED, None, OTHER, grants=(made(root(A)),)),
            ["DescribeKey other", "ListGrants other", *ALL_OF[:2]],
            [OTHER, WANTED],
            id="each key of the image",
        ),
    ],
)
def test_reads_of_keys(
    monkeypatch: pytest.MonkeyPatch, reading: Reading, asked: list[str], keys: list[Key]
) -> None:
    shared = read_with(monkeypatch, reading)
    assert reading.asked == asked
    assert [key.key for key in shared.keys] == keys
    assert shared.key_problem is None


def test_a_key_that_is_known_to_be_usable_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, clients = Reading(WANTED, OTHER, grants=(made(root(A)),)), Clients()
    shared = read_with(monkeypatch, reading, clients, usable_keys=frozenset({WANTED.arn}))
    assert reading.asked == ["DescribeKey other", "ListGrants other"]
    assert [key.key for key in shared.keys] == [OTHER]
    reading, clients = Reading(WANTED), Clients()
    read_with(monkeypatch, reading, clients, usable_keys=frozenset({WANTED.arn}))
    assert (reading.asked, "kms" in clients.opened) == ([], False)


def test_the_policy_of_ram_is_read_only_if_the_other_gives_no_access(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(WANTED)
    reading.policy_of_both = opened_to(policy_consumers(A))
    shared = read_with(monkeypatch, reading)
    assert (reading.asked, shared.keys) == (ALL_OF, (KeySeen(WANTED, (), reading.policy_of_both),))
    reading = Reading(WANTED)
    reading.policy = opened_to(policy_consumers(A))
    read_with(monkeypatch, reading)
    assert reading.asked == ALL_OF[:3]


def test_a_key_beside_which_another_is_associated_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(WANTED)
    reading.associated = (OTHER.arn,)
    shared = read_with(monkeypatch, reading)
    assert (reading.asked, shared.keys) == ([], ())


def test_key_has_its_grants_and_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(WANTED, grants=(made(root(B)),))
    reading.policy = opened_to(policy_consumers(A))
    shared = read_with(monkeypatch, reading)
    assert shared.keys == (KeySeen(WANTED, (made(root(B)),), reading.policy),)


@pytest.mark.parametrize(
    ("reading", "changes", "reached"),
    [
        pytest.param(Reading(WANTED), {}, True, id="encrypted"),
        pytest.param(Reading(None), {}, False, id="not encrypted"),
        pytest.param(Reading(WANTED), {"present": False}, False, id="absent"),
        pytest.param(Reading(WANTED), {"images": {REGION: None}}, False, id="only planned"),
    ],
)
def test_kms_is_used_only_for_encrypted_images_that_are_shared(
    monkeypatch: pytest.MonkeyPatch, reading: Reading, changes: dict[str, Any], reached: bool
) -> None:
    clients = Clients()
    read_with(monkeypatch, reading, clients, **changes)
    assert ("kms" in clients.opened) is reached
    assert bool(reading.asked) is reached


@pytest.mark.parametrize("operation", ["DescribeKey", "ListGrants", "GetKeyPolicy"])
def test_unreadable_key_is_a_problem_not_a_failure(monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    reading = Reading(WANTED)
    reading.refuse = operation
    shared = read_with(monkeypatch, reading)
    assert shared.keys == ()
    assert shared.key_problem is not None
    assert operation in shared.key_problem
