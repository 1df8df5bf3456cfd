# SPDX-License-Identifier: GPL-3.0-or-later

"""The owner's shared snapshots under a key that no image uses."""

from __future__ import annotations

from typing import Any

from ansible_collections.golden.images.plugins.module_utils.keys.needed import SharedUnderKey
from ansible_collections.golden.images.plugins.module_utils.kms_grant.read_snapshots import with_snapshots
from ansible_collections.golden.images.plugins.module_utils.model import KeyRef, Sharing

from tests.unit.examples import OWNER
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import consumers
from tests.unit.kms_grant.examples import DEPLOY, A, B
from tests.unit.kms_grant.kms_in_memory import Ec2, World, world
from tests.unit.kms_grant.runs import EU, planned, wanted, world_with_access

KEY, OTHER = key_arn("a", EU), key_arn("b", EU)
REF = KeyRef(EU, KEY)
LEFT = {"snap-1": KEY, "snap-2": OTHER, "snap-3": KEY}
TO_A = [{"UserId": A}]


def read(aws: World, shared: SharedUnderKey, *losing: str) -> SharedUnderKey:
    clients: Any = aws
    (found,) = with_snapshots(clients, OWNER, {REF: consumers(*losing)}, {REF: shared}).values()
    return found


def with_left(**content: Any) -> tuple[World, Ec2]:
    aws = world(EU)
    aws.ec2_clients[EU] = ec2 = Ec2(
        key_of_snapshots=LEFT, volumes={"snap-1": TO_A, "snap-2": TO_A, "snap-of-ami-1": TO_A}, **content
    )
    return aws, ec2


def test_a_shared_snapshot_without_an_image_needs_the_key() -> None:
    """(botocore operation DescribeSnapshots: account IDs of restorable users.)"""
    aws, ec2 = with_left(images={"ami-1": KEY})
    found = read(aws, SharedUnderKey(), A, DEPLOY, OWNER)
    assert found.snapshots == {"snap-1": Sharing(account_ids=frozenset({A}))}
    assert found.needed(consumers(A, B, DEPLOY)) == consumers(A, DEPLOY)
    assert (found.snapshots_for(consumers(A)), found.snapshots_for(consumers(B))) == (("snap-1",), ())
    assert ec2.calls == ["DescribeSnapshots", "DescribeImages", "DescribeSnapshotAttribute snap-1"]


def test_nothing_is_read_for_accounts_that_keep_their_access() -> None:
    aws, ec2 = with_left()
    shared = SharedUnderKey({"ami-2": Sharing(account_ids=frozenset({A}))})
    assert read(aws, shared, A) == shared
    unread = SharedUnderKey(unread=("ami-1 is pending.",))
    assert read(aws, unread, A) == unread
    assert ec2.calls == []


def test_what_cannot_be_read_keeps_all_access() -> None:
    for operation, resource in (("DescribeSnapshots", ""), ("DescribeSnapshotAttribute", " snap-1")):
        aws, _ec2 = with_left(refuse={f"{operation}{resource}": "UnauthorizedOperation"})
        found = read(aws, SharedUnderKey(), A)
        assert found.unread[0].startswith(f"{operation}: ")
        assert found.needed(consumers(A)) == consumers(A)


def test_the_plan_keeps_access_to_such_a_snapshot_and_names_it() -> None:
    aws = world_with_access(A, B, regions=(EU,))
    aws.ec2_clients[EU] = Ec2(key_of_snapshots={"snap-1": KEY}, volumes={"snap-1": TO_A})
    _seen, plan = planned(aws, wanted(A, B, present=False))
    assert [action.operation for action in plan.actions] == ["RevokeGrant"]
    assert any(f"is kept for {A}" in warning and "(snap-1)" in warning for warning in plan.warnings)
