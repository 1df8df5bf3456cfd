# SPDX-License-Identifier: GPL-3.0-or-later

"""No image is disabled or deregistered by a look that is older than a minute, or that shows a new user."""

from __future__ import annotations

from dataclasses import replace
from threading import Event, Lock
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.each_attempt import check_attempts
from ansible_collections.golden.images.plugins.module_utils._cleanup import apply, inspect_last
from ansible_collections.golden.images.plugins.module_utils._cleanup.apply import perform_each
from ansible_collections.golden.images.plugins.module_utils._cleanup.inspect_images import (
    open_for_permissions,
    open_for_states,
)
from ansible_collections.golden.images.plugins.module_utils._cleanup.inspect_last import (
    MAX_AGE,
    LastLook,
    count_looks,
)
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import (
    CleanupState,
    Evidence,
    Permissions,
    SnapshotUsage,
)
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Sharing, SnapshotRef
from ansible_collections.golden.images.plugins.module_utils._plan import Action, Performed
from botocore.config import Config

from tests.unit.cleanup.aws_answers import Answers
from tests.unit.cleanup.examples import REGION, described, own, region_state, seen, shared
from tests.unit.clock import Clock
from tests.unit.examples import CONSUMER, target_in
from tests.unit.sending import sends

OTHER = "444455556666"
REF, SNAPSHOT = ImageRef(REGION, "ami-1"), SnapshotRef(REGION, "snap-ami-1")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of looks, which botocore's pauses between attempts advance."""
    clock = Clock()
    monkeypatch.setattr(inspect_last, "monotonic", clock.monotonic)
    monkeypatch.setattr("botocore.endpoint.time.sleep", clock.sleep)
    return clock


def to(*account_ids: str) -> Sharing:
    return Sharing(account_ids=frozenset(account_ids))


WITH_CONSUMER = to(CONSUMER)


def permissions(image: Sharing = WITH_CONSUMER, snapshot: Sharing = WITH_CONSUMER) -> Permissions:
    return Permissions(image, {SNAPSHOT: SnapshotUsage(snapshot)})


PLANNED = permissions()
UNREAD = Evidence.unreadable("DescribeImageAttribute", "No.")
GONE = Permissions(gone=(Evidence.deregistered("ami-1"),))


def state(images: int = 1) -> CleanupState:
    """Images that are shared with a consumer, and so are their snapshots."""
    ids = [f"ami-{number}" for number in range(1, images + 1)]
    return seen(
        region_state(*(own(one) for one in ids)),
        usage={ImageRef(REGION, one): shared(CONSUMER) for one in ids},
        snapshot_usage={SnapshotRef(REGION, f"snap-{one}"): SnapshotUsage(to(CONSUMER)) for one in ids},
    )


def call(operation: str, image_id: str = "ami-1") -> Action:
    return Action(target_in(), operation, {"ImageId": image_id}, image_id)


def ec2(operation: str, attempts: int = 8) -> Any:
    client = boto3.client(
        "ec2",
        region_name=REGION,
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="not-a-secret",
        config=Config(retries={"mode": "standard", "total_max_attempts": attempts}),
    )
    check_attempts(client, operation)
    return client


def retired(client: Any, look: LastLook, *actions: Action) -> Performed:
    with patch.object(apply, "_SIDE_BY_SIDE", 1):
        return perform_each(lambda _action: client, actions, {}, look)


@pytest.mark.parametrize("delay", [0.2, 3.0, 25.0, MAX_AGE - 1, MAX_AGE, 200.0])
@pytest.mark.parametrize("refused", [0, 1, 7])
def test_no_deletion_is_sent_with_a_look_that_is_older_than_a_minute(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, delay: float, refused: int
) -> None:
    """A rate limit delays each attempt. AWS throttles some, which botocore repeats up to 20 seconds later."""
    looked_at: dict[str, float] = {}
    sent: list[tuple[str, float]] = []

    def read(_clients: Any, saw: CleanupState, ref: ImageRef) -> Permissions:
        looked_at[ref.image_id] = clock.now
        clock.sleep(0.1)
        known = saw.permissions_of(ref)
        assert known is not None
        return known

    monkeypatch.setattr(inspect_last, "read_permissions", read)
    # More than one round; botocore has a budget for repeated calls.
    saw = state(images=40)
    attempts = [
        (ref.image_id, status)
        for number, ref in enumerate(saw.images)
        for status in (*[503] * (refused if number % 10 == 3 else 0), 200)
    ]
    client = ec2("DeregisterImage")
    client.meta.events.register("request-created.ec2.DeregisterImage", lambda **_event: clock.sleep(delay))

    def note() -> None:
        image_id, _status = attempts[len(sent)]
        sent.append((image_id, clock.now - looked_at[image_id]))

    sends(client, "DeregisterImage", (status for _image, status in attempts), note)
    look = LastLook(Answers(), saw, saw.images)
    performed = retired(client, look, *(call("DeregisterImage", ref.image_id) for ref in saw.images))
    assert [action.resource for action in performed.actions] == [ref.image_id for ref in saw.images]
    assert (performed.failures, look.spared) == ((), {})
    assert [image_id for image_id, _age in sent] == [image_id for image_id, _status in attempts]
    assert max(age for _image, age in sent) <= MAX_AGE


@pytest.mark.parametrize("operation", ["DisableImage", "DeregisterImage"])
@pytest.mark.parametrize(
    ("found", "stays", "stays_later"),
    [
        pytest.param(PLANNED, False, False, id="the same"),
        pytest.param(permissions(image=to(CONSUMER, OTHER)), True, True, id="shared with another account"),
        pytest.param(permissions(image=Sharing(public=True)), True, True, id="public"),
        pytest.param(
            permissions(image=replace(to(CONSUMER), org_arns=frozenset({"arn:o"}))), True, True, id="org"
        ),
        pytest.param(permissions(snapshot=to(CONSUMER, OTHER)), True, True, id="the snapshot is shared"),
        pytest.param(replace(PLANNED, unread=(UNREAD,)), True, True, id="it cannot be read"),
        pytest.param(
            Permissions(to(CONSUMER), {SNAPSHOT: SnapshotUsage(unread="No.")}),
            True,
            True,
            id="the snapshot cannot be read",
        ),
        # Its tombstone would give back what it no longer has. Later, an earlier attempt may have done that.
        pytest.param(permissions(image=to()), True, False, id="no longer shared"),
        pytest.param(GONE, True, False, id="gone"),
        # No attempt of this run can have done that.
        pytest.param(replace(PLANNED, is_enabled=True), True, True, id="enabled again"),
    ],
)
def test_what_the_look_shows_decides(
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    found: Permissions,
    stays: bool,
    stays_later: bool,
) -> None:
    def is_sent(*looks: Permissions) -> bool:
        answers, sent = iter(looks), []
        monkeypatch.setattr(inspect_last, "read_permissions", lambda *_all: next(answers))
        client = ec2(operation)
        client.meta.events.register(f"request-created.ec2.{operation}", lambda **_event: clock.sleep(61))
        sends(client, operation, iter([200]), lambda: sent.append(operation))
        look = LastLook(Answers(), state(), [REF])
        performed = retired(client, look, call(operation))
        assert performed.failures == ()
        assert [action.operation for action in performed.actions] == sent
        assert look.spared == ({} if sent else {REF: found})
        return bool(sent)

    assert is_sent(found, PLANNED) is not stays
    # The call waits for more than a minute.
    assert is_sent(PLANNED, found) is not stays_later


@pytest.mark.parametrize("most", [0.5, 1, 1.9])
def test_slow_looks_wait_for_each_other_before_they_begin(
    most: float, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each read waits for its turn at one call in two seconds: this image has twenty snapshots."""
    running, most_running = 0, 0
    guard, other_may_begin = Lock(), Event()

    def read(*_all: Any) -> Permissions:
        nonlocal running, most_running
        with guard:
            running += 1
            most_running = max(most_running, running)
        other_may_begin.wait(0.05)
        with guard:
            clock.sleep(40)
            running -= 1
        known = saw.permissions_of(_all[2])
        assert known is not None
        return known

    monkeypatch.setattr(inspect_last, "read_permissions", read)
    saw = state(images=5)
    client = ec2("DeregisterImage")
    sends(client, "DeregisterImage", iter([200] * 5))
    look = LastLook(Answers(), saw, saw.images, most)
    actions = [call("DeregisterImage", ref.image_id) for ref in saw.images]
    performed = perform_each(lambda _action: client, actions, {}, look)
    assert (performed.failures, look.spared, most_running) == ((), {}, 1)
    assert {action.resource for action in performed.actions} == {ref.image_id for ref in saw.images}


@pytest.mark.parametrize(
    ("most", "expected"), [(None, 16), (100, 16), (16, 16), (5, 5), (2.5, 2), (1, 1), (0.5, 1), (0.01, 1)]
)
def test_as_many_looks_at_a_time_as_calls_in_a_second(most: float | None, expected: int) -> None:
    assert count_looks(most) == expected


@pytest.mark.parametrize(
    ("sent", "found", "unknown"),
    [
        (0, replace(PLANNED, unread=(UNREAD,)), False),
        (1, replace(PLANNED, unread=(UNREAD,)), True),
        (1, Permissions(to(CONSUMER), {SNAPSHOT: SnapshotUsage(unread="No.")}), True),
        # It is there, and not retired.
        (1, permissions(image=to(CONSUMER, OTHER)), False),
    ],
)
def test_the_outcome_is_unknown_if_nothing_can_be_read_after_an_attempt(
    sent: int, found: Permissions, unknown: bool, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([PLANNED, *[PLANNED] * sent, found])
    monkeypatch.setattr(inspect_last, "read_permissions", lambda *_all: next(looks))
    client = ec2("DeregisterImage")
    client.meta.events.register("request-created.ec2.DeregisterImage", lambda **_event: clock.sleep(61))
    sends(client, "DeregisterImage", iter([503] * sent))
    look = LastLook(Answers(), state(), [REF])
    assert retired(client, look, call("DeregisterImage")) == Performed()
    reasons = [item.detail for item in look.spared[REF].unread if item is not UNREAD]
    reason = "AWS may have retired ami-1: an attempt was sent, and its outcome is not known."
    assert reasons == [reason] * unknown


def test_a_look_that_takes_too_long_counts_as_none(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_all: Any) -> Permissions:
        clock.sleep(61)
        return PLANNED

    monkeypatch.setattr(inspect_last, "read_permissions", read)
    look = LastLook(Answers(), state(), [REF])
    assert retired(None, look, call("DeregisterImage")) == Performed()
    (problem,) = look.spared[REF].unread
    assert problem.could_not_be_read == (
        "DescribeImageAttribute could not be read: Reading the permissions took longer than 50 seconds."
    )


@pytest.mark.parametrize(
    "saw",
    [
        pytest.param(replace(state(), usage={}), id="image"),
        pytest.param(replace(state(), snapshot_usage={}), id="snapshot"),
        pytest.param(
            replace(state(), snapshot_usage={SNAPSHOT: SnapshotUsage(unread="No.")}), id="unread snapshot"
        ),
    ],
)
def test_an_image_stays_whose_permissions_the_plan_does_not_know(
    saw: CleanupState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspect_last, "read_permissions", lambda *_all: PLANNED)
    look = LastLook(Answers(), saw, [REF])
    assert retired(None, look, call("DeregisterImage")) == Performed()
    assert look.spared == {REF: PLANNED}


def test_the_look_reads_the_image_and_each_snapshot() -> None:
    clients: Any = Answers(
        describe_image_attribute={"LaunchPermissions": [{"UserId": OTHER}]},
        describe_snapshot_attribute={"CreateVolumePermissions": [{"UserId": CONSUMER}]},
    )
    look = LastLook(clients, state(), [REF])
    look.look(REF)
    assert look.spared == {REF: permissions(image=to(OTHER))}
    assert [name for name, _request in clients.calls] == [
        "describe_image_attribute",
        "describe_snapshot_attribute",
    ]


def disabled_state() -> CleanupState:
    """A disabled image, which has no permissions: only its snapshot is shared."""
    image = own("ami-1")
    image = replace(image, image=replace(image.image, state="disabled"))
    return seen(
        region_state(image),
        usage={REF: shared()},
        snapshot_usage={SNAPSHOT: SnapshotUsage(WITH_CONSUMER)},
    )


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        pytest.param([described("ami-1", 2024, State="disabled")], None, id="still disabled"),
        pytest.param(
            [described("ami-1", 2024)],
            replace(permissions(to(OTHER)), is_enabled=True),
            id="enabled and shared",
        ),
        pytest.param([], GONE, id="deregistered"),
        pytest.param(
            [described("ami-1", 2024, State="deregistered")], GONE, id="deregistered, and still listed"
        ),
        pytest.param(
            "UnauthorizedOperation",
            Permissions(
                snapshots=permissions().snapshots,
                unread=(Evidence.unreadable("DescribeImages", "UnauthorizedOperation: No."),),
            ),
            id="its state cannot be read",
        ),
    ],
)
def test_the_look_at_a_disabled_image_reads_its_state(images: Any, expected: Permissions | None) -> None:
    clients: Any = Answers(
        describe_images=images if isinstance(images, str) else {"Images": images},
        describe_image_attribute={"LaunchPermissions": [{"UserId": OTHER}]},
        describe_snapshot_attribute={"CreateVolumePermissions": [{"UserId": CONSUMER}]},
    )
    look = LastLook(clients, disabled_state(), [REF])
    look.look(REF)
    assert look.spared == ({} if expected is None else {REF: expected})


def test_an_image_that_was_enabled_but_not_shared_stays() -> None:
    clients: Any = Answers(
        describe_images={"Images": [described("ami-1", 2024)]},
        describe_snapshot_attribute={"CreateVolumePermissions": [{"UserId": CONSUMER}]},
    )
    look = LastLook(clients, disabled_state(), [REF])
    look.look(REF)
    assert look.spared == {REF: replace(permissions(to()), is_enabled=True)}


@pytest.mark.parametrize(
    ("known", "found", "stays"),
    [
        pytest.param(SnapshotUsage(WITH_CONSUMER), [CONSUMER], False, id="the same"),
        pytest.param(SnapshotUsage(WITH_CONSUMER), [], False, id="no longer shared"),
        pytest.param(SnapshotUsage(WITH_CONSUMER), [CONSUMER, OTHER], True, id="shared with another account"),
        pytest.param(SnapshotUsage(), "InvalidSnapshot.NotFound", False, id="gone"),
        pytest.param(SnapshotUsage(), "UnauthorizedOperation", True, id="it cannot be read"),
        # With include_shared, marked snapshots are deleted whoever can use them.
        pytest.param(SnapshotUsage(unread="No."), [OTHER], False, id="its permissions do not matter"),
        pytest.param(None, [OTHER], False, id="its permissions were not read"),
    ],
)
def test_a_snapshot_is_looked_at_right_before_it_is_deleted(
    known: SnapshotUsage | None, found: list[str] | str, stays: bool
) -> None:
    entries = {"CreateVolumePermissions": [{"UserId": account_id} for account_id in found]}
    clients: Any = Answers(
        describe_snapshot_attribute=found if isinstance(found, str) else entries, delete_snapshot={}
    )
    saw = seen(region_state(), snapshot_usage={} if known is None else {SNAPSHOT: known})
    look = LastLook(clients, saw, ())
    delete = Action(target_in(), "DeleteSnapshot", {"SnapshotId": "snap-ami-1"}, "snap-ami-1")
    performed = retired(clients.ec2(REGION), look, delete)
    assert performed.actions == (() if stays else (delete,))
    assert (performed.failures, [*look.kept_snapshots]) == ((), [SNAPSHOT] * stays)


def test_clients_are_opened_before_threads_start_where_they_are_needed() -> None:
    opened: list[tuple[str, str, list[str]]] = []

    def limited(operation: str) -> Any:
        return SimpleNamespace(open=lambda service, regions: opened.append((operation, service, [*regions])))

    clients: Any = SimpleNamespace(rate_limited=limited)
    open_for_permissions(clients, [REGION])
    assert opened == [
        (one, "ec2", [REGION]) for one in ("DescribeImageAttribute", "DescribeSnapshotAttribute")
    ]
    opened.clear()
    found = seen(region_state(own("ami-1")), region_state(own("ami-2", state="disabled")))
    open_for_states(clients, found, found.images)
    (away,) = (ref.region for ref in found.images if ref.image_id == "ami-2")
    assert opened == [("DescribeImages", "ec2", [away])]
