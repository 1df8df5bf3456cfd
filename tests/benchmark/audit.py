# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit of many images: its time beyond what AWS's request rates force, and what it finds."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from simulated_aws.client import SimulatedAws

from . import floor, playbook, tools
from .exposures import Found, Planted, plant
from .fixtures import HOME, OTHER_REGIONS, OWNER
from .measuring import GOLDEN, LATENCY, Measure, Scale, command, repeated, sample
from .results import Sample, Series

CUSTODIAN = "Cloud Custodian"
LARGE, IN_ONE_REGION = "10,000 images in 20 regions", "300 images in one region"
REFILL = 6
"""Seconds after which all token buckets that a run emptied are full again."""
_FQCN = "golden.images.audit_ami_sharing"


def large(*contenders: str) -> Measure:
    """Images, snapshots and keys of many regions at AWS's request rates, with a page."""

    def measure(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
        regions = (HOME, *OTHER_REGIONS[: scale.size(19, 1)])
        yield from _by(contenders, aws, scale, LARGE, plant_in(aws, regions, scale.size(500, 60)))

    return measure


def in_one_region(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """Every kind of exposure, those of keys among them."""
    planted = plant_in(aws, (HOME,), scale.size(300, 100))
    yield from _by((GOLDEN, CUSTODIAN), aws, scale, IN_ONE_REGION, planted)


def _by(
    contenders: Sequence[str], aws: SimulatedAws, scale: Scale, case: str, planted: Planted
) -> Iterator[Series]:
    for contender in contenders:
        once = partial(_after_refill, golden if contender == GOLDEN else _custodian, aws, planted)
        yield Series(case, contender, repeated(scale, once))


def plant_in(aws: SimulatedAws, regions: tuple[str, ...], images: int) -> Planted:
    """An account with exposures, at AWS's latency."""
    aws.reset()
    planted = plant(aws, regions, images)
    aws.set_latency(LATENCY)
    return planted


def golden(
    aws: SimulatedAws, planted: Planted, callbacks: Sequence[str] = (), most_processes: int | None = None
) -> Sample:
    """The playbook, with all checks and a page of the findings.

    A sample has its processes if they are set.
    """
    aws.clear_calls()
    with TemporaryDirectory() as folder:
        options = {f"audit_{name}": value for name, value in planted.options.items()}
        given = {**options, "audit_report_dir": folder}
        if most_processes:
            given["audit_max_processes"] = most_processes
        done = playbook.run(aws, OWNER, _FQCN, given, callbacks=callbacks)
        # The report has all findings, and the result of the task may not.
        report = json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))
    task = done.task("Audit who can use the images")
    if task is None:
        raise RuntimeError("the role audit has no task that audits")
    calls = aws.calls()
    return sample(
        done.used,
        calls,
        forced=floor.forced_by(calls),
        failures=len(task.result["failures"]),
        **judged(planted.expected(), planted.found(report["findings"])),
        **({"processes": done.used.processes} if most_processes else {}),
    )


def judged(expected: Counter[Found], found: Counter[Found]) -> dict[str, float]:
    """The findings, compared with the real exposures; and the kinds of exposure of which any was found."""
    kinds, planned = ({code for _label, code, _who in some} for some in (found & expected, expected))
    return {
        "kinds_found": len(kinds),
        "kinds": len(planned),
        "exposures": expected.total(),
        "missed": (expected - found).total(),
        "false_alarms": (found - expected).total(),
    }


def _after_refill(
    run: Callable[[SimulatedAws, Planted], Sample], aws: SimulatedAws, planted: Planted
) -> Sample:
    time.sleep(REFILL)
    return run(aws, planted)


def policies(allowed: list[str], special: list[str]) -> dict[str, Any]:
    """Cloud Custodian's policies for who can use images and snapshots.

    A filter takes one list of principals: images that others may use, too, take a policy of their own.
    Snapshots have no names, so that those of all images have to allow the special principals.
    """
    named = {"type": "value", "key": "Name", "op": "regex", "value": "^special-"}
    return {
        "policies": [
            {
                "name": "images",
                "resource": "aws.ami",
                "filters": [{"not": [named]}, _shared_beyond(allowed)],
            },
            {
                "name": "special-images",
                "resource": "aws.ami",
                "filters": [named, _shared_beyond([*allowed, *special])],
            },
            {
                "name": "snapshots",
                "resource": "aws.ebs-snapshot",
                "filters": [_shared_beyond([*allowed, *special])],
            },
        ]
    }


def _shared_beyond(principals: list[str]) -> dict[str, Any]:
    return {"type": "cross-account", "whitelist": principals}


def _custodian(aws: SimulatedAws, planted: Planted) -> Sample:
    aws.clear_calls()
    allowed = [*planted.options["allowed_account_ids"], *planted.options["allowed_org_unit_arns"]]
    special = [one for rule in planted.options["rules"] for one in rule["account_ids"]]
    with TemporaryDirectory() as name:
        used, output = run_custodian(aws, policies(allowed, special), planted.options["regions"], Path(name))
        found = _found(planted, Path(name))
    calls = aws.calls()
    return sample(
        used,
        calls,
        forced=floor.forced_by(calls),
        failures=output.count("Exception checking cross account access"),
        **judged(planted.expected(), found),
    )


def run_custodian(
    aws: SimulatedAws, document: Mapping[str, Any], regions: list[str], folder: Path
) -> tuple[Any, str]:
    """Run policies in regions; the matches are in the directory, as Cloud Custodian writes them."""
    (folder / "policies.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    chosen = [word for region in regions for word in ("--region", region)]
    used, output = command(
        aws.environment(OWNER),
        [
            *(tools.program("custodian"), "run", "--output-dir", str(folder / "out"), *chosen),
            *("--cache-period", "0", str(folder / "policies.yml")),
        ],
    )
    return used, output


def _found(planted: Planted, folder: Path) -> Counter[Found]:
    """What Cloud Custodian found, as the codes that this collection would use for it."""
    found: Counter[Found] = Counter()
    for path in (folder / "out").rglob("resources.json"):
        for one in json.loads(path.read_text(encoding="utf-8")):
            for who in one["c7n:CrossAccountViolations"]:
                found.update([planted.violation(one, who)])
    return found
