# SPDX-License-Identifier: GPL-3.0-or-later
"""The recall of a release that is published for many accounts, and how it is taken back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simulated_aws.client import SimulatedAws

from . import playbook, releases
from .fixtures import HOME, OWNER
from .measuring import GOLDEN, LATENCY, LONG, Scale, sample
from .results import Sample, Series

RECALLED, TAKEN_BACK = "recall", "taken back"
SHARED = "20 × 500, one parameter a region"
IN_ACCOUNTS = "20 × 200, a parameter in each account"


def case(where: str, run: str) -> str:
    """The name of a run."""
    return f"{where}: {run}"


def measure(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """A recall where one parameter a region is shared with all accounts."""
    built = releases.build(aws, scale.size(500, 3), scale.size(20, 2))
    for images in (built.old, built.new):
        releases.publish(aws, images, built.shares)
    yield from _both_runs(aws, built, SHARED, scale.rounds, {})


def measure_in_accounts(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """A recall where each account has a parameter of its own, once."""
    built = releases.build(aws, scale.size(200, 3), scale.size(20, 2))
    for images in (built.old, built.new):
        releases.publish(aws, images, built.in_accounts)
    yield from _both_runs(aws, built, IN_ACCOUNTS, 1, built.in_accounts)


def _both_runs(
    aws: SimulatedAws, built: releases.Releases, where: str, rounds: int, options: Mapping[str, Any]
) -> Iterator[Series]:
    """Recall the newer release and take that back, after which all is as before, in each round."""
    aws.set_latency(LATENCY)
    recalled: list[Sample] = []
    taken_back: list[Sample] = []
    with TemporaryDirectory() as folder:
        while len(recalled) < rounds and not (recalled and recalled[0].seconds > LONG):
            given = {**options, "tombstone_path": str(Path(folder, f"{len(recalled)}.jsonl"))}
            recalled.append(_recall(aws, built, built.old, given))
            taken_back.append(_recall(aws, built, built.new, {**given, "state": "absent"}))
    yield Series(case(where, RECALLED), GOLDEN, tuple(recalled))
    yield Series(case(where, TAKEN_BACK), GOLDEN, tuple(taken_back))


def _recall(
    aws: SimulatedAws, built: releases.Releases, after: Mapping[str, str], options: Mapping[str, Any]
) -> Sample:
    """The playbook; ``after`` are the images that parameters name at its end."""
    given = {
        "source_image_id": built.new[HOME],
        "source_region": HOME,
        "regions": list(built.new),
        "parameter": releases.PARAMETER,
        **options,
    }
    variables = {f"recall_{name}": value for name, value in given.items()}
    aws.clear_calls()
    done = playbook.run(aws, OWNER, "golden.images.recall_ami", variables)
    accounts = options.get("account_ids")
    wrong = releases.wrong_parameters(
        aws, after, () if accounts else built.account_ids, accounts=1 + len(accounts or ())
    )
    calls = aws.calls()
    return sample(done.used, calls, calls_a_target=len(calls) / wrong["parameters"], **wrong)
