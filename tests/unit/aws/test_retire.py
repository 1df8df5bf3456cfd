# SPDX-License-Identifier: GPL-3.0-or-later

"""What one image is refused stops no other, and nothing is done to what was refused something before."""

from __future__ import annotations

from typing import Any

from ansible_collections.golden.images.plugins.module_utils.aws.retire import perform_each
from ansible_collections.golden.images.plugins.module_utils.aws.write import Performed
from ansible_collections.golden.images.plugins.module_utils.plan import Action

from tests.unit.aws.wire import Wire
from tests.unit.examples import place

OF = [{"Key": "golden.images:cleanup-of", "Value": "ami-1"}]


def deregister(image_id: str) -> Action:
    return Action(
        place(), "DeregisterImage", {"DeleteAssociatedSnapshots": True, "ImageId": image_id}, image_id
    )


def tag(*resources: str) -> Action:
    return Action(place(), "CreateTags", {"Resources": list(resources), "Tags": OF}, ", ".join(resources))


def delete(snapshot_id: str) -> Action:
    return Action(place(), "DeleteSnapshot", {"SnapshotId": snapshot_id}, snapshot_id)


def done(wire: Wire, *actions: Action, image_with: dict[str, str] | None = None) -> Performed:
    with wire.spoken():
        return perform_each(wire.client, actions, image_with or {})


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
    performed = done(wire, tag("snap-1"), deregister("ami-1"), image_with={"snap-1": "ami-1"})
    assert performed.actions == ()
    assert len(performed.failures) == 1


def test_the_snapshots_of_an_image_that_was_refused_stay() -> None:
    wire = Wire("ec2")
    wire.refuse("deregister_image", request("ami-1"), "OperationNotPermitted")
    wire.expect("delete_snapshot", {"SnapshotId": "snap-2"})
    performed = done(
        wire, deregister("ami-1"), delete("snap-1"), delete("snap-2"), image_with={"snap-1": "ami-1"}
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


def test_dates_are_not_written_on_what_was_refused() -> None:
    wire = Wire("ec2")
    wire.refuse("disable_image", {"ImageId": "ami-1"}, "InvalidAMIID.Unavailable")
    wire.expect("disable_image", {"ImageId": "ami-2"}, {"Return": True})
    wire.expect("create_tags", {"Resources": ["ami-2"], "Tags": OF})
    disable = [Action(place(), "DisableImage", {"ImageId": one}, one) for one in ("ami-1", "ami-2")]
    performed = done(wire, *disable, tag("ami-1", "ami-2"))
    assert [action.operation for action in performed.actions] == ["DisableImage", "CreateTags"]


def test_a_snapshot_that_aws_could_not_delete_is_told() -> None:
    wire = Wire("ec2")
    codes = {"snap-1": "success", "snap-2": "skipped", "snap-3": "client-error"}
    results = [{"SnapshotId": one, "ReturnCode": code} for one, code in codes.items()]
    wire.expect("deregister_image", request("ami-1"), {"Return": True, "DeleteSnapshotResults": results})
    performed = done(wire, deregister("ami-1"))
    assert len(performed.actions) == 1
    (failure,) = performed.failures
    assert (failure.error_code, failure.region) == ("SnapshotNotDeleted", "eu-west-1")
    assert "snap-3" in failure.message
