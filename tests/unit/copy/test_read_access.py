# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading whether another account may copy the source, and waiting for access that was just granted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws import attempts
from ansible_collections.golden.images.plugins.module_utils.copy.access import MissingAccess
from ansible_collections.golden.images.plugins.module_utils.copy.checks import missing_access_of
from ansible_collections.golden.images.plugins.module_utils.copy.inspect import inspect
from ansible_collections.golden.images.plugins.module_utils.copy.next_reads import next_reads
from ansible_collections.golden.images.plugins.module_utils.copy.read_access import wait_for_propagation
from ansible_collections.golden.images.plugins.module_utils.copy.state import CopySeen, CopyWanted
from ansible_collections.golden.images.plugins.module_utils.model import Target

from tests.unit.clock import Clock
from tests.unit.copy.examples import wanted
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, STRANGER, copied_image, source_image
from tests.unit.wire import Wire

TARGET = Target(CONSUMER, "eu-west-1")
WANT = wanted(account_ids=(CONSUMER,))
SEEN = CopySeen(OWNER, source_image(), copies={TARGET: ()}, encryption_by_default={TARGET: False})

IMAGE_REQUEST = {"ImageIds": [SOURCE_ID], "IncludeDisabled": True, "IncludeDeprecated": True}
IMAGE = {"Images": [{"ImageId": SOURCE_ID, "Name": "golden-web", "OwnerId": OWNER, "State": "available"}]}
SNAPSHOTS_REQUEST = {"SnapshotIds": ["snap-source"]}
SNAPSHOTS = {"Snapshots": [{"SnapshotId": "snap-source", "State": "completed", "Progress": "100%"}]}
LAUNCH_REQUEST = {"ImageId": SOURCE_ID, "Attribute": "launchPermission"}
VOLUME_REQUEST = {"SnapshotId": "snap-source", "Attribute": "createVolumePermission"}


class Accounts:
    """Stands for ``AssumedAccounts`` with one EC2 client for each account."""

    def __init__(self, clients: dict[str, Any]) -> None:
        self._clients = clients

    @contextmanager
    def as_account(self, account_id: str) -> Iterator[Any]:
        yield SimpleNamespace(ec2=lambda _region: self._clients[account_id])

    def role_arn(self, account_id: str) -> str:
        return f"arn:aws:iam::{account_id}:role/golden-consumer"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.of(monkeypatch, attempts)


@pytest.fixture
def owner() -> Wire:
    return Wire("ec2")


@pytest.fixture
def consumer() -> Wire:
    return Wire("ec2")


def read(owner: Wire, consumer: Wire, want: CopyWanted = WANT, seen: CopySeen = SEEN) -> CopySeen:
    accounts: Any = Accounts({OWNER: owner.client, CONSUMER: consumer.client})
    own: Any = None
    with owner.spoken(), consumer.spoken():
        while reads := next_reads(want, seen):
            seen = inspect(own, accounts, want, seen, reads)
        return wait_for_propagation(accounts, want, seen)


def missing(owner: Wire, consumer: Wire) -> MissingAccess | None:
    """What the account is missing after the reads, by which nothing else of what was seen changes."""
    saw = read(owner, consumer)
    assert replace(saw, source_access={}, source_keys={}, source_permissions={}) == SEEN
    return missing_access_of(WANT, saw, TARGET)


def owner_shares_with(owner: Wire, *account_ids: str) -> None:
    permissions = [{"UserId": account_id} for account_id in account_ids]
    owner.expect("describe_image_attribute", LAUNCH_REQUEST, {"LaunchPermissions": permissions})
    owner.expect("describe_snapshot_attribute", VOLUME_REQUEST, {"CreateVolumePermissions": permissions})


def test_an_account_with_access(owner: Wire, consumer: Wire) -> None:
    consumer.expect("describe_images", IMAGE_REQUEST, IMAGE)
    consumer.expect("describe_snapshots", SNAPSHOTS_REQUEST, SNAPSHOTS)
    assert missing(owner, consumer) == MissingAccess()


def test_access_that_the_owner_has_not_granted(owner: Wire, consumer: Wire, clock: Clock) -> None:
    consumer.expect("describe_images", IMAGE_REQUEST, {"Images": []})
    consumer.expect("describe_snapshots", SNAPSHOTS_REQUEST, {"Snapshots": []})
    owner_shares_with(owner)
    started = clock.now
    assert missing(owner, consumer) == MissingAccess(launch=True, snapshot_ids=("snap-source",))
    assert clock.now == started


def test_permissions_of_another_accounts_source_are_not_read(owner: Wire, consumer: Wire) -> None:
    consumer.expect("describe_images", IMAGE_REQUEST, {"Images": []})
    consumer.expect("describe_snapshots", SNAPSHOTS_REQUEST, {"Snapshots": []})
    saw = read(owner, consumer, seen=replace(SEEN, source=source_image(owner_id=STRANGER)))
    assert saw.source_permissions == {}


def test_access_that_propagates(owner: Wire, consumer: Wire, clock: Clock) -> None:
    consumer.expect("describe_images", IMAGE_REQUEST, {"Images": []})
    consumer.expect("describe_snapshots", SNAPSHOTS_REQUEST, SNAPSHOTS)
    owner_shares_with(owner, CONSUMER)
    consumer.expect("describe_images", IMAGE_REQUEST, IMAGE)
    consumer.expect("describe_snapshots", SNAPSHOTS_REQUEST, SNAPSHOTS)
    started = clock.now
    assert missing(owner, consumer) == MissingAccess()
    assert clock.now == started + 2


def test_access_that_does_not_propagate_in_time(owner: Wire, consumer: Wire, clock: Clock) -> None:
    for _number in range(16):
        consumer.expect("describe_images", IMAGE_REQUEST, {"Images": []})
        consumer.expect("describe_snapshots", SNAPSHOTS_REQUEST, SNAPSHOTS)
    owner_shares_with(owner, CONSUMER)
    started = clock.now
    assert missing(owner, consumer) == MissingAccess(launch=True, already_granted=True)
    assert clock.now == started + 30


def test_an_account_that_cannot_be_read_is_refused(owner: Wire, consumer: Wire) -> None:
    consumer.refuse("describe_images", IMAGE_REQUEST, "UnauthorizedOperation")
    (failure,) = read(owner, consumer).failed
    assert (failure.error_code, failure.account_id) == ("UnauthorizedOperation", CONSUMER)


@pytest.mark.parametrize(
    ("want", "seen"),
    [
        pytest.param(wanted(), SEEN, id="no accounts"),
        pytest.param(replace(WANT, assume_source_ready=True), SEEN, id="access is assumed"),
        pytest.param(
            WANT,
            replace(SEEN, copies={TARGET: (copied_image(owner_id=CONSUMER),)}),
            id="the copy exists",
        ),
        pytest.param(
            WANT, replace(SEEN, source=source_image(owner_id=CONSUMER)), id="the account owns the source"
        ),
    ],
)
def test_nothing_is_read(owner: Wire, consumer: Wire, want: CopyWanted, seen: CopySeen) -> None:
    assert read(owner, consumer, want, seen) == seen
