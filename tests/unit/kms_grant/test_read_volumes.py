# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes of consumers under a key whose access would be revoked."""

from __future__ import annotations

from typing import Any

from ansible_collections.golden.images.plugins.module_utils.aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils.keys.needed import SharedUnderKey
from ansible_collections.golden.images.plugins.module_utils.kms_grant.read_volumes import with_volumes
from ansible_collections.golden.images.plugins.module_utils.model import ConsumerRole, KeyRef, Sharing

from tests.unit.examples import OWNER
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import consumers
from tests.unit.kms_grant.examples import DEPLOY, A, B
from tests.unit.kms_grant.kms_in_memory import Ec2, World, world
from tests.unit.kms_grant.runs import EU, run, wanted, world_with_access

KEY = key_arn("a", EU)
REF = KeyRef(EU, KEY)
ROLE = ConsumerRole("golden-consumer")


def read(aws: World, shared: SharedUnderKey, *losing: str, **options: Any) -> SharedUnderKey:
    want, caller = wanted(**options), Caller(OWNER, "aws")
    aws.open("sts", [EU])
    (found,) = with_volumes(aws, want, caller, {REF: consumers(*losing)}, {REF: shared}).values()  # type: ignore[arg-type]
    return found


def with_volume(aws: World, account_id: str, **content: Any) -> Ec2:
    ec2 = Ec2(**{"key_of_volumes": {"vol-2": KEY, "vol-1": KEY, "vol-3": key_arn("b", EU)}, **content})
    aws.consumer_ec2[account_id] = {EU: ec2}
    return ec2


def test_volumes_of_accounts_that_need_the_key_for_no_image_are_read_once() -> None:
    aws = world(EU)
    of_a, of_b = with_volume(aws, A), with_volume(aws, B)
    shared = SharedUnderKey({"ami-1": Sharing(account_ids=frozenset({B}))})
    found = read(aws, shared, A, B, DEPLOY, "AROAEXAMPLE", OWNER, consumer_role=ROLE)
    assert (found.volumes.by_account, found.volumes.unseen) == ({A: ("vol-2", "vol-1")}, {})
    assert (of_a.calls, of_b.calls) == (["DescribeVolumes"], [])
    assert found.needed(consumers(A, DEPLOY)) == consumers(A, DEPLOY)
    assert found.volumes_for(consumers(DEPLOY)) == ("vol-1", "vol-2")
    assert found.volumes_for(consumers(B)) == ()


def test_nothing_is_read_without_a_role() -> None:
    aws = world(EU)
    found = read(aws, SharedUnderKey(), A)
    assert (found.volumes.by_account, found.volumes.unseen) == ({}, {A: "consumer_role_name is not set."})
    assert aws.assumed == []


def test_nothing_is_read_if_all_keep_their_access() -> None:
    aws = world(EU)
    unread = SharedUnderKey(unread=("ami-1 is pending.",))
    assert read(aws, unread, A, consumer_role=ROLE) == unread
    assert aws.assumed == []


def test_access_of_an_account_with_volumes_is_kept() -> None:
    aws = world_with_access(A, B, regions=(EU,))
    with_volume(aws, A)
    result, outcome = run(aws, wanted(A, B, present=False, consumer_role=ROLE))
    assert [action.operation for action in outcome.performed] == ["RevokeGrant"]  # type: ignore[attr-defined]
    (key,) = result["results"][0]["kms_keys"]
    (kept,) = key["kept_access"]
    assert (kept["principal"], kept["image_ids"], kept["volume_ids"]) == (A, [], ["vol-1", "vol-2"])
    assert "volumes" in kept["reason"]
    assert key["unseen_volumes"] == []
    _result, outcome = run(aws, wanted(A, present=False, consumer_role=ROLE, revoke_in_use=True))
    assert [action.operation for action in outcome.performed] == ["RevokeGrant"]  # type: ignore[attr-defined]


def test_volumes_that_cannot_be_read_are_reported() -> None:
    aws = world_with_access(A, regions=(EU,))
    with_volume(aws, A, refuse={"DescribeVolumes": "UnauthorizedOperation"})
    result, outcome = run(aws, wanted(A, present=False, consumer_role=ROLE))
    assert [action.operation for action in outcome.performed] == ["RevokeGrant"]  # type: ignore[attr-defined]
    (unseen,) = result["results"][0]["kms_keys"][0]["unseen_volumes"]
    assert unseen["account_id"] == A
    assert "DescribeVolumes" in unseen["reason"]
