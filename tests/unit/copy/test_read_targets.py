# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading every target: copies, the snapshots that matter, requested keys, and what cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.copy import read_targets as copy_targets
from ansible_collections.golden.images.plugins.module_utils.copy.read_targets import (
    each_target,
    read_targets,
    snapshots_of,
)
from ansible_collections.golden.images.plugins.module_utils.copy.state import CopySeen
from ansible_collections.golden.images.plugins.module_utils.keys.encryption import Encryption
from ansible_collections.golden.images.plugins.module_utils.model import Image, Key, Snapshot, Target

from tests.unit.copy.aws_in_steps import refused
from tests.unit.copy.examples import wanted
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, SOURCE_REGION, copied_image, source_image, volumes
from tests.unit.keys.examples import UNDER_KEY, key_arn

EU, US = "eu-west-1", "us-west-2"
START = CopySeen(OWNER, source_image(), copies={})
COPY = copied_image(devices=volumes("snap-1", encrypted=True))


class Reads:
    """Stands for ``aws.read``: each target has one copy, except in us-west-2, where nothing can be read."""

    @staticmethod
    def copies(ec2: Target, source_id: str, source_region: str, _usable: object) -> tuple[Image, ...]:
        assert (source_id, source_region) == (SOURCE_ID, SOURCE_REGION)
        if ec2.region == US:
            raise refused("UnauthorizedOperation", "DescribeImages")
        return (COPY,)

    @staticmethod
    def snapshots(_ec2: object, snapshot_ids: list[str]) -> tuple[Snapshot, ...]:
        return tuple(Snapshot(item, "completed", 100) for item in snapshot_ids)

    @staticmethod
    def key(kms: Target, key_id: str) -> Key:
        if key_id == key_arn("denied"):
            raise refused("AccessDeniedException", "DescribeKey")
        return Key(key_arn(key_id, kms.region, kms.account_id))


class Accounts:
    """Stands for ``AssumedAccounts``: a client is its account and region."""

    @contextmanager
    def as_account(self, account_id: str) -> Iterator[Any]:
        def at(region: str) -> Target:
            return Target(account_id, region)

        yield SimpleNamespace(ec2=at, kms=at)


ACCOUNTS: Any = Accounts()


@pytest.fixture(autouse=True)
def reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_targets, "read", Reads)


def test_copies_with_their_snapshots_and_the_requested_key() -> None:
    target = Target(CONSUMER, EU)
    assert read_targets(ACCOUNTS, wanted(encryption=UNDER_KEY), START, [target]) == CopySeen(
        OWNER,
        source_image(),
        copies={target: (COPY,)},
        snapshots={target: (Snapshot("snap-1", "completed", 100),)},
        keys={target: Key(key_arn("alias/golden", EU, CONSUMER))},
    )


def test_a_key_that_is_set_by_its_arn_need_not_be_described() -> None:
    target, arn = Target(OWNER, EU), key_arn("denied")
    found = read_targets(ACCOUNTS, wanted(encryption=Encryption(key=arn)), START, [target])
    assert found.keys == {target: Key(arn, described=False)}


def test_the_source_is_no_copy_and_its_snapshots_are_read_like_those_of_copies() -> None:
    target = Target(OWNER, SOURCE_REGION)
    found = read_targets(ACCOUNTS, wanted(snapshot_tags={"a": "b"}), START, [target])
    assert found.copies == {target: ()}
    assert [item.snapshot_id for item in found.snapshots[target]] == ["snap-source"]


@pytest.mark.parametrize("best_effort", [True, False])
def test_a_target_that_cannot_be_read_is_left_out_or_fails(best_effort: bool) -> None:
    want = wanted(best_effort_regions=frozenset({US} if best_effort else ()))
    found = read_targets(ACCOUNTS, want, START, [Target(CONSUMER, EU), Target(CONSUMER, US)])
    assert list(found.copies) == [Target(CONSUMER, EU)]
    (failure,) = found.unread if best_effort else found.failed
    assert len(found.unread) == best_effort
    assert (failure.error_code, failure.region, failure.account_id) == ("UnauthorizedOperation", US, CONSUMER)
    assert f"Account {CONSUMER}" in failure.message


def test_each_target_is_read_with_its_own_account() -> None:
    targets = [Target(OWNER, EU), Target(CONSUMER, EU)]
    found, failures = each_target(
        ACCOUNTS, wanted(), OWNER, targets, lambda clients, target: clients.ec2(target.region)
    )
    assert (found, failures) == ({target: target for target in targets}, {})


@pytest.mark.parametrize(
    ("images", "snapshot_tags", "read"),
    [
        pytest.param((COPY,), None, ["snap-1"], id="encrypted"),
        pytest.param((copied_image(devices=volumes("snap-2")),), None, [], id="not encrypted"),
        pytest.param((copied_image(devices=volumes("snap-2")),), {}, ["snap-2"], id="to tag"),
        pytest.param((copied_image(state="failed", devices=volumes("snap-3")),), {}, [], id="failed"),
    ],
)
def test_snapshots_are_read_where_keys_or_tags_matter(images: Any, snapshot_tags: Any, read: Any) -> None:
    ec2: Any = None
    found = snapshots_of(ec2, wanted(snapshot_tags=snapshot_tags), images)
    assert [item.snapshot_id for item in found] == read
