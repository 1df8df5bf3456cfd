# SPDX-License-Identifier: GPL-3.0-or-later

"""A refusal for one image stops no other, and no later action on the same image is performed."""

from __future__ import annotations

from threading import Barrier
from typing import Any
from unittest.mock import patch

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.write import perform
from ansible_collections.golden.images.plugins.module_utils._cleanup import apply as retire
from ansible_collections.golden.images.plugins.module_utils._cleanup import rounds
from ansible_collections.golden.images.plugins.module_utils._cleanup.apply import (
    list_operations,
    perform_each,
)
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef
from ansible_collections.golden.images.plugins.module_utils._plan import Action, Performed
from botocore.exceptions import ClientError

from tests.unit.cleanup.examples import Unchanged
from tests.unit.clock import Clock
from tests.unit.examples import target_in
from tests.unit.wire import Wire

OF = [{"Key": "golden.images:cleanup-image-ids", "Value": "ami-1"}]


def deregister(image_id: str) -> Action:
    return Action(
        target_in(), "DeregisterImage", {"DeleteAssociatedSnapshots": True, "ImageId": image_id}, image_id
    )


def tag(*resources: str) -> Action:
    return Action(target_in(), "CreateTags", {"Resources": list(resources), "Tags": OF}, ", ".join(resources))


def delete(snapshot_id: str) -> Action:
    return Action(target_in(), "DeleteSnapshot", {"SnapshotId": snapshot_id}, snapshot_id)


def deregister_alone(image_id: str) -> Action:
    return Action(target_in(), "DeregisterImage", {"ImageId": image_id}, image_id)


def refuse_in_use(wire: Wire, snapshot_id: str, image_id: str) -> None:
    message = f"The snapshot {snapshot_id} is currently in use by {image_id}"
    wire.refuse("delete_snapshot", {"SnapshotId": snapshot_id}, "InvalidSnapshot.InUse", message)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.of(monkeypatch, retire)


def done(
    wire: Wire,
    *actions: Action,
    depends_on: dict[str, set[str]] | None = None,
    last_look: Unchanged | None = None,
) -> Performed:
    """What becomes of the actions, with calls one after another: the script is one."""
    opened = {operation for action in actions for operation in list_operations(action)}

    def client_for(action: Action) -> Any:
        assert action.operation in opened
        return wire.client

    with wire.spoken(), patch.object(retire, "_SIDE_BY_SIDE", 1):
        return perform_each(client_for, actions, depends_on or {}, last_look or Unchanged())


def test_a_deregistration_may_take_deletions_of_snapshots() -> None:
    deletes = ("DeleteSnapshot", "DescribeSnapshotAttribute")
    assert list_operations(deregister("ami-1")) == ("DeregisterImage", *deletes)
    assert list_operations(delete("snap-1")) == deletes
    assert list_operations(tag("snap-1")) == ("CreateTags",)


def named(snapshot_id: str) -> dict[str, Any]:
    filters = [{"Name": "snapshot-id", "Values": [snapshot_id]}]
    return {"OwnerIds": ["self"], "Filters": filters, "MaxResults": 1000}


def named_image(image_id: str) -> dict[str, Any]:
    filters = [{"Name": "image-id", "Values": [image_id]}]
    return {"Filters": filters, "IncludeDisabled": True, "IncludeDeprecated": True, "MaxResults": 1000}


def request(image_id: str) -> dict[str, Any]:
    return {"DeleteAssociatedSnapshots": True, "ImageId": image_id}


def test_the_others_go_on() -> None:
    wire = Wire("ec2")
    wire.refuse("deregister_image", request("ami-1"), "OperationNotPermitted")
    wire.expect("deregister_image", request("ami-2"), {"Return": True})
    performed = done(wire, deregister("ami-1"), deregister("ami-2"))
    assert [action.resource for action in performed.actions] == ["ami-2"]
    assert [failure.error_code for failure in performed.failures] == ["OperationNotPermitted"]


def test_an_image_whose_snapshot_could_not_be_marked_stays() -> None:
    wire = Wire("ec2")
    wire.refuse("create_tags", {"Resources": ["snap-1"], "Tags": OF}, "TagLimitExceeded")
    performed = done(wire, tag("snap-1"), deregister("ami-1"), depends_on={"snap-1": {"ami-1"}})
    assert performed.actions == ()
    assert len(performed.failures) == 1


def test_the_snapshots_of_an_image_that_was_refused_stay() -> None:
    wire = Wire("ec2")
    wire.refuse("deregister_image", request("ami-1"), "OperationNotPermitted")
    wire.expect("delete_snapshot", {"SnapshotId": "snap-2"})
    performed = done(
        wire, deregister("ami-1"), delete("snap-1"), delete("snap-2"), depends_on={"snap-1": {"ami-1"}}
    )
    assert [action.resource for action in performed.actions] == ["snap-2"]


def test_a_batch_that_is_refused_is_done_one_by_one() -> None:
    wire = Wire("ec2")
    wire.refuse("create_tags", {"Resources": ["ami-1", "ami-2"], "Tags": OF}, "TagLimitExceeded")
    wire.refuse("create_tags", {"Resources": ["ami-1"], "Tags": OF}, "TagLimitExceeded")
    wire.expect("create_tags", {"Resources": ["ami-2"], "Tags": OF})
    performed = done(wire, tag("ami-1", "ami-2"))
    assert [action.resource for action in performed.actions] == ["ami-2"]
    assert len(performed.failures) == 1


def test_an_image_whose_usage_report_is_refused_gets_its_tags() -> None:
    """Without the tags that it inherits, its origin would wait in every run."""
    wire = Wire("ec2")
    report = {"ImageId": "ami-1", "ResourceTypes": [{"ResourceType": "ec2:Instance"}]}
    wire.refuse("create_image_usage_report", report, "UnauthorizedOperation")
    wire.expect("create_tags", {"Resources": ["ami-1"], "Tags": OF})
    performed = done(wire, Action(target_in(), "CreateImageUsageReport", report, "ami-1"), tag("ami-1"))
    assert [action.operation for action in performed.actions] == ["CreateTags"]
    assert [failure.action for failure in performed.failures] == ["CreateImageUsageReport"]


def test_dates_are_not_written_on_what_was_refused() -> None:
    wire = Wire("ec2")
    wire.refuse("disable_image", {"ImageId": "ami-1"}, "InvalidAMIID.Unavailable")
    wire.expect("disable_image", {"ImageId": "ami-2"}, {"Return": True})
    wire.expect("create_tags", {"Resources": ["ami-2"], "Tags": OF})
    disable = [Action(target_in(), "DisableImage", {"ImageId": one}, one) for one in ("ami-1", "ami-2")]
    performed = done(wire, *disable, tag("ami-1", "ami-2"))
    assert [action.operation for action in performed.actions] == ["DisableImage", "CreateTags"]


def test_a_snapshot_that_aws_could_not_delete_is_a_failure() -> None:
    wire = Wire("ec2")
    codes = {"snap-1": "success", "snap-2": "skipped", "snap-3": "client-error"}
    results = [{"SnapshotId": one, "ReturnCode": code} for one, code in codes.items()]
    wire.expect("deregister_image", request("ami-1"), {"Return": True, "DeleteSnapshotResults": results})
    performed = done(wire, deregister("ami-1"))
    assert len(performed.actions) == 1
    (failure,) = performed.failures
    assert (failure.error_code, failure.region) == ("snapshot_not_deleted", "eu-west-1")
    assert "snap-3" in failure.message


def test_what_is_gone_already_is_no_failure_and_nothing_that_was_done() -> None:
    """Lists can still show what another process deleted, or an earlier run."""
    ec2 = Wire("ec2")
    ec2.refuse("delete_snapshot", {"SnapshotId": "snap-1"}, "InvalidSnapshot.NotFound")
    ec2.expect("describe_snapshots", named("snap-1"), {"Snapshots": []})
    ec2.refuse("delete_snapshot", {"SnapshotId": "snap-2"}, "InvalidSnapshot.InUse")
    performed = done(ec2, delete("snap-1"), delete("snap-2"))
    assert performed.actions == ()
    assert [failure.error_code for failure in performed.failures] == ["InvalidSnapshot.InUse"]
    kms, grant = Wire("kms"), {"GrantId": "g-1", "KeyId": "key"}
    kms.refuse("revoke_grant", grant, "NotFoundException")
    kms.expect("list_grants", {"KeyId": "key", "Limit": 100}, {"Grants": []})
    revoke = Action(target_in(), "RevokeGrant", grant, "g-1", service="kms")
    ec2 = Wire("ec2")
    ec2.expect("delete_snapshot", {"SnapshotId": "snap-1"})
    with ec2.spoken(), kms.spoken():
        performed = perform_each(
            lambda action: {"ec2": ec2, "kms": kms}[action.service].client,
            [revoke, delete("snap-1")],
            {"g-1": {"ami-1"}, "snap-1": {"ami-1"}},
            Unchanged(),
        )
    assert (performed.actions, performed.failures) == ((delete("snap-1"),), ())


def test_the_snapshots_of_an_image_are_deleted_alone_if_the_answer_about_them_was_lost() -> None:
    ec2 = Wire("ec2")
    ec2.refuse("deregister_image", request("ami-1"), "InvalidAMIID.Unavailable", repeated=1)
    ec2.expect("describe_images", named_image("ami-1"), {"Images": []})
    ec2.expect("delete_snapshot", {"SnapshotId": "snap-1"})
    ec2.refuse("delete_snapshot", {"SnapshotId": "snap-2"}, "InvalidSnapshot.NotFound")
    ec2.expect("describe_snapshots", named("snap-2"), {"Snapshots": []})
    # Not that of two images: this one is deleted when both are deregistered.
    depends_on = {"snap-1": {"ami-1"}, "snap-2": {"ami-1"}, "snap-3": {"ami-1", "ami-2"}}
    performed = done(ec2, deregister("ami-1"), depends_on=depends_on)
    assert [(one.operation, one.resource) for one in performed.actions] == [
        ("DeregisterImage", "ami-1"),
        ("DeleteSnapshot", "snap-1"),
    ]
    assert performed.failures == ()


def test_a_snapshot_that_a_deregistered_image_still_holds_is_deleted_after_the_others(clock: Clock) -> None:
    wire = Wire("ec2")
    wire.expect("deregister_image", {"ImageId": "ami-1"}, {"Return": True})
    refuse_in_use(wire, "snap-1", "ami-1")
    wire.expect("delete_snapshot", {"SnapshotId": "snap-2"})
    refuse_in_use(wire, "snap-1", "ami-1")
    wire.expect("delete_snapshot", {"SnapshotId": "snap-1"})
    started = clock.now
    performed = done(wire, deregister_alone("ami-1"), delete("snap-1"), delete("snap-2"))
    assert [one.resource for one in performed.actions] == ["ami-1", "snap-2", "snap-1"]
    assert performed.failures == ()
    assert clock.now == started + 3


def test_so_is_one_that_is_deleted_alone_because_an_answer_was_lost(clock: Clock) -> None:
    wire = Wire("ec2")
    wire.refuse("deregister_image", request("ami-1"), "InvalidAMIID.Unavailable", repeated=1)
    wire.expect("describe_images", named_image("ami-1"), {"Images": []})
    wire.expect("deregister_image", {"ImageId": "ami-2"}, {"Return": True})
    refuse_in_use(wire, "snap-1", "ami-1")
    refuse_in_use(wire, "snap-2", "ami-2")
    wire.expect("delete_snapshot", {"SnapshotId": "snap-1"})
    wire.expect("delete_snapshot", {"SnapshotId": "snap-2"})
    started = clock.now
    performed = done(
        wire,
        *(deregister("ami-1"), deregister_alone("ami-2"), delete("snap-2")),
        depends_on={"snap-1": {"ami-1"}, "snap-2": {"ami-2"}},
    )
    assert {one.resource for one in performed.actions} == {"ami-1", "ami-2", "snap-1", "snap-2"}
    assert (performed.failures, clock.now) == ((), started + 1)


def test_a_snapshot_that_stays_in_use_is_left_to_the_next_run_after_three_minutes(clock: Clock) -> None:
    """However many there are: they are tried together."""
    wire = Wire("ec2")
    for image_id in ("ami-1", "ami-2"):
        wire.expect("deregister_image", {"ImageId": image_id}, {"Return": True})
    # After 0, 1, 3, 7, 15, 30, 45 and so on to 180 seconds.
    for _number in range(16):
        refuse_in_use(wire, "snap-1", "ami-1")
        refuse_in_use(wire, "snap-2", "ami-2")
    started = clock.now
    images = [deregister_alone("ami-1"), deregister_alone("ami-2")]
    performed = done(wire, *images, delete("snap-1"), delete("snap-2"))
    assert performed.actions == (*images,)
    assert clock.now == started + 180
    assert [one.error_code for one in performed.failures] == ["InvalidSnapshot.InUse"] * 2
    assert {one.remedy for one in performed.failures} == {
        "Rerun: the snapshot is marked, and is deleted then unless something still uses it."
    }


def test_very_many_snapshots_in_use_do_not_take_longer(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is over in a round: each attempt takes 10 seconds here, and two are made at once."""
    monkeypatch.setattr(retire, "_AT_ONCE", 2)
    monkeypatch.setattr(retire, "_RELEASE_TIMEOUT", 40.0)
    attempts: list[str] = []

    class InUse:
        def delete_snapshot(self, **given: str) -> None:
            attempts.append(given["SnapshotId"])
            clock.sleep(10)
            message = f"The snapshot {given['SnapshotId']} is currently in use by ami-1"
            error = {"Code": "InvalidSnapshot.InUse", "Message": message}
            raise ClientError({"Error": error}, "DeleteSnapshot")

    monkeypatch.setattr(retire, "_SIDE_BY_SIDE", 1)
    deletions = [delete(f"snap-{number}") for number in range(3)]
    found = [*retire._delete_snapshots(lambda action: perform(InUse(), action), deletions, {"ami-1"})]
    assert [len(one.failures) for one in found] == [1, 1, 1]
    # After 0, 10 and 20 seconds, then again after a pause of one; at 51, the third has no time left.
    assert attempts == ["snap-0", "snap-1", "snap-2", "snap-0", "snap-1"]


def test_a_snapshot_that_another_image_uses_is_a_failure_at_once(clock: Clock) -> None:
    wire = Wire("ec2")
    wire.expect("deregister_image", {"ImageId": "ami-1"}, {"Return": True})
    wire.refuse("deregister_image", {"ImageId": "ami-2"}, "OperationNotPermitted")
    refuse_in_use(wire, "snap-1", "ami-3")
    refuse_in_use(wire, "snap-2", "ami-2")
    started = clock.now
    images = [deregister_alone("ami-1"), deregister_alone("ami-2")]
    performed = done(wire, *images, delete("snap-1"), delete("snap-2"))
    assert [one.error_code for one in performed.failures][1:] == ["InvalidSnapshot.InUse"] * 2
    assert all("a rerun keeps the snapshot" in one.remedy for one in performed.failures[1:])
    assert clock.now == started


class Client:
    """A client whose calls of a kind end only once that many of them have begun; it keeps their order."""

    def __init__(self, together: int) -> None:
        self.calls: list[str] = []
        self._barrier = Barrier(together, timeout=5)

    def deregister_image(self, **parameters: Any) -> dict[str, Any]:
        self._barrier.wait()
        self.calls.append(parameters["ImageId"])
        return {"DeleteSnapshotResults": []}

    def delete_snapshot(self, **parameters: Any) -> dict[str, Any]:
        self.calls.append(parameters["SnapshotId"])
        return {}


def test_calls_of_a_kind_go_side_by_side_and_the_next_kind_after_all_of_them() -> None:
    client = Client(together=3)
    images = [deregister(f"ami-{number}") for number in range(3)]
    performed = perform_each(lambda _action: client, [*images, delete("snap-1")], {}, Unchanged())
    assert sorted(client.calls[:3]) == ["ami-0", "ami-1", "ami-2"]
    assert client.calls[3:] == ["snap-1"]
    assert performed.actions == (*images, delete("snap-1"))


def test_a_bug_in_one_call_is_its_failure_and_stops_what_follows_it() -> None:
    def client_for(action: Action) -> Any:
        if action.resource == "ami-1":
            raise KeyError("no client")
        return Client(together=1)

    actions = [deregister("ami-1"), deregister("ami-2"), delete("snap-1"), delete("snap-2")]
    depends_on = {"snap-1": {"ami-1"}, "snap-2": {"ami-2"}}
    performed = perform_each(client_for, actions, depends_on, Unchanged())
    assert [action.resource for action in performed.actions] == ["ami-2", "snap-2"]
    assert [failure.error_code for failure in performed.failures] == ["unexpected_error"]


def test_a_snapshot_of_two_images_goes_only_if_both_are_gone() -> None:
    wire = Wire("ec2")
    wire.expect("deregister_image", request("ami-1"), {"Return": True})
    wire.refuse("deregister_image", request("ami-2"), "OperationNotPermitted")
    actions = [deregister("ami-1"), deregister("ami-2"), delete("snap-1")]
    performed = done(wire, *actions, depends_on={"snap-1": {"ami-1", "ami-2"}})
    assert [action.resource for action in performed.actions] == ["ami-1"]


def test_an_image_whose_permissions_have_changed_stays_with_its_snapshots() -> None:
    """It is no failure. Its snapshot is not even marked."""
    wire, look = Wire("ec2"), Unchanged("ami-1")
    wire.expect("create_tags", {"Resources": ["snap-2"], "Tags": OF})
    wire.expect("deregister_image", {"ImageId": "ami-2"}, {"Return": True})
    wire.expect("delete_snapshot", {"SnapshotId": "snap-2"})
    performed = done(
        wire,
        tag("snap-1", "snap-2"),
        *(deregister_alone("ami-1"), deregister_alone("ami-2"), delete("snap-1"), delete("snap-2")),
        depends_on={"snap-1": {"ami-1"}, "snap-2": {"ami-2"}},
        last_look=look,
    )
    assert [action.resource for action in performed.actions] == ["snap-2", "ami-2", "snap-2"]
    assert performed.failures == ()
    assert sorted(look.looks) == ["ami-1", "ami-2"]


def test_a_disabled_image_whose_permissions_have_changed_gets_no_date() -> None:
    wire = Wire("ec2")
    wire.expect("disable_image", {"ImageId": "ami-2"}, {"Return": True})
    wire.expect("create_tags", {"Resources": ["ami-2"], "Tags": OF})
    disable = [Action(target_in(), "DisableImage", {"ImageId": one}, one) for one in ("ami-1", "ami-2")]
    performed = done(wire, *disable, tag("ami-1", "ami-2"), last_look=Unchanged("ami-1"))
    assert [action.operation for action in performed.actions] == ["DisableImage", "CreateTags"]
    assert performed.failures == ()


def test_an_image_stays_if_the_look_at_it_crashes() -> None:
    class Crashing(Unchanged):
        def look(self, ref: ImageRef) -> None:
            super().look(ref)
            if ref.image_id == "ami-1":
                raise KeyError("bug")

    wire = Wire("ec2")
    wire.expect("deregister_image", request("ami-2"), {"DeleteSnapshotResults": []})
    performed = done(wire, deregister("ami-1"), deregister("ami-2"), last_look=Crashing())
    assert [action.resource for action in performed.actions] == ["ami-2"]
    assert [(failure.action, failure.error_code) for failure in performed.failures] == [
        ("DescribeImageAttribute", "unexpected_error")
    ]


def test_each_round_is_looked_at_right_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "ROUND", 2)
    look, client = Unchanged(), Client(together=1)
    seen: list[int] = []

    def client_for(_action: Action) -> Client:
        seen.append(len(look.looks))
        return client

    perform_each(client_for, [deregister(f"ami-{number}") for number in range(5)], {}, look)
    assert seen == [2, 2, 4, 4, 5]
