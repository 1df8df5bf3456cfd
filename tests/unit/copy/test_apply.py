# SPDX-License-Identifier: GPL-3.0-or-later

"""Performing the actions of all targets: each with its account's clients, and one event for each target."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.copy import apply
from ansible_collections.golden.images.plugins.module_utils.copy.apply import perform_each
from ansible_collections.golden.images.plugins.module_utils.copy.run import ActionsPerformed, Failed
from ansible_collections.golden.images.plugins.module_utils.failures import Failure, TargetFailed
from ansible_collections.golden.images.plugins.module_utils.fanout import CHANGE_GRACE_PERIOD
from ansible_collections.golden.images.plugins.module_utils.model import Target
from ansible_collections.golden.images.plugins.module_utils.plan import Action

from tests.unit.examples import CONSUMER, MARK, OWNER, SOURCE_ID, SOURCE_REGION, STRANGER
from tests.unit.wire import Wire

EU = "eu-west-1"
REQUEST = {"Name": "golden", "SourceImageId": SOURCE_ID, "SourceRegion": SOURCE_REGION}
REMOVAL = {"ImageId": "ami-failed"}
FULL_REMOVAL = {"ImageId": "ami-failed", "DeleteAssociatedSnapshots": True}
NAMED = {
    "Filters": [{"Name": "name", "Values": ["golden"]}],
    "Owners": ["self"],
    "IncludeDisabled": True,
    "IncludeDeprecated": True,
    "MaxResults": 1000,
}
IN_USE = "AMI name golden is already in use by AMI ami-failed"
NO_ROLE = Failure("There is no role.", "Set it.", "missing_consumer_role", "AssumeRole")


class Accounts:
    """Stands for ``AssumedAccounts``: one client for each account, and none for others."""

    def __init__(self, clients: dict[str, Any]) -> None:
        self._clients = clients

    @contextmanager
    def as_account(self, account_id: str) -> Iterator[Any]:
        if account_id not in self._clients:
            raise TargetFailed(NO_ROLE)
        yield SimpleNamespace(ec2=lambda _region: self._clients[account_id])


def test_every_target_has_its_event() -> None:
    own, consumer = Wire("ec2"), Wire("ec2")
    own.expect("copy_image", REQUEST, {"ImageId": "ami-new"})
    own.expect("deregister_image", REMOVAL)
    consumer.refuse("copy_image", REQUEST, "ResourceLimitExceeded")
    targets = [Target(account_id, EU) for account_id in (OWNER, CONSUMER, STRANGER)]
    actions = {
        target: (Action(target, "CopyImage", REQUEST), Action(target, "DeregisterImage", REMOVAL))
        for target in targets
    }
    accounts = Accounts({OWNER: own.client, CONSUMER: consumer.client})
    with own.spoken(), consumer.spoken():
        events = perform_each(accounts, actions, ())  # type: ignore[arg-type]
    done, refused, failed = (events[target] for target in targets)
    assert isinstance(done, ActionsPerformed)
    assert done.actions == actions[targets[0]]
    assert [answer.get("ImageId") for answer in done.answers] == ["ami-new", None]
    assert done.failures == ()
    assert isinstance(refused, ActionsPerformed)
    assert (refused.actions, refused.answers) == ((), ())
    assert [failure.error_code for failure in refused.failures] == ["ResourceLimitExceeded"]
    assert isinstance(failed, Failed)
    assert (failed.failure.error_code, failed.image) == ("missing_consumer_role", None)


def test_a_best_effort_region_has_time_to_settle(
    grace_periods: Callable[[ModuleType], list[float]],
) -> None:
    waited = grace_periods(apply)
    wire, target = Wire("ec2"), Target(OWNER, EU)
    wire.expect("copy_image", REQUEST, {"ImageId": "ami-new"})
    with wire.spoken():
        actions = {target: (Action(target, "CopyImage", REQUEST),)}
        perform_each(Accounts({OWNER: wire.client}), actions, (target,))  # type: ignore[arg-type]
    assert waited == [CHANGE_GRACE_PERIOD]


def holder(image_id: str = "ami-failed", state: str = "failed", own: bool = True) -> dict[str, Any]:
    """An image named ``golden``, as DescribeImages returns it."""
    tags = [{"Key": key, "Value": value} for key, value in MARK.items()] if own else []
    return {"ImageId": image_id, "Name": "golden", "OwnerId": OWNER, "State": state, "Tags": tags}


def performed(wire: Wire, *removals: str) -> ActionsPerformed:
    """The event of a copy, after which these images are removed."""
    target = Target(OWNER, EU)
    actions = (
        Action(target, "CopyImage", REQUEST),
        *(
            Action(target, "DeregisterImage", {**FULL_REMOVAL, "ImageId": image_id}, image_id)
            for image_id in removals
        ),
    )
    with wire.spoken():
        event = perform_each(Accounts({OWNER: wire.client}), {target: actions}, ())[target]  # type: ignore[arg-type]
    assert isinstance(event, ActionsPerformed)
    return event


def refuse_name(wire: Wire, *holders: dict[str, Any]) -> None:
    wire.refuse("copy_image", REQUEST, "InvalidAMIName.Duplicate", IN_USE)
    wire.expect("describe_images", NAMED, {"Images": list(holders)})


@pytest.mark.parametrize(
    "images",
    [
        *(pytest.param([holder(state=state)], id=state) for state in ("failed", "error", "invalid")),
        pytest.param([holder(own=False)], id="not this collection's"),
        pytest.param([holder(state="available")], id="available"),
        pytest.param([holder(state="pending")], id="pending"),
        pytest.param([holder(state="disabled")], id="disabled"),
        pytest.param([holder(), holder("ami-by-hand", own=False)], id="one of two"),
    ],
)
def test_no_image_is_removed_for_its_name(images: list[dict[str, Any]]) -> None:
    """Whether CopyImage refuses a name in use is not documented; not even a failed copy goes for it."""
    wire = Wire("ec2")
    refuse_name(wire, *images)
    event = performed(wire, "ami-failed")
    assert event.actions == ()
    (failure,) = event.failures
    assert failure.error_code == "InvalidAMIName.Duplicate"
    for image in images:
        assert f"{image['ImageId']} is {image['State']}" in failure.message
        assert image["ImageId"] in failure.remedy
    assert "Choose another name" in failure.remedy


def test_the_holder_of_the_name_cannot_be_read() -> None:
    wire = Wire("ec2")
    wire.refuse("copy_image", REQUEST, "InvalidAMIName.Duplicate", IN_USE)
    wire.refuse("describe_images", NAMED, "UnauthorizedOperation")
    event = performed(wire)
    assert event.actions == ()
    (failure,) = event.failures
    assert (failure.error_code, failure.message) == ("InvalidAMIName.Duplicate", IN_USE)


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("missing-permissions", "Allow ec2:DeleteSnapshot"),
        ("internal-error", "Delete the snapshot"),
        ("client-error", "Delete the snapshot"),
        ("skipped", None),
        ("success", None),
    ],
)
def test_snapshots_that_a_removal_leaves(code: str, remedy: str | None) -> None:
    """(botocore shape SnapshotReturnCodes.)"""
    wire = Wire("ec2")
    wire.expect("copy_image", REQUEST, {"ImageId": "ami-new"})
    codes = {"snap-gone": "success", "snap-1": code}
    left = [{"SnapshotId": item, "ReturnCode": returned} for item, returned in codes.items()]
    wire.expect("deregister_image", FULL_REMOVAL, {"Return": True, "DeleteSnapshotResults": left})
    event = performed(wire, "ami-failed")
    assert len(event.actions) == 2
    found = [(item.action, item.error_code) for item in event.failures]
    assert found == ([("DeleteSnapshot", "snapshot_not_deleted")] if remedy else [])
    if remedy:
        assert event.failures[0].message == f"Snapshot snap-1 of ami-failed could not be deleted: {code}."
        assert remedy in event.failures[0].remedy
