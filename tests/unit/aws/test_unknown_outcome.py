# SPDX-License-Identifier: GPL-3.0-or-later

"""A change that was made although its call failed: by a read, and never by the error code alone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts
from ansible_collections.golden.images.plugins.module_utils._aws.errors import failure
from ansible_collections.golden.images.plugins.module_utils._aws.unknown_outcome import (
    is_made,
    is_refused_as_made,
    is_unknown,
    may_be_made,
)
from ansible_collections.golden.images.plugins.module_utils._aws.write import perform
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._plan import Action
from botocore.exceptions import ClientError

from tests.unit.clock import Clock
from tests.unit.examples import OWNER, target_in
from tests.unit.wire import Wire, answering

GONE, LATE = "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"


def action(operation: str, **parameters: str) -> Action:
    (resource, *_rest) = parameters.values()
    service = "kms" if operation == "RevokeGrant" else "ec2"
    return Action(target_in(), operation, parameters, resource, service=service)


def image(state: str) -> dict[str, Any]:
    return {"describe_images": {"Images": [{"ImageId": "ami-1", "OwnerId": OWNER, "State": state}]}}


NO_IMAGE: dict[str, Any] = {"describe_images": {"Images": []}}
SNAPSHOT = {"describe_snapshots": {"Snapshots": [{"SnapshotId": "snap-1", "State": "completed"}]}}
NO_SNAPSHOT: dict[str, Any] = {"describe_snapshots": {"Snapshots": []}}
GRANT = {"list_grants": {"Grants": [{"GrantId": "g-1", "Operations": ["Decrypt"]}]}}
NO_GRANT: dict[str, Any] = {"list_grants": {"Grants": []}}
DEREGISTER, DISABLE = action("DeregisterImage", ImageId="ami-1"), action("DisableImage", ImageId="ami-1")
ENABLE = action("EnableImage", ImageId="ami-1")
RESTORE = action("RestoreImageFromRecycleBin", ImageId="ami-1")
DELETE = action("DeleteSnapshot", SnapshotId="snap-1")
RESTORE_SNAPSHOT = action("RestoreSnapshotFromRecycleBin", SnapshotId="snap-1")
REVOKE = action("RevokeGrant", GrantId="g-1", KeyId="key")


@pytest.mark.parametrize(
    ("change", "answers", "made"),
    [
        (DEREGISTER, NO_IMAGE, True),
        # Lists can still show it.
        (DEREGISTER, image("deregistered"), True),
        (DEREGISTER, image("available"), False),
        (DISABLE, image("disabled"), True),
        (DISABLE, image("pending"), False),
        (DISABLE, NO_IMAGE, False),
        (ENABLE, image("available"), True),
        (ENABLE, image("disabled"), False),
        (RESTORE, image("available"), True),
        (RESTORE, image("disabled"), True),
        (RESTORE, NO_IMAGE, False),
        (DELETE, NO_SNAPSHOT, True),
        (DELETE, SNAPSHOT, False),
        (RESTORE_SNAPSHOT, SNAPSHOT, True),
        (RESTORE_SNAPSHOT, NO_SNAPSHOT, False),
        (REVOKE, NO_GRANT, True),
        (REVOKE, GRANT, False),
    ],
)
def test_the_state_shows_whether_a_change_is_made(
    change: Action, answers: dict[str, Any], made: bool
) -> None:
    assert is_made(answering(change.service, **answers), change) is made


def test_a_change_whose_state_cannot_be_read_is_not_known_to_be_made() -> None:
    wire = Wire("kms")
    wire.refuse("list_grants", {"KeyId": "key", "Limit": 100}, "AccessDeniedException")
    with wire.spoken():
        assert not is_made(wire.client, REVOKE)


@pytest.mark.parametrize(
    ("change", "code", "source", "open_", "refused"),
    [
        (DEREGISTER, GONE, "aws", True, True),
        (DEREGISTER, LATE, "aws", True, True),
        (DEREGISTER, "UnauthorizedOperation", "aws", False, False),
        (DEREGISTER, "InternalError", "aws", True, False),
        (DEREGISTER, "ConnectionClosedError", "sdk", True, False),
        (DEREGISTER, "ParamValidationError", "sdk", False, False),
        (DEREGISTER, "NoCredentialsError", "sdk", False, False),
        (DELETE, "InvalidSnapshot.NotFound", "aws", True, True),
        (DELETE, "InvalidSnapshot.InUse", "aws", False, False),
        (REVOKE, "NotFoundException", "aws", True, True),
        (action("CreateTags", ImageId="ami-1"), GONE, "aws", False, False),
        (action("CreateTags", ImageId="ami-1"), "InternalError", "aws", False, False),
    ],
)
def test_which_failures_leave_open_whether_the_change_is_made(
    change: Action, code: str, source: Any, open_: bool, refused: bool
) -> None:
    problem = Failure("No.", "", code, change.operation, source=source)
    assert (may_be_made(change, problem), is_refused_as_made(change, problem)) == (open_, refused)


@pytest.mark.parametrize(
    ("code", "source", "unknown"),
    [
        ("InternalError", "aws", True),
        ("503", "aws", True),
        ("InternalServerError", "aws", True),
        ("KMSInternalException", "aws", True),
        ("ReadTimeoutError", "sdk", True),
        ("ParamValidationError", "sdk", False),
        ("ThrottlingException", "aws", False),
        ("ValidationException", "aws", False),
    ],
)
def test_which_failures_leave_open_whether_aws_performed_the_call(
    code: str, source: Any, unknown: bool
) -> None:
    assert is_unknown(Failure("No.", "", code, "PutParameter", source=source)) is unknown


@pytest.mark.parametrize(
    ("code", "status", "unknown"),
    [
        ("SomethingNew", 500, True),
        ("SomethingNew", 400, False),
        ("RequestLimitExceeded", 503, False),
        # EC2 Developer Guide, "Error codes for the Amazon EC2 API": one of the server's.
        ("InsufficientInstanceCapacity", 500, False),
    ],
)
def test_an_unknown_code_of_a_failed_server_says_nothing(code: str, status: int, unknown: bool) -> None:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    problem = failure(ClientError(answer, "StartInstanceRefresh"), target_in(), "StartInstanceRefresh")
    assert is_unknown(problem) is unknown


READ = {
    "Filters": [{"Name": "image-id", "Values": ["ami-1"]}],
    "IncludeDisabled": True,
    "IncludeDeprecated": True,
    "MaxResults": 1000,
}


@pytest.mark.parametrize(
    ("repeated", "states", "actions", "codes"),
    [
        pytest.param(1, ["disabled"], [DISABLE], [], id="by the first attempt"),
        pytest.param(2, ["available", "disabled"], [DISABLE], [], id="shown late"),
        pytest.param(0, ["disabled"], [], [], id="by another process"),
        pytest.param(0, ["pending"], [], [LATE], id="not at all"),
        pytest.param(1, ["pending"] * 7, [], [LATE], id="not at all, however often"),
    ],
)
def test_a_repeated_call_that_aws_refuses_has_done_it(
    monkeypatch: pytest.MonkeyPatch, repeated: int, states: list[str], actions: list[Action], codes: list[str]
) -> None:
    Clock.of(monkeypatch, attempts)
    wire = Wire("ec2")
    wire.refuse("disable_image", {"ImageId": "ami-1"}, LATE, repeated=repeated)
    for state in states:
        wire.expect("describe_images", READ, image(state)["describe_images"])
    with wire.spoken():
        done = perform(wire.client, DISABLE)
    assert [*done.actions] == actions
    assert [one.error_code for one in done.failures] == codes
