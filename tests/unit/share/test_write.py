# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run opened to all is closed if it fails."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.write import Performed
from ansible_collections.golden.images.plugins.module_utils.plan import Action
from ansible_collections.golden.images.plugins.module_utils.share import write

from tests.unit.examples import CONSUMER, STRANGER, target_in
from tests.unit.share.examples import IMAGE, PRIVATE, PUBLIC, REGION, planned, shared, wanted, with_accounts
from tests.unit.wire import Wire

HERE = target_in(REGION)
METHODS = {
    "ModifyImageAttribute": "modify_image_attribute",
    "ModifySnapshotAttribute": "modify_snapshot_attribute",
}
PRIVATE_DISKS = {"snap-1": PRIVATE, "snap-2": PRIVATE}
OPENING = planned(wanted(PUBLIC), shared(volumes_of=PRIVATE_DISKS)).actions
CLOSING = {
    one.resource: one
    for one in planned(
        wanted(PUBLIC, present=False), shared(PUBLIC, dict.fromkeys(PRIVATE_DISKS, PUBLIC))
    ).actions
}
REFUSAL = "OperationNotPermitted"


def expect(ec2: Wire, *actions: Action) -> None:
    for action in actions:
        ec2.expect(METHODS[action.operation], action.parameters)


def refuse(ec2: Wire, action: Action, code: str = REFUSAL, **more: Any) -> None:
    ec2.refuse(METHODS[action.operation], action.parameters, code, **more)


def resources(done: Performed) -> list[str | None]:
    return [action.resource for action in done.actions]


def test_without_a_failure_all_is_open(ec2: Wire) -> None:
    expect(ec2, *OPENING)
    done = write.perform_or_close(ec2.client, OPENING)
    assert (done.actions, done.failures) == (OPENING, ())


@pytest.mark.parametrize("number", range(3))
def test_whichever_call_is_refused_nothing_stays_open(ec2: Wire, number: int) -> None:
    expect(ec2, *OPENING[:number])
    refuse(ec2, OPENING[number])
    # The image is closed last.
    expect(ec2, *(CLOSING[one.resource] for one in reversed(OPENING[:number])))
    done = write.perform_or_close(ec2.client, OPENING)
    (failure,) = done.failures
    assert failure.error_code == REFUSAL
    assert ("private again" in failure.remedy) == bool(number)
    assert all(str(one.resource) in failure.remedy for one in OPENING[:number])
    opened = [one.resource for one in OPENING[:number]]
    assert resources(done) == [*opened, *reversed(opened)]


def test_only_what_this_run_opened_is_closed(ec2: Wire) -> None:
    held = {"snap-1": PUBLIC, "snap-2": PRIVATE}
    (opening,) = planned(wanted(PUBLIC), shared(PUBLIC, held)).actions
    refuse(ec2, opening)
    done = write.perform_or_close(ec2.client, [opening])
    assert (done.actions, len(done.failures)) == ((), 1)


def test_accounts_keep_what_was_shared_with_them(ec2: Wire) -> None:
    want = wanted(with_accounts(CONSUMER) | PUBLIC, purge=True)
    actions = planned(want, shared(with_accounts(STRANGER), {"snap-1": with_accounts(STRANGER)})).actions
    refused = next(one for one in actions if "Remove" in str(one.parameters))
    before = actions[: actions.index(refused)]
    expect(ec2, *before)
    refuse(ec2, refused)
    expect(ec2, CLOSING[IMAGE])
    done = write.perform_or_close(ec2.client, actions)
    assert done.actions == (*before, CLOSING[IMAGE])


def test_what_may_be_open_after_a_lost_answer_is_closed(ec2: Wire) -> None:
    expect(ec2, OPENING[0])
    refuse(ec2, OPENING[1], "InternalError", repeated=4)
    expect(ec2, CLOSING["snap-1"], CLOSING[IMAGE])
    done = write.perform_or_close(ec2.client, OPENING)
    (failure,) = done.failures
    assert f"opened {IMAGE}, snap-1 and made them private again" in failure.remedy


def test_what_may_be_open_and_cannot_be_closed_is_said_as_that(ec2: Wire) -> None:
    refuse(ec2, OPENING[0], "InternalError", repeated=4)
    refuse(ec2, CLOSING[IMAGE], "InternalError", repeated=4)
    _lost, left = write.perform_or_close(ec2.client, OPENING).failures
    assert left.message.startswith(f"{IMAGE} may be public")


def test_what_cannot_be_closed_is_a_failure_and_the_rest_is_closed(ec2: Wire) -> None:
    expect(ec2, *OPENING[:2])
    refuse(ec2, OPENING[2])
    refuse(ec2, CLOSING["snap-1"], "UnauthorizedOperation")
    expect(ec2, CLOSING[IMAGE])
    done = write.perform_or_close(ec2.client, OPENING)
    refused, left = done.failures
    assert (refused.error_code, left.error_code) == (REFUSAL, "still_public")
    assert IMAGE in refused.remedy
    assert "snap-1" in left.message
    assert resources(done) == [IMAGE, "snap-1", IMAGE]


def test_a_rejected_account_closes_nothing(ec2: Wire) -> None:
    want = wanted(with_accounts(CONSUMER) | PUBLIC)
    actions = planned(want, shared(volumes_of={})).actions
    refuse(ec2, actions[0], "InvalidAMIAttributeItemValue")
    expect(ec2, *actions[1:])
    done = write.perform_or_close(ec2.client, actions)
    assert done.actions == actions[1:]
    assert [one.error_code for one in done.failures] == ["consumer_rejected"]


def test_others_are_closed_too(ec2: Wire) -> None:
    done = write.perform_or_close(ec2.client, [])
    refuse(ec2, OPENING[0])
    failed = write.perform_or_close(ec2.client, OPENING[:1])
    expect(ec2, CLOSING["snap-2"])
    closed = write.close(ec2.client, HERE, failed, ["snap-2"])
    assert (done, resources(closed)) == (Performed(), ["snap-2"])
    assert "opened snap-2 and made it private again" in closed.failures[0].remedy
