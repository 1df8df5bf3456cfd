# SPDX-License-Identifier: GPL-3.0-or-later

"""How long copies are waited for, and the retry of copies that fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.assumed_roles import AssumedAccounts
from ansible_collections.golden.images.plugins.module_utils.aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils.copy import request as copy_request
from ansible_collections.golden.images.plugins.module_utils.copy import wait as copy_wait
from ansible_collections.golden.images.plugins.module_utils.copy.run import CopyRun
from ansible_collections.golden.images.plugins.module_utils.copy.wait import wait_for_copies
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.model import Image, Target

from tests.unit.clock import Clock
from tests.unit.copy.aws_in_steps import Reads, Region, refused
from tests.unit.copy.examples import seen_in, wanted
from tests.unit.examples import CONSUMER, OWNER, STRANGER, copied_image, source_image, target_in, volumes

EU, US = "eu-west-1", "us-west-2"
PENDING = copied_image("ami-1", "pending")
READY = copied_image("ami-1", devices=volumes("snap-1"))
FAILED = copied_image("ami-1", "failed", state_reason="Given key ID is not accessible")
NEW_PENDING = copied_image("ami-2", "pending")
NEW_READY = copied_image("ami-2")


@dataclass
class Waited:
    """The result of waiting."""

    runs: dict[str, CopyRun]
    lines: list[str]
    seconds: float

    def failure(self, region: str = EU) -> Failure:
        found = self.runs[region].failure
        assert found is not None
        return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock.of(monkeypatch, copy_wait)
    monkeypatch.setattr(copy_wait, "read", Reads)
    return clock


Wait = Callable[..., Waited]


@pytest.fixture
def wait(clock: Clock) -> Wait:
    """Waits for copies that were just started, or for ``runs``."""

    def wait(
        regions: dict[str, Region],
        optional: tuple[str, ...] = (),
        runs: dict[str, CopyRun] | None = None,
        source: Image | None = None,
        **changes: Any,
    ) -> Waited:
        by_region = runs or {name: CopyRun(image=PENDING) for name in regions}
        want = wanted(
            regions=tuple(regions),
            best_effort_regions=frozenset(optional),
            **{"wait_timeout": 600, **changes},
        )
        lines: list[str] = []
        started = clock.now
        after = wait_for_copies(
            AssumedAccounts(SimpleNamespace(ec2=regions.__getitem__), Caller(OWNER, "aws"), None, US),  # type: ignore[arg-type]
            want,
            seen_in(dict.fromkeys(regions, ()), source=source),
            {target_in(name): run for name, run in by_region.items()},
            frozenset(map(target_in, optional)),
            lines.append,
        )
        return Waited({target.region: run for target, run in after.items()}, lines, clock.now - started)

    return wait


def test_a_copy_is_waited_for_until_it_is_available(wait: Wait) -> None:
    waited = wait({EU: Region([PENDING, PENDING, PENDING, READY])})
    assert waited.runs[EU].image == READY
    assert waited.runs[EU].failure is None
    assert waited.runs[EU].warnings == ()


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(CopyRun(image=READY), id="available"),
        pytest.param(CopyRun(image=None), id="no image"),
        pytest.param(CopyRun(PENDING, failure=Failure("m", "r", "c", "a")), id="failed already"),
    ],
)
def test_only_pending_copies_are_waited_for(wait: Wait, run: CopyRun) -> None:
    region = Region([READY])
    waited = wait({EU: region}, runs={EU: run})
    assert waited.seconds == 0
    assert waited.lines == []
    assert region.read_count == 0


def test_a_transient_copy_is_waited_for(wait: Wait) -> None:
    waited = wait({EU: Region([READY])}, runs={EU: CopyRun(copied_image("ami-1", "transient"))})
    assert waited.runs[EU].image == READY


def test_one_timeout_for_all_regions_keeps_the_ids(wait: Wait) -> None:
    regions = {EU: Region([PENDING], percents=[40, 61]), US: Region([PENDING]), "ap-south-1": Region([READY])}
    waited = wait(regions, wait_timeout=100)
    assert waited.seconds == 100
    assert {name: waited.runs[name].image for name in (EU, US)} == {EU: PENDING, US: PENDING}
    failure = waited.failure(EU)
    assert failure.error_code == "copy_pending"
    assert failure.message == "ami-1 is still pending at 50 % after wait_timeout (100 s)."
    assert (failure.region, failure.account_id) == (EU, OWNER)
    assert "rerun" in failure.remedy
    assert waited.failure(US).message == "ami-1 is still pending after wait_timeout (100 s)."
    assert waited.runs["ap-south-1"].failure is None


def test_only_the_keys_of_an_encrypted_copy_need_its_snapshots(wait: Wait) -> None:
    denied = refused("UnauthorizedOperation", "DescribeSnapshots")
    plain, encrypted = READY, replace(READY, devices=volumes("snap-1", encrypted=True))
    waited = wait(
        {
            EU: Region([PENDING, plain], finished_snapshots_error=denied),
            US: Region([PENDING, encrypted], finished_snapshots_error=denied),
        }
    )
    assert (waited.runs[EU].image, waited.runs[EU].failure) == (plain, None)
    assert waited.failure(US).error_code == "UnauthorizedOperation"


def test_a_short_timeout(wait: Wait) -> None:
    assert wait({EU: Region([PENDING])}, wait_timeout=1).seconds == 1


def test_an_error_in_one_region_affects_only_that_region(wait: Wait) -> None:
    waited = wait({EU: Region([refused("ExpiredToken", "DescribeImages")]), US: Region([PENDING, READY])})
    assert waited.failure(EU).error_code == "ExpiredToken"
    assert (waited.failure(EU).region, waited.failure(EU).action) == (EU, "DescribeImages")
    assert waited.runs[EU].image == PENDING
    assert waited.runs[US].image == READY
    assert waited.runs[US].failure is None


@dataclass
class KeyUsableLater(Region):
    """A region whose copies fail until the clock shows this time, since a grant is not usable yet."""

    clock: Clock = field(default_factory=Clock)
    usable_at: float = 0.0
    copied_at: float = 0.0

    def read(self, image_id: str) -> Image:
        if self.copied_at >= self.usable_at:
            return copied_image(image_id, devices=volumes("snap-1", encrypted=True))
        return copied_image(image_id, "failed", state_reason="Given key ID is not accessible")

    def copy_image(self, **parameters: Any) -> dict[str, str]:
        self.copied_at = self.clock.now
        self.calls.append(("CopyImage", parameters))
        return {"ImageId": f"ami-{len(self.calls) + 1}"}


@pytest.mark.parametrize(
    ("owner", "usable_after", "wait_timeout", "copies", "available"),
    [
        pytest.param(STRANGER, 4, 600, 1, True, id="soon"),
        pytest.param(STRANGER, 200, 600, 7, True, id="late"),
        pytest.param(STRANGER, 900, 600, 9, False, id="never"),
        pytest.param(STRANGER, 900, 30, 3, False, id="not within wait_timeout"),
        pytest.param(OWNER, 200, 600, 1, False, id="own key"),
    ],
)
def test_a_copy_is_repeated_until_the_key_of_another_account_can_be_used(
    wait: Wait,
    clock: Clock,
    owner: str,
    usable_after: float,
    wait_timeout: int,
    copies: int,
    available: bool,
) -> None:
    """KMS Developer Guide, "Using a grant token": a new grant might not be effective immediately."""
    region = KeyUsableLater([], clock=clock, usable_at=clock.now + usable_after)
    source = source_image(owner_id=owner, devices=volumes("snap-source", encrypted=True))
    waited = wait({EU: region}, source=source, wait_timeout=wait_timeout)
    started = [parameters for operation, parameters in region.calls if operation == "CopyImage"]
    assert len({one["ClientToken"] for one in started}) == len(started) == copies
    assert waited.runs[EU].available is available
    assert waited.seconds <= min(wait_timeout, 400)
    if not available:
        assert waited.failure().error_code == "copy_failed"
        assert "Given key ID is not accessible" in waited.failure().message


UNREADABLE = refused("InternalError", "DescribeImages")


EXPIRED = refused("RequestExpired", "DescribeImages")


@pytest.mark.parametrize(
    "reads",
    [
        pytest.param([*[UNREADABLE] * 20, READY], id="minutes"),
        pytest.param([*[UNREADABLE] * 30, PENDING, *[UNREADABLE] * 30, READY], id="not in a row"),
        pytest.param([*[UNREADABLE] * 30, None, *[UNREADABLE] * 30, READY], id="invisible in between"),
    ],
)
def test_an_outage_of_minutes_is_tolerated(wait: Wait, reads: list[Any]) -> None:
    region = Region(list(reads))
    waited = wait({EU: region}, wait_timeout=7200)
    assert (waited.runs[EU].failure, waited.runs[EU].image) == (None, READY)
    assert region.read_count == len(reads)


@pytest.mark.parametrize(
    ("reads", "code", "shortest", "longest"),
    [
        pytest.param([PENDING, *[UNREADABLE] * 100, READY], "InternalError", 300, 330, id="outage"),
        pytest.param([PENDING, EXPIRED, READY], "RequestExpired", 0, 10, id="no credentials"),
    ],
)
def test_a_copy_that_stays_unreadable_is_given_up(
    wait: Wait, reads: list[Any], code: str, shortest: int, longest: int
) -> None:
    """Five minutes after the first failed read, or at once if a read would fail again."""
    waited = wait({EU: Region(reads)}, wait_timeout=7200)
    assert waited.runs[EU].image == PENDING
    assert waited.failure().error_code == code
    assert PENDING.image_id in waited.failure().message
    assert "rerun to wait for it" in waited.failure().remedy
    assert shortest <= waited.seconds <= longest


def test_failed_reads_in_one_region_do_not_delay_others(wait: Wait) -> None:
    regions = {EU: Region([*[UNREADABLE] * 3, READY]), US: Region([READY])}
    waited = wait(regions)
    assert [run.image for run in waited.runs.values()] == [READY, READY]
    assert regions[US].read_count == 1


def test_a_failed_copy_that_cannot_be_removed_causes_a_warning_only(wait: Wait) -> None:
    region = Region(
        [PENDING, FAILED],
        second=[NEW_PENDING, NEW_READY],
        removal_refusal=refused("UnauthorizedOperation", "DeregisterImage"),
    )
    run = wait({EU: region}).runs[EU]
    assert run.failure is None
    assert run.image == NEW_READY
    assert [operation for operation, _parameters in region.calls] == ["CopyImage", "DeregisterImage"]
    assert [action.operation for action in run.performed] == ["CopyImage"]
    removal, replaced = run.warnings
    assert removal.startswith(f"{EU}: No (UnauthorizedOperation).")
    assert "DeregisterImage" in removal
    assert replaced.endswith("A new copy was started.")


def test_a_failed_copy_is_copied_again_and_then_removed(wait: Wait) -> None:
    region = Region([PENDING, FAILED], second=[NEW_PENDING, NEW_READY])
    waited = wait({EU: region})
    run = waited.runs[EU]
    assert run.failure is None
    assert run.image == NEW_READY
    assert [operation for operation, _parameters in region.calls] == ["CopyImage", "DeregisterImage"]
    assert region.calls[1][1]["ImageId"] == "ami-1"
    assert [action.operation for action in run.performed] == ["CopyImage", "DeregisterImage"]
    assert run.warnings == (
        f"{EU}: The copy ami-1 is failed: Given key ID is not accessible. A new copy was started.",
    )


def test_the_second_copy_has_another_token(wait: Wait) -> None:
    region = Region([FAILED], second=[NEW_READY])
    wait({EU: region})
    first = copy_request.copy_request(wanted(), source_image(), target_in(EU), ())
    second = region.calls[0][1]
    assert second["ClientToken"] != first["ClientToken"]
    assert {**second, "ClientToken": None} == {**first, "ClientToken": None}


def test_the_second_copy_becomes_the_runs_image_at_once(wait: Wait) -> None:
    waited = wait({EU: Region([FAILED], second=[NEW_PENDING])}, wait_timeout=30)
    assert waited.failure().message.startswith("ami-2 is still pending")


def test_a_copy_that_fails_again_is_a_failure(wait: Wait) -> None:
    failed_again = copied_image("ami-2", "failed", state_reason="Still not accessible")
    region = Region([FAILED], second=[failed_again])
    waited = wait({EU: region})
    failure = waited.failure()
    assert failure.error_code == "copy_failed"
    assert failure.message == "The copy ami-2 is failed: Still not accessible."
    assert (failure.region, failure.account_id) == (EU, OWNER)
    assert waited.runs[EU].image == failed_again
    assert [operation for operation, _parameters in region.calls].count("CopyImage") == 1


def test_a_copy_that_replaced_a_failed_one_before_waiting_is_not_replaced_again(wait: Wait) -> None:
    region = Region([FAILED])
    waited = wait({EU: region}, runs={EU: CopyRun(PENDING, retried=True)})
    assert waited.failure().error_code == "copy_failed"
    assert region.calls == []


@pytest.mark.parametrize("state", ["failed", "error", "invalid"])
def test_every_failed_state(wait: Wait, state: str) -> None:
    waited = wait({EU: Region([copied_image("ami-1", state)])}, runs={EU: CopyRun(PENDING, retried=True)})
    assert waited.failure().message == f"The copy ami-1 is {state}: AWS reports no reason."


def test_a_second_copy_that_aws_refuses_is_a_failure(wait: Wait) -> None:
    region = Region([FAILED], refusal=refused("ResourceLimitExceeded"))
    waited = wait({EU: region, US: Region([PENDING, PENDING, READY])})
    assert waited.failure().error_code == "ResourceLimitExceeded"
    assert region.calls == []
    assert waited.runs[EU].warnings == (f"{EU}: The copy ami-1 is failed: Given key ID is not accessible.",)
    assert waited.runs[US].image == READY


def test_each_region_has_its_own_retry(wait: Wait) -> None:
    regions = {name: Region([FAILED], second=[NEW_READY]) for name in (EU, US)}
    waited = wait(regions)
    assert [run.image for run in waited.runs.values()] == [NEW_READY, NEW_READY]


def test_a_copy_that_is_not_visible_at_once(wait: Wait) -> None:
    region = Region([None, None, None, PENDING, READY])
    waited = wait({EU: region})
    assert waited.runs[EU].image == READY
    assert waited.runs[EU].warnings == ()
    assert region.calls == []


def test_an_id_that_stays_invisible_is_that_of_a_deregistered_copy(wait: Wait) -> None:
    # CopyImage returns the first image again if a client token is reused, even if it is deregistered.
    region = Region([None], second=[NEW_READY])
    waited = wait({EU: region})
    assert 60 < waited.seconds < 90
    assert waited.runs[EU].image == NEW_READY
    ((operation, parameters),) = region.calls
    assert operation == "CopyImage"
    assert parameters == copy_request.copy_request(wanted(), source_image(), target_in(EU), ("ami-1",))
    assert waited.runs[EU].warnings == (
        f"{EU}: The copy ami-1 that CopyImage returned does not exist. A new copy was started.",
    )


def test_invisible_time_is_counted_from_the_last_visible_read(wait: Wait) -> None:
    # Invisible for half a minute each time, and read in between: never a minute in a row.
    region = Region([*[None] * 12, PENDING, *[None] * 4, READY])
    waited = wait({EU: region})
    assert waited.runs[EU].image == READY
    assert region.calls == []


def test_best_effort_regions_are_waited_for_only_as_long_as_others(wait: Wait) -> None:
    regions = {EU: Region([PENDING, PENDING, READY]), US: Region([PENDING], percents=[12])}
    waited = wait(regions, optional=(US,))
    assert waited.seconds < 30
    assert waited.runs[EU].failure is None
    failure = waited.failure(US)
    assert failure.error_code == "copy_pending"
    assert failure.message == "ami-1 is still pending at 12 % although all required regions are ready."
    assert waited.runs[US].image == PENDING


def test_a_best_effort_region_that_is_available_in_time(wait: Wait) -> None:
    waited = wait({EU: Region([PENDING, PENDING, READY]), US: Region([READY])}, optional=(US,))
    assert waited.runs[US].image == READY
    assert waited.runs[US].failure is None


def test_best_effort_regions_are_not_waited_for_if_the_others_are_ready(wait: Wait) -> None:
    regions = {EU: Region([READY]), US: Region([PENDING])}
    runs = {EU: CopyRun(image=READY), US: CopyRun(image=PENDING)}
    waited = wait(regions, optional=(US,), runs=runs)
    assert waited.seconds == 0
    assert waited.failure(US).error_code == "copy_pending"


def test_best_effort_regions_alone_are_all_waited_for(wait: Wait) -> None:
    regions = {EU: Region([PENDING, READY]), US: Region([PENDING, PENDING, PENDING, READY])}
    waited = wait(regions, optional=(EU, US))
    assert [(run.image, run.failure) for run in waited.runs.values()] == [(READY, None)] * 2


def test_best_effort_regions_alone_are_waited_for_until_the_timeout(wait: Wait) -> None:
    waited = wait({EU: Region([READY]), US: Region([PENDING])}, optional=(EU, US), wait_timeout=30)
    assert waited.seconds == 30
    assert waited.runs[EU].failure is None
    assert waited.failure(US).message.endswith("after wait_timeout (30 s).")


def test_an_error_in_a_best_effort_region_does_not_delay_others(wait: Wait) -> None:
    regions = {EU: Region([PENDING, READY]), US: Region([UNREADABLE])}
    waited = wait(regions, optional=(US,))
    # Two reads failed: the run ends because waiting ends.
    assert waited.failure(US).error_code == "copy_pending"
    assert waited.failure(US).message.endswith(" Its last read failed: No (InternalError).")
    assert regions[US].read_count == regions[EU].read_count == 2
    assert waited.runs[EU].image == READY


def test_a_best_effort_region_that_can_never_be_read_fails_with_its_error(wait: Wait) -> None:
    regions = {EU: Region([*[PENDING] * 60, READY]), US: Region([UNREADABLE])}
    waited = wait(regions, optional=(US,))
    assert waited.failure(US).error_code == "InternalError"
    assert regions[US].read_count < regions[EU].read_count
    assert waited.runs[EU].image == READY


def test_a_failed_best_effort_copy_is_copied_again_too(wait: Wait) -> None:
    regions = {
        EU: Region([PENDING, PENDING, PENDING, READY]),
        US: Region([FAILED], second=[NEW_READY]),
    }
    assert wait(regions, optional=(US,)).runs[US].image == NEW_READY


@dataclass
class Steady(Region):
    """A region whose copy is available once the clock shows ``ready_at``, and has advanced steadily."""

    clock: Clock = field(default_factory=Clock)
    seconds: float = 20.0

    def __post_init__(self) -> None:
        self.started = self.clock.now

    def read(self, _image_id: str) -> Image:
        self.read_count += 1
        done = (self.clock.now - self.started) / self.seconds
        self.percents = [int(100 * done)]
        return READY if done >= 1 else PENDING


@pytest.mark.parametrize(("seconds", "rounds", "late"), [(2, 2, 1), (20, 6, 1), (300, 36, 3), (3600, 375, 8)])
def test_the_number_of_reads_of_a_copy(
    wait: Wait, clock: Clock, seconds: float, rounds: int, late: float
) -> None:
    """Each round reads the image and the percentage. The end is noticed within seconds."""
    region = Steady([], clock=clock, seconds=seconds)
    waited = wait({EU: region}, wait_timeout=7200)
    assert region.read_count <= rounds
    assert seconds <= waited.seconds <= seconds + late


def test_a_slow_copy_is_not_read_as_often_as_one_that_is_nearly_ready(wait: Wait, clock: Clock) -> None:
    fast, slow = Steady([], clock=clock, seconds=20), Steady([], clock=clock, seconds=300)
    wait({EU: fast, US: slow})
    alone = Steady([], clock=clock, seconds=300)
    wait({US: alone})
    assert slow.read_count <= alone.read_count + 2


def test_the_key_of_an_encrypted_copy_is_read_once_it_is_available(wait: Wait) -> None:
    ready = copied_image("ami-1", devices=volumes("snap-1", encrypted=True))
    waited = wait({EU: Region([PENDING, ready], keys={"snap-1": "arn:key"})})
    assert [snapshot.kms_key_id for snapshot in waited.runs[EU].snapshots] == ["arn:key"]


def test_progress_is_reported_by_region_when_it_changes(wait: Wait) -> None:
    regions = {
        EU: Region([PENDING, READY], percents=[10, 21]),
        US: Region([PENDING, PENDING, PENDING, READY]),
    }
    assert wait(regions).lines == [
        f"{US} pending  {EU} 15 %",
        f"{US} pending  {EU} available",
        f"{US} pending",
        f"{US} available",
    ]


@pytest.mark.usefixtures("clock")
def test_progress_of_several_accounts_is_reported_by_region() -> None:
    targets = [Target(account_id, EU) for account_id in (OWNER, CONSUMER)]
    clients = {
        targets[0]: Region([PENDING, READY], percents=[40]),
        targets[1]: Region([PENDING, PENDING, READY], percents=[20]),
    }

    class Accounts:
        @contextmanager
        def as_account(self, account_id: str) -> Iterator[Any]:
            yield SimpleNamespace(ec2=lambda region: clients[Target(account_id, region)])

    lines: list[str] = []
    runs = {target: CopyRun(image=PENDING) for target in targets}
    want = wanted(account_ids=(OWNER, CONSUMER))
    runs = wait_for_copies(Accounts(), want, seen_in({}), runs, frozenset(), lines.append)  # type: ignore[arg-type]
    assert lines == [
        f"{EU} 0 of 2 (slowest 20 %)",
        f"{EU} 1 of 2 (slowest 20 %)",
        f"{EU} 2 of 2",
    ]
    assert all(run.image is not None and run.image.state == "available" for run in runs.values())


def test_a_failure_is_reported(wait: Wait) -> None:
    lines = wait({EU: Region([EXPIRED]), US: Region([READY])}).lines
    assert lines == [f"{EU} failed  {US} available"]


def test_unchanged_progress_is_repeated(wait: Wait) -> None:
    waited = wait({EU: Region([PENDING], percents=[10])}, wait_timeout=100)
    assert set(waited.lines) == {f"{EU} 10 %"}
    assert 100 // 20 <= len(waited.lines) <= 100 // 15 + 1


def test_a_copy_continues_if_its_percentage_cannot_be_read(wait: Wait) -> None:
    region = Region([PENDING, READY], snapshots_error=refused("UnauthorizedOperation", "DescribeSnapshots"))
    waited = wait({EU: region})
    assert waited.lines == [f"{EU} pending", f"{EU} available"]
    assert waited.runs[EU].failure is None
