# SPDX-License-Identifier: GPL-3.0-or-later

"""What consumers have under a key whose access is revoked."""

from __future__ import annotations

from typing import Any

from ansible_collections.golden.images.plugins.module_utils.aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils.keys.needed import SharedUnderKey
from ansible_collections.golden.images.plugins.module_utils.kms_grant.read_dependents import with_resources
from ansible_collections.golden.images.plugins.module_utils.model import ConsumerRole, KeyRef, Sharing

from tests.unit.examples import OWNER
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import consumers
from tests.unit.kms_grant.examples import DEPLOY, A, B
from tests.unit.kms_grant.kms_in_memory import Ec2, World, world
from tests.unit.kms_grant.runs import EU, planned, run, wanted, world_with_access

KEY = key_arn("a", EU)
REF = KeyRef(EU, KEY)
ROLE = ConsumerRole("golden-consumer")


def read(aws: World, shared: SharedUnderKey, *losing: str, **options: Any) -> SharedUnderKey:
    want, caller = wanted(**options), Caller(OWNER, "aws")
    aws.open("sts", [EU])
    (found,) = with_resources(aws, want, caller, {REF: consumers(*losing)}, {REF: shared}).values()  # type: ignore[arg-type]
    return found


def with_volume(aws: World, account_id: str, **content: Any) -> Ec2:
    ec2 = Ec2(**{"key_of_volumes": {"vol-2": KEY, "vol-1": KEY, "vol-3": key_arn("b", EU)}, **content})
    aws.consumer_ec2[account_id] = {EU: ec2}
    return ec2


def test_accounts_that_need_the_key_for_no_image_are_read_once() -> None:
    aws = world(EU)
    of_a, of_b = with_volume(aws, A), with_volume(aws, B)
    shared = SharedUnderKey({"ami-1": Sharing(account_ids=frozenset({B}))})
    found = read(aws, shared, A, B, DEPLOY, "AROAEXAMPLE", OWNER, consumer_role=ROLE)
    assert (found.consumers.by_account, found.consumers.unseen) == ({A: ("vol-2", "vol-1")}, {})
    assert (of_a.calls[0], of_b.calls) == ("DescribeVolumes", [])
    # What they have keeps no access: it would be for the account to decide whether it keeps it.
    assert found.needed(consumers(A, DEPLOY)) == consumers()


def test_nothing_is_read_without_a_role() -> None:
    aws = world(EU)
    found = read(aws, SharedUnderKey(), A)
    assert (found.consumers.by_account, found.consumers.unseen) == ({}, {A: "consumer_role_name is not set."})
    assert aws.assumed == []


def test_nothing_is_read_if_all_keep_their_access() -> None:
    aws = world(EU)
    unread = SharedUnderKey(unread=("ami-1 is pending.",))
    assert read(aws, unread, A, consumer_role=ROLE) == unread
    assert aws.assumed == []


def test_the_plan_names_what_depends_on_access_that_is_revoked() -> None:
    aws = world_with_access(A, B, regions=(EU,))
    with_volume(aws, A, key_of_snapshots={"snap-1": KEY}, binned=("snap-2",))
    with_volume(aws, B, refuse={"DescribeVolumes": "AuthFailure"})
    want = wanted(A, B, present=False, consumer_role=ROLE)
    _seen, plan = planned(aws, want)
    assert [action.operation for action in plan.actions] == ["RevokeGrant"] * 2
    (named, unseen) = plan.warnings
    assert f"revoked for {A} (snap-1, snap-2, vol-1, vol-2): It has volumes or snapshots" in named
    assert B in unseen
    result, outcome = run(aws, want)
    assert [action.operation for action in outcome.performed] == ["RevokeGrant"] * 2  # type: ignore[attr-defined]
    (key,) = result["results"][0]["kms_keys"]
    assert key["kept_access"] == []
    assert key["dependents"] == [{"account_id": A, "resource_ids": ["snap-1", "snap-2", "vol-1", "vol-2"]}]
    assert [one["account_id"] for one in key["unseen_accounts"]] == [B]


def test_a_purge_names_it_too() -> None:
    aws = world_with_access(A, B, regions=(EU,))
    with_volume(aws, A)
    _seen, plan = planned(aws, wanted(B, purge=True, consumer_role=ROLE))
    assert [action.operation for action in plan.actions] == ["RevokeGrant"]
    assert any(f"revoked for {A} (vol-1, vol-2)" in warning for warning in plan.warnings)


def test_what_cannot_be_read_is_reported() -> None:
    aws = world_with_access(A, regions=(EU,))
    with_volume(aws, A, refuse={"DescribeVolumes": "UnauthorizedOperation"})
    result, outcome = run(aws, wanted(A, present=False, consumer_role=ROLE))
    assert [action.operation for action in outcome.performed] == ["RevokeGrant"]  # type: ignore[attr-defined]
    (unseen,) = result["results"][0]["kms_keys"][0]["unseen_accounts"]
    assert unseen["account_id"] == A
    assert "DescribeVolumes" in unseen["reason"]


def test_without_a_role_the_plan_says_that_nothing_was_read() -> None:
    aws = world_with_access(A, regions=(EU,))
    _seen, plan = planned(aws, wanted(A, present=False))
    (warning,) = plan.warnings
    assert A in warning
    assert "consumer_role_name is not set." in warning
