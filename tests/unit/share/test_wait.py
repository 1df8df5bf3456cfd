# SPDX-License-Identifier: GPL-3.0-or-later

"""How ``ami_share`` waits until AWS returns changed permissions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws import attempts
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.plan import Action
from ansible_collections.golden.images.plugins.module_utils.share import wait

from tests.unit.clock import Clock
from tests.unit.examples import CONSUMER, STRANGER, target_in
from tests.unit.share.examples import IMAGE, REGION, expect_launch
from tests.unit.wire import Wire

SNAPSHOT = "snap-1"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.of(monkeypatch, attempts)


def image_action(change: str, *account_ids: str) -> Action:
    entries = [{"UserId": account_id} for account_id in account_ids]
    parameters = {"ImageId": IMAGE, "LaunchPermission": {change: entries}}
    return Action(target_in(REGION), "ModifyImageAttribute", parameters, IMAGE)


def snapshot_action(change: str, *account_ids: str) -> Action:
    entries = [{"UserId": account_id} for account_id in account_ids]
    parameters = {
        "Attribute": "createVolumePermission",
        "CreateVolumePermission": {change: entries},
        "SnapshotId": SNAPSHOT,
    }
    return Action(target_in(REGION), "ModifySnapshotAttribute", parameters, SNAPSHOT)


TAGS = Action(target_in(REGION), "CreateTags", {"Resources": [IMAGE], "Tags": []}, IMAGE)


def client_of(ec2: Wire, actions: Sequence[Action]) -> Callable[[str, str], Any]:
    """The client of the region, for the operation that reads what the actions change."""
    reading = {one.operation.replace("Modify", "Describe") for one in actions} - {TAGS.operation}

    def client(region: str, operation: str) -> Any:
        assert (region, {operation}) == (REGION, reading)
        return ec2.client

    return client


def waited(
    actions: Sequence[Action], reads: Sequence[Sequence[str] | None]
) -> tuple[tuple[Failure, ...], tuple[str, ...]]:
    """Wait, while reads return these accounts; None is a read that fails."""
    with Wire("ec2").spoken() as ec2:
        for account_ids in reads:
            entries: list[Any] = [{"UserId": account_id} for account_id in account_ids or ()]
            if account_ids is None:
                request = {"ImageId": IMAGE, "Attribute": "launchPermission"}
                ec2.refuse("describe_image_attribute", request, "InternalError")
            elif actions[0].operation == "ModifyImageAttribute":
                expect_launch(ec2, *account_ids)
            else:
                ec2.expect(
                    "describe_snapshot_attribute",
                    {"SnapshotId": SNAPSHOT, "Attribute": "createVolumePermission"},
                    {"CreateVolumePermissions": entries},
                )
        return wait.wait_until_returned(client_of(ec2, actions), actions)


@pytest.mark.parametrize(
    ("actions", "reads"),
    [
        pytest.param([image_action("Add", CONSUMER)], [[CONSUMER, STRANGER]], id="at once"),
        pytest.param([image_action("Add", CONSUMER)], [[], [CONSUMER]], id="added"),
        pytest.param([image_action("Remove", CONSUMER)], [[CONSUMER], None, []], id="removed"),
        pytest.param([snapshot_action("Remove", CONSUMER)], [[CONSUMER], [STRANGER]], id="a snapshot"),
        pytest.param(
            [image_action("Add", CONSUMER), TAGS, image_action("Remove", STRANGER)],
            [[STRANGER], [CONSUMER, STRANGER], [CONSUMER]],
            id="both, in one read",
        ),
        pytest.param(
            [image_action("Add", CONSUMER), image_action("Remove", CONSUMER)],
            [[CONSUMER], []],
            id="added and removed again",
        ),
    ],
)
def test_waits_until_the_new_permissions_are_returned(
    clock: Clock, actions: list[Action], reads: list[list[str] | None]
) -> None:
    """(EC2 Developer Guide, "Eventual consistency in the Amazon EC2 API"; boto/boto3#721.)"""
    started = clock.now
    assert waited(actions, reads) == ((), ())
    assert clock.now - started == len(reads) - 1


def test_a_permission_that_stays_after_its_removal_is_a_failure(clock: Clock) -> None:
    started = clock.now
    (failure,), warnings = waited([snapshot_action("Remove", CONSUMER)], [[CONSUMER]] * 61)
    assert (failure.error_code, failure.region, failure.action) == (
        *("permission_not_removed", REGION, "ModifySnapshotAttribute"),
    )
    assert SNAPSHOT in failure.message
    assert warnings == ()
    assert clock.now - started == 60


def test_a_permission_that_is_not_returned_after_its_addition_is_a_warning(clock: Clock) -> None:
    started = clock.now
    failures, (warning,) = waited([image_action("Add", CONSUMER)], [[]] * 61)
    assert failures == ()
    assert IMAGE in warning
    assert clock.now - started == 60


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "RequestExpired"])
def test_a_read_that_stays_refused_is_named_at_once(clock: Clock, code: str) -> None:
    """A removal that cannot be seen is a failure, an addition a warning."""

    def denied(action: Action) -> tuple[tuple[Failure, ...], tuple[str, ...]]:
        with Wire("ec2").spoken() as ec2:
            request = {"ImageId": IMAGE, "Attribute": "launchPermission"}
            ec2.refuse("describe_image_attribute", request, code)
            return wait.wait_until_returned(client_of(ec2, [action]), [action])

    started = clock.now
    (failure,), warnings = denied(image_action("Remove", CONSUMER))
    assert (failure.error_code, failure.action, failure.region) == (
        *(code, "DescribeImageAttribute", REGION),
    )
    assert failure.message.startswith(f"AWS accepted the change of {IMAGE}, but its permissions could not be")
    assert warnings == ()
    failures, (warning,) = denied(image_action("Add", CONSUMER))
    assert failures == ()
    assert warning.startswith(f"{REGION}: AWS accepted the change of {IMAGE}")
    assert code in warning or "DescribeImageAttribute" in warning
    assert clock.now == started


@pytest.mark.usefixtures("clock")
def test_a_read_that_fails_until_the_end_is_named() -> None:
    _failures, (warning,) = waited([image_action("Add", CONSUMER)], [[], *[None] * 60])
    assert "could not be read" in warning


def test_nothing_is_read_without_a_change(clock: Clock) -> None:
    started = clock.now
    assert waited([TAGS], []) == ((), ())
    assert clock.now == started
