# SPDX-License-Identifier: GPL-3.0-or-later

"""Adoption is the same in any number of worker processes, and lacks only what a killed one read."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._adoption.flow import FLOW, count_calls
from ansible_collections.golden.images.plugins.module_utils._aws import attempts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.adoption.examples import EU, US, options
from tests.unit.adoption.test_flow import IMAGES
from tests.unit.cleanup.aws_answers import Answers
from tests.unit.clock import Clock
from tests.unit.diagnose.accounts import Accounts
from tests.unit.examples import OWNER
from tests.unit.flow_run import FlowRun
from tests.unit.forks import allow_forks
from tests.unit.test_processes import join_threads


def _uses(image_id: str) -> dict[str, Any]:
    image = {"ImageId": image_id, "OwnerId": OWNER, "State": "available"}
    instance = {"InstanceId": "i-1", "State": {"Name": "running"}, "ImageMetadata": image}
    return {"describe_instance_image_metadata": {"InstanceImageMetadata": [instance]}}


# What an account answers; None is one whose role is refused.
ANSWERS: dict[str, dict[str, Any] | None] = {
    "unused": {},
    "current": _uses("ami-00000002"),
    "behind": _uses("ami-00000001"),
    "denied": {"describe_instance_image_metadata": "UnauthorizedOperation"},
    "role refused": None,
}


@pytest.fixture(autouse=True)
def forks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of worker processes of each run, which needs one for each call."""
    Clock.of(monkeypatch, attempts)
    return allow_forks(monkeypatch, 1)


def organization(kinds: Sequence[str]) -> tuple[Accounts, list[str]]:
    """The owner of two releases, and an account of each of these kinds."""
    aws, account_ids = Accounts(describe_images={"Images": IMAGES}), [f"2{n:011d}" for n in range(len(kinds))]
    for account_id, kind in zip(account_ids, kinds, strict=True):
        if (answers := ANSWERS[kind]) is not None:
            aws.accounts[account_id] = Answers(**answers)
    return aws, [*account_ids, OWNER]


def report(aws: Accounts, account_ids: Sequence[str], processes: int) -> FlowRun:
    """A run of ``ami_adoption`` that has read with this number of processes at most."""
    run = FlowRun(
        FLOW,
        {
            "family_tag": "family",
            "account_ids": list(account_ids),
            "consumer_role_name": "golden",
            "regions": [EU, US],
            "max_processes": processes,
        },
        aws,
    )
    join_threads()
    assert run.seen.looks or run.seen.unread
    return run


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(ANSWERS)), max_size=12), st.integers(2, 5))
def test_the_report_does_not_depend_on_the_number_of_processes(kinds: list[str], processes: int) -> None:
    alone = report(*organization(kinds), 1)
    divided = report(*organization(kinds), processes)
    assert divided.result == alone.result
    assert [(it.region, it.account_id, it.error_code) for it in divided.plan.failures] == [
        (it.region, it.account_id, it.error_code) for it in alone.plan.failures
    ]


def test_the_accounts_of_a_killed_process_are_unreadable() -> None:
    aws, account_ids = organization(["current"] * 9)
    killed = account_ids[3]
    aws.accounts[killed] = Answers(
        describe_instance_image_metadata=lambda _request: os.kill(os.getpid(), signal.SIGKILL)
    )
    run = report(aws, account_ids, 5)
    statuses = {each["account_id"]: each["status"] for each in run.result["accounts"]}
    lost = {account_id for account_id, status in statuses.items() if status == "unreadable"}
    # Ten accounts in five groups.
    assert killed in lost
    assert len(lost) == 2
    assert {(it.account_id, it.region) for it in run.plan.failures} == {
        (account_id, region) for account_id in lost for region in (EU, US)
    }
    assert {(it.error_code, it.action) for it in run.plan.failures} == {
        ("worker_process_ended", "DescribeInstanceImageMetadata")
    }
    assert statuses.keys() == {*account_ids}


@pytest.mark.parametrize(("depth", "calls"), [("instances", range(6, 7)), ("launches", range(30, 150))])
def test_accounts_and_regions_tell_how_many_calls_are_made(depth: str, calls: range) -> None:
    assert count_calls(options(account_ids=("200000000001",) * 3, depth=depth), [EU, US]) in calls
