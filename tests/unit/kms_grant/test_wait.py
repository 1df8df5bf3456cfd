# SPDX-License-Identifier: GPL-3.0-or-later

"""How ``ami_kms_grant`` waits until AWS lists new grants and returns new key policies."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.unit.clock import Clock
from tests.unit.examples import ORG
from tests.unit.keys.examples import key_arn
from tests.unit.kms_grant.examples import (
    EU,
    US,
    A,
    B,
    Run,
    run,
    wanted,
    world_with_access,
)
from tests.unit.kms_grant.kms_in_memory import World, world


def lagging(lists: int) -> World:
    aws = world(EU, US)
    aws.regions[EU].lag = lists
    return aws


def test_waits_until_new_grants_are_listed(clock: Clock) -> None:
    aws = lagging(3)
    started = clock.now
    _result, outcome = run(aws, wanted(A, regions=(EU, US)))
    assert clock.now - started == 3.0
    # One list before anything was created, then one a second; the region that was ready is left in peace.
    assert len(aws.regions[EU].asked("ListGrants")) == 1 + 4
    assert len(aws.regions[US].asked("ListGrants")) == 1 + 1
    (warning,) = outcome.warnings
    assert "5 minutes" in warning
    assert outcome.failures == ()


@pytest.mark.usefixtures("clock")
def test_only_the_new_grants_are_asked_for_if_they_are_few() -> None:
    """A key may have 50,000 grants, 500 pages of them (KMS Developer Guide, "Resource quotas")."""
    aws = world(EU)
    run(aws, wanted(A, B))
    before, *waited = aws.regions[EU].asked("ListGrants")
    assert "GrantId" not in before
    assert sorted(one["GrantId"] for one in waited) == ["g-0", "g-1"]


def test_many_new_grants_are_found_in_the_list_of_their_key(clock: Clock) -> None:
    aws = lagging(2)
    started = clock.now
    _result, outcome = run(aws, wanted(*(f"{number:012}" for number in range(1, 251))))
    assert clock.now - started == 2.0
    # One list before anything was created, and then one a second.
    asked = aws.regions[EU].asked("ListGrants")
    assert len(asked) == 1 + 3
    assert all("GrantId" not in parameters for parameters in asked)
    assert outcome.failures == ()


def test_wait_ends_after_a_minute_with_a_warning(clock: Clock) -> None:
    aws = lagging(1_000)
    started = clock.now
    _result, outcome = run(aws, wanted(A, regions=(EU, US)))
    assert clock.now - started == 60.0
    (warning,) = outcome.warnings
    assert warning.startswith(f"{EU}: AWS does not list all new grants yet")
    assert (len(outcome.performed), outcome.failures) == (2, ())


def test_failed_list_is_repeated() -> None:
    aws = world(EU)
    want = wanted(A)
    job = Run(want, aws)
    assert job.plan.actions
    kms = aws.regions[EU]

    def throttle() -> None:
        kms.refuse = {"ListGrants": "ThrottlingException"}
        kms.meanwhile["ListGrants"] = kms.refuse.clear

    kms.meanwhile["ListGrants"] = throttle
    outcome = job.outcome
    assert outcome.failures == ()
    assert len(kms.asked("ListGrants")) == 3
    assert "5 minutes" in outcome.warnings[0]


@pytest.mark.parametrize("code", ["AccessDeniedException", "ExpiredTokenException"])
def test_a_list_that_is_refused_is_not_repeated(clock: Clock, code: str) -> None:
    aws = world(EU, US)
    want = wanted(A, regions=(EU, US))
    job = Run(want, aws)
    assert job.plan.actions
    aws.regions[EU].meanwhile["CreateGrant"] = lambda: aws.regions[EU].refuse.update(ListGrants=code)
    aws.regions[US].lag = 2
    started = clock.now
    outcome = job.outcome
    (warning,) = outcome.warnings
    assert warning.startswith(f"{EU}: whether AWS lists the new grants could not be read: ")
    assert code in warning
    # The other region is waited for.
    assert clock.now - started == 2.0
    assert len(aws.regions[EU].asked("ListGrants")) == 2


def test_no_wait_without_new_grants(clock: Clock) -> None:
    aws = world_with_access(A, regions=(EU,))
    started, lists = clock.now, len(aws.regions[EU].asked("ListGrants"))
    _result, outcome = run(aws, wanted(A, state="absent"))
    assert (clock.now, outcome.warnings) == (started, ())
    assert len(aws.regions[EU].asked("ListGrants")) == lists + 1


def test_no_wait_for_failed_grants(clock: Clock) -> None:
    aws = world(EU, US)
    aws.regions[EU].refuse = {"CreateGrant": "AccessDeniedException"}
    started = clock.now
    run(aws, wanted(A, regions=(EU, US)))
    assert clock.now == started


def test_no_wait_for_a_grant_whose_id_aws_does_not_return(clock: Clock) -> None:
    aws = world(EU)
    kms = aws.regions[EU]
    created = kms.create_grant
    kms.create_grant = lambda **request: created(**request) and {}  # type: ignore[method-assign]
    started = clock.now
    _result, outcome = run(aws, wanted(A))
    assert clock.now == started
    assert [one.error_code for one in outcome.failures] == ["incomplete_response"]


def stored(answers: Iterable[str]) -> str | None:
    """The warning of a run whose new policy is returned so: ``old``, ``new`` or refused with a code."""
    aws = world(EU)
    aws.regions[EU].shown_after_put = list(answers)
    _result, outcome = run(aws, wanted(org_arns=[ORG]))
    assert outcome.failures == ()
    assert aws.regions[EU].shown_after_put == []
    return outcome.warnings[0] if outcome.warnings else None


@pytest.mark.parametrize(
    ("answers", "seconds"),
    [
        pytest.param(["new"] * 5, 2.0, id="new at once"),
        pytest.param(["old", "old", *["new"] * 5], 3.0, id="old for a second"),
        pytest.param(["new", "old", "new", "new", "old", *["new"] * 5], 4.5, id="in turn"),
        pytest.param(["new", "KMSInternalException", *["new"] * 5], 3.0, id="a failed read"),
    ],
)
def test_waits_until_a_new_policy_is_returned_five_times_in_a_row(
    clock: Clock, answers: list[str], seconds: float
) -> None:
    """(botocore operation PutKeyPolicy, Eventual consistency; hashicorp/terraform#3928.)"""
    started = clock.now
    assert stored(answers) is None
    assert clock.now - started == seconds


def test_a_policy_that_is_refused_is_not_read_again(clock: Clock) -> None:
    started = clock.now
    warning = stored(["new", "ExpiredTokenException"])
    assert warning is not None
    assert warning.startswith(f"{EU}: whether AWS returns the new policies could not be read: ")
    assert clock.now - started == 0.5


def test_the_wait_for_a_policy_ends_after_a_minute_with_a_warning(clock: Clock) -> None:
    started = clock.now
    warning = stored(["old"] * 121)
    assert warning is not None
    assert key_arn() in warning
    assert clock.now - started == 60.0


def test_only_a_written_policy_is_read_again(clock: Clock) -> None:
    aws = world(EU)
    started = clock.now
    run(aws, wanted(org_arns=frozenset({ORG})))
    assert len(aws.regions[EU].asked("GetKeyPolicy")) == 2 + 5
    assert clock.now - started == 2.0
    run(aws, wanted(org_arns=frozenset({ORG})))
    assert len(aws.regions[EU].asked("GetKeyPolicy")) == 2 + 5 + 1
    assert clock.now - started == 2.0
