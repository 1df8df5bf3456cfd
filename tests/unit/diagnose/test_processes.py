# SPDX-License-Identifier: GPL-3.0-or-later

"""A diagnosis finds the same in any number of worker processes, and misses only what a killed one read."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts
from ansible_collections.golden.images.plugins.module_utils._diagnose import flow
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError, invalid_option
from ansible_collections.golden.images.plugins.modules import ami_verify
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.clock import Clock
from tests.unit.diagnose.accounts import (
    EU,
    KEY_DRY_RUNS,
    NOT_FOUND,
    OTHER_ID,
    US,
    Accounts,
    consumer,
    encrypted,
    run,
)
from tests.unit.examples import OWNER, SOURCE_ID
from tests.unit.flow_run import FlowRun
from tests.unit.forks import allow_forks
from tests.unit.test_processes import join_threads

# So many for a process: those for an account in two regions.
CALLS = 8
IMAGES = {EU: SOURCE_ID, US: OTHER_ID}
REFUSED = dict.fromkeys(("describe_key", *KEY_DRY_RUNS), "AccessDeniedException")
# What an account answers otherwise than one that can launch the images; None is one whose role is refused.
ANSWERS: dict[str, dict[str, Any] | None] = {
    "can launch": {},
    "role refused": None,
    "not visible": {"describe_images": NOT_FOUND, "get_allowed_images_settings": {"State": "disabled"}},
    "launch denied": {"run_instances": "UnauthorizedOperation"},
    "keys refused": REFUSED,
    "throttled": {"describe_images": "RequestLimitExceeded"},
}


@pytest.fixture(autouse=True)
def forks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of worker processes of each run, which does not wait for what becomes visible."""
    Clock.of(monkeypatch, attempts)
    return allow_forks(monkeypatch, CALLS)


def diagnose(aws: Accounts, accounts: Sequence[str], processes: int, **options: Any) -> FlowRun:
    """A run of ``ami_share_diagnose`` that has read with this number of processes at most."""
    diagnosis = run(aws, images=IMAGES, account_ids=accounts, max_processes=processes, **options)
    join_threads()
    _ = diagnosis.seen
    return diagnosis


def organization(kinds: Sequence[str]) -> tuple[Accounts, list[str]]:
    """The owner of images, and the accounts that would launch them, one of each kind, and the owner."""
    aws, account_ids = encrypted(), [f"2{number:011d}" for number in range(len(kinds))]
    for account_id, kind in zip(account_ids, kinds, strict=True):
        if (answers := ANSWERS[kind]) is not None:
            consumer(aws, account_id, **answers)
    return aws, [*account_ids, OWNER]


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(ANSWERS)), max_size=12), st.integers(2, 5))
def test_results_do_not_depend_on_the_number_of_processes(kinds: list[str], processes: int) -> None:
    alone = diagnose(*organization(kinds), 1)
    divided = diagnose(*organization(kinds), processes)
    assert divided.results == alone.results
    assert [*divided.seen.consumers] == [*alone.seen.consumers]
    assert [(it.region, it.account_id, it.error_code) for it in divided.plan.failures] == [
        (it.region, it.account_id, it.error_code) for it in alone.plan.failures
    ]


def test_a_killed_process_fails_its_accounts_and_names_them() -> None:
    aws, account_ids = organization(["can launch"] * 9)
    alone = diagnose(aws, account_ids, 1)
    killed = account_ids[3]
    consumer(aws, killed, describe_images=lambda _request: os.kill(os.getpid(), signal.SIGKILL))
    divided = diagnose(aws, account_ids, 5)
    failures = divided.plan.failures
    lost = {failure.account_id for failure in failures}
    # Ten accounts in five groups.
    assert killed in lost
    assert len(lost) == 2
    assert sorted((it.account_id, it.region) for it in failures) == sorted(
        (account_id, region) for account_id in lost for region in IMAGES
    )
    assert {it.error_code for it in failures} == {"worker_process_ended"}
    assert failures[0].text() == (
        "A worker process has ended (SIGKILL) before it returned a result. Rerun. If it ends again, for "
        "example because memory is short, set max_processes to 1."
    )
    assert [it for it in divided.results if it["account_id"] not in lost] == [
        it for it in alone.results if it["account_id"] not in lost
    ]


def test_what_refuses_a_run_refuses_it_in_a_process_too(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = invalid_option("profile", "profile: it cannot be read.", "Correct it.")

    def refuse(*_arguments: Any) -> Any:
        raise ValidationError([refusal])

    monkeypatch.setattr(flow, "_read_accounts", refuse)
    for processes in (1, 2):
        with pytest.raises(ValidationError) as caught:
            diagnose(*organization(["can launch"]), processes)
        assert caught.value.failures == (refusal,)


@pytest.mark.parametrize(
    ("accounts", "most", "options", "started"),
    [
        # With the owner.
        (1, 8, {}, [2]),
        (4, 8, {}, [5]),
        (4, 3, {}, [3]),
        (4, 1, {}, []),
        # One account is read in one process.
        (0, 8, {}, []),
        # Without the role, it is the only one that can be read.
        (4, 8, {"consumer_role_name": None}, []),
    ],
)
def test_accounts_and_regions_tell_how_many_processes_read(
    forks: list[int], accounts: int, most: int, options: dict[str, Any], started: list[int]
) -> None:
    diagnose(*organization(["can launch"] * accounts), most, **options)
    assert forks == started


def test_a_verification_reads_in_processes_as_a_diagnosis_does(forks: list[int]) -> None:
    aws, account_ids = organization(["can launch", "launch denied"])
    options = {"images": IMAGES, "account_ids": account_ids, "consumer_role_name": "golden"}
    alone, divided = (
        FlowRun(ami_verify.FLOW, {**options, "max_processes": most}, aws).result for most in (1, 2)
    )
    assert divided == alone
    assert forks == [2]
