# SPDX-License-Identifier: GPL-3.0-or-later

"""Refreshes are started a few at a time, waited for, and judged by what the instances run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from threading import Barrier
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts
from ansible_collections.golden.images.plugins.module_utils._model import Image, Target
from ansible_collections.golden.images.plugins.module_utils._refresh import apply as applied
from ansible_collections.golden.images.plugins.module_utils._refresh.apply import Replacement
from ansible_collections.golden.images.plugins.module_utils._refresh.plan import RefreshPlan, plan
from ansible_collections.golden.images.plugins.module_utils._refresh.state import (
    Group,
    InstanceRefresh,
    RefreshState,
)
from ansible_collections.golden.images.plugins.module_utils._tags import RECALLED_TAG
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.unit.clock import Clock
from tests.unit.examples import OWNER
from tests.unit.refresh.examples import BAD, GOOD, HERE, fixed, group, image, instance, options, version

NEW, OLD = instance("new", GOOD, 7), instance("old")
LOST = ConnectionClosedError(endpoint_url="https://autoscaling")


def refused(
    code: str, operation: str = "StartInstanceRefresh", attempts: int = 0, status: int = 400
) -> ClientError:
    """AWS's error of a call, which botocore has repeated so often."""
    metadata = {"RetryAttempts": attempts, "RequestId": "req-1", "HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code, "Message": "No."}, "ResponseMetadata": metadata}, operation)  # type: ignore[typeddict-item]


@dataclass
class World:
    """An Auto Scaling with these groups. A refresh takes two reads, and replaces what is old.

    ``ends`` has the last status of a group's refresh, if it is another one. ``errors`` are raised by the next
    calls of an operation: those with ``loses`` after it was performed.
    """

    groups: dict[str, Group]
    ends: dict[str, str] = field(default_factory=dict)
    errors: dict[str, list[Exception]] = field(default_factory=dict)
    loses: bool = False
    skips: bool = False
    log: list[str] = field(default_factory=list)
    reads: dict[str, int] = field(default_factory=dict)
    takes: int = 2
    image: Image | None = field(default_factory=image)

    @contextmanager
    def as_account(self, account_id: str) -> Iterator[World]:
        assert account_id == HERE.account_id
        yield self

    def client(self, service: str, region: str) -> World:
        assert (service, region) == ("autoscaling", HERE.region)
        return self

    def _raise(self, operation: str) -> None:
        if self.errors.get(operation):
            raise self.errors[operation].pop(0)

    def start_instance_refresh(self, **request: Any) -> dict[str, str]:
        name = request["AutoScalingGroupName"]
        if not self.loses:
            self._raise("start")
        self.log.append(f"start {name}")
        refresh = InstanceRefresh(f"r-{name}", "InProgress", desired=request.get("DesiredConfiguration", {}))
        self.groups[name] = replace(self.groups[name], active=refresh)
        self._raise("start")
        return {"InstanceRefreshId": refresh.refresh_id}

    def describe_instance_refreshes(self, **request: Any) -> dict[str, Any]:
        name = request["AutoScalingGroupName"]
        assert request["InstanceRefreshIds"] == [f"r-{name}"]
        self._raise("describe")
        self.reads[name] = self.reads.get(name, 0) + 1
        item = {"InstanceRefreshId": f"r-{name}", "Status": "InProgress", "PercentageComplete": 50}
        if self.reads[name] >= self.takes:
            item |= {"Status": self.ends.get(name, "Successful"), "StatusReason": "It says so."}
            self._end(name, item["Status"] == "Successful")
        return {"InstanceRefreshes": [item]}

    def _end(self, name: str, is_successful: bool) -> None:
        before = self.groups[name]
        self.log.append(f"end {name}")
        self.groups[name] = replace(before, active=None)
        if is_successful and not self.skips:
            new = tuple(replace(one, image_id=GOOD, version=7) for one in before.instances)
            self.groups[name] = replace(
                self.groups[name],
                instances=new,
                version="7" if before.has_number else before.version,
                launched=before.default,
            )


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.of(monkeypatch, applied, attempts)


def run_on(
    monkeypatch: pytest.MonkeyPatch,
    world: World,
    between: Callable[[World], object] = lambda _world: None,
    lines: list[str] | None = None,
    **changes: Any,
) -> Replacement:
    """Plan, let something happen, and replace."""

    def read(clients: World, _target: Any, names: list[str]) -> Mapping[str, Group]:
        clients._raise("read")
        return {name: clients.groups[name] for name in names if name in clients.groups}

    def read_the_image(accounts: World, own_id: str, target: Target, image_id: str) -> Image | None:
        assert (own_id, target, image_id) == (OWNER, HERE, GOOD)
        accounts._raise("image")
        return accounts.image

    monkeypatch.setattr(applied, "read_groups", read)
    monkeypatch.setattr(applied, "read_launches", read)
    monkeypatch.setattr(applied, "read_image", read_the_image)
    wanted = options(auto_scaling_groups=tuple(world.groups), **changes)
    made: RefreshPlan = plan(wanted, RefreshState(OWNER, "aws", {HERE: dict(world.groups)}, {HERE: image()}))
    assert made.refusals == ()
    between(world)
    accounts: Any = world
    found = Replacement(accounts, OWNER, wanted, (lines if lines is not None else []).append)
    found.replace_all(made)
    return found


def statuses(found: Replacement) -> dict[str, str]:
    return {name: run.status for (_target, name), run in found.runs.items()}


def order_ends(log: list[str]) -> list[str]:
    """The log with the ends that one round of reads has found in the order of their names."""
    rounds = (list(lines) for _is_end, lines in groupby(log, lambda line: line.startswith("end")))
    return [line for lines in rounds for line in (sorted(lines) if lines[0].startswith("end") else lines)]


def groups(*names: str) -> dict[str, Group]:
    return {name: group(name=name) for name in names}


@pytest.mark.parametrize(
    ("at_once", "log"),
    [
        (1, ["start a", "end a", "start b", "end b", "start c", "end c"]),
        (2, ["start a", "start b", "end a", "end b", "start c", "end c"]),
        (9, ["start a", "start b", "start c", "end a", "end b", "end c"]),
    ],
)
def test_so_many_groups_are_refreshed_at_once(
    monkeypatch: pytest.MonkeyPatch, at_once: int, log: list[str]
) -> None:
    world = World(groups("c", "a", "b"))
    found = run_on(monkeypatch, world, max_concurrent_groups=at_once)
    assert (order_ends(world.log), found.failures) == (log, [])
    assert statuses(found) == dict.fromkeys("abc", "successful")
    assert [action.resource for action in found.performed] == ["a", "b", "c"]
    assert all(run.started and run.after and not run.after.is_work for run in found.runs.values())


def test_a_fixed_version_is_changed_by_the_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    found = run_on(monkeypatch, World({"web": fixed()}))
    assert (statuses(found), found.failures) == ({"web": "successful"}, [])


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("Failed", "failed"),
        ("Cancelled", "cancelled"),
        ("RollbackSuccessful", "rolled_back"),
        ("RollbackFailed", "rollback_failed"),
    ],
)
def test_a_failed_refresh_starts_no_other_and_those_in_progress_are_waited_for(
    monkeypatch: pytest.MonkeyPatch, end: str, status: str
) -> None:
    world = World(groups("a", "b", "c"), ends={"a": end})
    lines: list[str] = []
    found = run_on(monkeypatch, world, lines=lines, max_concurrent_groups=2)
    assert statuses(found) == {"a": status, "b": "successful", "c": "not_started"}
    (failure,) = found.failures
    assert failure.error_code == "instance_refresh_failed"
    assert f"the status {end}" in failure.message
    assert "It says so." in failure.message
    assert lines[-1] == "Not started after a failure: c"
    place = f"in {HERE.account_id} {HERE.region}"
    assert lines[:-1] == [f"Refreshing a {place}: r-a", f"Refreshing b {place}: r-b"]


def test_a_refresh_that_takes_longer_is_no_success(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    world = World(groups("a", "b"), takes=10_000)
    lines: list[str] = []
    started = clock.now
    found = run_on(monkeypatch, world, lines=lines, wait_timeout=600)
    assert 600 <= clock.now - started < 620
    assert statuses(found) == {"a": "in_progress", "b": "not_started"}
    (failure,) = found.failures
    assert failure.error_code == "instance_refresh_timeout"
    assert "It goes on" in failure.message
    assert lines[1] == f"Refreshing: 0 of 2 done, waits for a in {HERE.account_id} {HERE.region} 50 %"
    assert 10 <= len(lines) <= 12


def test_failed_reads_do_not_end_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = [LOST, refused("Throttling"), refused("ResourceContention"), LOST]
    world = World(groups("a"), errors={"describe": errors})
    found = run_on(monkeypatch, world)
    assert (statuses(found), found.failures) == ({"a": "successful"}, [])
    blind = World(groups("a", "b"), errors={"describe": [LOST] * 1000})
    found = run_on(monkeypatch, blind, wait_timeout=300)
    assert statuses(found) == {"a": "in_progress", "b": "not_started"}
    assert "is not known" in found.failures[0].message
    assert found.failures[0].error_code == "ConnectionClosedError"


@pytest.mark.parametrize(
    "error",
    [
        refused("IDPCommunicationError", "AssumeRoleWithWebIdentity"),
        refused("ServerException", "AssumeRole", status=500),
        refused("InternalFailure", "AssumeRole", status=500),
        refused("504", "DescribeInstanceRefreshes", status=504),
        OSError("The token file cannot be read."),
        ValueError("The output of the program is no JSON."),
    ],
)
def test_what_may_pass_is_waited_for_until_the_deadline(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, error: Exception
) -> None:
    found = run_on(monkeypatch, World(groups("a", "b"), errors={"describe": [error] * 30}))
    assert (statuses(found), found.failures) == ({"a": "successful", "b": "successful"}, [])
    started = clock.now
    found = run_on(monkeypatch, World(groups("a"), errors={"describe": [error] * 999}), wait_timeout=900)
    assert statuses(found) == {"a": "in_progress"}
    assert 900 <= clock.now - started <= 915
    assert len(found.failures) == 1


@pytest.mark.parametrize("takes", [0, 600])
def test_what_a_success_has_replaced_is_read_until_the_deadline(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, takes: int
) -> None:
    """Whatever the network does, the refresh is over. AWS may show the replaced instances for a while."""
    world = World(groups("a", "b"))
    end, started = world._end, clock.now

    def end_and_fail(name: str, is_successful: bool) -> None:
        end(name, is_successful)
        world.errors["read"] = [LOST] * (takes // 15)

    monkeypatch.setattr(world, "_end", end_and_fail)
    found = run_on(monkeypatch, world)
    assert (statuses(found), found.failures) == ({"a": "successful", "b": "successful"}, [])
    assert clock.now - started >= takes


def test_a_bug_fails_its_group_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(groups("a", "b", "c"), takes=8)
    describe = world.describe_instance_refreshes

    def fail(**request: Any) -> Any:
        if request["AutoScalingGroupName"] == "a":
            raise KeyError("a bug")
        return describe(**request)

    monkeypatch.setattr(world, "describe_instance_refreshes", fail)
    found = run_on(monkeypatch, world, max_concurrent_groups=2)
    assert statuses(found) == {"a": "in_progress", "b": "successful", "c": "not_started"}
    assert [one.error_code for one in found.failures] == ["unexpected_error"]


def test_a_bug_in_the_look_at_launches_is_no_failed_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(_world: World) -> None:
        monkeypatch.setattr(applied, "read_launches", lambda *_names: {}["a bug"])

    found = run_on(monkeypatch, World(groups("a", "b"), takes=30), begin)
    assert statuses(found) == {"a": "in_progress", "b": "not_started"}
    assert [one.error_code for one in found.failures] == ["unexpected_error"]


def test_refreshes_in_progress_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world, looks = World(groups("a", "b", "c"), takes=9), list[str]()
    describe, together = world.describe_instance_refreshes, Barrier(3, timeout=20)

    def meet(**request: Any) -> Any:
        together.wait()
        return describe(**request)

    def look(clients: World, _target: Target, names: list[str]) -> Mapping[str, Group]:
        looks.extend(names)
        return dict(clients.groups)

    def begin(world: World) -> None:
        monkeypatch.setattr(world, "describe_instance_refreshes", meet)
        monkeypatch.setattr(applied, "read_launches", look)

    found = run_on(monkeypatch, world, begin, max_concurrent_groups=3)
    assert (statuses(found), found.failures) == (dict.fromkeys("abc", "successful"), [])
    assert sorted(looks) == ["a", "b", "c"]


@pytest.mark.parametrize("code", ["ValidationError", "AccessDenied", "ExpiredToken"])
def test_a_refused_read_ends_the_wait(monkeypatch: pytest.MonkeyPatch, clock: Clock, code: str) -> None:
    """The group was deleted, for example: it would be refused for hours."""
    started = clock.now
    world = World(groups("a", "b"), errors={"describe": [refused(code, "DescribeInstanceRefreshes")]})
    found = run_on(monkeypatch, world)
    assert (statuses(found), clock.now - started) == ({"a": "in_progress", "b": "not_started"}, 1)
    assert [one.error_code for one in found.failures] == [code]
    assert "is not known" in found.failures[0].message


@pytest.mark.parametrize(("end", "status"), [("Failed", "failed"), ("Successful", "unknown")])
def test_what_cannot_be_counted_is_no_success(monkeypatch: pytest.MonkeyPatch, end: str, status: str) -> None:
    """That a refresh has failed is known without a look at the instances, and starts no other."""
    world = World(groups("a", "b"), ends={"a": end})

    def fail_reads(**request: Any) -> Any:
        world.errors["read"] = [LOST] * 1000
        return describe(**request)

    describe = world.describe_instance_refreshes
    monkeypatch.setattr(world, "describe_instance_refreshes", fail_reads)
    found = run_on(monkeypatch, world, wait_timeout=60)
    assert (statuses(found), len(found.failures)) == ({"a": status, "b": "not_started"}, 1)
    assert f"group a in account {HERE.account_id} has " in found.failures[0].message


def test_a_lost_start_after_which_nothing_can_be_read_may_have_been_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(groups("a"), errors={"start": [LOST]}, loses=True)

    def fail_reads(**request: Any) -> Any:
        world.errors["read"] = [LOST] * 1000
        return start(**request)

    start = world.start_instance_refresh
    monkeypatch.setattr(world, "start_instance_refresh", fail_reads)
    found = run_on(monkeypatch, world)
    assert ["may have been started" in one.remedy for one in found.failures] == [True]
    assert (statuses(found), len(found.performed)) == ({"a": "unknown"}, 1)


@pytest.mark.parametrize("status", ["RollbackInProgress", "Cancelling", "SomethingNew"])
def test_a_refresh_that_does_not_go_forward_starts_no_other(
    monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    """A rollback can take hours until it is over."""
    world = World(groups("a", "b", "c"), ends={"a": "RollbackSuccessful"}, takes=8)
    describe = world.describe_instance_refreshes

    def show(**request: Any) -> Any:
        answer = describe(**request)
        (item,) = answer["InstanceRefreshes"]
        is_a = request["AutoScalingGroupName"] == "a" and item["Status"] == "InProgress"
        return {"InstanceRefreshes": [{**item, "Status": status}]} if is_a else answer

    monkeypatch.setattr(world, "describe_instance_refreshes", show)
    world.reads["b"] = 6
    found = run_on(monkeypatch, world, max_concurrent_groups=2)
    assert statuses(found) == {"a": "rolled_back", "b": "successful", "c": "not_started"}


def test_a_refresh_that_cannot_be_read_starts_no_other_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(groups("a", "b", "c"))
    describe = world.describe_instance_refreshes

    def show(**request: Any) -> Any:
        if request["AutoScalingGroupName"] == "a":
            raise LOST
        return describe(**request)

    monkeypatch.setattr(world, "describe_instance_refreshes", show)
    lines: list[str] = []
    found = run_on(monkeypatch, world, lines=lines, max_concurrent_groups=2, wait_timeout=600)
    assert statuses(found) == {"a": "in_progress", "b": "successful", "c": "not_started"}
    assert any("(cannot be read: ConnectionClosedError)" in line for line in lines)
    assert not any(line.endswith("waits for ") for line in lines)


def test_another_image_during_the_refresh_is_noticed(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """AWS launches what the group has by then."""
    world, lines = World(groups("a", "b"), takes=400), list[str]()
    start = world.start_instance_refresh

    def publish(**request: Any) -> Any:
        world.groups["a"] = replace(world.groups["a"], launched=version(8, BAD), default=version(8, BAD))
        return start(**request)

    monkeypatch.setattr(world, "start_instance_refresh", publish)
    started = clock.now
    found = run_on(monkeypatch, world, lines=lines)
    assert 60 <= clock.now - started < 90
    assert statuses(found) == {"a": "in_progress", "b": "not_started"}
    (failure,) = found.failures
    assert failure.error_code == "other_image_launched"
    assert f"launches {BAD} now" in failure.message
    assert "cancel-instance-refresh --auto-scaling-group-name a" in failure.remedy
    assert any("Cancel it now" in line for line in lines)


UNFIT = [
    (None, "image_not_found"),
    (image(state="disabled"), "image_not_available"),
    (image(tags={RECALLED_TAG: "2026-12-01T23:40:05Z"}), "image_recalled"),
]


@pytest.mark.parametrize(("shown", "code"), UNFIT)
def test_the_image_is_read_again_before_each_start(
    monkeypatch: pytest.MonkeyPatch, shown: Image | None, code: str
) -> None:
    """It is disabled or recalled after the first group was refreshed."""
    world, reads = World(groups("a", "b", "c")), list[Any]()

    def begin(world: World) -> None:
        read = applied.read_image

        def read_later(*given: Any) -> Image | None:
            reads.append(given)
            # Before and after the first refresh, it is as it was.
            world.image = shown if len(reads) > 2 else world.image
            return read(*given)

        monkeypatch.setattr(applied, "read_image", read_later)

    found = run_on(monkeypatch, world, begin)
    assert (world.log, [one.error_code for one in found.failures]) == (["start a", "end a"], [code])
    assert statuses(found) == {"a": "successful", "b": "not_started", "c": "not_started"}
    assert "Cancel" not in found.failures[0].remedy


@pytest.mark.parametrize(("shown", "code"), UNFIT)
def test_an_image_that_must_not_be_launched_at_the_end_is_no_success(
    monkeypatch: pytest.MonkeyPatch, shown: Image | None, code: str
) -> None:
    """It is disabled or recalled in the last minute."""
    world = World(groups("a"))
    end = world._end

    def end_and_change(name: str, is_successful: bool) -> None:
        end(name, is_successful)
        world.image = shown

    monkeypatch.setattr(world, "_end", end_and_change)
    found = run_on(monkeypatch, world)
    (failure,) = found.failures
    assert (failure.error_code, statuses(found)) == (code, {"a": "not_replaced"})
    assert f"The refresh r-a of group a in account {HERE.account_id} has succeeded" in failure.message
    assert "Cancel" not in failure.remedy


@pytest.mark.parametrize(("failed", "status"), [(1, "successful"), (1000, "unknown")])
def test_an_image_that_cannot_be_read_at_the_end_is_read_again(
    monkeypatch: pytest.MonkeyPatch, failed: int, status: str
) -> None:
    world = World(groups("a"))
    end = world._end

    def end_and_fail(name: str, is_successful: bool) -> None:
        end(name, is_successful)
        world.errors["image"] = [LOST] * failed

    monkeypatch.setattr(world, "_end", end_and_fail)
    found = run_on(monkeypatch, world, wait_timeout=60)
    assert (statuses(found), bool(found.failures)) == ({"a": status}, status == "unknown")
    (run,) = found.runs.values()
    assert run.after is not None


def test_a_start_is_not_made_if_the_image_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    found = run_on(monkeypatch, World(groups("a"), errors={"image": [LOST]}))
    assert (statuses(found), len(found.failures)) == ({"a": "not_started"}, 1)


@pytest.mark.parametrize(("shown", "code"), UNFIT)
@pytest.mark.parametrize("subject", [group(name="a"), fixed(name="a")])
def test_a_refresh_in_progress_of_an_image_that_must_not_be_launched_is_to_be_cancelled(
    monkeypatch: pytest.MonkeyPatch, subject: Group, shown: Image | None, code: str
) -> None:
    """Also one that changes the version: it launches the image until its end."""
    world = World({"a": subject, "b": group(name="b")}, takes=400)
    start = world.start_instance_refresh

    def recall(**request: Any) -> Any:
        world.image = shown
        return start(**request)

    monkeypatch.setattr(world, "start_instance_refresh", recall)
    found = run_on(monkeypatch, world)
    (failure,) = found.failures
    assert (failure.error_code, statuses(found)) == (code, {"a": "in_progress", "b": "not_started"})
    command = (
        f"--auto-scaling-group-name a --region {HERE.region}, with credentials of account {HERE.account_id}"
    )
    assert command in failure.remedy


def test_one_look_that_sees_nothing_is_no_reason_to_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(groups("a"), takes=30)
    seen = [None, world.image]
    start = world.start_instance_refresh

    def hide(**request: Any) -> Any:
        monkeypatch.setattr(applied, "read_image", lambda *_image: seen.pop(0) if seen else world.image)
        return start(**request)

    monkeypatch.setattr(world, "start_instance_refresh", hide)
    found = run_on(monkeypatch, world)
    assert (statuses(found), found.failures, seen) == ({"a": "successful"}, [], [])


@pytest.mark.parametrize("status", ["Baking", "Cancelling"])
def test_a_refresh_that_launches_nothing_any_more_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    world = World(groups("a"), takes=30)
    describe = world.describe_instance_refreshes

    def show(**request: Any) -> Any:
        (item,) = describe(**request)["InstanceRefreshes"]
        is_active = item["Status"] == "InProgress"
        world.image = None if is_active else image()
        return {"InstanceRefreshes": [{**item, "Status": status} if is_active else item]}

    monkeypatch.setattr(world, "describe_instance_refreshes", show)
    found = run_on(monkeypatch, world)
    assert (statuses(found), found.failures) == ({"a": "successful"}, [])


def test_a_desired_version_is_launched_whatever_the_default_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({"a": fixed(name="a")}, takes=20)
    assert statuses(run_on(monkeypatch, world)) == {"a": "successful"}


@pytest.mark.parametrize(("failed", "status"), [(1, "successful"), (1000, "in_progress")])
def test_the_look_at_what_is_launched_may_fail(
    monkeypatch: pytest.MonkeyPatch, failed: int, status: str
) -> None:
    """While it does, no other refresh is started."""
    world = World(groups("a"), takes=20 if failed == 1 else 1000)
    start = world.start_instance_refresh

    def fail_reads(**request: Any) -> Any:
        world.errors["read"] = [LOST] * failed
        return start(**request)

    monkeypatch.setattr(world, "start_instance_refresh", fail_reads)
    found = run_on(monkeypatch, world, wait_timeout=600)
    assert statuses(found) == {"a": status}
    codes = [] if status == "successful" else ["instance_refresh_timeout"]
    assert [one.error_code for one in found.failures] == codes
    assert bool(found.runs[HERE, "a"].unseen) is (status == "in_progress")
    assert ["What it launches could not be read" in one.message for one in found.failures] == [True] * len(
        codes
    )


def test_the_refresh_of_an_earlier_run_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    both = groups("a", "b")
    both["b"] = replace(both["b"], active=InstanceRefresh("r-b", "InProgress"))
    world = World(both)
    found = run_on(monkeypatch, world)
    assert world.log == ["end b", "start a", "end a"]
    assert [action.resource for action in found.performed] == ["a"]
    assert statuses(found) == {"a": "successful", "b": "successful"}
    assert [run.started for run in found.runs.values()] == [True, False]


def test_a_start_whose_answer_is_lost_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """StartInstanceRefresh has no token, so that it is not repeated: another one would be refused."""
    world = World(groups("a"), errors={"start": [LOST]}, loses=True)
    found = run_on(monkeypatch, world)
    assert (statuses(found), found.failures) == ({"a": "successful"}, [])
    assert [action.resource for action in found.performed] == ["a"]


def test_a_start_that_is_lost_for_good_may_have_been_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is not known counts as a change."""
    found = run_on(monkeypatch, World(groups("a", "b"), errors={"start": [LOST]}))
    assert statuses(found) == {"a": "unknown", "b": "not_started"}
    assert "may have been started" in found.failures[0].remedy
    assert [action.resource for action in found.performed] == ["a"]
    assert [run.started for run in found.runs.values()] == [True, False]


def test_a_lost_start_is_found_as_soon_as_aws_lists_it(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """A refresh may be listed late, and the network that has lost the answer may fail again."""
    world = World(groups("a"), errors={"start": [LOST]}, loses=True)
    started = clock.now

    def read(of: World, _target: Any, names: list[str]) -> Mapping[str, Group]:
        is_late = bool(of.log) and clock.now < started + 30
        if is_late and not of.errors.get("read"):
            of.errors["read"] = [LOST]
            return {name: replace(of.groups[name], active=None) for name in names}
        of._raise("read")
        return {name: of.groups[name] for name in names}

    found = run_on(monkeypatch, world, lambda _world: monkeypatch.setattr(applied, "read_groups", read))
    assert (statuses(found), found.failures) == ({"a": "successful"}, [])
    assert (world.log, [action.resource for action in found.performed]) == (["start a", "end a"], ["a"])


def test_credentials_that_cannot_be_renewed_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore.credentials.RefreshableCredentials raises a RuntimeError."""
    expired = RuntimeError("Credentials were refreshed, but the refreshed credentials are still expired.")
    world = World(groups("a", "b"), errors={"describe": [expired]})
    found = run_on(monkeypatch, world)
    assert statuses(found) == {"a": "successful", "b": "successful"}
    world = World(groups("a", "b"), errors={"read": [expired]})
    found = run_on(monkeypatch, world)
    assert statuses(found) == {"a": "not_started", "b": "not_started"}
    (failure,) = found.failures
    assert (failure.error_code, failure.account_id) == ("RuntimeError", HERE.account_id)
    assert "credentials or settings cannot be read" in failure.message
    world = World(groups("a"), errors={"start": [expired]}, loses=True)
    assert statuses(run_on(monkeypatch, world)) == {"a": "successful"}
    found = run_on(monkeypatch, World(groups("a", "b"), errors={"start": [KeyError("a bug")]}))
    assert [one.error_code for one in found.failures] == ["unexpected_error"]
    assert statuses(found) == {"a": "unknown", "b": "not_started"}


@pytest.mark.parametrize(("repeated", "started"), [(0, False), (1, True)])
def test_a_start_that_another_refresh_refuses_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, repeated: int, started: bool
) -> None:
    """Of a call that botocore has repeated, the first one may have started it."""

    def somebody_starts(world: World) -> None:
        original = world.start_instance_refresh

        def start(**request: Any) -> Any:
            original(**request)
            raise refused("InstanceRefreshInProgress", attempts=repeated)

        monkeypatch.setattr(world, "start_instance_refresh", start)

    found = run_on(monkeypatch, World(groups("a")), somebody_starts)
    assert (statuses(found), found.failures) == ({"a": "successful"}, [])
    assert bool(found.performed) is started


@pytest.mark.parametrize(
    "error",
    [
        refused("AccessDenied", "AssumeRole"),
        refused("ExpiredToken", "AssumeRole"),
        refused("Throttling", attempts=4),
        refused("SomethingNew", status=500),
        refused("AccessDenied", attempts=1),
    ],
)
def test_only_an_answer_to_the_one_request_says_that_nothing_is_started(
    monkeypatch: pytest.MonkeyPatch, error: ClientError
) -> None:
    """The first answer is lost, and the repetition is not signed, or refused for a reason of its own."""
    world = World(groups("a", "b"), errors={"start": [error]}, loses=True)
    found = run_on(monkeypatch, world)
    assert (statuses(found), found.failures) == ({"a": "successful", "b": "successful"}, [])
    assert [action.resource for action in found.performed] == ["a", "b"]
    found = run_on(monkeypatch, World(groups("a", "b"), errors={"start": [error]}))
    assert statuses(found) == {"a": "unknown", "b": "not_started"}
    assert "may have been started" in found.failures[0].remedy


@pytest.mark.parametrize(("repeated", "status"), [(0, "not_started"), (1, "unknown")])
def test_a_start_that_another_refresh_refuses_names_it(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, repeated: int, status: str
) -> None:
    world, started = World(groups("a")), clock.now
    other = InstanceRefresh("r-x", "InProgress", desired={"LaunchTemplate": {"Version": "1"}})

    def start(**_request: Any) -> Any:
        world.groups["a"] = replace(world.groups["a"], active=other)
        raise refused("InstanceRefreshInProgress", attempts=repeated)

    monkeypatch.setattr(world, "start_instance_refresh", start)
    found = run_on(monkeypatch, world)
    (failure,) = found.failures
    assert (statuses(found), clock.now) == ({"a": status}, started)
    assert (failure.error_code, "r-x" in failure.message) == ("instance_refresh_in_progress", True)


def test_a_denied_start_stops_all(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(groups("a", "b"), errors={"start": [refused("AccessDenied")]})
    found = run_on(monkeypatch, world)
    assert (world.log, statuses(found)) == ([], {"a": "not_started", "b": "not_started"})
    assert [(one.error_code, one.account_id) for one in found.failures] == [("AccessDenied", HERE.account_id)]


def change(**changes: Any) -> Callable[[World], None]:
    def apply(world: World) -> None:
        world.groups["a"] = replace(world.groups["a"], **changes)

    return apply


@pytest.mark.parametrize(
    ("between", "code"),
    [
        (change(launched=version(8, BAD)), "other_image_launched"),
        (change(version="6", launched=version(6, BAD)), "concurrent_change"),
        (change(launched=version(8, UserData="other"), default=version(8)), "concurrent_change"),
        (change(active=InstanceRefresh("r-x", "Cancelling")), "instance_refresh_in_progress"),
        (change(instances=(replace(OLD, is_protected=True),)), "instances_protected"),
        (lambda world: world.groups.pop("a"), "group_not_found"),
    ],
)
def test_a_group_that_has_changed_since_the_plan_is_not_refreshed(
    monkeypatch: pytest.MonkeyPatch, between: Callable[[World], object], code: str
) -> None:
    world = World(groups("a", "b"))
    found = run_on(monkeypatch, world, between)
    assert (world.log, [one.error_code for one in found.failures]) == ([], [code])
    assert statuses(found) == {"a": "not_started", "b": "not_started"}


def test_a_refresh_that_another_client_has_started_meanwhile_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(groups("a"))
    found = run_on(monkeypatch, world, change(active=InstanceRefresh("r-a", "InProgress")))
    assert (world.log, statuses(found), found.performed) == (["end a"], {"a": "successful"}, [])


def test_a_group_that_runs_the_image_meanwhile_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(groups("a", "b"))
    found = run_on(monkeypatch, world, change(instances=(NEW,)))
    assert (world.log, found.failures) == (["start b", "end b"], [])
    assert statuses(found) == {"a": "successful", "b": "successful"}
    assert [action.resource for action in found.performed] == ["b"]


def test_a_group_that_cannot_be_read_again_is_not_refreshed(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(groups("a"), errors={"read": [LOST]})
    found = run_on(monkeypatch, world)
    assert (world.log, [one.error_code for one in found.failures]) == ([], ["ConnectionClosedError"])


@pytest.mark.parametrize(
    ("after", "code", "words"),
    [
        (
            {"active": InstanceRefresh("r-x", "InProgress")},
            "instance_refresh_in_progress",
            "another one, r-x",
        ),
        (
            {"active": InstanceRefresh("r-x", "InProgress"), "instances": (OLD,)},
            "instance_refresh_in_progress",
            "another one, r-x",
        ),
        ({"active": InstanceRefresh("r-x", "Cancelling")}, "instance_refresh_in_progress", "r-x"),
        ({"launched": version(8, BAD)}, "other_image_launched", f"launches {BAD}"),
        ({"instances": (replace(OLD, is_protected=True),)}, "instances_protected", "i-old"),
    ],
)
def test_what_a_success_has_left_is_said(
    monkeypatch: pytest.MonkeyPatch, after: dict[str, Any], code: str, words: str
) -> None:
    world = World(groups("a", "b"))
    end = world._end

    def end_and_change(name: str, is_successful: bool) -> None:
        end(name, is_successful)
        world.groups[name] = replace(world.groups[name], **after)

    monkeypatch.setattr(world, "_end", end_and_change)
    found = run_on(monkeypatch, world)
    assert statuses(found) == {"a": "not_replaced", "b": "not_started"}
    (failure,) = found.failures
    assert (failure.error_code, words in failure.message) == (code, True)


def ends_with(monkeypatch: pytest.MonkeyPatch, world: World, **changes: Any) -> Replacement:
    """What comes of groups that change when a refresh ends."""
    end = world._end

    def end_and_change(name: str, is_successful: bool) -> None:
        end(name, is_successful)
        world.groups[name] = replace(world.groups[name], **changes)

    monkeypatch.setattr(world, "_end", end_and_change)
    return run_on(monkeypatch, world, standby_instances="ignore")


@pytest.mark.parametrize(
    "changes",
    [
        {"suspended": frozenset({"HealthCheck"})},
        {"suspended": frozenset({"Launch"}), "instances": (NEW, replace(OLD, state="Standby"))},
        {"is_being_deleted": True},
    ],
)
def test_whether_a_group_could_be_refreshed_again_does_not_count(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    found = ends_with(monkeypatch, World(groups("a")), **changes)
    assert (statuses(found), found.failures) == ({"a": "successful"}, [])
    assert [one.instance_id for run in found.runs.values() for one in run.after.kept] == (  # type: ignore[union-attr]
        ["i-old"] if "instances" in changes else []
    )


def test_an_instance_that_is_left_is_named_although_it_is_the_last_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = ends_with(monkeypatch, World(groups("a")), instances=(OLD,), desired_capacity=1)
    (failure,) = found.failures
    assert (failure.error_code, statuses(found)) == ("instances_not_replaced", {"a": "not_replaced"})
    assert f"left 1 instance without {GOOD}: i-old" in failure.message


def test_instances_that_cannot_be_read_after_a_success_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ends_with(monkeypatch, World(groups("a", "b")), instances=(NEW, instance("x", "", 7)))
    assert statuses(found) == {"a": "unknown", "b": "not_started"}
    assert [one.error_code for one in found.failures] == ["instances_unreadable"]


def test_a_group_that_is_deleted_during_its_refresh_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(groups("a"))

    def refuse(**_request: Any) -> Any:
        world.groups.clear()
        raise refused("ValidationError", "DescribeInstanceRefreshes")

    monkeypatch.setattr(world, "describe_instance_refreshes", refuse)
    found = run_on(monkeypatch, world)
    (failure,) = found.failures
    assert (failure.error_code, statuses(found)) == ("group_not_found", {"a": "in_progress"})
    assert "or run without that account or region" in failure.remedy


def test_a_version_that_the_group_does_not_get_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({"a": fixed(name="a", instances=(NEW,))}, skips=True)
    (failure,) = run_on(monkeypatch, world).failures
    assert failure.error_code == "instances_not_replaced"
    assert "still launches version 6" in failure.message


def test_a_success_that_has_replaced_nothing_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS skips instances that match, and says that it has succeeded."""
    found = run_on(monkeypatch, World(groups("a", "b"), skips=True))
    (failure,) = found.failures
    assert failure.error_code == "instances_not_replaced"
    assert statuses(found) == {"a": "not_replaced", "b": "not_started"}
    assert f"left 1 instance without {GOOD}: i-old" in failure.message


def look_at(monkeypatch: pytest.MonkeyPatch, fail: Callable[[str], None]) -> Callable[[World], None]:
    """Let the reads of what some groups launch fail."""

    def read(clients: World, _target: Any, names: list[str]) -> Mapping[str, Group]:
        for name in names:
            fail(name)
        return {name: clients.groups[name] for name in names if name in clients.groups}

    return lambda _world: monkeypatch.setattr(applied, "read_launches", read)


@pytest.mark.parametrize(
    ("error", "codes"),
    [
        (LOST, ["other_image_launched", "instance_refresh_timeout"]),
        (KeyError("a bug"), ["unexpected_error", "other_image_launched"]),
    ],
)
def test_a_group_whose_launches_cannot_be_read_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, error: Exception, codes: list[str]
) -> None:
    """The template of one group may be unreadable for hours, while another group launches a wrong image."""
    world = World(groups("a", "b", "c"), takes=1000)
    start = world.start_instance_refresh

    def fail(name: str) -> None:
        if name == "a":
            raise error

    def publish(**request: Any) -> Any:
        world.groups["b"] = replace(world.groups["b"], launched=version(8, BAD), default=version(8, BAD))
        return start(**request)

    def begin(world: World) -> None:
        look_at(monkeypatch, fail)(world)
        monkeypatch.setattr(world, "start_instance_refresh", publish)

    world.groups["b"] = replace(world.groups["b"], active=InstanceRefresh("r-b", "InProgress"))
    found = run_on(monkeypatch, world, begin, max_concurrent_groups=2, wait_timeout=600)
    assert [one.error_code for one in found.failures] == codes
    assert statuses(found) == {"a": "in_progress", "b": "in_progress", "c": "not_started"}


def test_a_recall_is_noticed_although_the_launches_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(groups("a"), takes=1000)
    start = world.start_instance_refresh

    def fail(_name: str) -> None:
        raise LOST

    def recall(**request: Any) -> Any:
        world.image = image(tags={RECALLED_TAG: "2026-12-01T23:40:05Z"})
        return start(**request)

    def begin(world: World) -> None:
        look_at(monkeypatch, fail)(world)
        monkeypatch.setattr(world, "start_instance_refresh", recall)

    found = run_on(monkeypatch, world, begin, wait_timeout=600)
    assert [one.error_code for one in found.failures] == ["image_recalled"]


@pytest.mark.parametrize(("timeout", "code"), [(60, "instance_refresh_timeout"), (75, "image_not_found")])
def test_a_suspicion_is_not_lost_at_the_deadline(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, timeout: int, code: str
) -> None:
    """The first look is made after a minute."""
    world, started = World(groups("a"), takes=1000), clock.now
    read = applied.read_refresh

    def recall(*request: Any) -> InstanceRefresh:
        if clock.now >= started + 50:
            world.image = None
        return read(*request)

    monkeypatch.setattr(applied, "read_refresh", recall)
    (failure,) = run_on(monkeypatch, world, wait_timeout=timeout).failures
    assert failure.error_code == code
    assert f"{GOOD} does not exist or is not visible" in failure.message


def test_an_earlier_refresh_that_has_failed_meanwhile_starts_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = groups("a", "b")
    both["b"] = replace(both["b"], active=InstanceRefresh("r-b", "InProgress"))
    world = World(both, ends={"b": "Failed"}, takes=1)
    found = run_on(monkeypatch, world, max_concurrent_groups=2)
    assert (world.log, statuses(found)) == (["end b"], {"a": "not_started", "b": "failed"})


@pytest.mark.parametrize(("end", "status"), [("Failed", "failed"), ("Successful", "unknown")])
def test_a_bug_in_the_count_leaves_the_status_of_the_refresh(
    monkeypatch: pytest.MonkeyPatch, end: str, status: str
) -> None:
    world = World(groups("a", "b"), ends={"a": end})
    stop = world._end

    def end_and_fail(name: str, is_successful: bool) -> None:
        stop(name, is_successful)
        world.errors["read"] = [KeyError("a bug")]

    monkeypatch.setattr(world, "_end", end_and_fail)
    found = run_on(monkeypatch, world)
    assert [one.error_code for one in found.failures] == ["unexpected_error"]
    assert statuses(found) == {"a": status, "b": "not_started"}


def test_a_refresh_of_another_client_is_looked_at_as_it_was_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has set the version in the group, and so its refresh launches what the group has."""
    world, started = World({"a": fixed(name="a")}, takes=400), InstanceRefresh("r-a", "InProgress")

    def start_and_publish(world: World) -> None:
        world.groups["a"] = fixed(name="a", version="7", launched=version(7), active=started)

        def fail(_name: str) -> None:
            world.groups["a"] = replace(world.groups["a"], version="8", launched=version(8, BAD))

        look_at(monkeypatch, fail)(world)

    found = run_on(monkeypatch, world, start_and_publish)
    assert [one.error_code for one in found.failures] == ["other_image_launched"]


def test_a_read_that_succeeds_again_is_not_reported_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a success, AWS may show the instances that it has replaced for a while."""
    world, lines = World(groups("a"), skips=True), list[str]()
    end = world._end

    def end_and_fail(name: str, is_successful: bool) -> None:
        end(name, is_successful)
        world.errors["read"] = [LOST]

    monkeypatch.setattr(world, "_end", end_and_fail)
    found = run_on(monkeypatch, world, lines=lines)
    assert statuses(found) == {"a": "not_replaced"}
    assert any(line.startswith("Refreshing: ") for line in lines)
    assert not any("cannot be read" in line for line in lines)


def test_a_group_that_is_deleted_ends_the_wait_for_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(groups("a", "b", "c"), takes=20)
    describe = world.describe_instance_refreshes

    def refuse(**request: Any) -> Any:
        if request["AutoScalingGroupName"] == "a" and world.reads.get("b", 0) > 8:
            world.groups.pop("a", None)
            raise refused("ValidationError", "DescribeInstanceRefreshes")
        return describe(**request)

    monkeypatch.setattr(world, "describe_instance_refreshes", refuse)
    found = run_on(monkeypatch, world, max_concurrent_groups=2)
    assert [one.error_code for one in found.failures] == ["group_not_found"]
    assert statuses(found) == {"a": "in_progress", "b": "successful", "c": "not_started"}
