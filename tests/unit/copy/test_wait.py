# SPDX-License-Identifier: GPL-3.0-or-later

"""How long copies are waited for, and the retry of copies that fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure

from tests.unit.clock import Clock
from tests.unit.copy.account import OTHER_REGION, Ec2, Run, aws_with, copied_to
from tests.unit.copy.examples import REGION
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, STRANGER, copied_image, source_image, volumes
from tests.unit.keys.examples import PLAIN, found

EU, US = REGION, OTHER_REGION
FIRST, SECOND = "ami-new-0", "ami-new-1"
PENDING, READY, FAILED = "pending", "available", "failed"
REASON = "Given key ID is not accessible"
UNREADABLE, EXPIRED = "InternalError", "RequestExpired"
REPLACED = f"{EU}: The copy {FIRST} is failed: {REASON}. A new copy was started."


class Waited(Run):
    """A run that has waited for its copies, for so many ``seconds``."""

    def __init__(self, clock: Clock, regions: Mapping[str, Mapping[str, Any]], **options: Any) -> None:
        """``regions`` are fields of the EC2 of each region, unless there is a ``world``."""
        world = options.pop("world", None) or aws_with(options.pop("source", None))
        for region, fields in regions.items():
            for name, value in fields.items():
                setattr(world.ec2_of(OWNER, region), name, value)
        super().__init__(copied_to(*regions, **{"wait_timeout": 600, **options}), world)
        assert self.plan.refusals == ()
        started = clock.now
        assert self.outcome is not None
        self.seconds = clock.now - started

    def failure(self, region: str = EU) -> Failure:
        """The failure in a region."""
        (failure,) = (
            one for one in (*self.outcome.failures, *self.outcome.tolerated) if one.region == region
        )
        assert failure.account_id == OWNER
        return failure

    def succeeded(self) -> bool:
        return not self.outcome.failures and not self.outcome.tolerated

    @property
    def states(self) -> dict[str, tuple[str | None, str | None]]:
        """The image and its state, by region."""
        return {one["region"]: (one["image_id"], one["state"]) for one in self.results}

    def ec2(self, region: str = EU) -> Ec2:
        return self.world.ec2_of(OWNER, region)

    def reads(self, region: str = EU, image_id: str = FIRST) -> int:
        """How often a copy was read."""
        return self.ec2(region).calls.count(f"DescribeImages {image_id}")


def test_a_copy_is_waited_for_until_it_is_available(clock: Clock) -> None:
    waited = Waited(clock, {EU: {"steps": [PENDING, PENDING, PENDING, READY]}})
    assert waited.states == {EU: (FIRST, READY)}
    assert (waited.succeeded(), waited.outcome.warnings) == (True, ())
    assert waited.reads() == 4


def test_only_pending_copies_are_waited_for(clock: Clock) -> None:
    existing = aws_with(PLAIN, (copied_image(), ()))
    waited = Waited(clock, {EU: {}}, world=existing)
    assert (waited.seconds, waited.lines, waited.reads(image_id="ami-copy")) == (0, [], 0)
    refused = Waited(clock, {EU: {"refuse": {"CopyImage": "ResourceLimitExceeded"}}})
    assert (refused.seconds, refused.lines) == (0, [])
    assert refused.failure().error_code == "ResourceLimitExceeded"


@pytest.mark.parametrize("state", [PENDING, "transient"])
def test_an_earlier_copy_is_waited_for(clock: Clock, state: str) -> None:
    world = aws_with(PLAIN, (copied_image("ami-1", state), ()), moving={"ami-1": [state, READY]})
    waited = Waited(clock, {EU: {}}, world=world)
    assert (waited.states, waited.succeeded()) == ({EU: ("ami-1", READY)}, True)
    assert world.writes() == []


def test_one_timeout_for_all_regions_keeps_the_ids(clock: Clock) -> None:
    world = aws_with()
    world.regions["ap-south-1"] = "opted-in"
    regions = {
        EU: {"steps": [PENDING], "percents": [40, 61]},
        US: {"steps": [PENDING]},
        "ap-south-1": {"steps": [READY]},
    }
    waited = Waited(clock, regions, world=world, wait_timeout=100)
    assert waited.seconds == 100
    assert waited.states == {EU: (FIRST, PENDING), US: (FIRST, PENDING), "ap-south-1": (FIRST, READY)}
    assert {one.error_code for one in waited.outcome.failures} == {"copy_pending"}
    assert waited.failure(EU).message == f"{FIRST} is still pending at 50 % after wait_timeout (100 s)."
    assert "rerun" in waited.failure(EU).remedy
    assert waited.failure(US).message == f"{FIRST} is still pending after wait_timeout (100 s)."
    assert len(waited.outcome.failures) == 2


def test_only_the_keys_of_an_encrypted_copy_need_its_snapshots(clock: Clock) -> None:
    denied = {"refuse": {f"DescribeSnapshots snap-of-{FIRST}": "UnauthorizedOperation"}}
    assert Waited(clock, {EU: denied}).succeeded()
    encrypted = Waited(clock, {EU: denied}, kms_key_id="alias/golden")
    assert encrypted.failure().error_code == "UnauthorizedOperation"


def test_a_short_timeout(clock: Clock) -> None:
    assert Waited(clock, {EU: {"steps": [PENDING]}}, wait_timeout=1).seconds == 1


def test_an_error_in_one_region_affects_only_that_region(clock: Clock) -> None:
    waited = Waited(clock, {EU: {"steps": ["ExpiredToken"]}, US: {}})
    (failure,) = waited.outcome.failures
    assert (failure.error_code, failure.region, failure.action) == ("ExpiredToken", EU, "DescribeImages")
    assert waited.states == {EU: (FIRST, PENDING), US: (FIRST, READY)}


class KeyUsableLater(Ec2):
    """EC2 whose copies fail that are started before the clock shows this time: a grant is not usable yet."""

    clock: Clock
    usable_at: float

    def copy_image(self, **parameters: Any) -> dict[str, Any]:
        self.steps = self.next_steps = [READY if self.clock.now >= self.usable_at else FAILED]
        return super().copy_image(**parameters)


@pytest.mark.parametrize(
    ("owner", "usable_after", "wait_timeout", "copies", "available"),
    [
        pytest.param(STRANGER, 4, 600, 2, True, id="soon"),
        pytest.param(STRANGER, 200, 600, 8, True, id="late"),
        pytest.param(STRANGER, 900, 600, 10, False, id="never"),
        pytest.param(STRANGER, 900, 30, 4, False, id="not within wait_timeout"),
        pytest.param(OWNER, 200, 600, 2, False, id="own key"),
    ],
)
def test_a_copy_is_repeated_until_the_key_of_another_account_can_be_used(
    clock: Clock, owner: str, usable_after: float, wait_timeout: int, copies: int, available: bool
) -> None:
    """KMS Developer Guide, "Using a grant token": a new grant might not be effective immediately."""
    world = aws_with(source_image(owner_id=owner, devices=volumes("snap-source", encrypted=True)))
    ec2 = world.put(KeyUsableLater(OWNER))
    fields = {"reason": REASON, "clock": clock, "usable_at": clock.now + usable_after}
    waited = Waited(clock, {EU: fields}, world=world, kms_key_id="alias/golden", wait_timeout=wait_timeout)
    assert len({one["ClientToken"] for one in ec2.requests.values()}) == len(ec2.requests) == copies
    assert waited.succeeded() is available
    assert waited.seconds <= min(wait_timeout, 400)
    if not available:
        assert waited.failure().error_code == "copy_failed"
        assert REASON in waited.failure().message


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([*[UNREADABLE] * 20, READY], id="minutes"),
        pytest.param([*[UNREADABLE] * 30, PENDING, *[UNREADABLE] * 30, READY], id="not in a row"),
        pytest.param([*[UNREADABLE] * 30, None, *[UNREADABLE] * 30, READY], id="invisible in between"),
    ],
)
def test_an_outage_of_minutes_is_tolerated(clock: Clock, steps: Sequence[str | None]) -> None:
    waited = Waited(clock, {EU: {"steps": steps}}, wait_timeout=7200)
    assert (waited.succeeded(), waited.states) == (True, {EU: (FIRST, READY)})
    assert waited.reads() == len(steps)


@pytest.mark.parametrize(
    ("steps", "code", "shortest", "longest"),
    [
        pytest.param([PENDING, *[UNREADABLE] * 100, READY], UNREADABLE, 300, 330, id="outage"),
        pytest.param([PENDING, EXPIRED, READY], EXPIRED, 0, 10, id="no credentials"),
    ],
)
def test_a_copy_that_stays_unreadable_is_given_up(
    clock: Clock, steps: list[str | None], code: str, shortest: int, longest: int
) -> None:
    """Five minutes after the first failed read, or at once if a read would fail again."""
    waited = Waited(clock, {EU: {"steps": steps}}, wait_timeout=7200)
    assert waited.states == {EU: (FIRST, PENDING)}
    assert waited.failure().error_code == code
    assert FIRST in waited.failure().message
    assert "rerun to wait for it" in waited.failure().remedy
    assert shortest <= waited.seconds <= longest


def test_failed_reads_in_one_region_do_not_delay_others(clock: Clock) -> None:
    waited = Waited(clock, {EU: {"steps": [*[UNREADABLE] * 3, READY]}, US: {"steps": [READY]}})
    assert waited.states == {EU: (FIRST, READY), US: (FIRST, READY)}
    assert waited.reads(US) == 1


FAILS_ONCE = {"steps": [PENDING, FAILED], "reason": REASON}


def test_a_failed_copy_that_cannot_be_removed_causes_a_warning_only(clock: Clock) -> None:
    refuse = {"DeregisterImage": "UnauthorizedOperation"}
    waited = Waited(clock, {EU: {**FAILS_ONCE, "refuse": refuse}})
    assert (waited.succeeded(), waited.states) == (True, {EU: (SECOND, READY)})
    assert waited.ec2().writes() == [*[f"CopyImage {SOURCE_ID}"] * 2, f"DeregisterImage {FIRST}"]
    assert [action.operation for action in waited.outcome.performed] == ["CopyImage"] * 2
    removal, replaced = waited.outcome.warnings
    assert removal.startswith(f"{EU}: No (UnauthorizedOperation).")
    assert "DeregisterImage" in removal
    assert replaced == REPLACED


def test_a_failed_copy_is_copied_again_and_then_removed(clock: Clock) -> None:
    waited = Waited(clock, {EU: FAILS_ONCE})
    assert (waited.succeeded(), waited.states) == (True, {EU: (SECOND, READY)})
    assert waited.ec2().writes() == [*[f"CopyImage {SOURCE_ID}"] * 2, f"DeregisterImage {FIRST}"]
    operations = [action.operation for action in waited.outcome.performed]
    assert operations == ["CopyImage", "CopyImage", "DeregisterImage"]
    assert waited.outcome.warnings == (REPLACED,)


def test_the_second_copy_has_another_token(clock: Clock) -> None:
    first, second = Waited(clock, {EU: FAILS_ONCE}).ec2().requests.values()
    assert second["ClientToken"] != first["ClientToken"]
    assert {**second, "ClientToken": None} == {**first, "ClientToken": None}


def test_the_second_copy_becomes_the_runs_image_at_once(clock: Clock) -> None:
    waited = Waited(clock, {EU: {"steps": [FAILED], "next_steps": [PENDING]}}, wait_timeout=30)
    assert waited.failure().message.startswith(f"{SECOND} is still pending")


def test_a_copy_that_fails_again_is_a_failure(clock: Clock) -> None:
    waited = Waited(clock, {EU: {**FAILS_ONCE, "next_steps": [FAILED]}})
    assert waited.failure().error_code == "copy_failed"
    assert waited.failure().message == f"The copy {SECOND} is failed: {REASON}."
    assert "then replaced" in waited.failure().remedy
    assert waited.states == {EU: (SECOND, FAILED)}
    assert len(waited.ec2().requests) == 2


@pytest.mark.parametrize("state", ["failed", "error", "invalid"])
def test_a_copy_that_replaced_a_failed_one_before_waiting_is_not_replaced_again(
    clock: Clock, state: str
) -> None:
    world = aws_with(PLAIN, (copied_image("ami-failed", state), ()))
    waited = Waited(clock, {EU: {"steps": [state]}}, world=world)
    assert waited.failure().error_code == "copy_failed"
    assert waited.failure().message == f"The copy {FIRST} is {state}: AWS reports no reason."
    assert len(waited.ec2().requests) == 1


def test_a_second_copy_that_aws_refuses_is_a_failure(clock: Clock) -> None:
    class RefusesSecond(Ec2):
        def copy_image(self, **parameters: Any) -> dict[str, Any]:
            answer = super().copy_image(**parameters)
            self.refuse["CopyImage"] = "ResourceLimitExceeded"
            return answer

    world = aws_with()
    world.put(RefusesSecond(OWNER))
    waited = Waited(clock, {EU: FAILS_ONCE, US: {}}, world=world)
    assert [one.error_code for one in waited.outcome.failures] == ["ResourceLimitExceeded"]
    assert "DeregisterImage" not in str(waited.ec2().calls)
    assert waited.outcome.warnings == (REPLACED.removesuffix(" A new copy was started."),)
    assert waited.states[US] == (FIRST, READY)


def test_each_region_has_its_own_retry(clock: Clock) -> None:
    waited = Waited(clock, {EU: FAILS_ONCE, US: FAILS_ONCE})
    assert waited.states == {EU: (SECOND, READY), US: (SECOND, READY)}


def test_a_copy_that_is_not_visible_at_once(clock: Clock) -> None:
    waited = Waited(clock, {EU: {"steps": [None, None, None, PENDING, READY]}})
    assert (waited.states, waited.outcome.warnings) == ({EU: (FIRST, READY)}, ())


def test_an_id_that_stays_invisible_is_that_of_a_deregistered_copy(clock: Clock) -> None:
    # CopyImage returns the first image again if a client token is reused, even if it is deregistered.
    waited = Waited(clock, {EU: {"steps": [None], "next_steps": [READY]}})
    assert 60 < waited.seconds < 90
    assert waited.states == {EU: (SECOND, READY)}
    assert waited.ec2().writes() == [f"CopyImage {SOURCE_ID}"] * 2
    first, second = waited.ec2().requests.values()
    assert first["ClientToken"] != second["ClientToken"]
    assert waited.outcome.warnings == (
        f"{EU}: The copy {FIRST} that CopyImage returned does not exist. A new copy was started.",
    )


def test_invisible_time_is_counted_from_the_last_visible_read(clock: Clock) -> None:
    # Invisible for half a minute each time, and read in between: never a minute in a row.
    waited = Waited(clock, {EU: {"steps": [*[None] * 12, PENDING, *[None] * 4, READY]}})
    assert waited.states == {EU: (FIRST, READY)}


SLOW = {"steps": [PENDING, PENDING, READY]}


def test_best_effort_regions_are_waited_for_only_as_long_as_others(clock: Clock) -> None:
    regions = {EU: SLOW, US: {"steps": [PENDING], "percents": [12]}}
    waited = Waited(clock, regions, best_effort_regions=[US])
    assert waited.seconds < 30
    assert waited.outcome.failures == ()
    failure = waited.failure(US)
    assert failure.error_code == "copy_pending"
    assert failure.message == f"{FIRST} is still pending at 12 % although all required regions are ready."
    assert waited.states[US] == (FIRST, PENDING)


def test_a_best_effort_region_that_is_available_in_time(clock: Clock) -> None:
    waited = Waited(clock, {EU: SLOW, US: {"steps": [READY]}}, best_effort_regions=[US])
    assert (waited.succeeded(), waited.states[US]) == (True, (FIRST, READY))


def test_best_effort_regions_are_not_waited_for_if_the_others_are_ready(clock: Clock) -> None:
    world = aws_with(PLAIN, found("ami-1", None))
    waited = Waited(clock, {EU: {}, US: {}}, world=world, best_effort_regions=[US])
    assert (waited.seconds, waited.reads(US)) == (0, 0)
    assert waited.failure(US).error_code == "copy_pending"


def test_best_effort_regions_alone_are_all_waited_for(clock: Clock) -> None:
    regions = {EU: {}, US: {"steps": [PENDING, PENDING, PENDING, READY]}}
    assert Waited(clock, regions, best_effort_regions=[EU, US]).succeeded()


def test_best_effort_regions_alone_are_waited_for_until_the_timeout(clock: Clock) -> None:
    regions = {EU: {"steps": [READY]}, US: {"steps": [PENDING]}}
    waited = Waited(clock, regions, best_effort_regions=[EU, US], wait_timeout=30)
    assert waited.seconds == 30
    assert waited.states[EU] == (FIRST, READY)
    assert waited.failure(US).message.endswith("after wait_timeout (30 s).")


def test_an_error_in_a_best_effort_region_does_not_delay_others(clock: Clock) -> None:
    waited = Waited(clock, {EU: {}, US: {"steps": [UNREADABLE]}}, best_effort_regions=[US])
    # Two reads failed: the run ends because waiting ends.
    assert waited.failure(US).error_code == "copy_pending"
    assert waited.failure(US).message.endswith(" Its last read failed: No (InternalError).")
    assert waited.reads(US) == waited.reads(EU) == 2
    assert waited.states[EU] == (FIRST, READY)


def test_a_best_effort_region_that_can_never_be_read_fails_with_its_error(clock: Clock) -> None:
    regions = {EU: {"steps": [*[PENDING] * 60, READY]}, US: {"steps": [UNREADABLE]}}
    waited = Waited(clock, regions, best_effort_regions=[US])
    assert waited.failure(US).error_code == UNREADABLE
    assert waited.reads(US) < waited.reads(EU)
    assert waited.states[EU] == (FIRST, READY)


def test_a_failed_best_effort_copy_is_copied_again_too(clock: Clock) -> None:
    regions = {
        EU: {"steps": [*[PENDING] * 4, READY]},
        US: {"steps": [FAILED], "next_steps": [READY]},
    }
    assert Waited(clock, regions, best_effort_regions=[US]).states[US] == (SECOND, READY)


class Steady(Ec2):
    """EC2 whose copy is available after ``seconds``, and advances steadily."""

    clock: Clock
    started: float
    seconds: float

    def describe_images(self, **parameters: Any) -> dict[str, Any]:
        done = (self.clock.now - self.started) / self.seconds
        self.percents = [int(100 * done)]
        self.moving[FIRST] = [READY if done >= 1 else PENDING]
        return super().describe_images(**parameters)


def steady(clock: Clock, seconds: Mapping[str, float]) -> Waited:
    """A run with a steady copy in each of these regions, which takes these seconds."""
    world = aws_with()
    for region in seconds:
        world.put(Steady(OWNER), region)
    fields = {
        region: {"clock": clock, "started": clock.now, "seconds": one} for region, one in seconds.items()
    }
    return Waited(clock, fields, world=world, wait_timeout=7200)


@pytest.mark.parametrize(("seconds", "rounds", "late"), [(2, 2, 1), (20, 6, 1), (300, 36, 3), (3600, 375, 8)])
def test_the_number_of_reads_of_a_copy(clock: Clock, seconds: float, rounds: int, late: float) -> None:
    """Each round reads the image and the percentage. The end is noticed within seconds."""
    waited = steady(clock, {EU: seconds})
    assert waited.reads() <= rounds
    assert seconds <= waited.seconds <= seconds + late
    assert any(" left" in line for line in waited.lines) is (seconds > 2)


def test_a_slow_copy_is_not_read_as_often_as_one_that_is_nearly_ready(clock: Clock) -> None:
    both, alone = steady(clock, {EU: 20, US: 300}), steady(clock, {US: 300})
    assert both.reads(US) <= alone.reads(US) + 2


def test_progress_is_reported_by_region_when_it_changes(clock: Clock) -> None:
    regions = {EU: {"percents": [10, 21]}, US: {"steps": [PENDING, PENDING, PENDING, READY]}}
    assert Waited(clock, regions).lines == [
        f"{US} pending  {EU} 15 %",
        f"{US} pending  {EU} available",
        f"{US} pending",
        f"{US} available",
    ]


def test_progress_of_several_accounts_is_reported_by_region() -> None:
    world = aws_with(percents=[40])
    world.share(CONSUMER)
    consumer = world.ec2_of(CONSUMER)
    consumer.percents, consumer.steps = [20], SLOW["steps"]
    done = Run(copied_to(account_ids=[OWNER, CONSUMER], consumer_role_name="golden-consumer"), world)
    assert done.outcome.failures == ()
    assert done.lines == [
        f"{EU} 0 of 2 (slowest 20 %)",
        f"{EU} 1 of 2 (slowest 20 %)",
        f"{EU} 2 of 2",
    ]


def test_a_failure_is_reported(clock: Clock) -> None:
    lines = Waited(clock, {EU: {"steps": [EXPIRED]}, US: {"steps": [READY]}}).lines
    assert lines == [f"{EU} failed  {US} available"]


def test_unchanged_progress_is_repeated(clock: Clock) -> None:
    waited = Waited(clock, {EU: {"steps": [PENDING], "percents": [10]}}, wait_timeout=100)
    assert set(waited.lines) == {f"{EU} 10 %"}
    assert 100 // 20 <= len(waited.lines) <= 100 // 15 + 1


def test_a_copy_continues_if_its_percentage_cannot_be_read(clock: Clock) -> None:
    waited = Waited(clock, {EU: {"refuse": {"DescribeSnapshots tag": "UnauthorizedOperation"}}})
    assert waited.lines == [f"{EU} pending", f"{EU} available"]
    assert waited.succeeded()
