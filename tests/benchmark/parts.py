# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the benchmark by name; each gets a simulated AWS of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulated_aws.client import SimulatedAws

from . import (
    adoption,
    audit,
    cleanup,
    distribution,
    growth,
    many_accounts,
    processes,
    profile,
    publish_share,
    rates,
    recall,
    report,
    simulator,
    start,
)
from .distribution import AWSPUB, BOTO3, PARALLEL, SEQUENTIAL
from .measuring import COPY_SECONDS, GOLDEN, LATENCY, Measure, Scale

_AWS = (
    f"Each call takes {LATENCY * 1000:.0f} ms. A token bucket for each API in each region admits calls at "
    "the rates that AWS documents."
)
_COPIES = f"{_AWS} Each copy takes {COPY_SECONDS:.0f} s."
_REPLAYED = (
    "Answers to DescribeInstanceImageMetadata are made inside the processes that call it, after "
    f"{LATENCY * 1000:.0f} ms, so that the simulated AWS takes no processor from them: they are parsed "
    "as any others, but sent through no connection."
)
_NO_LATENCY = "Calls take no time of their own."


@dataclass(frozen=True)
class Recipe:
    """How a part is measured. ``conditions`` state the simulated AWS's settings.

    One that is not ``by_default`` takes long and is measured when it is named.
    """

    title: str
    measure: Measure
    conditions: str
    by_default: bool = True
    profiles: Callable[[SimulatedAws, Scale], dict[str, dict[str, float]]] | None = None


PARTS = {
    "distribute": Recipe(
        "Distribution to 8 regions and 50 accounts, encrypted",
        distribution.of(distribution.ENCRYPTED, GOLDEN, BOTO3, PARALLEL, SEQUENTIAL),
        _COPIES,
    ),
    "distribute-plain": Recipe(
        "Distribution to 8 regions and 50 accounts, unencrypted",
        distribution.of(distribution.PLAIN, GOLDEN, AWSPUB),
        _COPIES,
    ),
    "distribute-large": Recipe(
        "Distribution to 20 regions and 500 accounts, encrypted",
        distribution.of(distribution.LARGE, GOLDEN),
        _COPIES,
    ),
    "publish-share": Recipe(
        "Publication in 20 regions for 500 accounts, through AWS RAM", publish_share.measure, _AWS
    ),
    "recall": Recipe(
        "Recall of a release in 20 regions",
        recall.measure,
        f"{_AWS} Each run but the first finds the versions of the parameters that those before it made.",
    ),
    "recall-in-accounts": Recipe(
        "Recall of a release in 20 regions, which 200 accounts have in parameters of their own",
        recall.measure_in_accounts,
        _AWS,
        by_default=False,
    ),
    "adoption": Recipe(
        "Report on adoption by 500 accounts in 20 regions",
        adoption.measure,
        f"{_AWS} {_REPLAYED}",
    ),
    "audit": Recipe("Audit of 10,000 images in 20 regions", audit.large(GOLDEN), _AWS),
    "audit-kinds": Recipe("Audit with every kind of exposure", audit.in_one_region, _AWS),
    "report": Recipe(
        "Report of an audit",
        report.measure,
        "The report is that of an audit's result in a file. Time is that of its task. CPU leaves out a "
        "playbook whose task only returns that result; memory is that of the whole run. The "
        "second and the third run find the report of the one before.",
    ),
    "cleanup": Recipe("Cleanup that deletes 300 images", cleanup.measure, _AWS),
    "cleanup-in-use": Recipe("Cleanup where images are in use", cleanup.in_use, _AWS),
    "rates": Recipe(
        "Audit and cleanup at several rates of AWS",
        rates.measure,
        f"Each call takes {LATENCY * 1000:.0f} ms. A token bucket for each API in each region admits calls "
        "at the rates that AWS documents, at half of them, or there is none.",
    ),
    "start": Recipe("Start of a module and of a role", start.measure, _NO_LATENCY),
    "many-accounts": Recipe("One image and 1,000 accounts", many_accounts.measure, _AWS),
    "simulator": Recipe("The simulated AWS itself", simulator.measure, _NO_LATENCY),
    "audit-compared": Recipe(
        "Audit of 10,000 images in 20 regions, compared",
        audit.large(GOLDEN, audit.CUSTODIAN),
        _AWS,
        by_default=False,
    ),
    "distribute-large-compared": Recipe(
        "Distribution to 20 regions and 500 accounts, encrypted, compared",
        distribution.of(distribution.LARGE, GOLDEN, BOTO3),
        _COPIES,
        by_default=False,
    ),
    "profile": Recipe(
        "Where the time goes",
        lambda _aws, _scale: iter(()),
        _COPIES,
        by_default=False,
        profiles=profile.profiles,
    ),
    "growth-accounts": Recipe("Distribution to more accounts", growth.of_accounts, _COPIES, by_default=False),
    "growth-regions": Recipe("Distribution to more regions", growth.of_regions, _COPIES, by_default=False),
    "growth-images": Recipe("Audit of more images", growth.of_images, _AWS, by_default=False),
    "growth-diagnosis": Recipe(
        "Diagnosis of more accounts and regions", growth.of_diagnosis, _AWS, by_default=False
    ),
    "growth-verification": Recipe(
        "Verification in more accounts and regions", growth.of_verification, _AWS, by_default=False
    ),
    "growth-adoption": Recipe(
        "Report on adoption of more instances, and of what is launched next",
        growth.of_adoption,
        f"{_AWS} {_REPLAYED} The simulated AWS answers all calls of the report on launches, and of the "
        "verification.",
        by_default=False,
    ),
    "processes": Recipe(
        "Audit and verification by one process, and by more",
        processes.measure,
        f"{_AWS} The worker processes of a run are beside two of Ansible.",
    ),
    "hosts": Recipe(
        "Verification by one process, and by a host for each account", growth.of_hosts, _AWS, by_default=False
    ),
}
