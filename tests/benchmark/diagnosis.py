# SPDX-License-Identifier: GPL-3.0-or-later
"""Diagnoses and verifications of an encrypted image, from the owner's and the consumers' side."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from simulated_aws.client import SimulatedAws

from . import playbook
from .fixtures import HOME, OTHER_REGIONS, OWNER, ROLE, consumers, shared
from .measuring import LATENCY, sample
from .process_tree import Used
from .results import Sample

LEVEL = "authorized"
"""Of the verification: AWS has accepted the launch, without making it."""


@dataclass(frozen=True)
class Built:
    """The images by region, and the accounts that they are shared with."""

    images: dict[str, str]
    account_ids: list[str]


def diagnose(aws: SimulatedAws, built: Built) -> Sample:
    """The playbook that diagnoses each account in each region."""
    options = {"account_ids": built.account_ids, "fail_on": "unknown"}
    return _run(aws, built, "diagnose_ami", "diagnose", options)


def verify(aws: SimulatedAws, built: Built, most_processes: int | None = None) -> Sample:
    """The playbook that verifies that AWS would accept a launch by each account in each region.

    A sample has its processes if they are set.
    """
    options = {"account_ids": built.account_ids, "level": LEVEL}
    if most_processes:
        options["max_processes"] = most_processes
    return _run(aws, built, "verify_ami", "verify", options)


def verify_as_hosts(aws: SimulatedAws, built: Built) -> Sample:
    """The same verification, with each account as a host of the inventory."""
    return verify_in_slices(aws, [built])


def verify_in_slices(aws: SimulatedAws, slices: Sequence[Built]) -> Sample:
    """The same by a job for each slice of the hosts, all at the same time: what all of them use together."""
    aws.clear_calls()
    started = time.monotonic()
    with ThreadPoolExecutor(len(slices)) as pool:
        used = [*pool.map(partial(_run_slice, aws), slices)]
    calls = aws.calls()
    accounts = sum(len(one.account_ids) for one in slices)
    together = replace(
        used[0],
        seconds=time.monotonic() - started if len(used) > 1 else used[0].seconds,
        cpu_seconds=sum(one.cpu_seconds for one in used),
        pss_megabytes=sum(one.pss_megabytes for one in used),
        largest_megabytes=max(one.largest_megabytes for one in used),
    )
    return sample(together, calls, calls_a_target=len(calls) / len(slices[0].images) / accounts)


def _run_slice(aws: SimulatedAws, built: Built) -> Used:
    hosts = {f"account-{one}": {"account_id": one} for one in built.account_ids}
    options = {"level": LEVEL, "hosts": "accounts"}
    inventory = {"accounts": {"hosts": hosts}}
    return playbook.run(
        aws, OWNER, "golden.images.verify_ami", variables(built, "verify", options), inventory=inventory
    ).used


def _run(
    aws: SimulatedAws,
    built: Built,
    name: str,
    role: str,
    options: dict[str, Any],
) -> Sample:
    aws.clear_calls()
    done = playbook.run(aws, OWNER, f"golden.images.{name}", variables(built, role, options))
    calls = aws.calls()
    processes = {"processes": done.used.processes} if "max_processes" in options else {}
    a_target = len(calls) / len(built.images) / len(built.account_ids)
    return sample(done.used, calls, calls_a_target=a_target, **processes)


def variables(built: Built, role: str, options: dict[str, Any]) -> dict[str, Any]:
    """The variables of a role that works in the consumers."""
    given = {"images": built.images, "consumer_role_name": ROLE, **options}
    return {f"{role}_{option}": value for option, value in given.items()}


def build(aws: SimulatedAws, account_count: int, region_count: int) -> Built:
    """An image in each region that all accounts may use, with its key."""
    aws.reset()
    account_ids, regions = consumers(account_count), (HOME, *OTHER_REGIONS[: region_count - 1])
    built = aws.load_fixture(shared(account_ids, {region: region for region in regions}))
    aws.set_latency(LATENCY)
    return Built({region: image["image_id"] for region, image in built["images"].items()}, account_ids)
