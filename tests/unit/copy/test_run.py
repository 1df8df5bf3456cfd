# SPDX-License-Identifier: GPL-3.0-or-later

"""How events advance a copy's run, when the copy is read next, and how it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.copy.run import (
    ActionsPerformed,
    CopyReplaced,
    CopyRun,
    Event,
    Failed,
    ImageRead,
    KeyNotUsable,
    Reaction,
    ReadFailed,
    ReadScheduled,
    advance_all,
    advanced,
    after_failure,
    copy_failed,
    copy_pending,
    failed_image,
    initial_runs,
    time_left,
)
from ansible_collections.golden.images.plugins.module_utils.failures import Failure, incomplete_response
from ansible_collections.golden.images.plugins.module_utils.model import Image, Snapshot
from ansible_collections.golden.images.plugins.module_utils.plan import Action

from tests.unit.copy.examples import seen, wanted
from tests.unit.examples import OWNER, STRANGER, copied_image, source_image, target_in, volumes

EU = "eu-west-1"
PENDING = copied_image("ami-1", "pending")
READY = copied_image("ami-1", devices=volumes("snap-1"))
FAILED = copied_image("ami-1", "failed", state_reason="Given key ID is not accessible")

COPY = Action(target_in(EU), "CopyImage", {"Name": "golden"})
TAGGING = Action(target_in(EU), "CreateTags", {}, "ami-old")
REMOVING = Action(target_in(EU), "DeregisterImage", {}, "ami-failed")
FAILURE = Failure("m", "r", "c", "a")
EXPIRED = Failure("m", "r", "RequestExpired", "DescribeImages")
SNAPSHOT_LEFT = Failure("It stays.", "Allow it.", "snapshot_not_deleted", "DeleteSnapshot", EU)
NOT_REMOVED = Failure("It stays.", "Allow it.", "UnauthorizedOperation", "DeregisterImage", EU)


def _named(failure: Failure) -> Failure:
    """The failure of reads that are given up: the copy goes on in AWS."""
    return replace(
        failure,
        message="The copy ami-1 was started, and cannot be read: m",
        remedy="r AWS continues the copy; rerun to wait for it.",
    )


@pytest.mark.parametrize(
    ("performed", "image_id", "pending", "failed"),
    [
        pytest.param(
            ActionsPerformed((COPY,), ({"ImageId": "ami-new"},)), "ami-new", True, False, id="copied"
        ),
        pytest.param(ActionsPerformed((TAGGING,), ({},)), "ami-old", False, False, id="tagged"),
        pytest.param(ActionsPerformed((REMOVING,), ({},)), "ami-old", False, False, id="removed"),
        pytest.param(ActionsPerformed(failures=(FAILURE,)), "ami-old", False, True, id="refused"),
        pytest.param(ActionsPerformed(failures=(NOT_REMOVED,)), "ami-old", False, False, id="not removed"),
        pytest.param(
            ActionsPerformed((REMOVING,), ({},), (SNAPSHOT_LEFT,)),
            "ami-old",
            False,
            False,
            id="snapshot not deleted",
        ),
        pytest.param(
            ActionsPerformed((COPY,), ({"ImageId": "ami-new"},), (NOT_REMOVED,)),
            "ami-new",
            True,
            False,
            id="copied, not removed",
        ),
        pytest.param(
            ActionsPerformed(failures=(NOT_REMOVED, FAILURE)),
            "ami-old",
            False,
            True,
            id="not removed and refused",
        ),
    ],
)
def test_performed_actions(performed: ActionsPerformed, image_id: str, pending: bool, failed: bool) -> None:
    run = advanced(CopyRun(image=copied_image("ami-old")), performed)
    assert run.performed == performed.actions
    assert run.image is not None
    assert run.image.image_id == image_id
    assert run.pending is pending
    assert run.failure == (FAILURE if failed else None)
    not_removed = not {NOT_REMOVED, SNAPSHOT_LEFT}.isdisjoint(performed.failures)
    assert run.warnings == ((f"{EU}: It stays. Allow it.",) if not_removed else ())


def test_the_first_failure_is_kept() -> None:
    later = Failure("later", "r", "c", "a")
    run = advanced(CopyRun(), ActionsPerformed(failures=(FAILURE,)))
    run = advanced(run, ActionsPerformed(failures=(later,)))
    assert run.failure == FAILURE


def test_a_started_copy_has_the_name_and_owner_of_the_request() -> None:
    run = advanced(CopyRun(), ActionsPerformed((COPY,), ({"ImageId": "ami-new"},)))
    assert run.image is not None
    assert (run.image.name, run.image.owner_id, run.image.state) == ("golden", OWNER, "pending")


EVENTS: list[tuple[CopyRun, Event, CopyRun]] = [
    (CopyRun(PENDING), ImageRead(None, 5.0), CopyRun(PENDING, invisible_since=5.0)),
    (
        CopyRun(PENDING, percent=40, invisible_since=5.0),
        ImageRead(None, 9.0),
        CopyRun(PENDING, invisible_since=5.0),
    ),
    (
        CopyRun(PENDING, unread=(4.0, EXPIRED), invisible_since=5.0),
        ImageRead(READY, 9.0, (Snapshot("snap-1", "completed", 100),), 99),
        CopyRun(READY, (Snapshot("snap-1", "completed", 100),), 99, percent_at=9.0),
    ),
    (
        CopyRun(PENDING, next_read=9.0),
        ReadFailed(FAILURE),
        CopyRun(PENDING, next_read=9.0, unread=(9.0, FAILURE)),
    ),
    (
        CopyRun(PENDING, next_read=308.9, unread=(9.0, FAILURE)),
        ReadFailed(FAILURE),
        CopyRun(PENDING, next_read=308.9, unread=(9.0, FAILURE)),
    ),
    (
        CopyRun(PENDING, next_read=309.0, unread=(9.0, FAILURE)),
        ReadFailed(FAILURE),
        CopyRun(PENDING, next_read=309.0, unread=(9.0, FAILURE), failure=_named(FAILURE)),
    ),
    (
        CopyRun(PENDING, next_read=9.0),
        ReadFailed(EXPIRED),
        CopyRun(PENDING, next_read=9.0, unread=(9.0, EXPIRED), failure=_named(EXPIRED)),
    ),
    (CopyRun(PENDING), Failed(FAILURE), CopyRun(PENDING, failure=FAILURE)),
    (CopyRun(PENDING), Failed(FAILURE, FAILED), CopyRun(FAILED, failure=FAILURE)),
    (
        CopyRun(FAILED, invisible_since=5.0),
        CopyReplaced(FAILED, ActionsPerformed((COPY,), ({"ImageId": "ami-2"},)), EU),
        CopyRun(
            Image("ami-2", "golden", OWNER, "pending"),
            performed=(COPY,),
            warnings=(
                f"{EU}: The copy ami-1 is failed: Given key ID is not accessible. A new copy was started.",
            ),
            retried=True,
        ),
    ),
    (
        CopyRun(FAILED),
        CopyReplaced(FAILED, ActionsPerformed(failures=(FAILURE,)), EU),
        CopyRun(
            FAILED,
            failure=FAILURE,
            warnings=(f"{EU}: The copy ami-1 is failed: Given key ID is not accessible.",),
            retried=True,
        ),
    ),
]


@pytest.mark.parametrize(("before", "event", "after"), EVENTS)
def test_events(before: CopyRun, event: Event, after: CopyRun) -> None:
    assert advanced(before, event) == after


def test_a_run_waits_for_its_key_for_as_long_as_it_has_waited_altogether() -> None:
    run, delays = CopyRun(FAILED), []
    for at in (100.0, 105.0, 110.0, 120.0, 140.0, 180.0, 240.0):
        run = advanced(replace(run, retry_at=None), KeyNotUsable(at))
        assert (run.key_failed_since, run.pending, run.failure) == (100.0, True, None)
        assert run.retry_at is not None
        delays.append(run.retry_at - at)
    assert delays == [5, 5, 10, 20, 40, 60, 60]


def test_a_run_whose_copy_was_replaced_no_longer_waits_for_its_key() -> None:
    waiting = advanced(CopyRun(FAILED), KeyNotUsable(100.0))
    copied = ActionsPerformed((COPY,), ({"ImageId": "ami-2"},))
    run = advanced(waiting, CopyReplaced(FAILED, copied, EU))
    assert (run.retry_at, run.key_failed_since, run.pending) == (None, 100.0, True)
    refused = advanced(waiting, CopyReplaced(FAILED, ActionsPerformed(failures=(FAILURE,)), EU))
    assert (refused.failure, refused.pending) == (FAILURE, False)


OTHER_REASON = copied_image("ami-1", "failed", state_reason="Internal error during the copy")
WAITED = CopyRun(FAILED, retried=True, key_failed_since=100.0)


@pytest.mark.parametrize(
    ("changes", "run", "image", "now", "expected"),
    [
        pytest.param({}, CopyRun(FAILED), FAILED, 100, "wait for key", id="first"),
        pytest.param({}, WAITED, FAILED, 399, "wait for key", id="again"),
        pytest.param({}, WAITED, FAILED, 400, "fail", id="for five minutes"),
        pytest.param({}, CopyRun(FAILED, retried=True), FAILED, 100, "wait for key", id="a rerun's copy"),
        pytest.param({}, replace(WAITED, retry_at=150), FAILED, 149, "wait", id="too early"),
        pytest.param({}, replace(WAITED, retry_at=150), FAILED, 150, "copy", id="in time"),
        pytest.param({}, CopyRun(FAILED), OTHER_REASON, 100, "copy", id="another reason"),
        pytest.param({}, CopyRun(FAILED, retried=True), OTHER_REASON, 100, "fail", id="another reason twice"),
        pytest.param({"owner_id": OWNER}, CopyRun(FAILED), FAILED, 100, "copy", id="own key"),
        pytest.param({"encrypted": False}, CopyRun(FAILED), FAILED, 100, "copy", id="no key"),
    ],
)
def test_what_follows_a_failed_copy(
    changes: dict[str, Any], run: CopyRun, image: Image, now: float, expected: Reaction
) -> None:
    """Only a grant of another account can be so new that it cannot be used yet."""
    encrypted = changes.pop("encrypted", True)
    source = source_image(
        **{"owner_id": STRANGER, "devices": volumes("snap-s", encrypted=encrypted), **changes}
    )
    assert after_failure(seen(source=source), target_in(EU), run, image, now) == expected


def test_only_runs_with_an_event_advance() -> None:
    runs = {target_in(EU): CopyRun(PENDING), target_in("us-west-2"): CopyRun(READY)}
    assert advance_all(runs, {target_in(EU): Failed(FAILURE)}) == {
        target_in(EU): CopyRun(PENDING, failure=FAILURE),
        target_in("us-west-2"): CopyRun(READY),
    }


@pytest.mark.parametrize(
    ("run", "now", "expected"),
    [
        pytest.param(CopyRun(PENDING), 100.0, None, id="pending"),
        pytest.param(CopyRun(READY), 100.0, None, id="available"),
        pytest.param(CopyRun(), 100.0, None, id="no image"),
        pytest.param(CopyRun(FAILED), 100.0, FAILED, id="failed"),
        pytest.param(CopyRun(FAILED, failure=FAILURE), 100.0, None, id="run ended"),
        pytest.param(CopyRun(PENDING, invisible_since=40.0), 100.0, None, id="invisible for 60 s"),
        pytest.param(
            CopyRun(PENDING, invisible_since=39.0),
            100.0,
            Image("ami-1", PENDING.name, PENDING.owner_id, "deregistered"),
            id="invisible for longer",
        ),
        pytest.param(
            CopyRun(PENDING, unread=(50.0, FAILURE), invisible_since=39.0),
            100.0,
            None,
            id="not read since it was invisible",
        ),
    ],
)
def test_images_that_never_become_available(run: CopyRun, now: float, expected: Image | None) -> None:
    assert failed_image(run, now) == expected


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        pytest.param((READY,), CopyRun(READY, (Snapshot("snap-1", "completed", 100),)), id="available"),
        pytest.param((PENDING,), CopyRun(PENDING), id="pending"),
        pytest.param((), CopyRun(), id="none"),
        pytest.param((FAILED,), CopyRun(retried=True), id="failed: the plan replaces it"),
    ],
)
def test_initial_runs(images: tuple[Image, ...], expected: CopyRun) -> None:
    saw = seen(*images, snapshots=(Snapshot("snap-1", "completed", 100),))
    assert initial_runs(wanted(), saw) == {target_in(EU): expected}


def test_the_end_of_a_copy_that_failed_twice() -> None:
    ended = copy_failed(target_in(EU), FAILED)
    assert ended.image == FAILED
    assert ended.failure.error_code == "copy_failed"
    assert ended.failure.message == "The copy ami-1 is failed: Given key ID is not accessible."
    assert "then replaced" in ended.failure.remedy


def test_the_end_of_a_copy_that_is_still_pending() -> None:
    ended = copy_pending(target_in(EU), CopyRun(PENDING, percent=40), "after wait_timeout (60 s)")
    assert ended.image is None
    assert ended.failure.error_code == "copy_pending"
    assert ended.failure.message == "ami-1 is still pending at 40 % after wait_timeout (60 s)."
    unread = CopyRun(PENDING, unread=(5.0, EXPIRED))
    assert copy_pending(target_in(EU), unread, "after wait_timeout (60 s)").failure.message == (
        "ami-1 is still pending after wait_timeout (60 s). Its last read failed: m (RequestExpired)."
    )


@pytest.mark.parametrize(
    ("percents", "expected"),
    [
        ([20, 60], 60.0),
        ([20, 30], 60.0 * 70 / 10),
        ([20, None], None),
        ([20, 20], None),
        ([20, 10], None),
    ],
)
def test_the_time_left_at_the_speed_so_far(percents: list[int | None], expected: float | None) -> None:
    first, now = percents
    run = CopyRun(PENDING, percent=now, first_percent=(100.0, first or 0))
    assert time_left([run, CopyRun(READY)], 160.0) == expected


def test_a_percentage_that_was_read_a_while_ago_is_that_of_its_time() -> None:
    run = CopyRun(PENDING, percent=11, first_percent=(100.0, 9), percent_at=101.0)
    assert time_left([run], 101.0) == 44.5
    assert time_left([run], 111.0) == 34.5
    assert time_left([run], 200.0) == 0.0


def test_no_time_is_left_without_pending_copies() -> None:
    assert time_left([CopyRun(READY)], 1.0) is None
    assert time_left([CopyRun(PENDING, percent=5)], 1.0) == 0.0


def test_a_copy_without_an_id_has_failed() -> None:
    """botocore shape CopyImageResult requires no member. A rerun finds the copy by its tag."""
    run = advanced(CopyRun(), ActionsPerformed((COPY,), ({},)))
    assert run.image is None
    assert run.performed == (COPY,)
    assert run.failure == incomplete_response("CopyImage", "ImageId", target_in(EU))
    earlier = advanced(CopyRun(failure=FAILURE), ActionsPerformed((COPY,), ({},)))
    assert earlier.failure == FAILURE


@pytest.mark.parametrize(
    ("run", "waited", "expected"),
    [
        pytest.param(CopyRun(PENDING), 0, 1, id="just started"),
        pytest.param(CopyRun(PENDING), 8, 2, id="no percentage"),
        pytest.param(CopyRun(PENDING, percent=0, first_percent=(92.0, 0)), 8, 2, id="no progress"),
        pytest.param(CopyRun(PENDING), 3600, 10, id="no percentage for an hour"),
        pytest.param(CopyRun(PENDING, percent=60, first_percent=(90.0, 10)), 12, 6, id="8 s left"),
        pytest.param(CopyRun(PENDING, percent=99, first_percent=(80.0, 1)), 20, 1, id="a moment left"),
        pytest.param(CopyRun(PENDING, percent=50, first_percent=(0.0, 40)), 600, 10, id="minutes left"),
        pytest.param(CopyRun(PENDING, retry_at=140.0), 8, 40, id="waits for a key"),
        pytest.param(CopyRun(PENDING, retry_at=99.0), 8, 1, id="a key may be usable now"),
    ],
)
def test_the_next_read_fits_the_progress(run: CopyRun, waited: float, expected: float) -> None:
    waiting = replace(run, waiting_since=100.0 - waited)
    assert advanced(waiting, ReadScheduled(100.0)).next_read == 100.0 + expected


def test_the_speed_is_that_since_the_first_percentage() -> None:
    started = advanced(CopyRun(PENDING), ReadScheduled(10.0))
    assert (started.waiting_since, started.first_percent, started.next_read) == (10.0, None, 11.0)
    read = advanced(advanced(started, ImageRead(PENDING, 11.0, percent=20)), ReadScheduled(12.0))
    assert (read.waiting_since, read.first_percent) == (10.0, (11.0, 20))
    again = advanced(advanced(read, ImageRead(PENDING, 14.0, percent=40)), ReadScheduled(14.0))
    assert (again.first_percent, again.next_read) == ((11.0, 20), 14.0 + 6.75)


def test_the_clock_of_a_replaced_copy_starts_again() -> None:
    waiting = CopyRun(FAILED, percent=60, waiting_since=10.0, first_percent=(20.0, 10))
    copied = ActionsPerformed((COPY,), ({"ImageId": "ami-2"},))
    replaced = advanced(advanced(waiting, CopyReplaced(FAILED, copied, EU)), ReadScheduled(50.0))
    assert (replaced.waiting_since, replaced.first_percent, replaced.next_read) == (50.0, None, 51.0)
