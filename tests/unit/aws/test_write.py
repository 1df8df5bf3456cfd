# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests of actions, and the failures of those that AWS rejects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts, write
from ansible_collections.golden.images.plugins.module_utils._aws.read import SETTLING_TIMEOUT
from ansible_collections.golden.images.plugins.module_utils._aws.write import (
    Performed,
    perform_all,
    snapshots_left,
)
from ansible_collections.golden.images.plugins.module_utils._failures import CONSUMER_REJECTED
from ansible_collections.golden.images.plugins.module_utils._fanout import CHANGE_GRACE_PERIOD, GRACE_PERIOD
from ansible_collections.golden.images.plugins.module_utils._plan import Action
from botocore.exceptions import EndpointConnectionError

from tests.unit.clock import Clock
from tests.unit.examples import ORG, OWNER, UNIT, target_in
from tests.unit.share import examples as sharing
from tests.unit.wire import Wire

HERE = target_in("eu-west-1")
IMAGE, SNAPSHOT = "ModifyImageAttribute", "ModifySnapshotAttribute"


def image_action(*account_ids: str, change: str = "Add") -> Action:
    return Action(HERE, IMAGE, image_request(account_ids, change), "ami-1")


def image_request(account_ids: Sequence[str], change: str = "Add") -> dict[str, Any]:
    return {"ImageId": "ami-1", "LaunchPermission": {change: [{"UserId": item} for item in account_ids]}}


def snapshot_action(*account_ids: str) -> Action:
    return Action(HERE, SNAPSHOT, snapshot_request(account_ids), "snap-1")


def snapshot_request(account_ids: Sequence[str]) -> dict[str, Any]:
    return {
        "Attribute": "createVolumePermission",
        "CreateVolumePermission": {"Add": [{"UserId": item} for item in account_ids]},
        "SnapshotId": "snap-1",
    }


def entries(actions: Sequence[Action]) -> list[list[str]]:
    """The accounts of each action."""
    return [[entry["UserId"] for entry in action.parameters["LaunchPermission"]["Add"]] for action in actions]


def test_actions_are_performed_in_order(ec2: Wire) -> None:
    actions = (snapshot_action("222222222222"), image_action("222222222222"))
    ec2.expect("modify_snapshot_attribute", actions[0].parameters)
    ec2.expect("modify_image_attribute", actions[1].parameters)
    performed = perform_all(ec2.client, actions)
    assert performed.actions == actions
    assert len(performed.answers) == 2
    assert performed.failures == ()


@pytest.mark.parametrize("code", ["InvalidAMIAttributeItemValue", "InvalidUserID.Malformed", "OverLimit"])
def test_a_refusal_of_the_group_stops_the_target(ec2: Wire, code: str) -> None:
    """What follows would be public without its image."""
    public = [{"Group": "all"}]
    image = {"ImageId": "ami-1", "LaunchPermission": {"Add": public}}
    snapshot = {"Attribute": "createVolumePermission", "CreateVolumePermission": {"Add": public}}
    actions = (
        Action(HERE, IMAGE, image, "ami-1"),
        Action(HERE, SNAPSHOT, {**snapshot, "SnapshotId": "snap-1"}, "snap-1"),
    )
    ec2.refuse("modify_image_attribute", image, code)
    performed = perform_all(ec2.client, actions)
    assert (performed.actions, [one.error_code for one in performed.failures]) == ((), [code])
    assert performed.stops


def test_a_rejected_entry_does_not_stop_the_target(ec2: Wire) -> None:
    actions = (image_action("222222222222"), image_action("333333333333", change="Remove"))
    ec2.refuse("modify_image_attribute", actions[0].parameters, "InvalidAMIAttributeItemValue")
    ec2.expect("modify_image_attribute", actions[1].parameters)
    performed = perform_all(ec2.client, actions)
    assert (performed.actions, performed.stops) == (actions[1:], False)


def test_the_first_failure_stops_the_target(ec2: Wire) -> None:
    actions = (snapshot_action("222222222222"), image_action("222222222222"))
    ec2.refuse(
        "modify_snapshot_attribute", actions[0].parameters, "UnauthorizedOperation", "You may not.", "req-7"
    )
    ec2.refuse("modify_image_attribute", {**actions[1].parameters, "DryRun": True}, "DryRunOperation")
    performed = perform_all(ec2.client, actions)
    assert performed.actions == performed.answers == ()
    (failure,) = performed.failures
    assert failure.error_code == "UnauthorizedOperation"
    assert failure.message == "You may not."
    assert failure.action == SNAPSHOT
    assert failure.request_id == "req-7"
    assert (failure.region, failure.account_id) == ("eu-west-1", OWNER)
    assert "ModifySnapshotAttribute" in failure.remedy


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InvalidAMIAttributeItemValue", "Invalid value."),
        ("InvalidUserID.Malformed", "Invalid value."),
        ("InvalidParameterValue", "Value (222222222222) for parameter userId is invalid."),
    ],
)
def test_a_rejected_entry_is_named(ec2: Wire, code: str, message: str) -> None:
    action = image_action("222222222222")
    ec2.refuse("modify_image_attribute", action.parameters, code, message, "req-7")
    performed = perform_all(ec2.client, (action,))
    assert performed.actions == performed.answers == ()
    (failure,) = performed.failures
    assert failure.message == f"AWS rejected 222222222222: {message}"
    assert failure.error_code == CONSUMER_REJECTED == "consumer_rejected"
    assert failure.source == "aws"
    assert failure.request_id == "req-7"
    assert failure.remedy == "Correct or remove it, and rerun; all other entries were applied."


@pytest.mark.parametrize(
    ("entries_of_a_kind", "named"),
    [
        pytest.param(
            [{"OrganizationArn": ORG}, {"OrganizationArn": ORG + "x"}], ORG + "x", id="organization"
        ),
        pytest.param([{"OrganizationalUnitArn": UNIT}, {"UserId": "222222222222"}], UNIT, id="unit"),
    ],
)
def test_a_rejected_organization_is_named(
    ec2: Wire, entries_of_a_kind: list[dict[str, str]], named: str
) -> None:
    def action(*entries: dict[str, str]) -> Action:
        return Action(HERE, IMAGE, {"ImageId": "ami-1", "LaunchPermission": {"Add": list(entries)}}, "ami-1")

    message = f"The value {named} is invalid."
    whole = action(*entries_of_a_kind)
    ec2.refuse("modify_image_attribute", whole.parameters, "InvalidParameterValue", message)
    good = []
    for entry in entries_of_a_kind:
        if named in entry.values():
            request = action(entry).parameters
            ec2.refuse("modify_image_attribute", request, "InvalidParameterValue", message)
        else:
            good.append(action(entry))
            ec2.expect("modify_image_attribute", good[-1].parameters)
    performed = perform_all(ec2.client, (whole,))
    assert performed.actions == tuple(good)
    assert [failure.message for failure in performed.failures] == [f"AWS rejected {named}: {message}"]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("The attribute cannot be changed.", id="no value"),
        pytest.param("Value (444444444444) for parameter userId is invalid.", id="not in the batch"),
        pytest.param("The attribute does not allow this.", id="the group's name inside a word"),
    ],
)
def test_a_rejected_request_is_one_call_and_one_failure(ec2: Wire, message: str) -> None:
    permissions = {"Add": [{"UserId": "222222222222"}, {"UserId": "333333333333"}, {"Group": "all"}]}
    batch = Action(HERE, IMAGE, {"ImageId": "ami-1", "LaunchPermission": permissions}, "ami-1")
    ec2.refuse("modify_image_attribute", batch.parameters, "InvalidParameterValue", message)
    performed = perform_all(ec2.client, (batch, image_action("555555555555", change="Remove")))
    assert performed.actions == performed.answers == ()
    (failure,) = performed.failures
    assert (failure.error_code, failure.message) == ("InvalidParameterValue", message)


def reject_batches_with(ec2: Wire, bad: set[str], account_ids: list[str]) -> None:
    """Script AWS to reject each batch with a bad entry; batches are halved until each bad one is alone."""
    request = image_request(account_ids)
    if not bad & set(account_ids):
        ec2.expect("modify_image_attribute", request)
        return
    ec2.refuse(
        "modify_image_attribute", request, "InvalidAMIAttributeItemValue", "Invalid attribute item value."
    )
    if len(account_ids) > 1:
        middle = len(account_ids) // 2
        reject_batches_with(ec2, bad, account_ids[:middle])
        reject_batches_with(ec2, bad, account_ids[middle:])


ACCOUNTS = sharing.accounts(13)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({ACCOUNTS[0]}, id="the first"),
        pytest.param({ACCOUNTS[12]}, id="the last"),
        pytest.param({ACCOUNTS[6]}, id="one in the middle"),
        pytest.param({ACCOUNTS[1], ACCOUNTS[2], ACCOUNTS[9]}, id="several"),
        pytest.param(set(ACCOUNTS), id="all"),
    ],
)
def test_good_entries_of_a_batch_are_applied_and_bad_ones_named(ec2: Wire, bad: set[str]) -> None:
    reject_batches_with(ec2, bad, list(ACCOUNTS))
    following = image_action("333333333333")
    ec2.expect("modify_image_attribute", following.parameters)
    performed = perform_all(ec2.client, (image_action(*ACCOUNTS), following))
    applied = [item for batch in entries(performed.actions) for item in batch]
    assert applied == [*(item for item in ACCOUNTS if item not in bad), "333333333333"]
    assert len(performed.answers) == len(performed.actions)
    assert [failure.message for failure in performed.failures] == [
        f"AWS rejected {item}: Invalid attribute item value." for item in ACCOUNTS if item in bad
    ]
    assert {failure.error_code for failure in performed.failures} == {CONSUMER_REJECTED}


def test_one_bad_entry_in_a_large_batch_causes_few_calls(ec2: Wire) -> None:
    accounts = list(sharing.accounts(10_000))
    reject_batches_with(ec2, {accounts[4321]}, accounts)
    performed = perform_all(ec2.client, (image_action(*accounts),))
    assert sum(len(batch) for batch in entries(performed.actions)) == 9_999
    assert len(performed.actions) + len(performed.failures) <= 15


def reject_snapshot_batch(ec2: Wire, good: str, bad: str) -> None:
    """Script AWS to reject one of two accounts."""
    refusal = ("InvalidUserID.Malformed", "Invalid user.")
    ec2.refuse("modify_snapshot_attribute", snapshot_request([good, bad]), *refusal)
    ec2.expect("modify_snapshot_attribute", snapshot_request([good]))
    ec2.refuse("modify_snapshot_attribute", snapshot_request([bad]), *refusal)


def test_after_a_denied_action_the_others_are_dry_runs_that_name_what_else_is_denied(ec2: Wire) -> None:
    tags = {"Resources": ["ami-1"], "Tags": [{"Key": "a", "Value": "1"}]}
    actions = (
        snapshot_action("222222222222"),
        snapshot_action("333333333333"),
        image_action("222222222222"),
        Action(HERE, "CreateTags", tags, "ami-1"),
    )
    ec2.refuse("modify_snapshot_attribute", actions[0].parameters, "UnauthorizedOperation")
    ec2.refuse("modify_image_attribute", {**actions[2].parameters, "DryRun": True}, "UnauthorizedOperation")
    ec2.refuse("create_tags", {**tags, "DryRun": True}, "DryRunOperation")
    performed = perform_all(ec2.client, actions)
    assert performed.actions == ()
    assert [(one.action, one.error_code) for one in performed.failures] == [
        (SNAPSHOT, "UnauthorizedOperation"),
        (IMAGE, "UnauthorizedOperation"),
    ]


@pytest.mark.parametrize(("first", "hints"), [("create_tags", True), ("modify_snapshot_attribute", False)])
def test_what_may_be_denied_only_for_missing_tags_says_so(ec2: Wire, first: str, hints: bool) -> None:
    tags = {"Resources": ["ami-1"], "Tags": [{"Key": "a", "Value": "1"}]}
    tagging = Action(HERE, "CreateTags", tags, "ami-1")
    actions = (tagging if hints else snapshot_action("222222222222"), image_action("222222222222"))
    ec2.refuse(first, actions[0].parameters, "UnauthorizedOperation")
    ec2.refuse("modify_image_attribute", {**actions[1].parameters, "DryRun": True}, "UnauthorizedOperation")
    *_denied, following = perform_all(ec2.client, actions).failures
    assert following.action == IMAGE
    assert ("Allow CreateTags first" in following.remedy) is hints


def test_no_dry_run_follows_another_failure(ec2: Wire) -> None:
    actions = (snapshot_action("222222222222"), image_action("222222222222"))
    ec2.refuse("modify_snapshot_attribute", actions[0].parameters, "InvalidSnapshot.NotFound")
    assert len(perform_all(ec2.client, actions).failures) == 1


def test_the_image_is_shared_after_a_bad_entry_of_its_snapshot(ec2: Wire) -> None:
    good, bad = "222222222222", "333333333333"
    reject_snapshot_batch(ec2, good, bad)
    reject_batches_with(ec2, {bad}, [good, bad])
    performed = perform_all(ec2.client, (snapshot_action(good, bad), image_action(good, bad)))
    assert performed.actions == (snapshot_action(good), image_action(good))
    assert [(failure.action, failure.message) for failure in performed.failures] == [
        (SNAPSHOT, f"AWS rejected {bad}: Invalid user."),
        (IMAGE, f"AWS rejected {bad}: Invalid attribute item value."),
    ]


def test_another_failure_after_a_bad_entry_stops_the_target(ec2: Wire) -> None:
    good, bad = "222222222222", "333333333333"
    reject_snapshot_batch(ec2, good, bad)
    following = image_action(good)
    ec2.refuse("modify_image_attribute", following.parameters, "UnauthorizedOperation", "You may not.")
    performed = perform_all(
        ec2.client, (snapshot_action(good, bad), following, image_action("444444444444", change="Remove"))
    )
    assert performed.actions == (snapshot_action(good),)
    assert [failure.error_code for failure in performed.failures] == [
        CONSUMER_REJECTED,
        "UnauthorizedOperation",
    ]


def test_other_calls_are_not_split(ec2: Wire) -> None:
    action = Action(
        HERE, "CreateTags", {"Resources": ["ami-1"], "Tags": [{"Key": "a", "Value": "1"}]}, "ami-1"
    )
    ec2.refuse("create_tags", action.parameters, "InvalidParameterValue", "Tag is bad.")
    (failure,) = perform_all(ec2.client, (action,)).failures
    assert failure.message == "Tag is bad."


COPY = Action(HERE, "CopyImage", {"Name": "golden", "SourceImageId": "ami-1", "SourceRegion": "us-east-1"})
STORAGE = "You do not have permission to access the storage of this ami"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.of(monkeypatch, attempts)


@pytest.mark.parametrize(
    ("action", "method", "code", "message"),
    [
        pytest.param(image_action("222222222222"), "modify_image_attribute", "InvalidAMIID.NotFound", "No."),
        pytest.param(
            image_action("222222222222"), "modify_image_attribute", "InvalidAMIID.Unavailable", "No."
        ),
        pytest.param(COPY, "copy_image", "InvalidAMIID.NotFound", "No."),
        pytest.param(COPY, "copy_image", "InvalidAMIID.Unavailable", "No."),
        pytest.param(COPY, "copy_image", "InvalidRequest", STORAGE),
    ],
)
def test_what_has_not_propagated_is_tried_again(
    ec2: Wire, clock: Clock, action: Action, method: str, code: str, message: str
) -> None:
    """(EC2 Developer Guide, "Eventual consistency".)"""
    for _number in range(2):
        ec2.refuse(method, action.parameters, code, message)
    ec2.expect(method, action.parameters, {"ImageId": "ami-2"} if action == COPY else None)
    started = clock.now
    done = perform_all(ec2.client, (action,))
    assert (done.actions, done.failures) == ((action,), ())
    assert clock.now == started + 3


PARAMETER = "/golden/web"


@pytest.mark.parametrize(
    ("operation", "method", "parameters"),
    [
        (
            "LabelParameterVersion",
            "label_parameter_version",
            {"Name": PARAMETER, "ParameterVersion": 2, "Labels": ["golden"]},
        ),
        (
            "UnlabelParameterVersion",
            "unlabel_parameter_version",
            {"Name": PARAMETER, "ParameterVersion": 1, "Labels": ["golden"]},
        ),
        (
            "AddTagsToResource",
            "add_tags_to_resource",
            {"ResourceType": "Parameter", "ResourceId": PARAMETER, "Tags": [{"Key": "a", "Value": "b"}]},
        ),
    ],
)
def test_an_update_of_a_parameter_that_is_being_updated_is_tried_again(
    clock: Clock, operation: str, method: str, parameters: dict[str, Any]
) -> None:
    """(botocore shape TooManyUpdates.)"""
    action = Action(HERE, operation, parameters, PARAMETER, "ssm")
    started = clock.now
    with Wire("ssm").spoken() as ssm:
        ssm.refuse(method, parameters, "TooManyUpdates", "")
        ssm.expect(method, parameters)
        done = write.perform(ssm.client, action)
        assert (done.actions, done.failures) == ((action,), ())
        ssm.refuse(method, parameters, "ParameterNotFound")
        assert [failure.error_code for failure in write.perform(ssm.client, action).failures] == [
            "ParameterNotFound"
        ]
    assert clock.now == started + 1


def test_what_does_not_propagate_is_a_failure(ec2: Wire, clock: Clock) -> None:
    started = clock.now
    # After 0, 1, 3, 7, 15, 23 and 30 seconds.
    for _number in range(7):
        ec2.refuse("copy_image", COPY.parameters, "InvalidRequest", STORAGE)
    (failure,) = perform_all(ec2.client, (COPY,)).failures
    assert (failure.error_code, failure.message) == ("InvalidRequest", STORAGE)
    # A best-effort region is waited for until then, and until the last call is answered.
    assert clock.now - started == 30
    assert SETTLING_TIMEOUT <= clock.now - started <= CHANGE_GRACE_PERIOD - GRACE_PERIOD


@pytest.mark.parametrize(
    ("action", "method", "code"),
    [
        pytest.param(COPY, "copy_image", "InvalidRequest", id="another reason"),
        pytest.param(
            image_action("222222222222", change="Remove"),
            "modify_image_attribute",
            "InvalidAMIID.Unavailable",
            id="unshare",
        ),
        pytest.param(
            Action(HERE, "DeregisterImage", {"ImageId": "ami-1"}, "ami-1"),
            "deregister_image",
            "InvalidAMIID.NotFound",
            id="deregister",
        ),
    ],
)
def test_other_refusals_are_final(ec2: Wire, clock: Clock, action: Action, method: str, code: str) -> None:
    ec2.refuse(method, action.parameters, code)
    started = clock.now
    (failure,) = perform_all(ec2.client, (action,)).failures
    assert failure.error_code == code
    assert clock.now == started


def test_snapshots_that_a_deregistration_leaves(ec2: Wire) -> None:
    """(botocore shape SnapshotReturnCodes.)"""
    request = {"ImageId": "ami-1", "DeleteAssociatedSnapshots": True}
    codes = {"snap-1": "success", "snap-2": "skipped", "snap-3": "missing-permissions"}
    results = [{"SnapshotId": item, "ReturnCode": code} for item, code in codes.items()]
    ec2.expect("deregister_image", request, {"Return": True, "DeleteSnapshotResults": results})
    done = perform_all(ec2.client, (Action(HERE, "DeregisterImage", request, "ami-1"),))
    assert done.failures == ()
    (failure,) = snapshots_left(done, "Because of {}.".format)
    assert failure.message == "Snapshot snap-3 of ami-1 could not be deleted: missing-permissions."
    assert failure.remedy == "Because of missing-permissions."
    assert (failure.error_code, failure.action) == ("snapshot_not_deleted", "DeleteSnapshot")


def test_a_snapshot_without_a_return_code_is_not_taken_as_deleted() -> None:
    action = Action(HERE, "DeregisterImage", {"ImageId": "ami-1"}, "ami-1")
    done = Performed((action,), ({"DeleteSnapshotResults": [{"SnapshotId": "snap-1"}, {}]},))
    first, second = snapshots_left(done, "Because of {}.".format)
    assert first.message == "Snapshot snap-1 of ami-1 could not be deleted: no return code."
    assert second.message.startswith("Snapshot with an unknown ID of ami-1 could not be deleted")


def test_a_region_that_cannot_be_reached_is_a_failure(ec2: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**_parameters: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://ec2.eu-west-1.amazonaws.com")

    monkeypatch.setattr(ec2.client, "modify_image_attribute", unreachable)
    (failure,) = perform_all(ec2.client, (image_action("222222222222"),)).failures
    assert failure.error_code == "EndpointConnectionError"
    assert failure.action == IMAGE


def test_an_unknown_parameter_is_a_failure() -> None:
    action = Action(HERE, "DeregisterImage", {"ImageId": "ami-1", "Newer": True}, "ami-1")
    # Without a script: botocore raises before it sends a request.
    (failure,) = perform_all(Wire("ec2").client, (action,)).failures
    assert failure.error_code == "ParamValidationError"
    assert "update botocore" in failure.remedy
