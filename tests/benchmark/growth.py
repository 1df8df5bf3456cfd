# SPDX-License-Identifier: GPL-3.0-or-later
"""Time, CPU and memory as accounts, regions and images grow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TypeVar

from simulated_aws.client import SimulatedAws

from . import adoption, audit, diagnosis, distribution, releases
from .fixtures import HOME, OTHER_REGIONS
from .measuring import GOLDEN, Scale, repeated
from .results import Sample, Series

Size = TypeVar("Size")

ACCOUNTS = (50, 100, 250, 500, 1000)
REGIONS = (1, 4, 8, 16, 30)
BASE_IMAGES, MOST_IMAGES = 10_000, 50_000
IMAGES = (1000, 5000, BASE_IMAGES, 20_000, MOST_IMAGES)
"""Images in 20 regions."""
TARGETS = ((20, 1), (20, 5), (50, 5), (100, 5), (200, 5))
"""Accounts and regions of a diagnosis and of a verification."""
IN_ONE_PROCESS = ((20, 1), (20, 4), (80, 4), (500, 1))
AS_HOSTS = ((5, 1), (20, 1), (500, 1))
"""Accounts and regions of a verification by one process, and by a host of the inventory for each account."""
ADOPTING = (100, 5)
"""Accounts and regions in which instances grow."""
TENS = (2, 6, 20)
"""How many times ten instances each of these accounts has in each region."""
SLICED_ACCOUNTS, SLICES = 500, 4
"""Hosts in one region, and the jobs among which AWX divides them."""
LAUNCHES, VERIFICATION = "launches", "verification"
_AUDITED_REGIONS = 20


def images_case(count: int) -> str:
    """The name of the audit of this number of images."""
    return f"audit of {count:,} images"


def instances_case(tens: int) -> str:
    """The name of the report on so many times ten instances in each region of each account."""
    accounts, regions = ADOPTING
    return f"{10 * tens * accounts * regions:,} instances of {accounts} × {regions}"


def targets_case(name: str, accounts: int, regions: int) -> str:
    """The name of a work in accounts and regions."""
    return f"{name} of {accounts} × {regions}"


def of_accounts(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """Distributions to 8 regions, encrypted, and repeats."""
    for count in _some(scale, ACCOUNTS):
        regions = scale.size(8, 2)
        yield from _distribution(aws, scale, distribution.Case(regions, count, True), count)


def of_regions(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """Distributions to 50 accounts, encrypted, and repeats."""
    for count in _some(scale, REGIONS):
        yield from _distribution(aws, scale, distribution.Case(count, 50, True), count)


def of_images(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """Audits of images in 20 regions, with snapshots, keys and page."""
    for count in _some(scale, IMAGES):
        regions = (HOME, *OTHER_REGIONS[: _AUDITED_REGIONS - 1])
        planted = audit.plant_in(aws, regions, count // len(regions))
        once = partial(_rested, lambda planted=planted: audit.golden(aws, planted))
        yield Series(images_case(count), GOLDEN, repeated(scale, once), size=count)


def of_diagnosis(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """Diagnoses of an encrypted image in accounts and regions."""
    yield from _targets(aws, scale, "diagnosis", diagnosis.diagnose)


def of_verification(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """Verifications of the same images, by the playbook."""
    yield from _targets(aws, scale, VERIFICATION, diagnosis.verify)


def of_adoption(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """Reports on more instances, then on what is launched next, and a verification of as many targets."""
    for tens in _some(scale, TENS):
        built = releases.build(aws, scale.size(ADOPTING[0], 2), scale.size(ADOPTING[1], 2))
        instances = {release: tens * count for release, count in adoption.TEN.items()}
        samples = adoption.report_instances(aws, scale, built, instances)
        yield Series(instances_case(tens), GOLDEN, samples)
    targets = _some(scale, TARGETS)[-1]
    samples = adoption.report_launches(aws, scale, releases.build(aws, *targets))
    yield Series(targets_case(LAUNCHES, *targets), GOLDEN, samples)
    # In the same part: the speed of the machine changes between parts.
    yield from _targets(aws, scale, VERIFICATION, diagnosis.verify, (targets,))


def of_hosts(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """The table of docs/scale.md: a verification by one process, by a host for each account, by slices."""
    yield from _targets(aws, scale, "one process", diagnosis.verify, IN_ONE_PROCESS)
    yield from _targets(aws, scale, "hosts", diagnosis.verify_as_hosts, AS_HOSTS)
    yield _slices(aws, scale, scale.size(SLICED_ACCOUNTS, SLICES))


def _distribution(aws: SimulatedAws, scale: Scale, case: distribution.Case, size: int) -> Iterator[Series]:
    for one in distribution.both_runs(aws, scale, case.name, case, GOLDEN):
        yield replace(one, size=size)


def _targets(
    aws: SimulatedAws,
    scale: Scale,
    name: str,
    run: Callable[[SimulatedAws, diagnosis.Built], Sample],
    targets: tuple[tuple[int, int], ...] = TARGETS,
) -> Iterator[Series]:
    for accounts, regions in _some(scale, targets):
        built = diagnosis.build(aws, accounts, regions)
        samples = repeated(scale, partial(_rested, partial(run, aws, built)))
        yield Series(targets_case(name, accounts, regions), GOLDEN, samples, size=accounts * regions)


def _slices(aws: SimulatedAws, scale: Scale, account_count: int) -> Series:
    """A run for each slice, all at the same time, as one sample.

    AWX gives a slice each host whose number in the inventory leaves the same remainder (``get_sliced_hosts``
    of awx/main/models/inventory.py).
    """
    built = diagnosis.build(aws, account_count, 1)
    slices = [replace(built, account_ids=built.account_ids[number::SLICES]) for number in range(SLICES)]
    samples = repeated(scale, partial(_rested, partial(diagnosis.verify_in_slices, aws, slices)))
    return Series(f"{SLICES} slices at once of {account_count} × 1", GOLDEN, samples, size=account_count)


def _rested(once: Callable[[], Sample]) -> Sample:
    """A run with all token buckets full."""
    time.sleep(audit.REFILL)
    return once()


def _some(scale: Scale, sizes: tuple[Size, ...]) -> tuple[Size, ...]:
    return sizes[:2] if scale.is_trial else sizes
