# SPDX-License-Identifier: GPL-3.0-or-later

"""When a copy is read next, how much time is left, and what follows a failed copy: tables of times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._copy.run import (
    CopyRun,
    Reaction,
    after_failure,
    time_left,
)
from ansible_collections.golden.images.plugins.module_utils._model import Image
from ansible_collections.golden.images.plugins.module_utils._plan import Action, Performed

from tests.unit.copy.examples import seen
from tests.unit.examples import OWNER, STRANGER, copied_image, source_image, target_in, volumes

EU = "eu-west-1"
PENDING = copied_image("ami-1", "pending")
READY = copied_image("ami-1", devices=volumes("snap-1"))
FAILED = copied_image("ami-1", "failed", state_reason="Given key ID is not accessible")

COPY = Action(target_in(EU), "CopyImage", {"Name": "golden"})


def test_a_run_waits_for_its_key_for_as_long_as_it_has_waited_altogether() -> None:
    run, delays = CopyRun(FAILED), []
    for at in (100.0, 105.0, 110.0, 120.0, 140.0, 180.0, 240.0):
        run = replace(run, retry_at=None).wait_for_key(at)
        assert (run.key_failed_since, run.pending, run.failure) == (100.0, True, None)
        assert run.retry_at is not None
        delays.append(run.retry_at - at)
    assert delays == [5, 5, 10, 20, 40, 60, 60]


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
    assert waiting.schedule(100.0).next_read == 100.0 + expected


def test_the_speed_is_that_since_the_first_percentage() -> None:
    started = CopyRun(PENDING).schedule(10.0)
    assert (started.waiting_since, started.first_percent, started.next_read) == (10.0, None, 11.0)
    read = started.add_read(PENDING, 11.0, percent=20).schedule(12.0)
    assert (read.waiting_since, read.first_percent) == (10.0, (11.0, 20))
    again = read.add_read(PENDING, 14.0, percent=40).schedule(14.0)
    assert (again.first_percent, again.next_read) == ((11.0, 20), 14.0 + 6.75)


def test_the_clock_of_a_replaced_copy_starts_again() -> None:
    waiting = CopyRun(FAILED, percent=60, waiting_since=10.0, first_percent=(20.0, 10))
    copied = Performed((COPY,), ({"ImageId": "ami-2"},))
    replaced = waiting.replace_copy(FAILED, copied, EU).schedule(50.0)
    assert (replaced.waiting_since, replaced.first_percent, replaced.next_read) == (50.0, None, 51.0)
