# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes of other accounts under a key, read with a role in each of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.consumer_volumes import read_consumer_volumes
from ansible_collections.golden.images.plugins.module_utils.aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils.keys.needed import ConsumerVolumes
from ansible_collections.golden.images.plugins.module_utils.model import ConsumerRole, KeyRef

from tests.unit.examples import OWNER
from tests.unit.keys.examples import key_arn
from tests.unit.kms_grant.examples import A, B
from tests.unit.kms_grant.kms_in_memory import Ec2, World, world

EU, US = "eu-west-1", "us-east-1"
IN_EU, SECOND, IN_US = (
    KeyRef(EU, key_arn("a", EU)),
    KeyRef(EU, key_arn("b", EU)),
    KeyRef(US, key_arn("a", US)),
)
ROLE = ConsumerRole("golden-consumer", "s3cret-word")


@pytest.fixture
def aws() -> World:
    """An account with volumes under three keys, and one without volumes."""
    found = world(EU, US)
    of_eu = Ec2(key_of_volumes={"vol-1": IN_EU.key_arn, "vol-2": SECOND.key_arn, "vol-3": IN_EU.key_arn})
    found.consumer_ec2 = {A: {EU: of_eu, US: Ec2(key_of_volumes={"vol-4": IN_US.key_arn})}, B: {EU: Ec2()}}
    return found


def read(
    aws: World, accounts: Mapping[KeyRef, Collection[str]], role: ConsumerRole | None = ROLE
) -> dict[KeyRef, ConsumerVolumes]:
    clients: Any = aws
    return read_consumer_volumes(clients, Caller(OWNER, "aws"), role, accounts, EU)


def test_one_call_for_each_account_and_region_finds_the_volumes_under_every_key(aws: World) -> None:
    assert read(aws, {IN_EU: {A, B}, SECOND: {A}, IN_US: {A}}) == {
        IN_EU: ConsumerVolumes({A: ("vol-1", "vol-3"), B: ()}),
        SECOND: ConsumerVolumes({A: ("vol-2",)}),
        IN_US: ConsumerVolumes({A: ("vol-4",)}),
    }
    calls = {
        (account, region): one.calls for account, by in aws.consumer_ec2.items() for region, one in by.items()
    }
    assert calls == {one: ["DescribeVolumes"] for one in ((A, EU), (A, US), (B, EU))}
    assert sorted(aws.assumed) == [
        (f"arn:aws:iam::{one}:role/golden-consumer", "s3cret-word", EU) for one in sorted((A, B))
    ]


def test_an_account_is_asked_only_about_the_keys_that_name_it(aws: World) -> None:
    assert read(aws, {IN_EU: {B}, SECOND: {A}, IN_US: set()})[IN_EU] == ConsumerVolumes({B: ()})
    assert aws.consumer_ec2[A][US].calls == []


def test_nothing_is_read_without_a_role(aws: World) -> None:
    unseen = ConsumerVolumes(unseen={A: "consumer_role_name is not set."})
    assert read(aws, {IN_EU: {A}, IN_US: set()}, None) == {IN_EU: unseen, IN_US: ConsumerVolumes()}
    assert aws.assumed == []


def test_a_region_that_cannot_be_read_does_not_hide_the_others(aws: World) -> None:
    aws.consumer_ec2[A][EU].refuse = {"DescribeVolumes": "AuthFailure"}
    found = read(aws, {IN_EU: {A, B}, IN_US: {A}})
    assert found[IN_US] == ConsumerVolumes({A: ("vol-4",)})
    assert (found[IN_EU].by_account, set(found[IN_EU].unseen)) == ({B: ()}, {A})
    assert found[IN_EU].unseen[A].startswith("No (AuthFailure). ")


def test_an_unexpected_failure_leaves_the_account_unseen(aws: World) -> None:
    aws.consumer_ec2[A][EU] = None
    found = read(aws, {IN_EU: {A, B}, IN_US: {A}})
    assert [set(found[ref].unseen) for ref in (IN_EU, IN_US)] == [{A}, {A}]
    assert all(one.unseen[A] for one in found.values())
