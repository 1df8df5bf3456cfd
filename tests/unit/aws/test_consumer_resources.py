# SPDX-License-Identifier: GPL-3.0-or-later

"""What other accounts have under a key, read with a role in each of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import consumer_resources
from ansible_collections.golden.images.plugins.module_utils._aws.clients import Clients, Connection
from ansible_collections.golden.images.plugins.module_utils._aws.consumer_resources import (
    read_consumer_resources,
)
from ansible_collections.golden.images.plugins.module_utils._aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils._keys.needed import ConsumerResources
from ansible_collections.golden.images.plugins.module_utils._model import ConsumerRole, KeyRef

from tests.unit.aws.signed_calls import Call, SignedCalls
from tests.unit.aws.test_assuming import OWN_KEYS, no_settings_of_this_machine
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
READS = ["DescribeVolumes", "DescribeSnapshots", "ListSnapshotsInRecycleBin", "ListVolumesInRecycleBin"]

__all__ = ["no_settings_of_this_machine"]


@pytest.fixture
def aws() -> World:
    """An account with volumes under three keys, and one without volumes."""
    found = world(EU, US)
    of_eu = Ec2(key_of_volumes={"vol-1": IN_EU.key_arn, "vol-2": SECOND.key_arn, "vol-3": IN_EU.key_arn})
    found.consumer_ec2 = {A: {EU: of_eu, US: Ec2(key_of_volumes={"vol-4": IN_US.key_arn})}, B: {EU: Ec2()}}
    return found


def read(
    aws: World, accounts: Mapping[KeyRef, Collection[str]], role: ConsumerRole | None = ROLE
) -> dict[KeyRef, ConsumerResources]:
    clients: Any = aws
    return read_consumer_resources(clients, Caller(OWNER, "aws"), role, accounts, EU)


def test_four_reads_of_each_account_and_region_find_what_is_under_every_key(aws: World) -> None:
    assert read(aws, {IN_EU: {A, B}, SECOND: {A}, IN_US: {A}}) == {
        IN_EU: ConsumerResources({A: ("vol-1", "vol-3"), B: ()}),
        SECOND: ConsumerResources({A: ("vol-2",)}),
        IN_US: ConsumerResources({A: ("vol-4",)}),
    }
    calls = {
        (account, region): one.calls for account, by in aws.consumer_ec2.items() for region, one in by.items()
    }
    assert calls == dict.fromkeys(((A, EU), (A, US), (B, EU)), READS)
    assert sorted(aws.assumed) == [
        (f"arn:aws:iam::{one}:role/golden-consumer", "s3cret-word", EU) for one in sorted((A, B))
    ]


def test_an_account_is_asked_only_about_the_keys_that_name_it(aws: World) -> None:
    assert read(aws, {IN_EU: {B}, SECOND: {A}, IN_US: set()})[IN_EU] == ConsumerResources({B: ()})
    assert aws.consumer_ec2[A][US].calls == []


def test_nothing_is_read_without_a_role(aws: World) -> None:
    unseen = ConsumerResources(unseen={A: "consumer_role_name is not set."})
    assert read(aws, {IN_EU: {A}, IN_US: set()}, None) == {IN_EU: unseen, IN_US: ConsumerResources()}
    assert aws.assumed == []


def test_snapshots_need_their_key_and_those_associated_with_them(aws: World) -> None:
    """(botocore shape Snapshot, KmsKeyId, AssociatedKmsKeys.)"""
    aws.consumer_ec2[A][EU] = Ec2(
        images={"ami-1": IN_EU.key_arn}, key_of_snapshots={"snap-1": IN_EU.key_arn, "snap-2": SECOND.key_arn}
    )
    assert read(aws, {IN_EU: {A}, SECOND: {A}}) == {
        IN_EU: ConsumerResources({A: ("snap-of-ami-1", "snap-1")}),
        SECOND: ConsumerResources({A: ("snap-2",)}),
    }


def test_what_is_in_the_recycle_bin_may_be_under_any_key(aws: World) -> None:
    """(botocore shapes SnapshotRecycleBinInfo and VolumeRecycleBinInfo, which have no key.)"""
    aws.consumer_ec2[B][EU] = Ec2(key_of_volumes={"vol-1": SECOND.key_arn}, binned=("snap-9", "vol-9"))
    assert read(aws, {IN_EU: {B}, SECOND: {B}}) == {
        IN_EU: ConsumerResources({B: ("snap-9", "vol-9")}),
        SECOND: ConsumerResources({B: ("vol-1", "snap-9", "vol-9")}),
    }


def test_a_read_that_is_denied_does_not_hide_the_others(aws: World) -> None:
    aws.consumer_ec2[A][EU].refuse = dict.fromkeys((READS[1], READS[3]), "UnauthorizedOperation")
    found = read(aws, {IN_EU: {A}})[IN_EU]
    assert found.by_account == {A: ("vol-1", "vol-3")}
    assert all(one in found.unseen[A] for one in (READS[1], READS[3]))
    assert aws.consumer_ec2[A][EU].calls == READS


def test_with_an_older_botocore_the_account_is_unseen(aws: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """1.41.0 has neither IncludeManagedResources nor ListVolumesInRecycleBin."""
    monkeypatch.delattr(Ec2, "list_volumes_in_recycle_bin")
    monkeypatch.setattr(consumer_resources, "hides_managed", lambda _ec2, operation: f"{operation}: hidden.")
    found = read(aws, {IN_EU: {A}})[IN_EU]
    assert found == ConsumerResources({A: ("vol-1", "vol-3")}, {A: "DescribeVolumes: hidden."})


def test_a_region_that_cannot_be_read_does_not_hide_the_others(aws: World) -> None:
    aws.consumer_ec2[A][EU].refuse = {"DescribeVolumes": "AuthFailure"}
    found = read(aws, {IN_EU: {A, B}, IN_US: {A}})
    assert found[IN_US] == ConsumerResources({A: ("vol-4",)})
    assert (found[IN_EU].by_account, set(found[IN_EU].unseen)) == ({A: (), B: ()}, {A})
    assert found[IN_EU].unseen[A].startswith("No (AuthFailure). ")
    # The others would fail, too.
    assert aws.consumer_ec2[A][EU].calls == ["DescribeVolumes"]


def test_an_unexpected_failure_leaves_the_account_unseen(aws: World) -> None:
    aws.consumer_ec2[A][EU] = None
    found = read(aws, {IN_EU: {A, B}, IN_US: {A}})
    assert [set(found[ref].unseen) for ref in (IN_EU, IN_US)] == [{A}, {A}]
    assert all(one.unseen[A] for one in found.values())


def test_each_read_has_the_credentials_of_its_account(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(call: Call) -> str | None:
        if call.operation != "DescribeVolumes":
            return None
        volumes = (
            f"<item><volumeId>vol-of-{call.account_id}</volumeId><kmsKeyId>{ref.key_arn}</kmsKeyId></item>"
            for ref in (IN_EU, IN_US)
        )
        return f"<Answer><volumeSet>{''.join(volumes)}</volumeSet></Answer>"

    calls = SignedCalls.of(monkeypatch, answer).calls
    accounts = [f"2{number:011}" for number in range(20)]
    clients = Clients(Connection(credentials=OWN_KEYS))
    found = read_consumer_resources(
        clients, Caller(OWNER, "aws"), ROLE, {IN_EU: accounts, IN_US: accounts}, EU
    )
    of_each = ConsumerResources({account: (f"vol-of-{account}",) for account in accounts})
    assert found == {IN_EU: of_each, IN_US: of_each}
    assert len(calls) == len(accounts) * 2 * len(READS)
