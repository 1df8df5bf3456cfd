# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole playbook distribute_ami, and a second run with nothing left to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from simulated_aws.client import SimulatedAws
from simulated_aws.http.record import RecordedCall

from . import playbook
from .figures import Figure
from .fixtures import HOME, IMAGE, KEY_ALIAS, OTHER_REGIONS, OWNER, consumers, fixture

COPY_SECONDS, LATENCY = 20, 0.04
MEGABYTES = 200

_FQCN = "golden.images.distribute_ami"


@dataclass(frozen=True)
class Case:
    """A distribution and its targets: seconds, and API calls in the region with the most."""

    regions: int
    accounts: int
    first: float
    repeat: float | None = None
    calls: int | None = None
    cpu: float | None = None
    kms_method: str | None = None


PLAIN = Case(regions=8, accounts=50, first=27, repeat=7, calls=10)
GRANTS = Case(regions=8, accounts=50, first=28, repeat=8, calls=14, cpu=15, kms_method="grant")
KEY_POLICY = Case(regions=8, accounts=50, first=28, repeat=8, calls=14, cpu=15, kms_method="key_policy")
MANY_GRANTS = Case(regions=20, accounts=500, first=COPY_SECONDS + 25, kms_method="grant")
MANY_IN_KEY_POLICY = Case(regions=20, accounts=500, first=COPY_SECONDS + 12, kms_method="key_policy")


def of(case: Case) -> Callable[[SimulatedAws], Iterator[Figure]]:
    """The benchmark of one case."""
    return lambda aws: _measure(aws, case)


def variables(aws: SimulatedAws, case: Case) -> dict[str, Any]:
    """Load the case's fixture; return the variables of the playbook."""
    regions = OTHER_REGIONS[: case.regions]
    aws.load_fixture(fixture(case.accounts, regions if case.kms_method else ()))
    encryption = {"distribute_kms_key_id": KEY_ALIAS, "distribute_kms_access_method": case.kms_method}
    return {
        "distribute_source_image_id": aws.description()["images"][IMAGE]["image_id"],
        "distribute_source_region": HOME,
        "distribute_regions": list(regions),
        "distribute_account_ids": consumers(case.accounts),
        "distribute_tags": {"role": "web"},
        "distribute_shared_tags": {"version": "2026.11"},
        **(encryption if case.kms_method else {}),
    }


def _measure(aws: SimulatedAws, case: Case) -> Iterator[Figure]:
    given = variables(aws, case)
    aws.set_latency(LATENCY)
    aws.update_settings(copy_seconds=COPY_SECONDS)
    aws.clear_calls()
    first = playbook.run(aws, OWNER, _FQCN, given)
    yield Figure("whole playbook", first.seconds, "s", case.first, waiting=COPY_SECONDS)
    yield from _usage(first, case)
    calls = aws.calls()
    polls = [call for call in calls if _is_poll(call, first.task("Wait for the copies"))]
    yield Figure(
        "API calls in a region, the most", _most([one for one in calls if one not in polls]), "calls"
    )
    yield Figure("polls in a region, the most", _most(polls), "calls")
    yield Figure(
        "refused as too many", sum(call.status == 503 or "Throttl" in call.error_code for call in calls)
    )

    aws.clear_calls()
    again = playbook.run(aws, OWNER, _FQCN, given)
    yield Figure("repeat", again.seconds, "s", case.repeat, waiting=0)
    yield Figure("repeat: changed tasks", again.changed, "", 0)
    calls = aws.calls()
    # Each task calls these in one region, and not for the images or keys of that region.
    identity = [call for call in calls if call.service == "sts"]
    others = [call for call in calls if call.service != "sts"]
    yield Figure("repeat: EC2 and KMS calls in a region, the most", _most(others), "calls", case.calls)
    yield Figure("repeat: GetCallerIdentity in a region, the most", _most(identity), "calls")
    yield Figure("repeat: CPU", again.cpu_seconds, "s", waiting=0)


def _usage(run: playbook.Run, case: Case) -> Iterator[Figure]:
    yield Figure("CPU", run.cpu_seconds, "s", case.cpu, waiting=0)
    yield Figure("largest process", run.peak_megabytes, "MB", MEGABYTES)


def _most(calls: list[RecordedCall]) -> int:
    return max(Counter(call.region for call in calls).values(), default=0)


def _is_poll(call: RecordedCall, wait: playbook.Task | None) -> bool:
    """Whether a call polled a running copy; the wait begins with reads that are not polls."""
    if wait is None or not wait.start <= call.time <= wait.start + wait.seconds:
        return False
    by_id = call.action == "DescribeImages" and "ImageId.1" in call.parameters and call.region != HOME
    return by_id or (call.action == "DescribeSnapshots" and "pending" in call.parameters.values())
