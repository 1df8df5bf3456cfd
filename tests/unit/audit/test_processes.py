# SPDX-License-Identifier: GPL-3.0-or-later

"""An audit finds the same in any number of worker processes, and misses only what a killed one read."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit import flow
from ansible_collections.golden.images.plugins.module_utils._audit import read as reads
from ansible_collections.golden.images.plugins.module_utils._audit.flow import count_calls
from ansible_collections.golden.images.plugins.module_utils._audit.read import FirstImages
from ansible_collections.golden.images.plugins.module_utils._audit.state import Listed
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError, invalid_option
from ansible_collections.golden.images.plugins.module_utils._model import Device, Image, Target
from ansible_collections.golden.images.plugins.module_utils._processes import CALLS_PER_PROCESS
from botocore.exceptions import EndpointConnectionError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.audit.account import EU, Account, item, run, unreadable
from tests.unit.examples import OWNER
from tests.unit.flow_run import FlowRun
from tests.unit.forks import allow_forks

REGIONS = [EU, "us-east-1", "us-east-2", "us-west-2", "eu-west-2", "eu-west-3"]


def paged(*images: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Images on two pages."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if request["Filters"]:
            return {"Images": []}
        if "NextToken" in request:
            return {"Images": images[1:]}
        return {"Images": images[:1], "NextToken": "more"}

    return answer


def many(number: int, **answers: Any) -> Account:
    """A region with so many images that they are on several pages."""
    ids = [f"ami-{number}{one}" for one in range(3)]
    images = [item(one, f"snap-{one}") for one in ids]
    keys = {f"snap-{one}": f"arn:aws:kms:{REGIONS[number]}:{OWNER}:key/1" for one in ids}
    return Account(keys=keys, **{"describe_images": paged(*images), **answers})


def few(number: int) -> Account:
    return Account(item(f"ami-{number}", f"snap-{number}"), unused=["snap-old"])


GONE = EndpointConnectionError(endpoint_url="https://example.com")
# What a region answers, by its number.
KINDS: dict[str, Callable[[int], Account]] = {
    "many": many,
    "few": few,
    "none": lambda _number: Account(),
    "gone": lambda _number: Account(refused={"describe_images": GONE}),
    "further pages refused": lambda number: many(
        number,
        describe_images=lambda request: (
            "RequestLimitExceeded" if "NextToken" in request else paged(item("ami-1"))(request)
        ),
    ),
    "permissions refused": lambda number: many(number, describe_image_attribute="UnauthorizedOperation"),
    "keys refused": lambda number: many(number, describe_key="AccessDeniedException"),
}


class Divided(Account):
    """An account whose clients are used in several processes."""

    def __init__(self, regions: Sequence[Account]) -> None:
        names = REGIONS[: len(regions)]
        found = [{"RegionName": name, "OptInStatus": "opt-in-not-required"} for name in names]
        super().__init__(describe_regions={"Regions": found})
        self.others = dict(zip(names, regions, strict=True))
        self.steps: list[str] = []

    def close_connections(self) -> None:
        self.steps.append("close")


@pytest.fixture(autouse=True)
def forks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of worker processes of each run."""
    monkeypatch.setattr(flow, "read_cpus", lambda: 8)
    return allow_forks(monkeypatch, CALLS_PER_PROCESS)


def audit(aws: Divided, most: int, **options: Any) -> FlowRun:
    """A run of ``ami_share_audit`` that has read in so many processes at most."""
    audited = run(aws, regions=[*aws.others], max_processes=most, **options)
    _ = audited.seen
    return audited


def of_kinds(kinds: Sequence[str]) -> Divided:
    return Divided([KINDS[kind](number) for number, kind in enumerate(kinds)])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=len(REGIONS)), st.integers(2, 5))
def test_results_do_not_depend_on_the_number_of_processes(kinds: list[str], most: int) -> None:
    alone, divided = audit(of_kinds(kinds), 1), audit(of_kinds(kinds), most)
    assert divided.result == alone.result
    assert divided.plan == alone.plan
    assert [*divided.seen.regions] == [*alone.seen.regions]


@pytest.mark.parametrize(
    ("kinds", "most", "started"),
    [
        (["many"] * 6, 8, [6]),
        (["many"] * 6, 2, [2]),
        (["many"] * 6, 1, []),
        (["many", "few", "many"], 8, [2]),
        # A region is read by one process.
        (["many"], 8, []),
        (["many", "few", "few"], 8, []),
        (["few"] * 6, 8, []),
        (["many", "many", "gone"], 8, [2]),
        (["many", "gone", "gone"], 8, []),
    ],
)
def test_regions_with_many_images_are_divided(
    forks: list[int], kinds: list[str], most: int, started: list[int]
) -> None:
    aws = of_kinds(kinds)
    audit(aws, most)
    assert forks == started
    # No fork has a connection of this process.
    assert aws.steps == ["close"] * len(started)


def test_a_machine_with_one_cpu_looks_at_nothing_first(
    monkeypatch: pytest.MonkeyPatch, forks: list[int]
) -> None:
    monkeypatch.setattr(flow, "read_cpus", lambda: 1)
    monkeypatch.setattr(reads, "first_images", pytest.fail)
    assert len(audit(of_kinds(["many", "many"]), 8).results) == 6
    assert forks == []


@pytest.mark.parametrize("kinds", [["few"] * 6, ["many", "few", "gone"]])
def test_below_the_threshold_each_call_is_the_same(kinds: list[str]) -> None:
    one, more = of_kinds(kinds), of_kinds(kinds)
    audit(one, 1)
    audit(more, 8)
    for region in one.others:
        assert more.others[region].asked == one.others[region].asked


def test_a_region_that_does_not_answer_in_time_is_read_with_all_others_by_one_process(
    monkeypatch: pytest.MonkeyPatch, forks: list[int]
) -> None:
    answers = threading.Event()
    waits: list[None] = []

    def answer(request: dict[str, Any]) -> Any:
        if not waits:
            waits.append(None)
            answers.wait(60)
        return paged(item("ami-late"), item("ami-later"))(request)

    monkeypatch.setattr(reads, "PATIENCE", 0.1)
    aws = Divided([many(0), many(1), Account(describe_images=answer)])
    found = audit(aws, 8)
    answers.set()
    assert forks == []
    assert found.plan.failures == ()
    assert {"ami-late", "ami-later"} < {one["image_id"] for one in found.results}


def test_a_killed_process_fails_its_regions_and_names_them() -> None:
    regions = [many(number) for number in range(6)]
    alone = audit(Divided(regions), 1)
    parent = os.getpid()

    def kill(_request: dict[str, Any]) -> str:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return "InternalError"

    killed = many(2, describe_image_attribute=kill)
    divided = audit(Divided([*regions[:2], killed, *regions[3:]]), 3)
    failures = divided.plan.failures
    lost = {failure.region for failure in failures}
    # Six regions in three processes.
    assert len(lost) == 2
    assert REGIONS[2] in lost
    assert sorted(unreadable(divided)) == sorted(("region_unreadable", region, None) for region in lost)
    assert {(one.account_id, one.action, one.error_code) for one in failures} == {
        (OWNER, "DescribeImages", "worker_process_ended")
    }
    assert failures[0].text() == (
        "A worker process has ended (SIGKILL) before it returned a result. Rerun. If it ends again, for "
        "example because memory is short, set max_processes to 1."
    )
    assert divided.results == [one for one in alone.results if one["region"] not in lost]
    assert divided.result["regions"].keys() == set(REGIONS) - lost


def test_what_refuses_a_run_refuses_it_in_a_process_too(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = invalid_option("profile", "profile: it cannot be read.", "Correct it.")

    def refuse(*_arguments: Any) -> Any:
        raise ValidationError([refusal])

    monkeypatch.setattr(reads, "regions", refuse)
    for most in (1, 2):
        with pytest.raises(ValidationError) as caught:
            audit(of_kinds(["many", "many"]), most)
        assert caught.value.failures == (refusal,)


@pytest.mark.parametrize(
    ("regions", "options", "calls"),
    [
        ([(3, False), (2, False)], {}, 15),
        ([(3, False), (2, False)], {"check_snapshots": False}, 5),
        ([(100, False)] * 20, {}, 6000),
        ([(100, True), (3, False)], {}, 2009),
        ([], {}, 0),
    ],
)
def test_the_first_images_tell_how_many_calls_are_made(
    regions: list[tuple[int, bool]], options: dict[str, Any], calls: int
) -> None:
    devices = tuple(Device(f"/dev/sd{one}", f"snap-{one}", False, 8) for one in "ab")
    listed = Listed(Image("ami-1", "golden", OWNER, "available", devices))
    first = {
        Target(OWNER, f"region-{number}"): FirstImages((listed,) * images, has_more, iter(()))
        for number, (images, has_more) in enumerate(regions)
    }
    assert count_calls(first, run(Account(), **options).wanted) == calls
