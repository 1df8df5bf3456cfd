# SPDX-License-Identifier: GPL-3.0-or-later

"""What reads much is divided among processes, with the same result; one of them is killed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from .fixture import HOME, OWNER, Fixture
from .playbook import MODULES, Ansible, Task, kill, tasks_of

ACCOUNTS = [f"2{number:011d}" for number in range(250)]
REGIONS = (HOME, "us-east-2", "us-west-2", "eu-west-1")
_TIMEOUT = 240


@pytest.fixture
def options(fixture: Fixture) -> dict[str, Any]:
    """A thousand images in accounts; no account has the role."""
    return {
        "images": dict.fromkeys(REGIONS, fixture.image_id),
        "account_ids": ACCOUNTS,
        "consumer_role_name": "golden-consumer",
    }


def test_a_diagnosis_in_processes_returns_what_one_process_returns(
    aws: SimulatedAws, options: dict[str, Any], ansible: Ansible
) -> None:
    found, calls = [], []
    for most in (8, 1):
        aws.clear_calls()
        run, task = ansible.module("ami_share_diagnose", **options, max_processes=most)
        assert run.code != 0
        found.append(_whole_result(task))
        calls.append(Counter(call.action for call in aws.calls()))
    assert found[0] == found[1]
    assert calls[0] == calls[1]
    assert calls[0]["AssumeRole"] == len(ACCOUNTS)


def test_a_killed_process_fails_its_accounts_and_leaves_no_process(
    aws: SimulatedAws, options: dict[str, Any], ansible: Ansible
) -> None:
    aws.add_fault("freeze", action="AssumeRole", when="before", times=0)
    task = {"name": "diagnose", f"{MODULES}ami_share_diagnose": {**options, "max_processes": 2}}
    process = ansible.start(ansible.write_play([task]))
    try:
        workers = _await_forks(process.pid, 2)
        os.kill(workers[0], signal.SIGKILL)
        _await_forks(process.pid, 1)
        aws.clear_faults()
        stdout, stderr = process.communicate(timeout=_TIMEOUT)
    finally:
        kill(process)
    (diagnosed,) = tasks_of(stdout)
    codes = _codes_by_account(_whole_result(diagnosed)["failures"])
    # 250 accounts in four groups.
    assert Counter(codes.values()) in (
        {"AccessDenied": 187, "worker_process_ended": 63},
        {"AccessDenied": 188, "worker_process_ended": 62},
    )
    assert "A worker process has ended (SIGKILL)" in diagnosed.result["msg"], stderr
    assert not any(map(_runs, workers))


def test_no_worker_process_stays_after_a_killed_module_that_displays_its_progress(
    aws: SimulatedAws, options: dict[str, Any], ansible: Ansible
) -> None:
    aws.add_fault("freeze", action="AssumeRole", when="before", times=0)
    task = {"name": "verify", f"{MODULES}ami_verify": {**options, "max_processes": 2}}
    process = ansible.start(ansible.write_play([task]))
    try:
        workers = _await_forks(process.pid, 2)
        os.kill(_parent_of(workers[0]), signal.SIGKILL)
        _await_end(workers)
    finally:
        kill(process)
        aws.clear_faults()


AUDITED = REGIONS[:2]
# More than one page.
IMAGES = 101
DISK = {"device_name": "/dev/xvda", "size": 8}


@pytest.fixture
def audited(fixture: Fixture) -> dict[str, Any]:
    """The options of an audit of two regions, each with many images."""
    one = {"account": OWNER, "devices": [DISK]}
    fixture.add_images(
        {f"{region}-{number}": {**one, "region": region} for region in AUDITED for number in range(IMAGES)}
    )
    return {"regions": AUDITED, "allowed_account_ids": []}


@pytest.mark.nightly
def test_an_audit_in_processes_returns_what_one_process_returns(
    aws: SimulatedAws, audited: dict[str, Any], ansible: Ansible
) -> None:
    found, calls = [], []
    for most in (2, 1):
        aws.clear_calls()
        run, task = ansible.module("ami_share_audit", **audited, max_processes=most)
        assert run.code == 0
        found.append(_whole_audit(task))
        # How many calls are throttled, and repeated, differs from run to run.
        calls.append(Counter((call.action, call.region) for call in aws.calls() if not call.error_code))
    assert found[0] == found[1]
    # Each process lists its images anew.
    assert calls[0] - calls[1] == dict.fromkeys((("DescribeImages", region) for region in AUDITED), 1)
    assert calls[1] - calls[0] == {}


@pytest.mark.parametrize(
    ("number", "message"),
    [
        pytest.param(signal.SIGKILL, "A worker process has ended (SIGKILL)", id="killed"),
        # Takes longer than the minute after which such a process is killed.
        pytest.param(
            signal.SIGSTOP,
            "A worker process gave no sign of life for 60 s, and was ended.",
            id="stopped",
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_a_killed_or_stopped_process_of_an_audit_fails_its_regions(
    aws: SimulatedAws, audited: dict[str, Any], ansible: Ansible, number: signal.Signals, message: str
) -> None:
    for region in AUDITED:
        aws.add_fault("freeze", action="DescribeImageAttribute", region=region, when="before", times=0)
    task = {"name": "audit", f"{MODULES}ami_share_audit": {**audited, "max_processes": 2}}
    process = ansible.start(ansible.write_play([task]))
    try:
        workers = _await_forks(process.pid, 2)
        # Each is in the middle of its region.
        _await(lambda: all(fault["matched"] for fault in aws.faults()))
        os.kill(workers[0], number)
        if number == signal.SIGKILL:
            _await_forks(process.pid, 1)
        aws.clear_faults()
        stdout, stderr = process.communicate(timeout=_TIMEOUT)
    finally:
        kill(process)
    (task_result,) = tasks_of(stdout)
    whole = _whole_audit(task_result)
    ((lost, error),) = {(one["region"], one["error_code"]) for one in whole["failures"]}
    assert error == "worker_process_ended", stderr
    assert process.returncode != 0
    assert message in task_result.result["msg"]
    unread = [one["region"] for one in whole["findings"] if one["code"] == "region_unreadable"]
    assert unread == [lost]
    (other,) = set(AUDITED) - {lost}
    assert Counter(one["region"] for one in whole["results"])[other] >= IMAGES
    assert [*whole["regions"]] == [other]
    assert not any(map(_runs, workers))
    # A rerun reads all.
    rerun, task_result = ansible.module("ami_share_audit", **audited, max_processes=2)
    assert rerun.code == 0
    assert [*_whole_audit(task_result)["regions"]] == sorted(AUDITED)


@pytest.mark.nightly
@pytest.mark.parametrize("most", [1, 2])
def test_what_is_refused_in_the_middle_of_an_audit_is_all_that_is_missing(
    aws: SimulatedAws, audited: dict[str, Any], ansible: Ansible, most: int
) -> None:
    for region in AUDITED:
        aws.add_fault(
            "error",
            action="DescribeImageAttribute",
            region=region,
            code="UnauthorizedOperation",
            message="You are not authorized to perform this operation.",
            status=403,
            after=50,
            times=20,
        )
    run, task = ansible.module("ami_share_audit", **audited, max_processes=most)
    whole = _whole_audit(task)
    assert run.code != 0
    assert [(one["region"], one["error_code"]) for one in whole["failures"]] == [
        (region, "UnauthorizedOperation") for region in sorted(AUDITED)
    ]
    unread = [one["region"] for one in whole["findings"] if one["code"] == "image_unreadable"]
    assert Counter(unread) == dict.fromkeys(AUDITED, 20)
    assert [*whole["regions"]] == sorted(AUDITED)


# After SIGKILL of the playbook, Ansible's own workers go on.
@pytest.mark.nightly
@pytest.mark.parametrize(
    ("ended", "number"),
    [
        ("the playbook", signal.SIGINT),
        ("the playbook", signal.SIGTERM),
        ("the module", signal.SIGTERM),
        ("the module", signal.SIGKILL),
    ],
)
def test_no_worker_process_stays_after_an_audit_that_was_ended(
    aws: SimulatedAws, audited: dict[str, Any], ansible: Ansible, ended: str, number: signal.Signals
) -> None:
    aws.add_fault("freeze", action="DescribeImageAttribute", when="before", times=0)
    task = {"name": "audit", f"{MODULES}ami_share_audit": {**audited, "max_processes": 2}}
    process = ansible.start(ansible.write_play([task]))
    try:
        workers = _await_forks(process.pid, 2)
        os.kill(process.pid if ended == "the playbook" else _parent_of(workers[0]), number)
        _await_end(workers)
    finally:
        kill(process)
        aws.clear_faults()


@pytest.mark.nightly
def test_a_cleanup_in_processes_plans_what_one_process_plans(fixture: Fixture, ansible: Ansible) -> None:
    # As many images as their permissions and those of their snapshots are 4,000 calls.
    one = {"account": OWNER, "devices": [DISK], "tags": {"family": "web"}, "age_days": 100}
    regions = [HOME, *(f"{area}-{number}" for area in ("eu-west", "ap-southeast") for number in (1, 2, 3))]
    fixture.add_images(
        {f"{region}-{number}": {**one, "region": region} for region in regions for number in range(300)}
    )
    options = {
        "regions": regions,
        "family_tag": "family",
        "deregister_after_days": 0,
        "max_deletions": "100%",
        "tombstone_ssm_path": "/retired",
    }
    found = []
    for most in (2, 1):
        task = {
            "name": "clean up",
            "check_mode": True,
            f"{MODULES}ami_cleanup": {**options, "max_processes": most},
        }
        process = ansible.start(ansible.write_play([task]))
        if most > 1:
            workers = _await_forks(process.pid, most)
        stdout, stderr = process.communicate(timeout=_TIMEOUT)
        assert process.returncode == 0, stderr
        (cleaned,) = tasks_of(stdout)
        whole = json.loads(_read(Path(cleaned.result["result_path"])))
        assert len(whole["actions"]) >= len(regions) * 299
        found.append({name: whole[name] for name in ("actions", "failures", "results")})
    assert found[0] == found[1]
    assert not any(map(_runs, workers))


def _whole_audit(task: Task) -> dict[str, Any]:
    """The result of an audit, from its file if it is too large for Ansible's."""
    path = task.result.get("result_path")
    whole: dict[str, Any] = json.loads(_read(Path(path))) if path else task.result
    return {name: whole[name] for name in ("changed", "failures", "findings", "regions", "results")}


def _await_forks(playbook: int, count: int) -> list[int]:
    """Wait until the process of a playbook's task has this number of worker processes, and return them."""
    deadline = time.monotonic() + _TIMEOUT
    while len(forks := [pid for task in _children(playbook) for pid in _children(task)]) != count:
        assert time.monotonic() < deadline, forks
        time.sleep(0.1)
    return forks


def _await_end(workers: list[int]) -> None:
    _await(lambda: not any(map(_runs, workers)))


def _await(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _children(parent: int) -> list[int]:
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if _runs(pid) and _parent_of(pid) == parent]


def _runs(pid: int) -> bool:
    """Whether a process runs: what has ended and waits for its parent does not."""
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return bool(fields) and fields[0] not in "ZX"


def _whole_result(task: Task) -> dict[str, Any]:
    """The result, which is too large for Ansible's, from its file, without what Ansible adds to it."""
    whole: dict[str, Any] = json.loads(_read(Path(task.result["result_path"])))
    return {name: whole[name] for name in ("changed", "failures", "findings", "msg", "results")}


def _codes_by_account(failures: list[dict[str, Any]]) -> dict[str, str]:
    """The code of each account, which is the same in all regions."""
    places = {(one["account_id"], one["region"]): one["error_code"] for one in failures}
    assert len(failures) == len(places) == len(ACCOUNTS) * len(REGIONS)
    codes = {(account_id, code) for (account_id, _region), code in places.items()}
    assert len(codes) == len(ACCOUNTS)
    return dict(codes)


def _parent_of(pid: int) -> int:
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return int(fields[1]) if fields else 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""
