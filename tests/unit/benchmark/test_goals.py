# SPDX-License-Identifier: GPL-3.0-or-later

"""Goals are met or not by what was measured; without a usable measurement they are neither."""

from __future__ import annotations

import pytest

from tests.benchmark import goals, growth, processes, recall
from tests.benchmark.adoption import LARGE as LARGE_ADOPTION
from tests.benchmark.distribution import BOTO3, ENCRYPTED, FIRST, PARALLEL, SEQUENTIAL
from tests.benchmark.report import LARGE as LARGE_REPORT
from tests.benchmark.results import Part, Results
from tests.benchmark.start import CALLER_INFO, CASE, PING, ROLE

from .examples import part, series

RUN = f"{ENCRYPTED.name}: {FIRST}"


def distribute(
    ours: float = 22, parallel: float = 60, sequential: float = 90, script: float = 21, busy: float = 0
) -> Results:
    """Times of the first run of a distribution, of which 20 s are the copies."""
    listed = (
        series(RUN, ours, floor=20, polls_in_a_region=12),
        series(RUN, parallel, contender=PARALLEL),
        series(RUN, sequential, contender=SEQUENTIAL),
        series(RUN, script, contender=BOTO3),
    )
    return {"distribute": part(*listed, busy=busy)}


def outcome(name: str, results: Results) -> goals.Outcome:
    """The outcome of the only goal that begins so."""
    (found,) = [one for one in goals.outcomes(results) if one.goal.name.startswith(name)]
    return found


def recalled(seconds: float, wrong: int = 0) -> Results:
    """A recall of this many seconds that left so many parameters."""
    name = recall.case(recall.SHARED, recall.RECALLED)
    return {"recall": part(series(name, seconds, wrong_parameters=wrong))}


def divided(one: float, two: float) -> Results:
    """Audits by one process and by two, of this many seconds."""
    return {
        "processes": part(
            *(series(processes.case(processes.AUDIT, count), time) for count, time in ((1, one), (2, two)))
        )
    }


def grown(memory: float = 10, launches: float = 10, misjudged: int = 0) -> Results:
    """Reports: megabytes with 100,000 instances, 10 with 10,000; seconds at the depth launches."""
    fewest, most = (growth.instances_case(of(growth.TENS)) for of in (min, max))
    report, verification = (
        growth.targets_case(work, *growth.TARGETS[-1]) for work in (growth.LAUNCHES, growth.VERIFICATION)
    )
    listed = (
        *(series(fewest, 10), series(most, memory)),
        *(series(report, launches, misjudged_uses=misjudged), series(verification, 10)),
    )
    return {"growth-adoption": part(*listed)}


ADOPTED = {"adoption": part(series(LARGE_ADOPTION, 61, misjudged_instances=0))}
SPEED = "8 × 50, encrypted, beyond the time of one copy"


@pytest.mark.parametrize(
    ("name", "results", "value", "verdict"),
    [
        (SPEED, distribute(), 20, "met"),
        (SPEED, distribute(parallel=36), 8, "met"),
        (SPEED, distribute(parallel=30), 5, "not met"),
        (SPEED, distribute(busy=0.5), None, goals.BUSY),
        (SPEED, {}, None, goals.NOT_MEASURED),
        ("… as the sequential amazon.aws playbook", distribute(), 35, "not met"),
        ("… CPU, as a part of the parallel amazon.aws", distribute(busy=0.5), 22 / 60, "not met"),
        ("… whole playbook, as a multiple of the floor", distribute(), 1.1, "met"),
        ("… whole playbook, as a multiple of the boto3", distribute(script=20), 1.1, "not met"),
        ("… whole playbook, as a multiple of the boto3", distribute(script=22), 1, "met"),
        ("Audit of 10,000 images by two worker", divided(one=10, two=6), 0.6, "met"),
        ("Audit of 10,000 images by two worker", divided(one=10, two=7), 0.7, "not met"),
        ("8 × 50, encrypted, first run: most polls", distribute(busy=0.5), 12, "met"),
        ("Recall in 20 regions", recalled(14), 14, "met"),
        ("… parameters that name another image", recalled(14, wrong=1), 1, "not met"),
        ("Adoption of 100,000 instances", ADOPTED, 61, "not met"),
        ("… instances of another release", ADOPTED, 0, "met"),
        ("Adoption, 100 × 5: memory", grown(memory=11), 1.1, "met"),
        ("Adoption, 100 × 5: memory", grown(memory=12), 1.2, "not met"),
        ("Adoption at the depth launches", grown(launches=12), 1.2, "met"),
        ("Adoption at the depth launches", grown(launches=13), 1.3, "not met"),
        ("Adoption at the depth launches", ADOPTED, None, goals.NOT_MEASURED),
        ("… uses of another release", grown(misjudged=1), 1, "not met"),
    ],
)
def test_outcome(name: str, results: Results, value: float | None, verdict: str) -> None:
    found = outcome(name, results)
    assert found.value == (None if value is None else pytest.approx(value))
    assert found.verdict == verdict


@pytest.mark.parametrize(("slower", "limit", "verdict"), [(2, 10, "met"), (None, 5, "not met")])
def test_limits_in_seconds_fit_the_machine(slower: float | None, limit: float, verdict: str) -> None:
    results = {"report": part(series(LARGE_REPORT, 14))}
    if slower is not None:
        # The examples take half as much CPU.
        sequential = series(RUN, 2 * slower * goals.REFERENCE_CPU_SECONDS, contender=SEQUENTIAL)
        results["distribute"] = part(sequential)
    found = outcome("Audit report of 10,000 images", results)
    assert (found.value, found.limit, found.verdict) == (7, limit, verdict)


def images(at_most: float) -> Part:
    """Audits that take 10 s of 10,000 images and this many of 50,000."""
    sizes = {growth.BASE_IMAGES: 10.0, growth.MOST_IMAGES: at_most}
    return part(*(series(growth.images_case(count), one, size=count) for count, one in sizes.items()))


@pytest.mark.parametrize(("at_most", "verdict"), [(50, "met"), (100, "not met")])
def test_an_audit_is_flat_if_each_image_takes_the_same(at_most: float, verdict: str) -> None:
    assert outcome("… CPU an image", {"growth-images": images(at_most)}).verdict == verdict


@pytest.mark.parametrize(("busy", "values"), [(0, [3, 6]), (0.5, [None, None])])
def test_starts_are_compared_on_a_quiet_machine_only(busy: float, values: list[float | None]) -> None:
    listed = (
        series(CASE, 1, contender=CALLER_INFO, times_caller_info=1),
        series(CASE, 0.5, contender=PING, times_caller_info=0.5),
        series(CASE, 1.5, contender="golden.images.ami_share", times_caller_info=1.5),
        series(CASE, 0.5, contender="golden.images.distribution_report", times_caller_info=0.5),
        series(CASE, 6, contender=ROLE, times_caller_info=6),
    )
    results = {"start": part(*listed, busy=busy)}
    found = [outcome(name, results) for name in ("Start of a module", "A role with nothing to do")]
    assert [one.value for one in found] == values


def test_without_results_no_goal_is_met() -> None:
    found = goals.outcomes({})
    assert goals.met(found) == 0
    assert {one.verdict for one in found} == {goals.NOT_MEASURED}


def test_met_goals_are_counted() -> None:
    assert goals.met(goals.outcomes(distribute())) == 3
