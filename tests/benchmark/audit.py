# SPDX-License-Identifier: GPL-3.0-or-later
"""ami_share_audit on many images: its time beyond what AWS's request rates force, and what it finds."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from simulated_aws.client import SimulatedAws
from simulated_aws.http.record import RecordedCall
from simulated_aws.http.throttling import Rate, bucket

from . import playbook
from .exposures import Planted, plant
from .figures import Figure
from .fixtures import HOME, OTHER_REGIONS, OWNER

LATENCY = 0.04
IMAGES, SECONDS = 1000, 5
REGIONS, IMAGES_IN_EACH = (HOME, *OTHER_REGIONS[:19]), 500
IMAGES_ONLY, WITH_SNAPSHOTS = 1.15, 1.4
"""As a multiple of the time that the request rates force."""
MEGABYTES = 400
REFILL = 6
"""Seconds after which all token buckets that a run emptied are full again."""


def in_one_region(aws: SimulatedAws) -> Iterator[Figure]:
    """Without request rates: the cost of finding every exposure."""
    aws.reset()
    planted = plant(aws, [HOME], IMAGES)
    aws.set_throttling(False)
    aws.set_latency(LATENCY)
    aws.clear_calls()
    run = _run(aws, planted)
    (task,) = run.tasks
    yield Figure("the task", task.seconds, "s", SECONDS, waiting=0)
    yield Figure("CPU", run.cpu_seconds, "s", waiting=0)
    yield Figure("API calls", len(aws.calls()), "calls")
    yield from _judged(planted, task)


def in_many_regions(aws: SimulatedAws) -> Iterator[Figure]:
    """Under AWS's request rates, which all calls of one operation in a region share."""
    aws.reset()
    planted = plant(aws, REGIONS, IMAGES_IN_EACH)
    aws.set_latency(LATENCY)
    for name, most, options in (
        ("images", IMAGES_ONLY, {"check_snapshots": False, "check_keys": False}),
        ("images and snapshots", WITH_SNAPSHOTS, {"check_keys": False}),
    ):
        time.sleep(REFILL)
        aws.clear_calls()
        run = _run(aws, planted, **options)
        (task,) = run.tasks
        calls = aws.calls()
        forced = forced_seconds(calls)
        # The task also starts a module, and passes ten thousand images through Ansible.
        reading = calls[-1].time + LATENCY - calls[0].time
        figures = (
            Figure("forced by request rates", forced, "s"),
            Figure("from the first call to the last", reading, "s", most * forced, waiting=forced),
            Figure("times what is forced", reading / forced, "×"),
            Figure("the task", task.seconds, "s", waiting=forced),
            Figure("CPU", run.cpu_seconds, "s", waiting=0),
            Figure("largest process", run.peak_megabytes, "MB", MEGABYTES),
            Figure("API calls", len(calls), "calls"),
            Figure("refused as too many, then tried again", sum(map(_is_throttled, calls)), "calls"),
            *_judged(planted, task, **options),
        )
        yield from (replace(figure, name=f"{name}: {figure.name}") for figure in figures)


def forced_seconds(calls: Iterable[RecordedCall]) -> float:
    """The shortest time that the request rates allow for the answered calls; a retried call counts once.

    Each API has in each region a bucket of its own (see simulated_aws.http.throttling), all at the same
    time: what counts is the one that is short of tokens for longest.
    """
    answered = {
        (call.region, call.action, json.dumps(call.parameters, sort_keys=True)): call
        for call in calls
        if call.status == 200
    }
    needed: Counter[tuple[str, str]] = Counter()
    rates: dict[tuple[str, str], Rate] = {}
    for call in answered.values():
        found = bucket(call.service, call.action, call.parameters)
        if found is not None:
            name, rates[call.region, name] = found
            needed[call.region, name] += 1
    waits = ((count - rates[key].size) / rates[key].per_second for key, count in needed.items())
    return max([0.0, *waits])


def _run(aws: SimulatedAws, planted: Planted, **options: bool) -> playbook.Run:
    task = {
        "name": "audit",
        "golden.images.ami_share_audit": {**planted.options, **options},
        # What could not be read is also a figure.
        "ignore_errors": True,
    }
    return playbook.run(aws, OWNER, [task])


def _judged(
    planted: Planted, task: playbook.Task, check_snapshots: bool = True, check_keys: bool = True
) -> Iterator[Figure]:
    """The findings, compared with the real exposures."""
    expected, found = planted.expected(check_snapshots, check_keys), planted.found(task.result["findings"])
    kinds, planned = ({code for _label, code, _who in findings} for findings in (found, expected))
    yield Figure("kinds of exposure found", len(kinds), "", len(planned), at_least=True)
    yield Figure("exposures missed", (expected - found).total(), "", 0)
    yield Figure("false alarms", (found - expected).total(), "", 0)
    yield Figure("failures", len(task.result["failures"]), "", 0)


def _is_throttled(call: RecordedCall) -> bool:
    return call.error_code == "RequestLimitExceeded" or "Throttl" in call.error_code
