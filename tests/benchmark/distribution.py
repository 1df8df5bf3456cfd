# SPDX-License-Identifier: GPL-3.0-or-later
"""A distribution by this collection and by what one would run without it; first run, and repeat."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulated_aws.client import SimulatedAws
from simulated_aws.http.record import RecordedCall

from . import floor, playbook, tools
from .fixtures import HOME, IMAGE, KEY_ALIAS, OTHER_REGIONS, OWNER, consumers, fixture
from .measuring import (
    COPY_SECONDS,
    GOLDEN,
    LATENCY,
    LONG,
    Measure,
    Scale,
    command,
    most_in_a_region,
    sample,
    with_facts,
)
from .results import Sample, Series
from .rivals import amazon_aws, awspub

BOTO3, PARALLEL, SEQUENTIAL = "boto3 script", "amazon.aws, parallel", "amazon.aws, sequential"
AWSPUB = "awspub"
FIRST, REPEAT = "first run", "repeat"

_FQCN = "golden.images.distribute_ami"
_SCRIPT = Path(amazon_aws.__file__).with_name("boto3_distribute.py")


@dataclass(frozen=True)
class Case:
    """A distribution: how many regions and accounts, and whether the copies are encrypted."""

    regions: int
    accounts: int
    encrypted: bool

    @property
    def name(self) -> str:
        """Its name, with the number of regions and of accounts."""
        return f"{self.regions} × {self.accounts}, {'encrypted' if self.encrypted else 'unencrypted'}"

    @property
    def floor(self) -> float:
        """The shortest time that AWS allows, in seconds."""
        return floor.Distribution(LATENCY, COPY_SECONDS, self.accounts if self.encrypted else 0).seconds()


ENCRYPTED, PLAIN, LARGE = Case(8, 50, True), Case(8, 50, False), Case(20, 500, True)
_TRIAL = {ENCRYPTED: Case(2, 3, True), PLAIN: Case(2, 3, False), LARGE: Case(3, 20, True)}


def of(case: Case, *contenders: str) -> Measure:
    """The measurement of a case with some contenders."""

    def measure(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
        for contender in contenders:
            chosen = _TRIAL[case] if scale.is_trial else case
            yield from both_runs(aws, scale, case.name, chosen, contender)

    return measure


def variables(aws: SimulatedAws, case: Case) -> dict[str, Any]:
    """Load the case's fixture; return the variables of the playbook."""
    regions = OTHER_REGIONS[: case.regions]
    aws.load_fixture(fixture(case.accounts, regions if case.encrypted else ()))
    return {
        "distribute_source_image_id": aws.description()["images"][IMAGE]["image_id"],
        "distribute_source_region": HOME,
        "distribute_regions": list(regions),
        "distribute_account_ids": consumers(case.accounts),
        "distribute_tags": {"role": "web"},
        **({"distribute_kms_key_id": KEY_ALIAS} if case.encrypted else {}),
    }


def prepare(aws: SimulatedAws, case: Case) -> dict[str, Any]:
    """Load the case's fixture into an empty AWS, with the latency and the copies' duration."""
    aws.reset()
    given = variables(aws, case)
    aws.set_latency(LATENCY)
    aws.update_settings(copy_seconds=COPY_SECONDS)
    return given


def both_runs(aws: SimulatedAws, scale: Scale, name: str, case: Case, contender: str) -> Iterator[Series]:
    """The first run and the repeat of a contender, as cases of this name."""
    first: list[Sample] = []
    again: list[Sample] = []
    run = _RUNS[contender]
    while len(first) < scale.rounds and not (first and first[0].seconds > LONG):
        given = prepare(aws, case)
        aws.clear_calls()
        first.append(with_facts(run(aws, given), floor=case.floor))
        aws.clear_calls()
        again.append(with_facts(run(aws, given), unshared_regions=_unshared(aws, given)))
    yield Series(f"{name}: {FIRST}", contender, tuple(first))
    yield Series(f"{name}: {REPEAT}", contender, tuple(again))


def _unshared(aws: SimulatedAws, given: Mapping[str, Any]) -> int:
    """The regions without exactly one image that is shared with exactly the accounts: 0 if all went well."""
    return sum(not _is_shared(aws, given, region) for region in given["distribute_regions"])


def _is_shared(aws: SimulatedAws, given: Mapping[str, Any], region: str) -> bool:
    ec2 = aws.client("ec2", OWNER, region)
    images = ec2.describe_images(Owners=["self"])["Images"]
    shared = [
        {
            one["UserId"]
            for one in ec2.describe_image_attribute(ImageId=image["ImageId"], Attribute="launchPermission")[
                "LaunchPermissions"
            ]
        }
        for image in images
    ]
    return shared == [set(given["distribute_account_ids"])]


def golden(aws: SimulatedAws, given: Mapping[str, Any]) -> Sample:
    done = playbook.run(aws, OWNER, _FQCN, given)
    calls = aws.calls()
    polls = [call for call in calls if _is_poll(call, done.task("Wait for the copies"))]
    others = [call for call in calls if call.service != "sts"]
    return sample(
        done.used,
        calls,
        changed=done.changed,
        polls_in_a_region=most_in_a_region(polls),
        calls_in_a_region=most_in_a_region(others),
    )


def _amazon_aws(parallel: bool) -> Callable[[SimulatedAws, Mapping[str, Any]], Sample]:
    def run(aws: SimulatedAws, given: Mapping[str, Any]) -> Sample:
        key = given.get("distribute_kms_key_id")
        tasks = amazon_aws.tasks(parallel, key, aws.account_id(OWNER), given["distribute_account_ids"])
        done = playbook.run(aws, OWNER, tasks, given)
        return sample(done.used, aws.calls(), changed=done.changed)

    return run


def _boto3(aws: SimulatedAws, given: Mapping[str, Any]) -> Sample:
    config = {name.removeprefix("distribute_"): value for name, value in given.items()}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(config, file)
        file.flush()
        used, _output = command(aws.environment(OWNER), [tools.program("python"), str(_SCRIPT), file.name])
    return sample(used, aws.calls())


def _awspub(aws: SimulatedAws, given: Mapping[str, Any]) -> Sample:
    snapshot_id = aws.description()["images"][IMAGE]["snapshot_ids"][0]
    used = awspub.run(aws, OWNER, snapshot_id, given)
    return sample(used, aws.calls())


_RUNS: dict[str, Callable[[SimulatedAws, Mapping[str, Any]], Sample]] = {
    GOLDEN: golden,
    BOTO3: _boto3,
    PARALLEL: _amazon_aws(parallel=True),
    SEQUENTIAL: _amazon_aws(parallel=False),
    AWSPUB: _awspub,
}


def _is_poll(call: RecordedCall, wait: playbook.Task | None) -> bool:
    """Whether a call polled a running copy; the wait begins with reads that are not polls."""
    if wait is None or not wait.start <= call.time <= wait.start + wait.seconds:
        return False
    by_id = call.action == "DescribeImages" and "ImageId.1" in call.parameters and call.region != HOME
    return by_id or (call.action == "DescribeSnapshots" and "pending" in call.parameters.values())
